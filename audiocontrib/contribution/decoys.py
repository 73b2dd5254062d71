"""Wrong options as decoys: how many items are answered from their text, with an error bound.

If the text says nothing about the gold, then the models' favourite is the gold with probability 1/K, whatever
their tastes: the gold is exchangeable with the wrong options, given all that the models read. So wrong options
on top show how often the gold gets there by luck (selective SeqStep+, Barber and Candès; target-decoy
competition). No assumption is made on how the models' luck is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import Column, floats, integers
from audiocontrib.contribution.agreement import agreements
from audiocontrib.contribution.ledger_entries import item_columns
from audiocontrib.contribution.response_matrix import Floats, Ints, ResponseMatrix, response_matrix
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, scoped
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import Interval, cluster_bootstrap

if TYPE_CHECKING:
    import duckdb

DIGITS = 12
"""Posteriors are compared to so many digits: the last ones depend on the order of a sum."""
MARGIN_DIGITS = 3
"""Margins are compared to so many digits, in nats: log-probabilities of one question differ by up to 1e-4 between
batches and machines, and that must not decide which of two questions with the same text comes first."""
SHARED_LIMIT = 0.1
"""``shared_preferences`` above which rules that take the models' luck as independent are misled. In simulation
(``benchmarks/decoys.py``) a posterior that aims at 10 % false discoveries has 12 to 13 % at this limit, 14 % and
more at 0.2, and up to 26 % where the models always share their taste."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The gold against the wrong options, on every item that all models answered; arrays of shape (n,)."""

    won: NDArray[np.bool_]
    """The gold is on top of the mean posterior of the models."""
    margin: Floats
    """log p of the best option - log p of the second, >= 0, to MARGIN_DIGITS."""
    k: Ints
    clip: Ints
    """Items on one clip have one number."""


