"""PromptEncoder: what scoring and training read alike, without the network; and the paths of the processors."""

from __future__ import annotations

import importlib
import pickle
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.audio import make_sound
from audiocontrib.models import load_model
from audiocontrib.models.families import FAMILIES
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import DEFAULT_PROMPT, find_prompt, make_prompt
from audiocontrib.training.model_card.usage import usage

if TYPE_CHECKING:
    from audiocontrib.models.encoder import PromptEncoder
    from audiocontrib.models.lalm import AudioLanguageModel

lalm = lazy("audiocontrib.models.lalm")
processors = lazy("audiocontrib.models.processors")
torch = lazy("torch")

TINY = ["tiny-qwen2.5-omni", "tiny-qwen2-audio", "tiny-audio-flamingo-3"]
PROMPTS = [make_prompt("Which is heard?", ("a dog", "rain"), has_audio=heard) for heard in (True, False)]
SOUND = make_sound(np.random.default_rng(0).uniform(-0.5, 0.5, 12345))


def tiny(name: str, dtype: str = "float32") -> AudioLanguageModel:
    model = load_model(name, device="cpu", dtype=dtype)
    assert isinstance(model, lalm.AudioLanguageModel)
    return model


@pytest.mark.parametrize("name", TINY)
def test_a_copy_for_another_process_holds_no_weights_and_reads_the_same(name: str) -> None:
    model = tiny(name)
    packed = pickle.dumps(model.encoder)
    assert len(packed) < 2_000_000 < sum(p.numel() * 4 for p in model.net.parameters())
    copy: PromptEncoder = pickle.loads(packed)
    assert not any(isinstance(value, torch.nn.Module) for value in vars(copy.processor).values())
    for prompt in PROMPTS:
        sound = SOUND if prompt.has_audio else None
        assert copy.encode(prompt, sound) == model.encode(prompt, sound)
        ours, theirs = copy.features(prompt, sound), model.features(prompt, sound)
        assert set(ours) == set(theirs) == (set(model.encoder.family.features) if sound else set())
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.slow
def test_features_are_placed_as_the_network_wants_them() -> None:
    encoder = tiny(TINY[0], "bfloat16").encoder
    made = encoder.features(PROMPTS[0], SOUND)
    assert made["input_features"].dtype == torch.bfloat16
    assert not made["feature_attention_mask"].is_floating_point()
    plain = replace(encoder, dtype=torch.float32).features(PROMPTS[0], SOUND)
    assert torch.equal(plain["input_features"].to(torch.bfloat16), made["input_features"])


@pytest.mark.slow
def test_a_reply_ends_as_the_template_ends_it() -> None:
    assert {tiny(name).encoder.ending() for name in TINY} == {"<|im_end|>"}


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [((), (), 0), ((1,), (), 0), ((1, 2), (1, 2, 3), 2), ((1, 2, 3), (1, 9, 3), 1), ((1,), (2,), 0)],
)
def test_common_prefix(a: tuple[int, ...], b: tuple[int, ...], common: int) -> None:
    assert common_prefix(a, b) == common_prefix(b, a) == common


def test_every_processor_of_ours_is_at_the_path_that_cards_print() -> None:
    for kind, family in FAMILIES.items():
        cls = family.processor()
        ours = cls.__module__.startswith("audiocontrib.")
        assert ours == (cls.__name__ in processors.__all__)
        script = "\n".join(usage(family, family.model_class, 30.0, find_prompt(DEFAULT_PROMPT)))
        assert (f"from audiocontrib.models.processors import {cls.__name__}" in script) == ours, kind


def test_the_path_that_older_cards_print_goes_on_with_a_line() -> None:
    sys.modules.pop("audiocontrib.models.omni", None)
    with pytest.warns(FutureWarning, match="audiocontrib.models.processors"):
        old = importlib.import_module("audiocontrib.models.omni")
    assert len(old.__all__) == 5
    assert all(getattr(old, name) is getattr(processors, name) for name in old.__all__)


def test_a_checkpoint_says_itself_how_long_it_hears() -> None:
    model = tiny("tiny-audio-flamingo-3")
    assert model.max_seconds == 600
    model.processor.max_audio_len = 1800  # as Audio Flamingo Next's
    encoder = replace(model.encoder)
    assert encoder.max_seconds == 1800
    assert tiny("tiny-qwen2-audio").max_seconds == 30
