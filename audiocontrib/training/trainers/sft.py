"""SFT: TRL's trainer with a collator of our own.

TRL's own one (1.16) knows images only: it trains on rows with an audio part, and drops the audio.
"""

from __future__ import annotations

from pathlib import Path

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from audiocontrib.training.encoding.collate import Collator
from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
from audiocontrib.training.estimate import count_line, counted
from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.output.stage_record import new_stage
from audiocontrib.training.output.training_record import stages_of
from audiocontrib.training.recipe import SFT
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.trainers.arguments import adapters, arguments, identity
from audiocontrib.training.trainers.session import calm, finished, go, processes, tell_once
from audiocontrib.training.trainers.trainer import ResumableTrainer


class AudioSFTTrainer(ResumableTrainer, SFTTrainer):
    """SFT with audio."""


def make_trainer(settings: SFT, rows: TrainingRows, encoder: RowEncoder, net: object, out: Path) -> AudioSFTTrainer:
    """The trainer of a network on rows."""
    trainer = AudioSFTTrainer(
        model=net,
        args=SFTConfig(
            **arguments(settings, out),
            dataset_kwargs={"skip_prepare_dataset": True},
            max_length=None,
            dataloader_num_workers=settings.workers,
        ),
        data_collator=Collator(encoder, rows),
        train_dataset=Dataset.from_dict({"row": range(len(rows))}),
        processing_class=encoder.tokenizer,
        peft_config=adapters(settings),
    )
    trainer.keep, trainer.encoder = settings.keep, encoder
    return trainer


def run_sft(
    settings: SFT, rows: TrainingRows, name: str | Path, out: str | Path, *, progress: bool = True
) -> TrainingOutput:
    """See :func:`audiocontrib.training.train_sft`."""
    out = Path(out)
    model = load_for_training(str(name), settings)
    told = identity("sft", settings, rows, model)
    with processes().main_process_first():
        done = finished(out, told)
    if done:
        return done
    rows.check_clips()
    made = (*stages_of(Path(name)), new_stage(settings, rows, str(name), model))
    encoder = RowEncoder(model, settings.seconds)
    if progress:
        tell_once(count_line(counted(settings, rows, model, encoder)))
    with calm():
        return go(make_trainer(settings, rows, encoder, model.net, out), out, told, made, progress)
