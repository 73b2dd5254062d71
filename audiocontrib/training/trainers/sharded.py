"""Weights that are spread over processes: what is refused, and where gradients and checkpoints would go wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor, Partial

from audiocontrib.errors import UsageError
from audiocontrib.training.stage_settings import Stage

ADAPTERS = "take recipes/training/accelerate/ddp.yaml"
CONFIGURATION = "recipes/training/accelerate/fsdp.yaml has them all"


def check_sharding(settings: Stage, state: PartialState) -> None:
    """UsageError, before anything is loaded, if sharding is asked for in a way that is not right here."""
    env = os.environ
    _check_zero3(settings, env)
    if env.get("ACCELERATE_USE_FSDP", "false").lower() != "true":
        return
    if env.get("FSDP_VERSION", "1") != "2":
        raise UsageError(f"FSDP of the first version is not supported; set fsdp_version: 2 ({CONFIGURATION})")
    if env.get("FSDP_STATE_DICT_TYPE", "SHARDED_STATE_DICT") != "FULL_STATE_DICT":
        raise UsageError(f"FSDP would save no whole model; set fsdp_state_dict_type: FULL_STATE_DICT ({CONFIGURATION})")
    if env.get("FSDP_CPU_RAM_EFFICIENT_LOADING", "false").lower() == "true":
        raise UsageError(
            "the model is loaded whole in every process here, which fsdp_cpu_ram_efficient_loading would not know of; "
            f"set it to false ({CONFIGURATION})"
        )
    if settings.tune != "full":
        raise UsageError(f"tune is {settings.tune}, but FSDP is for all weights: adapters fit on each GPU; {ADAPTERS}")
    if state.distributed_type in (DistributedType.NO, DistributedType.MULTI_CPU):
        raise UsageError("FSDP needs GPUs: accelerate spreads nothing over processors; leave the configuration out")


def _check_zero3(settings: Stage, env: Mapping[str, str]) -> None:
    if env.get("ACCELERATE_USE_DEEPSPEED") != "true" or env.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") != "3":
        return
    if settings.tune != "full":
        raise UsageError(
            f"tune is {settings.tune}, but ZeRO 3 is for all weights: adapters fit on each GPU; {ADAPTERS}"
        )
    if env.get("ACCELERATE_DEEPSPEED_ZERO3_SAVE_16BIT_MODEL") != "true":
        raise UsageError(
            "ZeRO 3 would save no model; set zero3_save_16bit_model: true (recipes/training/accelerate/zero3.yaml)"
        )


def with_whole_head(net: Any) -> Any:
    """A network whose fused head gets the gradients of all processes; the network itself.

    TRL 1.16 multiplies by the head's weight without calling the head, and gathers a sharded one by ``full_tensor()``,
    whose gradient is that of one process for each shard: neither summed nor averaged. Nothing is said.
    """
    usual = net.get_output_embeddings

    def gathered() -> Any:
        head = usual()
        if not isinstance(head.weight, DTensor):
            return head
        return SimpleNamespace(weight=_whole(head.weight), bias=None if head.bias is None else _whole(head.bias))

    net.get_output_embeddings = gathered
    return net


def _whole(value: DTensor) -> torch.Tensor:
    """A sharded weight, whole; its gradient is the mean over the processes, as of all other weights."""
    mesh = value.device_mesh
    whole = value.full_tensor(grad_placements=[Partial()] * mesh.ndim)
    fixed = whole.detach()
    return fixed + (whole - fixed) / mesh.size()


def start_unused(optimizer: torch.optim.Optimizer) -> None:
    """Give weights that nothing reads, and that have no gradients, the state that they start with.

    Without one a checkpoint could not be gone on from: every weight that is trained must have its own in it.
    """
    for group in optimizer.param_groups:
        for value in group["params"]:
            if not optimizer.state[value]:
                zeros = {name: torch.zeros_like(value) for name in ("exp_avg", "exp_avg_sq")}
                optimizer.state[value] = {"step": torch.tensor(0.0), **zeros}
