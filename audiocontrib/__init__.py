"""audiocontrib: did the model have to listen?

The public names load on first use, so that importing the package is quick and needs no torch.

Example:
    >>> import audiocontrib as ac
    >>> items = ac.load_items("demo", seed=0, limit=200)
    >>> run = ac.score(items, ["tiny-qwen2.5-omni"], conditions=["audio", "silence", "text"], run="runs/first")
    >>> run.query("select condition, avg(correct::int) from responses group by 1")
    >>> ac.split(run, rule="votes", threshold=0.5).table
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Item": "audiocontrib.items",
    "Items": "audiocontrib.items",
    "load_items": "audiocontrib.sources",
    "Clip": "audiocontrib.items",
    "condition": "audiocontrib.conditions",
    "load_model": "audiocontrib.models",
    "load_plugin": "audiocontrib.plugins",
    "score": "audiocontrib.scoring",
    "Run": "audiocontrib.store",
    "open_run": "audiocontrib.store",
    "contributions": "audiocontrib.contribution",
    "accuracy": "audiocontrib.contribution",
    "measure": "audiocontrib.contribution.measure",
    "split": "audiocontrib.splits",
    "import_responses": "audiocontrib.importing",
    "reread": "audiocontrib.reread",
    "validate": "audiocontrib.validation",
}
_MODULES = ("answers", "statistics")

__all__ = [*sorted(_HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _MODULES:
        return import_module(f"audiocontrib.{name}")
    raise AttributeError(f"module 'audiocontrib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
