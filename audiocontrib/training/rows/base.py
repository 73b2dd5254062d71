"""Rows: what a trainer reads. A question as it is shown, the reply that is wanted, and how much it weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyarrow as pa

from audiocontrib.audio import exists
from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import seeded, stable_hash
from audiocontrib.items import Item, Items, ItemTable
from audiocontrib.prompts import DEFAULT_PROMPT, Prompt, PromptFormat, find_prompt, make_prompt, prompt_record
from audiocontrib.provenance import Provenance
from audiocontrib.training.recipe import TrainingRecipe
from audiocontrib.training.target import GOLD, fields_of, target_text
from audiocontrib.training.watch.held_out import HeldOut


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
    template: str = GOLD
    """Of the reply that is wanted."""

    @property
    def target(self) -> str:
        """The reply that is wanted. AudiocontribError if the item lacks what its template names."""
        try:
            return target_text(self.template, self.prompt.options[self.gold], self.item.extra)
        except AudiocontribError as error:
            raise AudiocontribError(f"{self.item.id}: {error}") from error


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
    prompt: PromptFormat = field(default_factory=lambda: find_prompt(DEFAULT_PROMPT))
    """How every question is put."""
    target: str | None = None
    """Template of the replies that are wanted; None: the answer alone."""
    notes: tuple[str, ...] = ()
    """What was left out, and why, in sentences."""
    provenance: Provenance | None = None
    """Where they come from; None where they were made in Python."""
    recipe: TrainingRecipe | None = None
    """The recipe that chose them; None where none did."""
    watched: HeldOut | None = None
    """What the stage asks while it trains, none of it among the rows; None where it does not."""
    watched_elsewhere: tuple[HeldOut, ...] = ()
    """What other stages of the recipe ask, if that is something else."""

    def __len__(self) -> int:
        return len(self.items) * self.copies

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place, copy = divmod(range(len(self))[index], self.copies)
        item = self.items[place]
        shown = [*item.choices, *([self.extra_option] if self.extra_option else [])]
        order = seeded(self.seed, item.id, copy, "option order").permutation(len(shown)).tolist()
        prompt = make_prompt(item.question, [shown[i] for i in order], has_audio=True, prompt=self.prompt)
        weight = self.weights.get(item.id, 1.0)
        return TrainingRow(item, prompt, order.index(item.answer), weight, self.target or GOLD)

    @property
    def digest(self) -> str:
        """Hash of all that a trainer reads from these rows, the sound apart."""
        told = [[item.id, item.question, item.choices, item.answer, str(item.audio)] for item in self.items]
        other: list[Any] = [] if self.prompt.name == DEFAULT_PROMPT else [prompt_record(self.prompt)]
        if self.target:
            names = fields_of(self.target)
            other += [self.target, [[str(item.extra.get(name)) for name in names] for item in self.items]]
        return stable_hash([told, self.copies, self.seed, dict(self.weights), self.extra_option, *other])

    def check_clips(self) -> None:
        """AudiocontribError that names the first item whose clip is gone, and counts the others."""
        known: dict[str, bool] = {}
        gone = []
        for item in chain(self.items, self.watched.items if self.watched else ()):
            if item.clip_id not in known:
                known[item.clip_id] = item.audio is not None and exists(item.audio)
            if not known[item.clip_id]:
                gone.append(item)
        if gone:
            more = f" (and those of {len(gone) - 1} more items)" if len(gone) > 1 else ""
            raise AudiocontribError(
                f"{gone[0].audio or 'no clip'}: the clip of {gone[0].id} is not there{more}; "
                "bring the files back, or name the folder that they are in",
                argument="audio_root",
            )


def taken(held: Items, places: Sequence[int]) -> Items:
    """Some of the items, kept as Arrow."""
    taken = held.table.take(pa.array(places, pa.int64())).combine_chunks()
    return Items(ItemTable(taken.to_batches(), held.origin.get("audio_root")), origin=held.origin)
