"""The errors a user may see: each is one line that says what is wrong, where, and what to do."""

from __future__ import annotations


class AudiocontribError(Exception):
    """The work failed. The message is shown as it is, without a traceback; exit code 1."""

    exit_code = 1


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
    text = " ".join(str(error).split()) or "(no message)"
    if not isinstance(error, AudiocontribError):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= limit else text[: limit - 1] + "…"
