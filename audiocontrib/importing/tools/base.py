"""What a tool's log is: an AnswerTool, filed by name, that knows its files and reads them into rows of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.importing.joining import Asked
from audiocontrib.registry import Registry
from audiocontrib.sources.base import Columns, Rows, SourceRow
from audiocontrib.sources.files import read_rows


@dataclass(frozen=True, slots=True)
class AnswerTool:
    """A tool whose logs are read."""

    name: str
    about: str
    """What is read of it, in a line."""
    endings: tuple[str, ...]
    """Of its files."""
    knows: Callable[[Path], bool]
    """Whether a file is a log of it, by its first row."""
    read: Callable[[Path], Rows]
    """Rows with the columns of answers, and ``asked`` (Asked) in place of ``item_id``."""
    twice: Callable[[Path], bool] = lambda path: False
    """Whether another file holds the same answers: in a folder such a file is passed over."""
    posterior: str = ""
    """What its posteriors are made of, where it has any."""


TOOLS: Registry[AnswerTool] = Registry("tool with logs")


def register_tool(tool: AnswerTool) -> AnswerTool:
    """File a tool under its name. UsageError if it is taken."""
    return TOOLS.register(tool.name)(tool)


def find_logs(path: Path, name: str | None) -> tuple[AnswerTool, list[Path]] | None:
    """The tool whose logs a file, or the files of a folder, are; None where no name is given and none knows one.

    Raises:
        UsageError: no tool is called so.
        AudiocontribError: nothing is there; none of it is a log of the tool; or logs of several tools are there.
    """
    if not path.exists():
        raise AudiocontribError(f"{path}: there is no such file or folder")
    tools = [TOOLS.find(name)] if name is not None else list(TOOLS.values())
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    found = {tool.name: known for tool in tools if (known := [f for f in files if _is_log(f, tool)])}
    if path.is_dir():
        found = {name: [file for file in known if not TOOLS[name].twice(file)] for name, known in found.items()}
    if len(found) > 1:
        raise AudiocontribError(f"{path}: holds logs of {' and of '.join(found)}; say of which tool", argument="tool")
    if name is not None and not found:
        raise AudiocontribError(f"{path}: no file in it is a log of {name} ({tools[0].about})")
    return next(((TOOLS[one], known) for one, known in found.items()), None)


def _is_log(file: Path, tool: AnswerTool) -> bool:
    if file.name.startswith(".") or not file.name.endswith(tool.endings):
        return False
    try:
        return tool.knows(file)
    except (AudiocontribError, OSError, ValueError, KeyError, TypeError):
        return False


def first_row(path: Path) -> Mapping[str, Any]:
    """The columns of the first row of a file; none if it cannot be read."""
    rows = [row.values for row in islice(read_rows(path), 1) if isinstance(row, SourceRow)]
    return rows[0] if rows else {}


def has_columns(*names: str) -> Callable[[Path], bool]:
    """Whether the first row of a file has all of these columns."""
    return lambda path: set(names) <= first_row(path).keys()


def log_row(path: Path, line: int, asked: Asked, **cells: Any) -> SourceRow:
    """A row of answers; a cell that is None is left out, but for those that say an answer."""
    kept = {name: cell for name, cell in cells.items() if cell is not None or name in ("reply", "choice")}
    return SourceRow(str(path), line, Columns({"asked": asked, **kept}))


def right_or_wrong(value: Any) -> bool | None:
    """What a tool's score says: 1 or "C" is right, 0 or "I" wrong; None for anything between, or unknown."""
    word = str(value).strip().upper()
    if word in ("1", "1.0", "TRUE", "C"):
        return True
    return False if word in ("0", "0.0", "FALSE", "I", "N") else None


def texts_in(value: Any, depth: int = 4) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(one, depth - 1)
