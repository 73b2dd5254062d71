"""Asking the network that is being trained, as scoring would, and leaving no trace in the training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.prompts import PromptFormat
from audiocontrib.responses import Outcome, Response
from audiocontrib.scoring.ask import ask
from audiocontrib.scoring.plan import RequestConfig, Shard, by_clip
from audiocontrib.scoring.prefetch import Prefetcher, RequestBuilder
from audiocontrib.store.answered_requests import NONE
from audiocontrib.training.watch.held_out import HeldOut
from audiocontrib.training.watch.settings import CONDITIONS, Watch

AT_ONCE = 32
"""Questions of a batch: always as many, whatever time they take, so that an asking has the same last digits again."""


def request_config(watch: Watch, prompt: PromptFormat) -> RequestConfig:
    """How the watched items are put: as scoring puts them."""
    return RequestConfig(tuple(map(condition, CONDITIONS)), watch.method, watch.orders, prompt)


def watched_answers(
    model: AudioLanguageModel, asking: RequestConfig, held: HeldOut, seconds: float, shard: Shard
) -> list[Response]:
    """Answers to the items of a shard under all conditions.

    Args:
        model: its network is the one that is trained; it is asked as if no adapter were merged yet, and none off.
        seconds: where clips, and silence, are cut.

    Raises:
        AudiocontribError: a clip is gone, or a question cannot be answered.
    """
    usual = model.max_seconds
    model.max_seconds = min(seconds, usual or seconds)
    model.forget()  # prefixes of other weights
    try:
        make = RequestBuilder(asking.of(model), model, "", {}, NONE)
        found: list[Response] = []
        for work in Prefetcher(make, by_clip(held.items, shard), fewest=AT_ONCE, grows=False):
            if work.quarantined:
                gone = work.quarantined[0]
                raise AudiocontribError(f"the clip of the watched item {gone.item_id} is gone: {gone.reason}")
            found += ask(model, work.requests, work.keys, asking.of(model)) if work.requests else []
    finally:
        model.max_seconds = usual
        model.forget()
    failed = [one for one in found if one.outcome == Outcome.FAILED]
    if failed:
        raise AudiocontribError(
            f"{len(failed):,} of {len(found):,} questions about watched items cannot be answered, e.g. "
            f"{failed[0].item_id} under {failed[0].condition}: {failed[0].error}"
        )
    return found


@contextmanager
def untouched(net: Any) -> Iterator[None]:
    """A block in which a network does not train: no dropout, and all randomness goes on after it as if it had not been.

    Args:
        net: the network; each of its modules is left in the mode in which it was.
    """
    modes = [(module, module.training) for module in net.modules()]
    states = random.getstate(), np.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    net.eval()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        random.setstate(states[0])
        np.random.set_state(states[1])
