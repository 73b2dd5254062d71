"""Every family, as a tiny random model of its real class: what the adapter computes is what the class computes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy
from helpers.tiny_families import BUILD, publish, tiny
from helpers.tiny_omni import OMNI
from helpers.unchecked import unchecked  # noqa: F401

from audiocontrib.audio import RATE, Sound, make_sound, silence
from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import seeded
from audiocontrib.items import Clip, Item
from audiocontrib.models import Request
from audiocontrib.models.families import FAMILIES, audio_tokens
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

lalm = lazy("audiocontrib.models.lalm")
load = lazy("audiocontrib.models.load")
torch = lazy("torch")

QUESTIONS = [
    ("Which sound is heard?", ("bell", "hiss", "whistle")),
    ("In which order do the sounds come, Ünïcode?", ("bell, then hiss", "a longer option that shares no word")),
]
LENGTHS = [800, 1600, 1601, 3199, 3201, 15999, 16000, 16001, 20137, 79999, 160000, 479999, 480000]
WINDOWS = [480001, 496000, 720001, 960000]

model = cache(tiny)
kinds = pytest.mark.parametrize("kind", BUILD)


def clip(name: str, seconds: float) -> Sound:
    return make_sound((seeded(name).random(round(seconds * RATE)) - 0.5).astype(np.float32))


CASES: dict[str, list[Sound | None]] = {
    "audio": [clip("a", 2.0), clip("b", 0.731)],
    "silence": [silence(3.0)],
    "text": [None],
}
cases = pytest.mark.parametrize("spec", CASES)


def sounds_of(kind: str, spec: str) -> list[Sound | None]:
    """Those of the case; silence is shorter for families whose layers take long on a CPU."""
    return [silence(4.0)] if spec == "silence" and kind in OMNI else CASES[spec]


def requests(spec: str, sounds: list[Sound | None] | None = None) -> list[Request]:
    how = condition(spec)
    sounds = sounds or CASES[spec]
    made = []
    for number, (question, choices) in enumerate(QUESTIONS):
        item = Item(f"t/{number}", "t", question, choices, 0, Clip("x.wav"), f"c{number}")
        prompt = make_prompt(question, choices, order=number % 2, has_audio=how.has_audio)
        made.append(Request(item, how, number % 2, prompt, sounds[number % len(sounds)]))
    return made


def plain_inputs(model: AudioLanguageModel, request: Request) -> dict[str, torch.Tensor]:
    """What a user of transformers would give the model: the processor's own output, nothing shared."""
    sound: dict[str, Any] = {}
    if request.sound:
        sound = {"audio": [request.sound.samples.copy()], "audio_kwargs": {"sampling_rate": RATE}}
    text = {"text": [model.encoder.render(request.prompt)], "text_kwargs": {"add_special_tokens": False}}
    return dict(model.processor(**text, **sound, return_tensors="pt"))


