"""What all models together answered under one condition, as arrays of items by models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import Column
from audiocontrib.contribution.answer_counts import Small, count_answers
from audiocontrib.contribution.scope import CheckedScope, not_asked
from audiocontrib.contribution.votes import count_votes

if TYPE_CHECKING:
    import duckdb

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DIGITS = 12
"""Posteriors are compared to so many digits: the last ones depend on the order of a sum."""


@dataclass(frozen=True, slots=True)
class ResponseMatrix:
    """n items, sorted by id, and J models, sorted by name. A model's answers stand where it has no problem.

    A model that abstains on an item has no vote there: it declined, and guessed nothing.
    """

    item_id: Column
    answer: Ints
    """(n,): index of the gold; -1: no key."""
    k: Ints
    """(n,): number of options."""
    p: Floats
    """(n, J, K): posteriors, of replies the shares of the options; NaN beyond an item's options, and all NaN
    where a model has no vote."""
    answers: Ints
    """(n, J): answers that do not decline, one for each order; 0 where there is no vote."""
    gold: Ints
    """(n, J): answers that are the gold; 0 without a key."""
    counts: Small
    """(n, J, K): answers whose option it is."""
    replies: bool
    """The answers are replies, not likelihoods."""
    whole: NDArray[np.bool_]
    """(n,): the answers of every model stand."""

    @property
    def mean(self) -> Floats:
        """The mean posterior over the models that have a vote, (n, K), to DIGITS; 0 without, -1 beyond the options."""
        voted: NDArray[np.bool_] = self.answers > 0
        total: Floats = np.where(voted[:, :, None], self.p, 0.0).sum(axis=1)
        return np.nan_to_num(np.round(total / np.maximum(voted.sum(axis=1), 1)[:, None], DIGITS), nan=-1.0)

    @property
    def least(self) -> Floats:
        """What an option's mean counts as at least in a logarithm, (n,): of replies half an answer."""
        if not self.replies:
            return np.full(len(self.k), 10.0**-DIGITS)
        return 0.5 / np.maximum(self.answers.sum(axis=1), 1)


def response_matrix(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> ResponseMatrix:
    """The answers under the condition of the scope.

    Raises:
        AudiocontribError: the run holds both methods and none is named, or no answers under the condition.
    """
    told = count_answers(con, conditions=[scope.condition], method=scope.method, in_full=True)
    if not told.cells:
        raise not_asked(scope.condition)
    cast, inside = count_votes(told), np.arange(told.shares.shape[2]) < told.sizes[:, None]
    stands: NDArray[np.bool_] = cast.problem == 0
    votes = stands & ~cast.abstained
    at_gold = np.take_along_axis(told.counts, np.maximum(told.gold, 0)[:, None, None], axis=2)[:, :, 0]
    return ResponseMatrix(
        told.items["item_id"],
        told.gold,
        told.sizes,
        np.where(votes[:, :, None] & inside[:, None], told.shares, np.nan),
        np.where(votes, told.answers - told.declined, 0).astype(np.int64),
        np.where(votes & (told.gold >= 0)[:, None], at_gold, 0).astype(np.int64),
        told.counts,
        told.method == "generate",
        np.asarray(stands.all(axis=1)),
    )
