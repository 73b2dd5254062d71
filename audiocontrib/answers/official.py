"""The matching rules that benchmarks publish, re-implemented from their description, defects and all.

For comparison only: to see by how much a published figure depends on its matcher. Scores of this package
come from :func:`audiocontrib.answers.parse`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from audiocontrib.registry import Registry


@dataclass(frozen=True, slots=True)
class ScoredReply:
    """What a model said to a question."""

    text: str
    choices: Sequence[str]
    """The options in the order shown."""
    gold: int
    """Index of the gold option among them."""


Scorer = Callable[[Iterable[ScoredReply]], Iterator[bool | None]]
"""Replies, in the order of the file, to right, wrong, or None: left out of the denominator."""
SCORERS: Registry[Scorer] = Registry("official scorer")
WORD = re.compile(r"\b\w+\b")
LETTERS = "ABCD"


@SCORERS.register("mmau")
def mmau(replies: Iterable[ScoredReply]) -> Iterator[bool | None]:
    """``string_match`` of MMAU's and MMAR's ``evaluation.py``: a test on sets of words.

    Right if the reply holds every word of the gold, and no word that other options have and the gold has
    not. Options that are permutations of the same words cannot be told apart, so any of them passes; and a
    sentence around the gold fails where one of its words is in another option ("the", "is").
    """
    for reply in replies:
        said, gold = _words(reply.text), _words(reply.choices[reply.gold])
        other = {word for choice in reply.choices if (words := _words(choice)) != gold for word in words - gold}
        yield bool(said) and gold <= said and not said & other


@SCORERS.register("r1-aqa")
def r1_aqa(replies: Iterable[ScoredReply]) -> Iterator[bool | None]:
    """R1-AQA's ``test_mmau.py``: the first answer tag, then MMAU's matcher.

    The tag is looked for without DOTALL: where a line breaks inside it, the whole reply is matched.
    """

    def tagged(reply: ScoredReply) -> ScoredReply:
        found = re.search(r"<answer>(.*?)</answer>", reply.text)
        return ScoredReply(found.group(1).strip() if found else reply.text, reply.choices, reply.gold)

    return mmau(map(tagged, replies))


@SCORERS.register("mmsu")
def mmsu(replies: Iterable[ScoredReply]) -> Iterator[bool | None]:
    """``mmsu_evaluation.py``: the first character that is a letter A to D, else the last but one.

    "Both are male" so chooses B. A reply with neither is left out of the denominator, which rewards
    refusals; an empty one takes the letter of the reply before it.
    """
    letter: str | None = None
    for reply in replies:
        text = reply.text.strip().replace("\n", "")
        if text and text != "None":
            found = next((c for c in (text[0], text[-2:-1]) if c and c in LETTERS), None)
            if found is None:
                yield None
                continue
            letter = found
        if letter is None:  # nothing before it: the published script stops there
            yield None
            continue
        place = LETTERS.index(letter)
        yield place < len(reply.choices) and reply.choices[place] == reply.choices[reply.gold]


@SCORERS.register("muchomusic")
def muchomusic(replies: Iterable[ScoredReply]) -> Iterator[bool | None]:
    """MuChoMusic's matcher: the one capital letter A to D in the reply, else the first option it contains.

    It looks at characters, not words: "Acoustic guitar" chooses A, "Because there is no audio" B. A reply
    that it cannot read counts as wrong.
    """
    for reply in replies:
        text = reply.text.removeprefix("The correct answer is:").strip()
        letters = set(text) & set(LETTERS)
        if len(letters) == 1:
            place = LETTERS.index(letters.pop())
        else:
            place = next((i for i, choice in enumerate(reply.choices) if choice in text), -1)
        yield place == reply.gold


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))
