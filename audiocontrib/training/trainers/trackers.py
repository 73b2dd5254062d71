"""Trackers: trackio, Weights & Biases, TensorBoard and MLflow, by transformers' own callbacks.

They are shown the settings and the log, and for GRPO the replies; no paths, no sound, no weights, nothing of the
machine. One that fails later is left out, and changes no training.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from logging import getLogger
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transformers import TrainerCallback
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

from audiocontrib import log
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.output.tracking import kept_ids
from audiocontrib.training.trainers.completions import Completions
from audiocontrib.training.trainers.kept_on_fault import undisturbed
from audiocontrib.training.trainers.tracker_runs import PROJECT, TABLES, begin_run, log_table

LOG = getLogger("audiocontrib.training")


def name_of(out: Path, named: str | None) -> str:
    """The name of a training at its trackers: no path, but the last folders of one that was given from here."""
    return named or ("-".join(out.parts[-2:]) if not out.is_absolute() else out.name)


def facts(stage: StageRecord) -> dict[str, Any]:
    """What trackers are shown of a stage: its settings and counts, without paths."""
    settings = {key: value for key, value in asdict(stage.settings).items() if key not in ("prompt", "run_name")}
    told = {
        "stage": stage.stage, "start": Path(stage.start).name, "weights_sha256": stage.model.weights_sha256,
        "items_trained": stage.items, "rows_trained": stage.rows, "devices": stage.devices,
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
        self.name, self.out, self.facts, self.completions = name, out, facts, completions
        # runs of trackio are known by their names
        self.run = f"{run}-{kept_ids(out)['id'][:6]}" if name == "trackio" else run
        self.inner: Any = None
        self.end: Callable[[], None] | None = None
        """What ends the run; None: nothing, or the user, who has begun it."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin a run, or go on with it. AudiocontribError if that fails: nothing was trained yet."""
        try:
            with _apart():
                self.inner = INTEGRATION_TO_CALLBACK[self.name]()
                done = state.global_step
                self.end, new = begin_run(self.name, self.inner, self.out, self.run, done, self.facts)
                self.facts = self.facts if new else {}  # a run's parameters are said once
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
        self._do(lambda: log_table(self.name, frame, state.global_step))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run, if it has not ended."""
        self._do(lambda: self.inner.on_train_end(self._shown(), state, control, model=None))
        if self.end is not None:
            self._do(self.end)
        self.inner = None  # a training that stops half-way comes here by itself

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
            output_dir=str(self.out.absolute()), run_name=self.run, project=PROJECT, logging_steps=1,
            hub_private_repo=None, trackio_space_id=None, trackio_bucket_id=None, trackio_static_space_id=False,
            to_dict=lambda: facts, to_json_string=lambda: json.dumps(facts, indent=2),
        )  # fmt: skip


@contextmanager
def _apart() -> Iterator[None]:
    """Somebody else's block: it changes no luck of the training, and prints to stderr."""
    with undisturbed(), redirect_stdout(sys.stderr):
        yield
