"""Which questions GRPO asks: pass rates renewed while training, dull groups replaced; exact after a kill."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, grpo, grpo_trainer, weights

from audiocontrib.config import build
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.training import GRPO, train_grpo

pytestmark = needs("trl")

torch = lazy("torch")
drawing = lazy("audiocontrib.training.listening.drawing")
losses = lazy("audiocontrib.training.listening.losses")
reinforced = lazy("audiocontrib.training.listening.reinforced")
processes = lazy("accelerate.state")


def a_drawing(n: int = 6, copies: int = 2, **changes: Any) -> Any:
    return drawing.Questions(grpo(**{"curriculum": 2} | changes), demo_rows(n, copies))


# pass rates


def test_pass_rates_are_taken_over_every_k_steps_and_smoothed() -> None:
    made = a_drawing()
    made.renew(0)
    made.count([0, 1, 0, 2], [1.0, 0.0, 1.0, 0.25])  # rows 0 and 1 are of the first item; a credited .25 is not right
    made.renew(1)
    assert made.known == {}
    made.renew(2)
    assert made.known == {made.items[0]: (2 + 1) / (3 + 2), made.items[1]: 1 / 3}
    made.count([2], [1.0])
    made.renew(3)
    assert made.known[made.items[1]] == 1 / 3
    made.renew(5)  # several steps share their replies: it is renewed at the next that asks
    assert made.known[made.items[1]] == 2 / 3
    assert made.known[made.items[0]] == 3 / 5


def test_questions_are_drawn_by_p_times_1_minus_p() -> None:
    made = a_drawing(4, 1)
    made.known = dict(zip(made.items, (0.5, 0.9, 0.1, 0.99), strict=True))
    found = Counter(row for step in range(4000) for row in made.draw(1, step, 0))
    odds = np.array([0.25, 0.09, 0.09, 0.0099])
    np.testing.assert_allclose([found[i] / 4000 for i in range(4)], odds / odds.sum(), atol=0.025)
    assert made.draw(3, 7, 0) == made.draw(3, 7, 0)
    assert any(made.draw(3, 7, 0) != made.draw(3, step, 0) for step in range(8, 20))


def test_within_bounds_all_are_alike_and_others_come_only_where_there_are_too_few() -> None:
    made = a_drawing(4, 1, curriculum_between=[0.2, 0.8])
    made.known = dict(zip(made.items[:3], (0.2, 0.5, 0.9), strict=True))  # the fourth is not known: one half
    assert {row for step in range(40) for row in made.draw(2, step, 0)} == {1, 3}
    assert sorted(made.draw(4, 0, 0)) == [0, 1, 2, 3]
    assert Counter(made.draw(10, 0, 0)).most_common(1)[0][1] <= 4
    found = Counter(row for step in range(1000) for row in made.draw(1, step, 0))
    assert abs(found[1] - found[3]) < 120


def test_what_was_asked_is_not_asked_again_while_there_are_others() -> None:
    made = a_drawing(6, 2)
    for step in range(20):
        rows = made.draw(4, step, 1, asked=[0, 3])
        assert {row // 2 for row in rows} == {2, 3, 4, 5}
    assert len(made.draw(6, 0, 1, asked=range(12))) == 6


def test_the_order_is_the_epochs_until_pass_rates_are_known() -> None:
    made = a_drawing()
    assert made.first([3, 1], 0) == [3, 1]
    made.known = dict.fromkeys(made.items, 0.5)
    assert made.first([3, 1], 4) == made.draw(2, 4, 0)


def test_pass_rates_outlive_a_kill_and_damage_is_one_line(tmp_path: Path) -> None:
    made, other = a_drawing(), a_drawing()
    made.count([0, 1], [1.0, 0.0])
    made.renew(2)
    made.count([4], [1.0])
    made.save(tmp_path)
    other.load(tmp_path)
    assert (other.known, other.since, other.renewed) == (made.known, made.since, 2)
    for text in (
        "",
        "[]",
        '{"known": {"a": "x"}, "since": {}, "renewed": 0}',
        '{"known": {}}',
        '{"known": {}, "since": {"a": 3}, "renewed": 1}',
    ):
        (tmp_path / drawing.KEPT).write_text(text)
        with pytest.raises(AudiocontribError, match="the pass rates cannot be read") as caught:
            other.load(tmp_path)
        assert "\n" not in str(caught.value)


# groups without advantage


def test_a_dull_group_by_hand() -> None:
    rewards = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 2.0, 2.0, 0.5, 0.5])
    assert losses.is_dull(rewards, 4).tolist() == [True, False, False]
    assert losses.is_dull(rewards, 4, 2).tolist() == [True, False, True]  # each pair is held against itself


def test_rows_are_replaced_whatever_their_length() -> None:
    batch = {
        "prompt_ids": torch.tensor([[9, 1, 2], [3, 4, 5]]), "prompt_mask": torch.tensor([[0, 1, 1], [1, 1, 1]]),
        "completion_ids": torch.tensor([[7], [8]]), "completion_mask": torch.ones(2, 1, dtype=torch.long),
        "advantages": torch.tensor([0.0, 0.5]), "old_per_token_logps": None, "num_items_in_batch": torch.tensor(2),
        "input_features": torch.ones(2, 1, 2, 3),
    }  # fmt: skip
    other = {
        "prompt_ids": torch.tensor([[6]]), "prompt_mask": torch.tensor([[1]]),
        "completion_ids": torch.tensor([[5, 4]]), "completion_mask": torch.ones(1, 2, dtype=torch.long),
        "advantages": torch.tensor([-1.0]), "old_per_token_logps": None, "num_items_in_batch": torch.tensor(2),
        "input_features": torch.full((1, 2, 2, 1), 2.0),
    }  # fmt: skip
    made = drawing.replaced(batch, other, [0], 9)
    assert made["prompt_ids"].tolist() == [[9, 9, 6], [3, 4, 5]]
    assert made["prompt_mask"].tolist() == [[0, 0, 1], [1, 1, 1]]
    assert made["completion_ids"].tolist() == [[5, 4], [8, 9]]
    assert made["completion_mask"].tolist() == [[1, 1], [1, 0]]
    assert made["advantages"].tolist() == [-1.0, 0.5]
    assert made["input_features"].shape == (2, 2, 2, 3)
    assert made["input_features"][0].sum() == 8
    assert made["input_features"][1].sum() == 6


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A trainer of two groups of four in which only the row 5 is rewarded unequally."""

    def make(**changes: Any) -> Any:
        trainer = grpo_trainer(
            grpo(batch=8, new_tokens=4, **changes), demo_rows(6), tmp_path, reinforced.ListeningGRPOTrainer
        )
        asked: list[int] = []

        def rewards(inputs: Any, *_: Any) -> Any:
            rows = [one["row"] for one in inputs]
            asked.extend(rows[::4])
            right = [float(row == 5 and i % 4 == 0) for i, row in enumerate(rows)]
            trainer.rewarded = torch.tensor([[one, 0.0] for one in right])
            return trainer.rewarded

        monkeypatch.setattr(trainer, "_calculate_rewards", rewards)
        monkeypatch.setattr(trainer, "_keep_replies", lambda *_: None)
        return trainer, asked

    return make


