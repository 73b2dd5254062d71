"""Export: the rows of a split as files that other trainers read.

>>> export("runs/demo", "votes-0.5", "sft", "exported/sft", format="swift").rows
"""

from audiocontrib.export.base import FORMATS, Audio, Format, Stage, TrainingExample, export_format
from audiocontrib.export.make import Exported, export

__all__ = ["FORMATS", "Audio", "Exported", "Format", "Stage", "TrainingExample", "export", "export_format"]
