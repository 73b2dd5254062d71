"""Checkpoints whose files do not fit together: refused in one line before anything is asked, or used as they are."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy
from helpers.unchecked import unchecked  # noqa: F401

from audiocontrib.errors import AudiocontribError
from audiocontrib.models import TINY

check_once = lazy("audiocontrib.models.check_once")
load = lazy("audiocontrib.models.load")
safetensors = lazy("safetensors.torch")
self_check = lazy("audiocontrib.models.self_check")
torch = lazy("torch")

OMNI = "tiny-qwen2.5-omni"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
Change = Callable[[Path], object]


def settings(file: str, change: Callable[[dict[str, Any]], object]) -> Change:
    def edit(folder: Path) -> None:
        held = json.loads((folder / file).read_text(encoding="utf-8"))
        change(held)
        (folder / file).write_text(json.dumps(held), encoding="utf-8")

    return edit


def text(**values: Any) -> Change:
    return settings("config.json", lambda config: config["text_config"].update(values))


def written(file: str, content: str) -> Change:
    return lambda folder: (folder / file).write_text(content)


def weights(change: Callable[[dict[str, Any]], object]) -> Change:
    def edit(folder: Path) -> None:
        held = safetensors.load_file(folder / WEIGHTS)
        change(held)
        safetensors.save_file(held, folder / WEIGHTS, metadata={"format": "pt"})

    return edit


def sharded(folder: Path) -> None:
    held = safetensors.load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    places = {}
    for number in range(2):
        file = f"model-{number + 1:05}-of-00002.safetensors"
        part = {name: held[name] for name in sorted(held)[number::2]}
        safetensors.save_file(part, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def sharded_and(change: Callable[[Path], object]) -> Change:
    return lambda folder: (sharded(folder), change(folder))


def twice(folder: Path) -> None:
    one, other = (safetensors.load_file(folder / f"model-0000{n}-of-00002.safetensors") for n in (1, 2))
    name = min(other)
    safetensors.save_file(
        one | {name: other[name] * 5}, folder / "model-00001-of-00002.safetensors", metadata={"format": "pt"}
    )


def integers(held: dict[str, Any]) -> None:
    for name, tensor in held.items():
        if "mlp" in name:
            held[name] = (tensor * 100).to(torch.int8)


def without_audio_token(tokenizer: dict[str, Any]) -> None:
    tokenizer["added_tokens"] = [token for token in tokenizer["added_tokens"] if "AUDIO" not in token["content"]]


UP = "model.layers.1.mlp.up_proj.weight"
HEAD = "lm_head.weight"
BROKEN: dict[str, tuple[Change, str]] = {
    "a weight of another shape": (
        weights(lambda w: w.update({HEAD: w[HEAD][:-3].clone()})),
        r"lm_head.weight: \(728, 128",
    ),
    "a larger vocabulary": (text(vocab_size=740), r"e\.g\. lm_head\.weight: \(731, 128\), not \(740, 128\)"),
    "a smaller vocabulary": (text(vocab_size=600), "cannot be loaded: "),
    "fewer layers": (text(num_hidden_layers=1), "num_hidden_layers"),
    "other heads": (text(num_attention_heads=8), "another shape than its config asks for"),
    "no such setting": (settings("config.json", lambda c: c.update(text_config=7)), "cannot be loaded: "),
    "a weight in two files": (sharded_and(twice), "stands in two files, model-00001-of-00002"),
    "a file elsewhere": (
        sharded_and(settings(INDEX, lambda i: i["weight_map"].update({HEAD: "../x.safetensors"}))),
        r"names a file that is not in its folder: \.\./x\.safetensors",
    ),
    "an index of something else": (sharded_and(written(INDEX, '{"weights": 1}')), "cannot be loaded: KeyError"),
    "whole numbers": (weights(integers), r"its weights are quantised \(e\.g\. .*mlp"),
    "scales that nothing reads": (
        weights(lambda w: w.update({f"{UP}_scale": torch.ones(1)})),
        r"its weights are quantised \(e\.g\. .*_scale\)",
    ),
    "an end that is no token": (
        settings("generation_config.json", lambda g: g.update(eos_token_id=9999)),
        "would not end",
    ),
    "an end that is a text": (
        settings("generation_config.json", lambda g: g.update(eos_token_id="a")),
        "would not end",
    ),
    "an end below 0": (settings("generation_config.json", lambda g: g.update(eos_token_id=[720, -1])), "would not end"),
    "no vocabulary": (lambda folder: (folder / "tokenizer.json").unlink(), "it would hear nothing"),
    "a token of audio that nobody hears": (settings("tokenizer.json", without_audio_token), "it would hear nothing"),
    "another token of audio": (
        settings("config.json", lambda c: c.update(audio_token_index=5)),
        "it would hear nothing",
    ),
    **{
        f"{name}, {what}": (written(f"{name}.json", content), f"{name}.json is no file with a JSON object")
        for name, what, content in [
            ("generation_config", "cut", '{"eos_token_id": [7'),
            ("generation_config", "empty", ""),
            ("generation_config", "a list", "[]"),
            ("tokenizer_config", "cut", '{"a"'),
            ("processor_config", "no JSON", "hello"),
            ("preprocessor_config", "a list", "[1]"),
            ("config", "nested", "[" * 100_000),
        ]
    },
}


def changed(folder: Path, change: Change) -> Path:
    shutil.copytree(TINY / OMNI, folder)
    change(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_checkpoint_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    change, message = BROKEN[name]
    with pytest.raises(AudiocontribError, match=message) as caught:
        load.load_checkpoint(changed(tmp_path / "m", change), device="cpu")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (sharded, ""),
        (weights(lambda w: w.update({"talker.x.weight": torch.ones(2)})), ""),
        (
            weights(lambda w: w.update({UP.replace("layers.1", "layers.7"): w[UP].clone()})),
            "1 weights of .* are not used, e.g. .*layers.7",
        ),
        (
            weights(lambda w: w.update({"lm_head.bias": torch.ones(731)})),
            "1 weights of .*lm_head.bias.* does its config fit",
        ),
    ],
    ids=["in two files", "of a part that the class has not", "of another layer", "of a layer's other weight"],
)
def test_weights_that_a_layer_leaves_are_said(
    change: Change, says: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load.load_checkpoint(changed(tmp_path / "m", change), device="cpu")
    assert len(caplog.messages) == bool(says)
    assert all(re.search(says, line) for line in caplog.messages)


def deaf(folder: Path) -> None:
    """Nothing of the audio tower's reaches its end."""
    weights(lambda w: [w[name].zero_() for name in w if name.startswith("audio_tower.proj")])(folder)


