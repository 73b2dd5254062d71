"""What tells one piece of code of the user's own from another: hashes of its source, and what it was given."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import sysconfig
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

PACKAGE = Path(__file__).parent.parent
LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def source_hashes(cls: type, below: type) -> tuple[str | None, ...]:
    """SHA-256 of the source of a class and of its bases below ``below``, this package's left out.

    A class in a file has that of the whole file, one of a notebook that of its methods; None: it cannot be read.
    """
    own = [one for one in cls.__mro__ if issubclass(one, below) and one is not below]
    return tuple(source_hash(one) for one in own if not one.__module__.startswith("audiocontrib."))


def source_hash(thing: type | FunctionType) -> str | None:
    """SHA-256 of the file that holds a class or function; without a file, of its own text; None: neither is there."""
    file = getattr(sys.modules.get(thing.__module__ or ""), "__file__", None)
    try:
        if file:
            return hashlib.sha256(Path(file).read_bytes()).hexdigest()
        held = [thing] if isinstance(thing, FunctionType) else vars(thing).values()
        texts = [inspect.getsource(one) for one in held if isinstance(one, FunctionType)]
    except Exception:  # whatever the look-up stumbles over: typed in, made by exec, a file that is gone
        return None
    return hashlib.sha256("".join(texts).encode()).hexdigest() if texts else None


def simple_arguments(args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments as JSON values, paths as text; None if one of them is something else."""
    held = {**{str(place): value for place, value in enumerate(args)}, **keywords}
    try:
        made: dict[str, Any] = json.loads(json.dumps(held, default=_path))
    except (TypeError, ValueError, RecursionError):
        return None
    return made


def own_place(error: BaseException) -> str:
    """``my.py:12``: the last line of the user's own code that an error went through; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((str(PACKAGE), *LIBRARIES, "<"))]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def _path(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError
