"""Small manifests for the tests of sources, and what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audiocontrib.items import Items


def row(number: int, **changes: Any) -> dict[str, Any]:
    fields = {
        "id": f"q{number}",
        "question": f"Which sound is it, no. {number}?",
        "choices": ["dog", "cat", "cow"],
        "answer": "cat",
        "audio_path": f"clips/{number}.wav",
        "level": "easy",
    }
    return fields | changes


ROWS = [row(n) for n in (1, 2, 3)]


def lines(*rows: Any) -> str:
    return "".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def ids(items: Items) -> list[str]:
    return [item.id.split("/")[1] for item in items]


def quarantined(items: Items) -> list[tuple[int | None, str]]:
    return [(bad.line, bad.field) for bad in items.quarantined]
