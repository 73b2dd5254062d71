"""What requests have in common is computed once: trees of tokens, kept prefixes; less at once when memory is short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine import CASES, requests

from audiocontrib.models import load_model
from audiocontrib.models.trie import Trie, packs

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

local = lazy("audiocontrib.models.local")
prefix_cache = lazy("audiocontrib.models.prefix_cache")
torch = lazy("torch")

TOKENS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


@given(st.lists(TOKENS, min_size=1, max_size=12))
def test_a_tree_holds_each_distinct_beginning_once(sequences: list[list[int]]) -> None:
    tree = Trie()
    nodes = [tree.add(tokens) for tokens in sequences]
    assert len(tree) == len({tuple(tokens[: i + 1]) for tokens in sequences for i in range(len(tokens))})
    depths, sees = tree.depths(), tree.ancestors()
    for tokens, path in zip(sequences, nodes, strict=True):
        assert [tree.tokens[node] for node in path] == tokens
        assert list(depths[path]) == list(range(len(path)))
        for i, node in enumerate(path):
            assert set(np.flatnonzero(sees[node])) == set(path[: i + 1])


@given(
    st.lists(st.tuples(TOKENS, st.lists(TOKENS, min_size=1, max_size=3)), min_size=1, max_size=12), st.integers(1, 40)
)
def test_packs_hold_every_request_once_and_keep_to_the_budget(
    asked: list[tuple[list[int], list[list[int]]]], budget: int
) -> None:
    suffixes, options = [a[0] for a in asked], [a[1] for a in asked]
    packed = list(packs(suffixes, options, budget))
    parts = [part for part, _ in packed]
    assert sorted(i for part in parts for i in part) == list(range(len(asked)))
    for part, tokens in packed:
        tree = Trie()
        for i in part:
            tree.add_options(suffixes[i], options[i])
        assert tokens == len(tree)
        assert len(part) == 1 or len(tree) <= budget


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def model(request: pytest.FixtureRequest) -> LocalModel:
    loaded = load_model("tiny-qwen2.5-omni", device="cpu", dtype="float32")
    assert isinstance(loaded, local.LocalModel)
    loaded.net.set_attn_implementation(request.param)
    return loaded


@pytest.mark.slow
@pytest.mark.parametrize("spec", CASES)
def test_a_tree_equals_one_request_and_one_option_at_a_time(model: LocalModel, spec: str) -> None:
    asked = requests(spec, CASES[spec])
    assert model.decoder.trees
    together = model.likelihood(asked)
    model.decoder.trees = False
    expanded = [model.likelihood([r])[0] for r in asked]
    model.decoder.trees = True
    for a, b in zip(together, expanded, strict=True):
        np.testing.assert_allclose(a.logprobs, b.logprobs, atol=1e-4, rtol=0)
        assert a.tokens == b.tokens


def test_what_was_prepared_in_another_thread_gives_the_same(model: LocalModel) -> None:
    asked = requests("audio", CASES["audio"])
    prepared = model.prepare(asked)
    assert all(r.ready is not None for r in prepared)
    for a, b in zip(model.likelihood(asked), model.likelihood(prepared), strict=True):
        np.testing.assert_allclose(a.logprobs, b.logprobs, atol=1e-4, rtol=0)


def test_flash_attention_takes_no_trees(model: LocalModel) -> None:
    from copy import copy

    from audiocontrib.models.prefix_decoder import Decoder

    config = copy(model.net.config.get_text_config())
    config._attn_implementation_internal = "flash_attention_2"
    decoder = Decoder(None, None, config=config, mrope=True, mixes=0, pad_id=0, device=torch.device("cpu"))
    assert decoder.forks
    assert not decoder.trees


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_lack_of_memory_halves_what_is_done_at_once(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    error = {"cuda": torch.OutOfMemoryError("CUDA out of memory"), "cpu": RuntimeError("not enough memory: you tried")}
    asked = requests("text", CASES["text"])
    expected = model.likelihood(asked)
    plain, sizes = model.decoder.option_logprobs, []

    def tight(trees: Any) -> Any:
        sizes.append(sum(len(tree.suffixes) for tree in trees))
        if sizes[-1] > 1:
            raise error[device]
        return plain(trees)

    monkeypatch.setattr(model.decoder, "option_logprobs", tight)
    monkeypatch.setattr(model, "tokens_at_once", 512)
    found = model.likelihood(asked)
    assert max(sizes) > 1
    assert sizes[-1] == 1
    assert model.tokens_at_once < 512
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.logprobs, b.logprobs, atol=1e-4, rtol=0)


def test_a_lack_of_memory_for_a_single_question_is_an_error(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model.decoder, "option_logprobs", never)
    monkeypatch.setattr(model, "tokens_at_once", 512)
    with pytest.raises(torch.OutOfMemoryError):
        model.likelihood(requests("text", CASES["text"])[:1])


class Sized:
    def __init__(self, size: int) -> None:
        self.bytes = size


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), max_size=30))
def test_kept_prefixes_stay_within_their_bytes(asked: list[tuple[int, int]]) -> None:
    store = prefix_cache.PrefixStore(100)
    sizes: dict[int, int] = {}
    for key, size in asked:
        size = sizes.setdefault(key, size)
        assert store.get({key: 1}, lambda keys, size=size: [Sized(size)])[0].bytes == size  # type: ignore[misc]
        assert key in store
    assert store.peak <= 100
    assert store.made + store.reused == len(asked)
    assert sum(kept.prefix.bytes for kept in store._kept.values()) <= 100


def test_what_is_used_over_and_over_stays_while_clips_pass() -> None:
    store = prefix_cache.PrefixStore(1_000)
    for batch in range(5):
        store.get({"silence": 100}, lambda keys: [Sized(10)])  # type: ignore[list-item]
        for clip in range(100):
            store.get({(batch, clip): 1}, lambda keys: [Sized(10)])  # type: ignore[list-item]
        assert "silence" in store
        assert len(store._kept) <= prefix_cache.MOST
    assert store.made == 1 + 5 * 100


def test_prefixes_that_are_made_together_are_all_there_though_not_all_are_kept() -> None:
    store = prefix_cache.PrefixStore(25)
    kept = store.get({"a": 1, "b": 1}, lambda keys: [Sized(10) for _ in keys])  # type: ignore[misc]
    asked: list[list[str]] = []

    def make(keys: list[str]) -> list[Sized]:
        asked.append(keys)
        return [Sized(10) for _ in keys]

    found = store.get({"c": 1, "a": 1, "d": 1, "b": 1}, make)  # type: ignore[arg-type]
    assert asked == [["c", "d"]]
    assert (found[1], found[3]) == (kept[0], kept[1])
    assert len({id(one) for one in found}) == 4
    assert (store.made, store.reused) == (4, 2)
    assert store.peak <= 25
