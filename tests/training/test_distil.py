"""RT-OPD in SFT: loss and gradient by hand on the tiny network, what gates a row, padding, resume, what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, sft, weights

from audiocontrib.answers import parse
from audiocontrib.config import build
from audiocontrib.errors import UsageError
from audiocontrib.items import Items
from audiocontrib.training import SFT, TrainingRows, train_sft
from audiocontrib.training.rows.base import TrainingRow

pytestmark = needs("trl")

torch = lazy("torch")
training_sft = lazy("audiocontrib.training.trainers.sft")
row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
session = lazy("audiocontrib.training.trainers.session")
distil = lazy("audiocontrib.training.listening.distil")
losses = lazy("audiocontrib.training.listening.losses")


def made(settings: SFT, out: Path, rows: Any = None) -> Any:
    """A trainer whose student has moved away from what its teacher was."""
    model = row_encoder.load_for_training(TINY, settings)
    rows = demo_rows(4) if rows is None else rows
    with session.calm():
        trainer = training_sft.make_trainer(settings, rows, row_encoder.RowEncoder(model, 30), model.net, out)
    trainer.current_gradient_accumulation_steps = settings.accumulate
    torch.manual_seed(7)
    for value in trainer.model.parameters():
        if value.requires_grad:
            value.data += 0.02 * torch.randn_like(value)
    trainer.model.train()
    return trainer


def distribution(net: Any, encoder: Any, row: TrainingRow, reply: list[int], without: str | None = None) -> Any:
    """log p of each token that may be said, at each token of a reply: one row, nothing padded."""
    if without == "text":
        ids, heard = encoder.prompt_encoder.encode(replace(row.prompt, has_audio=False), None)[0], {}
    else:
        ids, heard = encoder.prompt(row, without == "silence")
    logits = net(input_ids=torch.tensor([ids + reply]), **{name: value[0] for name, value in heard.items()}).logits
    never = encoder.placeholders()
    words = [word for word in range(min(len(encoder.tokenizer), logits.shape[-1])) if word not in never]
    return logits[0, len(ids) - 1 : -1][:, words].log_softmax(-1)


def by_hand(trainer: Any, settings: SFT, replies: list[list[int]], gate: list[float], teacher: Any) -> Any:
    """CE + weight x gate x KL(student || q), written out row by row."""
    rows, encoder = trainer.train_dataset["row"], trainer.encoder
    table = trainer.data_collator.rows
    spent, far = [], []
    for place, reply, followed in zip(rows, replies, gate, strict=True):
        row = table[place]
        gold = encoder.target(row)
        ids, heard = encoder.prompt(row)
        logits = trainer.model(
            input_ids=torch.tensor([ids + gold]), **{name: value[0] for name, value in heard.items()}
        ).logits[0, len(ids) - 1 : -1]
        spent += [-logits[t].log_softmax(-1)[token] for t, token in enumerate(gold)]
        student = distribution(trainer.model, encoder, row, reply)
        with torch.no_grad():
            audio = distribution(teacher, encoder, row, reply)
            without = distribution(teacher, encoder, row, reply, settings.distil_without)
            scores = audio.exp() ** (1 + settings.distil_alpha) / without.exp() ** settings.distil_alpha
            q = (scores / scores.sum(-1, keepdim=True)).log()
        steps = [sum(student[t].exp() * (student[t] - q[t])) for t in range(len(reply))]
        far.append(followed * sum(steps) / len(reply))
    return sum(spent) / len(spent) + settings.distil * sum(far) / len(far)


CASES: list[dict[str, Any]] = [
    {},
    {"distil_on": "gold", "distil_without": "silence", "distil_alpha": 0.5},
    {"distil_teacher": "now", "distil_gate": "all"},
    {"tune": "lora", "distil_gate": "all"},
]


@pytest.mark.parametrize("changes", CASES, ids=str)
def test_loss_and_gradient_are_those_of_the_formula(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sft(distil=0.25, distil_tokens=5, **changes)
    trainer = made(settings, tmp_path)
    lora = settings.tune == "lora"
    untouched = row_encoder.load_for_training(TINY, settings).net.eval()
    teacher = trainer.model if settings.distil_teacher == "now" else untouched
    seen: list[list[list[int]]] = []
    usual = trainer.distillation._replies

    def kept(*given: Any) -> list[list[int]]:
        seen.append(usual(*given))
        return seen[-1]

    monkeypatch.setattr(trainer.distillation, "_replies", kept)
    monkeypatch.setattr(trainer.distillation, "_gate", lambda *_: [0.0, 1.0, 1.0, 1.0])
    batch = trainer.data_collator([{"row": i} for i in range(4)])
    loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=(batch["labels"] != -100).sum())
    learned = {name: value for name, value in trainer.model.named_parameters() if value.requires_grad}
    some = list(learned)[:: max(1, len(learned) // 12)]
    ours = torch.autograd.grad(loss, [learned[name] for name in some], allow_unused=True)
    wanted = by_hand(trainer, settings, seen[0], [0.0, 1.0, 1.0, 1.0], teacher)
    theirs = torch.autograd.grad(wanted, [learned[name] for name in some], allow_unused=True)
    assert loss.item() == pytest.approx(wanted.item(), abs=2e-4)
    assert lora == any("lora" in name for name in some)
    for name, one, other in zip(some, ours, theirs, strict=True):
        if other is not None:
            torch.testing.assert_close(one, other, atol=2e-4, rtol=2e-2, msg=lambda text, name=name: f"{name}: {text}")


def test_a_teacher_without_contrast_and_a_student_that_is_it_add_nothing(tmp_path: Path) -> None:
    settings = sft(distil=0.25, distil_alpha=0.0, distil_teacher="now", distil_gate="all")
    trainer = made(settings, tmp_path)
    more, told = trainer.distillation.loss(trainer, trainer.model, [0, 1])
    assert more.item() == pytest.approx(0, abs=1e-6)
    assert told["distil_kl"] == pytest.approx(0, abs=1e-5)


def test_the_gate_is_open_where_the_teacher_itself_is_right(tmp_path: Path) -> None:
    """The tiny model as it ships, on three wrong keys: its greedy replies are read one by one, nothing padded."""
    items = [
        replace(item, answer=(item.answer + 1) % len(item.choices)) if i < 3 else item
        for i, item in enumerate(demo_rows(8).items)
    ]
    rows = TrainingRows(Items(items))
    settings = sft(distil=0.25, distil_tokens=24)
    trainer = made(settings, tmp_path, rows)
    net, encoder = row_encoder.load_for_training(TINY, settings).net.eval(), trainer.encoder
    wanted = []
    for row in rows:
        ids, heard = encoder.prompt(row)
        made_up = net.generate(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
            max_new_tokens=24, **{name: value[0] for name, value in heard.items()},
        )  # fmt: skip
        text = encoder.tokenizer.decode(made_up[0, len(ids) :], skip_special_tokens=True)
        wanted.append(parse(text, row.prompt.options).choice == row.gold)
    with trainer.distillation._teacher(trainer) as teacher:
        found = trainer.distillation._gate(teacher, list(range(8)))
    assert found == wanted
    assert 0 < sum(wanted) < 8


@pytest.mark.parametrize("tune", ["full", "lora"])
def test_what_a_checkpoint_says_of_sampling_is_not_heeded(tune: str, tmp_path: Path) -> None:
    """As in scoring: a penalty on repetition in its generation_config.json would change greedy replies."""
    trainer = made(sft(distil=0.25, tune=tune), tmp_path)
    rows, words = [trainer.data_collator.rows[i] for i in range(4)], trainer.distillation.words
    with trainer.distillation._teacher(trainer) as teacher:
        usual = words.generate(teacher, rows, 12, do_sample=False)
        inner = teacher.get_base_model() if tune == "lora" else teacher
        inner.generation_config.repetition_penalty = 9.0
        inner.generation_config.max_new_tokens = 2
        assert words.generate(teacher, rows, 12, do_sample=False) == usual
        assert inner.generation_config.repetition_penalty == 9.0
    assert max(map(len, usual)) > 4


@pytest.mark.parametrize("kind", ["is_deepspeed_enabled", "is_fsdp_enabled"])
def test_sharded_weights_are_refused_before_the_first_step(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = distil.check_whole

    def sharded(trainer: Any) -> None:
        setattr(trainer, kind, True)
        usual(trainer)

    monkeypatch.setattr(training_sft, "check_whole", sharded)
    with pytest.raises(UsageError, match="there is none under DeepSpeed or FSDP"):
        made(sft(distil=0.25), tmp_path)
    made(sft(), tmp_path)  # without a teacher nothing is asked


def test_accumulated_forwards_are_one_large_one(tmp_path: Path) -> None:
    """Gold replies, so that nothing is sampled: four rows at once, or two and two."""
    given = {"distil": 1.0, "distil_on": "gold", "distil_gate": "all"}
    whole, cut = (
        made(sft(batch=batch, accumulate=4 // batch, **given), tmp_path / str(batch)) for batch in (4, 2)
    )  # fmt: skip
    found = []
    for trainer, parts in ((whole, [[0, 1, 2, 3]]), (cut, [[0, 1], [2, 3]])):
        batches = [trainer.data_collator([{"row": i} for i in part]) for part in parts]
        count = sum((batch["labels"] != -100).sum() for batch in batches)
        found.append(sum(trainer.compute_loss(trainer.model, batch, num_items_in_batch=count) for batch in batches))
    assert found[0].item() == pytest.approx(found[1].item(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"tune": "lora"}, {"distil_teacher": "now"}], ids=str)
def test_it_goes_on_as_if_nothing_had_happened(changes: dict[str, Any], tmp_path: Path) -> None:
    rows = demo_rows(12)
    settings = sft(steps=4, keep=9, distil=0.25, distil_tokens=6, **changes)
    straight = train_sft(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    shutil.rmtree(out / "checkpoints/checkpoint-4")
    again = train_sft(settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    plain = train_sft(replace(settings, distil=0.0, distil_tokens=96, distil_teacher="start"), rows, TINY,
                      tmp_path / "plain", progress=False)  # fmt: skip
    other = weights(plain.model)
    assert any(not torch.equal(other[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"distil_alpha": 2}, "distil_alpha is of distil, which is 0"),
        ({"distil": 0.25, "distil_on": "gold", "distil_top_k": 3}, "distil_top_k is of distil_on: reply"),
        (
            {"distil": 0.25, "distil_on": "gold", "distil_gate": "all", "distil_tokens": 3},
            "distil_tokens is of distil_on: reply, or distil_gate: right",
        ),
        ({"distil": -1}, "distil is -1"),
        ({"distil": 0.25, "distil_without": "noise"}, "distil_without is 'noise'"),
        ({"distil": 0.25, "distil_teacher": "bigger"}, "distil_teacher is 'bigger'"),
        ({"distil": 0.25, "distil_top_p": 0}, "distil_top_p is 0"),
        ({"distil": "much"}, "distil is 'much'"),
    ],
)
def test_what_does_not_go_together_is_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(SFT, {"part": "all", "learning_rate": 1e-3, "batch": 8, "steps": 4} | changes, "r.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
