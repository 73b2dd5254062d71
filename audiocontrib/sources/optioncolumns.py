"""Which columns of unknown data hold the options: a list, a text, columns called alike, the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.sources.columngroups import Cells, OptionColumns, called, column_groups
from audiocontrib.sources.inside import options_inside
from audiocontrib.sources.names import OPTION_WORDS, WRONG_WORDS, gold_rank, words_of
from audiocontrib.sources.options import DELIMITERS, Options, cell_options

SURE = 0.9
"""Share of the rows that must fit."""


def option_columns(cells: Cells) -> OptionColumns:
    """The columns that hold the options.

    Raises:
        UsageError: none do, or it cannot be told which.
    """
    lists, groups = _lists(cells), column_groups(cells)
    named = [one for one in (*lists, *groups) if called(one, OPTION_WORDS) and not one.wrong_only]
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
    if fault := _not_texts(cells):
        raise UsageError(fault, argument="mapping")
    others = [*lists, *groups]
    if len(others) == 1:
        return replace(others[0], named=False)
    raise no_options(cells, [", ".join(one.columns) for one in others])


def _not_texts(cells: Cells) -> str:
    """What is wrong with a column that is called as options are, and holds lists that are none; "" if there is none."""
    for name, column in cells.items():
        for row, cell in enumerate(column if not set(words_of(name)).isdisjoint(OPTION_WORDS) else (), start=1):
            bad = [one for one in cell if not (isinstance(one, str) and one.strip())] if isinstance(cell, list) else []
            if bad:
                return f"column {name!r}, row {row}: an option is {bad[0]!r:.40}, and options are texts, none empty"
    return ""


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
