"""A registry: a dictionary that is filled by a decorator and searched with helpful errors."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TypeVar

from audiocontrib.errors import UsageError

T = TypeVar("T")
U = TypeVar("U")


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

    def register(self, name: str) -> Callable[[U], U]:
        """Decorator that files the decorated object under ``name``; a name is used once."""

        def file(thing: U) -> U:
            if name in self:
                raise ValueError(f"{self.noun} {name!r} is registered twice")
            self[name] = thing  # type: ignore[assignment]
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
