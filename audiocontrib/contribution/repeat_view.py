"""Several answers to the same question, by repeat and by bound of the thought, seen as one: never as more items."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING
from weakref import WeakSet

from audiocontrib.contribution.majority import majority
from audiocontrib.contribution.run_view import filtered_view
from audiocontrib.errors import UsageError
from audiocontrib.log import tell

if TYPE_CHECKING:
    import duckdb

LOG = logging.getLogger("audiocontrib.contribution")
FIRST, MAJORITY, FREE = "first", "majority", "free"

_said: set[str] = set()
_said_of: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
"""Runs, and connections of no run, of which it was said which answers count."""


def held_repeats(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The repeats of which the connection shows answers."""
    if "repeat" not in con.sql("from responses limit 0").columns:
        return [0]
    return [repeat for (repeat,) in con.execute("select distinct repeat from responses order by 1").fetchall()]


def checked_repeat(wanted: str | int | None, con: duckdb.DuckDBPyConnection) -> str | int | None:
    """Which repeat counts, as :class:`Scope` has it: a number or ``majority``; None where each question has one reply.

    Raises:
        UsageError: the run has no such repeat.
    """
    known = wanted is None or wanted in (FIRST, MAJORITY) or (isinstance(wanted, int) and not isinstance(wanted, bool))
    if not known:
        raise UsageError(f"repeat is {wanted!r}, but is {FIRST}, {MAJORITY}, or the number of one repeat")
    held = held_repeats(con)
    if isinstance(wanted, int) and held and wanted not in held:
        listed = ", ".join(map(str, held)) if len(held) <= 10 else f"{held[0]} to {held[-1]}"
        raise UsageError(f"the run holds no answers of repeat {wanted}; it holds: {listed}")
    if len(held) < 2:
        return None
    return held[0] if wanted in (None, FIRST) else wanted


def held_bounds(con: duckdb.DuckDBPyConnection) -> list[int | None]:
    """The bounds of thoughts that the connection shows answers with, smallest first; None: no bound of their own."""
    if "think_tokens" not in con.sql("from responses limit 0").columns:
        return [None]
    found = con.execute("select distinct think_tokens from responses order by 1 nulls last").fetchall()
    return [bound for (bound,) in found]


def checked_bound(wanted: str | int | None, con: duckdb.DuckDBPyConnection) -> str | int | None:
    """Which bound of thoughts counts: a number or ``free``; None where all answers have the same.

    Raises:
        UsageError: the run has no answers with it.
    """
    if not (wanted is None or wanted == FREE or (isinstance(wanted, int) and not isinstance(wanted, bool))):
        raise UsageError(f"think_tokens is {wanted!r}, but is a number of tokens, or {FREE}")
    held = held_bounds(con)
    named = [FREE if bound is None else bound for bound in held]
    if wanted is not None and held and wanted not in named:
        listed = ", ".join(map(str, named))
        raise UsageError(f"the run holds no answers with think_tokens {wanted}; it holds those with: {listed}")
    if len(held) < 2:
        return None
    return named[-1] if wanted is None else wanted


@contextmanager
def one_answer(
    con: duckdb.DuckDBPyConnection, repeat: str | int | None, think_tokens: str | int | None
) -> Iterator[None]:
    """For a while, ``responses`` shows one answer to each question and order; None twice: it does so already."""
    with one_bound(con, think_tokens), one_repeat(con, repeat):
        yield


def one_bound(con: duckdb.DuckDBPyConnection, bound: str | int | None) -> AbstractContextManager[None]:
    """For a while, ``responses`` shows answers with one bound of thoughts only; None: it does so already."""
    if bound is None:
        return nullcontext()
    return filtered_view(con, "responses", f"think_tokens {'is null' if bound == FREE else f'= {int(bound)}'}")


def one_repeat(con: duckdb.DuckDBPyConnection, repeat: str | int | None) -> AbstractContextManager[None]:
    """For a while, ``responses`` shows one repeat only; None: it does so already."""
    if repeat is None:
        return nullcontext()
    if repeat == MAJORITY:
        return majority(con)
    return filtered_view(con, "responses", f"repeat = {int(repeat)}")


def in_words(repeat: str | int | None, think_tokens: str | int | None) -> str:
    """Which repeat and which bound of thoughts count; empty where there is one of each."""
    told = []
    if repeat is not None:
        told.append("the majority of all repeats" if repeat == MAJORITY else f"repeat {repeat} alone")
    if think_tokens is not None:
        told.append("thoughts without a bound" if think_tokens == FREE else f"thoughts up to {think_tokens} tokens")
    return ", ".join(told)


def say_once(run: object, con: duckdb.DuckDBPyConnection, told: str) -> None:
    """One line, once for each run, on what counts where nothing is named: ``told``, of :func:`in_words`."""
    path = getattr(run, "path", None)
    if not told or (str(path) in _said if path else con in _said_of):
        return
    _said.add(str(path)) if path else _said_of.add(con)
    tell(LOG, f"of several answers to each question, one counts: {told}; name another to count otherwise")
