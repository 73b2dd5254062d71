"""What is heard in training: the same in sampling, in all log-probabilities and in the loss. And the stock traps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from helpers.lazy import lazy
from helpers.tiny_families import tiny
from helpers.training_tools import TINY, demo_rows, grpo, grpo_trainer, sft

from audiocontrib.conditions import condition
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.models.base import Request
from audiocontrib.training.rows import TrainingRows

if TYPE_CHECKING:
    from torch import Tensor

collate = lazy("audiocontrib.training.encoding.collate")
datasets = lazy("datasets")
features = lazy("audiocontrib.training.encoding.features")
padded = lazy("audiocontrib.training.encoding.padded")
row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
session = lazy("audiocontrib.training.trainers.session")
torch = lazy("torch")
training_grpo = lazy("audiocontrib.training.trainers.grpo")
training_sft = lazy("audiocontrib.training.trainers.sft")
trl = lazy("trl")


def batch_of(trainer: Any) -> dict[str, Any]:
    """A generation batch as the trainer samples and scores it; shuffled."""
    torch.manual_seed(0)
    return trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))


def logps(trainer: Any, inputs: dict[str, Any]) -> Tensor:
    """The log-probabilities of the replies as the loss uses them."""
    seen: list[Tensor] = []
    usual = trainer._get_per_token_logps_and_entropies

    def spy(*args: Any, **kwargs: Any) -> Any:
        told = usual(*args, **kwargs)
        seen.append(told[0])
        return told

    trainer._get_per_token_logps_and_entropies = spy
    trainer.compute_loss(trainer.model, inputs)
    trainer._get_per_token_logps_and_entropies = usual
    return seen[0].detach()


def plain(trainer: Any, rows: TrainingRows, inputs: dict[str, Any]) -> Tensor:
    """The same by one forward a reply, unpadded, on the clip of the question that the tokens ask."""
    encoder = trainer.encoder
    asked = {tuple(ids): heard for ids, heard in (encoder.prompt(row) for row in rows)}
    assert len(asked) == len(rows)  # no two questions share all tokens, so that a wrong clip would be seen
    made = torch.zeros(inputs["completion_ids"].shape)
    for i in range(len(made)):
        prompt = inputs["prompt_ids"][i][inputs["prompt_mask"][i].bool()].tolist()
        reply = inputs["completion_ids"][i][inputs["completion_mask"][i].bool()].tolist()
        heard = {name: value[0] for name, value in asked[tuple(prompt)].items()}
        with torch.no_grad():
            logits = trainer.model(input_ids=torch.tensor([prompt + reply]), **heard).logits[0, len(prompt) - 1 : -1]
        scores = (logits / trainer.temperature).log_softmax(-1)
        made[i, : len(reply)] = scores.gather(-1, torch.tensor(reply)[:, None])[:, 0]
    return made


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return demo_rows(12)


@pytest.fixture(scope="module")
def trainer(rows: TrainingRows, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return grpo_trainer(grpo(iterations=2, batch=16), rows, tmp_path_factory.mktemp("grpo"))


@pytest.fixture(scope="module")
def inputs(trainer: Any) -> dict[str, Any]:
    return batch_of(trainer)


@pytest.mark.slow
def test_all_log_probabilities_are_those_of_a_plain_forward_with_the_own_clip(
    trainer: Any, rows: TrainingRows, inputs: dict[str, Any]
) -> None:
    mask = inputs["completion_mask"].bool()
    expected = plain(trainer, rows, inputs)
    policy = logps(trainer, inputs)
    for name, found in {
        "policy": policy, "old": inputs["old_per_token_logps"], "reference": inputs["ref_per_token_logps"],
    }.items():  # fmt: skip
        assert (found - expected)[mask].abs().max() < 1e-4, name
    assert len({tuple(ids) for ids in inputs["prompt_ids"].tolist()}) == 4  # several clips, of several lengths
    assert expected[mask].min() < -0.5  # and replies that are not certain


@pytest.mark.slow
def test_they_change_when_the_clips_are_swapped(trainer: Any, inputs: dict[str, Any]) -> None:
    mask = inputs["completion_mask"].bool()
    heard = {name: inputs[name] for name in ("input_features", "feature_attention_mask", "windows")}
    mute = inputs | {"input_features": torch.zeros_like(heard["input_features"])}
    own, other = logps(trainer, inputs), logps(trainer, mute)
    assert (own - other)[mask].abs().max() > 0.5


@pytest.mark.slow
def test_stock_log_probabilities_do_not_hear_and_the_equality_test_sees_it(
    rows: TrainingRows, tmp_path: Path
) -> None:  # fmt: skip
    class Stock(training_grpo.AudioGRPOTrainer):
        _get_per_token_logps_and_entropies = trl.GRPOTrainer._get_per_token_logps_and_entropies

    deaf = grpo_trainer(grpo(batch=16), rows, tmp_path, Stock)
    inputs = batch_of(deaf)
    difference = (logps(deaf, inputs) - plain(deaf, rows, inputs))[inputs["completion_mask"].bool()]
    assert difference.abs().max() > 0.5


def test_gradients_of_the_loss_reach_every_weight_of_the_audio_tower(trainer: Any, inputs: dict[str, Any]) -> None:
    trainer.model.zero_grad()
    given = inputs | {"advantages": torch.linspace(-1, 1, len(inputs["advantages"]))}
    trainer.compute_loss(trainer.model, given).backward()
    tower = [p for n, p in trainer.model.named_parameters() if "audio_tower" in n and "bos_eos" not in n]  # unused
    assert len(tower) > 10
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in tower)
    images = [p for n, p in trainer.model.named_parameters() if "visual" in n]
    assert images
    assert not any(p.requires_grad for p in images)


def test_no_placeholder_is_ever_sampled(rows: TrainingRows, tmp_path: Path) -> None:
    trainer = grpo_trainer(grpo(beta=0), rows, tmp_path)
    banned = trainer.encoder.placeholders()
    assert len(set(banned)) == 3
    assert trainer.encoder.prompt_encoder.audio_id in banned

    def prefer(module: Any, args: Any, logits: Tensor) -> Tensor:
        logits[..., banned] += 1e3
        return logits

    hook = trainer.model.lm_head.register_forward_hook(prefer)
    replies = batch_of(trainer)["completion_ids"]
    assert not torch.isin(replies, torch.tensor(banned)).any()
    trainer.generation_config.suppress_tokens = None
    trainer.generation_kwargs.pop("suppress_tokens")
    with pytest.raises(RuntimeError, match="source < number of ones"):
        trainer.compute_loss(trainer.model, batch_of(trainer))
    hook.remove()


def test_a_model_made_in_memory_has_its_reference(rows: TrainingRows, tmp_path: Path) -> None:
    settings = grpo(beta=0.1)
    model = row_encoder.load_for_training(TINY, settings)
    model.net.config._name_or_path = "made/in-memory"
    with pytest.raises(OSError, match="huggingface"), session.calm():  # the stock trainer looks for it on the hub
        trl.GRPOTrainer(
            model=model.net,
            args=trl.GRPOConfig(str(tmp_path / "stock"), beta=0.1, use_cpu=True, bf16=False, report_to="none"),
            reward_funcs=lambda completions, **_: [0.0] * len(completions),
            train_dataset=datasets.Dataset.from_dict({"prompt": ["a"]}),
            processing_class=model.tokenizer,
        )
    model = row_encoder.load_for_training(TINY, settings)
    model.net.config._name_or_path = "made/in-memory"
    trainer = training_grpo.AudioGRPOTrainer(
        settings, rows, row_encoder.RowEncoder(model, 30), model.net, tmp_path / "ours"
    )
    for ours, theirs in zip(trainer.model.parameters(), trainer.ref_model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert ours.data_ptr() != theirs.data_ptr()


def test_a_constant_baseline_per_prompt_cancels(rows: TrainingRows, tmp_path: Path) -> None:
    class Baseline(training_grpo.AudioGRPOTrainer):
        def _calculate_rewards(self, inputs: Any, *args: Any) -> Any:
            rewards = super()._calculate_rewards(inputs, *args)
            rewards[:, 0] -= torch.tensor([0.1 * one["row"] for one in inputs])
            return rewards

    found = [
        batch_of(grpo_trainer(grpo(beta=0, batch=16, temperature=1.5), rows, tmp_path / cls.__name__, cls))
        for cls in (training_grpo.AudioGRPOTrainer, Baseline)
    ]
    assert found[0]["advantages"].abs().max() > 0.5
    assert torch.equal(found[0]["completion_ids"], found[1]["completion_ids"])
    torch.testing.assert_close(found[0]["advantages"], found[1]["advantages"], atol=1e-3, rtol=1e-3)


@pytest.mark.slow
def test_weights_multiply_the_advantages(rows: TrainingRows, tmp_path: Path) -> None:
    weighed = replace(rows, weights={item.id: 2.0 for item in rows.items})
    settings = grpo(beta=0, batch=16, temperature=1.5)
    one, two = (
        batch_of(grpo_trainer(settings, r, tmp_path / str(i)))["advantages"] for i, r in enumerate((rows, weighed))
    )
    assert one.abs().max() > 0.5
    torch.testing.assert_close(two, 2 * one)


def test_silent_replies_hear_silence_and_are_rewarded_for_abstaining_alone(rows: TrainingRows, tmp_path: Path) -> None:
    option = "That cannot be told."
    shown = replace(rows, extra_option=option)
    trainer = grpo_trainer(grpo(beta=0, batch=8, silent_replies=2, abstain_option=option), shown, tmp_path)
    row = shown[0]
    assert option in row.prompt.options
    assert row.prompt.options[row.gold] == row.item.choices[row.item.answer]
    _, _, heard = trainer._tokenize_prompts(["0"] * 4)
    own = trainer.encoder.prompt(row)[1]["input_features"][0, 0]
    still = trainer.encoder.prompt(row, silent=True)[1]["input_features"][0, 0]
    assert [torch.equal(one, own) for one in heard["input_features"]] == [True, True, False, False]
    assert torch.equal(heard["input_features"][3], still)
    encode = trainer.encoder.tokenizer
    said = [f"<answer>{text}</answer>" for text in (row.prompt.options[row.gold], option)]
    ids = [encode(text + "<|im_end|>").input_ids for text in (*said, *said)]
    silent = [False, False, True, True]
    accuracy, form, abstaining = trainer._rewards()
    known = {"completion_ids": ids, "row": [0] * 4, "silent": silent, "log_metric": lambda *_: None}
    assert accuracy(**known) == [1.0, 0.0, None, None]
    assert abstaining(**known) == [None, None, 0.0, 1.0]
    assert form(**known) == [1.0] * 4
    assert trainer.reward_weights.tolist() == [2.0, 0.5, 2.0]


def test_replies_in_silence_have_a_baseline_of_their_own(rows: TrainingRows, tmp_path: Path) -> None:
    """By hand. Two groups of two that hear and two in silence; rewards 2.0 accuracy, 0.5 form, 2.0 abstaining."""
    trainer = grpo_trainer(grpo(beta=0, batch=8, silent_replies=2), rows, tmp_path)
    nan = None
    planted = {
        "accuracy": [1.0, 0.0, nan, nan, 1.0, 1.0, nan, nan],
        "format": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        "abstaining": [nan, nan, 0.0, 0.0, nan, nan, 1.0, 0.0],
    }
    trainer.reward_funcs = [lambda one=one, **_: one for one in planted.values()]
    # sums: 2.5, 0.5 | 0.5, 0.5 and 2.5, 2.5 | 2.5, 0; two values lie half a difference from their mean, and their
    # standard deviation is the difference over the root of 2
    first, second = 1.0 / (2.0 / 2**0.5 + 1e-4), 1.25 / (2.5 / 2**0.5 + 1e-4)
    made = trainer._generate_and_score_completions([{"prompt": str(i // 4), "row": i // 4} for i in range(8)])
    expected = torch.tensor([first, -first, 0.0, 0.0, 0.0, 0.0, second, -second])
    torch.testing.assert_close(made["advantages"], expected)
    assert trainer._metrics["train"]["frac_reward_zero_std"] == [0.5]


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_replies_that_hear_are_held_against_each_other_alone(scale: str) -> None:
    from audiocontrib.training.trainers.advantages import two_baselines

    hearing = torch.tensor([[2.5, 0.5, 0.5], [2.5, 0.5, 0.0]])
    spread = hearing.std(dim=1, keepdim=True) if scale == "group" else hearing.std()
    centred = hearing - hearing.mean(dim=1, keepdim=True)
    alone = centred if scale == "none" else centred / (spread + 1e-4)
    for silent in (torch.zeros(2, 2), torch.tensor([[2.5, 0.0], [0.5, 0.5]])):
        found, equal = two_baselines(torch.cat([hearing, silent], dim=1).flatten(), 5, 2, scale)  # type: ignore[arg-type]
        torch.testing.assert_close(found.view(2, 5)[:, :3], alone)
        assert equal.view(2, 5)[:, :3].any() == 0
        assert equal.view(2, 5)[1, 3:].all()


def test_special_tokens_in_a_reply_cost_the_form(trainer: Any) -> None:
    encode = trainer.encoder.tokenizer
    form = trainer._rewards()[1]
    said = ["<answer>dog</answer><|im_end|>", "<|im_start|><answer>dog</answer><|im_end|>", "<answer>dog</answer> "]
    assert form(completion_ids=[encode(text).input_ids for text in said]) == [1.0, 0.0, 0.0]


def test_only_the_reply_is_learned(rows: TrainingRows) -> None:
    model = row_encoder.load_for_training(TINY, sft())
    encoder = row_encoder.RowEncoder(model, 30)
    batch = collate.Collator(encoder, rows)([{"row": i} for i in range(5)])
    for i in range(5):
        learned = batch["labels"][i] != collate.IGNORED
        assert model.tokenizer.decode(batch["labels"][i][learned]) == f"{rows[i].target}<|im_end|>"
        assert torch.equal(batch["input_ids"][i][learned], batch["labels"][i][learned])
        read = batch["input_ids"][i][batch["attention_mask"][i].bool()].tolist()
        prompt, _ = encoder.prompt(rows[i])
        assert read[: len(prompt)] == prompt
        assert len(read) == len(prompt) + learned.sum()
        assert read.count(model.encoder.audio_id) > 20
    assert len(batch["input_features"]) == 5


def test_training_reads_what_scoring_asks(rows: TrainingRows) -> None:
    model = row_encoder.load_for_training(TINY, sft())
    encoder = row_encoder.RowEncoder(model, 30)
    row = rows[3]
    request = Request(row.item, condition("audio"), 0, row.prompt, encoder.hear(row))
    scored = model.likelihood([request])[0].logprobs[row.gold]
    batch = collate.Collator(encoder, rows)([{"row": i} for i in (3, 4)])
    with torch.no_grad():
        logits = model.net(**{k: v for k, v in batch.items() if k != "labels"}).logits[0]
    target = encoder.target(row)
    opening = model._opening([target[:-1], *(model._completion(row.prompt, option) for option in row.prompt.options)])
    start = int((batch["labels"][0] != collate.IGNORED).nonzero()[0]) + opening
    tokens = target[opening:-1]  # the end is not part of what is scored
    told = logits[start - 1 : start - 1 + len(tokens)].log_softmax(-1)
    assert float(told.gather(-1, torch.tensor(tokens)[:, None]).sum()) == pytest.approx(scored, abs=1e-3)


def moved(before: dict[str, Tensor], net: Any) -> float:
    """Share of the audio tower's weights (tensors) that have changed."""
    after = net.state_dict()
    tower = [name for name in before if "audio_tower" in name and "bos_eos" not in name]
    return float(np.mean([not torch.equal(before[name], after[name]) for name in tower]))


