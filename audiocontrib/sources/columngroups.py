"""Columns that are called alike but for a letter or number, an option each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.sources.cells import is_audio_name
from audiocontrib.sources.names import OPTION_WORDS, WRONG_WORDS, is_named, words_of
from audiocontrib.sources.options import Options

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


def called(one: OptionColumns, words: set[str]) -> bool:
    """Whether all columns are called by these words, or by a letter or number alone."""
    return all(len(name) == 1 or name.isdigit() or not words.isdisjoint(words_of(name)) for name in one.columns)


def column_groups(cells: Cells) -> list[OptionColumns]:
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
        if called(one, OPTION_WORDS) and not any(is_named(name, "audio") for name in run):
            raise UsageError(f"the options in {', '.join(run)} are recordings; an item has one, and options are texts")
        return None
    return one


def _run(group: Mapping[int, str]) -> list[str]:
    """The columns from the first place on (a, A, 0 or 1), up to the first gap: ``q`` beside a, b, c, d is none."""
    return [group[place] for place in takewhile(group.__contains__, count(0 if 0 in group else 1))]
