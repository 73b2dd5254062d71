"""What fixes the answers of a run: two manifests are merged where that can mix nothing, else told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.store.own import MARK

GROWING = ("models", "conditions")
"""Parts of the identity that may gain members; a member that is there stays as it is."""
ADDED_LATER = frozenset({"answers_as", "chat_style", "files", "template_date"})
"""Parts of a model's fingerprint that older programs did not keep."""
ACCEPT = "if it is the same checkpoint, accept that"
"""How a change ends that is only what an older program did not keep."""
NO_FACTS = ("identity", "created_at", "earlier", "format", "reader", MARK)
"""Keys of run.json that do not describe a start."""
SHOWN_CHANGES, SHOWN_CHARACTERS = 20, 48


def merge_manifests(
    old: Mapping[str, Any], new: Mapping[str, Any], *, accept_identity: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """The manifest of a run that goes on under ``new``, and what forbids it (one text per change).

    ``identity`` is compared. The rest describes the latest start; what it was before is kept in ``earlier``.

    Args:
        accept_identity: whether a model of which an older program kept less is taken for the same, if that much is.
    """
    was: dict[str, object] = old["identity"]
    now: dict[str, object] = new["identity"]
    identity, changes = dict(was), list[str]()
    for name in dict.fromkeys([*was, *now]):
        if name in GROWING and name in was and name in now:
            identity[name], forbidden = _grow(was[name], now[name], name, accept_identity)
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
    older = all(change.endswith(ACCEPT) for change in changes)
    return AudiocontribError("\n  ".join(lines), argument="accept_identity" if older else None)


def _grow(old: object, new: object, path: str, accept_identity: bool) -> tuple[object, list[str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        changes = list[str]()
        for name in (name for name in new if name in old):
            was, now = old[name], new[name]
            later = _added_later(was, now)
            found = differences(was, _without(now, later), f"{path}.{name}")
            if later and not found and not accept_identity:
                found = [
                    f"{path}.{name}: this run was begun by an older program, which kept nothing of its "
                    f"{', '.join(sorted(later))}; {ACCEPT}"
                ]
            changes += found
        return {**old, **new}, changes
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *(member for member in new if member not in old)], []
    return old, differences(old, new, path)


def _added_later(was: object, now: object) -> frozenset[str]:
    """What a model's fingerprint has today and could not have then."""
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return frozenset()
    return frozenset(now) & ADDED_LATER - frozenset(was)


def _without(value: object, names: frozenset[str]) -> object:
    return {k: v for k, v in value.items() if k not in names} if isinstance(value, Mapping) and names else value


def _facts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in manifest.items() if k not in NO_FACTS}


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
