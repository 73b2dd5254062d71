"""Keys that a JSON object holds twice: decoders keep the last and say nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PAIRS = json.JSONDecoder(object_pairs_hook=lambda pairs: _unique(pairs))
_SPACED = re.compile(r'"\s+:')


def repeated_key(value: Mapping[str, Any], text: str) -> str:
    """A key that is twice in an object's JSON text, or in one within it; "" if none is. Decoders keep the last.

    Keys are followed by colons, so the number of these tells it quickly for most texts: where it is that of the
    outer object's keys, none is there twice, and no object within has any.
    """
    colons = text.count('":')
    if (colons == len(value) or colons == _keys(value)) and not ('" ' in text and _SPACED.search(text)):
        return ""
    try:
        _PAIRS.raw_decode(text)
    except _Repeated as error:
        return str(error)
    except (ValueError, RecursionError):
        return ""  # told by who decoded it
    return ""


class _Repeated(Exception):
    """A key that is there twice."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise _Repeated(next(name for name in names if names.count(name) > 1))


def _keys(value: Any) -> int:
    """Keys of all the objects in a value."""
    if type(value) is dict:  # decoders make no others
        held, keys = list(value.values()), len(value)
    elif type(value) is list:
        held, keys = value, 0
    else:
        return 0
    for one in held:
        if type(one) is dict or type(one) is list:
            keys += _keys(one)
    return keys
