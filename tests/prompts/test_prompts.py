"""What is sent to a model, fixed to the letter: rendered prompts per condition and per model family."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import ROOT
from helpers.lazy import lazy

from audiocontrib.audio import RATE, make_sound
from audiocontrib.conditions import CONDITIONS, condition
from audiocontrib.models import load_model
from audiocontrib.prompts import PROMPTS, SYSTEM, Prompt, make_prompt, rotate, unrotate

lalm = lazy("audiocontrib.models.lalm")

SNAPSHOTS = ROOT / "tests/helpers/snapshots/prompts.json"
QUESTION = "Who speaks first?"
CHOICES = ("the woman's voice", 'a "robot"', "Ärzte – nobody")
TINY = {
    "qwen2_5_omni": "tiny-qwen2.5-omni",
    "qwen2_audio": "tiny-qwen2-audio",
    "audioflamingo3": "tiny-audio-flamingo-3",
}


def prompt_for(spec: str, name: str = "audiomcq") -> Prompt:
    how = condition(spec)
    question = QUESTION if how.shows_question else None
    return make_prompt(question, CHOICES, order=1, has_audio=how.has_audio, prompt=name)


def spec_of(name: str) -> str:
    parameters = {"clip": "0-2", "mask": "40", "snr": "10", "swap-mask": "40", "swap-snr": "10"}
    return f"{name}:{parameters[name]}" if name in parameters else name


@pytest.mark.slow
@pytest.mark.parametrize("family", TINY)
def test_rendered_prompts_are_what_they_were(family: str) -> None:
    # a change here changes every answer: it needs a new prompt name, or a very good reason
    model = load_model(TINY[family], device="cpu")
    assert isinstance(model, lalm.AudioLanguageModel)
    rendered = {name: model.encoder.render(prompt_for(spec_of(name))) for name in CONDITIONS}
    rendered |= {f"audio, {name}": model.encoder.render(prompt_for("audio", name)) for name in PROMPTS}
    stored = json.loads(SNAPSHOTS.read_text(encoding="utf-8"))
    assert rendered == stored[family]


@pytest.mark.parametrize("family", TINY)
def test_only_conditions_with_audio_hold_an_audio_part(family: str) -> None:
    stored = json.loads(SNAPSHOTS.read_text(encoding="utf-8"))[family]
    for name, kind in CONDITIONS.items():
        placeholders = stored[name].count("<sound>") + stored[name].count("<|AUDIO|>")
        assert placeholders == kind.has_audio
        assert (QUESTION in stored[name]) == kind.shows_question
        assert all(repr(choice) in stored[name] for choice in CHOICES)


def test_the_published_prompt() -> None:
    made = make_prompt("What?", ("Option1", "Option2"), has_audio=True)
    assert made.system == SYSTEM
    assert made.user == (
        "What? Please choose the answer from the following options: ['Option1', 'Option2']. "
        "Output the final answer in <answer> </answer>."
    )
    card = make_prompt("What?", ("Option1", "Option2"), has_audio=True, prompt="audiomcq-card")
    assert "[''Option1'', ''Option2'']" in card.user
    assert card.sha256 != made.sha256


def test_options_are_listed_as_python_prints_them() -> None:
    assert """["the woman's voice", 'a "robot"', 'Ärzte – nobody']""" in make_prompt("q", CHOICES, has_audio=False).user


@pytest.mark.parametrize("order", range(4))
def test_unrotate_undoes_rotate(order: int) -> None:
    assert unrotate([float(c) for c in rotate(("0", "1", "2", "3"), order)], order) == (0.0, 1.0, 2.0, 3.0)


def test_everything_that_is_read_is_in_the_hash() -> None:
    base = prompt_for("audio")
    others = [prompt_for("text"), prompt_for("noquestion"), make_prompt(QUESTION, CHOICES, has_audio=True)]
    assert len({base.sha256, *(other.sha256 for other in others)}) == 4


def test_a_placeholder_in_a_question_is_not_the_audio() -> None:
    model = load_model(TINY["audioflamingo3"], device="cpu")
    assert isinstance(model, lalm.AudioLanguageModel)
    prompt = make_prompt("What is <sound>?", CHOICES, has_audio=True)
    sound = make_sound(np.zeros(RATE, dtype=np.float32))
    ids, shared = model.encode(prompt, sound)
    assert ids.count(model.encoder.audio_id) == ids[:shared].count(model.encoder.audio_id) == 25
    assert "What is <sound>?" in model.tokenizer.decode(ids[shared:])
