"""JSON files of a run: each object holds a hash of all else in it, as the key ``sha256``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from audiocontrib.store.damage import check_regular, damaged, unreadable

KEY = "sha256"
"""Where the hash of an object stands."""
_KINDS = {"dict": "an object", "list": "a list", "str": "a text", "int": "a number", "float": "a number",
          "bool": "true or false", "NoneType": "null"}  # fmt: skip


def sealed_json(value: Any) -> bytes:
    """JSON with its seal: an object gets the key ``sha256``, and so does each object of a list."""
    plain = json.loads(json.dumps(value))
    sealed = [_sealed(one) for one in plain] if isinstance(plain, list) else _sealed(plain)
    return json.dumps(sealed, indent=2, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def read_sealed(path: Path, kind: type) -> Any:
    """What a JSON file holds, without its seal.

    Raises:
        FileNotFoundError: there is none.
        DamagedFile: it is no JSON of that kind (``dict`` or ``list``), or its seal is another's.
        AudiocontribError: it may not be read.
    """
    try:
        check_regular(path)
        held = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (ValueError, OSError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not isinstance(held, kind):
        raise damaged(path, f"it holds {_KINDS.get(type(held).__name__, 'a value')}, not {_KINDS[kind.__name__]}")
    for one in held if isinstance(held, list) else [held]:
        if isinstance(one, dict) and not _unseal(one):
            raise damaged(path, f"its content is not what was written; if you changed it, delete its {KEY!r}")
    return held


def sealed_line(value: dict[str, Any]) -> bytes:
    """An object of plain JSON values with its seal, as one line."""
    return json.dumps(_sealed(value), ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def read_line(line: bytes) -> dict[str, Any] | None:
    """The object of a line, without its seal; None if it is not what was written."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) and KEY in held and _unseal(held) else None


def is_sealed(path: Path) -> bool:
    """Whether a whole JSON file has its seal, in each of its objects."""
    held = json.loads(path.read_text(encoding="utf-8"))
    return all(KEY in one for one in (held if isinstance(held, list) else [held]) if isinstance(one, dict))


def _sealed(value: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(value, sort_keys=True)
    return value | {KEY: hashlib.sha256(text.encode()).hexdigest()}


def _unseal(value: dict[str, Any]) -> bool:
    """Take the seal out of an object, also where a bit of the seal's own name has flipped. False: it is another's."""
    hashes = [name for name, one in value.items() if isinstance(one, str) and len(one) == 64]
    for name in [KEY] if KEY in value else hashes:
        rest = {key: one for key, one in value.items() if key != name}
        if _sealed(rest)[KEY] == value[name]:
            del value[name]
            return True
    return KEY not in value
