"""Hashes that are the same on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def stable_hash(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """SHA-256 (hex) of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()  # half a pair: a name that is no UTF-8


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seeded(*parts: Any) -> np.random.Generator:
    """A random generator whose stream is fixed by the parts (a seed, an item id, a purpose)."""
    return np.random.Generator(np.random.PCG64(int(stable_hash([str(p) for p in parts])[:32], 16)))
