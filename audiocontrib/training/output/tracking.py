"""``tracking.json``: by what trackers know a training, so that a resume is the same run there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from audiocontrib.store.files import replacing
from audiocontrib.training.output.folder import TRACKING


def kept_ids(out: Path) -> dict[str, str]:
    """By what the trackers know this training; kept, so that a resume is the same run there."""
    try:
        held = json.loads((out / TRACKING).read_text(encoding="utf-8"))
        if isinstance(held, dict) and isinstance(held.get("id"), str) and held["id"].isalnum():
            return {str(key): str(value) for key, value in held.items()}
    except (OSError, ValueError):
        pass
    made = {"id": secrets.token_hex(6)}
    keep_ids(out, made)
    return made


def keep_ids(out: Path, ids: Mapping[str, str]) -> None:
    """Keep them, with one more perhaps."""
    with replacing(out / TRACKING) as file:
        file.write(json.dumps(ids).encode())