@pytest.mark.slow
def test_sft_moves_the_audio_tower_and_the_stock_trainer_does_not(rows: TrainingRows, tmp_path: Path) -> None:
    settings = sft(steps=1, save_every=100, warmup=0.0)
    model = row_encoder.load_for_training(TINY, settings)
    start = {name: value.clone() for name, value in model.net.state_dict().items()}
    with session.calm():
        training_sft.make_trainer(
            settings, rows, row_encoder.RowEncoder(model, 30), model.net, tmp_path / "ours"
        ).train()
    assert moved(start, model.net) == 1.0

    model = row_encoder.load_for_training(TINY, settings)
    model.processor.chat_template = model.processor.tokenizer.chat_template = model.processor.chat_template
    clip = tmp_path / "clip.flac"
    clip.write_bytes(rows.items[0].audio.data)
    table = [
        {
            "prompt": [
                {"role": "user", "content": [{"type": "audio", "audio": str(clip)}, {"type": "text", "text": "q"}]}
            ],
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": r.target}]}],
        }
        for r in rows
    ]  # fmt: skip
    with session.calm():
        stock = trl.SFTTrainer(
            model=model.net,
            args=trl.SFTConfig(
                str(tmp_path / "stock"), max_steps=1, use_cpu=True, bf16=False, report_to="none", save_strategy="no"
            ),
            train_dataset=datasets.Dataset.from_list(table, on_mixed_types="use_json"),
            processing_class=model.processor,
        )
        stock.train()
    assert moved(start, model.net) == 0.0
    assert not torch.equal(start["lm_head.weight"], model.net.lm_head.weight)  # and yet it trains


