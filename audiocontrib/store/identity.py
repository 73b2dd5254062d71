"""What fixes the answers of a run: two manifests are merged where that can mix nothing, else told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError

GROWING = ("models", "conditions")
"""Parts of the identity that may gain members; a member that is there stays as it is."""
SHOWN_CHANGES, SHOWN_CHARACTERS = 20, 48


def merge_manifests(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The manifest of a run that goes on under ``new``, and what forbids it (one text per change).

    ``identity`` is compared. The rest describes the latest start; what it was before is kept in ``earlier``.
    """
    was: dict[str, object] = old["identity"]
    now: dict[str, object] = new["identity"]
    identity, changes = dict(was), list[str]()
    for name in dict.fromkeys([*was, *now]):
        if name in GROWING and name in was and name in now:
            identity[name], forbidden = _grow(was[name], now[name], name)
            changes += forbidden
        else:
            changes += differences(was.get(name), now.get(name), name)
    earlier = [facts for facts in (*old.get("earlier", ()), _facts(old)) if facts != _facts(new)]
    merged = {"identity": identity, **_facts(new)}
    if "created_at" in old:
        merged["created_at"] = old["created_at"]
    if earlier:
        merged["earlier"] = earlier
    return merged, changes


def differences(old: object, new: object, path: str) -> list[str]:
    """One text per leaf that differs, as ``dotted.path: old -> new``."""
    if old == new:
        return []
    if not all(value is None or isinstance(value, Mapping) for value in (old, new)):
        return [f"{path}: {' -> '.join(_shown(old, new))}"]
    was, now = _members(old), _members(new)
    names = dict.fromkeys([*was, *now])
    return [text for n in names for text in differences(was.get(n), now.get(n), f"{path}.{n}")]


def _members(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def refuse(run: Path, changes: list[str]) -> AudiocontribError:
    """The error for a run that was asked otherwise: a headline, then what changed, one line each."""
    more = len(changes) - SHOWN_CHANGES
    lines = [
        f"{run} was asked otherwise, and answers are never mixed: name another run, or go back to the old setting",
        *changes[:SHOWN_CHANGES],
        *([f"and {more} more"] if more > 0 else []),
    ]
    return AudiocontribError("\n  ".join(lines))


def _grow(old: object, new: object, path: str) -> tuple[object, list[str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        both = [name for name in new if name in old]
        return {**old, **new}, [c for n in both for c in differences(old[n], new[n], f"{path}.{n}")]
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *(member for member in new if member not in old)], []
    return old, differences(old, new, path)


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in manifest.items() if k not in ("identity", "created_at", "earlier", "format", "reader")}


def _shown(old: object, new: object) -> Iterator[str]:
    texts = ["(none)" if value is None else repr(value) for value in (old, new)]
    if isinstance(old, str) and isinstance(new, str):
        texts = [text[1:-1] for text in texts]  # line breaks stay escaped: a change is one line
    # long texts (chat templates) are shown from shortly before the place where they part
    same = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, same - SHOWN_CHARACTERS // 2) if same > SHOWN_CHARACTERS // 2 else 0
    for text in texts:
        part = text[start : start + SHOWN_CHARACTERS]
        yield ("…" if start else "") + part + ("…" if start + SHOWN_CHARACTERS < len(text) else "")
