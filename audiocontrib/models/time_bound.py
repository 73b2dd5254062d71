"""A bound on the time of Python code that may never end, as a template of somebody else's."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from audiocontrib.errors import AudiocontribError

LOOKS = 0.1
"""Seconds between two looks at what is running: entering a bound costs nothing but a note of it."""


class TooSlow(AudiocontribError):
    """What was done inside a bound took longer."""


class _TooLong(BaseException):
    """Put into the thread; no ``except Exception`` on its way stops it."""


@dataclass(slots=True, eq=False)
class _Running:
    thread: int
    until: float
    is_told: bool = False


_running: set[_Running] = set()
_guard = threading.Lock()


@contextmanager
def time_bound(seconds: float, words: str) -> Iterator[None]:
    """End what is done inside after so many seconds, in whatever thread; compiled code is waited for.

    Args:
        words: of the error.

    Raises:
        TooSlow: it took longer.
    """
    one = _Running(threading.get_ident(), time.monotonic() + seconds)
    try:
        try:
            with _guard:
                _running.add(one)
                _watch(os.getpid())
            yield
        finally:
            with _guard:
                _running.discard(one)
            if one.is_told:  # it may still be on its way
                _tell(one.thread, None)
    except _TooLong:
        raise TooSlow(f"{words} (more than {seconds:g} s)") from None


@cache
def _watch(process: int) -> None:
    """Start the thread that looks, once in each process: one that was forked has none."""
    threading.Thread(target=_look, name="time bound", daemon=True).start()


def _forked() -> None:
    """A forked process may have got a lock that nobody in it gives back."""
    global _guard
    _guard = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forked)


def _look() -> None:
    while True:
        time.sleep(LOOKS)
        with _guard:
            for one in _running:
                if one.until < time.monotonic() and not one.is_told:
                    one.is_told = True
                    _tell(one.thread, _TooLong)


def _tell(thread: int, error: type[BaseException] | None) -> None:
    """Raise an error in a thread at its next step in Python; None: none that is still on its way."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error and ctypes.py_object(error))
