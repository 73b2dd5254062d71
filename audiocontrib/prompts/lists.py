"""How the options are listed in a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audiocontrib.registry import Registry

LISTS: Registry[Callable[[Sequence[str]], str]] = Registry("list of options")
"""Name -> function from the options, in the order shown, to their text."""


@LISTS.register("python")
def _python(options: Sequence[str]) -> str:
    """``['rain', 'a dog']``: as Python prints a list of strings (the published format)."""
    return str(list(options))


@LISTS.register("quoted")
def _quoted(options: Sequence[str]) -> str:
    """``[''rain'', ''a dog'']``: quotes doubled, as the published model card shows them."""
    return "[" + ", ".join(f"''{option}''" for option in options) + "]"


@LISTS.register("letters")
def _letters(options: Sequence[str]) -> str:
    """``A. rain``, a line each."""
    return "\n".join(f"{letter(place)}. {option}" for place, option in enumerate(options))


@LISTS.register("lines")
def _lines(options: Sequence[str]) -> str:
    """``- rain``, a line each."""
    return "\n".join(f"- {option}" for option in options)


def letter(place: int) -> str:
    """A, B, … Z, AA, …: 26 options may be shown with one more, for abstaining."""
    first, last = divmod(place, 26)
    return (letter(first - 1) if first else "") + chr(ord("A") + last)
