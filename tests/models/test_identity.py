"""A checkpoint is the same only if every file that can change an answer is; adapters are on under every condition."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.lazy import lazy
from helpers.unchecked import unchecked  # noqa: F401

from audiocontrib.audio import RATE, make_sound
from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Clip, Item
from audiocontrib.models import TINY, Request, load_model
from audiocontrib.prompts import make_prompt
from audiocontrib.store.identity import ACCEPT, merge_manifests, refuse

load = lazy("audiocontrib.models.load")
adapters = lazy("audiocontrib.models.adapters")
torch = lazy("torch")
transformers = lazy("transformers")

OMNI = "tiny-qwen2.5-omni"
CLASSES = {
    OMNI: "Qwen2_5OmniThinkerForConditionalGeneration",
    "tiny-qwen2-audio": "Qwen2AudioForConditionalGeneration",
    "tiny-audio-flamingo-3": "AudioFlamingo3ForConditionalGeneration",
}


def _text(settings: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["text_config"].update(settings)


def _features(**settings: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["feature_extractor"].update(settings)


EDITS: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "rope_theta": ("config.json", lambda c: c["text_config"]["rope_parameters"].update(rope_theta=2e4)),
    "rms_norm_eps": ("config.json", _text({"rms_norm_eps": 0.5})),
    "n_window": ("config.json", lambda c: c["audio_config"].update(n_window=25)),
    "sliding window": ("config.json", _text({"use_sliding_window": True, "sliding_window": 16})),
    "n_fft": ("processor_config.json", _features(n_fft=200)),
    "do_normalize": ("processor_config.json", _features(do_normalize=True)),
    "padding_side": ("processor_config.json", _features(padding_side="left")),
    "padding_value": ("processor_config.json", _features(padding_value=1.0)),
    "merges": ("tokenizer.json", lambda t: t["model"].update(merges=t["model"]["merges"][:50])),
    "normalizer": ("tokenizer.json", lambda t: t.update(normalizer={"type": "Lowercase"})),
    "eos": ("generation_config.json", lambda c: c.update(eos_token_id=5)),
    "tokenizer side": ("tokenizer_config.json", lambda c: c.update(padding_side="left")),
}


def edited(folder: Path, file: str, edit: Callable[[dict[str, Any]], None]) -> Path:
    shutil.copytree(TINY / OMNI, folder)
    held = json.loads((folder / file).read_text(encoding="utf-8"))
    edit(held)
    (folder / file).write_text(json.dumps(held), encoding="utf-8")
    return folder


def manifest(told: dict[str, Any]) -> dict[str, Any]:
    return {"identity": {"models": {"m": told}}}


def request(audio: bool) -> Request:
    choices = ("bell, then hiss", "bell", "hiss, then whistle")
    sound = make_sound(np.random.default_rng(0).uniform(-0.5, 0.5, RATE)) if audio else None
    item = Item("t/1", "t", "Which sounds are heard?", choices, 0, Clip("x.wav"), "x")
    how = condition("audio" if audio else "text")
    return Request(item, how, 0, make_prompt(item.question, choices, has_audio=audio), sound)


@pytest.fixture(scope="module")
def was() -> dict[str, Any]:
    return load.load_checkpoint(TINY / OMNI, device="cpu").fingerprint()  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_a_file_refuses_the_run_and_is_named(name: str, was: dict[str, Any], tmp_path: Path) -> None:
    file, edit = EDITS[name]
    now = load.load_checkpoint(edited(tmp_path / "m", file, edit), device="cpu").fingerprint()
    _, changes = merge_manifests(manifest(was), manifest(now))
    assert changes
    assert all(change.startswith(f"models.m.files.{file}") for change in changes)
    assert not merge_manifests(manifest(was), manifest(was))[1]


def test_records_of_a_training_and_where_it_came_from_change_nothing(tmp_path: Path) -> None:
    shutil.copytree(TINY / OMNI, tmp_path / "m")
    was = load.load_checkpoint(tmp_path / "m", device="cpu").fingerprint()
    config = json.loads((tmp_path / "m/config.json").read_text(encoding="utf-8"))
    (tmp_path / "m/config.json").write_text(json.dumps(config | {"_name_or_path": "x", "transformers_version": "9"}))
    (tmp_path / "m/trainer_state.json").write_text("{}")
    (tmp_path / "m/README.txt").write_text("hello")
    assert load.load_checkpoint(tmp_path / "m", device="cpu").fingerprint() == was


def test_numbers_that_json_has_not_are_kept_as_words(tmp_path: Path) -> None:
    folder = edited(tmp_path / "m", "config.json", lambda c: c.update(limit=[0.0, float("inf")]))
    assert load_model(str(folder), device="cpu").fingerprint()["files"]["config.json"]["limit"] == [0.0, "Infinity"]


def test_a_run_of_an_older_program_goes_on_only_if_that_is_asked_for() -> None:
    older = {"weights_sha256": "a", "dtype": "float32"}
    today = older | {"files": {"config.json": {"x": 1}}}
    _, changes = merge_manifests(manifest(older), manifest(today))
    assert len(changes) == 1
    assert changes[0].endswith(ACCEPT)
    assert refuse(Path("r"), changes).argument == "accept_identity"
    merged, changes = merge_manifests(manifest(older), manifest(today), accept_identity=True)
    assert not changes
    assert merged["identity"]["models"]["m"] == today
    # what it did keep must be the same, and what a run of today keeps too
    assert merge_manifests(manifest(older | {"dtype": "float16"}), manifest(today), accept_identity=True)[1]
    other = older | {"files": {"config.json": {"x": 2}}}
    assert merge_manifests(manifest(today), manifest(other), accept_identity=True)[1] == [
        "models.m.files.config.json.x: 1 -> 2"
    ]
    assert merge_manifests(manifest({"skill": 1}), manifest({"skill": 1, "leak": 1}), accept_identity=True)[1]


def test_noise_in_the_features_is_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path / "m", "processor_config.json", _features(dither=0.5))
    with pytest.raises(AudiocontribError, match="random noise"):
        load.load_checkpoint(folder, device="cpu")


@pytest.mark.parametrize("form", ["'%d %b %Y'", '"%H:%M:%S"', " '%Y' "])
def test_a_template_that_asks_for_the_date_gets_a_fixed_one(form: str, tmp_path: Path) -> None:
    shutil.copytree(TINY / OMNI, tmp_path / "m")
    place = tmp_path / "m/chat_template.jinja"
    place.write_text("{{ strftime_now(" + form + ") }}" + place.read_text(encoding="utf-8"), encoding="utf-8")
    model = load.load_checkpoint(tmp_path / "m", device="cpu")
    assert model.fingerprint()["template_date"] == "2025-01-01"
    told = load.with_fixed_date.__globals__["DATE"].strftime(form.strip(" '\""))
    assert model.encoder.render(request(audio=True).prompt).startswith(told)


@pytest.mark.parametrize(
    "asks",
    [
        "{% set f = '%Y' %}{{ strftime_now(f) }}",
        "{% set now = strftime_now %}{{ now('%Y') }}",
        "{{ (strftime_now)('%Y') }}",
        "{% if strftime_now is defined %}{{ strftime_now('%Y' ~ '%m') }}{% endif %}",
    ],
)
def test_a_date_in_a_form_that_cannot_be_read_is_refused(asks: str, tmp_path: Path) -> None:
    shutil.copytree(TINY / OMNI, tmp_path / "m")
    place = tmp_path / "m/chat_template.jinja"
    place.write_text(asks + place.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(AudiocontribError, match="today's date"):
        load.load_checkpoint(tmp_path / "m", device="cpu")


def test_a_reply_of_logits_that_are_not_numbers_fails() -> None:
    model = load.load_checkpoint(TINY / OMNI, device="cpu")
    with torch.no_grad():
        model.net.get_output_embeddings().weight[3] = float("nan")
    with pytest.raises(AudiocontribError, match="NaN"):
        model.generate([request(audio=True)], 8)


def adapter_of(name: str, folder: Path) -> Any:
    """A LoRA adapter of a tiny model in ``folder``, as peft saves it; the model with it merged."""
    peft = pytest.importorskip("peft")
    base = getattr(transformers, CLASSES[name]).from_pretrained(TINY / name, dtype=torch.float32)
    torch.manual_seed(3)
    settings = peft.LoraConfig(target_modules=r".*self_attn\.(q|v)_proj", r=4, lora_alpha=32, init_lora_weights=False)
    adapted = peft.get_peft_model(base, settings)
    adapted.save_pretrained(folder)
    return adapted.merge_and_unload().eval()


def scores(model: Any, audio: bool) -> list[float]:
    return list(model.likelihood([request(audio)])[0].logprobs)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_an_adapter_is_on_under_every_condition(name: str, tmp_path: Path) -> None:
    merged_net = adapter_of(name, tmp_path / "adapter")
    shutil.copytree(TINY / name, tmp_path / "merged")
    (tmp_path / "merged/model.safetensors").unlink()
    merged_net.save_pretrained(tmp_path / "merged")
    both = shutil.copytree(TINY / name, tmp_path / "both")
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(tmp_path / "adapter" / file, both)
    base, merged = (load_model(str(where), device="cpu") for where in (TINY / name, tmp_path / "merged"))
    plain, wanted = ([scores(model, audio) for audio in (True, False)] for model in (base, merged))
    ways = [tmp_path / "adapter", both, f"{TINY / name}+{tmp_path / 'adapter'}", f"{name}+{tmp_path / 'adapter'}"]
    for where in ways if name == OMNI else ways[:1]:  # how it is found does not hang on the family
        model = load_model(str(where), device="cpu")
        for audio, without, with_it in zip((True, False), plain, wanted, strict=True):
            told = scores(model, audio)
            np.testing.assert_allclose(told, with_it, atol=1e-4)
            assert not np.allclose(told, without, atol=0.1)
        assert model.fingerprint()["weights_sha256"] != base.fingerprint()["weights_sha256"]


@pytest.mark.parametrize("kind", ["PromptTuningConfig", "PrefixTuningConfig"])
def test_an_adapter_that_cannot_be_merged_is_refused(kind: str, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = getattr(transformers, CLASSES[OMNI]).from_pretrained(TINY / OMNI, dtype=torch.float32)
    settings = getattr(peft, kind)(task_type="CAUSAL_LM", num_virtual_tokens=4)
    peft.get_peft_model(base, settings).save_pretrained(tmp_path)
    with pytest.raises(AudiocontribError, match=r"of the kind P[A-Z]+_TUNING, which cannot be merged"):
        load_model(str(tmp_path), device="cpu")


@pytest.mark.slow
def test_an_adapter_without_its_base_or_with_other_weights_is_refused(tmp_path: Path) -> None:
    adapter_of(OMNI, tmp_path / "a")
    from safetensors.torch import load_file, save_file

    config = json.loads((tmp_path / "a/adapter_config.json").read_text(encoding="utf-8"))
    for wrong, words in (("/nowhere/base", "BASE\\+ADAPTER"), ("", "names no base"), (7, "names no base")):
        (tmp_path / "a/adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": wrong}))
        with pytest.raises(AudiocontribError, match=words):
            load_model(str(tmp_path / "a"), device="cpu")
    (tmp_path / "a/adapter_config.json").write_text(json.dumps(config))
    held = load_file(tmp_path / "a/adapter_model.safetensors")
    first = min(held)
    for weights, words in (
        ({f"thinker.{n}": v for n, v in held.items()}, "lacks"),
        ({n: v for n, v in held.items() if n != first}, "lacks 1 weights"),
        (held | {first.replace("layers.0", "layers.99"): held[first].clone()}, "has, for parts"),
        (held | {first: held[first][:, :-1].contiguous()}, "does not fit"),
    ):
        save_file(weights, tmp_path / "a/adapter_model.safetensors", metadata={"format": "pt"})
        with pytest.raises(AudiocontribError, match=words):
            load_model(str(tmp_path / "a"), device="cpu")
    (tmp_path / "a/adapter_model.safetensors").unlink()
    with pytest.raises(AudiocontribError, match="adapter"):
        load_model(str(tmp_path / "a"), device="cpu")
