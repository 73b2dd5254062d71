"""What stands before a form in its sentence, and what follows the option, is of known kinds too."""

from __future__ import annotations

import pytest

from audiocontrib.answers import parse

OPTIONS = ("piano", "guitar", "violin", "drum")
CASES: dict[str, list[tuple[str, int | None]]] = {
    "what comes after": [
        ("The answer is piano. The tempo is fast.", 0),
        ("The answer is piano. I can hear hammers on strings.", 0),
        ("The answer is piano. The other options do not match the audio.", 0),
        ("The answer is piano. A guitar would be plucked.", 0),
        ("The answer is piano. Confidence: 0.2", 0),
        ("答案是piano。因为音色明亮。", 0),
        ("<answer>piano</answer> The tempo is slow.", 0),
        ("The answer is piano. That was my first reaction.", None),
        ("The answer is piano. As if.", None),
        ("The answer is piano. Others prefer guitar.", None),
        ("The answer is piano. The end of the clip blows this theory apart.", None),
        ("<answer>piano</answer> is what I would have said.", None),
        ("La respuesta es piano. Es broma.", None),
        ("Piano is the answer I would cross out first.", None),
        ("Imagine a slower version. The answer is piano.", None),
        ("The answer is a cheap copy of piano.", None),
        ("piano?", None),
    ],
    "what follows": [
        ("Piano, of course, is nonsense.", None),
        ("Piano, a stringed instrument.", 0),
        ("Piano, because the tempo is slow.", 0),
        ("Piano — rejected.", None),
        ("Piano (eliminated)", None),
        ("Piano (the tempo is slow)", 0),
        ("The answer is piano in theory.", None),
        ("Piano is the answer most people would give.", None),
        ("Piano is the correct answer to a different question.", None),
        ("Piano is the odd one out and does not fit.", None),
    ],
    "what leads to it": [
        ("The options include piano.", None),
        ("One of the options is piano.", None),
        ("For the answer to be piano, there would have to be a second speaker.", None),
        ("In the original, the answer was piano.", None),
        ("On the forum, the answer is piano.", None),
        ("There is some chance of piano.", None),
        ("E.g. Answer: A", None),
        ('"The answer is piano.", says the man.', None),
        ('Option B is "guitar".', None),
        ("Option A describes piano.", None),
        ("They are wrong: it's piano.", 0),
        ("I disagree: the answer is piano.", 0),
        ("Given the slow tempo, the answer is piano.", 0),
        ("It appears that piano is the best answer.", 0),
        ("I would have to say piano.", 0),
    ],
    "two answers": [
        ("The answer is piano. The answer is guitar.", None),
        ("The answer is piano. So the answer is guitar.", 1),
        ("The answer is piano. Wait. The answer is guitar.", 1),
        ("The answer is piano. Another correct answer is guitar.", None),
        ("The answer is piano. I'd also tick B.", None),
        ("The answer is drum; A would be acceptable too.", None),
        ("Both apply: piano; guitar.", None),
        ("<answer>A</answer>\n<answer>B</answer>", None),
        ('{"answer": "A"} {"answer": "B"}', None),
        ("B\n\n2. Which is next?\n(A) guitar\n(B) piano\nAnswer: A", None),
    ],
    "tags that are shown": [
        ("Format: <answer>B</answer> where B is the letter.", None),
        ("Respond with it like <answer>B</answer>", None),
        ("I listened to it. <answer>B</answer>", 1),
    ],
    "taken back": [
        ("Piano... Actually no. Let me think about this some more.", None),
        ("The answer is piano. That was a hallucination.", None),
        ("Answer: guitar. (Revised: piano)", 0),
        ("D. drum\n\nThe other options, such as piano, do not match.", 3),
        ("We can eliminate guitar, violin, and drum. That leaves piano.", 0),
        ("[ ] guitar\n[x] piano\n[ ] violin\n[ ] drum", 0),
        ("| Option | Verdict |\n|---|---|\n| piano | correct |\n| guitar | incorrect |", 0),
    ],
}


@pytest.mark.parametrize(("reply", "choice"), [case for cases in CASES.values() for case in cases])
def test_closed_end(reply: str, choice: int | None) -> None:
    assert parse(reply, OPTIONS).choice == choice


@pytest.mark.parametrize(
    ("reply", "options", "choice"),
    [
        ("5 dollars", ("$5", "$50", "5 euros"), None),
        ("5", ("$5", "$50", "5 euros"), None),
        ("2", ("100 Hz", "2 kHz"), None),
        ("2 kHz", ("100 Hz", "2 kHz"), 1),
        ("two, four, and one", ("one", "two", "four"), None),
        ("one hundred and two", ("102", "100"), 0),
        ("1960", ("1950s", "1960s"), None),
        ("2 languages", ("one speaker", "two speakers"), None),
        ("2 people", ("one speaker", "two speakers"), 1),
        ("Option A says two.", ("one", "two", "three"), None),
        ("two deserves consideration.", ("one", "two", "three"), None),
    ],
)
def test_closed_end_of_a_number(reply: str, options: tuple[str, ...], choice: int | None) -> None:
    assert parse(reply, options).choice == choice
