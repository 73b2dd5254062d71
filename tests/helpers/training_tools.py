"""Rows, settings and trainers for the tests of training, and a process that kills itself."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audiocontrib.items import Items
from audiocontrib.sources import load_items
from audiocontrib.training import GRPO, SFT, TrainingRows, train_grpo, train_sft
from helpers.lazy import lazy
from helpers.processes import PROCESSES, SCORING

torch = lazy("safetensors.torch")

TINY = "tiny-qwen2.5-omni"
TRAIN: dict[str, Callable[..., Any]] = {"sft": train_sft, "grpo": train_grpo}
TRAINERS = ("audiocontrib.training.trainers.grpo", "audiocontrib.training.trainers.sft")
PROCESSES.set_forkserver_preload([*SCORING, *TRAINERS])


def demo_rows(n: int = 12, copies: int = 1, seed: int = 5, **more: Any) -> TrainingRows:
    """Questions of the demo, no two with the same text."""
    found = {item.question + str(item.choices): item for item in load_items("demo", seed=seed, limit=4 * n)}
    return TrainingRows(Items(list(found.values())[:n]), copies, **more)


def sft(**changes: Any) -> SFT:
    given = {"part": "all", "learning_rate": 1e-3, "batch": 4, "steps": 6, "save_every": 2, "copies": 1}
    return SFT(**given | changes)


def grpo(**changes: Any) -> GRPO:
    given = {
        "part": "all", "learning_rate": 1e-3, "batch": 8, "steps": 4, "save_every": 2, "copies": 1,
        "generations": 4, "new_tokens": 10, "temperature": 1.5, "top_k": 0, "beta": 0.04,
    }  # fmt: skip
    return GRPO(**given | changes)


def grpo_trainer(settings: GRPO, rows: TrainingRows, out: Path, cls: Any = None, name: str = TINY) -> Any:
    """A trainer and its network, nothing trained yet."""
    from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
    from audiocontrib.training.trainers.grpo import AudioGRPOTrainer
    from audiocontrib.training.trainers.session import calm

    model = load_for_training(name, settings)
    with calm():
        trainer = (cls or AudioGRPOTrainer)(settings, rows, RowEncoder(model, settings.seconds), model.net, out)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = settings.accumulate  # set when training begins
    return trainer


def weights(model: Path) -> dict[str, Any]:
    """The tensors of a model, by name."""
    return torch.load_file(model / "model.safetensors")


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def train_and_die(stage: str, settings: Any, rows: TrainingRows, out: Path, at: int, writing: bool) -> None:
    """Train until step ``at``, and be killed there: in the middle of its checkpoint, or before it."""
    from transformers import Trainer

    method = "_save_optimizer_and_scheduler" if writing else "training_step"
    usual: Callable[..., Any] = getattr(Trainer, method)

    def until(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == (at if writing else at - 1):
            die()
        return usual(self, *args, **kwargs)

    setattr(Trainer, method, until)
    TRAIN[stage](settings, rows, TINY, out, progress=False)


def killed(*args: Any) -> int | None:
    """The exit code of :func:`train_and_die` in a process of its own."""
    [code] = ended([PROCESSES.Process(target=train_and_die, args=args)])
    return code


def ended(processes: list[Any]) -> list[int | None]:
    """The exit codes of processes that run side by side."""
    for process in processes:
        process.start()
    for process in processes:
        process.join(200)
    return [process.exitcode for process in processes]


def as_rank(rank: int, port: int, do: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Do something as one of two processes that train together, as a launcher starts them; without a GPU."""
    given = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in given.items()} | {"MASTER_ADDR": "127.0.0.1"}
    do(*args)


def two(do: Callable[..., Any], *args: Any) -> list[int | None]:
    """The exit codes of two processes that do the same together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ended([PROCESSES.Process(target=as_rank, args=(rank, port, do, args)) for rank in (0, 1)])
