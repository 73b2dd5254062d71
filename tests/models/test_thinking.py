"""Thinking: the template's own switch, thoughts that are bounded and closed, and likelihoods after them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy
from test_engine import clip
from test_engine import requests as heard
from test_text_models import NETS, requests

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import TINY, Generated, Request, Scored, load_model
from audiocontrib.models.base import ReplyDraw
from audiocontrib.models.thinking import LONGEST, WAYS, Thinking, find_thinking, set_thinking

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

sampling = lazy("audiocontrib.models.sampling")
tokenizers = lazy("tokenizers")
torch = lazy("torch")
transformers = lazy("transformers")

PLAIN = "{% for m in messages %}{{ m['role'] + ': I was thinking ' + m['content'] }}{% endfor %}"
QWEN3 = """
{%- for m in messages %}{%- if m.role == 'assistant' %}{{- '<|im_start|>assistant\n' }}
{%- if m.reasoning_content is defined %}{{- '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}{%- endif %}
{{- m.content + '<|im_end|>\n' }}{%- else %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}
{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}
{%- endif %}
""".strip()
TURNS = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
DEEPSEEK = TURNS + (
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% if thinking is defined and thinking %}{{ '<think>' }}"
    "{% else %}{{ '</think>' }}{% endif %}{% endif %}"
)
R1 = TURNS + (
    "{# </think> #}{% if add_generation_prompt %}{{ '<|assistant|><think>\n' }}{% endif %}"
    "{{ '' if true else '</think>' }}"
)
GRANITE = (
    "{% if thinking is defined and thinking %}{{ 'Write a thought as <think></think>. ' }}{% endif %}"
    + TURNS
    + "{% if "
    "add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
HARMONY = """
{%- if reasoning_effort is not defined %}{% set reasoning_effort = 'medium' %}{% endif %}
{{- 'Reasoning: ' + reasoning_effort }}{% for m in messages %}{% if m.role == 'assistant' %}
{%- if m.thinking is defined %}
{{- '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}{% endif %}
{{- '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|return|>' }}{% else %}
{{- '<|start|>' + m.role + '<|message|>' + m.content + '<|end|>' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}
""".strip()
CHANNELS = ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>", True, False)
SEED = TURNS + (
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% if thinking_budget is defined and thinking_budget == 0 %}"
    "{{ '<seed:think></seed:think>' }}{% endif %}{% endif %}"
)
MISTRAL = TURNS + (
    "{% if reasoning_effort is defined and reasoning_effort == 'none' %}{{ ' ' }}{% endif %}{{ '' and '[/THINK]' }}"
)
UNSWITCHED = TURNS + "{% if enable_thinking %}{% endif %}"


def reader(template: str | None) -> Any:
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=words)
    made.chat_template = template
    return made


REFUSED = "refused"


@pytest.mark.parametrize(
    ("template", "way", "expected"),
    [
        (QWEN3, "auto", ("<think>\n", "\n</think>\n\n", True, False)),
        (QWEN3, "on", ("<think>\n", "\n</think>\n\n", True, False)),
        (QWEN3, "off", ("<think>\n", "\n</think>\n\n", False, True)),
        (DEEPSEEK, "auto", ("<think>\n", "\n</think>\n\n", False, True)),
        (DEEPSEEK, "on", ("", "\n</think>\n\n", True, False)),
        (R1, "auto", ("", "\n</think>\n\n", True, False)),
        (R1, "on", REFUSED),
        (R1, "off", REFUSED),
        (GRANITE, "auto", ("<think>\n", "\n</think>\n\n", False, False)),
        (GRANITE, "on", ("<think>\n", "\n</think>\n\n", True, False)),
        (HARMONY, "auto", CHANNELS),
        (HARMONY, "on", CHANNELS),
        (HARMONY, "off", REFUSED),
        (SEED, "auto", ("<seed:think>\n", "\n</seed:think>\n\n", True, False)),
        (SEED, "off", ("<seed:think>\n", "\n</seed:think>\n\n", False, True)),
        (MISTRAL, "auto", ("[THINK]", "[/THINK]", True, False)),
        (MISTRAL, "off", ("[THINK]", "[/THINK]", False, False)),
        (PLAIN, "auto", None),
        (PLAIN, "on", REFUSED),
        (UNSWITCHED, "off", REFUSED),
        (None, "auto", None),
        (None, "on", REFUSED),
    ],
)  # fmt: skip
def test_the_templates_own_switch_and_marks(template: str | None, way: str, expected: Any) -> None:
    held = reader(template)
    if expected == REFUSED:
        with pytest.raises(UsageError, match=f"thinking is '{way}'") as error:
            set_thinking(held, way)
        assert "\n" not in str(error.value)
        assert held.chat_template == template
        return
    set_thinking(held, way)
    found = find_thinking(held, way)
    if expected is None:
        assert found is None
        return
    assert isinstance(found, Thinking)
    assert (found.opening, found.closing, found.by_itself, found.shut) == expected


@pytest.mark.parametrize("way", ["auto", "on"])
def test_a_template_that_never_ends_on_a_thought_is_given_up(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.models.thinking.SECONDS", 0.2)
    loops = "".join(f"{{% for i{k} in range(9999) %}}" for k in range(4)) + "x" + "{% endfor %}" * 4
    slow = reader(f"{{% if enable_thinking or messages[-1].reasoning_content %}}{loops}{{% endif %}}</think>")
    slow.chat_template += "{{ messages[0].content }}"
    with pytest.raises(AudiocontribError, match="its chat template takes too long"):
        (set_thinking if way == "on" else find_thinking)(slow, way)


def test_an_unknown_way_is_refused() -> None:
    for way in ("yes", True, None, "On"):
        with pytest.raises(UsageError, match="it can be: auto, on, off"):
            set_thinking(reader(QWEN3), way)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random causal LM that thinks as Qwen3 does; its marks are tokens of their own."""
    path = tmp_path_factory.mktemp("thinker")
    tokenizer = load_model("tiny-qwen2-audio", device="cpu").tokenizer  # type: ignore[attr-defined]
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = QWEN3
    torch.manual_seed(0)
    net = NETS["llama"](len(tokenizer))
    net.generation_config.eos_token_id = tokenizer.eos_token_id
    net.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def thinker(folder: Path) -> LocalModel:
    return load_model(str(folder), device="cpu", dtype="float32")  # type: ignore[return-value]


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """The tiny Qwen2.5-Omni with a template that thinks; its marks are several tokens each."""
    path = tmp_path_factory.mktemp("listener") / "omni"
    shutil.copytree(TINY / "tiny-qwen2.5-omni", path)
    file, start = path / "chat_template.jinja", "<|im_start|>assistant\n"
    shut = "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    file.write_text(file.read_text().replace(start + "{% endif %}", start + shut + "{% endif %}"))
    return load_model(str(path), device="cpu", dtype="float32")  # type: ignore[return-value]


def bounded(asked: list[Request], think_tokens: int | None, temperature: float = 0.0) -> list[Request]:
    return [
        replace(one, think_tokens=think_tokens, draw=ReplyDraw(temperature, seed=n) if temperature else None)
        for n, one in enumerate(asked)
    ]


def plain_inputs(model: Any, request: Request) -> tuple[list[int], dict[str, Any]]:
    """All tokens of the prompt, and the features, from a request that nothing has prepared."""
    ids, _ = model.encode(request.prompt, request.sound)
    return ids, model.features(request.prompt, request.sound)


def forward(model: Any, ids: list[int], features: dict[str, Any]) -> Any:
    given = torch.tensor([ids])
    with torch.inference_mode():
        return (
            model.net(input_ids=given, attention_mask=torch.ones_like(given), use_cache=False, **features)
            .logits[0]
            .float()
        )


def plain_thought(model: Any, request: Request, limit: int) -> tuple[list[int], list[int]]:
    """Prompt and opened thought, and the thought up to its end: a full forward for every token."""
    ids, features = plain_inputs(model, request)
    ids = ids + model.tokenizer("<think>\n", add_special_tokens=False).input_ids
    dice = sampling.Dice(request.draw, model.fingerprint()["weights_sha256"]) if request.draw else None
    thought: list[int] = []
    while len(thought) < limit:
        [token] = sampling.draw_tokens(forward(model, ids + thought, features)[-1:], [dice])
        if token in model.stop or model.tokenizer.decode([token]) == "</think>":
            break
        thought.append(token)
    return ids, thought


def plain_closed(model: Any, request: Request, limit: int) -> tuple[list[int], list[int]]:
    """The whole beginning of an answer, closed by hand; and the thought."""
    ids, thought = plain_thought(model, request, limit)
    text = model.tokenizer.decode(thought) if thought else "<think>\n"
    closing = "</think>\n\n" if text.endswith("\n") else "\n</think>\n\n"
    return ids + thought + model.tokenizer(closing, add_special_tokens=False).input_ids, thought


def plain_scores(model: Any, request: Request, beginning: list[int]) -> list[float]:
    _, features = plain_inputs(model, request)
    texts = [
        model.tokenizer(request.prompt.completion(o), add_special_tokens=False).input_ids
        for o in request.prompt.options
    ]
    tag = model.tokenizer("<answer>", add_special_tokens=False).input_ids
    opening = min(int(np.cumprod([a == b for a, b in zip(tag, t, strict=False)]).sum()) for t in texts)
    sums = []
    for option in texts:
        logprobs = forward(model, beginning + option, features).log_softmax(-1)
        rows = range(len(beginning) - 1 + opening, len(beginning) + len(option) - 1)
        sums.append(sum(logprobs[row, token].item() for row, token in zip(rows, option[opening:], strict=True)))
    return sums


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "temperature"), [(0, 0.0), (1, 0.0), (24, 0.0), (24, 3.0), (96, 3.0)])
def test_likelihoods_after_a_thought_equal_a_plain_computation(
    thinker: LocalModel, limit: int, temperature: float
) -> None:
    asked = bounded(requests(), limit, temperature)
    for request, scored in zip(asked, thinker.think_likelihood(asked), strict=True):
        beginning, thought = plain_closed(thinker, request, limit)
        assert isinstance(scored, Scored)
        assert scored.thought_tokens == len(thought) <= limit
        assert scored.thought == (thinker.tokenizer.decode(thought, skip_special_tokens=True).strip() or None)
        np.testing.assert_allclose(scored.logprobs, plain_scores(thinker, request, beginning), atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["audio", "text"])
def test_likelihoods_after_a_thought_with_a_clip(listener: LocalModel, spec: str) -> None:
    """Where the mark is no token of its own, the whole bound is written; here no thought ends by itself."""
    sounds = [clip("a", 2.0), clip("b", 0.731)] if spec == "audio" else [None]
    asked = bounded(heard(spec, sounds), 12)  # type: ignore[arg-type]
    for request, scored in zip(asked, listener.think_likelihood(asked), strict=True):
        beginning, thought = plain_closed(listener, request, 12)
        assert isinstance(scored, Scored)
        assert scored.thought_tokens == len(thought)
        np.testing.assert_allclose(scored.logprobs, plain_scores(listener, request, beginning), atol=1e-4, rtol=0)


def test_replies_after_a_thought_equal_a_plain_computation(thinker: LocalModel) -> None:
    asked = bounded(requests(), 16)
    for request, reply in zip(asked, thinker.generate(asked, 12), strict=True):
        beginning, thought = plain_closed(thinker, request, 16)
        said: list[int] = []
        while len(said) < 12:
            token = int(forward(thinker, beginning + said, {})[-1].argmax())
            if token in thinker.stop:
                break
            said.append(token)
        whole = thinker._spoken(said, beginning[-24:], 12, 0)
        assert (reply.text, reply.finish) == (whole.text, whole.finish)
        assert reply.thought_tokens == len(thought) + (whole.thought_tokens or 0)


@pytest.mark.slow
def test_some_thoughts_end_by_themselves(thinker: LocalModel) -> None:
    """Sampled as evenly as words in a hat, a mark or an end comes up; then the thought is shorter than its bound."""
    asked = bounded(requests() * 20, 96, temperature=50.0)
    lengths = [scored.thought_tokens for scored in thinker.think_likelihood(asked)]
    assert 0 < sum(length < 96 for length in lengths) < len(lengths)


@pytest.mark.slow
def test_a_mark_of_several_tokens_is_found(listener: LocalModel) -> None:
    """What was written after it is not part of the thought."""
    from audiocontrib.models.thoughts import _cut

    ids = listener.tokenizer("a bell\n</think>\n\nmore", add_special_tokens=False).input_ids
    thought = _cut(listener, ids, 99, "</think>")
    assert thought.ended
    assert listener.tokenizer.decode(list(thought.ids)) == "a bell\n"
    assert not _cut(listener, ids[:4], 4, "</think>").ended


def test_a_thought_that_is_cut_has_no_answer(thinker: LocalModel) -> None:
    """Without a bound of its own, nobody closes it."""
    cut = thinker.think_likelihood(requests(), 6)
    assert all(
        isinstance(one, Generated) and (one.text, one.finish, one.thought_tokens) == ("", "length", 6) for one in cut
    )


def test_the_batch_changes_nothing(thinker: LocalModel) -> None:
    asked = bounded(requests() * 3, 20, temperature=2.0)
    mixed = [one for pair in zip(asked, bounded(requests() * 3, 5, temperature=2.0), strict=True) for one in pair]
    together = thinker.think_likelihood(mixed)
    alone = [thinker.think_likelihood([one])[0] for one in mixed]
    for a, b in zip(together, alone, strict=True):
        assert a.thought == b.thought
        np.testing.assert_allclose(a.logprobs, b.logprobs, atol=1e-4)  # type: ignore[union-attr]


def test_what_a_checkpoint_says_of_itself(folder: Path, thinker: LocalModel) -> None:
    assert thinker.capabilities >= {"thinking", "think-likelihood", "sampling"}
    assert (thinker.thinks, thinker.max_new_tokens) == (True, LONGEST)
    assert "thinking" not in thinker.fingerprint()
    off = load_model(str(folder), device="cpu", dtype="float32", thinking="off")
    assert (off.thinks, off.max_new_tokens) == (False, 128)
    assert not off.capabilities & {"thinking", "think-likelihood"}
    assert off.fingerprint() == thinker.fingerprint() | {"thinking": "off"}
    rendered = [model.render(requests()[0].prompt) for model in (thinker, off)]  # type: ignore[attr-defined]
    assert rendered[1] == rendered[0] + "<think>\n\n</think>\n\n"
    plain = load_model("tiny-qwen2.5-omni", device="cpu")
    assert (plain.thinks, plain.max_new_tokens) == (False, 128)
    for model in ("tiny-qwen2.5-omni", "mock", "my.py:Class"):
        for way in set(WAYS) - {"auto"}:
            with pytest.raises(UsageError, match=f"thinking is '{way}'"):
                load_model(model, thinking=way)


@pytest.mark.slow
def test_a_run_against_the_length_of_thoughts(folder: Path, tmp_path: Path) -> None:
    items = ac.load_items("demo", seed=2, limit=4)
    asked: dict[str, Any] = {"method": "think-likelihood", "orders": "given", "progress": False, "run": tmp_path / "r"}
    bounds = ac.Sampling(think_tokens=(0, 32, 128))
    run = ac.score(items, str(folder), "text", names="t", sampling=bounds, **asked)
    found = run.query("select think_tokens, thought_tokens, posterior, method, outcome from responses order by all")
    assert found["think_tokens"].tolist() == [0] * 4 + [32] * 4 + [128] * 4
    assert (found["thought_tokens"] <= found["think_tokens"]).all()
    assert set(found["method"]) == {"think-likelihood"}
    assert set(found["outcome"]) == {"answered"}
    keys = set(run.responses["request_key"])
    more = ac.Sampling(think_tokens=(0, 32, 64, 128))
    again = ac.score(items, str(folder), "text", names="t", sampling=more, **asked)  # another bound is added
    assert len(again.responses) == 16
    assert keys < set(again.responses["request_key"])
    assert ac.show(again).left == 0
    free = ac.score(items, str(folder), "text", names="t", sampling=ac.Sampling(max_new_tokens=6),
                    **(asked | {"run": tmp_path / "free"}))  # fmt: skip
    cut = free.responses
    unfinished = cut["thought_tokens"] == 6
    assert unfinished.any()
    assert ((cut["outcome"] == "unparsed") == unfinished).all()
    assert set(cut["finish"][unfinished]) == {"length"}
    assert cut["posterior"][unfinished].isna().all()
    assert cut["correct"][unfinished].eq(False).all()


def test_how_long_replies_may_be_is_part_of_what_was_asked(folder: Path, tmp_path: Path) -> None:
    items = ac.load_items("demo", seed=2, limit=2)
    asked: dict[str, Any] = {"method": "generate", "orders": "given", "progress": False, "run": tmp_path / "r"}
    run = ac.score(items, str(folder), "text", names="t", sampling=ac.Sampling(max_new_tokens=8), **asked)
    assert run.manifest["identity"]["max_new_tokens"] == 8
    assert set(run.responses["finish"]) == {"length"}
    with pytest.raises(ac.errors.AudiocontribError, match=r"max_new_tokens: 8 -> 9"):
        ac.score(items, str(folder), "text", names="t", sampling=ac.Sampling(max_new_tokens=9), **asked)


@pytest.mark.parametrize(
    ("model", "method", "how", "says"),
    [
        ("mock", "generate", {"think_tokens": (0, 8)}, "mock cannot be held to a number of thought tokens"),
        ("mock", "think-likelihood", {}, "cannot be asked by think-likelihood; it can: generate, likelihood"),
        ("mock", "likelihood", {"max_new_tokens": 9}, "max_new_tokens is for replies and thoughts"),
        ("mock:thought=9", "likelihood", {"think_tokens": (1,)}, "think_tokens is for replies and thoughts"),
        ("tiny-qwen2.5-omni", "think-likelihood", {}, "its chat template knows of no thought"),
        ("tiny-qwen2.5-omni", "generate", {"think_tokens": (4,)}, "its chat template knows of no thought"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    model: str, method: str, how: dict[str, Any], says: str, tmp_path: Path
) -> None:
    items = ac.load_items("demo", seed=2, limit=2)
    with pytest.raises(UsageError) as error:
        ac.score(items, model, "text", method=method, sampling=ac.Sampling(**how), run=tmp_path / "r", progress=False)
    assert says in str(error.value)


@pytest.mark.parametrize("given", [(1, 1), (-1,), (2.0,), ("8",), "8", 8, (True,), (10**7,)])
def test_bounds_without_sense_are_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="think_tokens"):
        ac.Sampling(think_tokens=given)


def test_seeds_do_not_depend_on_the_bound() -> None:
    """So that a longer thought begins as the shorter one did."""
    one = ac.Sampling(temperature=1.0, think_tokens=(4, 8))
    assert one.draw("i", "text", 0, 0) == ac.Sampling(temperature=1.0).draw("i", "text", 0, 0)
