"""What is passed from Python in the place of a model: a plain function, or an object without the base class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from audiocontrib.deprecation import renamed
from audiocontrib.errors import UsageError
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.models.check import check_signature, shown
from audiocontrib.models.source_code import source_hash

ReplyFunction = Callable[[str, NDArray[np.float32] | None], str]
"""``prompt, audio -> reply``: the user's turn as text; float32 samples at 16 kHz, or None; the reply as text."""
WAYS = "a subclass of audiocontrib.models.Model, an object of one, or a function (prompt, audio)"


class FunctionModel(Model):
    """A plain function ``prompt, audio -> reply`` as a model, which is asked by generate only.

    Args:
        answer: gets the text of the user's turn (question, options and how to answer; not the system turn) and a copy
            of the samples. No bound on the reply's length is passed on.
        name: in the run; the function's own if none is given.
    """

    capabilities = frozenset({"audio", "generate"})

    def __init__(self, answer: ReplyFunction, name: str | None = None) -> None:
        self._answer, self._called, self._source = answer, name or "", (None,)
        if isinstance(answer, FunctionType):
            self._called, self._source = answer.__qualname__, (source_hash(answer),)
        self.name = name or self._called.rpartition(".")[2]
        if not self.name.isidentifier():
            raise UsageError(f"{shown(answer)} has no name under which answers can be stored; write it as def NAME(…)")
        check_signature(answer, ("", None), "prompt, audio", f"the function {self.name}")

    def fingerprint(self) -> dict[str, Any]:
        """The function's name and the hash of its source; UsageError if that cannot be read."""
        told = {"class": "function", "function": self._called}
        if self.file_sha256:
            return told
        if None in self._source:
            raise UsageError(f"{self.name}: the source of the function cannot be read; put it into a file")
        return told | {"source_sha256": list(self._source)}

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
        self._held, self._source = held, (None,)
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
    raise UsageError(f"{shown(thing)} is no model; a model is a name, {WAYS}")
