"""Where items come from: one module per data set, each filed in SOURCES when it is imported."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from audiocontrib.sources.base import SOURCES, Columns, Fields, LeftOut, Source, register_source
from audiocontrib.sources.columns import mapped
from audiocontrib.sources.load import load_items

__all__ = ["SOURCES", "Columns", "Fields", "LeftOut", "Source", "load_items", "mapped", "register_source"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
