"""Does a model listen more than another? On two scales, with what abstentions may hide.

With A the accuracy with the audio and S without it, the gain is A - S and the relative gain (A - S) / (1 - S): the
share of what the text leaves open that the audio answers. Where hearing and knowledge of the text are independent
over the items, more knowledge of the text lowers the first and leaves the second as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiocontrib.statistics.clusters import COUNTS
from audiocontrib.statistics.heard import Floats, Heard, gain, relative_gain
from audiocontrib.statistics.paired import Difference, paired_difference

MORE, LESS = "listens more", "listens less"
SAME = "no change in hearing"
"""The answers with the audio are the same ones."""
NONE_SHOWN = "no change in hearing shown"
SPLIT = "no verdict on hearing: the two scales disagree"
UNTOLD = "cannot be told"
TEXT = "what is known from the text changed"
DECLINES_MORE, DECLINES_LESS = "it declines more often", "it declines less often"


@dataclass(frozen=True, slots=True)
class ListeningChange:
    """How listening differs between two models on the same items."""

    gain: Difference
    """Of A - S, abstentions credited with 1/K."""
    relative: Difference
    """Of (A - S) / (1 - S), likewise."""
    gain_bounds: tuple[float, float]
    """The least and the greatest change over TREATMENTS."""
    relative_bounds: tuple[float, float]
    verdict: str
    """``listens more`` or ``listens less`` only where both scales say so under each of TREATMENTS; else that no
    change in hearing is shown. Behind it, what else moved."""


def listening_change(now: Heard, before: Heard, clips: NDArray[np.integer]) -> ListeningChange:
    """Compare two models on the same items, paired and clustered by clip.

    Args:
        clips: shape (n,), integers that are equal for items on one clip.
    """
    treatments = max(now.treatments, before.treatments, key=len)
    gains, relatives = (
        [_difference(scale(now.sides(one)), scale(before.sides(one)), clips, 2.0) for one in treatments]
        for scale in (gain, relative_gain)
    )
    said = [_hearing(now, before, gains, relatives), *_moved(now, before, clips, treatments)]
    (low, high), (least, most) = (_ends(found) for found in (gains, relatives))
    return ListeningChange(gains[0], relatives[0], (low, high), (least, most), "; ".join(said))


def _hearing(now: Heard, before: Heard, gains: Sequence[Difference], relatives: Sequence[Difference]) -> str:
    same = (now.right_audio == before.right_audio) & (now.declined_audio == before.declined_audio)
    if len(same) and same.all():
        return SAME  # the answers with the audio are the same: whatever changed was not heard
    sides = [_side(one) for one in (*gains, *relatives)]
    if None in sides:
        return UNTOLD
    if set(sides) == {1}:
        return MORE
    if set(sides) == {-1}:
        return LESS
    return SPLIT if {_side(gains[0]), _side(relatives[0])} == {1, -1} else NONE_SHOWN


def _moved(now: Heard, before: Heard, clips: NDArray[np.integer], treatments: Sequence[str]) -> Iterator[str]:
    """What else changed beyond noise: what is known from the text, whatever abstentions are worth, and these."""
    known = {_side(_difference(now.sides(one)[1], before.sides(one)[1], clips, 1.0)) for one in treatments}
    if known in ({1}, {-1}):
        yield TEXT
    declined = [
        _side(paired_difference(a, b, clips))
        for a, b in ((now.declined_audio, before.declined_audio), (now.declined_without, before.declined_without))
        if (a != b).any()
    ]
    yield from (words for side, words in ((1, DECLINES_MORE), (-1, DECLINES_LESS)) if side in declined)


def _difference(now: Floats, before: Floats, clips: NDArray[np.integer], most: float) -> Difference:
    """Within -most to most, unless a value is drawn beyond: then it holds the influence of others too."""
    d = np.abs(now - before)
    if np.isnan(d).any():  # a relative gain where nothing is open
        return Difference(np.nan, np.nan, np.nan, np.nan, float((now != before).mean()), len(d), np.nan, COUNTS)
    within = not len(d) or d.max() <= most + 1e-9
    return paired_difference(now, before, clips, (-most, most) if within else None)


def _side(found: Difference) -> int | None:
    """On which side of 0 its interval lies; 0: on both, None: not known."""
    if np.isnan(found.low):
        return None
    return int(found.low > 0) - int(found.high < 0)


def _ends(found: Sequence[Difference]) -> tuple[float, float]:
    means = [one.mean for one in found]
    return min(means), max(means)
