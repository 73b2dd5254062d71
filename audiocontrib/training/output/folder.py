"""The folder of a training: what lies where, and what a finished one gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODEL, ADAPTER = "model", "adapter"
CHECKPOINTS, METRICS = "checkpoints", "metrics.parquet"
COMPLETIONS, TRACKING = "completions.parquet", "tracking.json"


@dataclass(frozen=True, slots=True)
class TrainingOutput:
    """A finished training."""

    model: Path
    """Folder of the trained model: safetensors and processor; `audiocontrib score --model` takes it."""
    metrics: Path
    """One row a step, see :data:`audiocontrib.training.output.metrics.METRICS_SCHEMA`."""
    steps: int
    resumed: int | None
    """The step of the checkpoint from which it went on; None if it was done in one go."""