def batch(rows: list[int]) -> list[dict[str, Any]]:
    return [{"prompt": str(row), "row": row} for row in rows for _ in range(4)]


def test_dull_groups_are_replaced_up_to_the_bound(planted: Any) -> None:
    trainer, asked = planted(redraws=5)
    made = trainer._generate_and_score_completions(batch([0, 5]))
    # row 5 stays; the other place is tried again with the four that were not asked, and stays without advantage
    assert asked[:2] == [0, 5]
    assert sorted(asked) == [0, 1, 2, 3, 4, 5]
    assert (made["advantages"].view(2, 4).abs().amax(1) > 0.1).tolist() == [False, True]
    assert len(made["prompt_ids"]) == 8
    assert made["num_items_in_batch"] == made["completion_mask"].sum()
    last = trainer.encoder.prompt(trainer.rows[asked[-1]])[0]
    assert made["prompt_ids"][0][made["prompt_mask"][0] == 1].tolist() == last
    kept = trainer._metrics["train"]
    assert (kept["drawn"], kept["left_out"]) == ([6.0], [4.0])
    # six groups were asked, of which one was rewarded: .25 of its four replies, weight 2
    assert kept["reward"] == [pytest.approx(2 * 0.25 / 6)]
    assert kept["frac_reward_zero_std"] == [pytest.approx(5 / 6)]


def test_a_group_with_advantage_is_found_and_kept(planted: Any) -> None:
    trainer, asked = planted(redraws=9)
    made = trainer._generate_and_score_completions(batch([0, 1]))
    assert 5 in asked
    assert (made["advantages"].view(2, 4).abs().amax(1) > 0.1).any()
    trainer, asked = planted()
    trainer.draws = True  # bound 0: nothing is replaced
    trainer._generate_and_score_completions(batch([0, 1]))
    assert asked == [0, 1]


