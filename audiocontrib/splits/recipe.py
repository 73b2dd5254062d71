"""Recipes: a split written down as YAML, so that it can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError

FIELDS = ("rule", "threshold", "condition", "audio", "method", "models", "leave_out", "settings")


def read_recipe(path: str | Path) -> dict[str, Any]:
    """The arguments of :func:`audiocontrib.splits.split` that a recipe holds.

    Args:
        path: YAML with any of FIELDS; ``settings`` are those of the rule.

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
    settings = held.pop("settings", None) or {}
    if not isinstance(settings, dict) or settings.keys() & set(FIELDS):
        raise UsageError(f"{path}: settings: it is a list of names and values, the settings of the rule")
    return held | settings
