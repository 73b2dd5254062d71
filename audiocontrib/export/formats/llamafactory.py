"""LLaMA-Factory: chat messages in the sharegpt style, with the dataset_info.json that names their columns. SFT only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format
from audiocontrib.export.formats.swift import TAGS, messages

NAME = "audiocontrib"
"""What `dataset:` in a training configuration names."""


def dataset_info(stage: Stage, file: str) -> Mapping[str, str]:
    """The file by which LLaMA-Factory finds the rows (`dataset_dir:` is the exported folder)."""
    about = {
        "file_name": file,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "audios": "audios"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    return {"dataset_info.json": json.dumps({NAME: about}, indent=2) + "\n"}


@export_format(
    "llamafactory",
    stages=("sft",),
    tags=TAGS,
    beside=dataset_info,
)
def llamafactory(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Messages and clips; other columns are not looked at."""
    return {"messages": messages(example, stage), "audios": [example.audio]} | dict(example.extra)
