"""Conditions without the item's own audio: are they the same to a model? Silence is not neutral by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import floats, integers, schema_of
from audiocontrib.checked import number
from audiocontrib.conditions import is_null
from audiocontrib.contribution.calibration import Floats
from audiocontrib.contribution.ledger_entries import cells, item_columns, log2_gold
from audiocontrib.contribution.posteriors import padded, posterior_table
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, held_conditions, held_of, scoped
from audiocontrib.contribution.votes import vote_table
from audiocontrib.errors import UsageError
from audiocontrib.statistics import equivalence, holm, mean_by_clip, paired_difference

if TYPE_CHECKING:
    import duckdb

FIRST = ("text", "silence", "noise", "swap")
"""Which nulls come first in the table, whatever parameter follows the colon; the others by name."""
LEVEL = 0.05

Seen = tuple[Floats, NDArray[np.int64], Floats, Floats]
"""Of one model and condition, (n,) each: right, an abstention being credited with 1/K (NaN: no vote or no key), the
choice (-1: none), bits of the gold, and 1 for an abstention."""

SCHEMA = schema_of(
    **dict.fromkeys(("model", "first", "second"), pa.string()),
    n=pa.int64(),
    **dict.fromkeys(
        (
            *("first_accuracy", "second_accuracy", "first_abstained", "second_abstained"),
            *("difference", "low", "high", "minimum_detectable"),
            *("p_different", "p_equivalent"),
        ),
        pa.float64(),
    ),
    interval=pa.string(),
    verdict=pa.string(),
    **dict.fromkeys(("influence", "changed", "presence", "presence_low", "presence_high"), pa.float64()),
)


def nulls(
    run: Answers,
    /,
    *,
    margin: float = 0.02,
    conditions: str | Sequence[str] | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per model and pair of conditions without the item's own audio.

    Args:
        run: a run, or an open connection with its views.
        margin: largest difference of two accuracies that does not matter, in (0, 1).
        conditions: those wanted, as they are written (``silence:5``); None: all under which the
            item's own clip cannot be heard (:func:`audiocontrib.conditions.is_null`).
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        model, first, second, and of the items with a key and a vote under both:

        - n, first_accuracy, second_accuracy, with abstentions credited with 1/K, whose shares are first_abstained and
          second_abstained; difference: second - first, with its 95 % interval by clip (low, high; interval: its kind)
          and the smallest difference that such data show (minimum_detectable).
        - p_different: of no difference, corrected for all rows (Holm).
        - p_equivalent: of a difference of the margin or more (TOST). Not corrected: that all pairs are
          equivalent may be said where every p is below 5 %.
        - verdict: ``equivalent`` (p_equivalent < 5 %), else ``different`` (p_different < 5 %), else ``undecided``.
        - influence: share of the items that turn from right to not right or back (the influence rate of arXiv
          2510.00626); changed: share whose choice changes, none being a choice of its own.
        - presence: mean bits by which the second raises the gold, log2 p_second - log2 p_first, uncalibrated,
          with its 95 % interval; null for replies. A p counts as at least 1/(10 K).

        What the items do not fix is null.

    Raises:
        UsageError: the run holds no answers under a condition named, or the margin is not between 0 and 1.
        AudiocontribError: the run holds both methods and none is named.
    """
    if not 0 < number(margin, "margin", 0, 1) < 1:
        raise UsageError(f"a margin of {margin:g}; it is a difference of accuracies between 0 and 1, such as 0.02")
    with scoped(run, scope, words) as (con, checked):
        wanted = _wanted(con, conditions)
        items, voted = item_columns(con), vote_table(con, wanted, checked.method)
        believed = posterior_table(con, wanted, checked.method)["log_posterior"]
    right, declined = (floats(voted[name].cast(pa.float64())) for name in ("correct", "abstained"))
    chosen = integers(voted["choice"], null=-1)
    seen = {
        cell: (
            right[rows] + declined[rows] / items.k,
            chosen[rows],
            log2_gold(padded(believed.take(rows), items.k.max()), items),
            declined[rows],
        )
        for cell, rows in cells(voted, len(items.k)).items()
    }
    rows = [
        {"model": model, "first": first, "second": second}
        | _compared(seen[model, first], seen[model, second], items.clip, margin)
        for model in sorted({model for model, _ in seen})
        for first, second in combinations(wanted, 2)
        if (model, first) in seen and (model, second) in seen
    ]
    tested = [row for row in rows if row["p_different"] is not None]
    for row, p in zip(tested, holm([row["p_different"] for row in tested]), strict=True):
        row["p_different"] = p
    for row in rows:
        row["verdict"] = _verdict(row["p_different"], row["p_equivalent"])
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _wanted(con: duckdb.DuckDBPyConnection, conditions: str | Sequence[str] | None) -> list[str]:
    """The conditions to compare, in the order of FIRST and then of their names."""
    named = held_of(con, conditions)
    held = held_conditions(con) if named is None else ()
    chosen = {name for name in held if is_null(name)} if named is None else set(named)
    rank = {name: place for place, name in enumerate(FIRST)}
    return sorted(chosen, key=lambda name: (rank.get(name.split(":")[0], len(FIRST)), name))


def _compared(first: Seen, second: Seen, clip: NDArray[np.int64], margin: float) -> dict[str, Any]:
    """What one model does under two conditions."""
    on = ~np.isnan(first[0] + second[0])
    right, chosen, bits, declined = ([one[i][on] for one in (first, second)] for i in range(4))
    if not on.any():
        return {"n": 0, "p_different": None, "p_equivalent": None}
    difference = paired_difference(right[1], right[0], clip[on])
    presence = bits[1] - bits[0]
    told = ~np.isnan(presence)  # replies have no bits
    presence_low, presence_high = mean_by_clip(presence[told], clip[on][told], None).interval()
    row = {
        "first_accuracy": right[0].mean(),
        "second_accuracy": right[1].mean(),
        "first_abstained": declined[0].mean(),
        "second_abstained": declined[1].mean(),
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "minimum_detectable": difference.minimum_detectable,
        "p_different": difference.p,
        "p_equivalent": equivalence(right[1], right[0], clip[on], margin).p,
        "influence": ((right[0] == 1) != (right[1] == 1)).mean(),
        "changed": (chosen[0] != chosen[1]).mean(),
        "presence": presence.mean(),
        "presence_low": presence_low,
        "presence_high": presence_high,
    }
    known = {name: None if np.isnan(value) else float(value) for name, value in row.items()}
    return {"n": difference.n, "interval": difference.kind} | known


def _verdict(p_different: float | None, p_equivalent: float | None) -> str:
    if p_equivalent is not None and p_equivalent < LEVEL:
        return "equivalent"
    return "different" if p_different is not None and p_different < LEVEL else "undecided"
