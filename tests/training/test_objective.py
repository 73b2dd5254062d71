"""GRPO's settings: advantages, losses and sampling by hand, against what the trainer computes; what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy
from helpers.training_tools import demo_rows, grpo, grpo_trainer, sft

from audiocontrib.config import build
from audiocontrib.errors import UsageError
from audiocontrib.training import GRPO

if TYPE_CHECKING:
    from collections.abc import Mapping

    Array = np.ndarray[Any, Any]

torch = lazy("torch")
trl = lazy("trl")
arguments = lazy("audiocontrib.training.trainers.arguments")
training_sft = lazy("audiocontrib.training.trainers.sft")
row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
session = lazy("audiocontrib.training.trainers.session")

ROWS, LENGTH = 4, 6
"""Of the batch that is put before the loss: two groups of two replies, the last one cut short by padding."""


@pytest.fixture(scope="module")
def batch() -> dict[str, Array]:
    """Made-up log-probabilities, in which every clip of every loss has work to do."""
    dice = np.random.default_rng(3)
    policy = -dice.uniform(0.1, 3.0, (ROWS, LENGTH))
    mask = np.ones((ROWS, LENGTH), dtype=int)
    mask[1, 4:] = mask[3, 2:] = 0
    return {
        "policy": policy * mask,
        "old": (policy - dice.normal(0, 0.4, policy.shape)) * mask,
        "ref": (policy - dice.normal(0, 0.2, policy.shape)) * mask,
        "entropy": dice.uniform(0.1, 2.0, policy.shape) * mask,
        "mask": mask,
        "advantage": np.array([0.9, -0.7, -1.2, 0.4]),
    }


def by_trainer(trainer: Any, settings: GRPO, batch: Mapping[str, Array]) -> float:
    """The loss that the trainer computes where the network says these log-probabilities."""
    told = {name: torch.tensor(value) for name, value in batch.items()}
    args = arguments.objective_arguments(settings)
    for name, value in args.items():
        setattr(trainer.args, name, value)
    trainer.loss_type, trainer.importance_sampling_level = settings.loss, settings.importance_sampling_level
    trainer.top_entropy_quantile = settings.top_entropy_quantile
    trainer.off_policy_mask_threshold = settings.off_policy_mask_threshold
    trainer.epsilon_low = settings.epsilon
    trainer.epsilon_high = settings.epsilon if settings.epsilon_high is None else settings.epsilon_high
    trainer.beta = settings.beta
    if not settings.use_adaptive_entropy:  # which goes on where it was
        trainer.entropy_coef = settings.entropy_coef
    trainer._entropy_bonus_enabled = settings.entropy_coef > 0 or settings.use_adaptive_entropy
    trainer.max_completion_length = settings.new_tokens
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (told["policy"], told["entropy"], None)
    ids = torch.ones_like(told["mask"])
    loss = super(type(trainer), trainer)._compute_loss(
        trainer.model,
        {
            "prompt_ids": ids, "prompt_mask": ids, "completion_ids": ids, "completion_mask": told["mask"],
            "advantages": told["advantage"], "old_per_token_logps": told["old"], "ref_per_token_logps": told["ref"],
            "num_items_in_batch": told["mask"].sum(),
        },
    )  # fmt: skip
    return float(loss)


def by_hand(settings: GRPO, batch: Mapping[str, Array]) -> float:
    """The same from the papers' formulas, token by token."""
    mask, said = batch["mask"].astype(bool), settings
    high = said.epsilon if said.epsilon_high is None else said.epsilon_high
    kept = mask
    if said.top_entropy_quantile < 1:
        least = np.quantile(batch["entropy"][mask], 1 - said.top_entropy_quantile)
        kept = mask & (batch["entropy"] >= least)
    rows = []
    for i in range(ROWS):
        a, places = batch["advantage"][i], np.flatnonzero(mask[i])
        ratios = batch["policy"][i, places] - batch["old"][i, places]
        whole, drift = np.exp(ratios.mean()), -ratios.mean()
        off = said.off_policy_mask_threshold
        row = []
        for t, log_ratio in zip(places, ratios, strict=True):
            w = whole if said.importance_sampling_level == "sequence" else np.exp(log_ratio)
            if said.loss == "cispo":
                token = min(w, high) * a * batch["policy"][i, t]
            elif said.loss == "sapo":
                tau = said.sapo_temperature_pos if a > 0 else said.sapo_temperature_neg
                token = 4 / tau / (1 + math.exp(-tau * (w - 1))) * a
            elif said.loss == "vespo":
                k, lam = (
                    (said.vespo_k_pos, said.vespo_lambda_pos) if a >= 0 else (said.vespo_k_neg, said.vespo_lambda_neg)
                )
                s = math.exp(ratios.sum())
                token = math.exp(lam) * s**k * math.exp(-lam * s) * a * batch["policy"][i, t]
            else:
                free = min(w, said.delta) if said.delta else w
                token = min(free * a, min(max(w, 1 - said.epsilon), 1 + high) * a)
            token *= kept[i, t] and not (off is not None and a < 0 and drift > off)
            gap = batch["ref"][i, t] - batch["policy"][i, t]
            kl = math.exp(gap) - gap - 1
            row.append(token - said.beta * kl * (w if said.use_bias_correction_kl else 1))
        rows.append(row)
    tokens = [token for row in rows for token in row]
    mean: dict[str, float] = {
        "grpo": float(np.mean([np.mean(row) for row in rows])),
        "luspo": float(np.mean([np.sum(row) for row in rows])),
        "dr_grpo": sum(tokens) / (ROWS * said.new_tokens),
    }
    mean["sapo"] = mean["grpo"]
    return -mean.get(said.loss, sum(tokens) / len(tokens)) - said.entropy_coef * float(batch["entropy"][kept].mean())


