"""The key masked in what a server says: whole, in part, and in the ways in which programs write one text in another."""

from __future__ import annotations

import base64
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from urllib.parse import quote, quote_plus

PART = 8
"""Characters of the key in a row that are masked. A key that is shorter protects little: it is masked as a word."""
MASK = "***"
LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
"""Some programs change the case of what they repeat. No other letters: their lower case may have another length."""
WRITTEN = (
    str,
    lambda c: quote(c, safe=""),
    quote_plus,
    html.escape,
    lambda c: json.dumps(c)[1:-1],
    lambda c: f"%{ord(c):02x}",
    lambda c: f"\\u{ord(c):04x}",
    lambda c: f"\\x{ord(c):02x}",
    lambda c: f"{ord(c):02x}",
    lambda c: f"&#{ord(c)};",
    lambda c: f"&#x{ord(c):x};",
)
"""Ways to write one character of a key, which is ASCII."""


@dataclass(frozen=True, slots=True)
class KeyMask:
    """Puts ``***`` in the place of a key. Made by :func:`key_mask`; the time is linear in the text."""

    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """First PART characters -> the parts of the key, as they may be written, that begin so."""
    word: re.Pattern[str] | None = field(default=None, repr=False)
    """A short key as a word of its own."""

    def __call__(self, text: str, sent: str = "") -> str:
        """The text without the key.

        Args:
            sent: what the text answers to. What stands there as well is no secret, and may be an option's own words.
        """
        if self.word:
            return text if self.word.search(sent) else self.word.sub(MASK, text)
        made, end = [], 0
        for start, stop in _merged(self._found(text.translate(LOWER), sent.translate(LOWER))):
            made += [text[end:start], MASK]
            end = stop
        return "".join([*made, text[end:]])

    def inside(self, value: Any) -> Any:
        """A JSON value, the key masked in each of its texts."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(name)): self.inside(one) for name, one in value.items()}
        return [self.inside(one) for one in value] if isinstance(value, list | tuple) else value

    def _found(self, text: str, sent: str) -> Iterable[tuple[int, int]]:
        open_parts: dict[str, bool] = {}
        for start in range(len(text) - PART + 1) if self.parts else ():
            for part in self.parts.get(text[start : start + PART], ()):
                if text.startswith(part, start):
                    if part not in open_parts:
                        open_parts[part] = part in sent
                    if not open_parts[part]:
                        yield start, start + len(part)


def key_mask(key: str | None) -> KeyMask:
    """What masks a key; nothing is masked where there is none."""
    if not key:
        return KeyMask()
    if len(key) < PART:
        return KeyMask(word=re.compile(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])"))
    parts: dict[str, set[str]] = defaultdict(set)
    for written, width in _writings(key):
        for start in range(len(written) - width + 1):
            part = "".join(written[start : start + width]).translate(LOWER)
            parts[part[:PART]].add(part)
    return KeyMask({head: tuple(sorted(found)) for head, found in parts.items()})


def _writings(key: str) -> Iterable[tuple[list[str], int]]:
    """The key piece by piece, in each way that it may be written, and how many pieces make a part."""
    for write in WRITTEN:
        yield [write(character) for character in key], PART
    for before in range(3):  # in base64 the same bytes look different by where they begin; the ends hold others' bits
        coded = base64.b64encode(b"\0" * before + key.encode()).decode()
        start, stop = (before * 8 + 5) // 6, (before + len(key)) * 8 // 6
        for alphabet in (coded, coded.replace("+", "-").replace("/", "_")):
            yield list(alphabet[start:stop]), PART * 8 // 6


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in the order of their starts, those that touch as one."""
    made: list[tuple[int, int]] = []
    for start, stop in spans:
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(stop, made[-1][1]))
        else:
            made.append((start, stop))
    return made
