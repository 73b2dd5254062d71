"""Votes: what a model answers to an item under a condition, over all the option orders it was asked in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.contribution.answer_counts import TIE, AnswerCounts, Floats, Ints, Small, count_answers
from audiocontrib.contribution.missing_votes import problem_words, problems
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, held_of, scoped
from audiocontrib.responses import has_posterior
from audiocontrib.statistics import Heard

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Votes:
    """The votes on n items in C cells (a model under a condition), as arrays of shape (n, C)."""

    problem: Small
    """Why there is no vote, as numbers of :mod:`audiocontrib.contribution.missing_votes`; 0: it stands."""
    choice: Ints
    """Index of the option; -1 without a vote, and where the vote chooses none."""
    right: NDArray[np.bool_]
    """The vote stands and is the gold; False for items without a key."""
    abstained: NDArray[np.bool_]
    """The vote stands and declines: no reply names an option, and at least half of them are refusals."""
    p_gold: Floats
    """Mean posterior of the gold; NaN for replies, without a key and without a vote."""
    chance: Floats
    """1/K, (n,)."""

    def heard(self, audio: int, without: int, on: NDArray[np.bool_]) -> Heard:
        """What a model does in its cell with the audio and in one without it, on some items (n,)."""
        right, declined = self.right[on], self.abstained[on]
        return Heard(right[:, audio], right[:, without], declined[:, audio], declined[:, without], self.chance[on])


def votes(
    run: Answers,
    /,
    *,
    conditions: str | Sequence[str] | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per item, model and condition that the model was asked under (for any item).

    The vote of a likelihood is the option with the best mean posterior over the orders; the vote of
    generated replies is the most frequent choice, where a refusal or an unparsed reply chooses nothing. A
    tie is no choice, and so is not right. Where no reply names an option and at least half of them are refusals,
    the vote is an abstention: not right either, and told apart. A vote on some of the orders is none
    (:func:`~audiocontrib.contribution.missing_votes.problems`).

    Args:
        run: a run, or an open connection with its views.
        conditions: those wanted, as they are written (``silence:matched``); None: all.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        item_id, model, condition, problem (in words, e.g. ``2 of 4 answers failed``; null: the vote
        stands), choice (index of the option, null: none), correct (null: no vote, or no key), abstained (null: no
        vote), p_gold (mean posterior of the gold over the orders; null for replies). Sorted by the first three.

    Raises:
        UsageError: a word that the run does not know.
        AudiocontribError: the run holds both methods and none is named.
    """
    with scoped(run, scope, words) as (con, checked):
        return vote_table(con, held_of(con, conditions), checked.method)


def vote_table(con: duckdb.DuckDBPyConnection, conditions: Sequence[str] | None, method: str | None) -> pa.Table:
    """As :func:`votes`, of the conditions among these that the connection holds."""
    told = count_answers(con, conditions=conditions, method=method)
    cast = count_votes(told)
    known: NDArray[np.bool_] = (cast.problem == 0) & (told.gold >= 0)[:, None]
    return pa.Table.from_pydict(
        {
            **told.labels(),
            "problem": problem_words(cast.problem),
            "choice": pa.array(cast.choice.ravel(), mask=cast.choice.ravel() < 0),
            "correct": pa.array(cast.right.ravel(), mask=~known.ravel()),
            "abstained": pa.array(cast.abstained.ravel(), mask=cast.problem.ravel() != 0),
            "p_gold": pa.array(cast.p_gold.ravel(), from_pandas=True),
        }
    )


def count_votes(told: AnswerCounts) -> Votes:
    """The votes of a tally, as :func:`votes` says."""
    problem = problems(told)
    stands: NDArray[np.bool_] = problem == 0
    best: Floats = told.shares.max(axis=2, keepdims=True, initial=0)
    clear: NDArray[np.bool_] = stands & (np.count_nonzero(told.shares >= best - TIE, axis=2) == 1)
    choice: Ints = np.where(clear, told.shares.argmax(axis=2), -1)
    has_key = (told.gold >= 0)[:, None]
    p_gold = np.take_along_axis(told.shares, np.maximum(told.gold, 0)[:, None, None], axis=2)[:, :, 0]
    return Votes(
        problem,
        choice,
        right=clear & has_key & (choice == told.gold[:, None]),
        abstained=stands & (best[:, :, 0] <= TIE) & (told.declined > 0) & (2 * told.declined >= told.answers),
        p_gold=np.where(stands & has_key & has_posterior(told.method), p_gold, np.nan),
        chance=1 / told.sizes,
    )


def unanimity(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> float:
    """Share of the items on which all models choose the same option under the condition, right or wrong.

    Items with a missing vote do not count; a model without a choice agrees with none. NaN where no item
    has the votes of at least two models.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.
    """
    with scoped(run, scope, words) as (con, checked):
        cast = count_votes(count_answers(con, conditions=[checked.condition], method=checked.method))
    whole = cast.choice[~cast.problem.any(axis=1)]
    if whole.shape[1] < 2 or not len(whole):
        return float("nan")
    return float(((whole >= 0) & (whole == whole[:, :1])).all(axis=1).mean())
