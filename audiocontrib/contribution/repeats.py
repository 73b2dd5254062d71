"""Repeats: how often a model is right when it is asked again, and how much of a difference luck alone makes."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.repeat_view import MAJORITY, held_repeats, one_repeat
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.errors import AudiocontribError
from audiocontrib.statistics import mean_by_clip

if TYPE_CHECKING:
    import duckdb

Rights = NDArray[np.float64]
"""1 right, 0 wrong, DECLINED where the vote abstains, NaN without a vote; (repeats, items, cells)."""
DECLINED = -1.0

Z = 1.959963984540054
"""Of 95 % of a normal distribution, to both sides."""
PASS_SCHEMA = schema_of(
    item_id=pa.string(),
    model=pa.string(),
    condition=pa.string(),
    repeats=pa.int64(),
    right=pa.int64(),
    abstained=pa.int64(),
    pass_rate=pa.float64(),
    majority=pa.bool_(),
)
REPEAT_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    **dict.fromkeys(("repeats", "n"), pa.int64()),
    **dict.fromkeys(
        (
            *("pass_rate", "low", "high", "abstained", "lowest", "highest", "majority", "ever", "always"),
            *("changes", "changes_low", "changes_high", "floor"),
        ),
        pa.float64(),
    ),
    interval=pa.string(),
)


def pass_rates_of_items(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per item with a key, model and condition: in how many repeats the model's vote is right.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; all conditions, and
            all repeats.

    Returns:
        item_id, model, condition; repeats (that have a vote over all orders), right, abstained (those that decline),
        pass_rate (right / repeats; null without a vote), majority (whether the vote of the majority is right; null
        where a repeat is missing or failed). Sorted by the first three.

    Raises:
        UsageError: one repeat is named, or a word that the run does not know.
    """
    with scoped(run, scope, words, every_repeat=True) as (con, checked):
        right, majority, items, cells = _rights(con, checked)
    rows = []
    for item, name in enumerate(items["item_id"].to_pylist()):
        for cell, (model, condition) in enumerate(cells):
            known = right[:, item, cell][~np.isnan(right[:, item, cell])]
            agreed = majority[item, cell]
            rows.append(
                {
                    "item_id": name,
                    "model": model,
                    "condition": condition,
                    "repeats": len(known),
                    "right": int((known == 1).sum()),
                    "abstained": int((known == DECLINED).sum()),
                    "pass_rate": float((known == 1).mean()) if len(known) else None,
                    "majority": None if np.isnan(agreed) else bool(agreed == 1),
                }
            )
    return pa.Table.from_pylist(rows, schema=PASS_SCHEMA)