def test_no_messages_go_through_a_table_that_fills_up_missing_keys(trainer: Any, rows: TrainingRows) -> None:
    parts = [{"type": "audio", "audio": "a.wav"}, {"type": "text", "text": "q"}]
    filled = datasets.Dataset.from_list([{"content": parts}])[0]["content"]
    assert all("audio" in part for part in filled)  # the trap: text parts look like audio to a template
    assert {str(kind.dtype) for kind in trainer.train_dataset.features.values()} == {"string", "int64"}
    assert all(
        ears_ids.count(trainer.encoder.prompt_encoder.audio_id) > 20
        for ears_ids, _ in map(trainer.encoder.prompt, rows)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny-audio-flamingo-3", "tiny-qwen2-audio"])
def test_other_families_and_clips_of_several_windows(name: str, tmp_path: Path) -> None:
    rate, dice = 16_000, np.random.default_rng(0)
    items = []
    for i, seconds in enumerate((2.0, 35.0, 4.0)):
        soundfile.write(tmp_path / f"{i}.wav", 0.1 * dice.standard_normal(int(rate * seconds)), rate)
        clip = Clip(f"{i}.wav", str(tmp_path))
        items.append(
            make_item(
                dataset="t", own_id=str(i), question=f"What is {i}?", choices=["high", "low"], answer="low", audio=clip
            )
        )
    rows = TrainingRows(Items(items))
    trainer = grpo_trainer(
        grpo(beta=0, batch=12, accumulate=1, new_tokens=4, seconds=60.0), rows, tmp_path / "o", name=name
    )
    inputs = batch_of(trainer)
    windows = 2 if name == "tiny-audio-flamingo-3" else 1  # the other one hears 30 s
    assert sorted(set(inputs["windows"].tolist())) == sorted({1, windows})
    assert (logps(trainer, inputs) - plain(trainer, rows, inputs))[inputs["completion_mask"].bool()].abs().max() < 1e-4


def test_features_of_several_rows_come_apart_as_they_were() -> None:
    given = [{"x": torch.rand(1, w, 3, t), "m": torch.ones(1, w, t)} for w, t in ((1, 5), (3, 2), (2, 4))]
    packed = features.stacked(given)
    assert {name: len(value) for name, value in packed.items()} == {"x": 3, "m": 3, "windows": 3}
    places = torch.tensor([2, 0, 1])
    back = features.unstacked({name: value[places] for name, value in packed.items()})
    expected = torch.cat([torch.nn.functional.pad(given[i]["x"][0], (0, 5 - given[i]["x"].shape[-1])) for i in places])
    assert torch.equal(back["x"], expected)
    assert back["m"].sum() == sum(one["m"].sum() for one in given)


@pytest.mark.parametrize(("kind", "apart"), [("phi4_multimodal", True), ("musicflamingo", False)])
def test_a_model_that_hears_padding_is_said_to(kind: str, apart: bool) -> None:
    """The reply's log-probabilities in a batch of clips of several lengths, against those of the row alone."""
    asked, rows = tiny(kind), demo_rows(4)
    collator = collate.Collator(row_encoder.RowEncoder(asked, 30.0), list(rows))

    def scores(places: list[int]) -> list[Tensor]:
        made = collator([{"row": place} for place in places])
        labels = made.pop("labels")
        made.pop(collate.ROW)
        with torch.no_grad():
            logits = asked.net(**made).logits.log_softmax(-1)
        wanted = [one[1:] != collate.IGNORED for one in labels]
        return [
            logit[:-1][here].gather(-1, label[1:][here][:, None])
            for logit, label, here in zip(logits, labels, wanted, strict=True)
        ]

    together, alone = scores([0, 1, 2, 3]), [scores([place])[0] for place in range(4)]
    assert (max((a - b).abs().max() for a, b in zip(together, alone, strict=True)) > 1e-3) == apart
    told = padded.heard_padding(sft(batch=4), asked)
    assert (f"tiny-{kind}: it hears what the shorter clips of a batch are padded with" in (told or "")) == apart
    assert padded.heard_padding(sft(batch=1), asked) is None
    assert ("batch: 4 with a larger accumulate" in (padded.heard_padding(grpo(), asked) or "")) == apart
    assert padded.heard_padding(grpo(batch=4), asked) is None
