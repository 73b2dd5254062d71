"""ms-swift (4.0 and later): chat messages, the clip's place marked by ``<audio>``."""

from __future__ import annotations

import base64
from typing import Any

from audiocontrib.export.base import SOUND_TOKENS, Stage, TrainingExample, export_format, for_rewards
from audiocontrib.export.formats.swift_launch import swift_files

TAGS = ("<audio>", "<image>", "<video>", *SOUND_TOKENS)


def messages(example: TrainingExample, stage: Stage) -> list[dict[str, str]]:
    """System and user turn, and for SFT the reply; ms-swift and LLaMA-Factory read the same."""
    prompt = example.row.prompt
    turns = [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": f"{TAGS[0]}{prompt.user}"},
    ]
    return turns if stage == "grpo" else [*turns, {"role": "assistant", "content": example.row.target}]


def as_data_uri(data: bytes) -> str:
    """An encoded file in text; ms-swift finds out by itself what it holds."""
    return "data:audio/*;base64," + base64.b64encode(data).decode()


@export_format(
    "swift",
    audio=("absolute", "relative", "copy", "embed"),
    tags=TAGS,
    embed=as_data_uri,
    launch=swift_files,
)
def swift(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """``solution``, ``options`` and ``gold`` reach the reward functions of swift_plugin.py."""
    row: dict[str, Any] = {"messages": messages(example, stage), "audios": [example.audio]}
    if stage == "grpo":
        row |= for_rewards(example)
    return row | dict(example.extra)
