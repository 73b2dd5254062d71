"""Which columns of unknown data hold the options: a list, a text, columns called alike, the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.sources.cells import is_audio_name
from audiocontrib.sources.names import OPTION_WORDS, WRONG_WORDS, gold_rank, is_named, words_of
from audiocontrib.sources.options import DELIMITERS, Options, cell_options, options_inside

SURE = 0.9
"""Share of the rows that must fit."""
Cells = Mapping[str, Sequence[Any]]
"""Column to its cells; None where a row lacks it."""
_ALIKE = (r"(|.*[_ .-])([A-Za-z]|\d{1,2})(|[_ .-].*)", r"(.*[a-z])([A-Z]|\d{1,2})()")
"""``choice_a``, ``B``, ``distractor_1_answer``; ``optionA``, ``option1``."""


@dataclass(frozen=True, slots=True)
class OptionColumns:
    """Columns that may hold the options."""

    columns: tuple[str, ...]
    why: str
    options: tuple[Options | None, ...]
    """Of each row; None where they cannot be read. Of wrong options alone: these."""
    delimiter: str = ""
    """Name of what divides them."""
    wrong_only: bool = False
    """Whether the gold is in a column of its own."""
    named: bool = True
    """Whether they are called as options are; if not, the gold has to show that they are."""


def option_columns(cells: Cells) -> OptionColumns:
    """The columns that hold the options.

    Raises:
        UsageError: none do, or it cannot be told which.
    """
    lists, groups = _lists(cells), _groups(cells)
    named = [one for one in (*lists, *groups) if _named(one, OPTION_WORDS) and not one.wrong_only]
    tiers: list[Callable[[], list[OptionColumns]]] = [
        lambda: [one for one in named if gold_rank(one.columns[0]) is None],
        lambda: named,  # "answers" may be the options, but not where others are
        lambda: [one for one in (*lists, *groups) if one.wrong_only],
        lambda: _divided(cells),
        lambda: _inside(cells),
    ]
    for tier in tiers:
        if found := tier():
            return _the_one(found)
    others = [*lists, *groups]
    if len(others) == 1:
        return replace(others[0], named=False)
    raise no_options(cells, [", ".join(one.columns) for one in others])


def no_options(cells: Cells, seen: Sequence[str]) -> UsageError:
    """That no column is known to hold the options; ``seen`` could, but are not called so."""
    unsure = f"; {' and '.join(seen)} could be, but are not called so" if seen else ""
    return UsageError(
        "no column holds lists of options (called choices, options or alike), no columns are called alike but for a "
        f"letter or number (choice_a, choice_b, …), and no options stand in the questions{unsure}; "
        f"there are: {', '.join(cells)}",
        argument="mapping",
    )


def _the_one(found: Sequence[OptionColumns]) -> OptionColumns:
    """The first of several that hold the same texts; UsageError if they differ."""
    first = max(found, key=lambda one: one.columns[0] in ("choices", "options", "multi_choice"))
    for other in found:
        if _texts(other) != _texts(first):
            named = " or ".join(",".join(one.columns) for one in (first, other))
            raise UsageError(f"the options can be {named}: say which", argument="mapping")
    return first


def _texts(one: OptionColumns) -> list[Any]:
    return [options and options.texts for options in one.options]


def _named(one: OptionColumns, words: set[str]) -> bool:
    """Whether all columns are called by these words, or by a letter or number alone."""
    return all(len(name) == 1 or name.isdigit() or not words.isdisjoint(words_of(name)) for name in one.columns)


def _lists(cells: Cells) -> list[OptionColumns]:
    """The columns of which each cell is a list of options, an object of them, or the text of one."""
    found = []
    for name, column in cells.items():
        wrong = not set(words_of(name)).isdisjoint(WRONG_WORDS)
        options = tuple(_options(cell, least=1 if wrong else 2) for cell in column)
        if _share(options) >= SURE:
            kind = (
                "texts that read as lists"
                if isinstance(column[0], str)
                else "lists"
                if isinstance(column[0], list)
                else "objects"
            )
            found.append(OptionColumns((name,), f"{kind} of {_sizes(options)} options", options, "", wrong))
    return found


def _divided(cells: Cells) -> list[OptionColumns]:
    """The columns that are called as options and hold texts which one sign divides."""
    found = []
    for name, column in cells.items():
        words = set(words_of(name))
        if words.isdisjoint(OPTION_WORDS | WRONG_WORDS) or gold_rank(name) is not None:
            continue
        if sign := _delimiter(name, column):
            options = tuple(_options(cell, DELIMITERS[sign]) for cell in column)
            wrong = not words.isdisjoint(WRONG_WORDS)
            found.append(OptionColumns((name,), f"{_sizes(options)} options divided by {sign}", options, sign, wrong))
    return found


def _sizes(options: Sequence[Options | None]) -> str:
    return " or ".join(str(size) for size in sorted({len(one.texts) for one in options if one}))


def _delimiter(name: str, column: Sequence[Any]) -> str:
    """Name of the one delimiter that divides every text of a column; "" if there is none.

    Raises:
        UsageError: there are two, or it is a comma or stroke, which options may hold themselves.
    """
    texts = [cell for cell in column if cell not in (None, "")]
    if not texts or not all(isinstance(text, str) for text in texts):
        return ""
    able = [one for one, sign in DELIMITERS.items() if all(_options(text, sign) for text in texts)]
    if not able:
        return ""
    if len(able) > 1 or able[0] in (",", "/"):
        raise UsageError(
            f"column {name!r} holds texts such as {texts[0]!r:.60}, maybe options divided by "
            f"{' or '.join(able)}: say which (delimiter)",
            argument="mapping",
        )
    return able[0]


def _groups(cells: Cells) -> list[OptionColumns]:
    """Columns that are called alike but for a letter or number, an option each."""
    groups: dict[tuple[str, str, bool], dict[int, str]] = {}
    for name, column in cells.items():
        found = next(filter(None, (re.fullmatch(pattern, name) for pattern in _ALIKE)), None)
        if found and any(isinstance(cell, str) and cell for cell in column):
            before, label, after = found.groups()
            place = int(label) if label.isdigit() else ord(label.lower()) - ord("a")
            groups.setdefault((before, after, label.isdigit()), {})[place] = name
    runs = [run for run in map(_run, groups.values()) if len(run) > 1]
    return [one for run in runs if (one := _group(run, cells))]


def _group(run: list[str], cells: Cells) -> OptionColumns | None:
    """UsageError where they are called as options and hold recordings."""
    wrong = not set(words_of(run[0])).isdisjoint(WRONG_WORDS)
    rows = [
        [cell for cell in row if cell not in (None, "")] for row in zip(*(cells[name] for name in run), strict=True)
    ]
    options = tuple(Options([str(cell) for cell in row]) if len(row) > (0 if wrong else 1) else None for row in rows)
    one = OptionColumns(tuple(run), f"{len(run)} columns called alike, an option each", options, "", wrong)
    if any(row and all(is_audio_name(cell) for cell in row) for row in rows):
        if _named(one, OPTION_WORDS) and not any(is_named(name, "audio") for name in run):
            raise UsageError(f"the options in {', '.join(run)} are recordings; an item has one, and options are texts")
        return None
    return one


def _run(group: Mapping[int, str]) -> list[str]:
    """The columns from the first place on (a, A, 0 or 1), up to the first gap: ``q`` beside a, b, c, d is none."""
    return [group[place] for place in takewhile(group.__contains__, count(0 if 0 in group else 1))]


def _inside(cells: Cells) -> list[OptionColumns]:
    """Texts that hold a question and its options."""
    found = []
    for name, column in cells.items():
        options = [_in_question(cell) for cell in column]
        if _share(options) >= SURE:
            found.append(OptionColumns((name,), "options inside the question", tuple(options)))
    if len(found) > 1:
        named = ", ".join(one.columns[0] for one in found)
        raise UsageError(f"the columns {named} hold a question with its options each: say which", argument="mapping")
    return found


def _in_question(cell: Any) -> Options | None:
    try:
        return options_inside(cell)[1]
    except BadItem:
        return None


def _options(cell: Any, delimiter: str = "", least: int = 2) -> Options | None:
    try:
        found = cell_options(cell, delimiter)
    except BadItem:
        return None
    texts = found.texts
    able = isinstance(texts, list) and len(texts) >= least and all(isinstance(text, str) and text for text in texts)
    return found if able else None


def _share(options: Sequence[Options | None]) -> float:
    return sum(one is not None for one in options) / len(options) if options else 0.0
