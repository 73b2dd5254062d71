"""Statistics: intervals, paired and clustered comparisons, multiple tests, agreement, luck.

Thin, typed wrappers round scipy and statsmodels. Clusters are the clips: items on one recording are not
independent, and an interval that treats them so is too narrow.
"""

from audiocontrib.statistics.agreement import cohen_kappa, fleiss_kappa
from audiocontrib.statistics.chance import Tails, binomial_at_least, chance_corrected, guessing
from audiocontrib.statistics.clusters import CHANGE, SHARE, ClusteredMean, mean_by_clip
from audiocontrib.statistics.heard import Heard, gain, relative_gain
from audiocontrib.statistics.intervals import (
    LEVEL,
    UNKNOWN,
    Interval,
    wilson,
    wilson_upper,
)
from audiocontrib.statistics.listening import ListeningChange, listening_change
from audiocontrib.statistics.multiple import benjamini_hochberg, holm
from audiocontrib.statistics.paired import (
    Difference,
    Equivalence,
    equivalence,
    mcnemar,
    minimum_detectable_effect,
    paired_difference,
    smallest_by_design,
)
from audiocontrib.statistics.seeds import difference_over_seeds

__all__ = [
    "CHANGE",
    "LEVEL",
    "SHARE",
    "UNKNOWN",
    "ClusteredMean",
    "Difference",
    "Equivalence",
    "Heard",
    "Interval",
    "ListeningChange",
    "Tails",
    "benjamini_hochberg",
    "binomial_at_least",
    "chance_corrected",
    "cohen_kappa",
    "difference_over_seeds",
    "equivalence",
    "fleiss_kappa",
    "gain",
    "guessing",
    "holm",
    "listening_change",
    "mcnemar",
    "mean_by_clip",
    "minimum_detectable_effect",
    "paired_difference",
    "relative_gain",
    "smallest_by_design",
    "wilson",
    "wilson_upper",
]
