"""A spectral fingerprint: the same recording is known again after re-encoding, resampling, gain and trimming.

Peaks of the spectrogram are joined in pairs; a pair is (frequency, frequency, time between), and does not
change with gain or with where the clip begins (Wang 2003, "An industrial-strength audio search algorithm").
Only 300 to 3,400 Hz is looked at, which telephone rates keep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.audio import RATE
from audiocontrib.sql import cursor

WINDOW, HOP = 1024, 256
LOW, HIGH = 300, 3_400
"""Band in Hz."""
NEIGHBOURHOOD = (11, 11)
"""Bins (of 15.6 Hz) and frames (of 16 ms) around a peak in which nothing is louder."""
PEAKS_PER_SECOND = 30
RANGE_DB = 50
"""Peaks further below the loudest of the clip are left to the codec."""
FAN, REACH = 6, 64
"""Later peaks that a peak is joined with, and frames within which they lie."""
LEAST_PAIRS, LEAST_SHARE = 8, 0.1
"""Pairs at one offset, and their share of those of the shorter clip, from which two clips are the same."""
COMMON = 200
"""A pair that more clips have tells nothing apart (hum, a synthesiser's note) and is left out."""


def fingerprint(samples: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The hashes of a clip's peak pairs, and the frame at which each begins.

    Args:
        samples: shape (n,), at 16 kHz.
    """
    from scipy.ndimage import maximum_filter

    # a quiet floor: digital silence has no logarithm, and the codec's residue there no meaning
    first = int(LOW * WINDOW / RATE)
    level = 20 * np.log10(spectrogram(samples)[first : int(HIGH * WINDOW / RATE)] + 1e-6)
    peak = (level == maximum_filter(level, size=NEIGHBOURHOOD)) & (level > max(level.max() - RANGE_DB, -80.0))
    bins, frames = np.nonzero(peak)
    most = max(1, int(PEAKS_PER_SECOND * len(samples) / RATE))
    loudest = np.argsort(-level[bins, frames], kind="stable")[:most]
    order = np.lexsort((bins[loudest], frames[loudest]))
    bins, frames = bins[loudest][order], frames[loudest][order]
    hashes, begins = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for later in range(1, FAN + 1):
        gap = frames[later:] - frames[:-later]
        near = (gap > 0) & (gap <= REACH)
        a, b = bins[:-later][near] // 2, bins[later:][near] // 2
        hashes.append((a * 512 + b) * 512 + gap[near] // 2)
        begins.append(frames[:-later][near])
    return np.concatenate(hashes), np.concatenate(begins)


def spectrogram(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Magnitudes (bins, frames) of centred Hann windows, as by ``librosa.stft``, which compiles for half a minute."""
    hann = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[::HOP]
    # a minute at a time: an hour of windows would take a gigabyte
    blocks = [np.abs(np.fft.rfft(frames[at : at + 4096] * hann)) for at in range(0, len(frames), 4096)]
    return np.concatenate(blocks).T


def same_recordings(prints: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> list[tuple[int, int, float]]:
    """Pairs of clips (a < b) that share enough peak pairs at one offset, with the share of the shorter's."""
    table = pa.table(
        {
            "clip": pa.array(np.repeat(np.arange(len(prints)), [len(h) for h, _ in prints])),
            "hash": pa.array(np.concatenate([np.zeros(0, np.int64), *(h for h, _ in prints)])),
            "frame": pa.array(np.concatenate([np.zeros(0, np.int64), *(f for _, f in prints)])),
        }
    )
    with cursor() as con:
        con.register("pairs_of_clips", table)
        found = con.execute(
            """
            with told as (
                select * from pairs_of_clips
                where hash in (
                    select hash from pairs_of_clips group by hash having count(distinct clip) between 2 and $common
                )
            ),
            sizes as (select clip, count(*) as n from pairs_of_clips group by clip),
            aligned as (
                -- frames of two encodings may be one apart: offsets are counted in overlapping twos
                select a.clip as a, b.clip as b,
                    unnest([(a.frame - b.frame) // 2, (a.frame - b.frame + 1) // 2 + 1000000]) as shift
                from told a join told b on a.hash = b.hash and a.clip < b.clip
            ),
            shifts as (select a, b, shift, count(*) as n from aligned group by all),
            best as (select a, b, max(n) as n from shifts group by a, b)
            select a, b, best.n / least(x.n, y.n) as share
            from best join sizes x on a = x.clip join sizes y on b = y.clip
            where best.n >= $least and share >= $share order by a, b
            """,
            {"common": COMMON, "least": LEAST_PAIRS, "share": LEAST_SHARE},
        ).fetchall()
    return [(int(a), int(b), float(share)) for a, b, share in found]
