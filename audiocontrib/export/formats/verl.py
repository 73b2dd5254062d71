"""verl: Parquet rows for its GRPO; the clip's place is marked by ``<audio>``."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format, underscored
from audiocontrib.export.formats.swift import TAGS, messages

SOURCE = "audiomcq"
"""By this name verl chooses the reward function."""


@export_format(
    "verl",
    stages=("grpo",),
    tags=TAGS,
    file="{stage}.parquet",
)
def verl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Whatever a reward function may want beside the reply is in ``extra_info``."""
    row = example.row
    return {
        "data_source": SOURCE,
        "prompt": messages(example, stage),
        "audios": [example.audio],
        "ability": "audio_mcq",
        "reward_model": {"style": "rule", "ground_truth": row.target},
        "extra_info": {
            "split": "train",
            "index": example.name,
            "options": list(row.prompt.options),
            "gold": row.gold,
            **underscored(example.extra),
        },
    }
