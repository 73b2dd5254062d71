"""NVIDIA NeMo RL: general conversations for SFT, rows of its AudioMCQ class for GRPO."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format, underscored

NAMES = ("sound", "speech", "speeches", "audio", "audios", "image", "images", "video", "videos", "video-audio")
TAGS = tuple(f"<{name}>" for name in NAMES)


@export_format(
    "nemo-rl",
    tags=TAGS,
    file="data.jsonl",
)
def nemo_rl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """NeMo RL takes no system turn from rows, and writes the user's text from question and choices itself."""
    row = example.row
    # its AudioMCQ class drops rows whose audio-contribution is not "strong", whatever the split says of them
    extra = underscored(example.extra)
    if stage == "sft":
        turns = [
            {"from": "user", "value": f"<sound>{row.prompt.user}"},
            {"from": "assistant", "value": row.target},
        ]
        return {"sound": [example.audio], "conversations": turns} | extra
    options = list(row.prompt.options)
    return {
        "source_dataset": row.item.source_dataset or row.item.dataset,
        "id": example.name,
        "question_type": row.item.question_type,
        "audio_path": example.audio,
        "question": row.prompt.question,
        "choices": options,
        "answer": options[row.gold],
    } | extra