def repeats(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per model and condition: pass rate, majority, and the floor of a rerun.

    Args:
        run, scope, words: as for :func:`pass_rates_of_items`.

    Returns:
        Of the items with a key and a vote in every repeat (n):

        - repeats; pass_rate: mean over items and repeats of whether the vote is right, and its 95 % interval by clip
          (low, high); abstained: the share of these votes that decline; lowest, highest: the accuracies of the worst
          and of the best repeat.
        - majority: accuracy of the majority vote; ever, always: shares of the items that are right in some repeat
          (pass@repeats), and in all.
        - changes: chance that a vote is right in one of two repeats and wrong in the other, with its 95 % interval
          by clip: a change of single items between two conditions says something only above it.
        - floor: how far the accuracies of two repeats of these items lie apart by luck, in 95 of 100 cases:
          1.96 sqrt(2 mean(s²) / n), with s² an item's variance over the repeats. A difference between two conditions,
          and so a contribution, that is smaller is no evidence. Null with one repeat.

    Raises:
        UsageError: one repeat is named, or a word that the run does not know.

    Example:
        >>> repeats(run, condition="text").to_pandas()
    """
    with scoped(run, scope, words, every_repeat=True) as (con, checked):
        right, majority, _, cells = _rights(con, checked)
        clips = con.sql("select dense_rank() over (order by clip_id) as clip from items order by item_id")
        clip = integers(clips.to_arrow_table()["clip"])
    rows = []
    for cell, (model, condition) in enumerate(cells):
        known = ~np.isnan(right[:, :, cell]).any(axis=0)
        row = {"model": model, "condition": condition, "repeats": len(right), "n": int(known.sum())}
        rows.append(row | _measured(right[:, known, cell], majority[known, cell], clip[known]))
    return pa.Table.from_pylist(rows, schema=REPEAT_SCHEMA)


def luck_of_a_rerun(run: Answers, seen: CheckedScope) -> Iterator[str]:
    """A sentence for each model: what the audio adds by its pass rate, and how much of that luck can make."""
    asked = Scope(
        condition=seen.condition, audio=seen.audio, method=seen.method, models=seen.models,
        think_tokens=seen.think_tokens,
    )  # fmt: skip
    by_cell = {(row["model"], row["condition"]): row for row in repeats(run, scope=asked).to_pylist()}
    for model in sorted({model for model, _ in by_cell}):
        audio, without = (by_cell.get((model, name)) for name in (seen.audio, seen.condition))
        if audio and without and None not in (audio["floor"], without["floor"]):
            added = audio["pass_rate"] - without["pass_rate"]
            luck = sqrt((audio["floor"] ** 2 + without["floor"] ** 2) / 2)
            verdict = "; so small a difference is no evidence" if abs(added) < luck else ""
            yield (
                f"{model}: {seen.audio} minus {seen.condition} is {added:+.3f} by pass rates, and between single "
                f"repeats luck alone makes up to {luck:.3f}{verdict}"
            )


def _rights(
    con: duckdb.DuckDBPyConnection, scope: CheckedScope
) -> tuple[Rights, Rights, pa.Table, tuple[tuple[str, str], ...]]:
    """Votes by repeat (repeats, n, C), those of the majority (n, C), the items and the cells; keyed items only."""
    by_repeat: list[Rights] = []
    kept: list[tuple[tuple[str, str], ...]] = []
    several: list[str | int] = [*held_repeats(con)]
    for repeat in [*several, MAJORITY]:
        with one_repeat(con, repeat if len(several) > 1 else None):
            told = count_answers(con, method=scope.method)
        cast = count_votes(told)
        stands = (cast.problem == 0) & (told.gold >= 0)[:, None]
        by_repeat.append(np.where(stands, np.where(cast.abstained, DECLINED, cast.right), np.nan))
        kept.append(told.cells)
    cells = tuple(sorted({cell for own in kept for cell in own}))
    if not cells:
        raise AudiocontribError("the run holds no answers yet; score first")
    whole = np.full((len(kept), len(by_repeat[0]), len(cells)), np.nan)
    for place, (own, right) in enumerate(zip(kept, by_repeat, strict=True)):
        whole[place][:, [cells.index(cell) for cell in own]] = right
    return whole[:-1], whole[-1], told.items, cells


def _measured(right: Rights, majority: NDArray[np.float64], clip: NDArray[np.int64]) -> dict[str, Any]:
    """The columns of :func:`repeats` from the votes (repeats, n) on the items that have all of them."""
    count, n = right.shape
    if not n:
        return {}
    declined = float((right == DECLINED).mean())
    right, majority = np.maximum(right, 0), np.maximum(majority, 0)
    rate, by_repeat = right.mean(axis=0), right.mean(axis=1)
    row: dict[str, Any] = {
        "pass_rate": float(rate.mean()),
        **mean_by_clip(rate, clip).in_columns(),
        "abstained": declined,
        "lowest": float(by_repeat.min()),
        "highest": float(by_repeat.max()),
        "majority": None if np.isnan(majority).any() else float(majority.mean()),
        "ever": float((rate > 0).mean()),
        "always": float((rate == 1).mean()),
    }
    if count < 2:
        return row
    variance = right.var(axis=0, ddof=1)  # of a share of two values: half the chance that two repeats differ
    changes_low, changes_high = mean_by_clip(2 * variance, clip).interval()
    return row | {
        "changes": float(2 * variance.mean()),
        "changes_low": changes_low,
        "changes_high": changes_high,
        "floor": Z * sqrt(2 * float(variance.mean()) / n),
    }
