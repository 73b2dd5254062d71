"""Export: the rows of a split as files that other trainers read.

>>> export("runs/demo", "votes-0.5", "sft", "exported/sft", format="swift").rows
"""

from audiocontrib.export.base import FORMATS, Audio, Example, Format, Stage
from audiocontrib.export.make import Exported, export

__all__ = ["FORMATS", "Audio", "Example", "Exported", "Format", "Stage", "export"]
