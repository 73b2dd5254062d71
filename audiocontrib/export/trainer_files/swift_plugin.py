"""What the launch scripts need in ms-swift (4 and later): rewards, and an end before the schedule's.

The names of the authors' plugin have its rewards. `audiocontrib_accuracy` and `audiocontrib_format`, those of a recipe
without `rewards: published`, need audiocontrib in the environment of ms-swift: pip install --no-deps audiocontrib, and
pip install duckdb pydantic pyyaml.
"""

import os
import sys
from pathlib import Path
from typing import Any

from swift.callbacks import TrainerCallback, callbacks_map
from swift.rewards import ORM, orms

sys.path.append(str(Path(__file__).parent))
from exported_rewards import is_one_tag, says_the_same


class PublishedAccuracy(ORM):
    """1 where the reply says the text of ``solution``, a column of the exported rows."""

    def __call__(self, completions: list[str], solution: list[str], **_: Any) -> list[float]:
        """One reward a reply."""
        return [says_the_same(*each) for each in zip(completions, solution, strict=True)]


class PublishedFormat(ORM):
    """1 where the reply is one ``<answer>…</answer>``, but for blanks around it."""

    def __call__(self, completions: list[str], **_: Any) -> list[float]:
        """One reward a reply."""
        return [is_one_tag(reply) for reply in completions]


class Accuracy(ORM):
    """1 where the reply is read as the gold option; ``options`` and ``gold`` are columns of the exported rows."""

    def __call__(self, completions: list[str], options: list[list[str]], gold: list[int], **_: Any) -> list[float]:
        """One reward a reply."""
        from audiocontrib.training.rewards import accuracy_reward

        return [accuracy_reward(*each) for each in zip(completions, options, gold, strict=True)]


class Form(ORM):
    """1 where the reply is one ``<answer>…</answer>`` and nothing else."""

    def __call__(self, completions: list[str], **_: Any) -> list[float]:
        """One reward a reply."""
        from audiocontrib.training.rewards import format_reward

        return [format_reward(reply) for reply in completions]


class StopAt(TrainerCallback):
    """Ends the training after STOP_AT steps, or STOP_EPOCHS passes, with a checkpoint; the schedule is a longer one."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Comes after each optimiser step."""
        steps, epochs = os.environ.get("STOP_AT"), os.environ.get("STOP_EPOCHS")
        if (steps and state.global_step >= int(steps)) or (epochs and state.epoch >= float(epochs)):
            control.should_training_stop = control.should_save = True


orms |= {
    "external_audio_choice_accuracy": PublishedAccuracy,
    "external_format": PublishedFormat,
    "audiocontrib_accuracy": Accuracy,
    "audiocontrib_format": Form,
}
callbacks_map["stop_at"] = StopAt