def test_the_replaced_batch_has_the_log_probabilities_of_a_plain_forward(planted: Any) -> None:
    """Left and right padding of two calls, and whose clip is whose: each reply by itself, nothing padded."""
    trainer, _ = planted(redraws=2, iterations=2, beta=0.0)
    inputs = trainer._generate_and_score_completions(batch([0, 5]))
    encoder = trainer.encoder
    asked = {tuple(encoder.prompt(row)[0]): row for row in trainer.rows}
    for i in range(8):
        ids = inputs["prompt_ids"][i][inputs["prompt_mask"][i] == 1].tolist()
        reply = inputs["completion_ids"][i][inputs["completion_mask"][i] == 1].tolist()
        heard = encoder.prompt(asked[tuple(ids)])[1]
        with torch.no_grad():
            told = trainer.model(input_ids=torch.tensor([ids + reply]), **{n: v[0] for n, v in heard.items()}).logits
        plain = (told[0, len(ids) - 1 : -1] / 1.5).log_softmax(-1)[range(len(reply)), reply]
        torch.testing.assert_close(inputs["old_per_token_logps"][i, : len(reply)], plain, atol=1e-4, rtol=1e-3)


# whole trainings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"curriculum": 1}, 2),
        ({"curriculum": 2, "redraws": 2}, 3),
        ({"redraws": 3, "tune": "lora"}, 1),
        ({"redraws": 1, "curriculum": 1, "masked_kl": 0.1, "masked_gradient": True}, 2),
        ({"curriculum": 1, "redraws": 1, "iterations": 2, "silent_replies": 2}, 3),
        ({"curriculum": 1, "curriculum_between": [0.1, 0.9], "accumulate": 2, "batch": 4}, 2),
    ],
    ids=str,
)
def test_it_goes_on_as_if_nothing_had_happened(changes: dict[str, Any], step: int, tmp_path: Path) -> None:
    rows = demo_rows(12)
    settings = grpo(**{"steps": 4, "save_every": 1, "keep": 9, "new_tokens": 12, "temperature": 1.0} | changes)
    straight = train_grpo(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    for later in range(step + 1, 5):
        shutil.rmtree(out / f"checkpoints/checkpoint-{later}")
    again = train_grpo(settings, rows, TINY, out, progress=False)
    assert again.resumed == step
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    told = [
        pq.read_table(one.metrics).select(["reward", "drawn", "left_out", "pass_rate"]) for one in (straight, again)
    ]
    assert told[0].equals(told[1])
    assert min(filter(None, told[0]["drawn"].to_pylist())) >= 1
    if settings.curriculum:
        kept = json.loads((out / "checkpoints/checkpoint-4" / drawing.KEPT).read_text())
        assert kept["known"]
        assert any(told[0]["pass_rate"].to_pylist())


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate import Accelerator

    monkeypatch.setattr(Accelerator, "num_processes", property(lambda _: 2))
    with pytest.raises(UsageError, match="redraws and curriculum draw the questions of one process"):
        grpo_trainer(grpo(redraws=2), demo_rows(4), tmp_path, reinforced.ListeningGRPOTrainer)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redraws": -1}, "redraws is -1"),
        ({"redraws": 1.5}, "redraws is 1.5"),
        ({"redraws": 2, "scale_rewards": "batch"}, "redraws replaces single groups"),
        ({"redraws": 2, "multi_objective_aggregation": "normalize_then_sum"}, "redraws replaces single groups"),
        ({"curriculum_between": [0, 1]}, "curriculum_between is of curriculum, which is 0"),
        ({"curriculum": 5, "curriculum_between": [0.8, 0.2]}, "the first number must be below the second"),
        ({"curriculum": 5, "curriculum_between": [0.5, 0.5]}, "the first number must be below the second"),
        ({"curriculum": 5, "curriculum_between": [0.1, 1.2]}, "curriculum_between"),
        ({"curriculum": 5, "curriculum_between": 0.5}, "curriculum_between is 0.5"),
        ({"curriculum": "often"}, "curriculum is 'often'"),
    ],
)
def test_what_does_not_go_together_is_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(GRPO, {"part": "all", "learning_rate": 1e-3, "batch": 8, "steps": 4} | changes, "r.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
