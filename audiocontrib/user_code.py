"""Files of Python that a user names: read, run once as a module, and one line where they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from audiocontrib.errors import UsageError, code_place, one_line


def read_code(path: Path, who: str) -> bytes:
    """The file's bytes. UsageError in one line that begins with ``who``."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{who}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise UsageError(f"{who}: it cannot be read ({one_line(error)})") from error


def run_code(source: bytes, name: str, place: Path, who: str, undo: Callable[[], None] = lambda: None) -> ModuleType:
    """The module that a file's code makes, in ``sys.modules`` under ``name``; its folder can be imported from.

    Args:
        place: the file, resolved.
        who: what the line begins with where it fails.
        undo: called then too.

    Raises:
        UsageError: the code fails, whatever it raises; in one line with the place. Then no module is left.
    """
    module = ModuleType(name)
    module.__file__ = str(place)
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))  # last: a file there hides no library
    sys.modules[name] = module  # dataclasses, pickle and other processes look there
    with others_code(who, name, undo):
        exec(compile(source, str(place), "exec"), vars(module))
    return module


@contextmanager
def others_code(who: str, module: str, undo: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Run somebody's code: whatever it raises is one line, it leaves no module then, and it prints to stderr."""
    try:
        with redirect_stdout(sys.stderr):  # stdout is for tables, which others read
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a file may raise, SystemExit too
        undo()
        sys.modules.pop(module, None)
        ends = (
            "; it ends the program: put that under if __name__ == '__main__'" if isinstance(error, SystemExit) else ""
        )
        raise UsageError(f"{who}: {code_place(error)}{one_line(error)}{ends}") from error
