"""AFLite's score: how often a linear model gets an item right that it was not fitted on (arXiv 2002.04108).

The published algorithm drops the most predictable items, round after round. Here the first round's
predictability is a score beside each item, and nothing is dropped: deleting shifts the distribution, and
what is predictable is not wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiocontrib.audit.base import CHECKS, CheckResult, Finding, Settings
from audiocontrib.audit.options import OptionTable
from audiocontrib.audit.probes import LEAST_CLIPS, LEAST_ITEMS, chosen, held_out, posterior_of, sample, see

if TYPE_CHECKING:
    import pyarrow as pa

PARTITIONS = 20
TRAIN_SHARE = 0.8
HIGH = 0.75
"""The paper's threshold: items that are right in at least this share of the runs are called predictable."""


@CHECKS.register("aflite")
def aflite(items: pa.Table, settings: Settings) -> CheckResult:
    """Predictability of each item from question and options, over random partitions by clip."""
    import pyarrow as pa
    from sklearn.model_selection import GroupShuffleSplit

    options = sample(OptionTable.of(items).with_key(), settings)
    clips = options.clips
    if len(options) < LEAST_ITEMS or len(np.unique(clips)) < LEAST_CLIPS:
        return CheckResult([])
    matrix = see(options)["both"].matrix
    right, runs = np.zeros(len(options)), np.zeros(len(options))
    split = GroupShuffleSplit(PARTITIONS, train_size=TRAIN_SHARE, random_state=settings.seed)
    parts = split.split(options.item, groups=clips[options.item])
    for test, scores in held_out(options, matrix, parts, settings.seed):
        score = np.zeros(len(options.item))
        score[test] = scores
        out = np.unique(options.item[test])
        runs[out] += 1
        right[out] += (chosen(options, posterior_of(options, score)) == options.gold)[out]
    asked = runs > 0
    score = np.where(asked, right / np.maximum(runs, 1), np.nan)
    found = Finding.share(
        "predictable items (AFLite)",
        int((score[asked] >= HIGH).sum()),
        int(asked.sum()),
        f"right in at least {HIGH:.0%} of {PARTITIONS} fits on other clips; by chance alone hardly any are",
    )
    table = pa.table({"item_id": options.ids, "aflite": pa.array(score, from_pandas=True)})
    return CheckResult([found], table)
