"""Answers: what a reply says, as an outcome and the option chosen. Never a guess, never a fallback.

A reply is read in this order, and the first that decides is taken: what is thought aloud is set aside, and a
run-on into another question cut off; then the last ``<answer>…</answer>``, box or JSON object; the reply as a
whole; the last statement of a known form, if nothing after it takes it back or adds to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiocontrib.answers.options import NOTHING, OptionIndex, read_options
from audiocontrib.answers.reading import Reading, read
from audiocontrib.answers.tags import Tagged, named_after_option, one_turn, take_apart
from audiocontrib.answers.text import clean
from audiocontrib.answers.thoughts import Spoken, split_thought
from audiocontrib.responses import Outcome

__all__ = ["READER", "Answer", "Spoken", "parse", "split_thought"]

READER = 5
"""Version of the rules by which replies are read; kept in run.json."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a question."""

    outcome: Outcome
    """``answered``, ``refused`` or ``unparsed``; never ``failed``."""
    choice: int | None = None
    """Index into the choices in the order shown; None unless answered."""


def parse(reply: str, choices: Sequence[str], *, finish: str | None = None) -> Answer:
    """The option that ``reply`` names, if it names exactly one of ``choices`` (in the order shown).

    Any text is accepted; none raises. Options that are equal but for case, white space, quotes and final
    punctuation cannot be told apart by their text: a reply that names them so is unparsed.

    Args:
        finish: how the reply ended: ``stop`` by itself, ``length`` at the token limit; None: not known. A reply
            that was cut counts only if its answer tag or box is closed.

    Example:
        >>> parse("It could be A or B, but I would choose B.", ["guitar", "piano"])
        Answer(outcome=<Outcome.ANSWERED: 'answered'>, choice=1)
        >>> parse("A piano is playing.", ["guitar", "piano"]).choice
        1
        >>> parse("The answer is guitar. Wait, no.", ["guitar", "piano"]).choice
        >>> parse("I cannot hear any audio.", ["guitar", "piano"]).outcome
        <Outcome.REFUSED: 'refused'>
    """
    options = read_options(choices)
    # an option may itself look like a tag
    whole = options.texts.get(clean(reply).casefold()) if "<" in reply and len(reply) < 2000 else None
    if whole is not None and finish in (None, "stop"):
        return _answer(Reading(whole))
    spoken = split_thought(reply)
    if not spoken.closed:
        return Answer(Outcome.UNPARSED)
    said = one_turn(spoken.said)
    tagged = take_apart(said)
    if not tagged.complete and (named := named_after_option(said)) and options.named_by(clean(named[0])):
        return _answer(read(clean(named[1]), options))
    if tagged.complete:
        return _answer(Reading() if tagged.shown else _marked(tagged, options, cut=finish == "length"))
    if finish not in (None, "stop"):
        refused = read(clean(tagged.prose), options).refused
        return Answer(Outcome.REFUSED if refused else Outcome.UNPARSED)
    if tagged.unclosed is not None and tagged.unclosed.strip():
        return _answer(_unclosed(clean(tagged.unclosed), options, ended=finish == "stop"))
    return _answer(read(clean(tagged.prose), options))


def _marked(tagged: Tagged, options: OptionIndex, *, cut: bool) -> Reading:
    """What the tags hold, unless what follows them takes it back."""
    readings = [read(clean(content), options) for content in tagged.complete]
    held = Reading(NOTHING.union(*(r.choices for r in readings)), any(r.refused for r in readings))
    after = clean(tagged.after)
    if after and len(held.choices) == 1:
        later = read(after, options, held=held.choices, cut=cut)
        if later.retracted or later.choices != held.choices:
            return later if later.retracted else Reading()
    return held


def _unclosed(content: str, options: OptionIndex, *, ended: bool) -> Reading:
    """What an answer tag holds that was never closed."""
    reading = read(content, options)
    if not ended and len(content) < 400 and options.could_become(content) - reading.choices:
        return Reading()  # cut short, it may have become another option
    return reading


def _answer(reading: Reading) -> Answer:
    if len(reading.choices) == 1:
        (choice,) = reading.choices
        return Answer(Outcome.ANSWERED, choice)
    return Answer(Outcome.REFUSED if reading.refused else Outcome.UNPARSED)
