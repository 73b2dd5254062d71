"""Modules that take seconds to import: imported when a test first uses them, so that tests are collected quickly."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest


class Lazy:
    """Stands for a module."""

    __slots__ = ("_name",)  # and no dictionary of its own: pytest puts back what it finds in the module's

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, attribute: str) -> Any:
        named = attribute in ("__all__", "__version__") or not attribute.startswith("_")
        if not named and self._name not in sys.modules:
            raise AttributeError(attribute)  # pytest asks each name of a file for such while it collects
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


def needs(package: str) -> pytest.MarkDecorator:
    """Skips tests where a package is not installed, without importing it."""
    return pytest.mark.skipif(find_spec(package) is None, reason=f"the package {package} is not installed")
