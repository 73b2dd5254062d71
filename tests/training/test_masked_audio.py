"""Masked-audio KL in GRPO: loss and gradient by hand on the tiny network, bound, guard, what is refused."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, grpo, grpo_trainer, weights

from audiocontrib.conditions import condition
from audiocontrib.config import build
from audiocontrib.errors import UsageError
from audiocontrib.training import GRPO, train_grpo

pytestmark = needs("trl")

torch = lazy("torch")
losses = lazy("audiocontrib.training.listening.losses")
reinforced = lazy("audiocontrib.training.listening.reinforced")

SETTINGS: dict[str, Any] = {
    "batch": 8, "masked_kl": 0.5, "masked_percent": 80, "masked_entropy": 0.05, "beta": 0.0, "new_tokens": 6,
}  # fmt: skip


def test_the_estimate_and_its_bound_by_hand() -> None:
    heard = torch.tensor([[-0.5, -2.0, -0.1], [-1.0, -3.0, 0.0]], requires_grad=True)
    masked = torch.tensor([[-1.5, -1.0, -9.0], [-1.0, -3.5, 0.0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    ratios = [[math.exp(-1), math.e, math.exp(-8.9)], [1.0, math.exp(-0.5)]]
    each = [[min(r - math.log(r) - 1, 5.0) for r in row] for row in ratios]
    mean = sum(sum(row) / len(row) for row in each) / 2
    guard = ((0.5 + 2 + 0.1 + 1.5 + 1 + 9) / 3 + (1 + 3 + 1 + 3.5) / 2) / 2
    loss, told = losses.masked_loss(heard, masked, mask, weight=0.2, most=5.0, entropy=0.03)
    assert told.item() == pytest.approx(mean)
    assert loss.item() == pytest.approx(0.03 * guard - 0.2 * mean)
    [found] = torch.autograd.grad(loss, [heard])
    # d/d log p of r - log r - 1 is 1 - r; of what lies beyond the bound it is 0
    wanted = [
        [-0.2 * (1 - ratios[0][0]) - 0.03, -0.2 * (1 - ratios[0][1]) - 0.03, -0.03],
        [-0.03, -0.2 * (1 - ratios[1][1]) - 0.03],
    ]
    torch.testing.assert_close(found[0], torch.tensor(wanted[0]) / 3 / 2)
    torch.testing.assert_close(found[1, :2], torch.tensor(wanted[1]) / 2 / 2)


def batch_of(trainer: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    return trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))


def plain_logps(trainer: Any, inputs: dict[str, Any], masked: bool) -> list[Any]:
    """Log-probabilities of each reply's tokens at the sampling temperature: one forward a reply, nothing padded."""
    encoder, found = trainer.encoder, []
    asked = {tuple(encoder.prompt(row)[0]): row for row in trainer.rows}
    for i in range(len(inputs["prompt_ids"])):
        ids = inputs["prompt_ids"][i][inputs["prompt_mask"][i] == 1].tolist()
        reply = inputs["completion_ids"][i][inputs["completion_mask"][i] == 1].tolist()
        row = asked[tuple(ids)]
        sound = encoder.hear(row)
        if masked:
            sound = condition("mask:80").hear(sound, row.item.id)
        heard = encoder.prompt_encoder.features(row.prompt, sound)
        logits = trainer.model(input_ids=torch.tensor([ids + reply]), **heard).logits[0, len(ids) - 1 : -1]
        scores = (logits / trainer.settings.temperature).log_softmax(-1)
        found.append(scores[range(len(reply)), reply])
    return found


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("changes", [{}, {"tune": "lora"}], ids=str)
def test_loss_and_gradient_are_those_of_the_formula(gradient: bool, changes: dict[str, Any], tmp_path: Path) -> None:
    settings = grpo(**SETTINGS | changes, masked_gradient=gradient, accumulate=1)
    trainer = grpo_trainer(settings, demo_rows(4), tmp_path, reinforced.ListeningGRPOTrainer)
    inputs = batch_of(trainer)
    learned = [value for value in trainer.model.parameters() if value.requires_grad]
    learned = learned[:: max(1, len(learned) // 12)]
    own = super(reinforced.ListeningGRPOTrainer, trainer)._compute_loss(trainer.model, dict(inputs))
    without = torch.autograd.grad(own, learned, allow_unused=True)
    loss = trainer._compute_loss(trainer.model, dict(inputs))
    with_it = torch.autograd.grad(loss, learned, allow_unused=True)
    heard = plain_logps(trainer, inputs, masked=False)
    with torch.set_grad_enabled(gradient):
        missed = plain_logps(trainer, inputs, masked=True)
    terms = []
    for one, other in zip(heard, missed, strict=True):
        r = (other - one).exp()
        terms.append((-0.5 * (r - r.log() - 1).clamp(max=10) - 0.05 * (one + other)).mean())
    wanted = sum(terms) / len(terms)
    theirs = torch.autograd.grad(wanted, learned, allow_unused=True)
    assert (loss - own).item() == pytest.approx(wanted.item(), abs=1e-4)
    assert abs(wanted.item()) > 1e-3
    for before, after, other in zip(without, with_it, theirs, strict=True):
        if other is not None:
            torch.testing.assert_close(after - (0 if before is None else before), other, atol=2e-4, rtol=2e-2)
    seen = trainer._metrics["train"]["masked_kl"][-1]
    k3 = [((o - h).exp() - (o - h) - 1).mean().item() for h, o in zip(heard, missed, strict=True)]
    assert seen == pytest.approx(sum(k3) / len(k3), abs=1e-4)


def test_a_mask_that_hides_nothing_leaves_the_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = grpo(**SETTINGS | {"masked_entropy": 0.0})
    trainer = grpo_trainer(settings, demo_rows(4), tmp_path, reinforced.ListeningGRPOTrainer)
    monkeypatch.setattr(trainer, "mask", condition("audio"))
    monkeypatch.setattr(type(condition("audio")), "hear", lambda _, clip, __: clip)
    inputs = batch_of(trainer)
    own = super(reinforced.ListeningGRPOTrainer, trainer)._compute_loss(trainer.model, dict(inputs))
    assert trainer._compute_loss(trainer.model, dict(inputs)).item() == pytest.approx(own.item(), abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "step"), [({"iterations": 2}, 1), ({"accumulate": 2, "batch": 4}, 2), ({"tune": "lora"}, 2)], ids=str
)
def test_it_goes_on_as_if_nothing_had_happened(changes: dict[str, Any], step: int, tmp_path: Path) -> None:
    rows = demo_rows(12)
    settings = grpo(**SETTINGS | {"steps": 3, "save_every": 1, "keep": 9} | changes)
    straight = train_grpo(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    for later in range(step + 1, 4):
        shutil.rmtree(out / f"checkpoints/checkpoint-{later}")
    again = train_grpo(settings, rows, TINY, out, progress=False)
    assert again.resumed == step
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"masked_percent": 40}, "masked_percent is of masked_kl, which is 0"),
        ({"masked_gradient": True}, "masked_gradient is of masked_kl, which is 0"),
        ({"masked_kl": 0.02, "masked_percent": 100}, "masked_percent is 100"),
        ({"masked_kl": 0.02, "masked_percent": 0}, "masked_percent is 0"),
        ({"masked_kl": 0.02, "masked_most": 0}, "masked_most is 0"),
        ({"masked_kl": -0.02}, "masked_kl is -0.02"),
        ({"masked_kl": float("nan")}, "masked_kl is nan"),
        ({"masked_kl": 0.02, "silent_replies": 2}, "silent_replies hear nothing that could be masked"),
    ],
)
def test_what_does_not_go_together_is_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(GRPO, {"part": "all", "learning_rate": 1e-3, "batch": 8, "steps": 4} | changes, "r.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
