"""What all models together answered under one condition, as arrays of items by models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import Column
from audiocontrib.contribution.answer_counts import Small, count_answers
from audiocontrib.contribution.missing_votes import problems
from audiocontrib.contribution.scope import CheckedScope, not_asked

if TYPE_CHECKING:
    import duckdb

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ResponseMatrix:
    """n items, sorted by id, and J models, sorted by name. A model's answers stand where it has no problem."""

    item_id: Column
    answer: Ints
    """(n,): index of the gold; -1: no key."""
    k: Ints
    """(n,): number of options."""
    p: Floats
    """(n, J, K): posteriors, of replies the shares of the options; NaN beyond an item's options, and all NaN
    where a model's answers do not stand."""
    answers: Ints
    """(n, J): answers, one for each order; 0 where they do not stand."""
    gold: Ints
    """(n, J): answers that are the gold; 0 without a key."""
    counts: Small
    """(n, J, K): answers whose option it is."""
    replies: bool
    """The answers are replies, not likelihoods."""


def response_matrix(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> ResponseMatrix:
    """The answers under the condition of the scope.

    Raises:
        AudiocontribError: the run holds both methods and none is named, or no answers under the condition.
    """
    told = count_answers(con, conditions=[scope.condition], method=scope.method, in_full=True)
    if not told.cells:
        raise not_asked(scope.condition)
    stands, inside = problems(told) == 0, np.arange(told.shares.shape[2]) < told.sizes[:, None]
    at_gold = np.take_along_axis(told.counts, np.maximum(told.gold, 0)[:, None, None], axis=2)[:, :, 0]
    return ResponseMatrix(
        told.items["item_id"],
        told.gold,
        told.sizes,
        np.where(stands[:, :, None] & inside[:, None], told.shares, np.nan),
        np.where(stands, told.answers, 0).astype(np.int64),
        np.where(stands & (told.gold >= 0)[:, None], at_gold, 0).astype(np.int64),
        told.counts,
        told.method == "generate",
    )
