"""A model against a baseline, item by item: is it better, and does it listen more?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.conditions import is_null
from audiocontrib.contribution.scope import Scope, known
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation.changes import CHANGE_SCHEMA, Answered, answer_rows, listening_rows
from audiocontrib.evaluation.correctness import Rights, rights
from audiocontrib.evaluation.seeds import answer_rows_of_seeds, listening_rows_of_seeds
from audiocontrib.statistics import holm
from audiocontrib.store.marks import marked_together
from audiocontrib.store.runs import as_runs, check_same_models

if TYPE_CHECKING:
    from audiocontrib.store import Run


def compare(
    runs: Run | Sequence[Run],
    baselines: Run | Sequence[Run],
    /,
    *,
    model: str | Sequence[str] | None = None,
    baseline_model: str | None = None,
    without: str | Sequence[str] | None = None,
    split: str | None = None,
    audio: str = "audio",
    method: str | None = None,
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
    without_marked: str | Sequence[str] = (),
    corrected_keys: bool = False,
) -> pa.Table:
    """What changed from a baseline, on the items that both answered (CHANGE_SCHEMA).

    Accuracy under each condition, and for each condition without the audio what the audio adds, on two scales: accuracy
    with it minus accuracy without (A - S), and the share of what is open without it that it answers, (A - S) / (1 - S),
    where an abstention counts as 1/K. More knowledge of the text alone lowers the first and, if it is independent of
    hearing over the items, not the second: so a verdict is given only where both agree, whatever abstentions are worth
    (:func:`audiocontrib.statistics.listening_change`).

    Args:
        runs: of the model.
        baselines: of the baseline; the same runs where both were asked in them.
        model: which model is meant, where the runs hold several; or several that differ in the seed of their training.
        baseline_model: the same of the baseline.
        without: conditions without the audio; None: all that were asked and under which the item's own clip is not
            heard.
        split: name of a split in the runs: rows for its parts too.
        audio, method, repeat, think_tokens: as in a :class:`~audiocontrib.contribution.scope.Scope`, of both.
        without_marked, corrected_keys: kinds of marks whose items are left out, and whether corrected keys count
            (:func:`audiocontrib.marked`); marks of one run count in all.

    Returns:
        One row per data set, part and measure: the ``quantity`` (``accuracy``, ``abstained`` where anything was
        declined, ``audio gain`` for what the audio adds) under a ``condition``. ``change`` = now - before, with its
        95 % interval by clip, the kind of that (``interval``) and p; ``p_holm``: corrected over all rows of the table
        (Holm: data sets, parts, measures and conditions alike); ``fixed`` and ``broken``: items right now only and
        before only, with McNemar's exact p (null for what is no yes or no); the smallest change that such data show
        with power 80 %. Of what the audio adds also: between which bounds the change lies whatever abstentions are
        worth (``least``, ``most``); the same of its share of what is open without the audio (``relative_…``); and the
        ``verdict``: ``listens more`` or ``listens less``, or that no change in hearing is shown, and what else moved.
        Of several seeds (``seeds``, and ``seed_sd``, the spread of their means) the interval is for other seeds too,
        and nothing is counted as fixed or broken.

    Raises:
        UsageError: it is not clear which models are meant, or a run does not know a word.
        AudiocontribError: the runs share no item that both answered.

    Example:
        >>> ac.compare(after, before, split="votes").to_pandas()
    """
    scope = Scope(audio=audio, method=method, repeat=repeat, think_tokens=think_tokens)
    marked = _as_marked(as_runs(runs), as_runs(baselines), without_marked, corrected_keys)
    new, old = ([rights(run, split=split, scope=scope) for run in given] for given in marked)
    without = _without(without, [*new, *old])
    names = [model] if model is None or isinstance(model, str) else list(dict.fromkeys(model))
    those = [_one(new, name, "model", "") for name in names]
    before = _one(old, baseline_model, "baseline model", those[0] if model else "")
    now = those[0] if len(those) == 1 else f"{those[0]} ({len(those)} seeds)"
    rows = list(_rows([_joined(new, name) for name in those], _joined(old, before), now, before, audio, without))
    if not rows:
        raise AudiocontribError(f"{now} and {before} answered no item in common, under the same condition")
    tested = [row for row in rows if not isnan(row["p"])]
    for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = float(p)
    return pa.Table.from_pylist(rows, schema=CHANGE_SCHEMA)


def _as_marked(
    ours: Sequence[Run], theirs: Sequence[Run], without: str | Sequence[str], corrected: bool
) -> tuple[Sequence[Run], Sequence[Run]]:
    """The runs and their baselines, as the marks of all of them have their items."""
    for given in (ours, theirs):
        check_same_models(given)
    marked = marked_together([*ours, *theirs], without, corrected)
    return marked[: len(ours)], marked[len(ours) :]


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


def _joined(given: Sequence[Rights], model: str) -> dict[str, Answered]:
    found: dict[str, Answered] = {}
    for one in given:
        cells: dict[str, list[float]] = {
            condition: values.tolist() for (name, condition), values in one.cells.items() if name == model
        }
        none = {condition: values.tolist() for (name, condition), values in one.declined.items() if name == model}
        texts = (map(str, column) for column in (one.item_id, one.dataset, one.clip_id, one.part))
        for place, (item, dataset, clip, part) in enumerate(zip(*texts, strict=True)):
            right = {c: values[place] for c, values in cells.items() if not isnan(values[place])}
            declined = {c: values[place] for c, values in none.items()}
            found[item] = Answered(dataset, clip, part, float(one.chance[place]), right, declined)
    return found


def _rows(
    several: Sequence[dict[str, Answered]],
    b: dict[str, Answered],
    now: str,
    before: str,
    audio: str,
    without: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """The rows of one model, or of several seeds of it, on the items that all of them and the baseline answered."""
    shared = sorted(b.keys() & set.intersection(*(set(one) for one in several)))
    a = several[0]
    for dataset in sorted({a[item].dataset for item in shared}):
        own = [item for item in shared if a[item].dataset == dataset]
        parts = sorted({a[item].part or b[item].part for item in own} - {""})
        for part in ["all", *parts]:
            items = [item for item in own if part == "all" or (a[item].part or b[item].part) == part]
            label = {"dataset": dataset, "part": part, "model": now, "baseline": before}
            for condition in (audio, *without):
                pairs = _pairs(several, b, items, {condition})
                found = answer_rows(pairs[0], condition) if len(pairs) == 1 else answer_rows_of_seeds(pairs, condition)
                yield from (label | {"condition": condition} | row for row in found)
            for condition in without:
                pairs = _pairs(several, b, items, {audio, condition})
                found = (
                    listening_rows(pairs[0], audio, condition)
                    if len(pairs) == 1
                    else listening_rows_of_seeds(pairs, audio, condition)
                )
                yield from (label | {"condition": condition} | row for row in found)


def _pairs(
    several: Sequence[dict[str, Answered]], b: dict[str, Answered], items: Sequence[str], conditions: set[str]
) -> list[list[tuple[Answered, Answered]]]:
    """Of each seed, its answers and those of the baseline, on the items that all answered under these conditions."""
    both = [i for i in items if all(conditions <= one[i].right.keys() for one in (*several, b))]
    return [[(one[i], b[i]) for i in both] for one in several]
