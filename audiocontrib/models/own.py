"""Models of the user's own that a text names, as ``my.py:Class``: a class, an object or a function in a file.

A file is code. It is loaded where the user names it (:func:`audiocontrib.load_model`, ``--model``), and never because
a run, a recipe or a data set does.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.models.base import Model
from audiocontrib.models.check import shown
from audiocontrib.models.wrapped import WAYS, FunctionModel
from audiocontrib.user_code import read_code, run_code

IN_FILE = re.compile(r"(?P<file>([A-Za-z]:)?[^:]+\.py):(?P<name>[^/\\:]*)")
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def is_own(model: str) -> bool:
    """Whether a model's name means code in a file, as ``my.py:Class`` does."""
    return bool(IN_FILE.fullmatch(model)) or (model.endswith(".py") and not Path(model).is_dir())


def refuse_own(models: Iterable[str], where: str) -> None:
    """UsageError if one of the models that a recipe or another file names is code.

    Args:
        where: what names them, for the message.
    """
    for model in models:
        if is_own(model):
            raise UsageError(
                f"{where} names the model {model}, which is code: it is only loaded when you name it yourself, and "
                "never because a file does; name a checkpoint or a known model there"
            )


def load_own(model: str) -> Model:
    """The model that ``FILE.py:NAME`` names; the file is run.

    Raises:
        UsageError: there is no such file or name, it is no model, or its own code fails; with file and line.
    """
    found = IN_FILE.fullmatch(model)
    path, name = (Path(found["file"]), found["name"]) if found else (Path(model), "")
    source = read_code(path, f"model {path}")
    lines = _definitions(source)
    if not name:
        raise UsageError(f"{path}: name its class or function after a colon; {_there(name, lines)}")
    held = vars(run_code(source, _module_name(path.resolve()), path.resolve(), f"model {path}"))
    if name not in held:
        objects = [key for key, value in held.items() if isinstance(value, Model)]
        raise UsageError(f"{path}: it has no {name!r}; {_there(name, [*lines, *objects])}")
    made = _made(held[name], name, f"{path}:{lines[name]}" if name in lines else str(path))
    object.__setattr__(made, "file_sha256", hashlib.sha256(source).hexdigest())
    return made


def _definitions(source: bytes) -> dict[str, int]:
    """The lines of a file's classes and functions; none where it is no Python, which running it will say."""
    try:
        tree = ast.parse(source)
    except Exception:  # besides SyntaxError: bytes that are no text, code that is nested too deeply
        return {}
    return {node.name: node.lineno for node in tree.body if isinstance(node, DEFINITIONS)}


def _made(thing: Any, name: str, line: str) -> Model:
    if isinstance(thing, Model):
        return thing
    if isinstance(thing, type):
        if not issubclass(thing, Model) or thing is Model:
            raise UsageError(f"{line}: the class {name} is no subclass of audiocontrib.models.Model")
        return _built(thing, name, line)
    if not callable(thing):
        raise UsageError(f"{line}: {name} is {shown(thing)}; a model is {WAYS}")
    try:
        return FunctionModel(thing, name)
    except UsageError as error:
        raise UsageError(f"{line}: {error}") from error


def _built(cls: type[Model], name: str, line: str) -> Model:
    _, *parameters = inspect.signature(cls.__init__).parameters.values()  # the first one is self
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if needed := [p.name for p in parameters if p.default is p.empty and p.kind not in optional]:
        raise UsageError(
            f"{line}: {name} needs {', '.join(needed)}, and is made without; give defaults, or write below it "
            f"mine = {name}(…), and name mine"
        )
    try:
        return cls()
    except AudiocontribError:
        raise
    except Exception as error:
        raise UsageError(f"{code_place(error) or f'{line}: '}{name}() fails: {one_line(error)}") from error


def _module_name(where: Path) -> str:
    return f"own_{where.stem}_{hashlib.sha256(str(where).encode()).hexdigest()[:8]}"


def _there(name: str, held: Iterable[str]) -> str:
    """Which names a file has, or the one that is near."""
    public = [one for one in held if not one.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(public) or 'none'}"