LOSSES: list[dict[str, Any]] = [
    {},
    {"use_bias_correction_kl": False},
    {"beta": 0.0, "epsilon_high": 0.28},
    {"delta": 1.3},
    {"importance_sampling_level": "sequence", "epsilon": 0.003, "epsilon_high": 0.004},  # GSPO with its bounds
    {"loss": "bnpo"},
    {"loss": "dapo", "epsilon_high": 0.28},
    {"loss": "dr_grpo"},
    {"loss": "cispo", "epsilon_high": 1.1},
    {"loss": "sapo"},
    {"loss": "sapo", "sapo_temperature_pos": 2.0, "sapo_temperature_neg": 3.0, "importance_sampling_level": "sequence"},
    {"loss": "luspo", "importance_sampling_level": "sequence"},
    {"loss": "vespo"},
    {"loss": "vespo", "vespo_k_neg": 1.0, "vespo_lambda_pos": 1.5},
    {"top_entropy_quantile": 0.3},
    {"entropy_coef": 0.05},
    {"entropy_coef": 0.05, "top_entropy_quantile": 0.3},
    {"off_policy_mask_threshold": 0.01, "iterations": 2},
]


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return grpo_trainer(grpo(batch=4), demo_rows(4), tmp_path_factory.mktemp("loss"))


@pytest.mark.parametrize("changes", LOSSES, ids=str)
def test_a_loss_is_that_of_its_paper(changes: dict[str, Any], trainer: Any, batch: dict[str, Array]) -> None:
    settings = grpo(batch=4, **changes)
    assert by_trainer(trainer, settings, batch) == pytest.approx(by_hand(settings, batch), abs=1e-6)


def test_every_loss_differs_from_the_first(batch: dict[str, Array]) -> None:
    """So that a setting which did nothing would be seen above."""
    found = [by_hand(grpo(batch=4, **changes), batch) for changes in LOSSES]
    assert len({round(value, 6) for value in found}) == len(LOSSES)


