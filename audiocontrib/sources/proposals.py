"""Which columns of unknown data are which fields: by what the cells hold first, and by the columns' names second."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.sources.archives import AUDIO
from audiocontrib.sources.columns import NONE, SPELLINGS, parsed

SURE = 0.9
"""Share of the rows that must fit."""
Cells = Mapping[str, Sequence[Any]]
"""Column to its cells; None where a row lacks it."""

_WORDS: dict[str, tuple[str, ...]] = {
    "question": ("prompt", "query", "instruction", "problem"),
    "choices": ("candidates", "answers", "alternatives"),
    "answer": ("gold", "label", "target", "correct", "solution", "key"),
    "audio": ("wav", "sound", "file", "path", "clip"),
    "id": ("uid", "uuid", "key", "index", "name"),
    "clip_id": ("track", "recording", "ytid", "video"),
    "question_type": ("task", "type", "modality", "category"),
    "source_dataset": ("source", "dataset", "corpus"),
    "split": ("subset",),
}
"""Words in the names of columns, beside the spellings that are read without a mapping; the best first."""
_LABELLED = (r"(|.*[_ .-])([A-Za-z]|\d{1,2})(|[_ .-].*)", r"(.*[a-z])([A-Z]|\d{1,2})()")
"""``choice_a``, ``B``, ``distractor_1_answer``; ``optionA``, ``option1``."""
_IN_TABLE = re.compile(r"\.(parquet|arrow)/\d+/")


@dataclass(slots=True)
class Proposal:
    """A mapping in the making."""

    mapping: dict[str, str] = field(default_factory=dict)
    """Field to column, as :func:`audiocontrib.sources.mapped` takes it."""
    why: dict[str, str] = field(default_factory=dict)
    """Field to the reason for its column."""
    answer_as: str = "text"

    def take(self, name: str, column: str, why: str) -> None:
        """Give a field its column."""
        self.mapping[name], self.why[name] = column, why


def propose(cells: Cells) -> Proposal:
    """The mapping that the cells of some rows speak for.

    Raises:
        UsageError: nothing can be the choices, or the question.
    """
    made = Proposal()
    choices, why = _choices(cells)
    made.take("choices", ",".join(choices), why)
    free = {name: column for name, column in cells.items() if name not in choices}
    gold, made.answer_as, why = _answer(free, _listed(cells, choices))
    made.take("answer", gold, why)
    free.pop(gold, None)
    finders = {"audio": _audio, "question": _question}
    for name in [*finders, *(name for name in SPELLINGS if name not in (*finders, "choices", "answer"))]:
        found = finders[name](free) if name in finders else _label(name, free)
        if found:
            made.take(name, *found)
            free.pop(found[0], None)
    made.mapping = {name: made.mapping[name] for name in SPELLINGS if name in made.mapping}
    return made


def _choices(cells: Cells) -> tuple[tuple[str, ...], str]:
    """The column of lists, or the columns that hold an option each, and why."""
    lists = {name: [_options(cell) for cell in column] for name, column in cells.items()}
    able = [name for name, column in lists.items() if _share(column, bool) >= SURE]
    if able:
        best = min(able, key=lambda name: _rank(name, "choices"))
        sizes = sorted({len(options) for options in lists[best] if options})
        how = "lists" if isinstance(cells[best][0], list) else "texts that read as lists"
        return (best,), f"{how} of {' or '.join(map(str, sizes))} options"
    groups: dict[tuple[str, str, bool], dict[int, str]] = {}
    for name, column in cells.items():
        found = next(filter(None, (re.fullmatch(pattern, name) for pattern in _LABELLED)), None)
        if found and any(isinstance(cell, str) and cell for cell in column):
            before, label, after = found.groups()
            place = int(label) if label.isdigit() else ord(label.lower()) - ord("a")
            groups.setdefault((before, after, label.isdigit()), {})[place] = name
    runs = [run for run in map(_run, groups.values()) if len(run) > 1]
    if not runs:
        raise UsageError(
            "no column holds lists of options, and no columns are called alike but for a letter or number "
            f"(choice_a, choice_b, …); there are: {', '.join(cells)}"
        )
    most = max(runs, key=len)
    return tuple(most), f"{len(most)} columns called alike, an option each"


def _answer(cells: Cells, listed: Sequence[list[str] | None]) -> tuple[str, str, str]:
    """The column that fits the choices, what it holds of them, and why."""
    ways: dict[str, tuple[Callable[[Any, list[str]], bool], str]] = {
        "text": (lambda cell, choices: cell in choices, "the text of an option"),
        "letter": (_is_letter, "the letter of an option"),
        "index": (lambda cell, choices: 0 <= _whole(cell) < len(choices), "the place of an option, counted from 0"),
    }
    fits: list[tuple[float, int, str, str]] = []
    for name, column in cells.items():
        pairs = [(cell, choices) for cell, choices in zip(column, listed, strict=True) if choices]
        for way, (is_one, _) in ways.items():
            share = sum(is_one(cell, choices) for cell, choices in pairs) / max(1, len(pairs))
            # counted from 1, most numbers are places too, and all of them wrong
            if share >= SURE and (way != "index" or any(_whole(cell) == 0 for cell in column)):
                fits.append((share, -_rank(name, "answer"), name, way))
    if fits:
        share, _, name, way = max(fits)
        return name, way, f"{ways[way][1]} in {share:.0%} of the rows"
    named = [name for name in cells if _rank(name, "answer") == 0]
    reason = f"{named[0]} is neither text, letter nor place (from 0) of an option" if named else "no column fits"
    return NONE, "text", f"{reason}: asked, never scored"


def _audio(cells: Cells) -> tuple[str, str]:
    able = [name for name, column in cells.items() if _share(column, _is_audio) >= SURE]
    if able:
        return min(able, key=lambda name: _rank(name, "audio")), "names of audio files, or their bytes"
    named = [name for name, column in cells.items() if _rank(name, "audio") == 0 and _share(column, _is_text) >= SURE]
    return (named[0], "its name; the cells do not look like audio files") if named else (NONE, "no column holds audio")


def _question(cells: Cells) -> tuple[str, str]:
    able = [name for name, column in cells.items() if _share(column, _is_text) >= SURE]
    if not able:
        raise UsageError(f"no column holds texts that could be the question; there are: {', '.join(cells)}")
    best = min(able, key=lambda name: _rank(name, "question"))
    if _rank(best, "question") < len(_WORDS["question"]) + 1:
        return best, "its name, and it holds texts"
    asked = max(able, key=lambda name: _share(cells[name], lambda cell: cell is not None and cell.endswith("?")))
    return asked, "texts, of all columns most often with a question mark at the end; look whether it is right"


def _label(name: str, cells: Cells) -> tuple[str, str] | None:
    """A column for a field that can be left out: its name must fit, and its cells be short."""
    able = [column for column, values in cells.items() if _share(values, _is_label) >= SURE]
    if name == "id":
        able = [column for column in able if len({str(cell) for cell in cells[column]}) == len(cells[column])]
    best = min(able, key=lambda column: _rank(column, name), default="")
    if not best or _rank(best, name) > len(_WORDS[name]):
        return None
    return best, "its name, and all its values are different" if name == "id" else "its name, and it holds labels"


def _rank(column: str, name: str) -> int:
    """How well a column's name fits a field: 0 for a usual spelling, then by the place of the word that it has."""
    if column.lower() in SPELLINGS[name]:
        return 0
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    known = _WORDS[name]
    return next((place for place, word in enumerate(known, start=1) if word in words), len(known) + 1)


