"""Runs at trackers: begun, gone on with after a resume, and ended; nothing of the machine is told to them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from transformers.integrations.integration_utils import WandbLogModel

from audiocontrib.training.output.tracking import keep_ids, kept_ids

PROJECT = "audiocontrib"
QUIET = {"WANDB_ERROR_REPORTING": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Reports that trackers make of themselves."""
TABLES = ("wandb", "trackio")
"""Those that have tables of replies, as in TRL."""
End = Callable[[], None]


def begin_run(
    tracker: str, callback: Any, out: Path, name: str, done: int, facts: Mapping[str, Any]
) -> tuple[End | None, bool]:
    """Begin the run of a training, or go on with it.

    Args:
        callback: transformers' own, not begun yet.
        name: of the run.
        done: steps that were done before.
        facts: the settings that it is shown.

    Returns:
        What ends it (None: nothing is to be done, or the user has begun it), and whether it is new there.
    """
    os.environ.update({key: value for key, value in QUIET.items() if key not in os.environ})
    if tracker == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter

        place = callback.logging_dir or str(out / "tensorboard")
        # steps that a kill has lost are done again
        callback.tb_writer = SummaryWriter(log_dir=place, purge_step=done + 1)
    elif tracker == "wandb":
        return _begin_wandb(callback, out, name), True
    elif tracker == "mlflow":
        return _begin_mlflow(out, name)
    elif tracker == "trackio":
        _begin_trackio(callback, name, facts)
    return None, True


def _begin_trackio(callback: Any, name: str, facts: Mapping[str, Any]) -> None:
    """Its callback would have the load of the machine recorded too."""
    import trackio

    own = {"auto_log_cpu": False, "auto_log_gpu": False, "embed": False}
    asked = {key: value for key, value in own.items() if key in signature(trackio.init).parameters}
    trackio.init(project=PROJECT, name=name, resume="allow", config=dict(facts), **asked)
    callback._initialized = True


def _begin_wandb(callback: Any, out: Path, name: str) -> End | None:
    import wandb

    callback._log_model = WandbLogModel.FALSE
    if wandb.run is not None:
        return None
    hidden: dict[str, Any] = {"x_disable_meta": True, "x_disable_machine_info": True, "x_save_requirements": False}
    wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT), name=name, id=kept_ids(out)["id"], resume="allow",
        dir=os.environ.get("WANDB_DIR", str(out)),
        settings=wandb.Settings(
            **hidden, disable_git=True, save_code=False, disable_code=True, console="off", silent=True
        ),
    )  # fmt: skip
    return lambda: wandb.finish()


def _begin_mlflow(out: Path, name: str) -> tuple[End | None, bool]:
    import mlflow

    if mlflow.active_run() is not None or os.environ.get("MLFLOW_RUN_ID"):
        return None, True
    mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
    ids = kept_ids(out)
    if "mlflow" in ids:
        try:
            mlflow.start_run(run_id=ids["mlflow"])
            return mlflow.end_run, False
        except mlflow.exceptions.MlflowException:  # it is in another store, or was removed
            pass
    # else the user, the script's path, and the commit of whatever repository is worked in
    tags = {"mlflow.user": "", "mlflow.source.name": PROJECT, "mlflow.source.git.commit": ""}
    begun = mlflow.start_run(run_name=name, tags=tags)
    keep_ids(out, ids | {"mlflow": begun.info.run_id})
    return mlflow.end_run, True


def log_table(tracker: str, frame: Any, step: int) -> None:
    """Show a table of replies to a tracker of TABLES."""
    module = importlib.import_module(tracker)
    module.log({"completions": module.Table(dataframe=frame), "train/global_step": step})
