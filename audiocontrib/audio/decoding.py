"""From a clip to a Sound, or to what its header says of it; memory is bounded by MAX_SECONDS, not by the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from audiocontrib.audio.clip import Clip
from audiocontrib.audio.containers import Blocks, Probe, Undecodable, opened
from audiocontrib.audio.headers import Incomplete
from audiocontrib.audio.parts import SeveralRecordings
from audiocontrib.audio.paths import open_clip
from audiocontrib.audio.sound import RATE, Sound, make_sound
from audiocontrib.errors import BadAudio, ShortAudio

MIN_SECONDS = 0.1
"""Shorter clips are refused: below 0.02 s some models get no audio token at all, and say nothing."""
MAX_SECONDS = 3600
"""Longer clips are refused before anything is decoded: an hour is 230 MB of samples, and no supported model hears
more than 10 minutes."""
SLACK = 0.01
"""Seconds by which the end of a segment may lie behind that of its recording: tables round."""
RATES = (1_000, 1_000_000)
"""Lowest and highest sample rate that is read; others are faults of a header."""


def decode(clip: Clip) -> Sound:
    """Decode, mix down to mono (mean of the channels) and resample to 16 kHz (soxr, high quality).

    Memory: 64 kB for each second of the clip, and a block of BLOCK samples, whatever its rate and channels.

    Raises:
        BadAudio: the file is missing, outside its root, empty, truncated, too short, too long, unreadable or
            holds samples that are not finite, or more than one recording.
    """
    with _opened(clip, whole=True) as (about, blocks):
        frames, mono = 0, bytearray()
        first, last = _segment(clip, about)
        resample = None
        if about.rate != RATE:
            import soxr

            resample = soxr.ResampleStream(about.rate, RATE, 1, dtype="float32", quality="HQ").resample_chunk
        for block in blocks:
            at, frames = frames, frames + len(block)
            part = block[max(0, first - at) : None if last is None else max(0, last - at)].mean(axis=1)
            if not np.isfinite(part).all():
                raise BadAudio(f"{clip}: holds samples that are not finite numbers")
            if last is None:
                _check_length(clip, about, frames - first)
            if len(part):
                mono += (resample(part) if resample else part).tobytes()
            if last is not None and frames >= last:
                break
    frames = _heard(clip, about, first, last, frames)
    seconds = frames / about.rate
    if seconds < MIN_SECONDS:
        raise ShortAudio(f"{clip}: {seconds:.3f} s is too short; {MIN_SECONDS} s are needed")
    if resample:
        mono += resample(np.empty(0, np.float32), last=True).tobytes()
        size = 4 * math.ceil(frames * RATE / about.rate)  # as librosa: the resampler may round down
        mono = mono[:size].ljust(size, b"\0") if len(mono) != size else mono
    return make_sound(np.frombuffer(mono, "<f4"))


def probe(clip: Clip) -> Probe:
    """Length, rate and channels as the file's header says, without decoding. A header may be wrong; decode tells.

    Raises:
        BadAudio: as :func:`decode`, for what can be seen without decoding.
    """
    with _opened(clip, whole=False) as (about, _):
        first, last = _segment(clip, about)
        seconds = _heard(clip, about, first, last, round(about.seconds * about.rate)) / about.rate
        if seconds < MIN_SECONDS:
            raise ShortAudio(f"{clip}: {seconds:.3f} s is too short; {MIN_SECONDS} s are needed")
        return replace(about, seconds=seconds) if clip.segment else about


def _segment(clip: Clip, about: Probe) -> tuple[int, int | None]:
    """First frame of a clip in its recording, and the frame behind its last; None: the end of the recording."""
    first = round((clip.start or 0) * about.rate)
    last = None if clip.end is None else round(clip.end * about.rate)
    if last is not None and last - first > MAX_SECONDS * about.rate:
        raise BadAudio(f"{clip}: {clip.end} s is too far from {clip.start} s; at most {MAX_SECONDS:,} s are read")
    return first, last


def _heard(clip: Clip, about: Probe, first: int, last: int | None, frames: int) -> int:
    """Frames of a clip in a recording of so many frames.

    Raises:
        BadAudio: it ends behind the recording, but for what is lost in rounding.
    """
    if first >= frames > 0 or (last is not None and last > frames + SLACK * about.rate):
        raise BadAudio(f"{clip}: the recording has {frames / about.rate:.3f} s; the segment does not lie in it")
    return (frames if last is None else min(last, frames)) - first


@contextmanager
def _opened(clip: Clip, whole: bool) -> Iterator[tuple[Probe, Blocks]]:
    """A clip's Probe and its blocks; every fault on the way is a BadAudio."""
    with open_clip(clip) as file:
        try:
            with opened(file, whole) as (about, blocks):
                if not RATES[0] <= about.rate <= RATES[1]:
                    raise BadAudio(f"{clip}: its header says {about.rate} samples a second, which no sound has")
                if not clip.segment:
                    _check_length(clip, about, round(about.seconds * about.rate))
                yield about, blocks
        except (Incomplete, SeveralRecordings, Undecodable) as error:
            raise BadAudio(f"{clip}: {error}") from error


def _check_length(clip: Clip, about: Probe, frames: int) -> None:
    if frames > MAX_SECONDS * about.rate:
        raise BadAudio(f"{clip}: {frames / about.rate:,.0f} s is too long; at most {MAX_SECONDS:,} s are read, cut it")
