"""Long queries that end when the viewer does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable

_open: dict[int, duckdb.DuckDBPyConnection] = {}
_lock = threading.Lock()


@contextmanager
def interruptible(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A block whose queries :func:`interrupt_until` ends with an error."""
    with _lock:
        _open[id(con)] = con
    try:
        yield
    finally:
        with _lock:
            del _open[id(con)]


def interrupt_until(done: Callable[[], bool], seconds: float) -> None:
    """End what runs, and what is begun meanwhile, until ``done`` says so, and nothing is open, or for so long.

    A process that ends while a thread is inside the engine prints what it left there.
    """
    end = time.monotonic() + seconds
    while (_open or not done()) and time.monotonic() < end:
        with _lock:
            for con in _open.values():
                with suppress(duckdb.Error):
                    con.interrupt()
        time.sleep(0.02)
