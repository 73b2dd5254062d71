"""Recipes: a split written down as YAML, so that it can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.splits.settings import fits, in_words

FIELDS = {
    "rule": str,
    "threshold": float,
    "condition": str,
    "audio": str,
    "method": str,
    "models": str | Sequence[str],
    "leave_out": str | Sequence[str],
    "settings": dict,
}
"""What a recipe can hold, and of which type."""


def read_split_recipe(path: str | Path) -> dict[str, Any]:
    """The arguments of :func:`audiocontrib.splits.split` that a recipe holds.

    Args:
        path: YAML with any of FIELDS; ``settings`` are those of the rule. A field without a value is as if it
            were not there.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    import yaml

    try:
        held = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the recipe cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(held, dict) or (unknown := [key for key in held if key not in FIELDS]):
        what = f"it has no field {unknown[0]!r}; " if isinstance(held, dict) else ""
        raise UsageError(f"{path}: {what}a recipe of a split holds any of: {', '.join(FIELDS)}")
    held = {key: value for key, value in held.items() if value is not None}
    settings = held.pop("settings", {})
    for key, value in held.items():
        if not fits(value, FIELDS[key]):
            raise UsageError(f"{path}: {key} is {value!r}, but must be {in_words(FIELDS[key])}")
    if not isinstance(settings, dict) or settings.keys() & FIELDS.keys():
        raise UsageError(f"{path}: settings: it is a list of names and values, the settings of the rule")
    return held | settings
