"""The recipe of smol-audio: its decoder for processors, what is asked, and what is exported."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from helpers import ROOT
from helpers.lazy import lazy, needs

torch = lazy("torch")
transformers = lazy("transformers")

RECIPE = ROOT / "recipes" / "smol_audio"
REAL = ROOT / "audiocontrib" / "sources" / "real_sounds" / "items.jsonl"


def recipe(name: str) -> Any:
    """A module of the recipe."""
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(RECIPE))


def small(layers: int = 2) -> Any:
    """A tiny network of the same classes, float32."""
    torch.manual_seed(0)
    audio = {
        "encoder_layers": 1,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "d_model": 16,
        "num_mel_bins": 80,
    }
    text = {
        "model_type": "llama", "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": layers, "head_dim": 8,
        "num_attention_heads": 3, "num_key_value_heads": 1, "vocab_size": 50, "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_theta": 1e5, "rope_type": "default"},
    }  # fmt: skip
    config = transformers.Qwen2AudioConfig(
        audio_config={"model_type": "qwen2_audio_encoder", **audio}, text_config=text, audio_token_index=49
    )
    net = transformers.Qwen2AudioForConditionalGeneration(config).float().eval()
    for weight in net.model.language_model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return net


def quick(net: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The quick decoder of a network, in float32, its adapters not zero."""
    module = recipe("quick")
    monkeypatch.setattr(module, "BF16", torch.float32)
    made = module.QuickDecoder(net, 4, 8, seed=0)
    with torch.no_grad():
        for value in made.adapters.values():
            value.normal_(std=0.3)
        for value in made.projector.values():
            value.normal_(std=0.3)
    made.merge()
    return made


@needs("peft")
def test_the_quick_decoder_is_peft_s_with_its_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    import peft

    adapter = recipe("adapter")
    net = small()
    made = quick(net, monkeypatch)
    theirs = peft.get_peft_model(net, peft.LoraConfig(r=4, lora_alpha=8, target_modules=adapter.TARGETS))
    pairs = {}
    for name, value in adapter.names(made):
        if "lora_" in name:
            pairs[name] = (theirs.get_parameter(name.replace(".weight", ".default.weight")), value)
            pairs[name][0].data = value.detach().clone()
    assert len(pairs) == sum(parameter.requires_grad for parameter in theirs.parameters()) == 2 * 7 * 2
    given, weights = torch.randn(2, 7, 24), torch.randn(2, 7, 24)
    one, two = given.clone().requires_grad_(), given.clone().requires_grad_()
    wanted = theirs.base_model.model.model.language_model(inputs_embeds=one).last_hidden_state
    got = made.hidden(two.view(14, 24), 2).view(2, 7, 24)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)
    (wanted * weights).sum().backward()
    (got * weights).sum().backward()
    torch.testing.assert_close(two.grad, one.grad, atol=1e-4, rtol=1e-3)
    for theirs_, ours in pairs.values():
        torch.testing.assert_close(ours.grad, theirs_.grad, atol=1e-4, rtol=1e-3)


