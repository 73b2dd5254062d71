"""Rewards for `swift rlhf --rlhf_type grpo` (ms-swift >= 4): those of `audiocontrib train grpo`, row by row.

Needs in the environment of ms-swift: pip install --no-deps audiocontrib, and pip install duckdb.
"""

from typing import Any

from swift.rewards import ORM, orms

from audiocontrib.training.rewards import accuracy_reward, format_reward


class Accuracy(ORM):
    """1 where the reply is read as the gold option; ``options`` and ``gold`` are columns of the exported rows."""

    def __call__(self, completions: list[str], options: list[list[str]], gold: list[int], **_: Any) -> list[float]:
        return [accuracy_reward(*each) for each in zip(completions, options, gold, strict=True)]


class Form(ORM):
    """1 where the reply is one ``<answer>…</answer>`` and nothing else."""

    def __call__(self, completions: list[str], **_: Any) -> list[float]:
        return [format_reward(reply) for reply in completions]


orms["external_audio_choice_accuracy"] = Accuracy
orms["external_format"] = Form
