"""audiocontrib: did the model have to listen?

What is public is listed in ``__init__.pyi``, and described in docs/reference/python.md. Names load on first use, so
that importing the package is quick and needs no torch.

Example:
    >>> import audiocontrib as ac
    >>> items = ac.load_items("demo", seed=0, limit=200)
    >>> run = ac.score(items, "tiny-qwen2.5-omni", conditions=["audio", "silence", "text"], run="runs/first")
    >>> ac.accuracy(run)
    >>> ac.split(run, rule="votes", threshold=0.5)
"""

from __future__ import annotations

import difflib
import sys
from types import ModuleType
from typing import Any

import lazy_loader

_attribute, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    try:
        return _attribute(name)
    except AttributeError:
        if name in __all__:
            raise  # what it is made of is at fault
        near = difflib.get_close_matches(name, __all__, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"{__name__!r} has no attribute {name!r}{hint}", name=name) from None


class _Face(ModuleType):
    """Functions stay what they are: to import ``audiocontrib.report`` would put that module in their place."""

    _FUNCTIONS = ("audit", "demo", "doctor", "export", "judge", "report", "reread", "weak_to_strong")

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in self._FUNCTIONS):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face

if "IPython" in sys.modules:
    from audiocontrib.notebook import show_arrow_tables

    show_arrow_tables()
