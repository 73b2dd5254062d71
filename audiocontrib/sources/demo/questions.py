"""Question families: what can be asked about a scene, and whether the text betrays the answer.

Where the audio is needed, the gold option and the others are exchangeable given the text: options are
drawn without regard to which is gold, so nobody who does not listen can beat chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from audiocontrib.registry import Registry
from audiocontrib.sources.demo import scenes, synth
from audiocontrib.sources.demo.facts import FACTS
from audiocontrib.sources.demo.scenes import Draw, Scene


@dataclass(frozen=True, slots=True)
class SceneQuestion:
    """A question about a scene."""

    family: str
    leak: str
    """``none`` (the audio is needed), ``explicit`` (the text states the answer), ``implicit`` (taught knowledge)."""
    text: str
    choices: tuple[str, ...]
    answer: str


Ask = Callable[[Scene, Draw], SceneQuestion]


@dataclass(frozen=True, slots=True)
class QuestionTemplate:
    """A way of asking. It fits the scenes that have the fact ``about``; None: any scene."""

    about: str | None
    ask: Ask


FAMILIES: Registry[QuestionTemplate] = Registry("demo question family")


def family(name: str, about: str | None) -> Callable[[Ask], Ask]:
    """Decorator that files a function as the question family ``name``."""

    def file(ask: Ask) -> Ask:
        FAMILIES.register(name)(QuestionTemplate(about, ask))
        return ask

    return file


def _asked(
    draw: Draw, name: str, leak: str, templates: Sequence[str], gold: Any, values: Sequence[Any], most: int
) -> SceneQuestion:
    """A question with 2 to ``most`` options, dealt evenly, in random order."""
    others = draw.some([v for v in values if v != gold], draw.value(f"{name} options", range(1, most)))
    return SceneQuestion(name, leak, draw.some(templates, 1)[0], tuple(draw.some([gold, *others], most)), gold)


def _simple(name: str, fact: str, templates: Sequence[str], values: Sequence[Any]) -> None:
    """Register a family that asks for one fact of the scene."""

    def ask(scene: Scene, draw: Draw) -> SceneQuestion:
        return _asked(draw, name, "none", templates, scene.facts[fact], values, min(len(values), 6))

    FAMILIES.register(name)(QuestionTemplate(fact, ask))


_simple("kind", "kind", ("Which sound is heard?", "What kind of sound is in the recording?"), tuple(synth.EVENTS))
_simple("change", "change", ("How does the loudness change?", "The loudness of the sound is"), scenes.CHANGES)
_simple("timbre", "timbre", ("Which instrument plays the notes?", "What plays the melody?"), tuple(synth.TIMBRES))
_simple("contour", "contour", ("How does the melody move?", "The pitch of the notes is"), tuple(scenes.CONTOURS))
_simple("tempo", "tempo", ("How fast are the notes?", "What is the tempo of the melody?"), tuple(scenes.TEMPOS))
_simple("vowel", "vowel", ("Which vowel does the voice say?", "What does the voice say?"), tuple(synth.VOWELS))
_simple("voice", "voice", ("Is the voice high or low?", "What is the pitch of the voice?"), tuple(scenes.VOICES))
_simple("syllables", "syllables", ("How many syllables are spoken?",), scenes.NUMBERS[:4])
_simple("pitch", "pitch", ("How high are the beeps?", "What is the pitch of the beeps?"), tuple(scenes.PITCHES))
_simple("count", "count", ("How many beeps are there?", "How often does it beep?"), scenes.NUMBERS)
_simple("place", "place", ("When is the sound heard?", "Where in the recording is the sound?"), scenes.PLACES)


@family("order", about="pair")
def _order(scene: Scene, draw: Draw) -> SceneQuestion:
    """Both options hold the same words: only their order tells them apart."""
    one, other = scene.facts["pair"]
    orders = (f"{one}, then {other}", f"{other}, then {one}")
    templates = ("In which order do the sounds come?", "What is the order of the sounds?")
    return _asked(draw, "order", "none", templates, orders[0], orders, 2)


@family("first", about="kinds")
def _first(scene: Scene, draw: Draw) -> SceneQuestion:
    kinds = scene.facts["kinds"]
    which = draw.value("first or last", (0, -1))
    text = "Which sound comes first?" if which == 0 else "Which sound comes last?"
    return SceneQuestion("first", "none", text, tuple(draw.some(kinds, len(kinds))), kinds[which])


@family("cue", about=None)
def _cue(scene: Scene, draw: Draw) -> SceneQuestion:
    """Explicit: a question that would need the audio, if the text did not name the answer."""
    plain = draw.some([f for f in _fitting(scene) if f is not FAMILIES["order"]], 1)[0].ask(scene, draw)
    cues = ("The title of the recording is {}.", "Somebody wrote: {}.", "The label says {}.")
    text = f"{draw.value('cue', cues).format(plain.answer)} {plain.text}"
    return SceneQuestion("cue", "explicit", text, plain.choices, plain.answer)


@family("knowledge", about=None)
def _knowledge(scene: Scene, draw: Draw) -> SceneQuestion:
    """Implicit: common knowledge answers it, whatever is heard."""
    number = draw.value("facts", range(len(FACTS)))
    templates, table = FACTS[number]
    key = draw.value(f"fact {number}", tuple(table))
    texts = [template.format(key=key) for template in templates]
    return _asked(draw, "knowledge", "implicit", texts, table[key], tuple(dict.fromkeys(table.values())), 4)


def scene_questions(scene: Scene, draw: Draw, most: int = 2) -> list[SceneQuestion]:
    """Questions on a scene: at most ``most`` that need the audio, and mostly one that leaks."""
    asked = [f.ask(scene, draw) for f in draw.some(_fitting(scene), most)]
    if draw.value("leaks", (True, True, True, False)):
        leaky = draw.value("leak", ("cue", "knowledge"))
        asked.append(FAMILIES[leaky].ask(scene, draw))
    return asked


def _fitting(scene: Scene) -> list[QuestionTemplate]:
    """The families that ask for a fact of this scene."""
    return [f for f in FAMILIES.values() if f.about is not None and f.about in scene.facts]
