"""A registry: a dictionary that is filled by a decorator and searched with helpful errors."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from audiocontrib.errors import UsageError

T = TypeVar("T")
U = TypeVar("U")

_registries: list[Registry[Any]] = []


@dataclass(frozen=True, slots=True)
class Registered:
    """A thing that is none of this package's own, and the code that registered it."""

    noun: str
    name: str
    module: str
    place: str
    """File and line: ``mine.py:8``."""


class Registry(dict[str, T]):
    """Names to things of one kind. ``noun`` is what the things are called in messages.

    Example:
        >>> RULES: Registry[Callable] = Registry("split rule")
        >>> @RULES.register("votes")
        ... def votes(): ...
    """

    def __init__(self, noun: str) -> None:
        super().__init__()
        self.noun = noun
        self.origins: dict[str, tuple[str, str]] = {}
        """Name -> module that registered it, and file and line there."""
        _registries.append(self)

    def register(self, name: str) -> Callable[[U], U]:
        """Decorator that files the decorated object under ``name``.

        Raises:
            UsageError: the name is taken. (In a notebook, a cell that is run again replaces what it made.)
        """

        def file(thing: U) -> U:
            module, place = _registering()
            known = self.origins.get(name, ("", ""))
            again = module == known[0] == "__main__" and hasattr(sys, "ps1")
            if name in self and not again:
                first = f" (first at {known[1]})" if known[1] else ""
                raise UsageError(f"{self.noun} {name!r} is registered twice{first}; choose another name")
            self[name] = thing  # type: ignore[assignment]
            self.origins[name] = module, place
            return thing

        return file

    def find(self, name: str) -> T:
        """The thing called ``name``; a UsageError that lists near or all names if there is none."""
        try:
            return self[name]
        except (KeyError, TypeError):  # TypeError: what is given is no text at all
            near = difflib.get_close_matches(str(name), self, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(self))}"
            raise UsageError(f"no {self.noun} is called {name!r}; {hint}") from None


def others_parts() -> Iterator[Registered]:
    """All that code outside this package has registered."""
    for registry in _registries:
        for name, (module, place) in registry.origins.items():
            if name in registry and module.partition(".")[0] != "audiocontrib":
                yield Registered(registry.noun, name, module, place)


def is_others(thing: Any) -> bool:
    """Whether a class, a function or a value of a class is none of this package's own."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return str(module).partition(".")[0] != "audiocontrib"


def forget(module: str) -> None:
    """Take out what a module has registered: it is loaded anew, or failed half-way."""
    for registry in _registries:
        for name in [name for name, (origin, _) in registry.origins.items() if origin == module]:
            registry.pop(name, None)
            del registry.origins[name]


def _registering() -> tuple[str, str]:
    """The module whose top level is running, and file and line there; empty if none is."""
    frame = sys._getframe(2)
    while frame.f_code.co_name != "<module>":
        if frame.f_back is None:
            return "", ""
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")), f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
