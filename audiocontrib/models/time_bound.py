"""A bound on the time of Python code that may never end, as a template of somebody else's."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from audiocontrib.errors import AudiocontribError

LOOKS = 0.1
"""Seconds between two looks at what is running: entering a bound costs nothing but a note of it."""


class _TooLong(BaseException):
    """Put into the thread; no ``except Exception`` on its way stops it."""


@dataclass(slots=True)
class _Running:
    thread: int
    until: float
    is_told: bool = False


_running: list[_Running] = []
_guard = threading.Lock()
_watch: tuple[int, threading.Thread] | None = None
"""Of this process; one that was forked has none yet."""


@contextmanager
def time_bound(seconds: float, words: str) -> Iterator[None]:
    """End what is done inside after so many seconds, in whatever thread; compiled code is waited for.

    Args:
        words: of the error.

    Raises:
        AudiocontribError: it took longer.
    """
    one = _Running(threading.get_ident(), time.monotonic() + seconds)
    try:
        try:
            _begin(one)
            yield
        finally:
            with _guard:
                _running.remove(one)
            if one.is_told:  # it may still be on its way
                _tell(one.thread, None)
    except _TooLong:
        raise AudiocontribError(f"{words} (more than {seconds:g} s)") from None


def _begin(one: _Running) -> None:
    global _watch
    with _guard:
        _running.append(one)
        if _watch is None or _watch[0] != os.getpid():
            _watch = os.getpid(), threading.Thread(target=_look, name="time bound", daemon=True)
            _watch[1].start()


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
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)
