"""The cell of a row that names or carries a recording, as a Clip."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from audiocontrib.audio import Clip, wav_bytes
from audiocontrib.errors import BadAudio, BadItem

AUDIO = {
    "wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "mp4", "aac", "webm", "mka", "wma", "amr", "aif", "aiff", "au",
}  # fmt: skip
"""Endings of the names of recordings."""
_SHORTEST = re.compile(r"(?:[^./\0][^/\0]*/)*[^./\0][^/\0]*")
"""A path in its shortest form, within a folder; others are looked at part by part."""
_IN_TABLE = re.compile(r"\.(parquet|arrow)/\d+/")


def is_audio_name(cell: Any) -> bool:
    """Whether a text is called as recordings are, or leads to a cell of a table."""
    return isinstance(cell, str) and (cell.rpartition(".")[2].lower() in AUDIO or bool(_IN_TABLE.search(cell)))


def clip_of(audio: Any, root: str | None) -> Clip | None:
    """The clip that a row names or carries; its path in shortest form, relative to the root.

    Args:
        audio: a path; the bytes of a file; or a mapping with ``bytes`` or ``path``, or with ``array`` (see
            :func:`audiocontrib.audio.wav_bytes`) and ``sampling_rate``. None: the set has no audio.
        root: absolute folder that paths are relative to.

    Raises:
        BadItem: it is empty, or the path leaves the root or is the root. The letters of the path decide:
            whether the file is there, and where symbolic links lead, is seen when it is decoded.
    """
    if audio is None:
        return None
    if type(audio) is str and audio:  # nearly every row
        return Clip(path=_inside(audio, root), root=root)
    data, path = None, audio
    if isinstance(audio, Mapping) and "array" in audio:
        data, path = _wav(audio), None
    elif isinstance(audio, Mapping) and audio.keys() & {"bytes", "path"}:
        data, path = audio.get("bytes"), audio.get("path")
    elif isinstance(audio, bytes | bytearray | memoryview):
        data, path = bytes(audio), None
    if data is not None:
        if not isinstance(data, bytes | bytearray | memoryview) or not len(data):
            raise BadItem("audio", "is empty" if not data else f"its bytes are a {type(data).__name__}")
        return Clip(path=None if path is None else str(path), data=bytes(data))
    if hasattr(audio, "get_all_samples"):
        raise BadItem("audio", "is a decoder: read the column with Audio(decode=False)")
    if hasattr(audio, "shape"):
        raise BadItem("audio", 'is an array without its rate: write {"array": samples, "sampling_rate": hertz}')
    if isinstance(path, PurePath):
        path = str(path)
    if path is None or path == "":
        raise BadItem("audio", "is empty")
    if not isinstance(path, str):
        raise BadItem("audio", f"is a {type(audio).__name__}, neither a path nor the bytes of a file")
    return Clip(path=_inside(path, root), root=root)


def _inside(path: str, root: str | None) -> str:
    if _SHORTEST.fullmatch(path):  # nearly every row
        return path
    if "://" in path:
        raise BadItem("audio", f"{path!r} is an address on the network: download the file, and name its path")
    short = posixpath.normpath(path)
    if posixpath.isabs(short) and root:
        short = os.path.relpath(short, root)
    if posixpath.isabs(short) or short.split("/")[0] in ("..", ".") or "\0" in short:
        raise BadItem("audio", f"{path!r} is not inside the audio folder {root or '(none is given)'}")
    return short


def _wav(audio: Mapping[str, Any]) -> bytes:
    rate = audio.get("sampling_rate")
    if rate is None:
        raise BadItem("audio", 'is an array without its rate: write {"array": samples, "sampling_rate": hertz}')
    try:
        return wav_bytes(audio["array"], rate)
    except BadAudio as error:
        raise BadItem("audio", str(error)) from error
