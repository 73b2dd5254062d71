"""Modules that take seconds to import: imported when a test first uses them, so that tests are collected quickly."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(import_module(self._name), attribute, value)

    def __delattr__(self, attribute: str) -> None:
        delattr(import_module(self._name), attribute)


def lazy(name: str) -> Any:
    """The module of that name, at first use.

    Example:
        >>> torch = lazy("torch")
    """
    return Lazy(name)
