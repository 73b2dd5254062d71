"""The clips themselves: which are the same recording, and which cannot show what a question asks for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from audiocontrib.audio import RATE, decode
from audiocontrib.audio.paths import open_clip
from audiocontrib.audit.base import CHECKS, PAIR_SCHEMA, CheckResult, Finding, Settings
from audiocontrib.audit.fingerprint import fingerprint, same_recordings
from audiocontrib.errors import BadAudio
from audiocontrib.items import clip_from_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENT_DBFS = -60.0
"""Peak level below which nothing can be heard beside a room's noise."""
CLIPPED_SHARE = 0.001
"""Share of samples at full scale from which a clip counts as clipped."""
NARROW_HZ, NARROW_DB = 4_200, -45.0
"""A clip with less than this above this frequency, against all of it, was at 8 kHz once, whatever its file says."""
VIDEO = re.compile(r"^Y?([\w-]{11})(?:[_.-]\d[\d_.]*)?$")
"""AudioSet and its offspring name clips by the id of a YouTube video and the seconds at which they begin."""
SOURCE = "same source clip, other set"


@dataclass(frozen=True, slots=True)
class ClipMatches:
    """What one pass over the clips of the sets has found."""

    clip: str
    item_id: str
    """The first item on it."""
    set: str
    """"" for the audited set, else the name in ``against``."""
    fault: str | None
    """Why it cannot be heard."""
    file_sha256: str = ""
    samples_sha256: str = ""
    peak_dbfs: float = 0.0
    clipped: float = 0.0
    high_db: float = 0.0
    prints: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None


@CHECKS.register("names")
def names(items: pa.Table, settings: Settings) -> CheckResult:
    """Clips of other sets with the same file name or video id; needs no audio."""
    if not settings.against:
        return CheckResult([])
    own = _named(items)
    rows = []
    for name, table in settings.against.items():
        theirs = _named(table)
        shared = sorted(own.keys() & theirs.keys())
        dataset = items["dataset"][0].as_py()
        rows += [_pair(own[key], theirs[key], dataset, name, SOURCE, 1.0) for key in shared]
    clips = len(set(items["clip_id"].to_pylist()))
    found = _counted(SOURCE, clips, [f"{r['item_a']} = {r['item_b']}" for r in rows], "alarm")
    return CheckResult([found], pairs=pa.Table.from_pylist(rows, schema=PAIR_SCHEMA))


@CHECKS.register("sounds")
def sounds(items: pa.Table, settings: Settings) -> CheckResult:
    """Clips that are the same recording, silent, clipped, too short, or narrower than their sample rate."""
    if not settings.listen:
        return CheckResult([])
    heard = list(_hear({"": items, **settings.against}, settings))
    own = [h for h in heard if not h.set]
    good = [h for h in own if not h.fault]
    found = [
        _counted("clip cannot be heard", len(own), [f"{h.item_id}: {h.fault}" for h in own if h.fault], "alarm"),
        _counted("clip is silent", len(own), [h.item_id for h in good if h.peak_dbfs < SILENT_DBFS], "alarm"),
        _counted("clip is clipped", len(own), [h.item_id for h in good if h.clipped > CLIPPED_SHARE], "note"),
        _counted(
            "clip holds nothing above 4 kHz (telephone band)", len(own),
            [h.item_id for h in good if h.peak_dbfs >= SILENT_DBFS and h.high_db < NARROW_DB], "note",
        ),
    ]  # fmt: skip
    rows = list(_same(heard, items["dataset"][0].as_py()))
    for kind in ("same file", "same samples", "same recording"):
        for where, severity in (("within the set", "note"), ("other set", "alarm")):
            name = f"{kind}, {where}"
            those = [f"{r['item_a']} = {r['item_b']} ({r['similarity']:.2f})" for r in rows if r["kind"] == name]
            found.append(_counted(name, len(own), those, severity))
    return CheckResult(found, pairs=pa.Table.from_pylist(rows, schema=PAIR_SCHEMA))


