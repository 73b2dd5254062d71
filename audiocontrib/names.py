"""Names that users give: of a run, a split, a model. They stand in paths, tables and messages."""

from __future__ import annotations

import os
from pathlib import Path

from audiocontrib.errors import UsageError

LONGEST_NAME = 200
"""Bytes of a name: a folder's may have 255, and files that are being written have longer ones."""


def check_name(what: str, name: object) -> str:
    """A name as it was given.

    Args:
        what: of what it is the name, as a message says it.

    Raises:
        UsageError: it is no text, empty, too long, or holds a control character or half of a surrogate pair.
    """
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"{what} cannot be called {name!r:.60}: it needs a name")
    if not name.isprintable():
        raise UsageError(f"{what} cannot be called {name!r:.60}: a name holds no control characters")
    if len(name.encode()) > LONGEST_NAME:
        raise UsageError(f"{what} cannot be called {name!r:.60}…: a name has at most {LONGEST_NAME} bytes")
    return name


def check_folder_name(what: str, name: object) -> str:
    """A name that is one folder's, within the folder above it. UsageError as :func:`check_name`, or if it is a path."""
    checked = check_name(what, name)
    if checked.startswith(".") or "/" in checked or "\\" in checked:
        raise UsageError(f"{what} cannot be called {name!r}: it is the name of a folder, not hidden and not a path")
    return checked


def check_run_path(path: str | os.PathLike[str]) -> Path:
    """The folder of a run that is to be made. UsageError if its name cannot be kept or printed."""
    folder = Path(path)
    if not os.fspath(path) or not str(folder).isprintable():
        raise UsageError(f"a run cannot be in {str(path)!r:.60}: name a folder, without control characters")
    for part in folder.parts:
        if len(part.encode()) > LONGEST_NAME:
            raise UsageError(f"a run cannot be in {part[:60]!r}…: a folder's name has at most {LONGEST_NAME} bytes")
    return folder
