"""Answers: what a reply says, as an outcome and the option chosen. Never a guess, never a fallback.

A reply is read in this order, and the first that decides is taken: the last ``<answer>…</answer>``; the
reply as a whole; a phrase that decides ("the answer is …", the last one); the only option mentioned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiocontrib.answers.options import read_options
from audiocontrib.answers.reading import Reading, read
from audiocontrib.answers.tags import take_apart
from audiocontrib.answers.text import clean
from audiocontrib.responses import Outcome

__all__ = ["Answer", "parse"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a question."""

    outcome: Outcome
    """``answered``, ``refused`` or ``unparsed``; never ``failed``."""
    choice: int | None = None
    """Index into the choices in the order shown; None unless answered."""


def parse(reply: str, choices: Sequence[str]) -> Answer:
    """The option that ``reply`` names, if it names exactly one of ``choices`` (in the order shown).

    Any text is accepted; none raises. Options that are equal but for case, white space, quotes and final
    punctuation cannot be told apart by their text: a reply that names them so is unparsed.

    Example:
        >>> parse("It could be A or B, but I would choose B.", ["guitar", "piano"])
        Answer(outcome=<Outcome.ANSWERED: 'answered'>, choice=1)
        >>> parse("A piano is playing.", ["guitar", "piano"]).choice
        1
        >>> parse("I cannot hear any audio.", ["guitar", "piano"]).outcome
        <Outcome.REFUSED: 'refused'>
    """
    options = read_options(choices)
    tagged = take_apart(reply)
    if tagged.complete is not None:
        return _answer(read(clean(tagged.complete), options))
    if tagged.unclosed is not None:
        named = options.named_by(clean(tagged.unclosed))
        if named:
            return _answer(Reading(named))
    return _answer(read(clean(tagged.prose), options))


def _answer(reading: Reading) -> Answer:
    if len(reading.choices) == 1:
        (choice,) = reading.choices
        return Answer(Outcome.ANSWERED, choice)
    return Answer(Outcome.REFUSED if reading.refused else Outcome.UNPARSED)
