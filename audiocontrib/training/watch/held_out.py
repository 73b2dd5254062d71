"""The items that a training is watched by: drawn from its run, by clip and by part, and kept from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import seeded, stable_hash
from audiocontrib.items import Items
from audiocontrib.statistics.clusters import LEAST_ITEMS
from audiocontrib.training.watch.settings import Watch

ALL = "all"
"""The part of every item, and the only one where there is no split."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Items that are asked while a stage trains, and that no stage trains on."""

    items: Items
    parts: Mapping[str, str]
    """Item id -> its part of the split; ALL without one."""

    def __post_init__(self) -> None:
        """UsageError if an item cannot be told right from wrong, heard, or put into a part."""
        for item in self.items:
            lacks = {"gold answer": item.answer is None, "clip": item.audio is None, "part": item.id not in self.parts}
            if any(lacks.values()):
                raise UsageError(
                    f"the item {item.id} has no {max(lacks, key=lacks.__getitem__)}, and cannot be watched"
                )

    @property
    def clips(self) -> set[str]:
        """The recordings that no row may be about."""
        return set(texts(self.items.table["clip_id"]))

    @property
    def digest(self) -> str:
        """Hash of what is asked, the sound apart."""
        told = [[item.id, item.question, item.choices, item.answer, str(item.audio)] for item in self.items]
        return stable_hash([told, dict(self.parts)])

    def without(self, left: Collection[str]) -> HeldOut:
        """The items whose ids are not among these. AudiocontribError if too few are left for an interval."""
        kept = [item for item in self.items if item.id not in left]
        if len(kept) < LEAST_ITEMS:
            raise AudiocontribError(
                f"of {len(self.items):,} items to watch, {len(kept):,} can be asked; mend the data, or watch others "
                "(watch.seed)"
            )
        return replace(self, items=Items(kept, origin=self.items.origin))

    def __str__(self) -> str:
        counts = Counter(self.parts[name] for name in texts(self.items.table["item_id"]))
        parts = ", ".join(f"{n:,} {part}" for part, n in sorted(counts.items()) if part != ALL)
        return f"{len(self.items):,} items{f' ({parts})' if parts else ''} on {len(self.clips):,} clips"


def draw(watch: Watch, held: Items, parts: Mapping[str, str], where: str) -> HeldOut:
    """Items of every part, as many of each as its share says and one at least; whole clips are taken first.

    Args:
        held: items of a run.
        parts: id -> part, of the items that can be asked and trained on.
        where: the run and split, for messages.

    Raises:
        UsageError: there are not so many, or fewer than there are parts.
    """
    ids, clips = texts(held.table["item_id"]), texts(held.table["clip_id"])
    there = [place for place, name in enumerate(ids) if name in parts]
    counts = Counter(parts[ids[place]] for place in there)
    if watch.items >= len(there):
        raise UsageError(
            f"{where}: watch.items is {watch.items:,}, but there are {len(there):,} items with a gold answer and a "
            "clip in all, and some must be left to train on: watch fewer"
        )
    room = _shares(watch.items, counts)
    on_clip: dict[str, list[int]] = {}
    for place in there:
        on_clip.setdefault(clips[place], []).append(place)
    order = sorted(on_clip)
    chosen = []
    for number in seeded(watch.seed, "watch").permutation(len(order)).tolist():
        for place in on_clip[order[number]]:
            if room[parts[ids[place]]]:
                room[parts[ids[place]]] -= 1
                chosen.append(place)
    chosen.sort()
    items = Items(list(held.take(chosen)), origin=held.origin)
    return HeldOut(items, {ids[place]: parts[ids[place]] for place in chosen})


def _shares(wanted: int, counts: Mapping[str, int]) -> dict[str, int]:
    """How many of each part: by its share, by the largest remainder; at least one of each."""
    total = sum(counts.values())
    exact = {part: wanted * n / total for part, n in sorted(counts.items())}
    made = {part: max(1, int(share)) for part, share in exact.items()}
    by_rest = sorted(exact, key=lambda part: (made[part] - exact[part], part))
    for part in by_rest * 2:
        if sum(made.values()) < wanted and made[part] < counts[part]:
            made[part] += 1
    while sum(made.values()) > wanted:
        made[max((part for part in made if made[part] > 1), key=lambda part: made[part] - exact[part])] -= 1
    return made


def clips_of(watched: Iterable[HeldOut]) -> set[str]:
    """Ids of the recordings that no stage of a recipe trains on."""
    return set().union(*(one.clips for one in watched))