def test_the_adaptive_entropy_goes_up_below_its_target_and_down_above(
    trainer: Any, batch: dict[str, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    mean = float(batch["entropy"].sum() / batch["mask"].sum())
    monkeypatch.setattr(trainer, "use_adaptive_entropy", True)
    for target, coefs in ((mean + 0.1, [0.0, 0.3, 0.5]), (mean - 0.1, [0.0, 0.0, 0.0])):
        settings = grpo(
            batch=4, use_adaptive_entropy=True, entropy_target=target, entropy_coef_delta=0.3, entropy_coef_max=0.5
        )
        trainer.entropy_coef, trainer._last_world_entropy = 0.0, float("inf")
        for coef in coefs:  # of this step; the controller then sets that of the next
            assert trainer.entropy_coef == pytest.approx(coef)
            now = replace(settings, use_adaptive_entropy=False, entropy_target=0.2, entropy_coef_delta=0.005,
                          entropy_coef_max=1.0, entropy_coef=coef)  # fmt: skip
            assert by_trainer(trainer, settings, batch) == pytest.approx(by_hand(now, batch), abs=1e-6)


# advantages


REWARDS = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]
"""Of two groups of four replies: for the right option, for the form."""


def advantages(changes: dict[str, Any]) -> Array:
    """By hand, from REWARDS with the weights 2 and .5."""
    each, weights = np.array(REWARDS).reshape(2, 4, 2), np.array([2.0, 0.5])
    if changes.get("multi_objective_aggregation"):
        scaled = (each - each.mean(1, keepdims=True)) / (each.std(1, keepdims=True, ddof=1) + 1e-4)
        total = (scaled @ weights).ravel()
        return (total - total.mean()) / (total.std(ddof=1) + 1e-4)
    total = each @ weights
    centred = total - total.mean(1, keepdims=True)
    deviation = {
        "group": total.std(1, keepdims=True, ddof=1) + 1e-4, "batch": total.std(ddof=1) + 1e-4, "none": 1.0
    }[changes.get("scale_rewards") or ("none" if changes.get("loss") == "dr_grpo" else "group")]  # fmt: skip
    return (centred / deviation).ravel()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scale_rewards": "batch"},
        {"scale_rewards": "none"},
        {"loss": "dr_grpo"},
        {"loss": "dr_grpo", "scale_rewards": "group"},
        {"multi_objective_aggregation": "normalize_then_sum"},
    ],
    ids=str,
)
def test_advantages_by_hand(changes: dict[str, Any], trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = grpo(batch=8, **changes)
    trainer.scale_rewards = settings.scaling
    trainer.multi_objective_aggregation = settings.multi_objective_aggregation
    monkeypatch.setattr(trainer, "_calculate_rewards", lambda *_: torch.tensor(REWARDS))
    monkeypatch.setattr(trainer, "_keep_replies", lambda *_: None)
    monkeypatch.setattr(trainer, "max_completion_length", 2)
    made = trainer._generate_and_score_completions([{"prompt": str(i), "row": i} for i in (0, 0, 0, 0, 1, 1, 1, 1)])
    np.testing.assert_allclose(made["advantages"].numpy(), advantages(changes), atol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"scale_rewards": "none"}, {"scale_rewards": "batch"},
                                     {"multi_objective_aggregation": "normalize_then_sum"}], ids=str)  # fmt: skip
