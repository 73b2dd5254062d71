"""The rows of one part of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from audiocontrib.answers import parse
from audiocontrib.arrow import equal, texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import seeded
from audiocontrib.items import Item
from audiocontrib.prompts import PromptFormat, make_prompt
from audiocontrib.provenance import provenance_of
from audiocontrib.store import Run, SavedSplit
from audiocontrib.store.marks import marked_by
from audiocontrib.training.rows.base import TrainingRows, taken
from audiocontrib.training.rows.row_prompt import row_prompt
from audiocontrib.training.stage_settings import Part
from audiocontrib.training.watch.held_out import ALL


def training_rows(
    run: Run | str | Path,
    split: str | Path | None = None,
    part: Part = "all",
    *,
    items: int | None = None,
    copies: int = 1,
    seed: int = 0,
    without: Collection[str] = (),
    watched: Collection[str] = (),
    prompt: str | Path | PromptFormat | None = None,
) -> TrainingRows:
    """The items of one part of a split, as a trainer reads them.

    Items are left out, with a note, that have no key, or whose gold option cannot be told from another one by a reply.

    Args:
        split: name of a split in the run, or a folder that holds one; None: all items of the run.
        part: ``weak``, ``strong`` or ``all``.
        items: draw so many by chance.
        copies: each item so many times, in random orders of its options.
        without: ids of clips or items that must not be used.
        watched: ids of clips that must not be used either, since what is watched lies on them.
        prompt: name, file or template of another prompt than the run was asked with; None: the run's own.

    Raises:
        UsageError: there is no such split.
        AudiocontribError: nothing is left.
    """
    run = marked_for(run, split)
    held = run.load_items()
    where = f"{run.path}, split {split}" if split else str(run.path)
    saved = None if split is None else run.split(split)
    wanted = _part(run, saved, part, where)
    places, unusable, barred = [], [], set(without)
    asked = shared = beside = seen = 0
    for place, item in enumerate(held):
        if wanted is not None and item.id not in wanted:
            continue
        asked += 1
        if item.clip_id in watched:
            seen += 1
        elif item.id in barred:
            shared += 1
        elif item.clip_id in barred:
            beside += 1
        elif not _readable(item):
            unusable.append(item.id)
        else:
            places.append(place)
    notes = _left_out("items" if part == ALL else f"{part} items", asked, seen, shared, beside, unusable)
    if not places:
        raise AudiocontribError(f"{where}: no item is left to train on; {'; '.join(notes) or 'the run holds none'}")
    if items is not None and items < len(places):
        drawn = seeded(seed, "items").permutation(len(places))[:items]
        places = sorted(places[i] for i in drawn)
    put, note = row_prompt(run, prompt)
    if note:
        notes.append(note)
    origin = replace(provenance_of(run, saved, part), prompt=None if prompt is None else put.name)
    return TrainingRows(taken(held, places), copies, seed, prompt=put, notes=tuple(notes), provenance=origin)


def _left_out(named: str, asked: int, seen: int, shared: int, beside: int, unusable: Sequence[str]) -> list[str]:
    """What was left out of so many items, and why, in sentences."""
    notes = []
    if shared:
        notes.append(f"{shared:,} of {asked:,} {named} were left out: the other stage has them")
    if beside:
        notes.append(
            f"{beside:,} of {asked:,} {named} were left out: the other stage has their recordings; "
            "apart by question (disjoint: item) they would stay"
        )
    if seen:
        notes.append(f"{seen:,} of {asked:,} {named} were left out: they, or others on their recordings, are watched")
    if unusable:
        notes.append(f"{len(unusable):,} items have no gold answer that a reply can name, e.g. {unusable[0]}: left out")
    return notes


def part_of_each(run: Run, split: str | Path | None) -> dict[str, str]:
    """Id -> part of the items that can be trained on, in any part of a split; ``all`` where there is none."""
    saved = None if split is None else run.split(split)
    wanted = _part(run, saved, ALL, f"{run.path}, split {split}" if split else str(run.path))
    named = {} if saved is None else dict(zip(texts(saved.table["item_id"]), texts(saved.table["split"]), strict=True))
    usable = (item for item in run.load_items() if item.audio is not None and _readable(item))
    return {item.id: named.get(item.id, ALL) for item in usable if wanted is None or item.id in wanted}


def holds_none(run: Run, split: str | Path | None, part: str) -> bool:
    """Whether a split has no item in the part."""
    return split is not None and part != ALL and part not in texts(run.split(split).table["split"])


def marked_for(run: Run | str | Path, split: str | Path | None) -> Run:
    """The run with the marks by which a split was made of it, so that its keys are those of the split."""
    run = run if isinstance(run, Run) else Run.open(run)
    return run if split is None else marked_by(run, run.split(split).marking)


def _part(run: Run, saved: SavedSplit | None, part: str, where: str) -> set[str] | None:
    """Ids of the items of the part; None: all of them."""
    if saved is None:
        if part != "all":
            raise UsageError(f"{where}: part {part} needs a split; name one")
        quarantined = run.quarantined_ids()
        return {i for i in texts(run.load_items().table["item_id"]) if i not in quarantined}
    table = saved.table
    counts = Counter(texts(table["split"]))
    if part != "all" and not counts.get(part):
        told = ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items())) or "nothing"
        raise AudiocontribError(f"{where}: no item is {part} (it holds {told}); choose another rule or threshold")
    chosen = table if part == "all" else table.filter(equal(table["split"], part))
    if not len(chosen):
        raise AudiocontribError(f"{where}: the split is empty; choose another rule or threshold")
    return set(texts(chosen["item_id"]))


def _readable(item: Item) -> bool:
    """Whether the reply that is wanted would be read as the gold option."""
    if item.answer is None:
        return False
    prompt = make_prompt(None, item.choices, has_audio=False)
    return parse(prompt.completion(item.choices[item.answer]), item.choices).choice == item.answer
