"""Reward functions in files: ``my.py:function``, with a weight ``my.py:function=0.5``; and what tells their code apart.

A file is loaded because the user names it, once for each content, and never because a recipe does.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from audiocontrib.config.words import near
from audiocontrib.errors import UsageError
from audiocontrib.models.source_code import source_hash
from audiocontrib.plugins import loaded_plugins
from audiocontrib.registry import forget
from audiocontrib.training.reward_functions import REWARDS, check_function, find_rewards, reward_name
from audiocontrib.user_code import read_code, run_code

ASKED = re.compile(
    r"(?P<file>.*\.py)(:(?P<function>[^=/\\]*))?(=(?P<in_file>[^/\\]*))?|(?P<name>[^=]*)(=(?P<by_name>.*))?", re.DOTALL
)

_modules: dict[str, ModuleType] = {}
"""File -> what it made when it was last run."""
_files: dict[str, str] = {}
"""Name of a reward -> what it was named by: ``my.py:function``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSource:
    """Whose code a reward is."""

    name: str
    sha256: str
    """Of the file that holds the function; of its text where there is no file."""
    file: str | None = None
    """``my.py:function``, as it was named."""
    plugin: str | None = None
    """File or name of the plugin that registered it."""


def load_rewards(asked: Iterable[str]) -> dict[str, float | None]:
    """Name -> weight of the rewards that texts name; None where a text says no weight. Their files are run.

    Args:
        asked: each ``my.py:function``, ``my.py:function=0.5``, or the name of a reward that a plugin has.

    Raises:
        UsageError: there is no such file, function or reward, its code fails, or two are called alike.
    """
    weights: dict[str, float | None] = {}
    for text in asked:
        found = ASKED.fullmatch(str(text))
        parts: Mapping[str, str | None] = found.groupdict() if found else {}
        name = _of_file(parts["file"] or "", parts["function"]) if parts.get("file") else str(parts.get("name") or "")
        if name in weights:
            raise UsageError(f"the reward {name!r} is named twice; two functions need two names")
        find_rewards([reward_name(name)])
        said = parts["in_file"] if parts.get("file") else parts.get("by_name")
        weights[name] = None if said is None else _weight(said, str(text))
    return weights


def reward_sources(names: Iterable[str]) -> tuple[RewardSource, ...]:
    """Whose code each of the rewards is. UsageError if that of one cannot be read: two would be taken for one."""
    made = []
    plugins = {module: plugin for plugin, module in loaded_plugins().items()}
    for name, function in find_rewards(names).items():
        thing: Any = function if isinstance(function, type | FunctionType) else type(function)
        module = REWARDS.origins.get(name, ("", ""))[0]
        held = _sha256_of(module) or source_hash(thing)
        if held is None:
            raise UsageError(f"the code of the reward {name} cannot be read; put it into a file")
        made.append(RewardSource(name=name, sha256=held, file=_files.get(name), plugin=plugins.get(module)))
    return tuple(made)


def _sha256_of(module: str) -> str | None:
    """Of the source that a file's module was made of, which the file may no longer hold."""
    held = getattr(sys.modules.get(module), "__source_sha256__", None)
    return held if isinstance(held, str) else None


def _of_file(file: str, function: str | None) -> str:
    """The name under which a function of a file is filed."""
    path = Path(file)
    source = read_code(path, f"reward {file}")
    module = _module(path, source)
    own = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, FunctionType) and value.__module__ == module.__name__
    }
    if not function:
        raise UsageError(f"reward {file}: name its function after a colon; {near('', sorted(own))}")
    if function not in vars(module):
        raise UsageError(f"reward {file}: it has no {function!r}; {near(function, sorted(own))}")
    thing = vars(module)[function]
    filed = next((name for name, held in REWARDS.items() if held is thing), None)
    if filed is not None:  # by its decorator
        _files[filed] = f"{file}:{function}"
        return filed
    line = _line(thing)
    where = f"{path.name}:{line}" if line else path.name
    reward_name(function, f"{where}: the reward")
    check_function(thing, function, where)
    if function in REWARDS:
        origin, first = REWARDS.origins.get(function, ("", ""))
        if _sha256_of(origin) == _sha256_of(module.__name__) is not None:  # a copy of the same file
            _files[function] = f"{file}:{function}"
            return function
        raise UsageError(
            f"{where}: reward {function!r} is there already{f' (first at {first})' if first else ''}; rename one"
        )
    REWARDS[function] = thing
    REWARDS.origins[function] = (module.__name__, where)
    _files[function] = f"{file}:{function}"
    return function


def _module(path: Path, source: bytes) -> ModuleType:
    """What a file makes. One that is a plugin too, or was run before, is not run again unless it has changed."""
    place = path.resolve()
    if (plugin := loaded_plugins().get(str(place))) is not None and plugin in sys.modules:
        return sys.modules[plugin]
    held, sha256 = _modules.get(str(place)), hashlib.sha256(source).hexdigest()
    if held is not None and held.__dict__.get("__source_sha256__") == sha256:
        return held
    if held is not None:
        forget(held.__name__)
    where = hashlib.sha256(f"{place} {sha256}".encode()).hexdigest()[:8]
    name = f"audiocontrib_reward_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}_{where}"
    module = run_code(source, name, place, f"reward {path}", lambda: forget(name))
    module.__dict__["__source_sha256__"] = sha256
    _modules[str(place)] = module
    return module


def _line(thing: Any) -> int | None:
    code = getattr(inspect.unwrap(thing) if callable(thing) else thing, "__code__", None)
    return code.co_firstlineno if code else None


def _weight(said: str, text: str) -> float:
    try:
        weight = float(said)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise UsageError(f"reward {text!r}: its weight is {said!r}, but must be a number, as in my.py:brief=0.5")
    return weight
