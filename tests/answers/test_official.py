"""The published matching rules: what they do by design, and each of their documented defects."""

from __future__ import annotations

import pytest

from audiocontrib import answers
from audiocontrib.answers.official import SCORERS, ScoredReply
from audiocontrib.responses import Outcome

FOUR = ("guitar", "piano", "drums", "violin")
EVENTS = ("low, high, medium", "high, low, medium", "medium, high, low", "low, medium, high")


def judge(scorer: str, text: str, choices: tuple[str, ...] = FOUR, gold: int = 0) -> bool | None:
    return next(SCORERS[scorer]([ScoredReply(text, choices, gold)]))


def ours(text: str, choices: tuple[str, ...] = FOUR) -> int | None:
    return answers.parse(text, choices).choice


@pytest.mark.parametrize("scorer", ["mmau", "r1-aqa"])
def test_the_gold_is_right_and_another_option_wrong(scorer: str) -> None:
    assert judge(scorer, "guitar") is True
    assert judge(scorer, "piano") is False
    assert judge(scorer, "") is False


@pytest.mark.parametrize("scorer", ["mmsu", "muchomusic"])
def test_letters_choose_by_place(scorer: str) -> None:
    assert judge(scorer, "A") is True
    assert judge(scorer, "B") is False


def test_mmau_accepts_any_permutation_of_the_same_words() -> None:
    for gold in range(4):
        for said in EVENTS:
            assert judge("mmau", said, EVENTS, gold) is True
            assert (ours(said, EVENTS) == gold) is (said == EVENTS[gold])
    assert judge("mmau", "3:1", ("1:3", "3:1", "2:1"), 0) is True


def test_mmau_rejects_the_gold_in_a_sentence_that_shares_a_word_with_another_option() -> None:
    choices = ("dog", "the cat", "is it rain", "a car")
    text = "The correct answer is dog."
    assert judge("mmau", text, choices, 0) is False
    assert ours(text, choices) == 0


def test_mmau_takes_no_letter() -> None:
    assert judge("mmau", "A", FOUR, 0) is False
    assert ours("A") == 0


def test_r1_aqa_reads_the_first_tag_but_not_over_a_line_break() -> None:
    assert judge("r1-aqa", "piano? no: <answer>guitar</answer> <answer>piano</answer>") is True
    assert judge("r1-aqa", "not the piano <answer>guitar\n</answer>") is False
    assert ours("not the piano <answer>guitar\n</answer>") == 0


def test_mmsu_reads_the_first_character_of_any_word() -> None:
    male = ("Both are female", "Both are male", "One each", "Unclear")
    assert judge("mmsu", "Both speakers are female", male, 1) is True  # chooses B
    assert judge("mmsu", "Angry", FOUR, 0) is True  # chooses A
    assert judge("mmsu", "The answer is A.", FOUR, 0) is True  # the last character but one
    assert ours("Angry") is None


@pytest.mark.parametrize("text", ["The answer is A", "(C) drums", "I cannot hear any audio."])
def test_mmsu_leaves_what_it_cannot_read_out_of_the_denominator(text: str) -> None:
    assert judge("mmsu", text) is None
    assert answers.parse("I cannot hear any audio.", FOUR).outcome is Outcome.REFUSED


def test_mmsu_gives_an_empty_reply_the_letter_before_it() -> None:
    replies = [ScoredReply(text, FOUR, 1) for text in ("B", "", "None", "A", "what?", "")]
    assert list(SCORERS["mmsu"](replies)) == [True, True, True, False, None, False]
    assert judge("mmsu", "") is None


def test_mmsu_takes_a_letter_beyond_the_options_as_wrong() -> None:
    assert judge("mmsu", "D", ("yes", "no"), 0) is False


def test_muchomusic_looks_at_characters_not_words() -> None:
    choices = ("Piano", "Acoustic guitar", "Drums", "Violin")
    assert judge("muchomusic", "Acoustic guitar", choices, 1) is False  # the A of Acoustic
    assert judge("muchomusic", "Because there is no audio", choices, 1) is True  # the B of Because
    assert ours("Acoustic guitar", choices) == 1
    assert ours("Because there is no audio", choices) is None


def test_muchomusic_takes_the_first_option_that_it_contains() -> None:
    choices = ("guitar", "bass guitar", "drums", "flute")
    assert judge("muchomusic", "a bass guitar", choices, 1) is False
    assert judge("muchomusic", "The correct answer is: drums", choices, 2) is True
    assert judge("muchomusic", "no idea", choices, 2) is False
