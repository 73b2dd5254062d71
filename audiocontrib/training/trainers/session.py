"""The loop around a trainer: what is kept, what stops it, and how it goes on after a kill."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import PrinterCallback, ProgressCallback
from transformers.utils import logging

from audiocontrib import log
from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.models import load_model
from audiocontrib.models.adapters import merge_adapter
from audiocontrib.store.files import make_folder
from audiocontrib.store.identity import differences
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.encoding.unusable import reply_tokens, unusable, unwatchable, without_unusable
from audiocontrib.training.model_card.card import CARD, write_card
from audiocontrib.training.output.checkpoints import (
    bring_to_disk,
    last_whole,
    remove_torn,
    step_of,
    writing,
)
from audiocontrib.training.output.folder import ADAPTER, CHECKPOINTS, METRICS, MODEL, TrainingOutput
from audiocontrib.training.output.lock import is_empty, not_begun
from audiocontrib.training.output.rates import taught_nothing, training_rates
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.output.training_record import RECORD, TrainingRecord, read_record, write_record
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.stage_settings import Stage
from audiocontrib.training.trainers.trackers import Tracker, facts, name_of
from audiocontrib.training.trainers.trainer import Bar, ResumableTrainer
from audiocontrib.training.watch.watcher import best_checkpoint

LOG = getLogger("audiocontrib.training")


def finished(out: Path, identity: dict[str, Any]) -> TrainingOutput | None:
    """What is in ``out``, if this training is finished there; else ``out`` is made ready for it.

    Raises:
        UsageError: another training is there, or something else.
    """
    if (out / RECORD).exists():
        held = read_record(out)
        changes = differences(held.identity, json.loads(json.dumps(identity)), "training")
        if changes and not_begun(out):  # it was refused before its first step, and is asked for otherwise now
            write_record(out, TrainingRecord(identity=identity))
            return None
        if changes:
            more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
            raise UsageError(f"{out} holds another training ({changes[0]}{more}); name another folder")
        if not (out / MODEL).exists():
            return None
        if held.steps is None:
            raise AudiocontribError(
                f"{out / RECORD}: steps is missing, although the model is there; name another folder"
            )
        return TrainingOutput(out / MODEL, out / METRICS, held.steps, held.resumed)
    if not is_empty(out):
        raise UsageError(f"{out} is not empty and holds no training; name another folder")
    make_folder(out)
    write_record(out, TrainingRecord(identity=identity))
    return None


def usable(rows: TrainingRows, encoder: RowEncoder, settings: Stage, positions: int | None, out: Path) -> TrainingRows:
    """The rows without those that cannot be trained on; they are looked for once, and listed in the record.

    So are watched items that cannot be asked, and rows with the sound of a watched item.

    Raises:
        AudiocontribError: there are some, and the recipe refuses them; or no row, or too little to watch, is left.
    """
    total = len(rows.items) + (len(rows.watched.items) if rows.watched else 0)
    with processes().main_process_first():
        record = read_record(out)
        if record.left_out is None:
            reply = reply_tokens(settings)
            found = unusable(rows, encoder, positions, reply) | unwatchable(rows, encoder, positions)
            record = replace(record, left_out=found)
            if not found or (settings.bad_rows != "stop" and len(found) < total):
                write_record(out, record)
    left, told = without_unusable(rows, dict(record.left_out or {}), settings)
    if told:
        tell_once(f"{told}; left out, and listed in {out / RECORD}")
    return left


def go(
    trainer: ResumableTrainer, out: Path, identity: dict[str, Any], stages: Sequence[StageRecord], progress: bool
) -> TrainingOutput:
    """Train, from the last whole checkpoint if there is one, and save the model with its card.

    Raises:
        AudiocontribError: as :func:`audiocontrib.training.train_sft`.
    """
    folder = out / CHECKPOINTS
    main = trainer.is_world_process_zero()
    *before, own = stages
    own = replace(own, devices=trainer.args.world_size)
    record = TrainingRecord(identity=identity, stages=(*before, own), left_out=read_record(out).left_out)
    if main:
        write_record(out, record)
        remove_torn(folder)
    trainer.accelerator.wait_for_everyone()
    last = last_whole(folder)
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(Bar(progress and main))
    if trainer.watcher:
        trainer.watcher.go_on(last)
        trainer.add_callback(trainer.watcher)
    run, shown, replies = name_of(out, trainer.settings.run_name), facts(own), getattr(trainer, "completions", None)
    named = dict.fromkeys(trainer.settings.report_to if main else ())  # each once
    trackers = [Tracker(name, out, run, shown, replies) for name in named]
    for tracker in trackers:
        trainer.add_callback(tracker)
    _name_base(trainer, own.start)
    try:
        with torch.enable_grad():  # a judge's file may have turned it off when it was loaded
            trainer.train(resume_from_checkpoint=str(last) if last else None)
    except torch.OutOfMemoryError as error:
        raise AudiocontribError(
            f"{out}: the GPU's memory is too small ({one_line(error, 120)}); lower batch, raise accumulate, "
            "set checkpointing, or tune: lora"
        ) from error
    finally:
        for tracker in trackers:
            tracker.on_train_end(trainer.args, trainer.state, trainer.control)
    trainer.write_metrics()
    trainer.check_weights()
    if told := taught_nothing(trainer.state.log_history):
        tell_once(told)
    if trainer.watcher and (best := best_checkpoint(trainer.watcher, folder)):
        trainer._load_from_checkpoint(str(best))
        trainer.check_weights()
    watched = trainer.watcher.record() if trainer.watcher else None
    resumed = step_of(last) if last else None
    steps = trainer.state.global_step
    record = replace(record, stages=(*before, replace(own, steps=steps, watched=watched)), steps=steps, resumed=resumed)
    record = replace(record, measured=training_rates(trainer.state.log_history))
    _save_model(trainer, out, record.stages)
    if main:
        write_record(out, record)
        (out / f".{MODEL}.tmp").replace(out / MODEL)  # last: a folder with a model is finished
    trainer.accelerator.wait_for_everyone()
    return TrainingOutput(out / MODEL, out / METRICS, steps, resumed)


def _name_base(trainer: ResumableTrainer, start: str) -> None:
    """Let adapters name their base so that they are found from any working directory."""
    for config in getattr(trainer.accelerator.unwrap_model(trainer.model), "peft_config", {}).values():
        folder = Path(start) if Path(start).exists() else Path(config.base_model_name_or_path or start)
        config.base_model_name_or_path = str(folder.resolve()) if folder.exists() else start


def _save_model(trainer: ResumableTrainer, out: Path, stages: Sequence[StageRecord]) -> None:
    """Write the model beside its place: safetensors, processor and card; adapters merged and also by themselves."""
    place = out / f".{MODEL}.tmp"
    with writing(place):
        if hasattr(trainer.model, "peft_config"):
            whole = trainer.accelerator.unwrap_model(trainer.model)
            if trainer.is_world_process_zero():
                whole.save_pretrained(out / ADAPTER)
                (out / ADAPTER / CARD).unlink(missing_ok=True)  # peft's, with nothing filled in
                merged = _merged(trainer, whole, out / ADAPTER, stages[-1].start)
                trainer.check_weights(merged)
                merged.save_pretrained(place)
        else:
            trainer.save_model(str(place))
        if trainer.is_world_process_zero():
            (place / "training_args.bin").unlink(missing_ok=True)  # a pickle
            trainer.encoder.describe(place)
            write_card(place, stages)
            bring_to_disk(place)


def _merged(trainer: ResumableTrainer, whole: Any, adapter: Path, start: str) -> Any:
    """The network with its adapters merged into its weights; quantised ones are read anew, as they were before."""
    if trainer.settings.tune != "qlora":
        return whole.merge_and_unload()
    base: Any = load_model(start, device="cpu", dtype=str(trainer.encoder.dtype).removeprefix("torch."))
    return merge_adapter(base.net, adapter)


def processes() -> PartialState:
    """All processes of this training."""
    return PartialState(cpu=not torch.cuda.is_available())


def tell_once(text: str) -> None:
    """A line of progress, once for all processes."""
    if processes().is_main_process:
        log.tell(LOG, text)


@contextmanager
def calm() -> Iterator[None]:
    """A block in which libraries do not talk: of names that they will change, and of what is done on purpose here."""
    said = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(said)
