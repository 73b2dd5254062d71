"""What is thought aloud is parted from what is said, whatever the markers."""

from __future__ import annotations

import pytest

from audiocontrib.answers import parse, split_thought
from audiocontrib.responses import Outcome

OPTIONS = ("guitar", "piano", "violin", "drum")
PAIRS = [
    ("<think>", "</think>"),
    ("<THINK>", "</THINK>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<analysis>", "</analysis>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<rationale>", "</rationale>"),
    ("<cot>", "</cot>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("[REASONING]", "[/REASONING]"),
    ("◁think▷", "◁/think▷"),
    ("⟨think⟩", "⟨/think⟩"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("Thinking...\n", "\n...done thinking.\n\n"),
    ("```thinking\n", "\n```\n"),
    ("Here is my thought process:\n", "\nHere is my response:\n"),
    ("<observation>", "</observation>"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS, ids=[pair[0].strip() for pair in PAIRS])
def test_a_thought_is_parted_from_the_answer(opening: str, closing: str) -> None:
    reply = f"{opening}The answer is guitar.{closing}piano"
    assert "guitar" in (split_thought(reply).thought or "")
    assert "guitar" not in split_thought(reply).said
    assert parse(reply, OPTIONS).choice == 1


@pytest.mark.parametrize("opening", [pair[0] for pair in PAIRS[:-1]], ids=[pair[0].strip() for pair in PAIRS[:-1]])
@pytest.mark.parametrize("draft", ["The answer is guitar.", "Draft: <answer>guitar</answer>, or"])
def test_a_thought_that_never_ends_has_no_answer(opening: str, draft: str) -> None:
    assert not split_thought(opening + draft).closed
    assert parse(opening + draft, OPTIONS).outcome is Outcome.UNPARSED


def test_where_the_template_opened_the_thought_all_before_its_end_is_thought() -> None:
    spoken = split_thought("Strings? The answer is guitar.\n</think>\n\npiano")
    assert (spoken.thought, spoken.said) == ("Strings? The answer is guitar.", "piano")


@pytest.mark.parametrize(
    "reply", ["piano", "<answer>piano</answer>", "<b>piano</b> is it", "a < b and c > d", "[piano]"]
)
def test_a_reply_without_a_thought_stays_as_it_is(reply: str) -> None:
    assert split_thought(reply) == type(split_thought(""))(None, reply)


def test_several_blocks_before_an_answer_of_another_name() -> None:
    reply = "<PLAN>compare</PLAN><CAPTION>a guitar</CAPTION><RESPONSE>B. piano</RESPONSE>"
    assert parse(reply, OPTIONS).choice == 1
