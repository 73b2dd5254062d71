"""Rows: what a trainer reads. A question as it is shown, the reply that is wanted, and how much it weighs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.answers import parse
from audiocontrib.audio import exists
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import seeded, stable_hash
from audiocontrib.items import Item, Items, ItemTable
from audiocontrib.prompts import Prompt, make_prompt
from audiocontrib.store import Run, SavedSplit
from audiocontrib.training.recipe import Part
from audiocontrib.training.source import source


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One question in one order of its options."""

    item: Item
    prompt: Prompt
    """With the audio; the options in the order shown."""
    gold: int
    """Place of the right option in ``prompt.options``."""
    weight: float = 1.0
    """What GRPO multiplies the advantages by."""

    @property
    def target(self) -> str:
        """The reply that is wanted."""
        return self.prompt.completion(self.prompt.options[self.gold])


@dataclass(frozen=True, slots=True)
class TrainingRows(Sequence[TrainingRow]):
    """Every item ``copies`` times, its options in another random order each time; fixed by the seed."""

    items: Items
    """All of them have a gold option that a reply can name, and a clip."""
    copies: int = 1
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    """Item id -> weight; 1 where it is not named."""
    extra_option: str | None = None
    """Shown with every question, as one option more that is never right."""
    notes: tuple[str, ...] = ()
    """What was left out, and why, in sentences."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where they come from, see :func:`audiocontrib.training.source.source`; empty where they were made in Python."""

    def __len__(self) -> int:
        return len(self.items) * self.copies

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place, copy = divmod(range(len(self))[index], self.copies)
        item = self.items[place]
        shown = [*item.choices, *([self.extra_option] if self.extra_option else [])]
        order = seeded(self.seed, item.id, copy, "option order").permutation(len(shown)).tolist()
        prompt = make_prompt(item.question, [shown[i] for i in order], has_audio=True)
        return TrainingRow(item, prompt, order.index(item.answer), self.weights.get(item.id, 1.0))

    @property
    def digest(self) -> str:
        """Hash of all that a trainer reads from these rows, the sound apart."""
        told = [[item.id, item.question, item.choices, item.answer, str(item.audio)] for item in self.items]
        return stable_hash([told, self.copies, self.seed, dict(self.weights), self.extra_option])

    def check_clips(self) -> None:
        """AudiocontribError that names the first item whose clip is gone, and counts the others."""
        known: dict[str, bool] = {}
        gone = []
        for item in self.items:
            if item.clip_id not in known:
                known[item.clip_id] = item.audio is not None and exists(item.audio)
            if not known[item.clip_id]:
                gone.append(item)
        if gone:
            more = f" (and those of {len(gone) - 1} more items)" if len(gone) > 1 else ""
            raise AudiocontribError(
                f"{gone[0].audio or 'no clip'}: the clip of {gone[0].id} is not there{more}; "
                "bring the files back, or score and split again without them"
            )


def training_rows(
    run: Run | str | Path,
    split: str | Path | None = None,
    part: Part = "all",
    *,
    items: int | None = None,
    copies: int = 1,
    seed: int = 0,
    without: Collection[str] = (),
) -> TrainingRows:
    """The items of one part of a split, as a trainer reads them.

    Items are left out, with a note, that have no key, or whose gold option cannot be told from another one by a reply.

    Args:
        split: name of a split in the run, or a folder that holds one; None: all items of the run.
        part: ``weak``, ``strong`` or ``all``.
        items: draw so many by chance.
        copies: each item so many times, in random orders of its options.
        without: ids of clips or items that must not be used.

    Raises:
        UsageError: there is no such split.
        AudiocontribError: nothing is left.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    held = run.load_items()
    where = f"{run.path}, split {split}" if split else str(run.path)
    saved = None if split is None else run.split(split)
    wanted = _part(run, saved, part, where)
    notes, places, unusable, barred = [], [], [], set(without)
    shared = 0
    for place, item in enumerate(held):
        if wanted is not None and item.id not in wanted:
            continue
        if item.id in barred or item.clip_id in barred:
            shared += 1
        elif not _readable(item):
            unusable.append(item.id)
        else:
            places.append(place)
    if shared:
        notes.append(f"{shared:,} items were left out: the other stage has them, or their recordings")
    if unusable:
        notes.append(f"{len(unusable):,} items have no gold answer that a reply can name, e.g. {unusable[0]}: left out")
    if not places:
        raise AudiocontribError(f"{where}: no item is left to train on; {'; '.join(notes) or 'the run holds none'}")
    if items is not None and items < len(places):
        drawn = seeded(seed, "items").permutation(len(places))[:items]
        places = sorted(places[i] for i in drawn)
    told = source(run, saved.folder if saved else None, part)
    return TrainingRows(taken(held, places), copies, seed, notes=tuple(notes), source=told)


def _part(run: Run, saved: SavedSplit | None, part: str, where: str) -> set[str] | None:
    """Ids of the items of the part; None: all of them."""
    if saved is None:
        if part != "all":
            raise UsageError(f"{where}: part {part} needs a split; name one")
        quarantined = run.quarantined_ids()
        return {i for i in run.load_items().table["item_id"].to_pylist() if i not in quarantined}
    table = saved.table
    counts = {c["values"]: c["counts"] for c in table["split"].value_counts().to_pylist()}
    if part != "all" and not counts.get(part):
        told = ", ".join(f"{n:,} {name}" for name, n in sorted(counts.items())) or "nothing"
        raise AudiocontribError(f"{where}: no item is {part} (it holds {told}); choose another rule or threshold")
    chosen = table if part == "all" else table.filter(pc.equal(table["split"], part))
    if not len(chosen):
        raise AudiocontribError(f"{where}: the split is empty; choose another rule or threshold")
    return set(chosen["item_id"].to_pylist())


def _readable(item: Item) -> bool:
    """Whether the reply that is wanted would be read as the gold option."""
    if item.answer is None:
        return False
    prompt = make_prompt(None, item.choices, has_audio=False)
    return parse(prompt.completion(item.choices[item.answer]), item.choices).choice == item.answer


def taken(held: Items, places: Sequence[int]) -> Items:
    """Some of the items, kept as Arrow."""
    taken = held.table.take(pa.array(places, pa.int64())).combine_chunks()
    return Items(ItemTable(taken.to_batches(), held.origin.get("audio_root")), origin=held.origin)
