"""One stage of a training, from the settings to what is written: the same for every trainer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from audiocontrib.errors import UsageError
from audiocontrib.training.encoding.padded import heard_padding
from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
from audiocontrib.training.encoding.unusable import positions_of
from audiocontrib.training.encoding.wanted import check_template, cut_targets
from audiocontrib.training.estimate import count_line, counted
from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.output.lock import held
from audiocontrib.training.output.stage_record import new_stage
from audiocontrib.training.output.training_record import stages_of
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.reward_trial import try_own
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.rows.stages import check_rows
from audiocontrib.training.stage_settings import not_installed
from audiocontrib.training.trainers.arguments import identity
from audiocontrib.training.trainers.kept_on_fault import undisturbed
from audiocontrib.training.trainers.session import calm, finished, go, processes, tell_once, usable
from audiocontrib.training.trainers.sharded import check_sharding
from audiocontrib.training.trainers.trainer import ResumableTrainer
from audiocontrib.training.watch.before import check_before
from audiocontrib.training.watch.watcher import Watcher, check_watched

MakeTrainer = Callable[[Any, TrainingRows, RowEncoder, Any, Path], ResumableTrainer]
"""``make(settings, rows, encoder, net, out)``: the trainer of a stage."""


def run_stage(
    stage: Literal["sft", "grpo"],
    settings: SFT | GRPO,
    rows: TrainingRows,
    name: str | Path,
    out: str | Path,
    make: MakeTrainer,
    *,
    progress: bool,
) -> TrainingOutput:
    """Train, or go on where a kill stopped it; a training that is finished is given back as it is."""
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder", argument="out")
    before = stages_of(Path(name))
    check_watched(settings.watch, rows)
    check_rows(settings, rows, processes().num_processes)
    if missing := not_installed(settings.report_to):
        raise UsageError(missing)
    doubts = check_before(before, stage, settings.watch, rows)
    check_sharding(settings, processes())
    model = load_for_training(str(name), settings)
    told = identity(stage, settings, rows, model)
    with held(out) if processes().is_main_process else nullcontext():
        with processes().main_process_first():
            done = finished(out, told)
        if done:
            return done
        rows.check_clips()
        encoder = RowEncoder(model, settings.seconds)
        check_template(settings.target, encoder)
        rows = usable(rows, encoder, settings, positions_of(model), out)
        for note in (cut_targets(settings, rows, encoder), heard_padding(settings, model)):
            if note:
                tell_once(note)
        with undisturbed():
            if note := try_own(settings, rows):
                tell_once(note)
        rows = replace(rows, notes=(*rows.notes, *doubts))
        made = (*before, new_stage(settings, rows, str(name), model))
        if progress:
            tell_once(count_line(counted(settings, rows, model, encoder)))
        with calm():
            trainer = make(settings, rows, encoder, model.net, out)
            if settings.watch:
                trainer.watcher = Watcher(trainer, model, rows)
            return go(trainer, out, told, made, progress)