@pytest.mark.parametrize("size", [0.1, 1000.1, 1e38])
def test_equal_rewards_teach_nothing_whatever_they_are(
    changes: dict[str, Any], size: float, trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32 the mean of equal numbers may be another one, and the spread of large ones is infinite."""
    if changes.get("scale_rewards") == "batch":
        rewards = torch.full((8, 2), size)
    else:
        rewards = torch.tensor([[size, size]] * 4 + [[size * 0.7, size]] * 4)
    settings = grpo(batch=8, **changes)
    trainer.scale_rewards = settings.scaling
    trainer.multi_objective_aggregation = settings.multi_objective_aggregation
    monkeypatch.setattr(trl.GRPOTrainer, "_calculate_rewards", lambda *_: rewards)
    monkeypatch.setattr(trainer, "_keep_replies", lambda *_: None)
    monkeypatch.setattr(trainer, "max_completion_length", 2)
    made = trainer._generate_and_score_completions([{"prompt": str(i), "row": i} for i in (0, 0, 0, 0, 1, 1, 1, 1)])
    assert made["advantages"].dtype == torch.float32
    assert made["advantages"].abs().max() < 1e-6


# sampling, and what is left out of the loss


def test_settings_reach_the_trainer_and_the_sampling(tmp_path: Path) -> None:
    """All that may be set at once; the logits are planted, so that it is known which tokens may be sampled."""
    settings = grpo(
        batch=4, new_tokens=3, temperature=2.0, min_p=0.3, top_p=0.99, betas=(0.8, 0.95), weight_decay=0.1, seed=42,
        epsilon_high=0.28, delta=1.5, scale_rewards="none", mask_truncated_completions=True, top_entropy_quantile=0.2,
        entropy_coef=0.01, use_adaptive_entropy=True, entropy_target=1.0, beta=0.0, use_bias_correction_kl=False,
    )  # fmt: skip
    trainer = grpo_trainer(settings, demo_rows(4), tmp_path)
    for name, value in arguments.objective_arguments(settings).items():
        assert getattr(trainer.args, name) == value, name
    assert (trainer.args.seed, trainer.epsilon_high, trainer.scale_rewards) == (42, 0.28, "none")
    trainer.create_optimizer()
    groups = trainer.optimizer.param_groups
    assert {(group["betas"], group["weight_decay"]) for group in groups} == {((0.8, 0.95), 0.1), ((0.8, 0.95), 0.0)}

    # probabilities at temperature 2 are as 1 : .5 : .25 : the rest; min_p 0.3 leaves the first two
    likely, less, unlikely = 300, 301, 302
    planted = {likely: 0.0, less: 2 * math.log(0.5), unlikely: 2 * math.log(0.25)}

    def plant(module: Any, args: Any, logits: Any) -> Any:
        logits[...] = -100.0
        for token, value in planted.items():
            logits[..., token] = value
        return logits

    hook = trainer.model.lm_head.register_forward_hook(plant)
    torch.manual_seed(0)
    made = trainer._generate_and_score_completions([{"prompt": str(i // 4), "row": i // 4} for i in range(16)])
    hook.remove()
    assert set(made["completion_ids"].unique().tolist()) == {likely, less}
    assert made["completion_ids"].shape[1] == 3
    assert made["completion_mask"].sum() == 0  # none ends by itself: all were cut off, and teach nothing


def test_the_entropy_has_the_gradient_of_a_plain_forward(tmp_path: Path) -> None:
    rows = demo_rows(4)
    trainer = grpo_trainer(grpo(batch=4, beta=0.0, temperature=1.5, new_tokens=4), rows, tmp_path)
    ids, heard = trainer.encoder.prompt(rows[0])
    reply = trainer.encoder.target(rows[0])[:4]
    tokens = torch.tensor([ids + reply])
    trainer.heard = row_encoder_features(heard)
    _, entropy, _ = trainer._get_per_token_logps_and_entropies(
        trainer.model, tokens, torch.ones_like(tokens), len(reply), compute_entropy=True
    )
    [ours] = torch.autograd.grad(entropy.mean(), [trainer.model.lm_head.weight])
    logits = trainer.model(input_ids=tokens, **{name: value[0] for name, value in heard.items()}).logits
    scores = (logits[0, len(ids) - 1 : -1] / 1.5).log_softmax(-1)
    plain = -(scores.exp() * scores).sum(-1)
    [theirs] = torch.autograd.grad(plain.mean(), [trainer.model.lm_head.weight])
    torch.testing.assert_close(entropy[0], plain, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-3)


def row_encoder_features(heard: Any) -> Any:
    from audiocontrib.training.encoding.features import stacked

    return stacked([heard])


# the schedule


@pytest.mark.parametrize(
    ("changes", "ends"),
    [({}, 6), ({"schedule_steps": 20}, 20), ({"schedule_epochs": 4.0}, 12), ({"steps": None, "epochs": 2.0}, 6)],
    ids=str,
)
def test_the_schedule_ends_where_it_is_told_to(changes: dict[str, Any], ends: int, tmp_path: Path) -> None:
    """Cosine after a warm-up over a tenth of the schedule, whatever part of it is trained: 12 rows, 3 steps of 4."""
    settings = sft(warmup=0.1, save_every=100, **changes)
    model = row_encoder.load_for_training("tiny-qwen2.5-omni", settings)
    with session.calm():
        encoder = row_encoder.RowEncoder(model, 30)
        made = training_sft.make_trainer(settings, demo_rows(12), encoder, model.net, tmp_path)
    made.set_initial_training_values(made.args, made.get_train_dataloader())
    made.create_optimizer()
    schedule = made.create_scheduler(6)
    rise = math.ceil(0.1 * ends)
    for step in range(6):
        passed = (step - rise) / (ends - rise)
        wanted = step / rise if step < rise else (1 + math.cos(math.pi * passed)) / 2
        assert schedule.get_last_lr()[0] == pytest.approx(1e-3 * wanted)
        made.optimizer.step()
        schedule.step()


def test_a_schedule_that_ends_before_training_is_refused(tmp_path: Path) -> None:
    settings = sft(schedule_epochs=1.0, save_every=100)
    model = row_encoder.load_for_training("tiny-qwen2.5-omni", settings)
    made = training_sft.make_trainer(settings, demo_rows(12), row_encoder.RowEncoder(model, 30), model.net, tmp_path)
    with pytest.raises(UsageError, match="the schedule ends at step 3, but there are 6 steps"):
        made.train()


# what is refused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vllm_mode": "server"}, "vllm_mode: every training here has audio, of which TRL 1.16 gives vLLM nothing"),
        ({"use_vllm": True}, "export the rows for ms-swift"),
        ({"use_transformers_paged": True}, "the tokens alone, without the audio"),
        ({"sync_ref_model": True}, "stays the reference"),
        ({"repetition_penalty": 1.1}, "tokens that stand for sound"),
        ({"loss": "cispo"}, "loss cispo needs epsilon_high"),
        ({"loss": "luspo"}, "loss luspo needs importance_sampling_level: sequence"),
        ({"loss": "dapo", "importance_sampling_level": "sequence"}, "loss grpo, luspo or sapo, not with dapo"),
        ({"loss": "sapo", "epsilon_high": 0.3}, "loss sapo does not clip: leave epsilon_high out"),
        ({"loss": "cispo", "epsilon_high": 5.0, "delta": 9.0}, "loss cispo does not clip: leave delta out"),
        ({"delta": 1.1}, "delta is 1.1, but must be above 1 + epsilon_high"),
        ({"off_policy_mask_threshold": 0.5}, "where iterations is 1"),
        ({"scale_rewards": "none", "multi_objective_aggregation": "normalize_then_sum"}, "scale_rewards has no part"),
        ({"silent_replies": 1, "multi_objective_aggregation": "normalize_then_sum"}, "silent_replies"),
        ({"vespo_k_neg": 1}, "vespo_k_neg is of loss vespo"),
        ({"sapo_temperature_pos": 2}, "sapo_temperature_pos is of loss sapo"),
        ({"entropy_target": 1}, "entropy_target is of use_adaptive_entropy"),
        ({"use_adaptive_entropy": True, "entropy_coef_min": 2}, "entropy_coef_min is 2, above entropy_coef_max"),
        ({"schedule_steps": 3}, "schedule_steps is 3, but steps goes on to 4"),
        ({"schedule_steps": 9, "schedule_epochs": 1}, "give either schedule_steps or schedule_epochs"),
        ({"betas": [0.9, 1]}, "betas[1] is 1, but must be a number of at least 0 and below 1"),
        ({"min_p": 1.5}, "min_p is 1.5, but must be a number between 0 and 1 or null"),
        ({"top_entropy_quantile": -1}, "top_entropy_quantile is -1"),
        ({"loss": "gspo"}, "loss is 'gspo', but must be"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_or_not_with_audio_is_one_line(changes: dict[str, Any], said: str) -> None:
    given = {"part": "all", "learning_rate": 1e-3, "batch": 8, "steps": 4}
    with pytest.raises(UsageError) as caught:
        build(GRPO, given | changes, "r.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
