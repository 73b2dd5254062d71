"""Text of a data set stays text: what looks like a control token in it is tokenised as the letters that it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from audiocontrib.errors import AudiocontribError

MARKS = frozenset("<>[]|")
"""An added token that holds one of these is taken for a control token, whether it says so or not."""


class ControlTokens:
    """The tokens of a tokenizer that are no text: ends of turns, roles, audio, thoughts.

    Args:
        name: of the model, for messages.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        self.name, self.tokenizer = name, tokenizer
        added = {int(i): (str(token), bool(token.special)) for i, token in tokenizer.added_tokens_decoder.items()}
        named = {i: (tokenizer.convert_ids_to_tokens(i), True) for i in tokenizer.all_special_ids}
        self.contents: dict[int, str] = {
            i: text for i, (text, special) in (named | added).items() if text and (special or MARKS & set(text))
        }
        """Id -> text."""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self.contents.values(), key=len, reverse=True))) or r"(?!)")

    @cached_property
    def _first(self) -> frozenset[str]:
        return frozenset(text[0] for text in self.contents.values())

    def forged(self, texts: Iterable[str]) -> frozenset[str]:
        """What stands in texts of a data set and would become control tokens."""
        return frozenset(
            found for text in texts if not self._first.isdisjoint(text) for found in self._pattern.findall(text)
        )

    def split(self, text: str, forged: frozenset[str]) -> list[str]:
        """The text in pieces, within which nothing of what is forged stands whole."""
        if not forged:
            return [text]
        pieces, start = [], 0
        for found in re.finditer("|".join(map(re.escape, sorted(forged, key=len, reverse=True))), text):
            cut = found.start() + 1  # "<" and "|im_end|>"
            pieces.append(text[start:cut])
            start = cut
        return [*pieces, text[start:]]

    def tokens(self, pieces: Iterable[str]) -> list[int]:
        """Token ids of pieces that are read apart; nothing is added to them."""
        return [token for piece in pieces for token in self.tokenizer(piece, add_special_tokens=False).input_ids]

    def check(self, ids: Sequence[int], harmless: Sequence[int], own: str, forged: frozenset[str]) -> None:
        """Hold a prompt to one of the same form whose question is harmless.

        Args:
            ids: of the prompt.
            harmless: of the other one.
            own: the prompt's text, whose control tokens are meant if they do not stand in data.
            forged: what stands in data.

        Raises:
            AudiocontribError: it has control tokens that the other has not.
        """
        more = Counter(i for i in ids if i in self.contents) - Counter(i for i in harmless if i in self.contents)
        bad = [text for i in more if (text := self.contents[i]) in forged or text not in own]
        if bad:
            raise AudiocontribError(f"{self.name}: a text would become the control token {bad[0]}; leave the item out")
