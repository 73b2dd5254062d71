"""The errors a user may see: each is one line that says what is wrong, where, and what to do."""

from __future__ import annotations

import importlib
import re
import traceback
from pathlib import Path

NOT_OTHERS = (str(Path(__file__).parent), str(Path(importlib.__file__).parent), "<")
"""Where code lies that is nobody's own: this package, and what imports modules."""


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves the cursor of a terminal, changes its colours or the direction of text; tabs and line ends do not."""


def visible(text: str) -> str:
    """A text in which control characters are shown, as ``\\u001b``, so that none reaches a terminal."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class AudiocontribError(Exception):
    """The work failed. The message is shown as it is, without a traceback; exit code 1.

    Attributes:
        argument: the argument that would put it right, where one would; the command line names its option.
    """

    exit_code = 1

    def __init__(self, *words: object, argument: str | None = None) -> None:
        super().__init__(*words)
        self.argument = argument

    def __str__(self) -> str:
        """The message, fit for a terminal: names and texts of others stand in it."""
        return visible(super().__str__())


class Stopped(KeyboardInterrupt):
    """The process was asked to end, by SIGINT or SIGTERM: what was answered is kept on the way out.

    Attributes:
        number: of the signal; the exit code is 128 more.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class UsageError(AudiocontribError):
    """The question itself was wrong: an unknown name, a bad parameter. Exit code 2."""

    exit_code = 2


class BadItem(AudiocontribError):
    """A row that cannot become an Item. Sources turn it into a quarantine record.

    Attributes:
        field: the field of the item that is wrong, e.g. ``"answer"``.
        reason: what is wrong with it, in words.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class BadAudio(AudiocontribError):
    """A clip that cannot be heard: missing, truncated, empty, unreadable, or outside its folder."""


class MissingAudio(BadAudio):
    """There is no such file."""


class ShortAudio(BadAudio):
    """It is too short for any model to hear."""


def one_line(error: BaseException, limit: int = 300) -> str:
    """An exception as a single line of at most ``limit`` characters: ``Type: message``."""
    text = visible(" ".join(str(error).split())) or "(no message)"
    if not isinstance(error, AudiocontribError):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def code_place(error: BaseException) -> str:
    """``my.py:12:`` and a space, for an error in somebody's own code, empty if it went through none.

    That is the first file outside this package that the error went through, and its last line there.
    """
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename).name}:{error.lineno}: " if error.filename else ""
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    files = [file for file, _ in frames if not file.startswith(NOT_OTHERS)]
    lines = [line for file, line in frames if files and file == files[0]]
    return f"{Path(files[0]).name}:{lines[-1]}: " if lines else ""
