"""Trackers: trackio, Weights & Biases, TensorBoard and MLflow, by transformers' own callbacks.

They are shown the settings and the log, and for GRPO the replies; no paths, no sound, no weights, nothing of the
machine. One that fails later is left out, and changes no training.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from logging import getLogger
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transformers import TrainerCallback
from transformers.integrations.integration_utils import (
    INTEGRATION_TO_CALLBACK,
    WandbLogModel,
)

from audiocontrib import log
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.store.files import replacing
from audiocontrib.training.output.folder import TRACKING
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.trainers.completions import Completions
from audiocontrib.training.trainers.kept_on_fault import undisturbed

LOG = getLogger("audiocontrib.training")
PROJECT = "audiocontrib"
QUIET = {"WANDB_ERROR_REPORTING": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Reports that trackers make of themselves."""
TABLES = ("wandb", "trackio")
"""Those that have tables of replies, as in TRL."""


def name_of(out: Path, named: str | None) -> str:
    """The name of a training at its trackers: no path, but the last folders of one that was given from here."""
    return named or ("-".join(out.parts[-2:]) if not out.is_absolute() else out.name)


def facts(stage: StageRecord) -> dict[str, Any]:
    """What trackers are shown of a stage: its settings and counts, without paths."""
    settings = {key: value for key, value in asdict(stage.settings).items() if key not in ("prompt", "run_name")}
    told = {
        "stage": stage.stage, "start": Path(stage.start).name, "weights_sha256": stage.model.weights_sha256,
        "items": stage.items, "rows": stage.rows, "devices": stage.devices,
        "prompt_name": (stage.prompt or {}).get("name"), **settings,
    }  # fmt: skip
    made: dict[str, Any] = json.loads(json.dumps(told))
    return made


