"""Plugins: Python files and installed packages that add conditions, rules, formats, sources or prompts of one's own.

A plugin registers its parts when it is imported. It is code, so it is loaded only because the user names it: with
``--plugin``, in the variable AUDIOCONTRIB_PLUGINS, or by :func:`load_plugin`; never because a run, a recipe or a data
set does.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.hashing import stable_hash

GROUP = "audiocontrib.plugins"
"""Entry points of this group are plugins of installed packages."""
VARIABLE = "AUDIOCONTRIB_PLUGINS"
"""Names and files of plugins, separated as in PATH."""

_loaded: dict[str, str] = {}  # file, or name of an entry point -> module


def load_plugin(plugin: str | Path) -> None:
    """Load a plugin; one that is loaded already is left as it is.

    Args:
        plugin: a Python file (``mine.py``), or the name of an installed plugin (:func:`installed_plugins`).

    Raises:
        UsageError: there is no such file or plugin.
        AudiocontribError: it fails while it is loaded. The line says where.

    Example:
        >>> ac.load_plugin("my_condition.py")
        >>> ac.score(items, model, conditions=["audio", "beep"], run="runs/mine")
    """
    path = Path(plugin)
    if path.suffix != ".py":
        return _load_installed(str(plugin))
    if not path.is_file():
        raise UsageError(f"plugin {plugin}: there is no such file")
    place = str(path.resolve())
    if place not in _loaded:
        _load_file(path, place)
    return None


def load_plugins(plugins: Iterable[str | Path]) -> None:
    """Load several, in this order."""
    for plugin in plugins:
        load_plugin(plugin)


def installed_plugins() -> dict[str, str]:
    """Name -> module, of the plugins that installed packages declare; nothing is loaded."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def loaded_plugins() -> tuple[str, ...]:
    """Files and names of the plugins that are loaded, for processes that are to load the same."""
    return tuple(_loaded)


def plugins_of_environment() -> list[str]:
    """What the variable AUDIOCONTRIB_PLUGINS names."""
    return [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


def _load_file(path: Path, place: str) -> None:
    name = f"audiocontrib_plugin_{path.stem}_{stable_hash([place])[:8]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"plugin {path}: it cannot be read as Python")
    module = module_from_spec(spec)
    sys.modules[name] = module  # other processes find its classes under this name
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a file may raise, SystemExit too
        del sys.modules[name]
        raise AudiocontribError(f"plugin {path}{_line(error, path)}: {one_line(error)}") from error
    _loaded[place] = name


def _load_installed(name: str) -> None:
    if name in _loaded:
        return
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        there = ", ".join(installed_plugins()) or "none"
        raise UsageError(f"plugin {name!r}: it is no Python file, and no installed plugin; those installed: {there}")
    try:
        found[0].load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise AudiocontribError(f"plugin {name} ({found[0].value}): {one_line(error)}") from error
    _loaded[name] = found[0].value


def _line(error: BaseException, path: Path) -> str:
    """``:12`` for the last line of the file that the error went through."""
    names = (str(path), str(path.absolute()), str(path.resolve()))
    if isinstance(error, SyntaxError) and error.filename in names:
        return f":{error.lineno}"
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename in names]
    return f":{frames[-1]}" if frames else ""
