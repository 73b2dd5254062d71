"""Statements in prose: what is taken back, denied, supposed, quoted or doubled is no answer; what is corrected is."""

from __future__ import annotations

import pytest

from audiocontrib.answers import parse
from audiocontrib.responses import Outcome

OPTIONS = ("guitar", "piano", "violin", "drum")
CASES: dict[str, list[tuple[str, int | None]]] = {
    "retracted": [
        ("The answer is guitar. Wait, actually it's piano.", 1),
        ("The answer is guitar. No, piano.", 1),
        ("The answer is guitar, no, sorry, piano.", 1),
        ("The answer is guitar -- no, make that piano.", 1),
        ("Final answer: violin\n\nCorrection: drum", 3),
        ("Answer: A\nAfter checking I need to correct this.\nAnswer: B", 1),
        ("guitar. Oops, I meant piano.", 1),
        ("I change my answer from guitar to piano.", 1),
        ("The answer is guitar. Scratch that.", None),
        ("The answer is guitar. Ignore that.", None),
        ("I choose guitar... wait, no. I take that back.", None),
        ("The answer is guitar. But that does not match the rhythm.", None),
        ("<answer>guitar</answer> Wait, that is wrong. The answer is piano.", 1),
        ("<answer>guitar</answer> Scratch that.", None),
    ],
    "denied": [
        ("The piano is the least likely.", None),
        ("Anything but the piano.", None),
        ("Piano is highly unlikely.", None),
        ("I doubt that the answer is piano.", None),
        ("It is hardly a piano.", None),
        ("Piano is a distractor.", None),
        ("It could easily be mistaken for a piano.", None),
        ("The wrong answer is piano.", None),
        ("I reject piano.", None),
        ("Answer: It is not B, the answer is D", 3),
        ("It is far from guitar; the answer is piano.", 1),
        ("The answer is guitar. It is not guitar.", None),
    ],
    "supposed": [
        ("If I could hear it, I would choose piano.", None),
        ("If it were plucked, the answer would be guitar. It is hammered, so piano.", 1),
        ("Suppose it was struck. Then the answer would be piano.", None),
        ("The answer would be piano if the tempo were faster.", None),
        ("In a different key, the answer would be piano.", None),
        ("It might be a piano.", None),
        ("Perhaps piano.", None),
        ("Is it a piano, perhaps?", None),
        ("If I had to guess, I would say piano.", 1),
        ("Based on the attack, the answer would be piano.", 1),
    ],
    "quoted": [
        ("Many listeners would say the answer is guitar. It is a piano.", 1),
        ("According to my friend, the answer is guitar.", None),
        ('Someone told me: "The answer is guitar."', None),
        ("The transcript reads: the answer is guitar.", None),
        ("A naive listener would choose guitar, but the correct answer is piano.", 1),
        ("At first I thought the answer was guitar. In the end, the answer is piano.", 1),
        ('"The answer is piano."', 1),
    ],
    "two": [
        ("The answer is A. C is also correct.", None),
        ("Answer: guitar + violin", None),
        ("ANSWER: A, and C", None),
        ("guitar | piano", None),
        ("guitar; piano", None),
        ("It is a guitar along with a piano.", None),
        ("The answer is guitar, or maybe piano.", None),
        ("The answer is guitar. Alternatively, the answer is piano.", None),
        ("<answer>guitar</answer> or <answer>piano</answer>", None),
        ("The answer is A. It could also be B.", None),
    ],
    "wrapped": [
        ("ANSWER: $B$", 1),
        ("Answer: $B", 1),
        ("**ANSWER**: **B**", 1),
        ("#### B", 1),
        ("Response: B", 1),
        ("### Answer\n(B)", 1),
        ('{"final_answer": "D"}', 3),
        ('```json\n{"answer": "pi\\u0061no"}\n```', 1),
        ('{"answer": ["A", "B"]}', None),
        ("A) guitar ❌\nB) piano ✅\nC) violin ❌\nD) drum ❌", 1),
        ("A. incorrect\nB. correct\nC. incorrect\nD. incorrect", 1),
        ("I would pick B — a safe choice.", 1),
    ],
    "languages": [
        ("只有选项B是对的", 1),
        ("答案：【B】", 1),
        ("B是正确答案", 1),
        ("答案不是B。", None),
        ("答案是B。不对，是C。", 2),
        ("選択肢Bが正しいです。", 1),
        ("Bではありません。", None),
        ("정답은 B입니다.", 1),
        ("La respuesta correcta es B.", 1),
        ("La respuesta es B. Perdón, es C.", 2),
        ("Si fuera más grave, la respuesta sería B.", None),
        ("La bonne réponse est l'option B.", 1),
        ("Ce n'est pas B.", None),
        ("Antwort:\n\nAntwort: C", 2),
        ("Option B ist richtig.", 1),
        ("Die Antwort ist nicht B, sondern C.", 2),
        ("A resposta correta é B.", 1),
        ("La risposta giusta è B.", 1),
        ("Правильный ответ: B.", 1),
    ],
    "run on": [
        ("B\n\nQuestion: What is heard next?\nAnswer: C", 1),
        (
            "<answer>piano</answer><|im_end|>\n<|im_start|>user\nAnd now?<|im_end|>\n"
            "<|im_start|>assistant\n<answer>drum</answer>",
            1,
        ),
        ("The answer is piano.\n\nHuman: Sure?\n\nAssistant: The answer is drum.", 1),
    ],
}
TABLE = [
    pytest.param(reply, choice, id=f"{kind}-{reply[:50]!a}") for kind, cases in CASES.items() for reply, choice in cases
]


