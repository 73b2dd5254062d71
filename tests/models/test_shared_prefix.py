"""Attention to a prefix that rows share is the attention to all of their tokens, and replies stay what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpers.lazy import lazy
from test_engine import CASES, cases, plain_inputs

from audiocontrib.models import load_model

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

torch = lazy("torch")
replies = lazy("audiocontrib.models.replies")
reply_batch = lazy("audiocontrib.models.reply_batch")
shared_prefix = lazy("audiocontrib.models.shared_prefix")


class Layer:
    """An attention layer, as far as it is asked about."""

    layer_idx = 0


def tensors(*shapes: tuple[int, ...]) -> list[Any]:
    made = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=made) for shape in shapes]


class Cache:
    def __init__(self, keys: Any, values: Any) -> None:
        self.layers = [type("Held", (), {"keys": keys, "values": values})()]


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("new", [1, 5])
@pytest.mark.parametrize("device", ["cpu", "other"])
def test_own_and_shared_keys_are_joined_as_one_softmax(
    every: bool, new: int, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "other":  # the sum is written out where there is no kernel that gives it
        monkeypatch.setattr(shared_prefix, "_kernel", lambda *given: None)
    rows, heads, kinds, width, before, own = 40, 6, 2, 16, 23, 9
    query, key, value = tensors((rows, heads, new, width), (rows, kinds, own, width), (rows, kinds, own, width))
    keys, values, keys2, values2 = (one * 3 for one in tensors(*[(1, kinds, before, width)] * 4))
    held_by = [None if every else torch.arange(0, rows, 3), torch.arange(1, rows, 3)][: 1 if every else 2]
    widths = [own - row % 3 for row in range(rows)] if new == 1 else []
    seen = torch.ones(rows, 1, new, own, dtype=torch.bool).tril(own - new)
    for row, held in enumerate(widths):
        seen[row, ..., held:] = False
    config = type("Config", (), {"_attn_implementation": "sdpa"})()
    caches = [(keys, values), (keys2, values2)]
    parts = [shared_prefix.SharedRows(Cache(*pair), held) for pair, held in zip(caches, held_by, strict=False)]
    with shared_prefix.shared(config, 1, parts, widths):
        assert config._attn_implementation == shared_prefix.NAME
        given = seen if new == 1 else None  # None of several tokens says: causal
        found, _ = shared_prefix.shared_attention(Layer, query, key, value, given)
    assert config._attn_implementation == "sdpa"
    for row in range(rows):
        of = [pair for pair, held in zip(caches, held_by, strict=False) if held is None or row in held.tolist()]
        whole = [torch.cat([*(one[i][0] for one in of), (key, value)[i][row]], dim=1) for i in (0, 1)]
        all_seen = torch.cat([torch.ones(new, before * len(of), dtype=torch.bool), seen[row, 0]], dim=1)
        right = torch.nn.functional.scaled_dot_product_attention(
            query[row], *(one.repeat_interleave(heads // kinds, 0) for one in whole), attn_mask=all_seen
        )
        assert torch.allclose(found[row].transpose(0, 1), right, atol=1e-5)


def test_an_attention_that_adds_something_is_not_taken_for_the_plain_one() -> None:
    query, key, value = tensors((1, 2, 1, 4), (1, 2, 3, 4), (1, 2, 3, 4))
    with (
        pytest.raises(shared_prefix.NotShared, match="softcap"),
        shared_prefix.shared(type("Config", (), {"_attn_implementation": "sdpa"})(), 1, []),
    ):
        shared_prefix.shared_attention(Layer, query, key, value, None, softcap=30.0)


def test_layers_that_do_not_ask_are_found() -> None:
    with (
        pytest.raises(shared_prefix.NotShared, match="0 of 2"),
        shared_prefix.shared(type("Config", (), {"_attn_implementation": "sdpa"})(), 2, []),
    ):
        pass


@pytest.mark.slow
def test_a_reply_alone_goes_on_where_the_attention_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    model: AudioLanguageModel = load_model("tiny-qwen2.5-omni", device="cpu", dtype="float32")  # type: ignore[assignment]
    asked = cases(next(iter(CASES)))[:1]
    right = model.generate(asked, max_new_tokens=12)
    assert model.fast.shares
    monkeypatch.setattr(shared_prefix, "EXTRAS", ("dropout",))
    assert model.generate(asked, max_new_tokens=12) == right
    assert not model.fast.shares


@pytest.mark.slow
@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("name", ["tiny-qwen2.5-omni", "tiny-audio-flamingo-3"])
def test_replies_of_several_prefixes_at_once(name: str, shares: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model: AudioLanguageModel = load_model(name, device="cpu", dtype="float32")  # type: ignore[assignment]
    tried, branch = list[bool](), model.fast.branch

    def watched(*given: Any) -> Any:
        tried.append(True)
        if not shares:
            raise shared_prefix.NotShared
        return branch(*given)

    monkeypatch.setattr(model.fast, "branch", watched)
    monkeypatch.setattr(replies, "ROWS", 20)
    asked = [request for spec in CASES for request in cases(spec)] * 3
    right = {}
    for place, reply in enumerate(model.generate(asked, max_new_tokens=12)):
        key = place % (len(asked) // 3)
        if key not in right:
            inputs = plain_inputs(model, asked[place])
            with torch.inference_mode():
                out = model.net.generate(**inputs, do_sample=False, max_new_tokens=12)
            right[key] = model.tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert reply.text == right[key]
    assert model.fast.shares == shares
    assert len(tried) > 1 if shares else len(tried) == 1
