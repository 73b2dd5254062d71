"""Clauses: where the sentences of a masked text begin and end, and their clauses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from audiocontrib.answers import words

_SENTENCE_END = re.compile(
    r"[!?;。…]+[\"')\]]{0,2}|(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)(?<!\bno)\.(?:[\"')\]]{1,2}(?=\s|\Z)"
    r"|(?=[\s\"')\]*}]|\Z))|\.(?=\w)(?<=[\ue000-\ue003]\.)(?!\d)"
    r"|(?<!:)(?<!answer)(?<!\Wansw)\n(?!\s{0,3}$)"
)
_CLAUSE = re.compile(
    r"[,:(—–✅✓✔☑✗✘❌✖]\s?|\s-{1,2}\s|\n|\b(?=(?:so|therefore|thus|hence|but|however|because|since|while|whereas|although"
    r"|though"
    r"|and (?:so|therefore|thus|hence|the|i|it|that|my|choose|pick|select|go with|opt for)|which (?:means"
    r"|suggests|implies|indicates)|leading)\b)"
)
_LINE = re.compile(rf"[\s\"'(\[{{*.>•-]{{0,8}}{words.MARK}[\s\"')\]}}*.,:;!。]{{0,8}}")
REACH = 260
"""Characters; what stands farther from an option is not said of it."""
_TRIES = 6


class Clauses:
    """A masked text, its sentences and its clauses."""

    def __init__(self, text: str) -> None:
        self.text = text
        ends = [(m.start(), m.end()) for m in _SENTENCE_END.finditer(text)]
        self.ends = [start for start, _ in ends]
        self.begins = [0, *(end for _, end in ends)]
        self.clauses = [m.end() for m in _CLAUSE.finditer(text)]

    def sentence(self, place: int) -> tuple[int, int, int]:
        """Number, beginning and end of the sentence around ``place``."""
        number = bisect_right(self.begins, place) - 1
        return number, self.begins[number], self.ends[number] if number < len(self.ends) else len(self.text)

    def starts(self, place: int, begin: int) -> Iterator[int]:
        """Where a form that ends at ``place`` may begin: clauses of its sentence, the nearest first."""
        last = bisect_right(self.clauses, place) - 1
        for index in range(last, max(-1, last - _TRIES), -1):
            if self.clauses[index] <= begin or place - self.clauses[index] > REACH:
                break
            yield self.clauses[index]
        if place - begin <= REACH:
            yield begin

    def clause_end(self, place: int, end: int) -> int:
        """Where the clause after ``place`` ends, in a sentence that ends at ``end``."""
        following = bisect_right(self.clauses, place)
        return min(end, self.clauses[following] if following < len(self.clauses) else end)

    def alone(self, place: int) -> bool:
        """Whether the mark is all that its line holds, in a text of several lines."""
        first = self.text.rfind("\n", 0, place) + 1
        last = self.text.find("\n", place)
        last = len(self.text) if last < 0 else last
        return last - first < 40 and last - first < len(self.text) and bool(_LINE.fullmatch(self.text, first, last))
