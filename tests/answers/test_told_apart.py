"""What a reply says in signs, in tags of its own name, in mistyped words; and nouns that are not the answer."""

from __future__ import annotations

import pytest

from audiocontrib.answers import parse

OPTIONS = ("piano", "guitar", "violin", "drum")
CASES: dict[str, list[tuple[str, int | None]]] = {
    "verdicts, in one row or line by line": [
        ("A ✅ C ✅", None),
        ("piano ✅ guitar ❌", 0),
        ("A: ✘ B: ✘ C: ✘ D: ✔", 3),
        ("A: ✔ B: ✘ C: ✘ D: ✘", 0),
        ("A. No\nB. Yes\nC. No\nD. No", 1),
        ("- A: no\n- B: no\n- C: yes\n- D: no", 2),
        ("The answer is piano.\nNo", None),
    ],
    "a tag that is called by an option holds the answer": [
        ("<C>\nB\n</C>", 1),
        ("<Piano>\nD\n</Piano>", 3),
        ("It buzzes.\n<C>guitar</C>", 1),
        ("<B>not guitar</B>", None),
        ("<rejected>B</rejected>", None),
        ("<D> H </D>", None),
    ],
    "quoted with single marks": [
        ("The lyrics go 'the answer is piano'.", None),
        ("She sings 'I choose piano.'", None),
        ("I'd say it's 'piano'.", 0),
        ("'The answer is piano.'", 0),
    ],
    "mistyped": [
        ("The corect anwser is B.", 1),
        ("we can conclude that teh answer is drum", 3),
        ("ANWSER: B", 1),
        ("My chioce: violin", 2),
    ],
    "signs that say nothing": [
        ("🎉 My pick 👉 piano", 0),
        ("The answer is ➡️ B 🥁", 1),
        ("B (confidence: 92%)", 1),
        ("B (confidence: 0%)", None),
        ("answer: A\nexplanation: >\n  the guitar does not occur", 0),
    ],
    "after an answer": [
        ("B. Except that the second bar says something else.", None),
        ("B. Only until the second bar, that is.", None),
        ("B. Strings are plucked in the second bar.", 1),
    ],
    "short forms": [
        ("TL;DR: B", 1),
        ("| Answer | B |", 1),
        ("| Answer | B | C |", None),
        ("B번이 정답입니다.", 1),
    ],
    "another noun than the answer": [
        ("The label is guitar.", None),
        ("So the label is guitar.", None),
        ("The candidate is guitar.", None),
        ("The background is guitar.", None),
        ("The accompaniment is guitar.", None),
        ("The correct label is guitar.", 1),
        ("My label is guitar.", 1),
        ("Label: guitar", 1),
        ("The sound is guitar.", 1),
    ],
    "a letter with its text after words of certainty": [
        ("In the context of a visit, the instrument is most likely: (B) guitar", 1),
        ("It is loud, which aligns best with the feeling of guitar.", 1),
        ("It rings on, which is best described as guitar. The other options (piano, drum) do not fit.", 1),
    ],
}


@pytest.mark.parametrize(("reply", "choice"), [pytest.param(*case, id=case[0]) for k in CASES for case in CASES[k]])
def test_what_is_told_apart(reply: str, choice: int | None) -> None:
    assert parse(reply, OPTIONS).choice == choice


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("B", 1),  # no option is called B but by its label
        ("The answer is D.", 3),
        ("D. E", 3),
        ("The answer is C#m.", 2),
    ],
)
def test_of_printed_letters_each_is_its_option_although_another_is_a_pitch(reply: str, choice: int) -> None:
    assert parse(reply, ("A. F#m7", "B. Bm", "C. C#m", "D. E")).choice == choice


def test_a_letter_that_is_printed_on_one_option_and_the_text_of_another_is_neither() -> None:
    for reply in ("C", "The answer is C.", "<answer>C</answer>"):
        assert parse(reply, ("A. C", "B. D", "C. G", "D. A")).choice is None


def test_a_number_of_times_that_goes_on_in_unknown_words_is_none() -> None:
    assert parse("I counted 3 events and then lost track.", ("1", "2", "3", "4")).choice is None
    assert parse("I counted 3 events and nothing else.", ("1", "2", "3", "4")).choice == 2
    assert parse("The answer is option number 2.", ("one", "three", "four", "two")).choice is None


def test_a_scene_that_begins_with_a_number_among_other_scenes_is_a_text() -> None:
    scenes = ("Two females arguing", "A baby crying", "A fire alarm ringing", "A dog barking")
    for reply in ("The answer is Two females arguing.", "A. Two females arguing", "Answer: two females arguing"):
        assert parse(reply, scenes).choice == 0


@pytest.mark.parametrize(
    "reply",
    ["At 3 seconds something happens", "3 seconds in, a dog barks.", "There is a bark at 3 seconds.",
     "Around 3 minutes in, music starts", "From 3 s the music plays", "The bark comes 3 seconds later."],
)  # fmt: skip
def test_a_moment_of_the_clip_is_no_number_of_things(reply: str) -> None:
    assert parse(reply, ("1", "2", "3", "4")).choice is None
    assert parse("3 barks at 2 seconds.", ("1", "2", "3", "4")).choice == 2
    assert parse("3 seconds", ("1", "2", "3", "4")).choice == 2
    assert parse("The dog barks at 3 seconds.", ("1 s", "2 s", "3 s", "4 s")).choice in (None, 2)
