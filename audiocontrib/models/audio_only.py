"""Models that also see, without their eyes: the image towers take memory, and Gemma 3n's needs timm and torchvision."""

from __future__ import annotations

from typing import Any

from transformers import AutoModel, Gemma3nVisionConfig, PreTrainedModel


class NoTowerConfig(Gemma3nVisionConfig):
    """A vision config whose tower is :class:`NoTower`; its token embedding stays, because the class reads it."""

    model_type = "no_tower"


class NoTower(PreTrainedModel):
    """An image tower without weights. No prompt of ours holds an image."""

    config_class = NoTowerConfig


AutoModel.register(NoTowerConfig, NoTower, exist_ok=True)


def without_tower(config: Any) -> None:
    """Change the config of a Gemma so that its class builds no image tower."""
    if config.model_type in ("gemma4", "gemma4_unified"):  # these allow for it
        config.vision_config = None
    else:
        vision = config.vision_config
        config.vision_config = NoTowerConfig(
            hidden_size=vision.hidden_size,
            vocab_size=vision.vocab_size,
            vocab_offset=vision.vocab_offset,
            rms_norm_eps=vision.rms_norm_eps,
        )
