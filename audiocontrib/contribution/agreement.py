"""Do the models choose alike, and more alike than their knowledge explains? What they share when wrong is a prior."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import floats, integers, schema_of
from audiocontrib.contribution.ledger_entries import cells, item_columns
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.contribution.votes import vote_table
from audiocontrib.statistics import CHANGE, mean_by_clip
from audiocontrib.statistics.clusters import TINY

Pair = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]
"""Of the items that count for two models, (n,) each: whether they choose alike, how likely that is, the clip."""
MEASURES = ("alike", "expected", "kappa", "kappa_low", "kappa_high")
SCHEMA = schema_of(
    model_a=pa.string(),
    model_b=pa.string(),
    n=pa.int64(),
    abstained=pa.int64(),
    **dict.fromkeys(MEASURES, pa.float64()),
    wrong_n=pa.int64(),
    **dict.fromkeys([f"wrong_{name}" for name in MEASURES], pa.float64()),
)
SHARED_LIMIT = 0.1
"""``shared_preferences`` above which rules that take the models' luck as independent are misled. In simulation
(``benchmarks/decoys.py``) a posterior that aims at 10 % false discoveries has 12 to 13 % at this limit, 14 % and
more at 0.2, and up to 26 % where the models always share their taste."""


def agreements(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per pair of models, then one for all pairs together.

    Cohen's kappa needs categories that mean the same for every item, and option 2 does not. What is expected
    here are models that choose uniformly among an item's K options, each by itself: they agree on 1/K of the
    items, and on 1/(K - 1) of those that both get wrong. Kappa over all items rises with what both know;
    over the items that both get wrong nothing but a preference that they share can raise it.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        model_a, model_b (null in the row for all pairs; it is there from three models on), and of the items on
        which both have a vote that is an option:

        - n (and abstained: the items on which at least one of the two declines, which are not among them); alike:
          share on which it is the same option; expected: mean of 1/K.
        - kappa: (alike - expected) / (1 - expected), with its 95 % interval by clip.
        - wrong_n, …: the same of the items with a key and three options or more that both get wrong, where
          1/(K - 1) is expected.

        What no item fixes is null. No row with fewer than two models.

    Raises:
        UsageError: a word that the run does not know.
        AudiocontribError: the run holds both methods and none is named.
    """
    with scoped(run, scope, words) as (con, checked):
        items, voted = item_columns(con), vote_table(con, [checked.condition], checked.method)
    chosen = integers(voted["choice"], null=-1)
    declined = integers(voted["abstained"].cast(pa.int8()), null=0) > 0
    rows_by = {model: own for (model, _), own in cells(voted, len(items.k)).items()}
    chosen_by = {model: chosen[own] for model, own in rows_by.items()}
    k, pairs = items.k, list[list[Pair]]()
    rows: list[dict[str, Any]] = []
    for a, b in combinations(sorted(chosen_by), 2):
        first, second = chosen_by[a], chosen_by[b]
        both: NDArray[np.bool_] = (first >= 0) & (second >= 0)
        wrong = both & (items.gold >= 0) & (first != items.gold) & (second != items.gold) & (k > 2)
        alike = first == second
        found = [(alike[on], 1 / (k[on] - less), items.clip[on]) for on, less in ((both, 0), (wrong, 1))]
        pairs.append(found)
        abstained = int((declined[rows_by[a]] | declined[rows_by[b]]).sum())
        rows.append({"model_a": a, "model_b": b, "abstained": abstained} | _measured(*found))
    if len(pairs) > 1:
        whole = {"abstained": sum(row["abstained"] for row in rows)}
        rows.append(whole | _measured(*(_pooled(kind) for kind in zip(*pairs, strict=True))))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _pooled(pairs: Sequence[Pair]) -> Pair:
    alike, expected, clip = zip(*pairs, strict=True)
    return np.concatenate(alike), np.concatenate(expected), np.concatenate(clip)


def _measured(*kinds: Pair) -> dict[str, Any]:
    """The measures of all items, and of those that both get wrong."""
    row: dict[str, Any] = {}
    for kind, (alike, expected, clip) in zip(("", "wrong_"), kinds, strict=True):
        row[f"{kind}n"] = len(alike)
        if len(alike):
            room = 1 - expected
            kappa = float((alike - expected).sum() / room.sum())
            # a ratio of sums: its influence function has the mean kappa and the spread of its error
            influence = kappa + (alike - expected - kappa * room) / room.mean()
            span = None if np.ptp(influence) > TINY else CHANGE
            bounded = influence if span is None else np.clip(influence, -1, 1)
            low, high = (float(np.clip(end, -1, 1)) for end in mean_by_clip(bounded, clip, span).interval())
            values = (float(alike.mean()), float(expected.mean()), kappa, low, high)
            row |= {f"{kind}{name}": None if np.isnan(v) else v for name, v in zip(MEASURES, values, strict=True)}
    return row


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
