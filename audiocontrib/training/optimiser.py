"""A stage's settings by the names that transformers' trainer has for them; exports for others write them too."""

from __future__ import annotations

from typing import Any

from audiocontrib.training.stage_settings import Stage


def optimiser_of(settings: Stage) -> dict[str, Any]:
    """Optimiser, schedule and sizes, by the names that transformers' trainer has for them; its length apart."""
    return {
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": {"constant": "constant_with_warmup"}.get(settings.schedule, settings.schedule),
        "weight_decay": settings.weight_decay,
        "adam_beta1": settings.betas[0],
        "adam_beta2": settings.betas[1],
        "max_grad_norm": settings.clip,
        "per_device_train_batch_size": settings.batch,
        "gradient_accumulation_steps": settings.accumulate,
        "save_steps": settings.save_every,
        "seed": settings.seed,
    }
