"""The arguments of score, checked before anything is loaded or asked: understood, or refused in one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from audiocontrib.checked import number, whole_number
from audiocontrib.conditions import Condition, condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, as_items
from audiocontrib.models import Model
from audiocontrib.scoring.plan import Shard
from audiocontrib.store import Run

ENGINES = ("local", "ray")
ModelLike: TypeAlias = Model | str | os.PathLike[str] | Callable[..., str]
"""What can be asked: a model, the name of one, a file of one's own, or a function ``prompt, audio -> reply``."""


def items_to_ask(given: Any) -> Items:
    """The items, of which there is at least one; AudiocontribError says why none is left."""
    items = as_items(given)
    if len(items):
        return items
    if items.quarantined:
        raise AudiocontribError(
            f"no item is left to ask: all {len(items.quarantined):,} rows are quarantined, "
            f"the first as {items.quarantined[0]}"
        )
    raise UsageError("there are no items to ask")


def conditions_to_ask(given: Any) -> tuple[Condition, ...]:
    """One condition or several, each once; UsageError lists what there is."""
    listed = [given] if isinstance(given, str | Condition) else given
    if not isinstance(listed, Iterable) or isinstance(listed, Mapping | bytes):
        raise UsageError(f"conditions is {given!r}, but is the name of a condition, or a list of names")
    made = tuple(dict.fromkeys(condition(one) for one in listed))
    if not made:
        raise UsageError("name at least one condition")
    return made


def run_folder(given: Any) -> Path:
    """The folder of a run that is named by its path, or given as a Run."""
    if isinstance(given, Run):
        return given.path
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise UsageError(f"run is {given!r}, but is the folder of a run, such as 'runs/first'")
    folder = Path(os.fspath(given))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; a run is a folder: name another")
    return folder


def shard_of(given: Any) -> Shard:
    """A part of the recordings, from ``i/n``."""
    if isinstance(given, Shard):
        return given
    if not isinstance(given, str):
        raise UsageError(f"shard is {given!r}, but is written i/n, such as '1/4'")
    return Shard.parse(given)


def device_list(given: Any) -> list[str]:
    """Devices, from a list or from one text with commas."""
    text = ",".join(given) if isinstance(given, list | tuple) and all(isinstance(x, str) for x in given) else given
    if not isinstance(text, str):
        raise UsageError(f"devices is {given!r}, but is a list of devices, such as ['cuda:0', 'cuda:1']")
    return [name.strip() for name in text.split(",") if name.strip()]


def check_workers(engine: Any, actors: Any, save_every: Any, options: Any) -> None:
    """UsageError for an engine that there is not, a number out of range, or options that are no mapping."""
    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine!r}; there are: {', '.join(ENGINES)}")
    whole_number(actors, "actors", least=1)
    number(save_every, "save_every", least=0)
    check_model_options(options)


def check_model_options(options: Any) -> None:
    """UsageError for options of :func:`audiocontrib.load_model` that are no mapping; None is none."""
    if options is not None and not isinstance(options, Mapping):
        raise UsageError(f"model_options is {options!r}, but is a mapping from an option of load_model to its value")
