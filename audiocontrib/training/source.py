"""Source: where the rows of a training come from, for its model card."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from audiocontrib.store import Run
from audiocontrib.store.again import asked_of, asking, splitting

OF_DATA = ("name", "hub", "revision", "seed", "limit")
OF_SPLIT = ("rule", "threshold", "condition", "method", "models")


def source(run: Run, split: Path | None, part: str) -> dict[str, Any]:
    """The data set, the split and its part, and the commands that make them, as plain values.

    Args:
        split: the split's folder; one that is not in the run says how it was made, but not by which command.
    """
    manifest = run.manifest
    data = {**manifest.get("identity", {}).get("dataset", {}), **(manifest.get("origin") or {})}
    told: dict[str, Any] = {"data": {key: data[key] for key in OF_DATA if data.get(key) is not None}, "part": part,
                            "run": str(run.path), "split": None, "commands": list(asking(run))}  # fmt: skip
    if split is None:
        return told
    inside = split.resolve().parent == (run.path / "splits").resolve()
    told["split"] = split.name if inside else str(split)
    with suppress(OSError, ValueError):  # a split of the user's own may say nothing of itself
        asked = asked_of(json.loads((split / "settings.json").read_text(encoding="utf-8")))
        told["rule"] = {key: asked[key] for key in OF_SPLIT if asked.get(key) is not None}
        if inside and "rule" in asked:
            told["commands"] += splitting(run, split.name, asked)
    return told
