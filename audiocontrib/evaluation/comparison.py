"""A model against a baseline, item by item: is it better, and does it listen more?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import schema_of
from audiocontrib.conditions import is_null
from audiocontrib.contribution.scope import Scope, known
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation.correctness import Rights, rights
from audiocontrib.statistics import CHANGE, holm, mcnemar, paired_difference
from audiocontrib.store.runs import as_runs

if TYPE_CHECKING:
    from audiocontrib.store import Run

CHANGE_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "part", "model", "baseline", "measure", "quantity", "condition"), pa.string()),
    n=pa.int64(),
    **dict.fromkeys(("now", "before", "change", "low", "high", "p", "p_holm"), pa.float64()),
    interval=pa.string(),
    fixed=pa.int64(),
    broken=pa.int64(),
    mcnemar=pa.float64(),
    minimum_detectable=pa.float64(),
)

Column = NDArray[np.float64]


def compare(
    runs: Run | Sequence[Run],
    baselines: Run | Sequence[Run],
    /,
    *,
    model: str | None = None,
    baseline_model: str | None = None,
    without: str | Sequence[str] | None = None,
    split: str | None = None,
    audio: str = "audio",
    method: str | None = None,
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
) -> pa.Table:
    """What changed from a baseline, on the items that both answered (CHANGE_SCHEMA).

    Accuracy under each condition, and for each condition without the audio what the audio adds: accuracy with it minus
    accuracy without. A model that learned a shortcut gains under silence or text as much as with the audio; one that
    listens more gains in what the audio adds.

    Args:
        runs: of the model.
        baselines: of the baseline; the same runs where both were asked in them.
        model: which model is meant, where the runs hold several.
        baseline_model: the same of the baseline.
        without: conditions without the audio; None: all that were asked and under which the item's own clip is not
            heard.
        split: name of a split in the runs: rows for its parts too.
        audio, method, repeat, think_tokens: as in a :class:`~audiocontrib.contribution.scope.Scope`, of both.

    Returns:
        One row per data set, part and measure: the ``quantity`` (``accuracy``, or ``audio gain`` for what the audio
        adds) under a ``condition``. ``change`` = now - before in accuracy, with its 95 % interval
        by clip, the kind of that (``interval``) and p; ``p_holm``: corrected over the benchmarks (Holm) within each
        measure and part;
        ``fixed`` and ``broken``: items right now only and before only, with McNemar's exact p (null for what the
        audio adds, which is no yes or no); and the smallest change that such data show with power 80 %.

    Raises:
        UsageError: it is not clear which models are meant, or a run does not know a word.
        AudiocontribError: the runs share no item that both answered.

    Example:
        >>> ac.compare(after, before, split="votes").to_pandas()
    """
    scope = Scope(audio=audio, method=method, repeat=repeat, think_tokens=think_tokens)
    new, old = ([rights(run, split=split, scope=scope) for run in as_runs(given)] for given in (runs, baselines))
    without = _without(without, [*new, *old])
    now, before = _one(new, model, "model", ""), _one(old, baseline_model, "baseline model", model or "")
    a, b = _joined(new, now), _joined(old, before)
    shared = sorted(a.keys() & b.keys())
    rows = list(_rows(a, b, shared, now, before, audio, without))
    if not rows:
        raise AudiocontribError(f"{now} and {before} answered no item in common, under the same condition")
    for place in {(row["part"], row["measure"]) for row in rows}:
        family = [row for row in rows if (row["part"], row["measure"]) == place and row["p"] == row["p"]]
        for row, p in zip(family, holm([row["p"] for row in family]) if family else [], strict=True):
            row["p_holm"] = float(p)
    return pa.Table.from_pylist(rows, schema=CHANGE_SCHEMA)


def _without(named: str | Sequence[str] | None, given: Sequence[Rights]) -> list[str]:
    """The conditions without the audio; those that were named must have been asked."""
    held = {condition for one in given for _, condition in one.cells}
    if named is None:
        usual = {"silence": 0, "text": 1}
        return sorted(filter(is_null, held), key=lambda name: (usual.get(name, len(usual)), name))
    wanted = [named] if isinstance(named, str) else list(named)
    for name in wanted:
        known("condition", name, held)
    return wanted


def _one(given: Sequence[Rights], wanted: str | None, what: str, other: str) -> str:
    names = sorted({name for one in given for name in one.models})
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None and other in names:
        return other
    if wanted not in names:
        lacking = f"there is no {what} {wanted!r}" if wanted is not None else f"say which {what} is meant"
        raise UsageError(f"{lacking}; the runs hold: {', '.join(names)}")
    return str(wanted)


@dataclass(frozen=True, slots=True)
class _Item:
    """What one model makes of an item."""

    dataset: str
    clip: str
    part: str
    right: dict[str, float]
    """1 or 0 by condition, without those that have no vote."""


def _joined(given: Sequence[Rights], model: str) -> dict[str, _Item]:
    found: dict[str, _Item] = {}
    for one in given:
        cells: dict[str, list[float]] = {
            condition: values.tolist() for (name, condition), values in one.cells.items() if name == model
        }
        about = zip(
            map(str, one.item_id), map(str, one.dataset), map(str, one.clip_id), map(str, one.part), strict=True
        )
        for place, (item, dataset, clip, part) in enumerate(about):
            right = {c: values[place] for c, values in cells.items() if not isnan(values[place])}
            found[item] = _Item(dataset, clip, part, right)
    return found


def _rows(
    a: dict[str, _Item],
    b: dict[str, _Item],
    shared: Sequence[str],
    now: str,
    before: str,
    audio: str,
    without: Sequence[str],
) -> Iterator[dict[str, Any]]:
    for dataset in sorted({a[item].dataset for item in shared}):
        own = [item for item in shared if a[item].dataset == dataset]
        parts = sorted({a[item].part or b[item].part for item in own} - {""})
        for part in ["all", *parts]:
            items = [item for item in own if part == "all" or (a[item].part or b[item].part) == part]
            label = {"dataset": dataset, "part": part, "model": now, "baseline": before}
            for condition in (audio, *without):
                pairs = [(a[i], b[i]) for i in items if condition in a[i].right and condition in b[i].right]
                if pairs:
                    x, y, clips = _columns(pairs, condition)
                    fixed, broken = int(((x == 1) & (y == 0)).sum()), int(((x == 0) & (y == 1)).sum())
                    what = {"measure": f"accuracy, {condition}", "quantity": "accuracy", "condition": condition}
                    yield (
                        label
                        | what
                        | _change(x, y, clips)
                        | {"fixed": fixed, "broken": broken, "mcnemar": mcnemar(fixed, broken)}
                    )
            for condition in without:
                both = {audio, condition}
                pairs = [(a[i], b[i]) for i in items if both <= a[i].right.keys() and both <= b[i].right.keys()]
                if pairs:
                    x, y, clips = _columns(pairs, audio, condition)
                    measure = f"what the audio adds over {condition}"
                    what = {"measure": measure, "quantity": "audio gain", "condition": condition}
                    yield label | what | _change(x, y, clips, (-2.0, 2.0))


def _columns(
    pairs: Sequence[tuple[_Item, _Item]], condition: str, less: str | None = None
) -> tuple[Column, Column, NDArray[np.intp]]:
    """Right under a condition, less right under another, now and before; and the clip as a number; (n,) each."""
    clips = np.unique([one.clip for one, _ in pairs], return_inverse=True)[1]
    now, before = (
        np.array([item.right[condition] - (item.right[less] if less else 0.0) for item in items])
        for items in zip(*pairs, strict=True)
    )
    return now, before, clips


def _change(now: Column, before: Column, clips: NDArray[np.intp], span: tuple[float, float] = CHANGE) -> dict[str, Any]:
    found = paired_difference(now, before, clips, span)
    return {
        "n": found.n,
        "now": float(now.mean()),
        "before": float(before.mean()),
        "change": found.mean,
        "low": found.low,
        "high": found.high,
        "interval": found.kind,
        "p": found.p,
        "minimum_detectable": found.minimum_detectable,
    }