def test_replies_on_one_clip_are_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with several replies gives the hidden states and the gradients of as many rows."""
    made = quick(small(), monkeypatch)
    trunk, first, second = (torch.randn(n, 24) for n in (5, 3, 2))
    weights = torch.randn(10, 24)
    branch = torch.tensor([[0] * 5 + [1] * 3 + [2] * 2, [0] * 6 + [1] * 4])
    other = torch.randn(10, 24)
    given = [torch.cat([trunk, first, second, other]).requires_grad_() for _ in range(2)]
    got = made.hidden(given[0], 2, branch)[:10]
    (got * weights).sum().backward()
    alone = [made.hidden(torch.cat([given[1][:5], given[1][a:b]]), 1) for a, b in ((5, 8), (8, 10))]
    wanted = torch.cat([alone[0], alone[1][5:]])
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)
    (wanted * weights).sum().backward()
    torch.testing.assert_close(given[0].grad, given[1].grad, atol=1e-5, rtol=1e-4)


def test_a_row_holds_the_replies_of_a_clip() -> None:
    rows = recipe("rows")
    one, two = (rows.Row("clip", [n], (rows.Reply([1], [n], "x"),)) for n in (7, 8))
    made = rows.together([one, two])
    assert (made.before, [reply.target for reply in made.replies]) == ([7], [[7], [8]])


@needs("peft")
def test_what_is_exported_is_the_adapter_that_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audiocontrib.models.adapters import merge_adapter

    adapter = recipe("adapter")
    net = small()
    made = quick(net, monkeypatch)
    (tmp_path / "base").mkdir()
    (tmp_path / "base/model.safetensors").write_bytes(b"base")
    adapter.export(made, tmp_path / "out", tmp_path / "base")
    merged = merge_adapter(net, tmp_path / "out")
    given = torch.randn(1, 6, 24)
    with torch.no_grad():
        wanted = merged.model.language_model(inputs_embeds=given).last_hidden_state[0]
        torch.testing.assert_close(made.hidden(given[0], 1), wanted, atol=0.05, rtol=0.05)  # it is stored in bfloat16
        heard = torch.randn(3, 16)
        torch.testing.assert_close(made.heard(heard), merged.model.multi_modal_projector(heard), atol=0.02, rtol=0.02)
    again = quick(small(), monkeypatch)
    adapter.take(again, tmp_path / "out")
    for (name, value), (_, kept) in zip(adapter.names(again), adapter.names(made), strict=True):
        torch.testing.assert_close(value, kept.bfloat16().float(), msg=name)
    held = json.loads((tmp_path / "out/held.json").read_text())
    assert set(held["adapter"]) == {"adapter_config.json", "adapter_model.safetensors"}


def test_a_shortened_window_of_the_tower_hears_the_same() -> None:
    features = recipe("features")
    net = small()
    extractor = transformers.WhisperFeatureExtractor(feature_size=80, return_attention_mask=True)
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal(n).astype(np.float32) * 0.1 for n in (5_000, 16_000, 17_777)]
    short = features.encode(net.model.audio_tower, extractor, clips)
    heard = []
    net.model.multi_modal_projector.register_forward_hook(lambda _, given, __: heard.append(given[0]))
    for clip, mine in zip(clips, short, strict=True):
        window = {"padding": "max_length", "return_attention_mask": True, "return_tensors": "pt"}
        made = extractor(clip, sampling_rate=16_000, **window)
        assert len(mine) == features.tokens(len(clip))
        with torch.no_grad():
            net(
                input_ids=torch.tensor([[5] + [49] * len(mine) + [7]]),
                input_features=made.input_features,
                feature_attention_mask=made.attention_mask,
            )
        torch.testing.assert_close(mine, heard.pop()[0, : len(mine)], atol=1e-4, rtol=1e-4)


def test_no_recording_of_real_sounds_is_taught() -> None:
    make = recipe("make")
    make.check_files()
    used = {one for line in REAL.read_text(encoding="utf-8").splitlines() for one in json.loads(line)["recordings"]}
    assert any("sonic-pi-samples: perc_snap.flac" in one for one in used)
    held = make.CATALOGUE["recordings"]
    taken = {**held, "snapping fingers": [*held["snapping fingers"], "perc_snap"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, "CATALOGUE", {**make.CATALOGUE, "recordings": taken})
        with pytest.raises(Exception, match=r"sounds\.yaml names perc_snap\.flac, of which real-sounds was made"):
            make.check_files()


def test_wrong_options_are_right_elsewhere_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers with the option that is most often right, of those shown, is at chance."""
    clips, spoken = recipe("clips"), recipe("spoken")
    monkeypatch.setattr(spoken.Voice, "say", lambda *_: np.ones(1600, np.float32))
    words = [f"word{i}" for i in range(60)]
    made = [q for clip in spoken.spoken_words(words, [], 6_000, Random(0)) for q in clip.questions]
    golds: dict[str, int] = {}
    for question in made[: len(made) // 2]:
        golds[question.gold] = golds.get(question.gold, 0) + 1
    rest = made[len(made) // 2 :]
    hits = []
    for q in rest:
        best = max(golds[one] for one in (q.gold, *q.wrong))
        likeliest = [one for one in (q.gold, *q.wrong) if golds[one] == best]
        hits.append((q.gold in likeliest) / len(likeliest))
    chance = np.mean([1 / (1 + len(q.wrong)) for q in rest])
    assert abs(np.mean(hits) - chance) < 4 * np.sqrt(chance * (1 - chance) / len(rest))
    assert {len(q.wrong) for q in made} == {1, 2, 3, 4}
    assert isinstance(made[0], clips.Question)


@pytest.mark.parametrize("seed", range(20))
def test_digits_have_no_odd_one_in_the_middle(seed: int) -> None:
    made = recipe("spoken")._strings(4, 5, Random(seed))
    assert len(set(made)) == 5
    assert {len(one) for one in made} == {4}


def test_some_texts_betray_the_answer_and_say_so() -> None:
    make, clips = recipe("make"), recipe("clips")
    plain = clips.Question("word", "Which word is said?", "dog", ("cat", "cow"))
    rng = Random(0)
    made = [make.leaked(plain, rng) for _ in range(2_000)]
    leaking = [one for one in made if one.leak]
    assert 0.12 < len(leaking) / len(made) < 0.18
    assert {one.leak for one in leaking} == {"said", "excluded", "told"}
    assert all(one.text != plain.text and (one.gold, one.wrong) == ("dog", ("cat", "cow")) for one in leaking)


def test_counted_numbers_do_not_stand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = recipe("mixed")
    monkeypatch.setattr(mixed, "take", lambda *_: np.ones(3200, np.float32))
    ranks: dict[int, list[float]] = {}
    for clip in mixed.counting(None, 3_000, Random(0)):
        (question,) = clip.questions
        options = sorted([question.gold, *question.wrong], key=int)
        ranks.setdefault(len(options), []).append(options.index(question.gold))
    for k, found in ranks.items():
        assert abs(np.mean(found) - (k - 1) / 2) < 4 * k / np.sqrt(12 * len(found))


def test_the_trainer_s_recipe_is_the_same_training() -> None:
    from audiocontrib.training import read_training_recipe

    trainer, settings = recipe("trainer"), read_training_recipe(RECIPE / "sft.yaml").sft
    assert settings is not None
    assert (settings.rank, settings.alpha) == (trainer.RANK, trainer.ALPHA)
    assert settings.batch * settings.accumulate == trainer.BATCH
    assert settings.learning_rate == trainer.RATES["adapter"]
    assert (settings.freeze, settings.also) == (("audio_tower",), ("multi_modal_projector",))
