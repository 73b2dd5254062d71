"""Trackers: what they are shown, what they cannot change; and the replies of the last steps."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from helpers.lazy import lazy
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, killed, sft, weights

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.training import train_grpo, train_sft
from audiocontrib.training.output.folder import COMPLETIONS, TRACKING
from audiocontrib.training.output.tracking import kept_ids
from audiocontrib.training.stage_settings import not_installed

pq = lazy("pyarrow.parquet")
torch = lazy("torch")
estimate = lazy("audiocontrib.training.estimate")
trackers = lazy("audiocontrib.training.trainers.trackers")
trainer_module = lazy("audiocontrib.training.trainers.trainer")
completions = lazy("audiocontrib.training.trainers.completions")
arguments = lazy("audiocontrib.training.trainers.arguments")


class Recorder:
    """Stands in for a tracker's callback: it keeps what it is shown, and draws from every generator."""

    seen: ClassVar[list[tuple[str, Any]]] = []
    fails_at: ClassVar[str] = ""

    def __init__(self) -> None:
        self._see("made", None)

    def _see(self, event: str, what: Any) -> None:
        print("banner")
        random.random(), np.random.rand(), torch.rand(1)
        Recorder.seen.append((event, what))
        if Recorder.fails_at == event:
            raise OSError("no space left\nat the tracker")

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._see("begin", {**args.to_dict(), "run_name": args.run_name, "model": kwargs["model"]})
        json.loads(args.to_json_string())

    def on_log(self, args: Any, state: Any, control: Any, logs: Any, **kwargs: Any) -> None:
        self._see("log", logs)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._see("end", None)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> type[Recorder]:
    Recorder.seen, Recorder.fails_at = [], ""
    monkeypatch.setattr("audiocontrib.training.stage_settings.find_spec", lambda name: object())
    for name in ("trackio", "mlflow", "wandb", "tensorboard"):
        monkeypatch.setitem(trackers.INTEGRATION_TO_CALLBACK, name, Recorder)
    monkeypatch.setattr(trackers, "begin_run", lambda *_: (None, True))
    monkeypatch.setattr(trackers, "log_table", lambda name, frame, step: Recorder.seen.append(("table", (step, frame))))
    return Recorder


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_they_see_no_paths_and_change_nothing(
    stage: str, recorder: type[Recorder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = sft(steps=3) if stage == "sft" else grpo(steps=3)
    rows = demo_rows(12)
    plain = TRAIN[stage](settings, rows, TINY, tmp_path / "plain", progress=False)
    told = replace(settings, report_to=("trackio",))
    tracked = TRAIN[stage](told, rows, TINY, tmp_path / "tracked", progress=False)
    assert capsys.readouterr().out == ""
    ours, theirs = weights(tracked.model), weights(plain.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    records = [json.loads((tmp_path / name / "training.json").read_text()) for name in ("plain", "tracked")]
    assert records[0]["identity"] == records[1]["identity"]
    assert TRAIN[stage](told, rows, TINY, tmp_path / "plain", progress=False) == plain  # the same training
    events = [event for event, _ in recorder.seen]
    assert [events.count(name) for name in ("made", "begin", "log", "end")] == [1, 1, 4, 1]
    assert events.count("table") == (0 if stage == "sft" else 2)  # of steps 2 and 3
    begun = next(what for event, what in recorder.seen if event == "begin")
    assert (begun["stage"], begun["learning_rate"], begun["model"]) == (stage, 1e-3, None)
    assert begun["run_name"].startswith("tracked-")
    logged = next(what for event, what in recorder.seen if event == "log")
    assert logged["tokens_per_second"] > 0
    shown = json.dumps([what for event, what in recorder.seen if event != "table"])
    for secret in (str(tmp_path), str(Path.cwd()), os.sep + "tmp", "/home", os.uname().nodename):
        assert secret not in shown


@pytest.mark.slow
def test_a_tracker_that_fails(
    recorder: type[Recorder], tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, settings = demo_rows(8), sft(steps=3, report_to="wandb")
    for event in ("made", "begin"):
        recorder.fails_at = event
        with pytest.raises(AudiocontribError, match=r"wandb could not be started: OSError: no space left at") as told:
            train_sft(settings, rows, TINY, tmp_path / event, progress=False)
        assert "\n" not in str(told.value)
    recorder.fails_at = "log"
    out = train_sft(settings, rows, TINY, tmp_path / "log", progress=False)
    assert out.steps == 3
    assert [event for event, _ in recorder.seen].count("log") == 1
    assert "wandb failed and is left out from here on" in caplog.text + capsys.readouterr().err


def test_one_that_is_not_installed(tmp_path: Path) -> None:
    settings, rows = sft(report_to=["mlflow"]), demo_rows(4)
    if not_installed(("mlflow",)) is None:
        pytest.skip("mlflow is installed here")
    for do in (lambda: train_sft(settings, rows, TINY, tmp_path / "o", progress=False),
               lambda: estimate.estimate_training(settings, rows, TINY)):  # fmt: skip
        with pytest.raises(UsageError, match="report_to names mlflow, which is not installed: pip install mlflow"):
            do()
    assert not (tmp_path / "o").exists()
    for wrong in ("wandbb", ["wandb", 3], "all", True):
        with pytest.raises(UsageError, match="report_to"):
            sft(report_to=wrong)


def test_names_and_ids(tmp_path: Path) -> None:
    assert trackers.name_of(Path("trained/first/grpo"), None) == "first-grpo"
    assert trackers.name_of(tmp_path / "grpo", None) == "grpo"
    assert trackers.name_of(tmp_path, "mine") == "mine"
    first = kept_ids(tmp_path)
    assert kept_ids(tmp_path) == first
    for spoilt in ("", "[]", '{"id": "../x"}', '{"id": 3}'):
        (tmp_path / TRACKING).write_text(spoilt)
        assert kept_ids(tmp_path)["id"].isalnum()


def reply(step: int) -> dict[str, Any]:
    return {"item_id": f"a/{step}", "prompt": "?", "gold": "x", "heard": "audio", "reply": "x", "ended": True,
            "reward": 1.0, "advantage": 0.0, "accuracy": 1.0}  # fmt: skip


def test_the_last_steps_are_kept(tmp_path: Path) -> None:
    kept = completions.Completions(tmp_path, 2, ["accuracy", "brief"])
    for step in (1, 3, 5):  # replies serve two steps
        kept.add(step, [reply(step)] * 2)
    kept.write()
    table = pq.read_table(tmp_path / COMPLETIONS)
    assert table["step"].to_pylist() == [3, 3, 5, 5]
    assert table["reward_brief"].to_pylist() == [None] * 4
    assert table.schema.field("reward_brief").type == pa.float64()
    assert kept.newest()["step"].to_pylist() == [5, 5]
    again = completions.Completions(tmp_path, 2, ["accuracy", "brief"])  # after a kill: step 5 is done again
    again.add(5, [reply(5)])
    assert [row["step"] for row in again.kept] == [3, 3, 5]
    one = completions.Completions(tmp_path, 1, ["accuracy"])
    one.add(7, [reply(7)])
    assert [row["step"] for row in one.kept] == [7]
    (tmp_path / COMPLETIONS).write_bytes(b"spoilt")
    spoilt = completions.Completions(tmp_path, 3, ["accuracy"])
    spoilt.add(9, [reply(9)])
    assert len(spoilt.kept) == 1


@pytest.mark.slow
def test_replies_are_those_that_were_learned_from(tmp_path: Path) -> None:
    settings = grpo(steps=4, silent_replies=2, generations=4, batch=8, completions=3, own_rewards=None)
    rows, out = demo_rows(12), tmp_path / "killed"
    straight = train_grpo(settings, rows, TINY, tmp_path / "straight", progress=False)
    assert killed("grpo", settings, rows, out, 4, False) == -9
    train_grpo(settings, rows, TINY, out, progress=False)
    first, second = (pq.read_table(place / COMPLETIONS).to_pylist() for place in (tmp_path / "straight", out))
    assert first == second
    assert [row["step"] for row in first] == [2] * 8 + [3] * 8 + [4] * 8
    steps = {row["step"]: row for row in pq.read_table(straight.metrics).to_pylist()}
    for step in (2, 3, 4):
        mine = [row for row in first if row["step"] == step]
        assert [row["heard"] for row in mine] == ["audio", "audio", "silence", "silence"] * 2
        assert sum(row["reward"] for row in mine) / 8 == pytest.approx(steps[step]["reward"], abs=1e-5)
        assert sum(not row["ended"] for row in mine) / 8 == pytest.approx(steps[step]["cut_off"])
        for name in ("accuracy", "format", "abstaining"):
            values = [row[name] for row in mine if row[name] is not None]
            logged = steps[step]["abstained" if name == "abstaining" else name]
            assert sum(values) / len(values) == pytest.approx(logged, abs=1e-5)
        for group in (mine[:2], mine[2:4]):  # those that hear the same are held against each other
            assert sum(row["advantage"] for row in group) == pytest.approx(0, abs=1e-5)
    none = train_grpo(replace(settings, completions=0), rows, TINY, tmp_path / "none", progress=False)
    assert not (none.model.parent / COMPLETIONS).exists()
    assert all(torch.equal(a, b) for a, b in zip(weights(none.model).values(), weights(straight.model).values(),
                                                 strict=True))  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tensorboard", "trackio", "mlflow", "wandb"])
def test_the_real_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is installed: it makes one run, a resume goes on with it, and nothing of this machine is in it."""
    if missing := not_installed((name,)):
        pytest.skip(missing)
    monkeypatch.chdir(tmp_path)
    for variable, value in (("WANDB_MODE", "offline"), ("TRACKIO_DIR", "trackio"),
                            ("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")):  # fmt: skip
        monkeypatch.setenv(variable, value)
    rows, settings, out = demo_rows(8), grpo(steps=4, save_every=2, report_to=(name,)), Path("trained/grpo")

    def until_three(self: Any, *args: Any) -> None:
        usual(self, *args)
        if self.state.global_step == 3:
            raise AudiocontribError("as a kill")

    usual = trainer_module.ResumableTrainer.write_metrics
    with monkeypatch.context() as patched:
        patched.setattr(trainer_module, "METRICS_EVERY", 0.0)
        patched.setattr(trainer_module.ResumableTrainer, "write_metrics", until_three)
        with pytest.raises(AudiocontribError, match="as a kill"):
            train_grpo(settings, rows, TINY, out, progress=False)
    assert train_grpo(settings, rows, TINY, out, progress=False).resumed == 2
    FOUND[name](tmp_path)


def found_tensorboard(place: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told = EventAccumulator(str(place / "trained/grpo/tensorboard"))
    told.Reload()
    assert [one.step for one in told.Scalars("train/loss")] == [1, 2, 3, 4]


def found_sql(file: Path, question: str) -> list[Any]:
    import sqlite3

    with sqlite3.connect(file) as con:
        return con.execute(question).fetchall()


def found_trackio(place: Path) -> None:
    file = place / "trackio/audiocontrib.db"
    [(name,)] = found_sql(file, "select distinct run_name from metrics")
    assert name.startswith("trained-grpo-")
    assert found_sql(file, "select count(*) from system_metrics") == [(0,)]
    logged = " ".join(str(row) for row in found_sql(file, "select * from metrics"))
    assert "completions" in logged
    assert str(place) not in logged + str(found_sql(file, "select * from configs"))


def found_mlflow(place: Path) -> None:
    file = place / "mlflow.db"
    assert found_sql(file, "select name, status from runs") == [("trained-grpo", "FINISHED")]
    steps = found_sql(file, "select distinct step from metrics where key = 'loss' order by 1")
    assert steps == [(1,), (2,), (3,), (4,)]
    told = str(found_sql(file, "select * from params") + found_sql(file, "select * from tags"))
    assert "learning_rate" in told
    for secret in (str(place), os.environ.get("USER", "root")):
        assert secret not in told.replace("trained-grpo", "")


def found_wandb(place: Path) -> None:
    kept = json.loads((place / "trained/grpo" / TRACKING).read_text())["id"]
    folders = list((place / "trained/grpo/wandb").glob("offline-run-*"))
    assert {one.name.rpartition("-")[2] for one in folders} == {kept}
    held = b"".join(path.read_bytes() for one in folders for path in one.rglob("*.wandb"))
    assert b"completions" in held
    for name in ("*metadata.json", "requirements.txt"):
        assert not [path for one in folders for path in one.rglob(name)]


FOUND = {name.removeprefix("found_"): do for name, do in list(globals().items()) if name.startswith("found_")}