def plain_scores(model: AudioLanguageModel, request: Request) -> list[float]:
    """Sum of log p over each option and its closing tag, by a full forward each."""
    texts = [request.prompt.completion(option) for option in request.prompt.options]
    targets = [model.tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    opened = model._opening(targets)
    scores = []
    for target in targets:
        inputs = plain_inputs(model, request)
        n = inputs["input_ids"].shape[1]
        more = torch.tensor([target])
        inputs["input_ids"] = torch.cat([inputs["input_ids"], more], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        for name in {"token_type_ids", "mm_token_type_ids"} & set(inputs):
            inputs[name] = torch.cat([inputs[name], torch.zeros_like(more)], dim=1)
        with torch.inference_mode():
            logprobs = model.net(**inputs, use_cache=False).logits[0].float().log_softmax(-1)
        scores.append(sum(logprobs[n - 1 + i, token].item() for i, token in enumerate(target[opened:], opened)))
    return scores


@pytest.mark.slow
@kinds
@cases
def test_likelihood_equals_a_full_forward_per_option(kind: str, spec: str) -> None:
    asked = requests(spec, sounds_of(kind, spec))
    for request, scored in zip(asked, model(kind).likelihood(asked), strict=True):
        expected = plain_scores(model(kind), request)
        np.testing.assert_allclose(scored.logprobs, expected, atol=1e-4, rtol=0)
        assert np.ptp(expected) > 0.1  # options that all scored alike would prove nothing
        assert scored.prompt_tokens == plain_inputs(model(kind), request)["input_ids"].shape[1]


@pytest.mark.slow
@kinds
@cases
def test_generation_equals_generate(kind: str, spec: str) -> None:
    asked, lengths = requests(spec, sounds_of(kind, spec)), []
    most = 6 if kind in OMNI else 10
    for request, reply in zip(asked, model(kind).generate(asked, max_new_tokens=most), strict=True):
        inputs = plain_inputs(model(kind), request)
        with torch.inference_mode():
            out = model(kind).net.generate(**inputs, do_sample=False, max_new_tokens=most)
        written = out[0, inputs["input_ids"].shape[1] :]
        assert reply.text == model(kind).tokenizer.decode(written, skip_special_tokens=True)
        lengths.append(len(written))
    assert max(lengths) > 4  # replies that stopped at once would prove nothing


@pytest.mark.slow
@kinds
def test_audio_tokens_are_counted_as_the_processor_counts(kind: str) -> None:
    prompt = requests("audio")[0].prompt
    for samples in LENGTHS + (WINDOWS if FAMILIES[kind].max_seconds > 60 else []):
        made = model(kind).features(prompt, make_sound(np.zeros(samples)))  # compares all tokens with the processor's
        assert set(made) == set(FAMILIES[kind].features)
        ids, shared = model(kind).encode(prompt, make_sound(np.zeros(samples)))
        assert ids.count(model(kind).encoder.audio_id) == audio_tokens(samples, FAMILIES[kind])
        assert ids[shared - 1] == model(kind).encoder.audio_id
        assert model(kind).encoder.audio_id not in ids[shared:]


@pytest.mark.slow
@kinds
def test_the_sound_is_heard(kind: str) -> None:
    # the same length, so that only the samples differ
    one, other = (requests("audio", [sound]) for sound in (clip("a", 2.0), silence(2.0)))
    heard = [model(kind).likelihood(asked)[0].logprobs for asked in (one, other)]
    assert np.abs(np.subtract(*heard)).max() > 1e-3


@pytest.mark.slow
@kinds
def test_what_the_model_cannot_hear_is_refused(kind: str) -> None:
    prompt = requests("audio")[0].prompt
    with pytest.raises(AudiocontribError, match="no sound was given"):
        model(kind).encode(prompt, None)
    if FAMILIES[kind].max_seconds <= 30:
        with pytest.raises(AudiocontribError, match=r"31\.00 s"):
            model(kind).features(prompt, silence(31.0))
    if FAMILIES[kind].tokens(320) < 1:
        with pytest.raises(AudiocontribError, match=r"hears nothing of a clip of 0\.020 s"):
            model(kind).encode(prompt, silence(0.02))


def scores(model: AudioLanguageModel, spec: str) -> list[tuple[float, ...]]:
    return [scored.logprobs for scored in model.likelihood(requests(spec))]


@pytest.mark.slow
@kinds
def test_a_checkpoint_in_the_published_files_loads(kind: str, tmp_path: Path) -> None:
    plain = publish(kind, tmp_path / kind)
    # of these the tests above say what the self-check would; Nemotron's Mamba layers are left to it
    check = kind not in OMNI or kind == "nemotron_h_omni"
    loaded = load.load_checkpoint(tmp_path / kind, device="cpu", dtype="float32", check=check)
    assert isinstance(loaded, lalm.AudioLanguageModel)
    assert loaded.decoder.path == ("single" if kind == "inkling_mm_model" else "clips")
    assert type(loaded.net).__name__ == FAMILIES[kind].model_class
    for spec in ("audio", "text"):
        np.testing.assert_allclose(np.concatenate(scores(loaded, spec)), np.concatenate(scores(plain, spec)), atol=1e-5)


# Granite Speech Plus has the adapter of Granite Speech, and is loaded with it above
adapted = pytest.mark.parametrize("kind", ["granite_speech", "phi4_multimodal"])


@pytest.mark.slow
@adapted
def test_an_adapter_is_on_only_while_audio_is_heard(kind: str, tmp_path: Path) -> None:
    publish(kind, tmp_path / kind)
    loaded = load.load_checkpoint(tmp_path / kind, device="cpu", dtype="float32")
    assert isinstance(loaded, lalm.AudioLanguageModel)
    base = model(kind)
    assert np.abs(np.subtract(scores(loaded, "audio")[0], scores(base, "audio")[0])).max() > 1e-2
    np.testing.assert_allclose(scores(loaded, "text")[0], scores(base, "text")[0], atol=1e-5)
    # asked together, in any order, each is answered as if asked alone
    heard, read = requests("audio"), requests("text")
    mixed = loaded.likelihood([read[0], heard[0], read[1], heard[1]])
    expected = [scores(loaded, spec)[i] for i in (0, 1) for spec in ("text", "audio")]
    for scored, logprobs in zip(mixed, expected, strict=True):
        np.testing.assert_allclose(scored.logprobs, logprobs, atol=1e-5)
    loaded.net.enable_adapters()
    np.testing.assert_allclose(scores(loaded, "audio")[0], plain_scores(loaded, heard[0]), atol=1e-4)


@adapted
def test_a_checkpoint_without_its_adapter_is_refused(kind: str, tmp_path: Path) -> None:
    publish(kind, tmp_path / kind)
    (tmp_path / kind / str(FAMILIES[kind].adapter) / "adapter_model.safetensors").unlink()
    with pytest.raises(AudiocontribError, match="its adapter is missing"):
        load.load_checkpoint(tmp_path / kind, device="cpu")


@pytest.mark.slow
@adapted
def test_another_adapter_is_another_fingerprint(kind: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    publish(kind, tmp_path / kind)
    one = load.load_checkpoint(tmp_path / kind, device="cpu").fingerprint()
    file = tmp_path / kind / str(FAMILIES[kind].adapter) / "adapter_model.safetensors"
    save_file({name: 2 * tensor for name, tensor in load_file(file).items()}, file)
    other = load.load_checkpoint(tmp_path / kind, device="cpu").fingerprint()
    assert {name for name in one if one[name] != other[name]} == {"weights_sha256"}


def test_base_weights_that_an_adapter_could_hide_are_missed(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    publish("granite_speech", tmp_path / "g")
    weights = load_file(tmp_path / "g" / "model.safetensors")
    lacking = {name: tensor for name, tensor in weights.items() if "projector" not in name}
    save_file(lacking, tmp_path / "g" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AudiocontribError, match=r"it lacks \d+ weights"):
        load.load_checkpoint(tmp_path / "g", device="cpu")


def test_granite_divides_its_logits(tmp_path: Path) -> None:
    publish("granite_speech", tmp_path / "g")
    config = json.loads((tmp_path / "g" / "config.json").read_text())
    config["text_config"]["logits_scaling"] = 8.0
    (tmp_path / "g" / "config.json").write_text(json.dumps(config))
    loaded = load.load_checkpoint(tmp_path / "g", device="cpu", dtype="float32")
    assert isinstance(loaded, lalm.AudioLanguageModel)
    inputs = plain_inputs(model("granite_speech"), requests("text")[0])
    with torch.inference_mode():
        loaded.net.disable_adapters()
        np.testing.assert_allclose(
            loaded.net(**inputs).logits, model("granite_speech").net(**inputs).logits / 8, atol=1e-5
        )


def test_gemma_is_loaded_without_its_image_tower(tmp_path: Path) -> None:
    publish("gemma3n", tmp_path / "g")
    loaded = load.load_checkpoint(tmp_path / "g", device="cpu")
    assert isinstance(loaded, lalm.AudioLanguageModel)
    assert not list(loaded.net.model.vision_tower.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("samples", [800, 15999, 16000, 32161])
def test_granites_features_are_log_mel_frames_in_pairs(samples: int) -> None:
    import librosa

    from audiocontrib.models.granite import GraniteFeatures

    clip = (seeded("g").random(samples) - 0.5).astype(np.float32)
    # the published extractor's settings, by another library's spectrogram
    power = librosa.feature.melspectrogram(
        y=clip, sr=RATE, n_fft=512, win_length=400, hop_length=160, n_mels=80, htk=True, norm=None, pad_mode="reflect"
    )
    logs = np.log10(np.maximum(power.T, 1e-10))
    logs = np.maximum(logs, logs.max() - 8) / 4 + 1
    pairs = logs[: len(logs) // 2 * 2].reshape(1, -1, 160)
    np.testing.assert_allclose(GraniteFeatures()(clip)["input_features"], pairs, atol=2e-5)
