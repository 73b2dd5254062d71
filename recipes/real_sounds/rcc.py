"""Qt resource bundles (.rcc): the files inside, without Qt.

Format: qtbase, src/tools/rcc/rcc.cpp. All numbers are big-endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

COMPRESSED, FOLDER = 1, 2


def files(bundle: bytes) -> dict[str, bytes]:
    """Path inside the bundle -> content.

    Raises:
        ValueError: it is no bundle, or a file in it is packed in another way than zlib's.
    """
    if bundle[:4] != b"qres":
        raise ValueError("it is no Qt resource bundle")
    version, tree, data, names = struct.unpack_from(">4I", bundle, 4)
    width = 14 if version == 1 else 22  # later versions hold the time of change of each file

    def walk(number: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = tree + number * width
        name, flags = struct.unpack_from(">IH", bundle, at)
        path = folder + _name(bundle, names + name) if number else ""  # the root's name is nothing
        if flags & FOLDER:
            count, first = struct.unpack_from(">2I", bundle, at + 6)
            for child in range(first, first + count):
                yield from walk(child, path + "/" if path else "")
        else:
            (start,) = struct.unpack_from(">I", bundle, at + 10)
            yield path, _content(bundle, data + start, flags)

    return dict(walk(0, ""))


def _name(bundle: bytes, at: int) -> str:
    (length,) = struct.unpack_from(">H", bundle, at)
    return bundle[at + 6 : at + 6 + 2 * length].decode("utf-16-be")


def _content(bundle: bytes, at: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", bundle, at)
    held = bundle[at + 4 : at + 4 + length]
    if flags & ~(COMPRESSED | FOLDER):
        raise ValueError("a file in the bundle is not packed by zlib")
    return zlib.decompress(held[4:]) if flags & COMPRESSED else held
