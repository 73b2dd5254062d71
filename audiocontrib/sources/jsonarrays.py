"""The elements of a JSON array, one by one: of a large file, a window of a few elements is in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from audiocontrib.errors import AudiocontribError

CHUNK = 2**20
"""Bytes that are read at a time; more for an element that is longer."""
MAX_ELEMENT = 16 * 2**20
"""Characters of the longest element that is read."""
DECODER = json.JSONDecoder(parse_constant=lambda _: None)  # NaN and Infinity are no JSON; they mean "none"
_ANY_NUMBER = json.JSONDecoder(parse_int=str)
MAX_DEPTH = 100
"""Levels of nesting that are read. Python's own bound differs from version to version; this one holds in all."""
_TOO_DEEP = f"nested too deeply (more than {MAX_DEPTH} levels)"
_SPACE = re.compile(r"[ \t\r\n]*")
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]')  # strings too, so that a bracket in one is passed over


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of a value that is JSON, but that Python does not read."""

    reason: str


def decode_json(text: str, at: int = 0) -> tuple[Any, int]:
    """The value of the JSON text that begins at a place, and the place where it ends.

    Raises:
        json.JSONDecodeError: it is no JSON, or breaks off.
        ValueError: it is not read whatever follows: more than MAX_DEPTH levels.
    """
    try:
        value, end = DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        if _depth(text, at, error.pos) > MAX_DEPTH:
            raise ValueError(_TOO_DEEP) from None
        raise
    except ValueError:  # Python reads no integer of more than 4,300 digits
        _, end = _ANY_NUMBER.raw_decode(text, at)
        value = Unreadable("a whole number has too many digits")
    if _depth(text, at, end) > MAX_DEPTH:
        raise ValueError(_TOO_DEEP)
    return value, end


def _depth(text: str, at: int, end: int) -> int:
    """The largest number of brackets that are open at once; an upper bound of it where that is small."""
    brackets = text.count("[", at, end) + text.count("{", at, end)
    if brackets <= MAX_DEPTH:
        return brackets
    found = _BRACKETS.finditer(text, at, end)
    depths = accumulate({"[": 1, "{": 1, "]": -1, "}": -1}.get(one[0], 0) for one in found)
    return max(depths, default=0)


class Window:
    """A part of a JSON text in UTF-8, and a place in it that moves on."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text, self._at = "", 0
        self._line, self._counted = 1, 0  # the line at a place up to which line ends are counted
        self._whole = False

    def next(self) -> str:
        """The next character that is not white space, where the window then stands; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def elements(self) -> Iterator[tuple[int, Any, str]]:
        """Line, value and text of each element of the array that begins here.

        Raises:
            AudiocontribError: with file and line, where a fault hides what follows it.
        """
        self._at += 1
        while self.next() != "]":
            line = self._line_of(self._at)
            yield line, *self._value()
            mark = self.next()
            if mark not in (",", "]"):
                raise self._fault("Expecting ',' or ']'", self._at)
            self._at += mark == ","
        self._at += 1
        if self.next():
            raise self._fault("Extra data", self._at)

    def _value(self) -> tuple[Any, str]:
        while True:
            try:
                value, end = decode_json(self._text, self._at)
            except json.JSONDecodeError as error:
                # it may only break off where the window ends
                if len(self._text) - self._at > MAX_ELEMENT or not self._more():
                    raise self._fault(error.msg, error.pos) from error
                continue
            except ValueError as error:
                raise self._fault(str(error), self._at) from error
            if end + len("e+5") < len(self._text) or not self._more():  # a number may go on behind the window
                text, self._at = self._text[self._at : end], end
                return value, text

    def _more(self) -> bool:
        """Move the window's end on, and its beginning to the place; False at the end of the file."""
        if self._whole:
            return False
        self._line_of(self._at)
        rest = self._text[self._at :]
        raw = self._file.read(max(CHUNK, len(rest)))
        self._whole = not raw
        try:
            self._text, self._at, self._counted = rest + self._decode(raw, final=self._whole), 0, 0
        except UnicodeDecodeError as error:
            line = self._line + rest.count("\n") + error.object.count(b"\n", 0, error.start)
            raise AudiocontribError(f"{self._path}:{line}: not UTF-8 ({error.reason}); save it as UTF-8") from error
        return True

    def _line_of(self, place: int) -> int:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _fault(self, reason: str, place: int) -> AudiocontribError:
        return AudiocontribError(
            f"{self._path}:{self._line_of(place)}: not JSON: {reason}; nothing after it can be read: "
            "mend it, or use JSON lines"
        )
