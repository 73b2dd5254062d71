"""Plugins: Python files and installed packages that add conditions, rules, formats, sources, prompts or rewards.

A plugin registers its parts when it is imported. It is code, so it is loaded only because the user names it: with
``--plugin``, in the variable AUDIOCONTRIB_PLUGINS, or by :func:`load_plugin`; never because a run, a recipe or a data
set does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from audiocontrib.errors import UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.registry import forget, others_parts
from audiocontrib.user_code import others_code, read_code, run_code

GROUP = "audiocontrib.plugins"
"""Entry points of this group are plugins of installed packages."""
VARIABLE = "AUDIOCONTRIB_PLUGINS"
"""Names and files of plugins, separated as in PATH."""

_loaded: dict[str, str] = {}  # file, or name of an entry point -> module


def load_plugin(plugin: str | Path) -> None:
    """Load a plugin; one that is loaded already is left as it is, a file that has changed since is loaded anew.

    Args:
        plugin: a Python file (``mine.py``), or the name of an installed plugin (:func:`installed_plugins`).

    Raises:
        UsageError: there is no such file or plugin, it fails while it is loaded, or registers nothing. The line says
            where.

    Example:
        >>> ac.load_plugin("my_condition.py")
        >>> ac.score(items, model, conditions=["audio", "beep"], run="runs/mine")
    """
    path = Path(plugin)
    if path.suffix != ".py":
        _load_installed(str(plugin))
        return
    _load_file(path, read_code(path, f"plugin {plugin}"))


def load_plugins(plugins: Iterable[str | Path]) -> None:
    """Load several, in this order."""
    for plugin in plugins:
        load_plugin(plugin)


def installed_plugins() -> dict[str, str]:
    """Name -> module, of the plugins that installed packages declare; nothing is loaded.

    Example:
        >>> ac.installed_plugins()
    """
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def loaded_plugins() -> dict[str, str]:
    """File, or name of an installed plugin -> module, of those that are loaded; other processes load the same."""
    return dict(_loaded)


def plugins_of_environment() -> list[str]:
    """What the variable AUDIOCONTRIB_PLUGINS names."""
    return [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


def _load_file(path: Path, source: bytes) -> None:
    place = str(path.resolve())
    name = f"audiocontrib_plugin_{path.stem}_{stable_hash([place, source.hex()])[:8]}"
    if _loaded.get(place) == name:
        return
    forget(_loaded.pop(place, name))
    held = set(others_parts())
    run_code(source, name, path.resolve(), f"plugin {path}", lambda: forget(name))
    if not set(others_parts()) - held:
        raise UsageError(f"plugin {path}: it registers nothing: no condition, rule, format, data set, prompt or reward")
    _loaded[place] = name


def _load_installed(name: str) -> None:
    if name in _loaded:
        return
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        there = ", ".join(installed_plugins()) or "none"
        raise UsageError(f"plugin {name!r}: it is no Python file, and no installed plugin; those installed: {there}")
    module = found[0].module
    with others_code(f"plugin {name} ({found[0].value})", module, lambda: forget(module)):
        found[0].load()
    _loaded[name] = module
