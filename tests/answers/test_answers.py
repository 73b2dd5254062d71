"""The answer parser: peers' probe table, every rule by example, and what must hold for any reply."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audiocontrib import answers
from audiocontrib.answers.options import read_options
from audiocontrib.answers.text import clean, core, fold
from audiocontrib.responses import Outcome

MUSIC = ("guitar", "piano", "violin", "drum")
DOGS = ("dog then cat", "cat then dog", "dog and cat together", "neither")
COUNTS = ("2", "3", "4", "5")
RATIOS = ("1:3", "3:1", "1:1", "2:3")
SECONDS = ("4.4s", "24.4s", "44s", "4s")
NONE = ("guitar", "piano", "None of the above", "All of the above")
PITCH = ("C", "A", "D", "B")
CHORDS = ("C", "C#", "Cm7b5", "Am")
STRINGS = ("guitar", "acoustic guitar", "bass guitar", "piano")
YES = ("Yes", "No", "Maybe", "Not sure")
SILENT = ("Speech", "Silence", "No sound", "Cannot be determined")
TWINS = ("Piano", "piano.", "violin", "drum")
NINE = tuple("one two three four five six seven eight nine".split())  # noqa: SIM905
CHINESE = ("吉他", "钢琴", "小提琴", "鼓")
PLACES = ("A concert hall", "A busy street", "A library", "In a car")

R, U = Outcome.REFUSED, Outcome.UNPARSED
Case = tuple[str, tuple[str, ...], "int | Outcome"]

CASES: dict[str, list[Case]] = {
    # Replies on which four published parsers disagree with the right answer or with each other.
    "peers": [
        ("B", MUSIC, 1),
        ("(B)", MUSIC, 1),
        ("B. piano", MUSIC, 1),
        ("ANSWER: B", MUSIC, 1),
        ("The answer is B.", MUSIC, 1),
        ("piano", MUSIC, 1),
        ("The instrument is a piano.", MUSIC, 1),
        ("The answer is a piano.", MUSIC, 1),
        ("I cannot hear any audio, so I am unable to answer.", MUSIC, R),
        ("It could be A or B, but I would choose B.", MUSIC, 1),
        ("<think>A is wrong. C is wrong.</think> B", MUSIC, 1),
        ("A violin is absent; the correct option is B", MUSIC, 1),
        ("答案是B", MUSIC, 1),
    ],
    # Published matchers: word sets, character sets, first letter, first substring.
    "defects": [
        ("Acoustic guitar", ("piano", "acoustic guitar", "drum", "flute"), 1),
        ("Because there is no audio", MUSIC, R),
        ("Both speakers are male", ("Both speakers are female", "One speaker", "Both speakers are male"), 2),
        ("Angry", ("Sad", "Happy", "Angry", "Neutral"), 2),
        ("(C) x", MUSIC, 2),
        ("None of the above", MUSIC, U),
        ("high, low, medium", ("low, high, medium", "high, low, medium", "medium, high, low"), 1),
        ("From far to near", ("From near to far", "From far to near"), 1),
        ("Ratio is 1:3", ("Ratio is 3:1", "Ratio is 1:3"), 1),
        (
            "first: neutral, second: frustration",
            ("first: frustration, second: neutral", "first: neutral, second: frustration"),
            1,
        ),
        ("The Dominant", ("Tonic", "Subdominant", "Dominant"), 2),
        ("Subdominant", ("Tonic", "Dominant", "Subdominant"), 2),
        ("sixteen", ("six", "sixteen"), 1),
        ("twenty-one", ("twenty", "twenty-three"), U),
    ],
    "reasoning": [
        ("<think>guitar</think>piano", MUSIC, 1),
        ("<THINK>It is a guitar</THINK>\n\npiano", MUSIC, 1),
        ("<thinking>A? B?</thinking> C", MUSIC, 2),
        ("<reasoning>guitar or drum</reasoning>\nThe answer is violin.", MUSIC, 2),
        ("<think>The answer is guitar", MUSIC, U),
        ("<think>The answer is guitar. B", MUSIC, U),
        ("<think>long thought <answer>piano</answer>", MUSIC, U),
        ("<think>long thought, so <answer>piano", MUSIC, U),
        ("<think>a <think>guitar</think> b</think> piano", MUSIC, 1),
        ("<think>a <think> guitar </think> piano", MUSIC, 1),
        ("It may be a guitar.</think>piano", MUSIC, 1),
        ("piano <think>or a guitar?</think>", MUSIC, 1),
        ("<think><answer>guitar</answer></think><answer>piano</answer>", MUSIC, 1),
        ("<think><answer>guitar</answer></think>", MUSIC, U),
        ("<think></think>B", MUSIC, 1),
        ("<think>x</think>guitar? no.<think>y</think> piano", MUSIC, 1),
        ("<think>x</think> Let me see <think> it is B", MUSIC, U),
        ("<think>I cannot hear it</think>piano", MUSIC, 1),
        ("<think>piano</think>I cannot hear any audio.", MUSIC, R),
    ],
    "tag": [
        ("<answer>piano</answer>", MUSIC, 1),
        ("<answer> Piano </answer>", MUSIC, 1),
        ("<ANSWER>PIANO</ANSWER>", MUSIC, 1),
        ("<Answer>\npiano\n</Answer>", MUSIC, 1),
        ("<answer>B</answer>", MUSIC, 1),
        ("<answer>b</answer>", MUSIC, 1),
        ("<answer>(B)</answer>", MUSIC, 1),
        ("<answer>B. piano</answer>", MUSIC, 1),
        ("<answer>B) piano</answer>", MUSIC, 1),
        ("<answer>option B</answer>", MUSIC, 1),
        ("<answer>Option B: piano</answer>", MUSIC, 1),
        ("<answer>'piano'</answer>", MUSIC, 1),
        ('<answer>"Piano."</answer>', MUSIC, 1),
        ("<answer>**piano**</answer>", MUSIC, 1),
        ("<answer>['piano']</answer>", MUSIC, 1),
        ("<answer>a piano</answer>", MUSIC, 1),
        ("<answer>The answer is B.</answer>", MUSIC, 1),
        ("<answer>\\boxed{B}</answer>", MUSIC, 1),
        ("<answer>guitar</answer> wait <answer>piano</answer>", MUSIC, 1),
        ("A guitar is heard. <answer>piano</answer> Not a violin.", MUSIC, 1),
        ("<answer>piano</answer>\n\nThe answer is guitar.", MUSIC, U),
        ("The answer goes into <answer> </answer>: <answer>drum</answer>", MUSIC, 3),
        ("<answer><answer>piano</answer></answer>", MUSIC, 1),
        ("< answer >piano</ answer >", MUSIC, 1),
        ("<answer></answer> piano", MUSIC, U),
        ("<answer>trumpet</answer> piano", MUSIC, U),
        ("<answer>piano or guitar</answer>", MUSIC, U),
        ("<answer>A, B</answer>", MUSIC, U),
        ("<answer>B. violin</answer>", MUSIC, U),
        ("<answer>E</answer>", MUSIC, U),
        ("<answer>I cannot hear any audio.</answer>", MUSIC, R),
        ("The answer is piano. <answer>Cannot be determined from the audio.</answer>", MUSIC, R),
        ("I cannot hear the audio, but I would guess <answer>piano</answer>", MUSIC, 1),
        ("<answer>piano", MUSIC, 1),
        ("I hear keys. <answer>\nB", MUSIC, 1),
        ("<answer>it could be a piano", MUSIC, U),
        ("<answer>it is a piano", MUSIC, 1),
        ("<answer>guitar</answer> or <answer>piano", MUSIC, U),
        ("<answer>piano, or maybe a guitar", MUSIC, U),
        ("piano</answer>", MUSIC, 1),
        ("<answer>cat then dog</answer>", DOGS, 1),
    ],
    "whole": [
        ("  Piano.  ", MUSIC, 1),
        ("**Piano**", MUSIC, 1),
        ("`piano`", MUSIC, 1),
        ("“piano”", MUSIC, 1),
        ("_piano_", MUSIC, 1),
        ("- piano", MUSIC, 1),
        ("PIANO!", MUSIC, 1),
        ("ｐｉａｎｏ", MUSIC, 1),
        ("pi\u200bano", MUSIC, 1),
        ("piano<|im_end|>", MUSIC, 1),
        ("\\text{piano}", MUSIC, 1),
        ("$\\boxed{\\text{piano}}$", MUSIC, 1),
        ("piano?", MUSIC, U),
        ("['piano']", MUSIC, 1),
        ("busy  street", ("busy street", "library"), 0),
        ("STRASSE", ("Straße", "Weg"), 0),
        ("cafe\u0301", ("café", "bar"), 0),
        ("Her left hand", ("Her left hand.", "Her right hand."), 0),
        ("dog then cat", DOGS, 0),
        ("cat then dog", DOGS, 1),
        (
            "Tommy Pickles (from Rugrats)",
            ("Tommy Pickles (from Rugrats)", "Tommy Pickles (from Hey Arnold!)"),
            0,
        ),
        ("['a', 'b']", ("['a', 'b']", "['b', 'a']"), 0),
    ],
    "phrase": [
        ("I hear a piano playing softly.", MUSIC, 1),
        ("A piano is playing", MUSIC, 1),
        ("A guitar.", MUSIC, 0),
        ("The sound of the drum, loud and clear.", MUSIC, 3),
        ("Pianos", MUSIC, U),
        ("a pianola", MUSIC, U),
        ("guitarist", MUSIC, U),
        ("a guitar-like sound", MUSIC, U),
        ("the piano's lid", MUSIC, U),
        ("a drum_machine", MUSIC, U),
        ("trumpet", MUSIC, U),
        ("guitar and piano", MUSIC, U),
        ("guitar/piano", MUSIC, U),
        ("There are a guitar and a violin.", MUSIC, U),
        ("First the dog then cat.", DOGS, 0),
        ("I hear a cat then dog here", DOGS, 1),
        ("the cat and then the dog", DOGS, U),
        ("dog, cat", DOGS, U),
        ("钢琴", CHINESE, 1),
        ("我听到钢琴的声音", CHINESE, 1),
        ("是小提琴。", CHINESE, 2),
        ("答案是钢琴", CHINESE, 1),
        ("A busy street", PLACES, 1),
        ("It was recorded in a library.", PLACES, 2),
        ("It was recorded in a car.", PLACES, 3),
        ("What instrument is it? A piano.", MUSIC, 1),
        ("Could you repeat the piano?", MUSIC, U),
    ],
    "numbers": [
        ("24.4s", SECONDS, 1),
        ("4.4s", SECONDS, 0),
        ("It starts at 24.4s.", SECONDS, 1),
        ("It starts at 4.4s, I believe.", SECONDS, 0),
        ("44s", SECONDS, 2),
        ("14s", SECONDS, U),
        ("144s", SECONDS, U),
        ("0.4s", SECONDS, U),
        ("-4s", SECONDS, U),
        ("1:3", RATIOS, 0),
        ("3:1", RATIOS, 1),
        ("The ratio is 3:1.", RATIOS, 1),
        ("11:3", RATIOS, U),
        ("1:31", RATIOS, U),
        ("3", COUNTS, 1),
        ("There are 3 speakers.", COUNTS, 1),
        ("The answer is 4.", COUNTS, 2),
        ("(5)", COUNTS, 3),
        ("3.5", COUNTS, U),
        ("13", COUNTS, U),
        ("3,000", COUNTS, U),
        ("3/4", COUNTS, U),
        ("3 to 7", COUNTS, U),
        ("5%", COUNTS, U),
        ("$5", COUNTS, U),
        ("2 or 3", COUNTS, U),
        ("I count 2, 3, 4: the answer is 4", COUNTS, 2),
        ("-5", ("5", "-5"), 1),
        ("The value is -5.", ("5", "-5"), 1),
        ("The value is 5.", ("5", "-5"), 0),
        ("100", ("10", "100"), 1),
        ("It is 100 Hz", ("10", "100"), 1),
        ("1000", ("10", "100"), U),
        ("158.0", ("58.0", "158.0"), 1),
        ("58.0", ("58.0", "158.0"), 0),
        ("nine hundred", ("nine", "ten"), U),
        ("There are nine birds", ("nine", "ten"), 0),
        ("twenty one", ("twenty", "thirty"), U),
        ("The time is 0:09 - 0:11.", ("0:00 - 0:08", "0:09 - 0:11"), 1),
        ("3/4 time", ("3/4", "4/4"), 0),
        ("8.42 to 12.63", ("0.00 to 8.42", "8.42 to 12.63"), 1),
        ("5 kHz", ("5 Hz", "50 Hz"), U),
    ],
    "longest": [
        ("It is an acoustic guitar.", STRINGS, 1),
        ("The bass guitar is heard", STRINGS, 2),
        ("It is a guitar.", STRINGS, 0),
        ("The answer is acoustic guitar.", STRINGS, 1),
        ("an acoustic guitar and a guitar", STRINGS, U),
        ("Both bird sound and male speech", ("Bird", "Male speech", "Both bird sound and male speech"), 2),
        ("I hear female speech here", ("Male speech", "Female speech", "speech"), 1),
        ("Funk rock", ("Funk", "Funk rock", "Rock"), 1),
    ],
    "music": [
        ("C#", CHORDS, 1),
        ("C", CHORDS, 0),
        ("The chord is C#.", CHORDS, 1),
        ("The chord is C.", CHORDS, 0),
        ("The chord is Cm7b5.", CHORDS, 2),
        ("C♯", ("C", "D"), U),
        ("I am listening", CHORDS, U),
        ("C++", ("C", "C++"), 1),
        ("It was written in C++ of course", ("C", "C++", "Java"), 1),
        ("F#:7/1", ("F#:7/1", "B:maj/1", "F#"), 0),
        ("It is in B Major", ("B Major", "C# Major"), 0),
        ("The song is in C major.", MUSIC, U),
        ("A:maj/3", ("B:maj/1", "E:maj/1", "D#:7/1"), U),
        ("vitamin C and plan B", MUSIC, U),
    ],
    "lettered options": [
        ("A", PITCH, 1),
        ("B", PITCH, 3),
        ("<answer>B</answer>", PITCH, 3),
        ("<answer>D</answer>", PITCH, 2),
        ("The answer is B.", PITCH, 3),
        ("The pitch is A.", PITCH, 1),
        ("(A) C", PITCH, 0),
        ("The correct answer is (B) A.", PITCH, 1),
        ("A pitch is heard", PITCH, U),
        ("E", PITCH, U),
        ("A", ("G", "D", "E", "C"), U),
        ("<answer>1</answer>", ("2", "1"), 1),
        ("a", ("twenty-one", "Berman's", "said", "a"), 3),
        ("The answer is a.", ("twenty-one", "Berman's", "said", "a"), 3),
        ("The speaker said a word", ("twenty-one", "Berman's", "word", "a"), 2),
    ],
    "decisive": [
        ("It could be a guitar or a violin, but the answer is piano.", MUSIC, 1),
        ("Guitar? Violin? I would choose the violin.", MUSIC, 2),
        ("There are a guitar and a drum, so it is a drum.", MUSIC, 3),
        ("Between guitar and piano, I'd go with piano.", MUSIC, 1),
        ("Guitar or drum. Correct option: drum", MUSIC, 3),
        ("The answer is guitar. Wait, the answer is piano.", MUSIC, 1),
        ("The answer is piano, since a guitar has no keys.", MUSIC, 1),
        ("Options: guitar, piano, violin, drum. Final answer: violin.", MUSIC, 2),
        ("A. guitar\nB. piano\nC. violin\nD. drum\n\nThe correct answer is C.", MUSIC, 2),
        ("The answer is B from the list:\nA. guitar\nB. piano\nC. violin\nD. drum", MUSIC, 1),
        ("The guitar is loud. The drum is soft.\n\nB", MUSIC, 1),
        ("B. piano\n\nA guitar would be plucked, a drum beaten.", MUSIC, 1),
        ("B. The piano is struck while a guitar would be plucked.", MUSIC, 1),
        ("A is wrong, C is wrong, B is right.", MUSIC, 1),
        ("guitar or piano: piano is the correct answer", MUSIC, 1),
        ("The correct option is (C) violin, not (A) guitar.", MUSIC, 2),
        ("I compared guitar and drum. \\boxed{D}", MUSIC, 3),
        ("The most likely answer is probably a violin, not a guitar, drum or piano", MUSIC, 2),
        ("The answer is guitar or piano.", MUSIC, U),
        ("The answer is A or B.", MUSIC, U),
        ("The answer is A and C", MUSIC, U),
        ("guitar\npiano", MUSIC, U),
        ("A. guitar B. piano C. violin D. drum", MUSIC, U),
        ("A) guitar B) piano C) violin D) drum", MUSIC, U),
        ("Guitar, or else a drum; hard to hear which", MUSIC, R),
        ("I'll go with B", MUSIC, 1),
        ("My final answer: **violin**", MUSIC, 2),
        ("Answer:\npiano", MUSIC, 1),
        ("可能是A或B，我选B", MUSIC, 1),
        ("正确答案是 C。", MUSIC, 2),
    ],
    "negation": [
        ("It is not a piano.", MUSIC, U),
        ("It isn't a violin, it's a drum.", MUSIC, 3),
        ("A piano rather than a guitar.", MUSIC, 1),
        ("It is a piano, not a guitar.", MUSIC, 1),
        ("It's not a guitar but a piano.", MUSIC, 1),
        ("Not A, not C, not D.", MUSIC, U),
        ("It is neither a guitar nor a violin.", MUSIC, U),
        ("It is not a guitar, violin, or drum, but a piano.", MUSIC, 1),
        ("not a guitar, violin", MUSIC, U),
        ("The guitar is absent.", MUSIC, U),
        ("Guitar, violin and drum can be ruled out.", MUSIC, U),
        ("The answer is not B.", MUSIC, U),
        ("The answer isn't piano.", MUSIC, U),
        ("I would not choose piano.", MUSIC, U),
        ("B is incorrect.", MUSIC, U),
        ("There is no piano here.", MUSIC, U),
        ("It sounds like a violin instead of a drum", MUSIC, 2),
        ("No doubt a piano", MUSIC, 1),
        ("Unlike a drum, the violin sings.", MUSIC, U),
        ("It is more like a piano than a guitar", MUSIC, 1),
        ("It can't be a guitar; violin.", MUSIC, 2),
        ("If it were a drum we would know.", MUSIC, U),
        ("不是钢琴", CHINESE, U),
        ("不是钢琴，是鼓", CHINESE, 3),
    ],
    "labels": [
        ("B.", MUSIC, 1),
        ("B)", MUSIC, 1),
        ("B:", MUSIC, 1),
        ("**B**", MUSIC, 1),
        ("[B]", MUSIC, 1),
        ("b", MUSIC, 1),
        ("b)", MUSIC, 1),
        ("(b)", MUSIC, 1),
        ("option b", MUSIC, 1),
        ("answer: b", MUSIC, 1),
        ("Option B", MUSIC, 1),
        ("Choice C.", MUSIC, 2),
        ("Answer: (D)", MUSIC, 3),
        ("The answer is (B)", MUSIC, 1),
        ("The answer is **B**.", MUSIC, 1),
        ("The correct answer is option C", MUSIC, 2),
        ("\\boxed{B}", MUSIC, 1),
        ("$\\boxed{\\text{(B)}}$", MUSIC, 1),
        ("I think it is C.", MUSIC, 2),
        ("B because of the keys", MUSIC, 1),
        ("B, because of the keys", MUSIC, 1),
        ("The answer is A.", MUSIC, 0),
        ("（Ｂ）", MUSIC, 1),
        ("选项B", MUSIC, 1),
        ("答案：B", MUSIC, 1),
        ("B。", MUSIC, 1),
        ("E", MUSIC, U),
        ("the answer is b.", MUSIC, 1),
        ('{"answer": "B"}', MUSIC, 1),
        ("Answer - B", MUSIC, 1),
        ("It must be B.", MUSIC, 1),
        ("B:piano", MUSIC, 1),
        ("选择B", MUSIC, 1),
        ("答えはBです", MUSIC, 1),
        ("정답은 B입니다", MUSIC, 1),
        ("The answer is B:maj7/1.", MUSIC, U),
        ("The answer is C.5", MUSIC, U),
        ("1. Listen. 2. Think.", MUSIC, U),
        ("(F)", MUSIC, U),
        ("The answer is Z.", MUSIC, U),
        ("C", MUSIC[:2], U),
        ("A sound is heard", MUSIC, U),
        ("A", MUSIC, 0),
        ("A trumpet is playing", MUSIC, U),
        ("The answer is A trumpet", MUSIC, U),
        ("the answer is a", MUSIC, U),
        ("The answer is a trumpet.", MUSIC, U),
        ("I hear something", NINE, U),
        ("I", NINE, 8),
        ("(I)", NINE, 8),
        ("Option I.", NINE, 8),
        ("I think so", NINE, U),
        ("A or B", MUSIC, U),
        ("A, B", MUSIC, U),
        ("A\nB", MUSIC, U),
        ("(A) (B)", MUSIC, U),
        ("Option A. Option B.", MUSIC, U),
        ("Because", MUSIC, U),
        ("Bad audio quality, Don", MUSIC, U),
        ("D'Angelo", MUSIC, U),
        ("A-B", MUSIC, U),
    ],
    "label and text": [
        ("B. violin", MUSIC, U),
        ("(A) piano", MUSIC, U),
        ("The answer is B. violin", MUSIC, U),
        ("C: piano", MUSIC, U),
        ("B piano", MUSIC, 1),
        ("C piano", MUSIC, U),
        ("piano (B)", MUSIC, 1),
        ("piano (C)", MUSIC, U),
        ("B - piano", MUSIC, 1),
        ("The answer is (B) piano.", MUSIC, 1),
        ("The answer is B: a piano.", MUSIC, 1),
        ("Option B (piano)", MUSIC, 1),
        ("B. I hear a violin.", MUSIC, U),
        ("B. Clearly a piano.", MUSIC, 1),
        ("The answer is B, which is the violin.", MUSIC, U),
        ("The answer is B, which is the piano.", MUSIC, 1),
        ("B - violin", MUSIC, U),
        ("Option A is a guitar, option B is a piano.", MUSIC, U),
        ("B. cat then dog", DOGS, 1),
        ("B. dog then cat", DOGS, U),
    ],
    "twins": [
        ("piano", TWINS, U),
        ("Piano", TWINS, U),
        ("<answer>piano.</answer>", TWINS, U),
        ("The answer is piano.", TWINS, U),
        ("A", TWINS, 0),
        ("B. piano", TWINS, 1),
        ("<answer>A) Piano</answer>", TWINS, 0),
        ("violin", TWINS, 2),
    ],
    "none of the above": [
        ("None of the above", NONE, 2),
        ("The answer is none of the above.", NONE, 2),
        ("C. None of the above", NONE, 2),
        ("None of the above fits the audio", NONE, 2),
        ("<answer>None of the above</answer>", NONE, 2),
        ("All of the above", NONE, 3),
        ("None", NONE, U),
        ("None of them", MUSIC, U),
    ],
    "everyday words": [
        ("Yes", YES, 0),
        ("No", YES, 1),
        ("No.", YES, 1),
        ("No, there is not.", YES, 1),
        ("Yes, there is no doubt about it", YES, 0),
        ("There is no dog in it", YES, U),
        ("The answer is no.", YES, 1),
        ("The answer is yes.", YES, 0),
        ("Not sure", YES, 3),
        ("I am not sure.", YES, 3),
        ("<answer>no</answer>", YES, 1),
    ],
    "refusal": [
        ("I cannot hear any audio.", MUSIC, R),
        ("I can’t hear the audio.", MUSIC, R),
        ("There is no audio.", MUSIC, R),
        ("There's no audio provided", MUSIC, R),
        ("No sound was provided.", MUSIC, R),
        ("No audio file was attached to your message.", MUSIC, R),
        ("I'm sorry, but I can't help with that.", MUSIC, R),
        ("I'm sorry, but the recording", MUSIC, R),
        ("Sorry, I am unable to listen to audio.", MUSIC, R),
        ("Unable to determine.", MUSIC, R),
        ("It cannot be determined from the audio.", MUSIC, R),
        ("Cannot be determined", MUSIC, R),
        ("As an AI language model, I cannot process sounds.", MUSIC, R),
        ("I don't have access to the recording", MUSIC, R),
        ("I don't know.", MUSIC, R),
        ("I didn't hear anything.", MUSIC, R),
        ("The audio is silent.", MUSIC, R),
        ("The audio clip appears to be empty.", MUSIC, R),
        ("Please provide the audio file.", MUSIC, R),
        ("There is not enough information.", MUSIC, R),
        ("It is impossible to tell without listening.", MUSIC, R),
        ("无法判断", MUSIC, R),
        ("抱歉，我没有听到音频。", MUSIC, R),
        ("I cannot tell whether it is a guitar or a piano.", MUSIC, R),
        ("I cannot hear a piano or anything else.", MUSIC, R),
        ("There is no audio, so it could be a guitar, piano, violin or drum.", MUSIC, R),
        ("I cannot hear it, so I cannot say whether the answer is piano.", MUSIC, R),
        ("No audio was provided; please upload the piano recording.", MUSIC, R),
        ("I'm unable to choose between guitar and piano.", MUSIC, R),
        ("I can't determine which option (A, B, C or D) is correct.", MUSIC, R),
        ("I cannot hear the audio, but my guess is piano.", MUSIC, 1),
        ("I cannot hear the audio. The answer is B.", MUSIC, 1),
        ("I can't hear any audio.\nB", MUSIC, 1),
        ("Without hearing the audio I would guess piano.", MUSIC, 1),
        ("Since no audio was provided, I will choose piano.", MUSIC, 1),
        ("If I had to guess, I'd say piano.", MUSIC, 1),
        ("It is difficult to determine whether it's piano or guitar", MUSIC, R),
        ("It is unclear.", MUSIC, R),
        ("I'm not sure, but it sounds like a piano.", MUSIC, 1),
        ("I'm sorry for the confusion. Piano.", MUSIC, 1),
        ("Cannot be determined", SILENT, 3),
        ("It cannot be determined from the audio.", SILENT, 3),
        ("<answer>Cannot be determined</answer>", SILENT, 3),
        ("Silence", SILENT, 1),
        ("No sound", SILENT, 2),
        ("There is no sound in the clip.", SILENT, 2),
        ("The answer is no sound.", SILENT, 2),
        ("I cannot hear anything", SILENT, R),
        ("The pianist cannot hear the drum.", ("loud", "soft"), R),
        ("It cannot be a guitar.", MUSIC, U),
    ],
    "nothing": [
        ("", MUSIC, U),
        ("   \n ", MUSIC, U),
        (".", MUSIC, U),
        ("\x00", MUSIC, U),
        ("\ud800", MUSIC, U),
        ("Hello!", MUSIC, U),
        ("!!!!!!!!", MUSIC, U),
        ("<answer>", MUSIC, U),
        ("</answer>", MUSIC, U),
        ("</think>", MUSIC, U),
        ("{}", MUSIC, U),
        ("The answer is", MUSIC, U),
        ("null", MUSIC, U),
    ],
}

TABLE = [
    pytest.param(reply, choices, expected, id=f"{rule}-{number}-{re.sub(r'[^ -~]+', '_', reply)[:40]}")
    for rule, cases in CASES.items()
    for number, (reply, choices, expected) in enumerate(cases)
]


@pytest.mark.parametrize(("reply", "choices", "expected"), TABLE)
def test_reply(reply: str, choices: tuple[str, ...], expected: int | Outcome) -> None:
    answer = answers.parse(reply, choices)
    if isinstance(expected, Outcome):
        assert answer == answers.Answer(expected, None)
    else:
        assert answer == answers.Answer(Outcome.ANSWERED, expected)


def test_a_list_and_a_tuple_of_choices_read_the_same() -> None:
    assert answers.parse("piano", list(MUSIC)) == answers.parse("piano", MUSIC)


def test_choices_without_any_text_are_named_by_their_label_alone() -> None:
    assert answers.parse("", ("", "  ")).outcome is U
    assert answers.parse("B", ("", "  ")).choice == 1
    assert answers.parse("A", ()).outcome is U


# fmt: off
PIECES = [
    "x", "a", "1", "1:", "(", "((B))", "\n", "**", "_", "*", " ", "'", "\x00", "\ud800", "\u0315\u0300",
    "钢琴", "<think>", "</think>", "<think", "<answer>", "</answer>", "<answer", "\\boxed{", "A ", "A or ",
    "B. ", "B\n", "option ", "piano ", "not piano, ", "so it is ", "i cannot ", "there is no ",
    "the answer is ", "answer: answer ",
]
WORDS = [
    *MUSIC, "A", "B", "(C)", "D.", "not", "the answer is", "I would choose", "<answer>", "</answer>",
    "<think>", "</think>", ",", ".", "or", "and", "a", "is", "cannot", "hear", "\n", "?", "no audio", "**",
    "\\boxed{", "-",
]
# Neither an option's word nor a letter that could label one of four, but all that stands around them.
FOREIGN = [
    "the", "answer", "is", "a trumpet", "A flute", "I", "would", "choose", "correct", "option", "so", "it",
    "not", "sounds like", "hear", "no", "audio", "cannot", "final", "an", "of", "guitars", "pianist",
    "violin-like", "drums", "E", "(F)", "Z.", "<answer>", "</answer>", "<think>", "</think>", "答案是", "7",
    "None", "\\boxed{", "**", ":", ".", ",", "\n", "(", ")", "'", "-", "?",
]
# fmt: on


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_long_replies_are_read_in_linear_time(piece: str) -> None:
    """Work that grows with the square of the length would take many minutes here."""
    reply = piece * (60_000 // len(piece))
    answer = answers.parse(reply, MUSIC)
    assert (answer.outcome is Outcome.ANSWERED) == (answer.choice is not None)


@pytest.mark.slow
def test_a_long_reply_is_still_read_to_its_end() -> None:
    assert answers.parse("La la. " * 40_000 + "The answer is piano.", MUSIC).choice == 1


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
choice_lists = st.lists(words, min_size=1, max_size=8)


@pytest.mark.slow
@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join)), choice_lists)
def test_no_reply_raises(reply: str, choices: list[str]) -> None:
    answer = answers.parse(reply, choices)
    assert (answer.outcome is Outcome.ANSWERED) == (answer.choice is not None)
    assert answer.outcome is not Outcome.FAILED
    assert answer.choice is None or 0 <= answer.choice < len(choices)


@settings(deadline=None)
@given(st.lists(st.sampled_from(FOREIGN), max_size=30).map(" ".join))
def test_a_reply_that_holds_no_option_never_yields_one(reply: str) -> None:
    assert answers.parse(reply, MUSIC).choice is None


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="abcdABCDａｂｃｄＡＢＣＤ")), st.integers(2, 4))
def test_nothing_is_read_into_text_without_the_options_letters(reply: str, count: int) -> None:
    assume(not set(clean(reply).lower()) & set("abcd"))
    assert answers.parse(reply, ("abba", "baobab", "cabal", "dada")[:count]).choice is None


def spoken(text: str) -> bool:
    """No tag of its own, and something to say."""
    return "<" not in clean(text) and bool(fold(core(clean(text))))


@settings(deadline=None)
@given(st.data(), st.lists(words.filter(spoken), min_size=2, max_size=6), st.text(), st.text())
def test_the_tagged_choice_is_chosen(data: st.DataObject, choices: list[str], before: str, after: str) -> None:
    assume(len(read_options(choices).texts) == len(choices))
    assume("<" not in before + after)
    index = data.draw(st.integers(0, len(choices) - 1))
    reply = f"{before}<answer>{choices[index]}</answer>{after}"
    read = answers.parse(reply, choices)
    assert read.choice == index or (after and read.choice is None)  # what follows may take it back
    assert answers.parse(f"{before}<answer>{choices[index]}</answer>", choices).choice == index


PHRASES = [
    "{}",
    "The answer is {}.",
    "I hear a {}.",
    "<answer>{}</answer>",
    "so it is {}",
    "not {}",
    "{} or x",
]


@settings(deadline=None)
@given(st.permutations(range(4)), st.sampled_from(MUSIC + DOGS[:2]), st.sampled_from(PHRASES), st.booleans())
def test_permuted_choices_permute_the_answer(order: list[int], named: str, phrase: str, dogs: bool) -> None:
    choices = DOGS if dogs else MUSIC
    reply = phrase.format(named)
    before = answers.parse(reply, choices)
    after = answers.parse(reply, [choices[i] for i in order])
    assert before.outcome == after.outcome
    assert before.choice == (None if after.choice is None else order[after.choice])
