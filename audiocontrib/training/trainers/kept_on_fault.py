"""What was learned is kept where the code of others fails between two steps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from audiocontrib.errors import AudiocontribError
from audiocontrib.training.output.checkpoints import is_whole
from audiocontrib.training.trainers.reward_calls import RewardFault

if TYPE_CHECKING:
    from audiocontrib.training.trainers.trainer import ResumableTrainer


def luck() -> tuple[Any, ...]:
    """The states of all generators of random numbers."""
    gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), gpu


def restore_luck(states: tuple[Any, ...]) -> None:
    """Put them back."""
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    if states[3] is not None:
        torch.cuda.set_rng_state_all(states[3])


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block after which the generators are as before: what others draw in it changes no training.

    Nor does what else they may leave changed: the working folder, or that gradients are wanted.
    """
    states = luck()
    try:
        with chdir("."), torch.no_grad():
            yield
    finally:
        restore_luck(states)


@contextmanager
def kept_on_fault(trainer: ResumableTrainer) -> Iterator[None]:
    """A block between two steps; if a reward fails in it, a checkpoint of the steps before is left.

    It goes on as if the block had never begun, so that the same command does all that is left.
    """
    states, tokens = luck(), trainer.state.num_input_tokens_seen
    try:
        yield
    except RewardFault as error:
        step = trainer.state.global_step
        place = Path(trainer.args.output_dir) / f"checkpoint-{step}"
        restore_luck(states)
        trainer.state.num_input_tokens_seen = tokens
        if step and not is_whole(place):
            trainer._save_checkpoint(trainer.model, None)
        kept = f"{place.name} is whole: " if step else ""
        raise AudiocontribError(
            f"{trainer.out}: {error}; {kept}give the same command again if that may pass; mended code makes "
            f"another training, which can start from {place if step else 'the same model'} in a folder of its own"
        ) from error
