"""R1-AQA (Xiaomi): JSON lines for its GRPO on Qwen2-Audio."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format


@export_format("r1-aqa", stages=("grpo",))
def r1_aqa(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Its own columns, and the finished prompt: under the name AVQA it would write one itself, in which every
    "video" of the question has become "audio"; under any other name it takes what the row holds."""
    prompt = example.row.prompt
    heard = [{"type": "audio", "audio_url": example.audio}, {"type": "text", "text": prompt.user}]
    return {
        "id": example.name,
        "dataset_name": "audiocontrib",
        "question_text": prompt.question,
        "multi_choice": list(prompt.options),
        "answer": example.row.gold,
        "audio_path": example.audio,
        "prompt": [{"role": "system", "content": prompt.system}, {"role": "user", "content": heard}],
        "solution": example.row.target,
    } | dict(example.extra)
