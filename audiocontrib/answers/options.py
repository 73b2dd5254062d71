"""Options: the choices as they may be named in a reply, by text or by letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from audiocontrib.answers.text import clean, core, fold

Indices = frozenset[int]
"""The choices that a name may mean: one; several if their texts are equal; none if it means nothing."""

_LETTER = re.compile(
    r"(?:(?i:option|choice|answer|letter)[ :]{1,3})?"
    r"""[(\[{"'*]{0,4}([A-Za-z])[)\]}"'*.:]{0,6}"""
)


@dataclass(frozen=True, slots=True)
class OptionIndex:
    """The choices of one question, in the order shown."""

    texts: dict[str, Indices]
    """Folded core of the text -> the choices that read so."""
    count: int
    lettered: bool
    """An option is itself a letter (a pitch, say): then a letter alone is text, never a label."""

    def letter(self, letter: str) -> Indices:
        """The choice that a label stands for."""
        place = ord(letter.upper()) - ord("A")
        return frozenset([place]) if 0 <= place < self.count else frozenset()

    def named_by(self, text: str) -> Indices | None:
        """What ``text`` as a whole names; None if it is neither an option's text nor a label."""
        inner = core(text)
        exact = self.texts.get(fold(inner))
        if exact is not None:
            return exact
        label = _LETTER.fullmatch(inner)
        if label is None:
            return None
        bare = self.texts.get(label[1].lower())
        if bare is not None:
            return bare
        return None if self.lettered else self.letter(label[1])


def read_options(choices: Sequence[str]) -> OptionIndex:
    """The choices by their text. Choices of white space only are named by their label alone."""
    return _remembered(tuple(choices))


@lru_cache(maxsize=1024)
def _remembered(choices: tuple[str, ...]) -> OptionIndex:
    texts: dict[str, Indices] = {}
    for index, choice in enumerate(choices):
        text = fold(core(clean(choice)))
        if text:
            texts[text] = texts.get(text, frozenset()) | {index}
    return OptionIndex(texts, len(choices), any(len(t) == 1 and "a" <= t <= "z" for t in texts))
