"""Positions: what the place in which an option is shown does to the answers, and how to take it out.

Place i of the list that was shown held option (i + order) mod K, so option j stood in place (j - order) mod K.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import Values, integers, schema_of
from audiocontrib.contribution.answer_counts import LEAST, TIE, Floats, Ints, asked_cells
from audiocontrib.contribution.posteriors import flips, lists, padded
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import seeded
from audiocontrib.responses import METHODS, has_posterior
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

UNCHOSEN, UNANSWERED, DECLINED = -1, -2, -3
POSITION_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    **dict.fromkeys(("k", "place", "n"), pa.int64()),
    share=pa.float64(),
    gold_n=pa.int64(),
    **dict.fromkeys(("recall", "spread", "prior", "flips", "abstained", "no_choice"), pa.float64()),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A model's answers under a condition to n items with k options, by item and order."""

    item_id: Values
    """Sorted, shape (n,)."""
    gold: Ints
    """Index of the gold option, -1 without a key; shape (n,)."""
    place: Ints
    """Place of the option that was chosen (UNCHOSEN: none, or a tie; DECLINED; UNANSWERED); shape (n, k)."""
    log_p: Floats
    """ln posterior of the option in each place, shape (n, k orders, k places); NaN where unanswered, and of replies."""

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Items with likelihoods in all orders, shape (n,)."""
        return np.asarray(~np.isnan(self.log_p).any(axis=(1, 2)))


def positions(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per model, condition, number of options and place: how the answers depend on the place.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`. All conditions
            are shown.

    Returns:
        model, condition, k (number of options), place (from 0), and of the items with k options:

        - n: answers, one for each item and order; failures are none.
        - share: share of them that chose the option in this place. Over cyclic orders it is 1/k for a model
          without a bias, whatever it prefers.
        - gold_n, recall: answers whose gold stood in this place; the share of these that are right.
        - spread: the largest recall - the smallest, over the places.
        - prior: :func:`position_prior` of this place; null for replies, and where no item has all k orders.
        - flips: mean over the items of the share of pairs of orders whose answers differ.
        - abstained, no_choice: shares of the answers that decline, and that name no option otherwise; with the shares
          of all places they make 1.

        What cannot be known is null.

    Raises:
        AudiocontribError: the run holds both methods and none is named; or imported answers to shuffled options.
    """
    rows: list[dict[str, Any]] = []
    _check_shown(getattr(run, "manifest", {}))
    with scoped(run, scope, words) as (con, checked):
        found, cells = asked_cells(con, method=checked.method)
        for model, condition in cells:
            for k, told in sorted(shown_places(con, model, condition, found).items()):
                rows += [{"model": model, "condition": condition, "k": k} | row for row in _by_place(told, k)]
    return pa.Table.from_pylist(rows, schema=POSITION_SCHEMA)


def _check_shown(manifest: Mapping[str, Any]) -> None:
    """AudiocontribError where ``order`` does not say in which places options stood."""
    if any(start.get("shuffled") for start in (manifest, *manifest.get("earlier", ()))):
        raise AudiocontribError(
            "some imported answers are to options in an order that is no rotation of the items': in which places they "
            "stood is not kept"
        )


def position_prior(run: Answers, /, *, model: str, condition: str, k: int, share: float = 1.0, seed: int = 0) -> Floats:
    """A model's probability of each place before it has read anything: shape (k,).

    The softmax over the places of the mean log-posterior over items and cyclic orders (PriDe, arXiv
    2309.03882), in which what the items say averages out. It is another one under every condition.

    Args:
        run: a run, or an open connection with its views.
        model, condition: as the run names them.
        k: number of options of the items that it is estimated from.
        share: share of them, drawn by ``seed``, in (0, 1].

    Raises:
        UsageError: ``share`` is outside (0, 1].
        AudiocontribError: the model answered no such item with likelihoods in all its orders.
    """
    with scoped(run, Scope(condition=condition, models=model), {}) as (con, _):
        told = shown_places(con, model, condition, posterior_method(con)).get(k)
    if told is None or not told.complete.any():
        raise _incomplete(model, condition, k)
    return np.exp(_log_prior(told, _drawn(told, share, seed)))


def debiased(run: Answers, /, *, model: str, condition: str, share: float = 0.05, seed: int = 0) -> pa.Table:
    """Posteriors at the price of 1 + share · (K - 1) answers an item instead of K (PriDe, arXiv 2309.03882).

    The position prior is estimated on a share of the items, for each number of options; on the others one
    order alone is read (the first that was answered), and the log prior is taken off.

    Args:
        run: a run, or an open connection with its views.
        model, condition, share, seed: as in :func:`position_prior`.

    Returns:
        item_id (sorted), k, orders (how many were read: k on the share, else 1), posterior (list of k).

    Raises:
        UsageError: ``share`` is outside (0, 1].
        AudiocontribError: no item of some size has likelihoods in all its orders.
    """
    with scoped(run, Scope(condition=condition, models=model), {}) as (con, _):
        by_size = shown_places(con, model, condition, posterior_method(con))
    parts = []
    for k, told in by_size.items():
        used = _drawn(told, share, seed)
        if not used.any():
            raise _incomplete(model, condition, k)
        answered = ~np.isnan(told.log_p[:, :, 0])
        rest = np.flatnonzero(~used & answered.any(axis=1))
        first: Ints = answered[rest].argmax(axis=1)
        corrected: Floats = np.exp(told.log_p[rest, first] - _log_prior(told, used))
        single = np.take_along_axis(corrected / corrected.sum(axis=1, keepdims=True), _places(k)[first], axis=1)
        mean = np.take_along_axis(np.exp(told.log_p[used]), _places(k)[None], axis=2).mean(axis=1)
        rows, posterior = np.concatenate([np.flatnonzero(used), rest]), np.concatenate([mean, single])
        parts.append(
            pa.Table.from_pydict(
                {
                    "item_id": told.item_id.take(rows),
                    "k": np.full(len(rows), k),
                    "orders": np.where(used[rows], k, 1),
                    "posterior": lists(posterior, np.full(len(rows), k)),
                }
            )
        )
    if not parts:
        raise _incomplete(model, condition)
    return pa.concat_tables(parts).sort_by("item_id")


