"""A model proves on load that its fast paths score as plain forwards do; else a slower one is taken, or none."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.errors import AudiocontribError
from audiocontrib.models import TINY, load_model

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

check_once = lazy("audiocontrib.models.check_once")
load = lazy("audiocontrib.models.load")
plain_decoder = lazy("audiocontrib.models.plain_decoder")
self_check = lazy("audiocontrib.models.self_check")
torch = lazy("torch")
transformers = lazy("transformers")

WIDE = {"hidden_size": 64, "num_hidden_layers": 4, "intermediate_size": 96, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 4096}  # fmt: skip
TOKENS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
NETS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("tree", "LlamaConfig", WIDE),
    "gpt2": ("tree", "GPT2Config", {"n_embd": 64, "n_layer": 4, "n_head": 4, "n_positions": 2048}),
    "mistral, window of 24": ("single", "MistralConfig", WIDE | {"sliding_window": 24}),
    # its local layers keep all of the past, and look at a part of it
    "gpt-neo": (
        "single",
        "GPTNeoConfig",
        {
            "hidden_size": 64,
            "num_layers": 4,
            "num_heads": 4,
            "window_size": 24,
            "attention_types": [[["global", "local"], 2]],
            "max_position_embeddings": 2048,
        },
    ),
    # ALiBi: distances are counted within a row, so that its tokens must stand side by side
    "mpt": ("batch", "MptConfig", {"d_model": 64, "n_heads": 4, "n_layers": 4, "max_seq_len": 2048}),
    # recurrent: states, which nothing here copies
    "mamba2": (
        "plain",
        "Mamba2Config",
        {"hidden_size": 64, "num_hidden_layers": 4, "state_size": 8, "num_heads": 8, "head_dim": 16, "n_groups": 1},
    ),
    "rwkv": ("plain", "RwkvConfig", {"hidden_size": 64, "num_hidden_layers": 4, "context_length": 2048}),
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load.load_checkpoint(TINY / "tiny-qwen2-audio", device="cpu").tokenizer


def checkpoint(kind: str, tokenizer: Any, folder: Path) -> Path:
    """A random causal LM, its weights so wide that what goes wrong shows, with the tokenizer of a tiny model."""
    config = getattr(transformers, NETS[kind][1])(vocab_size=len(tokenizer), **TOKENS, **NETS[kind][2])
    torch.manual_seed(0)
    net = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, weights in net.named_parameters():
            if weights.dim() > 1 and "conv1d" not in name and "A_log" not in name:
                weights *= 3
    net.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETS)
def test_the_fastest_path_that_is_right_is_taken(
    kind: str, tokenizer: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model = load.load_checkpoint(checkpoint(kind, tokenizer, tmp_path), device="cpu", dtype="float32")
    assert model.decoder.path == NETS[kind][0]
    said = [record.getMessage() for record in caplog.records if "is asked by the" in record.getMessage()]
    assert all("\n" not in line for line in said)
    asked = self_check.check_requests(model)
    found = [one.logprobs for one in model.likelihood(asked)]
    replies = [one.text for one in model.generate(asked, 6)]
    model.take("plain")
    for scored, expected in zip(found, model.likelihood(asked), strict=True):
        np.testing.assert_allclose(scored, expected.logprobs, atol=1e-4, rtol=1e-5)
    assert replies == [one.text for one in model.generate(asked, 6)]


@pytest.mark.slow
def test_a_prompt_reaches_beyond_the_shortest_window(tokenizer: Any, tmp_path: Path) -> None:
    model = load.load_checkpoint(checkpoint("mistral, window of 24", tokenizer, tmp_path), device="cpu")
    model.net.config.sliding_window = 300
    longest = max(len(model.encode(one.prompt, None)[0]) for one in self_check.check_requests(model))
    assert longest > 300
    model.net.config.sliding_window = 4096
    assert max(len(model.encode(one.prompt, None)[0]) for one in self_check.check_requests(model)) < 300


def broken(change: Callable[[Any], None]) -> LocalModel:
    """A tiny model with something wrong in it, not checked yet."""
    model = load.load_checkpoint(TINY / "tiny-qwen2.5-omni", device="cpu", dtype="float32", check=False)
    change(model)
    return model  # type: ignore[no-any-return]


def _scaled_head(model: Any) -> None:
    head = model.decoder.head
    model.decoder.head = lambda hidden: head(hidden) * 0.5


def _clips_see_each_other(model: Any) -> None:
    call = model.decoder.call

    def rolled(ids: Any, *more: Any) -> Any:
        hidden = call(ids, *more)
        return hidden.roll(1, 0) if len(ids) > 1 and model.decoder.clips else hidden

    model.decoder.call = rolled


def _trees_see_all(model: Any) -> None:
    any_mask = model.decoder.any_mask
    model.decoder.any_mask = lambda allowed: any_mask(torch.ones_like(allowed))


def _trees_fail(model: Any) -> None:
    usual = model.decoder.option_logprobs
    model.decoder.option_logprobs = lambda trees: 1 / 0 if model.decoder.trees else usual(trees)


def _trees_are_not_numbers(model: Any) -> None:
    usual = model.decoder.option_logprobs

    def nans(trees: Any) -> Any:
        if not model.decoder.trees:
            return usual(trees)
        return [[[[float("nan")] * len(o) for o in one] for one in tree] for tree in usual(trees)]

    model.decoder.option_logprobs = nans


def _positions_start_again(model: Any) -> None:
    call = model.decoder.call
    model.decoder.call = lambda ids, positions, *more: call(ids, positions - positions.min(), *more)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "path", "why"),
    [
        (_scaled_head, "plain", "its scores differ"),
        (_clips_see_each_other, "tree", "its scores differ"),
        (_trees_see_all, "batch", "its scores differ"),
        (_trees_fail, "batch", "ZeroDivisionError"),
        (_trees_are_not_numbers, "batch", "its scores differ"),
        (_positions_start_again, "plain", "its scores differ"),
    ],
)
def test_a_path_that_is_wrong_is_left_and_that_is_said_in_one_line(
    change: Callable[[Any], None], path: str, why: str
) -> None:
    model = broken(change)
    found = self_check.self_check(model)
    assert (found.path, model.decoder.path) == (path, path)
    assert found.line.startswith(f"is asked by the {path} path, which is slower (clips: ")
    assert why in found.line
    assert "\n" not in found.line


def test_a_lack_of_memory_says_nothing_of_a_path_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOCONTRIB_CHECKS", str(tmp_path / "checks"))

    def full(model: Any) -> None:
        def fails(*given: Any) -> Any:
            raise torch.OutOfMemoryError("CUDA out of memory")

        model.decoder.option_logprobs, model.tokens_at_once = fails, 1

    with pytest.raises(AudiocontribError, match="memory is not enough for its self-check"):
        check_once.check_once(broken(full))
    assert not (tmp_path / "checks").exists()


def test_a_check_made_again_begins_with_the_fastest_path() -> None:
    model = broken(lambda model: model.take("plain"))
    assert self_check.self_check(model).path == model.decoder.path == "clips"


def test_a_plan_of_the_plain_path_shares_nothing() -> None:
    model = broken(lambda model: None)
    asked = model.prepare(self_check.check_requests(model))
    counted = model.count_tokens(asked)
    assert counted is not None
    plain, new = counted
    assert new < plain
    model.take("plain")
    assert model.count_tokens(asked) == (plain, plain)


def _forward_looks_ahead(model: Any) -> None:
    forward = model.net.forward

    def ahead(*given: Any, **named: Any) -> Any:
        out = forward(*given, **named)
        out.logits = out.logits + out.logits[:, -1:].mean() * torch.arange(out.logits.shape[-1])
        return out

    model.net.forward = ahead


def _weights_are_not_numbers(model: Any) -> None:
    with torch.no_grad():
        model.net.get_output_embeddings().weight[3] = float("nan")


def _forward_fails(model: Any) -> None:
    def fails(*given: Any, **named: Any) -> Any:
        raise RuntimeError("of\nno use")

    model.net.forward = fails


def _generate_gives_others(model: Any) -> None:
    generate = model.net.generate

    def others(**given: Any) -> Any:
        out = generate(**given)
        return torch.cat([out[:, : given["input_ids"].shape[1]], torch.full((1, 4), 77)], dim=1)

    model.net.generate = others


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_forward_looks_ahead, "no causal language model"),
        (_weights_are_not_numbers, "NaN"),
        (_forward_fails, "a plain forward fails: RuntimeError: of no use"),
        (_generate_gives_others, "contradict each other"),
    ],
)
def test_a_model_that_cannot_be_believed_is_refused_in_one_line(change: Callable[[Any], None], why: str) -> None:
    with pytest.raises(AudiocontribError, match=why) as caught:
        self_check.self_check(broken(change))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("tiny-qwen2.5-omni: refused by its self-check: ")


@pytest.mark.slow
def test_in_lower_precision_a_path_may_differ_as_much_as_batches_do() -> None:
    model = load.load_checkpoint(TINY / "tiny-qwen2.5-omni", device="cpu", dtype="bfloat16", check=False)
    found = self_check.self_check(model)
    assert found.path == "clips"
    assert found.tolerance >= self_check.SPREADS * found.spread
    assert 0 < found.differences["clips"] <= found.tolerance < 0.5
    _scaled_head(model)
    model.decoder.take("tree")
    assert self_check.self_check(model).path == "plain"


@pytest.mark.slow
def test_the_result_is_kept_and_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCONTRIB_CHECKS", str(tmp_path / "checks"))
    load_model("tiny-qwen2.5-omni", device="cpu")
    (kept,) = (tmp_path / "checks").iterdir()
    held = json.loads(kept.read_text(encoding="utf-8"))
    assert held["path"] == "clips"
    kept.write_text(json.dumps(held | {"path": "plain", "faults": {"tree": "slow today"}}), encoding="utf-8")
    again = load_model("tiny-qwen2.5-omni", device="cpu")
    assert again.decoder.path == "plain"  # type: ignore[attr-defined]
    assert "whole forwards" in again.summary()
    for damaged in ("", "{}", "[1]", json.dumps(held | {"path": "none"})):
        kept.write_text(damaged, encoding="utf-8")
        assert load_model("tiny-qwen2.5-omni", device="cpu").decoder.path == "clips"  # type: ignore[attr-defined]
        assert json.loads(kept.read_text(encoding="utf-8")) == held


@pytest.mark.slow
def test_what_it_hangs_on_is_part_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOCONTRIB_CHECKS", str(tmp_path / "checks"))
    load_model("tiny-qwen2.5-omni", device="cpu")
    load_model("tiny-qwen2.5-omni", device="cpu", attention="eager")
    assert len(list((tmp_path / "checks").iterdir())) == 2
    monkeypatch.setattr(check_once, "_code", lambda: "another program")
    load_model("tiny-qwen2.5-omni", device="cpu")
    assert len(list((tmp_path / "checks").iterdir())) == 3


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_costs_the_check_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("AUDIOCONTRIB_CHECKS", str(tmp_path / "file"))
    assert load_model("tiny-qwen2.5-omni", device="cpu").decoder.path == "clips"  # type: ignore[attr-defined]
