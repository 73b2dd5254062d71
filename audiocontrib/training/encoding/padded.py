"""What padding does to clips of a batch that are not of one length."""

from __future__ import annotations

from math import isinf

from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.stage_settings import Stage


def heard_padding(settings: Stage, model: AudioLanguageModel) -> str | None:
    """A sentence where the model hears what shorter clips of a batch are padded with; scoring never lets it.

    Its replies in training then differ from those in scoring: by up to 1.3 nats for a tiny Phi-4, .004 for a tiny
    Granite Speech. None: clips of any lengths are heard as alone, or none stands beside another.
    """
    alone = settings.generations if isinstance(settings, GRPO) else 1  # replies of a group are on one clip
    if not isinf(model.fast.mixes or 0) or settings.batch <= alone:
        return None
    return (
        f"{model.name}: it hears what the shorter clips of a batch are padded with, so clips of different lengths are "
        f"not heard as in scoring; batch: {alone} with a larger accumulate avoids it"
    )