def _hear(tables: Mapping[str, pa.Table], settings: Settings) -> Iterator[ClipMatches]:
    """Every clip of the sets once, decoded; one in memory at a time."""
    from tqdm import tqdm

    clips = [(name, *first) for name, table in tables.items() for first in _first_items(table)]
    by_file: dict[str, ClipMatches] = {}
    for name, clip_id, item_id, audio in tqdm(clips, desc="listening", disable=None if settings.progress else True):
        clip = clip_from_row(audio, settings.audio_root)
        file = ""
        try:
            with open_clip(clip) as opened:
                file = hashlib.sha256(opened.read()).hexdigest() + clip.segment
            if file in by_file:  # the very same file need not be decoded again
                yield replace(by_file[file], clip=clip_id, item_id=item_id, set=name)
                continue
            sound = decode(clip)
        except BadAudio as error:
            yield ClipMatches(clip_id, item_id, name, str(error), file)
            continue
        x = sound.samples
        peak = float(np.abs(x).max())
        power = np.abs(np.fft.rfft(x[: 30 * RATE])) ** 2
        above = power[int(len(power) * 2 * NARROW_HZ / RATE) :].sum() / max(power.sum(), 1e-20)
        by_file[file] = ClipMatches(
            clip_id, item_id, name, None, file, sound.sha256,
            peak_dbfs=20 * float(np.log10(max(peak, 1e-10))),
            clipped=float((np.abs(x) >= 0.999).mean()) if peak >= 0.999 else 0.0,
            high_db=10 * float(np.log10(max(above, 1e-20))),
            prints=fingerprint(x),
        )  # fmt: skip
        yield by_file[file]


def _same(heard: Sequence[ClipMatches], own: str) -> Iterator[dict[str, Any]]:
    """Pairs of clips with the same samples, else the same fingerprint; at least one of the audited set."""
    good = [h for h in heard if not h.fault and h.prints is not None]
    alike: dict[tuple[int, int], tuple[str, float]] = {}
    for kind, hashes in (
        ("same file", [h.file_sha256 for h in good]),
        ("same samples", [h.samples_sha256 for h in good]),
    ):
        first: dict[str, int] = {}
        for place, sha256 in enumerate(hashes):
            before = first.setdefault(sha256, place)
            if before != place:
                alike.setdefault((before, place), (kind, 1.0))
    for a, b, share in same_recordings([h.prints for h in good if h.prints is not None]):
        alike.setdefault((a, b), ("same recording", share))
    for (a, b), (kind, share) in sorted(alike.items()):
        one, other = good[a], good[b]
        if one.set and other.set:
            continue
        where = "within the set" if one.set == other.set else "other set"
        yield _pair(one.item_id, other.item_id, one.set or own, other.set or own, f"{kind}, {where}", share)


def _first_items(table: pa.Table) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """clip_id, item_id and audio of the first item on each clip."""
    seen = set()
    columns = [table[name].to_pylist() for name in ("clip_id", "item_id", "audio")]
    for clip_id, item_id, audio in zip(*columns, strict=True):
        if audio is not None and clip_id not in seen:
            seen.add(clip_id)
            yield clip_id, item_id, audio


def _named(table: pa.Table) -> dict[str, str]:
    """What a clip may be known by (its file's name; a video's id) -> an item on it."""
    known: dict[str, str] = {}
    for _, item_id, audio in _first_items(table):
        stem = PurePosixPath(audio["path"] or "").stem
        video = VIDEO.match(stem)
        if video or len(stem) >= 8:  # "1.wav" is a name that any set may use
            known.setdefault(video[1] if video else stem.lower(), item_id)
    return known


def _pair(a: str, b: str, set_a: str, set_b: str, kind: str, similarity: float) -> dict[str, Any]:
    return {"item_a": a, "item_b": b, "dataset_a": set_a, "dataset_b": set_b, "kind": kind, "similarity": similarity}


def _counted(name: str, n: int, those: Sequence[str], severity: str) -> Finding:
    return Finding.examples(name, those, n, unit="clips", severity=severity)
