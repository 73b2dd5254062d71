"""Posteriors: what a model believes of an item's options under a condition, over all the orders it was asked in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import Column, Values, flat, floats, integers
from audiocontrib.contribution.answer_counts import Floats, Ints, count_answers
from audiocontrib.contribution.missing_votes import problem_words, problems
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, held_of, scoped
from audiocontrib.responses import has_posterior

if TYPE_CHECKING:
    import duckdb


def posteriors(
    run: Answers,
    /,
    *,
    conditions: str | Sequence[str] | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per item, model and condition that the model was asked under (for any item).

    Everything is in content space, the item's own order of options: luck of the place goes out in the mean
    over cyclic orders, in which every option stands once in every place.

    Args:
        run: a run, or an open connection with its views.
        conditions: those wanted, as they are written (``silence:matched``); None: all.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        Sorted by the first three columns:

        - item_id, model, condition.
        - k: number of options; answer: index of the gold, null without a key.
        - orders: orders that were answered (not failed).
        - posterior: K shares. Of likelihoods the mean over the orders; of replies the share of the orders
          in which the option was chosen, where a refusal or an unparsed reply chooses none. Null with a problem.
        - log_posterior: K values, the mean over the orders of ln posterior (at least ln LEAST), normalised;
          null for replies, and with a problem.
        - counts: in how many orders each option was the answer (a tie is nobody's).
        - flips: share of the pairs of orders whose answers differ, no answer being one of its own; null with
          fewer than two orders.
        - problem: why there is no vote, in words, e.g. ``2 of 4 answers failed``; null: it stands.

    Raises:
        UsageError: a word that the run does not know.
        AudiocontribError: the run holds both methods and none is named.
    """
    with scoped(run, scope, words) as (con, checked):
        return posterior_table(con, held_of(con, conditions), checked.method)


def posterior_table(con: duckdb.DuckDBPyConnection, conditions: Sequence[str] | None, method: str | None) -> pa.Table:
    """As :func:`posteriors`, of the conditions among these that the connection holds."""
    told = count_answers(con, conditions=conditions, method=method, in_full=True)
    problem = problems(told)
    size = np.repeat(told.sizes, len(told.cells))
    stands: NDArray[np.bool_] = (problem == 0).ravel()
    return pa.Table.from_pydict(
        {
            **told.labels(),
            "k": size,
            "answer": told.items["answer"].take(np.repeat(np.arange(len(told.items)), len(told.cells))),
            "orders": told.orders.ravel().astype(np.int32),
            "posterior": lists(told.shares, size, stands),
            "log_posterior": lists(_normalised(told.logs, told.sizes), size, stands & has_posterior(told.method)),
            "counts": lists(told.counts.astype(np.int32), size),
            "flips": pa.array(flips(told.answers, told.counts).ravel(), from_pandas=True),
            "problem": problem_words(problem),
        }
    )


def padded(column: Column, width: int | None = None) -> Floats:
    """A column of lists as a matrix of shape (n, width), filled up with NaN; a null list is a row of NaN.

    Args:
        width: at least the length of the longest list; None: that length.

    Raises:
        ValueError: a list is longer than ``width``.
    """
    lengths = integers(pc.list_value_length(column), null=0)
    longest = int(lengths.max(initial=0))
    if width is not None and longest > width:
        raise ValueError(f"a list of {longest} values does not fit into {width} columns")
    matrix = np.full((len(lengths), longest if width is None else width), np.nan)
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = floats(flat(column))
    return matrix


def lists(values: NDArray[np.generic], sizes: Ints, known: NDArray[np.bool_] | None = None) -> Values:
    """The values (…, K) of each place as a list of its own size; null where it is not known."""
    rows = values.reshape(len(sizes), values.shape[-1])
    lengths = sizes if known is None else np.where(known, sizes, 0)
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32())
    inside = np.arange(rows.shape[1]) < lengths[:, None]
    return pa.ListArray.from_arrays(offsets, pa.array(rows[inside]), mask=None if known is None else pa.array(~known))


def flips(answers: NDArray[np.integer], counts: NDArray[np.integer]) -> Floats:
    """Share of the pairs of answers that differ; NaN where there is no pair.

    Args:
        answers: how many there are, shape (...).
        counts: how many of them each option is the answer of, shape (..., K); no answer is one of its own.
    """
    n = answers.astype(np.float64)
    unchosen: Floats = n - counts.sum(axis=-1)
    alike: Floats = (counts * (counts - 1.0)).sum(axis=-1) + unchosen * (unchosen - 1)
    pairs = n * (n - 1)
    return np.divide(pairs - alike, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)


def _normalised(logs: Floats, sizes: Ints) -> Floats:
    """Log-softmax over each item's own options; shape (n, C, K)."""
    logs = np.where(np.arange(logs.shape[2]) < sizes[:, None, None], logs, -np.inf)
    logs -= logs.max(axis=2, keepdims=True, initial=-np.inf)
    return logs - np.log(np.exp(logs).sum(axis=2, keepdims=True))
