"""Which item a log's row answers: by an id that also has the question, else by the text, else by text and clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from audiocontrib.errors import BadItem
from audiocontrib.items import Item
from audiocontrib.items.printed import printed_labels

FEW = 3
"""Words at the beginning of a question by which it is looked for in a text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a log says of the question that was asked."""

    ids: tuple[str, ...] = ()
    """Names that may be the item's own; never the number of a row."""
    text: str = ""
    """The question, or a prompt that holds it; empty where the log has neither."""
    options: tuple[str, ...] = ()
    """As they were shown, in that order; none where the log does not say."""
    clips: tuple[str, ...] = ()
    """Files that may be the recording."""
    number: int | None = None
    """Of the row in the data set, from 0: it counts where nothing else tells items apart, and fits in all rows."""


@dataclass(frozen=True, slots=True)
class ItemIndex:
    """Items by id, and by how their questions begin."""

    named: Mapping[str, Item]
    """By whole id, and by the data set's own where that is unambiguous."""
    begin: Mapping[tuple[str, ...], Sequence[Item]]
    rows: Sequence[Item]

    @classmethod
    def over(cls, items: Sequence[Item]) -> ItemIndex:
        """The index of a data set."""
        begin = defaultdict(list)
        for item in items:
            begin[tuple(item.question.split()[:FEW])].append(item)
        return cls(
            {item.id.partition("/")[2]: item for item in items} | {item.id: item for item in items}, begin, items
        )

    def numbered(self, asked: Sequence[Asked]) -> bool:
        """Whether the numbers of rows are places in the data set: the texts fit in all rows, and are not all alike."""
        found = [self.rows[a.number] for a in asked if a.number is not None and 0 <= a.number < len(self.rows)]
        alike = len({(item.question, item.choices) for item in found}) < 2
        return not alike and len(found) == len(asked) and all(map(_fits, found, asked))

    def find(self, asked: Asked, numbered: bool = False) -> tuple[Item, str]:
        """The item, and by what it was found. BadItem if none, or several, can be meant."""
        by_id = {item.id: item for name in asked.ids if (item := self.named.get(name)) and _fits(item, asked)}
        if len(by_id) == 1:
            return next(iter(by_id.values())), "id"
        found = self._with_text(asked) if asked.text else []
        if len(found) == 1:
            return found[0], "question and options"
        names = {_file(clip) for clip in asked.clips}
        heard = [item for item in found if names & _clips(item)]
        if len(heard) == 1:
            return heard[0], "question, options and clip"
        if numbered and asked.number is not None and self.rows[asked.number] in (heard or found):
            return self.rows[asked.number], "question, options and number, which fits in all rows"
        if not found:
            what = f"{asked.text.strip()[:60]!r}" if asked.text else " or ".join(map(repr, asked.ids[:3]))
            raise BadItem("item_id", f"the data set has no item with this id, question and options: {what}")
        raise BadItem(
            "item_id", f"{len(heard or found)} items have this question and these options, and no id or clip tells them"
            f" apart: {', '.join(item.id for item in (heard or found)[:3])}"
        )  # fmt: skip

    def _with_text(self, asked: Asked) -> list[Item]:
        """The items whose question and options the text has, but for those that stand within another's."""
        words = asked.text.split()
        starts = {tuple(words[i : i + n]) for i in range(len(words)) for n in range(1, FEW + 1)}
        found = [item for start in starts for item in self.begin.get(start, ()) if _fits(item, asked)]
        return [item for item in found if not any(_within(item, other) for other in found)]


def _within(item: Item, other: Item) -> bool:
    """Whether another's question holds the item's, or its options those of the same question."""
    one, longer = _plain(item.question), _plain(other.question)
    return (one != longer and one in longer) or (one == longer and set(item.choices) < set(other.choices))


def _fits(item: Item, asked: Asked) -> bool:
    if not asked.text:
        return True
    text = _plain(asked.text)
    if _plain(item.question) not in text:
        return False
    if asked.options:
        return any(sorted(one) == sorted(item.choices) for one in _readings(asked.options))
    return all(_plain(choice) in text for choice in item.choices)


def in_order(options: Sequence[str], text: str) -> bool | None:
    """Whether a text shows the options in this order, read from its end; None where it does not show them all."""
    if not options or not all(option in text for option in options):
        return None
    end = len(text)
    for option in reversed(options):
        end = text.rfind(option, 0, end)
        if end < 0:
            return False
    return True


def places_shown(item: Item, options: Sequence[str]) -> tuple[int, ...] | None:
    """The item's options in the order shown, as indexes; None where these are not the item's."""
    for one in _readings(options):
        if sorted(one) == sorted(item.choices):
            return tuple(item.choices.index(text) for text in one)
    return None


def check_order(item: Item, text: str) -> None:
    """BadItem where a text shows the item's options in another order, which cannot be told."""
    if in_order(item.choices, text) is False:
        raise BadItem("order", f"{item.id}: the log shows the options in an order of its own, and does not say which")


def _readings(options: Sequence[str]) -> Iterator[list[str]]:
    """The options as they are, without blanks around them, and without printed labels."""
    yield list(options)
    bare = [option.strip() for option in options]
    yield bare
    if printed := printed_labels(bare):
        yield list(printed.texts)


def _clips(item: Item) -> set[str]:
    path = item.audio.path if item.audio is not None else None
    return {_file(name) for name in (path, item.clip_id) if name} - {""}


def _file(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _plain(text: str) -> str:
    return " ".join(text.split())
