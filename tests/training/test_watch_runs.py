"""Trainings that are watched: the same weights, the answers that scoring has, and exact after a kill."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, killed, sft, two, weights

import audiocontrib as ac
from audiocontrib.contribution.accuracies import accuracy
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.training import TrainingRows
from audiocontrib.training.watch.held_out import ALL, HeldOut
from audiocontrib.training.watch.settings import Watch
from audiocontrib.training.watch.table import best_step, read_watched

torch = lazy("torch")
watcher = lazy("audiocontrib.training.watch.watcher")

pytestmark = needs("trl")
KINDS = {"sft": sft, "grpo": grpo}


def watched_rows(count: int = 12) -> TrainingRows:
    """A few rows, and as many items on other clips that are watched, half of them strong."""
    found = list(demo_rows(2 * count).items)
    held = found[count:]
    named = {one.id: "strong" if place % 2 else "weak" for place, one in enumerate(held)}
    watched = HeldOut(Items(held), named)
    kept = [one for one in found[:count] if one.clip_id not in watched.clips]
    return TrainingRows(Items(kept), watched=watched)


def watch(**changes: Any) -> Watch:
    return Watch(**{"items": 12, "every": 2, "method": "likelihood"} | changes)


def told(out: Path) -> pa.Table:
    return read_watched(out / "watched.parquet")


def value(table: pa.Table, step: int, measure: str, condition: str, part: str = ALL) -> Any:
    [row] = [
        row for row in table.to_pylist()
        if (row["step"], row["measure"], row["condition"], row["part"]) == (step, measure, condition, part)
    ]  # fmt: skip
    return row


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("sft", {}),
        ("sft", {"tune": "lora"}),
        ("grpo", {"iterations": 2, "silent_replies": 2}),
        ("grpo", {"tune": "lora"}),
    ],
)
def test_weights_and_metrics_are_those_of_a_training_that_is_not_watched(
    stage: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    rows = watched_rows()
    usual = KINDS[stage](steps=4, **changes)
    plain = TRAIN[stage](usual, replace(rows, watched=None), TINY, tmp_path / "plain", progress=False)
    seen = TRAIN[stage](
        replace(usual, watch=watch(method="generate", keep_best=True, by="gain")), rows, TINY, tmp_path / "seen",
        progress=False,
    )  # fmt: skip
    ours, theirs = (weights(tmp_path / name / "checkpoints/checkpoint-4") if changes.get("tune") != "lora" else
                    torch.load(tmp_path / name / "checkpoints/checkpoint-4/optimizer.pt")["state"][0]
                    for name in ("seen", "plain"))  # fmt: skip
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    one, other = (pq.read_table(made.metrics) for made in (seen, plain))
    for name in (name for name in one.column_names if "second" not in name and "memory" not in name):
        assert one[name].to_pylist() == other[name].to_pylist()
    assert one["step"].to_pylist() == [1, 2, 3, 4]
    state = json.loads((tmp_path / "seen/checkpoints/checkpoint-4/trainer_state.json").read_text())
    events = [entry for entry in state["log_history"] if "watch/audio" in entry]
    assert [entry["step"] for entry in events] == [0, 2, 4]
    assert not any("loss" in entry for entry in events)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_before_the_first_step_it_says_what_scoring_says(method: str, tmp_path: Path) -> None:
    rows = watched_rows()
    assert rows.watched
    settings = sft(steps=2, watch=watch(method=method, orders="cyclic"), seconds=4.0)
    TRAIN["sft"](settings, rows, TINY, tmp_path / "out", progress=False)
    model = ac.load_model(TINY)
    model.max_seconds = 4.0
    run = ac.score(
        rows.watched.items, [model], ["audio", "silence", "text"], method=method, run=tmp_path / "run", progress=False
    )
    table, scored = told(tmp_path / "out"), accuracy(run).to_pylist()
    assert len(scored) == 3
    for row in scored:
        seen = value(table, 0, "accuracy", row["condition"])
        for ours, theirs in (("value", "accuracy"), ("low", "low"), ("high", "high"), ("n", "n"), ("chance", "chance")):
            assert seen[ours] == pytest.approx(row[theirs])
        assert seen["interval"] == row["interval"]
        declined = value(table, 0, "abstained", row["condition"])
        assert declined["value"] == pytest.approx(row["abstained"] / row["n"])
    right = {row["condition"]: row["credited"] for row in scored}
    gain, relative = (value(table, 0, name, "silence") for name in ("gain", "relative_gain"))
    assert gain["value"] == pytest.approx(right["audio"] - right["silence"])
    assert relative["value"] == pytest.approx(gain["value"] / (1 - right["silence"]))
    assert gain["least"] <= gain["value"] <= gain["most"]
    parts = {row["part"] for row in table.to_pylist()}
    assert parts == {"all", "strong", "weak"}
    assert value(table, 0, "accuracy", "text", "strong")["n"] == 6


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "at", "writing"), [("sft", 3, False), ("sft", 4, True), ("grpo", 3, False)])
def test_after_a_kill_no_step_is_missing_and_none_is_there_twice(
    stage: str, at: int, writing: bool, tmp_path: Path
) -> None:
    rows = watched_rows()
    settings = KINDS[stage](steps=4, learning_rate=2e-2, watch=watch(every=1), save_every=2)
    straight, out = tmp_path / "straight", tmp_path / "killed"
    TRAIN[stage](settings, rows, TINY, straight, progress=False)
    assert killed(stage, settings, rows, out, at, writing) == -9
    before = told(out)
    again = TRAIN[stage](settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    assert told(out).equals(told(straight))
    steps = list(dict.fromkeys(told(out)["step"].to_pylist()))
    assert steps == [0, 1, 2, 3, 4]
    assert len(set(before["step"].to_pylist())) in (3, 5)  # what the checkpoint of step 2 knew, or more


def spoiling(**changes: Any) -> dict[str, Any]:
    """A training that makes the model worse with every step."""
    return {"learning_rate": 3e-2, "schedule": "constant", "warmup": 0, "steps": 6, "save_every": 2} | changes


@pytest.mark.slow
def test_it_stops_early_and_gives_the_best_step_also_after_a_kill(tmp_path: Path) -> None:
    rows = watched_rows()
    settings = sft(**spoiling(keep=1, watch=watch(every=1, patience=2, keep_best=True)))
    straight, out = tmp_path / "straight", tmp_path / "killed"
    made = TRAIN["sft"](settings, rows, TINY, straight, progress=False)
    best = best_step(told(straight), settings.watch)
    assert best is not None
    assert made.steps == best + 2 < 6
    ours, theirs = weights(made.model), weights(straight / f"checkpoints/checkpoint-{best}")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    last = weights(straight / f"checkpoints/checkpoint-{made.steps}")
    assert not all(torch.equal(ours[name], last[name]) for name in last)
    card = (made.model / "README.md").read_text()
    assert f"The model has the weights of step {best}." in card
    assert f"Training was ended at step {made.steps}" in card
    record = json.loads((straight / "training.json").read_text())["stages"][-1]["watched"]
    assert (record["best"], record["ended"], record["taken"]) == (best, True, True)
    assert sorted(record["items"]) == sorted(one.id for one in rows.watched.items)

    # stopped, and killed before the model was saved: nothing more is trained
    shutil.copytree(straight, out)
    shutil.rmtree(out / "model")
    again = TRAIN["sft"](settings, rows, TINY, out, progress=False)
    assert (again.steps, again.resumed) == (made.steps, made.steps)
    assert all(torch.equal(value, ours[name]) for name, value in weights(again.model).items())
    assert told(out).equals(told(straight))

    # killed on the way to the step at which it stops
    assert killed("sft", settings, rows, tmp_path / "way", made.steps, False) == -9
    third = TRAIN["sft"](settings, rows, TINY, tmp_path / "way", progress=False)
    assert (third.steps, third.resumed is None) == (made.steps, False)
    assert told(tmp_path / "way").equals(told(straight))
    assert all(torch.equal(value, ours[name]) for name, value in weights(third.model).items())

    # the checkpoint that is asked for is gone
    shutil.rmtree(out / "model")
    shutil.rmtree(out / f"checkpoints/checkpoint-{best}")
    with pytest.raises(AudiocontribError, match="the best step, is not there any more"):
        TRAIN["sft"](settings, rows, TINY, out, progress=False)


@pytest.mark.slow
def test_the_best_step_of_adapters_is_merged_and_kept_by_itself(tmp_path: Path) -> None:
    rows = watched_rows()
    settings = sft(**spoiling(learning_rate=0.2, tune="lora", watch=watch(keep_best=True), save_every=6))
    made = TRAIN["sft"](settings, rows, TINY, tmp_path, progress=False)
    best = best_step(told(tmp_path), settings.watch)
    assert best in (2, 4)
    from safetensors.torch import load_file

    ours, theirs = (
        load_file(place / "adapter_model.safetensors")
        for place in (tmp_path / "adapter", tmp_path / f"checkpoints/checkpoint-{best}")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    model = ac.load_model(str(made.model))
    model.max_seconds = 30.0
    run = ac.score(rows.watched.items, [model], ["audio"], orders="given", run=tmp_path / "run", progress=False)
    [row] = accuracy(run).to_pylist()
    assert row["accuracy"] == pytest.approx(value(told(tmp_path), best, "accuracy", "audio")["value"])


def train(stage: str, *args: Any) -> None:
    TRAIN[stage](*args, progress=False)


@pytest.mark.slow
def test_two_processes_ask_each_a_share_and_know_the_same(tmp_path: Path) -> None:
    rows = watched_rows()
    given = {"steps": 3, "learning_rate": 1e-4, "watch": watch(every=1)}
    train("sft", sft(batch=4, **given), rows, TINY, tmp_path / "one")
    assert two(train, "sft", sft(batch=2, **given), rows, TINY, tmp_path / "two") == [0, 0]
    one, other = told(tmp_path / "one"), told(tmp_path / "two")
    for name in ("step", "part", "measure", "condition", "n", "clips"):
        assert one[name].to_pylist() == other[name].to_pylist()
    first = [row["value"] for row in one.to_pylist() if not row["step"]]
    assert first == [row["value"] for row in other.to_pylist() if not row["step"]]


@pytest.mark.slow
def test_epochs_too_short_to_watch_are_refused_before_the_first_step(tmp_path: Path) -> None:
    settings = replace(sft(steps=9, watch=watch(every=9)), steps=None, epochs=1)
    with pytest.raises(UsageError, match=r"watch\.every is 9, but there are 3 steps"):
        TRAIN["sft"](settings, watched_rows(), TINY, tmp_path, progress=False)
    assert not (tmp_path / "watched.parquet").exists()


@pytest.mark.slow
def test_a_clip_that_goes_while_it_trains_stops_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = watcher.watched_answers

    def gone(model: Any, asking: Any, held: HeldOut, *more: Any) -> Any:
        lost = [replace(one, audio=ac.Clip("gone.wav", str(tmp_path))) for one in held.items]
        return usual(model, asking, replace(held, items=Items(lost)), *more)

    monkeypatch.setattr(watcher, "watched_answers", gone)
    with pytest.raises(AudiocontribError, match=r"the clip of the watched item .* is gone"):
        TRAIN["sft"](sft(watch=watch()), watched_rows(), TINY, tmp_path / "out", progress=False)
