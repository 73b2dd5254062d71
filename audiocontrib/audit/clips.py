"""What can be seen of the recordings: whether they are there, can be read, last long enough, and hold any sound."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.audio import decode, exists, probe
from audiocontrib.audit.base import Finding
from audiocontrib.audit.kinds import kind_finding
from audiocontrib.errors import BadAudio, MissingAudio, ShortAudio
from audiocontrib.items import Clip, Items

LOOKS: dict[str, tuple[str, ...]] = {
    "no": (),
    "present": ("missing",),
    "headers": ("missing", "unreadable", "short"),
    "decode": ("missing", "unreadable", "short", "silent"),
}
"""How closely recordings are looked at -> the kinds of findings that can be seen so."""
SILENT_PEAK = 1e-4
"""Largest absolute sample, of 1, of a clip that counts as silent: -80 dBFS, in which 16-bit audio has 3 steps."""
QUANTILES = {"shortest": 0.0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "longest": 1.0}
CLIP_SCHEMA = schema_of(
    source_dataset=pa.string(),
    clips=pa.int64(),
    present=pa.int64(),
    missing=pa.int64(),
    unreadable=pa.int64(),
    short=pa.int64(),
    silent=pa.int64(),
    hours=pa.float64(),
)
LENGTH_SCHEMA = schema_of(quantile=pa.string(), seconds=pa.float64())
FORMAT_SCHEMA = schema_of(format=pa.string(), rate=pa.int64(), channels=pa.int64(), clips=pa.int64())
ALL = "(all)"
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """One recording, and what was seen."""

    source: str
    item_id: str
    """The first item that asks about it."""
    state: str = "fine"
    """``fine``, or the kind of finding that it is."""
    reason: str = ""
    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    format: str | None = None


def look_at_clips(items: Items, how: str, progress: bool, workers: int | None) -> list[ClipCheck]:
    """Look at every recording of the items once, as closely as ``how`` says (one of LOOKS)."""
    from tqdm import tqdm

    if how == "no":
        return []
    found: list[ClipCheck] = []
    clips = list(_clips(items))
    bar = tqdm(total=len(clips), desc="looking at clips", unit=" clips", disable=not progress, delay=1, mininterval=0.5)
    # threads: the work is done in libsndfile, FFmpeg and soxr, which let go of Python's lock
    with bar, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for start in range(0, len(clips), _AT_ONCE):  # few at a time, so that an interrupt is heard
            for looked in pool.map(partial(_look, how), clips[start : start + _AT_ONCE]):
                found.append(looked)
                bar.update()
    return found


def clip_findings(looked: Sequence[ClipCheck], how: str) -> Iterator[Finding]:
    """What is wrong with the recordings; only the kinds that could be seen."""
    for kind in LOOKS[how]:
        of_kind = [clip for clip in looked if clip.state == kind]
        example = f"{of_kind[0].item_id}: {of_kind[0].reason}" if of_kind else ""
        yield kind_finding(kind, len(of_kind), len(looked), example, unit="clips")


def clips_by_source(looked: Sequence[ClipCheck], how: str) -> pa.Table:
    """Recordings by source; what was not looked at is null. The last row is all of them."""
    groups: dict[str, list[ClipCheck]] = {}
    for clip in looked:
        groups.setdefault(clip.source, []).append(clip)
    rows = []
    for source, clips in [*sorted(groups.items()), (ALL, list(looked))] if looked else []:
        states = Counter(clip.state for clip in clips)
        row: dict[str, Any] = {kind: states[kind] for kind in LOOKS[how]}
        row |= {"source_dataset": source, "clips": len(clips), "present": len(clips) - states["missing"]}
        if how != "present":
            row["hours"] = sum(clip.seconds or 0.0 for clip in clips) / 3600
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=CLIP_SCHEMA)


def clip_lengths(looked: Sequence[ClipCheck]) -> pa.Table:
    """Quantiles of the seconds of the recordings that can be read; no rows where none was."""
    seconds = [clip.seconds for clip in looked if clip.seconds is not None]
    cuts = np.quantile(seconds, list(QUANTILES.values())).tolist() if seconds else []
    names = list(QUANTILES) if seconds else []
    return pa.table({"quantile": names, "seconds": cuts}, schema=LENGTH_SCHEMA)


def clip_formats(looked: Sequence[ClipCheck]) -> pa.Table:
    """Recordings by format, sample rate (frames a second) and channels, the most frequent first."""
    tally = Counter((clip.format, clip.rate, clip.channels) for clip in looked if clip.format)
    rows = [{"format": f, "rate": r, "channels": c, "clips": n} for (f, r, c), n in tally.most_common()]
    return pa.Table.from_pylist(rows, schema=FORMAT_SCHEMA)


def _clips(items: Items) -> Iterator[tuple[str, str, Clip]]:
    """Source, item and clip of each recording, once: a path, or bytes with their hash as the name."""
    seen = set()
    for item in items:
        if item.audio is not None:
            name = str(item.audio) if item.audio.data is None else item.clip_id + item.audio.segment
            if name not in seen:
                seen.add(name)
                yield item.source_dataset, item.id, item.audio


def _look(how: str, which: tuple[str, str, Clip]) -> ClipCheck:
    source, item_id, clip = which
    try:
        if how == "present":
            return ClipCheck(source, item_id, *(() if exists(clip) else ("missing", f"{clip}: no such file")))
        about = probe(clip)
        sound = decode(clip) if how == "decode" else None
    except MissingAudio as error:
        return ClipCheck(source, item_id, "missing", str(error))
    except ShortAudio as error:
        return ClipCheck(source, item_id, "short", str(error))
    except BadAudio as error:
        return ClipCheck(source, item_id, "unreadable", str(error))
    state, reason = "fine", ""
    if sound is not None and np.abs(sound.samples).max() < SILENT_PEAK:
        state, reason = "silent", f"{clip}: no sample above {SILENT_PEAK:g} of 1"
    seconds = about.seconds if sound is None else sound.seconds
    return ClipCheck(source, item_id, state, reason, seconds, about.rate, about.channels, about.format)
