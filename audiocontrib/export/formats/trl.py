"""TRL: conversational rows, for trainers whose collator gives the clip to the model (TRL 1.16's own does not)."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format, for_rewards


@export_format("trl")
def trl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """A part of a message has only the keys of its type: some templates take any key for what it names."""
    prompt = example.row.prompt
    heard = [{"type": "audio", "audio": example.audio}, _text(prompt.user)]
    turns = [{"role": "system", "content": [_text(prompt.system)]}, {"role": "user", "content": heard}]
    if stage == "sft":
        wanted: dict[str, Any] = {"completion": [{"role": "assistant", "content": [_text(example.row.target)]}]}
    else:
        wanted = for_rewards(example)
    return {"prompt": turns} | wanted | dict(example.extra)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