def _listed(cells: Cells, choices: tuple[str, ...]) -> list[list[str] | None]:
    """The choices of each row; None where they cannot be read."""
    if len(choices) == 1:
        return [_options(cell) for cell in cells[choices[0]]]
    rows = zip(*(cells[name] for name in choices), strict=True)
    return [[str(cell) for cell in row if cell not in (None, "")] or None for row in rows]


def _options(cell: Any) -> list[str] | None:
    try:
        cell = parsed(cell)
    except BadItem:
        return None
    return cell if isinstance(cell, list) and len(cell) > 1 and all(isinstance(o, str) for o in cell) else None


def _share(cells: Sequence[Any], fits: Callable[[Any], bool]) -> float:
    return sum(map(bool, map(fits, cells))) / len(cells) if cells else 0.0


def _run(group: Mapping[int, str]) -> list[str]:
    """The columns from the first place on (a, A, 0 or 1), up to the first gap: ``q`` beside a, b, c, d is none."""
    return [group[place] for place in takewhile(group.__contains__, count(0 if 0 in group else 1))]


def _is_letter(cell: Any, choices: list[str]) -> bool:
    letter = cell.strip().strip("().").upper() if isinstance(cell, str) else ""
    return len(letter) == 1 and 0 <= ord(letter) - ord("A") < len(choices)


def _whole(cell: Any) -> int:
    """A whole number, also as a text; -1 for anything else."""
    text = "" if isinstance(cell, bool) else str(cell).removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() else -1


def _is_audio(cell: Any) -> bool:
    if isinstance(cell, Mapping):
        return bool(cell.keys() & {"bytes", "path"})
    return isinstance(cell, str) and (cell.rpartition(".")[2].lower() in AUDIO or bool(_IN_TABLE.search(cell)))


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell.strip())


def _is_label(cell: Any) -> bool:
    return (isinstance(cell, str) and 0 < len(cell) < 100) or (isinstance(cell, int) and not isinstance(cell, bool))
