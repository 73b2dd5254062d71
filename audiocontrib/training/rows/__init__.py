"""What a trainer reads: the rows of a part of a split, and which of them a stage takes."""

from audiocontrib.training.rows.base import TrainingRow, TrainingRows, taken
from audiocontrib.training.rows.split_part import folder_of, table_of, training_rows
from audiocontrib.training.rows.stages import stage_rows

__all__ = ["TrainingRow", "TrainingRows", "folder_of", "stage_rows", "table_of", "taken", "training_rows"]
