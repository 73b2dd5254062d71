"""FSDP in processes without a GPU: accelerate spreads weights over GPUs alone, and takes these processes for some."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from helpers import ROOT
from helpers.training_tools import TINY, TRAIN, train_and_die

CONFIGURATION = ROOT / "recipes" / "training" / "accelerate" / "fsdp.yaml"


def environment() -> dict[str, str]:
    """What `accelerate launch` sets for the processes, by the configuration that ships; without bfloat16."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_multi_gpu_env

    words = ["--config_file", str(CONFIGURATION), "--mixed_precision", "no", "--num_processes", "2", "x.py"]
    given, *_ = _validate_launch_command(launch_command_parser().parse_args(words))
    told = prepare_multi_gpu_env(given)
    return {name: value for name, value in told.items() if name.startswith(("FSDP_", "ACCELERATE_"))}


def spread(told: dict[str, str]) -> None:
    """Let accelerate take this process for one with a GPU."""
    import torch
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    def prepared(*_: Any) -> tuple[str, Any]:
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("gloo")
        return "gloo", DistributedType.MULTI_GPU

    os.environ |= told | {"ACCELERATE_TORCH_DEVICE": "cpu"}
    PartialState._prepare_backend = prepared


def train_spread(told: dict[str, str], stage: str, settings: Any, rows: Any, out: Path) -> None:
    """Train with weights that are spread; the test fails if they are not."""
    from transformers import Trainer

    spread(told)
    usual = Trainer.training_step

    def looked_at(self: Any, *args: Any, **kwargs: Any) -> Any:
        assert {type(value).__name__ for value in self.model.parameters()} == {"DTensor"}
        return usual(self, *args, **kwargs)

    Trainer.training_step = looked_at
    TRAIN[stage](settings, rows, TINY, out, progress=False)


def train_spread_and_die(told: dict[str, str], stage: str, settings: Any, rows: Any, out: Path, at: int) -> None:
    """The same, until step ``at``."""
    spread(told)
    train_and_die(stage, settings, rows, out, at, False)
