"""Reward functions of the user's own: what they are given, how they are known, and what becomes of their numbers.

A function is code, so it is loaded only because the user names its file or plugin; a recipe names it by its name.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from audiocontrib.config.words import near
from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.registry import Registry
from audiocontrib.training.reward_input import RewardInput

BUILT_IN = ("accuracy", "format", "abstaining")
"""Rewards of the package; no other may be called so."""
TAKEN = (*BUILT_IN, "std")
"""The last one would be a column that there is."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
LARGEST = float(np.finfo(np.float32).max)

RewardFunction = Callable[[RewardInput], float]
R = TypeVar("R", bound=RewardFunction)
REWARDS: Registry[RewardFunction] = Registry("reward")
"""Name -> function, of the user's own rewards; those of the package are no functions of this kind."""


def reward(name: str) -> Callable[[R], R]:
    """Decorator that files a reward function under a name, for ``own_rewards`` in a recipe.

    Raises:
        UsageError: the name is taken or no name, or the function takes something else than one reply.

    Example:
        >>> @reward("brief")
        ... def brief(asked):
        ...     return 1 / (1 + len(asked.reply.split()))
    """
    reward_name(name)
    filed = REWARDS.register(name)

    def file(function: R) -> R:
        check_function(function, name)
        return filed(function)

    return file


def reward_name(name: Any, where: str = "reward") -> str:
    """The name. UsageError if a reward cannot be called so."""
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise UsageError(f"{where} {name!r:.80}: a reward's name is of letters, digits and '_', as in brief_reply")
    if name in TAKEN:
        why = "a reward of audiocontrib's own" if name in BUILT_IN else "a column of the metrics"
        raise UsageError(f"{where} {name!r} is called as {why} is; choose another name")
    return name


def check_function(function: Any, name: str, where: str = "") -> None:
    """UsageError if something cannot be called with one reply; ``where``: file and line, for the message."""
    told = f"{where}: " if where else ""
    if isinstance(function, type) or not callable(function):
        raise UsageError(f"{told}the reward {name} is {_kind(function)}; it is a function that takes one reply")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        kind = "async" if inspect.iscoroutinefunction(function) else "a generator"
        raise UsageError(f"{told}the reward {name} is {kind}; write it as a plain function that returns a number")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # of C: calling it will tell
    try:
        signature.bind(None)
    except TypeError:
        raise UsageError(
            f"{told}the reward {name} takes {signature}, but is called with one thing, the reply: "
            f"def {name}(asked), with asked.reply, asked.question, asked.options, asked.gold, asked.extra, asked.heard"
        ) from None


def find_rewards(names: Iterable[str]) -> dict[str, RewardFunction]:
    """Name -> function of the rewards that a recipe names. UsageError if one is not known here."""
    names = list(names)
    for name in names:
        reward_name(name, "own_rewards names")
        if name not in REWARDS:
            there = near(name, sorted(REWARDS)) if REWARDS else "none is loaded"
            raise UsageError(
                f"own_rewards names {name!r}, which is not known here ({there}); a recipe loads no code: name the "
                "function's file or plugin yourself"
            )
    return {name: REWARDS[name] for name in names}


def rated(name: str, function: RewardFunction, asked: RewardInput) -> float:
    """The function's number for a reply.

    Raises:
        AudiocontribError: it fails, or gives no finite number; in one line with the function, the item and the place.
    """
    try:
        with redirect_stdout(sys.stderr):  # stdout is for tables, which others read
            given = function(asked)
    except (Exception, SystemExit) as error:
        told = f"{code_place(error)}{one_line(error, 200)}"
        raise AudiocontribError(f"the reward {name} fails on a reply to {asked.item_id}: {told}") from error
    number = _number(given)
    if number is None or not math.isfinite(number) or abs(number) > LARGEST:
        raise AudiocontribError(
            f"the reward {name} gives {_kind(given)} for a reply to {asked.item_id}, where it must give one finite "
            f"number (it is called for each reply by itself); {_place(function)}"
        )
    return number


def _number(given: Any) -> float | None:
    """What was given as a number; a truth value is 1 or 0, an array or tensor without axes is what it holds."""
    if getattr(given, "ndim", None) == 0 and hasattr(given, "item"):
        given = given.item()
    if not isinstance(given, bool | int | float):
        return None
    try:
        return float(given)
    except OverflowError:
        return math.inf


def _kind(thing: Any) -> str:
    if thing is None:
        return "None"
    if isinstance(thing, int | float):
        return f"{thing}" if len(str(thing)) < 40 else "a number of too many digits"
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    said = " ".join(repr(thing).split())
    return f"{type(thing).__name__} {said if len(said) <= 60 else said[:59] + '…'}"


def _place(function: Any) -> str:
    """Where a function is written, as far as that is known."""
    code = getattr(function, "__code__", None)
    return f"see {Path(code.co_filename).name}:{code.co_firstlineno}" if code else "see its code"
