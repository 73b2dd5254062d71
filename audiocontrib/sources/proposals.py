"""Which columns of unknown data are which fields. The gold is known by its name alone; the rest by what cells hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.sources.cells import is_audio_name
from audiocontrib.sources.columngroups import Cells, OptionColumns
from audiocontrib.sources.columns import DELIMITER, NONE, SPELLINGS
from audiocontrib.sources.goldcolumns import gold_column, read_golds
from audiocontrib.sources.names import gold_rank, is_named, name_rank, words_of
from audiocontrib.sources.optioncolumns import SURE, no_options, option_columns
from audiocontrib.sources.segments import SEGMENT, segment_columns

_SPANS = {"segment", "timestamp", "span", "interval", "range", "window"}
"""Words in the names of columns that may say which part of a recording is meant."""
_RECORDINGS = {"audio", "wav", "sound", "clip", "recording", "flac", "mp3", "ogg"}


@dataclass(slots=True)
class Proposal:
    """A mapping in the making."""

    mapping: dict[str, str] = field(default_factory=dict)
    """Field to column, as :func:`audiocontrib.sources.mapped` takes it."""
    why: dict[str, str] = field(default_factory=dict)
    """Field to the reason for its column."""
    answer_as: str = "text"
    remarks: list[str] = field(default_factory=list)
    """What should be known before the mapping is used."""

    def take(self, name: str, column: str, why: str) -> None:
        """Give a field its column."""
        self.mapping[name], self.why[name] = column, why

    def used(self) -> set[str]:
        """The columns that have a field."""
        columns = [column for name, column in self.mapping.items() if name != DELIMITER]
        return {part for column in columns for part in (column, *column.split(","))}


def propose(cells: Cells, given: Mapping[str, str] | None = None) -> Proposal:
    """The mapping that the names of the columns and the cells of some rows speak for.

    Args:
        given: what the user says already: field to column.

    Raises:
        UsageError, AudiocontribError: nothing can be the choices or the question, or it cannot be told which is.
    """
    made, given = Proposal(), dict(given or {})
    for name, column in given.items():
        made.take(name, column, "as you say")
    options = None if "choices" in given else option_columns(cells)
    if options:
        made.take("choices", ",".join(options.columns), options.why)
        if options.delimiter:
            made.take(DELIMITER, options.delimiter, "it divides every text of the column")
    _gold(made, cells, options)
    free = {name: column for name, column in cells.items() if name not in made.used()}
    if options and options.why.startswith("options inside"):
        made.mapping.setdefault("question", options.columns[0])
        made.why.setdefault("question", "a question with its options")
    finders = {"audio": _audio, "question": _question}
    for name in [*finders, *(name for name in SPELLINGS if name not in (*finders, "choices", "answer"))]:
        found = None if name in made.mapping else finders[name](free) if name in finders else _label(name, free)
        if found:
            made.take(name, *found)
            free.pop(found[0], None)
    for name, column in segment_columns(
        [name for name in cells if name in free or name in given.values()], given
    ).items():
        made.take(name, column, "its name: seconds of the recording")
    if not made.mapping.keys() & set(SEGMENT):
        _refuse_spans(free)
    made.mapping = {name: made.mapping[name] for name in (*SPELLINGS, *SEGMENT, DELIMITER) if name in made.mapping}
    return made


def _gold(made: Proposal, cells: Cells, options: OptionColumns | None) -> None:
    """The column of the gold, by its name; where wrong options stand apart, it is one of the choices too."""
    if "answer" not in made.mapping:
        beside = set(options.columns) if options else set()
        named = sorted(
            (rank, name) for name in cells if name not in beside and (rank := gold_rank(name)) is not None
        )  # fmt: skip
        made.take("answer", *gold_column(cells, named, options, made.remarks))
    gold = made.mapping["answer"]
    if options and not options.named and "text" not in read_golds(gold, cells.get(gold, ()), options.options)[0].fits():
        raise no_options(cells, options.columns)
    if options and options.wrong_only:
        if gold == NONE:
            raise UsageError(
                f"{','.join(options.columns)} hold wrong options, and no column is called as golds are: name it",
                argument="mapping",
            )
        made.take("choices", ",".join((gold, *options.columns)), "the gold and wrong options, in an order by row")


def _refuse_spans(cells: Cells) -> None:
    """UsageError if a column may say the part of the recording as a pair of seconds, which is not read."""
    for name, column in cells.items():
        if not _SPANS.isdisjoint(words_of(name)) and _share(column, _is_span) >= SURE:
            raise UsageError(
                f"column {name!r} holds pairs such as {column[0]!r:.40}, maybe the part of the recording: "
                "make columns start and end of them, or say start=- if all of each recording is meant",
                argument="mapping",
            )


def _audio(cells: Cells) -> tuple[str, str]:
    able = [name for name, column in cells.items() if _share(column, _is_audio) >= SURE]
    if not able:
        named = [name for name in cells if name_rank(name, "audio") == 0 and _share(cells[name], _is_text) >= SURE]
        if named:
            return named[0], "its name; the cells do not look like audio files"
        for name in cells:
            held = next((cell for cell in cells[name] if cell not in (None, "")), None)
            if held is not None and name.lower() in SPELLINGS["audio"]:
                raise UsageError(
                    f"column {name!r} is named as recordings are, and holds {held!r:.60}; an item has one recording: "
                    f"name its column, or say audio={NONE}",
                    argument="mapping",
                )
        return NONE, "no column holds audio"
    strong = [name for name in able if not _RECORDINGS.isdisjoint(words_of(name))]
    best = [name for name in able if name_rank(name, "audio") == min(name_rank(one, "audio") for one in able)]
    several = strong if len(strong) > 1 else best
    differ = [name for name in several if list(cells[name]) != list(cells[several[0]])]
    if differ:
        raise UsageError(
            f"the columns {', '.join(several)} hold recordings, and an item has one: say which", argument="mapping"
        )
    return best[0], "names of audio files, or their bytes"


def _question(cells: Cells) -> tuple[str, str]:
    able = [name for name, column in cells.items() if _share(column, _is_text) >= SURE]
    if not able:
        raise UsageError(f"no column holds texts that could be the question; there are: {', '.join(cells)}")
    exact = [name for name in able if name_rank(name, "question") == 0]
    named = exact or [name for name in able if is_named(name, "question")]
    asking = {
        name: _share(cells[name], lambda cell: isinstance(cell, str) and cell.strip().endswith("?")) for name in able
    }
    if len(named) > 1:
        sure = [name for name in named if asking[name] >= SURE]
        if len(sure) != 1:
            raise UsageError(f"the question can be {' or '.join(named)}: say which", argument="mapping")
        return sure[0], "its name, and it asks"
    if named:
        return named[0], "its name, and it holds texts"
    best = max(able, key=lambda name: asking[name])
    if not asking[best]:
        raise UsageError(
            f"no column is called question or alike, and none asks; there are: {', '.join(cells)}", argument="mapping"
        )
    return best, "texts, of all columns most often with a question mark at the end; look whether it is right"


def _label(name: str, cells: Cells) -> tuple[str, str] | None:
    """A column for a field that can be left out: its name must fit, and its cells be short."""
    able = [column for column, values in cells.items() if _share(values, _is_label) >= SURE]
    if name == "id":
        able = [column for column in able if len({str(cell) for cell in cells[column]}) == len(cells[column])]
    best = min(able, key=lambda column: name_rank(column, name), default="")
    if not best or not is_named(best, name):
        return None
    return best, "its name, and all its values are different" if name == "id" else "its name, and it holds labels"


def _share(cells: Sequence[Any], fits: Callable[[Any], bool]) -> float:
    return sum(map(bool, map(fits, cells))) / len(cells) if cells else 0.0


def _is_audio(cell: Any) -> bool:
    if isinstance(cell, Mapping):
        return bool(cell.keys() & {"bytes", "path"}) or {"array", "sampling_rate"} <= cell.keys()
    return is_audio_name(cell)


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell.strip())


def _is_span(cell: Any) -> bool:
    pair = list(cell) if isinstance(cell, list | tuple) else []
    return len(pair) == 2 and all(isinstance(one, int | float) for one in pair) and pair[0] < pair[1]


def _is_label(cell: Any) -> bool:
    return (isinstance(cell, str) and 0 < len(cell) < 100) or (isinstance(cell, int) and not isinstance(cell, bool))
