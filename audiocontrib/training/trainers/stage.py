"""One stage of a training, from the settings to what is written: the same for every trainer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
from audiocontrib.training.estimate import count_line, counted
from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.output.lock import held
from audiocontrib.training.output.stage_record import new_stage
from audiocontrib.training.output.training_record import stages_of
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.trainers.arguments import identity
from audiocontrib.training.trainers.session import calm, finished, go, processes, tell_once, usable
from audiocontrib.training.trainers.sharded import check_sharding
from audiocontrib.training.trainers.trainer import ResumableTrainer

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
        rows = usable(rows, encoder, settings, _positions(model), out)
        made = (*stages_of(Path(name)), new_stage(settings, rows, str(name), model))
        if progress:
            tell_once(count_line(counted(settings, rows, model, encoder)))
        with calm():
            return go(make(settings, rows, encoder, model.net, out), out, told, made, progress)


def _positions(model: AudioLanguageModel) -> int | None:
    """Tokens that the network takes, as far as its config says."""
    found = getattr(model.net.config.get_text_config(), "max_position_embeddings", None)
    return found if isinstance(found, int) else None