class Tracker(TrainerCallback):
    """One tracker, which sees only what is meant for it.

    Args:
        name: of the tracker.
        out: folder of the training.
        run: what the training is called there.
        facts: the settings that it is shown.
        completions: the replies of GRPO; None: there are none.
    """

    def __init__(
        self, name: str, out: Path, run: str, facts: Mapping[str, Any], completions: Completions | None
    ) -> None:
        os.environ.update({key: value for key, value in QUIET.items() if key not in os.environ})
        self.name, self.out, self.facts, self.completions = name, out, facts, completions
        self.ids = _ids(out)
        self.run = f"{run}-{self.ids['id'][:6]}" if name == "trackio" else run  # its runs are known by their names
        self.inner: Any = None
        self.own = True
        """Whether the run is ours to end; False: the user has begun it."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin a run, or go on with it. AudiocontribError if that fails: nothing was trained yet."""
        try:
            with _apart():
                self.inner = INTEGRATION_TO_CALLBACK[self.name]()
                getattr(self, f"_begin_{self.name}")(state)
                self.inner.on_train_begin(self._shown(), state, control, model=None)
        except (Exception, SystemExit) as error:
            raise AudiocontribError(
                f"{self.name} could not be started: {one_line(error, 200)}; mend that, or leave it out of report_to"
            ) from error

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """What was logged, with what it makes a second."""
        steps = [entry for entry in state.log_history if "loss" in entry][-2:]
        rates = metrics_table(steps).to_pylist()[-1] if steps and logs and "loss" in logs else {}
        told = dict(logs or {}) | {name: rates.get(name) for name in ("tokens_per_second", "clips_per_second")}
        numbers = {key: value for key, value in told.items() if isinstance(value, int | float)}
        self._do(lambda: self.inner.on_log(self._shown(), state, control, logs=numbers, model=None))

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The replies of the last step, with each checkpoint."""
        if self.completions is None or not self.completions.kept or self.name not in TABLES:
            return
        frame = self.completions.newest().to_pandas()
        self._do(lambda: self._log_table(frame, state.global_step))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run."""
        self._do(lambda: self.inner.on_train_end(self._shown(), state, control, model=None))
        if self.own:
            self._do(lambda: getattr(self, f"_end_{self.name}", lambda: None)())

    def _do(self, what: Any) -> None:
        if self.inner is None:
            return
        try:
            with _apart():
                what()
        except (Exception, SystemExit) as error:
            self.inner = None
            log.tell(LOG, f"{self.name} failed and is left out from here on: {one_line(error, 160)}")

    def _shown(self) -> Any:
        """Arguments as the callbacks ask for them, without any that are of this machine."""
        facts = dict(self.facts)
        return SimpleNamespace(
            output_dir=str(self.out), run_name=self.run, project=PROJECT, hub_private_repo=None, logging_steps=1,
            trackio_space_id=None, trackio_bucket_id=None, trackio_static_space_id=False,
            to_dict=lambda: facts, to_json_string=lambda: json.dumps(facts, indent=2),
        )  # fmt: skip

    def _begin_tensorboard(self, state: Any) -> None:
        from torch.utils.tensorboard import SummaryWriter

        place = self.inner.logging_dir or str(self.out / "tensorboard")
        # steps that a kill has lost are done again
        self.inner.tb_writer = SummaryWriter(log_dir=place, purge_step=state.global_step + 1)

    def _begin_trackio(self, state: Any) -> None:
        """By its callback, which goes on with a run of the same name."""

    def _begin_wandb(self, state: Any) -> None:
        import wandb

        self.inner._log_model = WandbLogModel.FALSE
        if wandb.run is not None:
            self.own = False
            return
        hidden: dict[str, Any] = {"x_disable_meta": True, "x_disable_machine_info": True, "disable_git": True}
        wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT), name=self.run, id=self.ids["id"], resume="allow",
            dir=os.environ.get("WANDB_DIR", str(self.out)),
            settings=wandb.Settings(**hidden, save_code=False, disable_code=True, console="off", silent=True),
        )  # fmt: skip

    def _end_wandb(self) -> None:
        import wandb

        wandb.finish(quiet=True)

    def _begin_mlflow(self, state: Any) -> None:
        import mlflow

        if mlflow.active_run() is not None or os.environ.get("MLFLOW_RUN_ID"):
            self.own = False
            return
        mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
        kept = self.ids.get("mlflow")
        try:
            begun = mlflow.start_run(run_id=kept) if kept else None
        except mlflow.exceptions.MlflowException:  # it is in another store, or was removed
            begun = None
        if begun is None:
            tags = {"mlflow.user": "", "mlflow.source.name": PROJECT}  # else the user and the script's path
            begun = mlflow.start_run(run_name=self.run, tags=tags)
            self.ids["mlflow"] = begun.info.run_id
            _write_ids(self.out, self.ids)
        else:
            self.facts = {}  # a run's parameters are said once

    def _end_mlflow(self) -> None:
        import mlflow

        mlflow.end_run()

    def _log_table(self, frame: Any, step: int) -> None:
        import importlib

        tracker = importlib.import_module(self.name)
        tracker.log({"completions": tracker.Table(dataframe=frame), "train/global_step": step})


@contextmanager
def _apart() -> Iterator[None]:
    """Somebody else's block: it changes no luck of the training, and prints to stderr."""
    with undisturbed(), redirect_stdout(sys.stderr):
        yield


def _ids(out: Path) -> dict[str, str]:
    """By what the trackers know this training; kept, so that a resume is the same run there."""
    try:
        held = json.loads((out / TRACKING).read_text(encoding="utf-8"))
        if isinstance(held, dict) and isinstance(held.get("id"), str) and held["id"].isalnum():
            return {str(key): str(value) for key, value in held.items()}
    except (OSError, ValueError):
        pass
    made = {"id": secrets.token_hex(6)}
    _write_ids(out, made)
    return made


def _write_ids(out: Path, ids: Mapping[str, str]) -> None:
    with replacing(out / TRACKING) as file:
        file.write(json.dumps(ids).encode())
