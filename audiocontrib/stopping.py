"""SIGTERM and SIGINT: the first ends the work in order, so that answers are kept; the second ends the process at once.

Slurm and Kubernetes send SIGTERM some seconds before they kill; Ctrl-C is SIGINT.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from audiocontrib.errors import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PATIENCE = 10.0
"""Seconds in which a batch that is being answered may end; those who send SIGTERM wait for 30 before they kill."""
_asked: list[int] = []
"""The signal that came first, once one has come."""
_held = {"patient": 0, "whole": 0}
"""How many blocks of each kind of :func:`unbroken` are open."""


@contextmanager
def stopping() -> Iterator[None]:
    """A block in which the first signal raises :class:`Stopped` in the main thread, and a second ends the process.

    Elsewhere than in the main thread nothing changes.
    """
    try:
        before = {number: signal.signal(number, _stop) for number in SIGNALS}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _out_of_patience)
    except ValueError:  # not the main thread
        yield
        return
    _asked.clear()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        _asked.clear()


def stop_on_signals() -> None:
    """As :func:`stopping`, for good: in a process that was started to work."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _out_of_patience)


@contextmanager
def unbroken(*, patient: bool = False) -> Iterator[None]:
    """A block that a signal does not break: it is raised at the end, or, if ``patient``, after PATIENCE seconds."""
    kind = "patient" if patient else "whole"
    _held[kind] += 1
    came = len(_asked)
    try:
        yield
    finally:
        _held[kind] -= 1
    if len(_asked) > came and not any(_held.values()):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise Stopped(_asked[0])


def _stop(number: int, frame: FrameType | None) -> None:
    if _asked:
        os._exit(128 + number)
    _asked.append(number)
    if not any(_held.values()):
        raise Stopped(number)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)


def _out_of_patience(number: int, frame: FrameType | None) -> None:
    if _asked and not _held["whole"]:
        raise Stopped(_asked[0])
