"""What a trainer reads: the rows of a part of a split, and which of them a stage takes."""

from audiocontrib.training.rows.base import TrainingRow, TrainingRows, taken
from audiocontrib.training.rows.split_part import training_rows
from audiocontrib.training.rows.stages import stage_rows

__all__ = ["TrainingRow", "TrainingRows", "stage_rows", "taken", "training_rows"]
