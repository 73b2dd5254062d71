"""Loading checkpoints as they are published, and the traps in which a model would be silently wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.lazy import lazy
from helpers.unchecked import unchecked  # noqa: F401

from audiocontrib.audio import RATE, make_sound
from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Clip, Item
from audiocontrib.models import MODELS, Request, load_model
from audiocontrib.models.families import FAMILIES, audio_tokens
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

lalm = lazy("audiocontrib.models.lalm")
load = lazy("audiocontrib.models.load")
torch = lazy("torch")
transformers = lazy("transformers")

TINY = {
    "qwen2_5_omni": "tiny-qwen2.5-omni",
    "qwen2_audio": "tiny-qwen2-audio",
    "audioflamingo3": "tiny-audio-flamingo-3",
}
LENGTHS = [1600, 1601, 3199, 3200, 3201, 4000, 15999, 16000, 16001, 20137, 32000, 47999, 79999, 160000, 479999, 480000]


def tiny(family: str) -> AudioLanguageModel:
    model = load_model(TINY[family], device="cpu", dtype="float32")
    assert isinstance(model, lalm.AudioLanguageModel)
    return model


def request(seconds: float = 1.3) -> Request:
    item = Item("t/1", "t", "Which sound is heard?", ("bell", "hiss"), 0, Clip("x.wav"), "x")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * RATE))
    prompt = make_prompt(item.question, item.choices, has_audio=True)
    return Request(item, condition("audio"), 0, prompt, make_sound(noise))


def test_every_named_model_says_what_it_is() -> None:
    assert set(TINY.values()) | {"mock", "smollm2-135m"} <= set(MODELS)
    assert all(known.about for known in MODELS.values())


@pytest.mark.slow
@pytest.mark.parametrize("family", TINY)
def test_audio_tokens_are_counted_as_the_processor_counts(family: str) -> None:
    model = tiny(family)
    lengths = LENGTHS + ([496000, 720000, 960001] if family == "audioflamingo3" else [])
    for samples in lengths:
        sound = make_sound(np.zeros(samples))
        features = model.features(request().prompt, sound)  # compares all tokens with the processor's
        assert abs(audio_tokens(samples, FAMILIES[family]) - samples / RATE * 25) <= 1
        assert features["input_features"].shape[1] == 128


def test_audio_flamingo_hears_windows_of_30_s() -> None:
    features = tiny("audioflamingo3").features(request().prompt, make_sound(np.zeros(45 * RATE)))
    assert features["input_features"].shape[0] == 2
    assert audio_tokens(45 * RATE, FAMILIES["audioflamingo3"]) == 1125


def test_what_would_be_cut_silently_is_refused() -> None:
    with pytest.raises(AudiocontribError, match=r"audio tokens of 31\.00 s"):
        tiny("qwen2_audio").features(request().prompt, make_sound(np.zeros(31 * RATE)))


def published_omni(folder: Path, chunk_length: int) -> AudioLanguageModel:
    """The tiny thinker inside a whole Qwen2.5-Omni checkpoint, in the files that the published one has."""
    model = tiny("qwen2_5_omni")
    whole = transformers.Qwen2_5OmniConfig(thinker_config=model.net.config.to_dict(), enable_audio_output=False)
    folder.mkdir()
    weights = {f"thinker.{name}": tensor.clone() for name, tensor in model.net.state_dict().items()}
    from safetensors.torch import save_file

    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    whole.save_pretrained(folder)
    extractor = transformers.WhisperFeatureExtractor(
        feature_size=128, sampling_rate=RATE, hop_length=160, chunk_length=chunk_length, n_fft=400,
        return_attention_mask=True,
    )  # fmt: skip
    extractor.save_pretrained(folder)  # preprocessor_config.json, as published
    model.tokenizer.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": model.processor.chat_template}))
    # published defaults that sample
    defaults = {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "repetition_penalty": 1.05}
    stop = sorted(model.stop)
    (folder / "generation_config.json").write_text(
        json.dumps(defaults | {"eos_token_id": stop, "pad_token_id": stop[0]})
    )
    return model


def test_the_thinker_loads_from_a_whole_published_checkpoint(tmp_path: Path) -> None:
    plain = published_omni(tmp_path / "omni", chunk_length=300)
    loaded = load.load_checkpoint(tmp_path / "omni", device="cpu", dtype="float32")
    assert isinstance(loaded, lalm.AudioLanguageModel)
    assert loaded.processor.feature_extractor.chunk_length == 300
    assert type(loaded.net).__name__ == "Qwen2_5OmniThinkerForConditionalGeneration"
    ours, theirs = plain.net.state_dict(), loaded.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    asked = [request()]
    np.testing.assert_allclose(plain.likelihood(asked)[0].logprobs, loaded.likelihood(asked)[0].logprobs, atol=1e-6)
    # sampling defaults of the checkpoint do not count
    assert plain.generate(asked, 12) == loaded.generate(asked, 12) == loaded.generate(asked, 12)


@pytest.mark.slow
def test_features_padded_to_the_clip_are_those_padded_to_300_s(tmp_path: Path) -> None:
    published_omni(tmp_path / "omni", chunk_length=300)
    loaded = load.load_checkpoint(tmp_path / "omni", device="cpu", dtype="float32")
    asked = request(2.137)
    assert isinstance(loaded, lalm.AudioLanguageModel)
    assert asked.sound is not None
    short = loaded.features(asked.prompt, asked.sound)
    whole = loaded.processor(
        text=[loaded.encoder.render(asked.prompt)], audio=[asked.sound.samples], audio_kwargs={"sampling_rate": RATE},
        return_tensors="pt",
    )  # fmt: skip
    frames = int(whole["feature_attention_mask"].sum())
    assert whole["input_features"].shape[-1] == 30_000
    assert short["input_features"].shape[-1] < 300
    assert torch.equal(short["input_features"][..., :frames], whole["input_features"][..., :frames])


def test_a_prompt_without_its_sound_is_refused() -> None:
    with pytest.raises(AudiocontribError, match="no sound"):
        tiny("qwen2_audio").likelihood([replace(request(), sound=None)])


def test_other_weights_have_another_fingerprint(tmp_path: Path) -> None:
    model = tiny("qwen2_audio")
    for folder in ("a", "b"):
        model.net.save_pretrained(tmp_path / folder)
        model.processor.save_pretrained(tmp_path / folder)
        with torch.no_grad():
            model.net.get_output_embeddings().weight[0, 0] += 1
    one, other = (load.load_checkpoint(tmp_path / folder, device="cpu").fingerprint() for folder in ("a", "b"))
    differing = {key for key in one if one[key] != other[key]}
    assert differing == {"weights_sha256"}
    lower = load.load_checkpoint(tmp_path / "a", device="cpu", dtype="bfloat16").fingerprint()
    assert {key for key in one if one[key] != lower[key]} == {"dtype"}


def test_remote_code_is_not_run_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "unheard-of", "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}})
    )
    (tmp_path / "evil.py").write_text("raise SystemExit('remote code ran')")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(AudiocontribError, match="cannot be loaded") as caught:
        load.load_checkpoint(tmp_path)
    assert "\n" not in str(caught.value)


def test_truncated_weights_are_one_line(tmp_path: Path) -> None:
    model = tiny("qwen2_audio")
    model.net.save_pretrained(tmp_path)
    model.processor.save_pretrained(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudiocontribError, match="cannot be loaded"):
        load.load_checkpoint(tmp_path, device="cpu")


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    model = tiny("qwen2_audio")
    lacking = {name: t for name, t in model.net.state_dict().items() if "layers.0" not in name}
    model.net.save_pretrained(tmp_path, state_dict=lacking)
    model.processor.save_pretrained(tmp_path)
    with pytest.raises(AudiocontribError, match=r"it lacks \d+ weights"):
        load.load_checkpoint(tmp_path, device="cpu")


def test_the_attention_can_be_chosen() -> None:
    eager = load_model("tiny-qwen2.5-omni", device="cpu", attention="eager")
    assert eager.fingerprint()["attention"] == "eager"
    assert load_model("tiny-qwen2.5-omni", device="cpu").fingerprint()["attention"] == "sdpa"
    with pytest.raises(AudiocontribError, match="cannot be loaded") as caught:
        load_model("tiny-qwen2.5-omni", device="cpu", attention="flash_attention_2")
    assert "\n" not in str(caught.value)