def shown_places(con: duckdb.DuckDBPyConnection, model: str, condition: str, method: str) -> dict[int, Shown]:
    """The answers of a model under a condition, for each number of options."""
    table = arrow_table(
        con.sql(
            f"""
        select item_id, coalesce(answer, -1)::bigint as gold, len(choices) as k, "order" % len(choices) as turn,
            coalesce(choice, if(outcome = 'refused', {DECLINED}, {UNCHOSEN}))::bigint as choice, posterior
        from responses join (select item_id, answer, choices from items) using (item_id)
        where model = $model and condition = $condition and method = $method and outcome <> 'failed'
            and (method = 'generate' or posterior is not null)
        order by item_id
        """,
            params={"model": model, "condition": condition, "method": method},
        )
    )
    sizes: list[int] = integers(table["k"].unique()).tolist()
    return {k: _shown(table.filter(pc.field("k") == k), k, method) for k in sizes}


def posterior_method(con: duckdb.DuckDBPyConnection) -> str:
    """The method by which a run has posteriors: ``likelihood``, unless it holds those after a thought alone."""
    held = {name for (name,) in con.execute("select distinct method from responses").fetchall()}
    return next((name for name in METHODS if name in held and has_posterior(name)), "likelihood")


def _shown(table: pa.Table, k: int, method: str) -> Shown:
    items = table["item_id"].combine_chunks().dictionary_encode()
    item, turn, choice = integers(items.indices), integers(table["turn"]), integers(table["choice"])
    n = len(items.dictionary)
    gold, place = np.empty(n, np.int64), np.full((n, k), UNANSWERED)
    log_p = np.full((n, k, k), np.nan)
    gold[item] = integers(table["gold"])
    if has_posterior(method):
        p = np.take_along_axis(padded(table["posterior"], k), (np.arange(k) + turn[:, None]) % k, axis=1)
        log_p[item, turn] = np.log(np.maximum(p, LEAST))
        clear = (p >= p.max(axis=1, keepdims=True) - TIE).sum(axis=1) == 1
        place[item, turn] = np.where(clear, p.argmax(axis=1), UNCHOSEN)
    else:
        place[item, turn] = np.where(choice >= 0, (choice - turn) % k, choice)
    return Shown(items.dictionary, gold, place, log_p)


def _by_place(told: Shown, k: int) -> list[dict[str, Any]]:
    """The columns of :func:`positions` after k, one row for each place."""
    orders, places = np.arange(k), np.arange(k)[:, None, None]
    answered: NDArray[np.bool_] = told.place != UNANSWERED
    chosen: NDArray[np.bool_] = told.place == places  # (place, item, order)
    at_gold: NDArray[np.bool_] = answered & (told.gold >= 0)[:, None] & ((told.gold[:, None] - orders) % k == places)
    n, gold_n = int(answered.sum()), np.count_nonzero(at_gold, axis=(1, 2))
    hits = np.count_nonzero(at_gold & chosen, axis=(1, 2))
    recall = [int(hit) / int(of) if of else None for hit, of in zip(hits, gold_n, strict=True)]
    known = [r for r in recall if r is not None]
    options = np.where(told.place >= 0, (told.place + orders) % k, -1)
    flipped = flips(answered.sum(axis=1), np.stack([(options == option).sum(axis=1) for option in orders], axis=1))
    complete = told.complete
    prior = np.exp(_log_prior(told, complete)).tolist() if complete.any() else [None] * k
    return [
        {
            "place": place,
            "n": n,
            "share": int(chosen[place].sum()) / n,
            "gold_n": int(gold_n[place]),
            "recall": recall[place],
            "spread": max(known) - min(known) if known else None,
            "prior": prior[place],
            "flips": None if np.isnan(flipped).all() else float(np.nanmean(flipped)),
            "abstained": float((told.place == DECLINED).sum()) / n,
            "no_choice": float((told.place == UNCHOSEN).sum()) / n,
        }
        for place in range(k)
    ]


def _places(k: int) -> Ints:
    """The place of option j in order r, shape (k orders, k options)."""
    return (np.arange(k) - np.arange(k)[:, None]) % k


def _log_prior(told: Shown, used: NDArray[np.bool_]) -> Floats:
    mean: Floats = told.log_p[used].mean(axis=(0, 1))
    return np.asarray(mean - np.logaddexp.reduce(mean))


def _drawn(told: Shown, share: float, seed: int) -> NDArray[np.bool_]:
    """A share of the items that have all their orders, as a mask over all items."""
    if not 0 < share <= 1:
        raise UsageError(f"share {share} is not above 0 and at most 1")
    complete = np.flatnonzero(told.complete)
    used = np.zeros(len(told.gold), bool)
    used[seeded(seed, "position prior").permutation(complete)[: ceil(share * len(complete))]] = True
    return used


def _incomplete(model: str, condition: str, k: int | None = None) -> AudiocontribError:
    which = "item" if k is None else f"item with {k} options"
    return AudiocontribError(
        f"{model} answered no {which} under {condition} with likelihoods in all its orders; "
        "ask for them by likelihood, in cyclic orders"
    )
