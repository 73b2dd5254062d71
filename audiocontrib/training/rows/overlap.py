"""Recordings that two sets share, by their sound: whatever the files are called, and however they are packed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import schema_of, texts
from audiocontrib.audio import decode, stamp
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip, Items
from audiocontrib.store.files import write_table_atomic

BEGINNING = 0.5
"""Seconds that are decoded of every clip; all of it only where the beginnings of two are the same."""
AT_ONCE = 256
SOUND_SCHEMA = schema_of(clip=pa.string(), beginning=pa.string(), whole=pa.string())
"""What was found out about a clip; "" where it cannot be decoded, null where that was not asked."""


def shared_recordings(some: Items, others: Items, kept: Path, *, progress: bool = False) -> list[tuple[str, str]]:
    """Ids of the items, one of each set, whose clips have the same samples once they are decoded.

    A copy in another lossless format is found; one that was cut, resampled or coded with losses is not
    (``audiocontrib audit --against`` listens for those). A clip that cannot be decoded is like no other.

    Args:
        kept: a Parquet file that keeps the hashes, so that a clip that has not changed is decoded once.
    """
    clips = {_key(one.audio): one.audio for items in (some, others) for one in items if one.audio is not None}
    known = _read(kept)
    begun = _known(clips, known["beginning"], _beginning, progress)
    first, second = (_first_items(items) for items in (some, others))
    doubtful = {begun[key] for key in first} & {begun[key] for key in second} - {""}
    asked = {key: clip for key, clip in clips.items() if begun[key] in doubtful}
    whole = _known(asked, known["whole"], _whole, progress)
    if any(begun[key] != known["beginning"].get(key) for key in clips) or any(k not in known["whole"] for k in whole):
        rows = [{"clip": key, "beginning": begun[key], "whole": whole.get(key)} for key in clips]
        write_table_atomic(pa.Table.from_pylist(rows, schema=SOUND_SCHEMA), kept)
    there = {whole[key]: item for key, item in second.items() if whole.get(key)}
    return [(item, there[sha256]) for key, item in first.items() if (sha256 := whole.get(key)) in there]


def _first_items(items: Items) -> dict[str, str]:
    """Clip -> the first item on it."""
    found: dict[str, str] = {}
    for one in items:
        if one.audio is not None:
            found.setdefault(_key(one.audio), one.id)
    return found


def _key(clip: Clip) -> str:
    """What a clip is known by as long as its file does not change; files of one size may be of one time."""
    return f"{clip.root or ''}/{clip.path or ''} {stamp(clip) or ''}"


def _known(
    clips: Mapping[str, Clip], known: Mapping[str, str], find: Callable[[Clip], str], progress: bool
) -> dict[str, str]:
    """The hash of each clip; those that are not known are found, on all cores."""
    from tqdm import tqdm

    found = {key: known[key] for key in clips if key in known}
    new = [key for key in clips if key not in found]
    bar = tqdm(total=len(new), desc="listening for shared recordings", unit="clip", disable=not progress, delay=1)
    with bar, ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for part in _parts(new):
            found.update(zip(part, threads.map(lambda key: find(clips[key]), part), strict=True))
            bar.update(len(part))
    return found


def _parts(keys: list[str]) -> Iterator[list[str]]:
    """A few at a time, so that an interrupt is heard."""
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _whole(clip: Clip) -> str:
    try:
        return decode(clip).sha256
    except BadAudio:
        return ""


def _beginning(clip: Clip) -> str:
    start = clip.start or 0.0
    if clip.end is not None and clip.end - start <= BEGINNING:
        return _whole(clip)
    try:
        return decode(replace(clip, end=start + BEGINNING)).sha256
    except BadAudio:  # shorter than that, or no recording
        return _whole(clip)


def _read(kept: Path) -> dict[str, dict[str, str]]:
    """What was found out before; nothing where the file is not there, or is another one."""
    try:
        table = pq.read_table(kept, schema=SOUND_SCHEMA)
        names: Iterable[str] = texts(table["clip"])
        return {
            column: {
                name: value for name, value in zip(names, table[column].to_pylist(), strict=True) if value is not None
            }
            for column in ("beginning", "whole")
        }
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return {"beginning": {}, "whole": {}}