def contest(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> tuple[pa.Table, Contest]:
    """Who wins on each item under the condition, by the mean over the models of their content posteriors.

    Where options tie on top, a hash of the item and the option's text decides, which is blind to the gold and to the
    options' places. Replies have shares of the orders for posteriors; a share counts as at least half an answer.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        item_id of the items with a key and the vote of every model, sorted; and their contest, in that order.

    Raises:
        AudiocontribError: the run holds both methods and none is named, or no answers under the condition.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        return _contest(con, response_matrix(con, checked))


def _contest(con: duckdb.DuckDBPyConnection, asked: ResponseMatrix) -> tuple[pa.Table, Contest]:
    entered = (asked.answers > 0).all(axis=1) & (asked.answer >= 0)
    item_id = asked.item_id.filter(entered)
    mean: Floats = np.round(asked.p[entered].mean(axis=1), DIGITS)
    ranked: Floats = np.sort(np.nan_to_num(mean, nan=-1.0), axis=1)
    tied: NDArray[np.bool_] = mean == ranked[:, -1:]
    top: Ints = tied.argmax(axis=1)
    drawn = np.count_nonzero(tied, axis=1) > 1
    top[drawn] = _draw(con, item_id.filter(drawn), tied[drawn])
    least: Floats | float = 0.5 / asked.answers[entered].sum(axis=1) if asked.replies else 10.0**-DIGITS
    second, best = (np.log(np.maximum(ranked[:, place], least)) for place in (-2, -1))
    won: NDArray[np.bool_] = top == asked.answer[entered]
    margin = np.round(best - second, MARGIN_DIGITS)
    clip = item_columns(con).clip[entered]
    return pa.Table.from_pydict({"item_id": item_id}), Contest(won, margin, asked.k[entered], clip)


def q_values(contest: Contest) -> Floats:
    """Least false-discovery rate at which each item is called answerable, (n,); 1 where the gold lost.

    For the items with equal K, above a margin t, ``FDR(t) = (1 + lost) / ((K - 1) won)``; an item's q-value is the
    least FDR(t) over t up to its margin. Calling those with q <= level has an FDR of at most the level for
    independent items of equal K; for all K together that holds in simulation (``benchmarks/decoys.py``). A stratum
    certifies nothing with fewer than 1 / ((K - 1) level) golds on top.
    """
    q = np.ones(len(contest.k))
    for k in map(int, np.unique(contest.k)):
        own = np.flatnonzero(contest.k == k)
        order = own[np.argsort(-contest.margin[own], kind="stable")]
        won, margin = contest.won[order], contest.margin[order]
        last = np.append(margin[1:] != margin[:-1], True)  # equal margins are called together
        with np.errstate(divide="ignore"):
            rate: Floats = np.where(last, (1 + np.cumsum(~won)) / ((k - 1) * np.cumsum(won)), np.inf)
        least = np.minimum.accumulate(rate[::-1])[::-1]
        q[order] = np.where(won, np.minimum(least, 1), 1)
    return q


def leak_share(contest: Contest, seed: int = 0, resamples: int = 2000) -> tuple[float, Interval]:
    """The share of the items that their text answers, and its 95 % interval by a bootstrap over the clips.

    The mean of 1 where the gold is on top and -1 / (K - 1) where not; items that need the audio add 0 on average.
    What it estimates is the mean of (h - 1/K) / (1 - 1/K), with h an item's probability that its gold comes out on
    top: 1 for an item that the text surely answers, less where it only helps. So it is a lower bound of the
    share of the items whose text helps, and near that share where it helps much.
    """
    values = np.where(contest.won, 1.0, -1 / (contest.k - 1))
    share = float(values.mean()) if len(values) else float("nan")
    return share, cluster_bootstrap(values, contest.clip, seed=seed, resamples=resamples)


def local_leak(contest: Contest) -> Floats:
    """P(answerable | margin) where the gold is on top, (n,); 0 where it lost.

    Empirical Bayes from the decoys: with g(t) the share of golds on top at margin t among the items with equal K,
    ``1 - (1 - g) / ((K - 1) g)``. g is fitted as a function that never falls (isotonic regression), with one more
    decoy at the greatest margin, as in the q-values. Calibrated above about 0.6, too low below.
    """
    from sklearn.isotonic import IsotonicRegression

    p = np.zeros(len(contest.k))
    for k in map(int, np.unique(contest.k[contest.won])):
        own: NDArray[np.bool_] = contest.k == k
        won, margin = contest.won[own], contest.margin[own]
        fit = IsotonicRegression().fit(np.append(margin, margin.max()), np.append(won, False))
        g: Floats = fit.predict(margin)[won]
        p[own & contest.won] = np.clip(1 - (1 - g) / ((k - 1) * g), 0, 1)
    return p


def shared_preferences(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> float:
    """How often two models that are both wrong choose the same option, beyond chance, over all pairs of models.

    0: independent tastes; 1: the same option always; NaN: fewer than two models, or they are never both wrong on an
    item with three options or more. It is ``wrong_kappa`` of
    :func:`~audiocontrib.contribution.agreement.agreements`. Above SHARED_LIMIT, rules that take the models'
    luck as independent are misled.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Raises:
        AudiocontribError: the run holds both methods and none is named.
    """
    kappa = floats(agreements(run, scope=scope, **words)["wrong_kappa"])
    return float(kappa[-1]) if len(kappa) else float("nan")


def _draw(con: duckdb.DuckDBPyConnection, item_id: Column, tied: NDArray[np.bool_]) -> Ints:
    """One of the tied options of each item, by a hash of what the option says; items sorted by id."""
    row, option = np.nonzero(tied)
    con.register("tied_options", pa.Table.from_pydict({"item_id": item_id.take(row), "option": option}))
    try:
        drawn = arrow_table(
            con.sql(
                "select arg_max(option, md5(concat(item_id, chr(31), choices[option + 1]))) as option "
                "from tied_options join items using (item_id) group by item_id order by item_id"
            )
        )
    finally:
        con.unregister("tied_options")
    return integers(drawn["option"])
