"""Labels that are printed on the options belong to the data: they are taken off where items are read, and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import audiocontrib as ac
from audiocontrib import answers
from audiocontrib.audit import run_checks
from audiocontrib.errors import BadItem
from audiocontrib.items import PARTLY_LABELLED, UNLABELLED, Item, make_item
from audiocontrib.items.printed import printed_labels

TEXTS = ("Man", "Woman", "Child", "Robot")
LETTERS = ("({}) ", "[{}] ", "{}. ", "{}) ", "{}: ", "{} - ", "Option {}: ", "<{}> ", "（{}）", "{}、")
STYLES = [*((style, "ABCD") for style in LETTERS), *((style, "abcd") for style in LETTERS[:4])]
STYLES += [(style, "1234") for style in ("({}) ", "{}. ", "{}) ")]


def item(choices: Sequence[str], answer: Any, **more: Any) -> Item:
    return make_item(dataset="t", own_id="q", question="Who?", choices=choices, answer=answer, audio=None, **more)


STYLES += [("**{}.** ", "ABCD"), ("{} | ", "ABCD"), ("{}．", "ＡＢＣＤ")]


@pytest.mark.parametrize(("style", "names"), STYLES)
@pytest.mark.parametrize("given", ["label and text", "text", "label", "another style"])
def test_one_style_on_all_options_is_taken_off(style: str, names: str, given: str) -> None:
    listed = [style.format(name) + text for name, text in zip(names, TEXTS, strict=True)]
    gold = {"label and text": listed[2], "text": "Child", "label": names[2], "another style": f"({names[2]}) Child"}
    made = item(listed, gold[given])
    assert (made.choices, made.answer) == (TEXTS, 2)
    assert made.notes == (UNLABELLED,)
    assert made.extra["published_choices"] == listed


@pytest.mark.parametrize("turn", range(4))
def test_options_that_are_listed_in_another_order_keep_their_gold(turn: int) -> None:
    listed = [f"({name}) {text}" for name, text in zip("ABCD", TEXTS, strict=True)]
    listed = listed[turn:] + listed[:turn]
    assert item(listed, "B").choices[item(listed, "B").answer or 0] == "Woman"


@pytest.mark.parametrize(
    "choices",
    [
        ("1.5", "2.5", "3.5", "4.5"),
        ("1: 2", "2: 3", "3: 4", "4: 5"),
        ("1 - 2", "2 - 3", "3 - 4", "4 - 5"),
        ("A", "B", "C", "D"),
        ("C. Debussy", "J. S. Bach", "F. Chopin", "L. Beethoven"),
        ("A minor", "B minor", "C minor", "D minor"),
        ("A: yes", "A: no"),
        ("A: minor", "C: major", "B: flat", "D: sharp"),
        ("B. B. King", "A. C. Green"),
        ("1 dog", "2 dogs", "3 dogs", "4 dogs"),
        ("3. four", "4. five", "5. six"),
    ],
)
def test_what_is_no_label_stays(choices: tuple[str, ...]) -> None:
    assert printed_labels(choices) is None
    assert item(choices, choices[0]).choices == choices


def test_labels_within_labels_are_taken_off_too() -> None:
    listed = [f"({letter}) {n}. {text}" for letter, n, text in zip("ABCD", "1234", TEXTS, strict=True)]
    assert item(listed, listed[1]).choices == TEXTS
    other = [f"({letter}) {n}. {text}" for letter, n, text in zip("ABCD", "2143", TEXTS, strict=True)]
    assert item(other, other[1]).choices[1] == "1. Woman"  # another series: it may mean something


def test_where_some_options_carry_one_they_are_left_and_it_is_noted() -> None:
    made = item(["(A) Man", "(B) Woman", "Child", "Robot"], "(A) Man")
    assert made.choices == ("(A) Man", "(B) Woman", "Child", "Robot")
    assert made.notes == (PARTLY_LABELLED,)


@pytest.mark.parametrize("gold", ["E", "(E) Man", "(B) Man", "Dog"])
def test_a_gold_that_names_no_option_or_two_is_refused(gold: str) -> None:
    with pytest.raises(BadItem, match="answer"):
        item([f"({name}) {text}" for name, text in zip("ABCD", TEXTS, strict=True)], gold)


def test_identical_texts_are_seen_under_their_labels() -> None:
    made = item(["(A) Man", "(B) Man", "(C) Child"], "(C) Child")
    assert made.choices == ("Man", "Child")
    assert made.answer == 1
    rows = [{"question": "Who?", "choices": ["(A) Man", "(B) Man", "(C) Child"], "answer": "C"}]
    items = ac.load_items(rows, name="mine", mapping={"audio": "-"})
    kinds = {row["kind"]: row["n"] for row in ac.validate(items).findings.to_pylist()}
    assert kinds["labelled"] == 1
    found = {row["check"]: row["n"] for row in run_checks(items.table, ["keys"]).findings.to_pylist()}
    assert found["labels printed on options taken off"] == 1


@pytest.mark.parametrize("turn", range(4))
def test_a_printed_letter_in_a_reply_means_the_option_that_carries_it(turn: int) -> None:
    listed = [f"({name}) {text}" for name, text in zip("ABCD", TEXTS, strict=True)]
    shown = listed[turn:] + listed[:turn]
    for reply in ("B", "(B) Woman", "Woman", "<answer>B</answer>", "The answer is B."):
        choice = answers.parse(reply, shown).choice
        assert choice is not None
        assert shown[choice] == "(B) Woman"