BELIEVED_NOT: dict[str, tuple[Change, str]] = {
    "special tokens split": (
        settings("tokenizer_config.json", lambda t: t.update(split_special_tokens=True)),
        "prompts cannot",
    ),
    "another rate": (
        settings("processor_config.json", lambda p: p["feature_extractor"].update(sampling_rate=8000)),
        "8000",
    ),
    "all weights 0": (
        weights(lambda w: [tensor.zero_() for tensor in w.values()]),
        "logits are the same for all tokens",
    ),
}


@pytest.mark.parametrize("name", BELIEVED_NOT)
def test_what_only_asking_shows_is_refused_by_the_self_check(name: str, tmp_path: Path) -> None:
    change, message = BELIEVED_NOT[name]
    model = load.load_checkpoint(changed(tmp_path / "m", change), device="cpu")
    with pytest.raises(AudiocontribError, match=f"refused by its self-check: .*{message}") as caught:
        self_check.self_check(model)
    assert "\n" not in str(caught.value)


def test_a_model_that_does_not_hear_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load.load_checkpoint(changed(tmp_path / "m", deaf), device="cpu")
    monkeypatch.setenv("AUDIOCONTRIB_CHECKS", str(tmp_path / "checks"))
    for _ in range(2):  # made, and remembered
        with caplog.at_level(logging.WARNING):
            check_once.check_once(model)
        assert [line for line in caplog.messages if "does not hear" in line]
        caplog.clear()