@pytest.mark.parametrize(("reply", "choice"), TABLE)
def test_statement(reply: str, choice: int | None) -> None:
    assert parse(reply, OPTIONS).choice == choice


@pytest.mark.parametrize(
    ("reply", "finish", "choice"),
    [
        ("<answer>piano", "stop", 1),
        ("<answer>piano", "length", None),
        ("<answer>piano", None, 1),
        ("The answer is piano", "length", None),
        ("The answer is piano", "stop", 1),
        ("I hear keys. <answer>piano</answer> This is because", "length", 1),
        ("So \\boxed{piano}, which", "length", 1),
        ("I cannot hear any audio, so", "length", None),
    ],
)
def test_a_cut_reply_counts_only_where_its_tag_is_closed(reply: str, finish: str | None, choice: int | None) -> None:
    assert parse(reply, OPTIONS, finish=finish).choice == choice


def test_an_unclosed_tag_counts_only_where_nothing_else_could_begin_so() -> None:
    assert parse("<answer>bass", ("bass", "bass guitar")).choice is None
    assert parse("<answer>bass guitar", ("bass", "bass guitar")).choice == 1
    assert parse("<answer>C", ("Cello", "Banjo", "Guitar", "Drum")).choice is None
    assert parse("<answer>C", ("Oboe", "Banjo", "Guitar", "Drum")).choice == 2


@pytest.mark.parametrize(
    ("reply", "options", "choice"),
    [
        ("<answer>A</answer>", ("B. piano", "C. violin", "D. drum", "A. guitar"), 3),
        ("B", ("B. piano", "C. violin", "D. drum", "A. guitar"), 0),
        ("<answer>A. Man</answer>", ("(B) Woman", "(C) Child", "(D) Robot", "(A) Man"), 3),
        ("The speaker is a woman.", ("(A) Man", "(B) Woman", "(C) Child"), 1),
        ("Option 2", ("2. piano", "3. violin", "1. drum"), 0),
        ("A", ("(B) A", "(A) B"), None),
        ("1 000", ("1", "10", "100", "1000"), 3),
        ("3½", ("3", "4", "2", "3.5"), 3),
        ("3 1/2", ("3", "4", "2", "3.5"), 3),
        ("10⁴", ("104", "10", "10000", "4"), 2),
        ("two and a half", ("two", "three", "one", "four"), None),
        ("three", ("2", "3", "4", "12"), 1),
        ("There are 3 speakers, 2 of which are male.", ("2", "3", "4", "12"), 1),
        ("at least 3", ("2", "3", "4", "12"), None),
        ("3 or more", ("2", "3", "4", "12"), None),
        ("3 is wrong", ("2", "3", "4", "12"), None),
        ("15 sec", ("5 seconds", "15 seconds", "50 seconds"), 1),
        ("<answer>4.4 s</answer>", ("4.4 seconds", "44 seconds"), 0),
        ("1 kHz", ("1000 Hz", "10 Hz", "100 Hz"), 0),
        ("two speakers", ("2 speakers", "3 speakers"), 0),
        ("C major 7th", ("C major", "D major"), None),
        ("<answer><answer>x</answer></answer>", ("<answer>x</answer>", "y"), 0),
        ("<answer>x</answer>", ("<answer>x</answer>", "y"), 0),
    ],
)
def test_labels_and_numbers(reply: str, options: tuple[str, ...], choice: int | None) -> None:
    assert parse(reply, options).choice == choice


def test_a_condition_on_hearing_is_a_refusal() -> None:
    assert parse("If I could hear the audio, I would choose piano.", OPTIONS).outcome is Outcome.REFUSED
