"""Plugins: Python files and installed packages that add conditions, rules, formats, sources or prompts of one's own.

A plugin registers its parts when it is imported. It is code, so it is loaded only because the user names it: with
``--plugin``, in the variable AUDIOCONTRIB_PLUGINS, or by :func:`load_plugin`; never because a run, a recipe or a data
set does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import entry_points
from pathlib import Path

from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.registry import forget, others_parts
from audiocontrib.user_code import run_code

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
        UsageError: there is no such file or plugin.
        AudiocontribError: it fails while it is loaded, or registers nothing. The line says where.

    Example:
        >>> ac.load_plugin("my_condition.py")
        >>> ac.score(items, model, conditions=["audio", "beep"], run="runs/mine")
    """
    path = Path(plugin)
    if path.suffix != ".py":
        _load_installed(str(plugin))
        return
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"plugin {plugin}: there is no such file") from None
    except OSError as error:
        raise UsageError(f"plugin {plugin}: it cannot be read ({one_line(error)})") from error
    _load_file(path, source)


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
    with _one_line(f"plugin {path}", name):
        run_code(compile(source, place, "exec"), name, path.resolve())
    if not set(others_parts()) - held:
        raise AudiocontribError(f"plugin {path}: it registers nothing: no condition, rule, format, data set or prompt")
    _loaded[place] = name


def _load_installed(name: str) -> None:
    if name in _loaded:
        return
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        there = ", ".join(installed_plugins()) or "none"
        raise UsageError(f"plugin {name!r}: it is no Python file, and no installed plugin; those installed: {there}")
    with _one_line(f"plugin {name} ({found[0].value})", found[0].module):
        found[0].load()
    _loaded[name] = found[0].module


@contextmanager
def _one_line(who: str, module: str) -> Iterator[None]:
    """Run somebody's code: whatever it raises is one line, nothing that it registered stays, it prints to stderr."""
    try:
        with redirect_stdout(sys.stderr):  # stdout is for tables, which others read
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a file may raise, SystemExit too
        forget(module)
        sys.modules.pop(module, None)
        raise AudiocontribError(f"{who}: {code_place(error)}{one_line(error)}") from error
