"""Models of the user's own: a class, an object or a plain function, passed from Python or named in a file.

A file is code. It is loaded where the user names it (:func:`audiocontrib.load_model`, ``--model``), and never because
a run, a recipe or a data set does.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audiocontrib.deprecation import renamed
from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.models.check import check_signature
from audiocontrib.models.source_code import own_place, source_hash

Answer = Callable[[str, NDArray[np.float32] | None], str]
"""``prompt, audio -> reply``: the user's turn as text; float32 samples at 16 kHz, or None; the reply as text."""
IN_FILE = re.compile(r"(?P<file>([A-Za-z]:)?[^:]+\.py):(?P<name>[^/\\:]*)")
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
WAYS = "a subclass of audiocontrib.models.Model, an object of one, or a function (prompt, audio)"


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


class FunctionModel(Model):
    """A plain function ``prompt, audio -> reply`` as a model, which is asked by generate only.

    Args:
        answer: gets the text of the user's turn (question, options and how to answer; not the system turn) and a copy
            of the samples. No bound on the reply's length is passed on.
        name: in the run; the function's own if none is given.
    """

    capabilities = frozenset({"audio", "generate"})

    def __init__(self, answer: Answer, name: str | None = None) -> None:
        self._answer, self._called, self._sha256 = answer, name or "", None
        if isinstance(answer, FunctionType):
            self._called, self._sha256 = answer.__qualname__, source_hash(answer)
        self.name = name or self._called.rpartition(".")[2]
        if not self.name.isidentifier():
            raise UsageError(f"{answer!r:.60} has no name under which answers can be stored; write it as def NAME(…)")
        check_signature(answer, ("", None), "prompt, audio", f"the function {self.name}")

    def fingerprint(self) -> dict[str, Any]:
        """The function's name and the hash of its source; UsageError if that cannot be read."""
        told = {"class": "function", "function": self._called}
        if self.file_sha256:
            return told
        if self._sha256 is None:
            raise UsageError(f"{self.name}: the source of the function cannot be read; put it into a file")
        return told | {"source_sha256": self._sha256}

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated | Exception]:
        """The function's replies, one call for each request; an error is that request's alone."""
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> Generated | Exception:
        try:
            audio = request.sound.samples.copy() if request.sound else None  # its own: others hear the same samples
            return Generated(self._answer(request.prompt.user, audio))
        except Exception as error:
            return error


@runtime_checkable
class Unbased(Protocol):
    """What a model was before there was the base class."""

    name: str
    capabilities: frozenset[str]
    max_seconds: float | None

    def fingerprint(self) -> dict[str, Any]:
        """See :class:`Model`."""

    def likelihood(self, requests: Sequence[Request]) -> Sequence[Scored | Exception]:
        """See :class:`Model`."""

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated | Exception]:
        """See :class:`Model`."""


class Based(Model):
    """A model without the base class, taken for two more releases."""

    def __init__(self, held: Unbased) -> None:
        self._held = held
        self.name, self.capabilities, self.max_seconds = held.name, held.capabilities, held.max_seconds

    def fingerprint(self) -> dict[str, Any]:
        """See :class:`Model`."""
        return self._held.fingerprint()

    def likelihood(self, requests: Sequence[Request]) -> Sequence[Scored | Exception]:
        """See :class:`Model`."""
        return self._held.likelihood(requests)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated | Exception]:
        """See :class:`Model`."""
        return self._held.generate(requests, max_new_tokens)


def as_model(thing: object) -> Model:
    """What was passed as a model, as one. UsageError if it is none."""
    if isinstance(thing, Model):
        return thing
    if isinstance(thing, FunctionType):
        return FunctionModel(thing)
    if isinstance(thing, type):
        made = f"give an object of it, {thing.__name__}()" if issubclass(thing, Model) else f"a model is {WAYS}"
        raise UsageError(f"{thing.__name__} is a class; {made}")
    if isinstance(thing, Unbased):
        kind = type(thing).__name__
        renamed(f"a model without a base class (class {kind})", f"class {kind}(audiocontrib.models.Model)", gone="0.4")
        return Based(thing)
    raise UsageError(f"{thing!r:.80} is no model; a model is a name, {WAYS}")


def load_own(model: str) -> Model:
    """The model that ``FILE.py:NAME`` names; the file is run.

    Raises:
        UsageError: there is no such file or name, it is no model, or its own code fails; with file and line.
    """
    found = IN_FILE.fullmatch(model)
    path, name = (Path(found["file"]), found["name"]) if found else (Path(model), "")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"model {model}: {path} cannot be read: {error.strerror or one_line(error)}") from error
    where = path.resolve()
    try:
        tree = ast.parse(source, str(where))
        lines = {node.name: node.lineno for node in tree.body if isinstance(node, DEFINITIONS)}
        if not name:
            raise UsageError(f"{path}: name its class or function after a colon; {_there(name, lines)}")
        held = _run(where, compile(tree, str(where), "exec"))
    except AudiocontribError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{_place(error) or path}: the file cannot be loaded: {_said(error)}") from error
    if name not in held:
        objects = [key for key, value in held.items() if isinstance(value, Model)]
        raise UsageError(f"{path}: it has no {name!r}; {_there(name, [*lines, *objects])}")
    made = _made(held[name], name, f"{path}:{lines[name]}" if name in lines else str(path))
    object.__setattr__(made, "file_sha256", hashlib.sha256(source).hexdigest())
    return made


def _made(thing: Any, name: str, line: str) -> Model:
    if isinstance(thing, Model):
        return thing
    if isinstance(thing, type):
        if not issubclass(thing, Model) or thing is Model:
            raise UsageError(f"{line}: the class {name} is no subclass of audiocontrib.models.Model")
        return _built(thing, name, line)
    if not callable(thing):
        raise UsageError(f"{line}: {name} is {thing!r:.40}; a model is {WAYS}")
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
        raise UsageError(f"{_place(error) or line}: {name}() fails: {one_line(error)}") from error


def _run(where: Path, code: CodeType) -> dict[str, Any]:
    """The names that a file's code makes. Its folder can be imported from."""
    name = f"own_{where.stem}_{hashlib.sha256(str(where).encode()).hexdigest()[:8]}"
    module = ModuleType(name)
    module.__file__ = str(where)
    if str(where.parent) not in sys.path:
        sys.path.append(str(where.parent))  # last: a file there hides no library
    sys.modules[name] = module  # dataclasses and pickle look there
    try:
        exec(code, vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return vars(module)


def _place(error: BaseException) -> str:
    """File and line of the user's code that an error comes from; empty if it names none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    return own_place(error)


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "it ends the program; put what it does when it is run under: if __name__ == '__main__'"
    return f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else one_line(error)


def _there(name: str, held: Iterable[str]) -> str:
    """Which names a file has, or the one that is near."""
    public = [one for one in held if not one.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(public) or 'none'}"
