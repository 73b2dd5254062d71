"""Watcher: asks at its steps, keeps the curve, and says which step is best and whether training is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from accelerate.utils import gather_object
from transformers import Trainer, TrainerCallback

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.scoring.plan import Shard
from audiocontrib.statistics.clusters import LEAST_ITEMS
from audiocontrib.store.files import write_table_atomic
from audiocontrib.training.output.checkpoints import is_whole
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.watch.asking import request_config, untouched, watched_answers
from audiocontrib.training.watch.measures import measured
from audiocontrib.training.watch.record import WatchedCurve, recorded
from audiocontrib.training.watch.settings import Watch
from audiocontrib.training.watch.table import (
    WATCHED,
    WATCHED_SCHEMA,
    best_step,
    is_over,
    logged,
    read_watched,
)

if TYPE_CHECKING:
    from audiocontrib.training.trainers.trainer import ResumableTrainer


class Watcher(TrainerCallback):
    """Asks the network of a trainer about held-out items; every process asks its share, and all know what came of it.

    Args:
        model: what was loaded for training; its network is the trainer's.
        rows: with what is watched; it is put as they are.

    Raises:
        UsageError: its weights are spread over processes, so that none can ask them.
    """

    def __init__(self, trainer: ResumableTrainer, model: AudioLanguageModel, rows: TrainingRows) -> None:
        watch, held = trainer.settings.watch, rows.watched
        if watch is None or held is None:
            raise UsageError("there is nothing to watch")
        self.trainer, self.model, self.watch, self.held = trainer, model, watch, held
        self.asking = request_config(watch, rows.prompt)
        self.table = WATCHED_SCHEMA.empty_table()
        check_watchable(trainer, watch)

    @property
    def best(self) -> int | None:
        """The best step so far."""
        return best_step(self.table, self.watch)

    @property
    def kept(self) -> int | None:
        """The step whose checkpoint is not removed."""
        return self.best if self.watch.keep_best else None

    @property
    def over(self) -> bool:
        """Whether training stops here."""
        return is_over(self.table, self.watch)

    def go_on(self, checkpoint: Path | None) -> None:
        """Take up the curve where a checkpoint was written. AudiocontribError if it lacks it."""
        if checkpoint is not None:
            self.table = read_watched(checkpoint / WATCHED)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask before the first step; UsageError if there are too few steps for what is asked."""
        try:
            self.watch.check_steps(state.max_steps)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if not len(self.table):
            self.look()
        else:
            self._write()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Have the trainer come by after the step's log and before its checkpoint, where it would evaluate."""
        control.should_evaluate = state.global_step % self.watch.every == 0 or state.global_step >= state.max_steps

    def look(self) -> None:
        """Ask, write the curve, and have the step kept or the training ended where it says so."""
        trainer = self.trainer
        state, control = trainer.state, trainer.control
        own = Shard(trainer.accelerator.process_index + 1, trainer.accelerator.num_processes)
        with untouched(self.model.net), trainer.accelerator.autocast():
            answers = watched_answers(self.model, self.asking, self.held, trainer.settings.seconds, own)
        rows = measured(gather_object(answers), self.held, state.global_step)
        self.table = pa.concat_tables([self.table, pa.Table.from_pylist(rows, schema=WATCHED_SCHEMA)])
        self._write()
        Trainer.log(trainer, logged(rows))  # not TRL's, which would add the metrics of the step and forget them
        control.should_training_stop |= self.over
        control.should_save |= self.over or (self.watch.keep_best and self.best == state.global_step)

    def record(self) -> WatchedCurve:
        """What is kept of it in the end."""
        state, ids = self.trainer.state, texts(self.held.items.table["item_id"])
        ended = self.over and state.global_step < state.max_steps
        return recorded(self.table, self.watch, ids, len(self.held.clips), ended=ended)

    def keep(self, checkpoint: Path) -> None:
        """Put the curve into a checkpoint."""
        write_table_atomic(self.table, checkpoint / WATCHED)

    def _write(self) -> None:
        if self.trainer.is_world_process_zero():
            write_table_atomic(self.table, self.trainer.out / WATCHED)


def check_watched(watch: Watch | None, rows: TrainingRows) -> None:
    """UsageError if there is nothing to watch, or what is watched is trained on as well."""
    if watch is None:
        return
    if rows.watched is None:
        raise UsageError("the settings watch, but the rows hold nothing to watch; take them from stage_rows")
    if len(rows.watched.items) < LEAST_ITEMS:
        raise UsageError(f"{len(rows.watched.items)} items are too few to watch: there must be {LEAST_ITEMS}")
    both = rows.watched.clips & {item.clip_id for item in rows.items}
    if both:
        raise UsageError(f"{len(both):,} watched recordings are trained on too, e.g. {min(both)}; take other rows")


def check_watchable(trainer: ResumableTrainer, watch: Watch) -> None:
    """UsageError where no process holds all weights, or those of the best step cannot be taken up again."""
    if trainer.is_fsdp_enabled:
        raise UsageError("weights are sharded (FSDP), so that no process can ask them; leave watch out")
    if not trainer.is_deepspeed_enabled:
        return
    if trainer.accelerator.state.deepspeed_plugin.zero_stage == 3:
        raise UsageError("weights are sharded (DeepSpeed stage 3), so that no process can ask them; leave watch out")
    if watch.keep_best:
        raise UsageError("under DeepSpeed the best step cannot be taken up again; leave watch.keep_best out")


def best_checkpoint(watcher: Watcher, folder: Path) -> Path | None:
    """The checkpoint from which the model is to be taken; None where it is the last step, or the last is meant.

    Raises:
        AudiocontribError: it is gone.
    """
    if watcher.kept in (None, watcher.trainer.state.global_step):
        return None
    place = folder / f"checkpoint-{watcher.kept}"
    if not is_whole(place):
        raise AudiocontribError(f"{place}, the best step, is not there any more; bring it back, or train anew")
    return place
