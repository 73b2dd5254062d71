"""SFT: TRL's trainer with a collator of our own.

TRL's own one (1.16) knows images only: it trains on rows with an audio part, and drops the audio.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from audiocontrib.training.encoding.collate import ROW, Collator
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.listening.distil import Distillation, check_whole
from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.recipe import SFT
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.trainers.arguments import adapters, arguments
from audiocontrib.training.trainers.stage import run_stage
from audiocontrib.training.trainers.trainer import ResumableTrainer


class AudioSFTTrainer(ResumableTrainer, SFTTrainer):
    """SFT with audio, and with a teacher where the recipe wants one."""

    distillation: Distillation | None = None

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """As TRL's, and the distance from the teacher."""
        places = inputs.pop(ROW).tolist()
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        if self.distillation is None:
            return loss
        more, told = self.distillation.loss(self, model, places)
        for name, value in told.items():
            self._metrics["train"][name].append(value)
        return loss + more / self.current_gradient_accumulation_steps


def make_trainer(settings: SFT, rows: TrainingRows, encoder: RowEncoder, net: object, out: Path) -> AudioSFTTrainer:
    """The trainer of a network on rows. UsageError if a teacher is wanted and the weights are to be sharded."""
    distillation = Distillation(settings, rows, encoder, net) if settings.distil else None
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
    if distillation:
        check_whole(trainer)
    trainer.distillation = distillation
    trainer.settings, trainer.keep, trainer.encoder = settings, settings.keep, encoder
    return trainer


def run_sft(
    settings: SFT, rows: TrainingRows, name: str | Path, out: str | Path, *, progress: bool = True
) -> TrainingOutput:
    """See :func:`audiocontrib.training.train_sft`."""
    return run_stage("sft", settings, rows, name, out, make_trainer, progress=progress)
