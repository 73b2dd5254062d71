"""Contribution scores: how often an item is answered without its audio, and what the audio adds."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import Values
from audiocontrib.contribution.answer_counts import AnswerCounts, Floats, Ints, count_answers
from audiocontrib.contribution.missing_votes import problem_words
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, scoped
from audiocontrib.contribution.votes import Votes, count_votes


def contributions(
    run: Answers,
    /,
    *,
    told: AnswerCounts | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per item: the published score, and what the posteriors say beside it.

    Args:
        run: a run, or an open connection with its views.
        told: the counts of these and perhaps more conditions by that method, where they are there already.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        A table sorted by ``item_id`` with, beside it:

        - models: number of models that were asked under the condition (for any item).
        - votes_right: models that are right under it; null without a key.
        - models_right: their names, sorted.
        - models_abstained: names of the models that abstain under it, sorted: they are not right.
        - missing: why a model has no vote under it: ``tiny-a: not asked under silence``.
        - score: share of the models that are not right under it (c of arXiv 2509.21060: strong where c >= 1/2);
          null without a key or where a vote is missing.
        - right_with_audio: models right with the audio; null without a key, where it was not asked or
          where a vote is missing.
        - unsolved: no model is right with the audio; null where that is not known.
        - p_audio, p_condition, p_silence, p_text: mean posterior of the gold over models and orders with the audio,
          under the condition of the scope, under ``silence`` and under ``text``; null for generated replies,
          where the condition was not asked, or where a vote is missing.
        - contribution: mean of (posterior of the gold with audio - under ``condition``), in [-1, 1], over
          the models that were asked both ways.

    Example:
        >>> ac.contributions(run, condition="text").to_pandas()
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        wanted = sorted({checked.condition, checked.audio, "silence", "text"})
        told = told or count_answers(con, conditions=wanted, method=checked.method)
    cast = count_votes(told)
    has_key, without, with_audio = told.gold >= 0, told.under(checked.condition), told.under(checked.audio)
    right, right_audio = (_count(cast.right[:, cells]) for cells in (without, with_audio))
    whole, whole_audio = (~cast.problem[:, cells].any(axis=1) for cells in (without, with_audio))
    models = len(without)
    score = 1 - right / models if models else np.zeros(len(has_key))
    heard = has_key & bool(with_audio)
    names, declined = (
        _of(told, without, 0).take(np.nonzero(mask[:, without])[1]) for mask in (cast.right, cast.abstained)
    )
    both = [(a, c) for a in with_audio for c in without if told.cells[a][0] == told.cells[c][0]]
    return pa.Table.from_pydict(
        {
            "item_id": told.items["item_id"],
            "models": np.full(len(has_key), models),
            "votes_right": _where(right, has_key),
            "models_right": _split(cast.right[:, without], names),
            "models_abstained": _split(cast.abstained[:, without], declined),
            "missing": _missing(told, cast, without),
            "score": _where(score, has_key & whole & bool(models)),
            "right_with_audio": _where(right_audio, heard & whole_audio),
            "unsolved": _where(right_audio == 0, heard & (whole_audio | (right_audio > 0))),
            "p_audio": _mean(cast.p_gold[:, with_audio]),
            "p_condition": _mean(cast.p_gold[:, without]),
            "p_silence": _mean(cast.p_gold[:, told.under("silence")]),
            "p_text": _mean(cast.p_gold[:, told.under("text")]),
            "contribution": _mean(cast.p_gold[:, [a for a, _ in both]] - cast.p_gold[:, [c for _, c in both]]),
        }
    )


def _missing(told: AnswerCounts, cast: Votes, cells: list[int]) -> Values:
    """For each item, why models have no vote in these cells."""
    lacks: NDArray[np.bool_] = cast.problem[:, cells] != 0
    model, condition = (_of(told, cells, part).take(np.nonzero(lacks)[1]) for part in (0, 1))
    said = _joined(model, problem_words(cast.problem[:, cells][lacks]), ": ")
    return _split(lacks, _joined(said, condition, " under "))


def _joined(first: Values, second: Values, between: str) -> Values:
    # the stub has only columns here: the separator is a text
    return pc.binary_join_element_wise(first, second, between)  # type: ignore[call-overload]


def _of(told: AnswerCounts, cells: list[int], part: int) -> Values:
    return pa.array([told.cells[cell][part] for cell in cells], pa.string())


def _split(mask: NDArray[np.bool_], values: Values) -> Values:
    """One list for each row of the mask; the values are those of its true cells, row by row."""
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(_count(mask))), pa.int32()), values)


def _count(mask: NDArray[np.generic]) -> Ints:
    """How many are not 0 in each row, (n,)."""
    return np.count_nonzero(mask, axis=1)


def _where(values: NDArray[np.generic], known: NDArray[np.bool_]) -> Values:
    return pa.array(values, mask=~known)


def _mean(values: Floats) -> Values:
    """The mean over the models, null where one of them has no value."""
    mean: Floats = values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)
    return pa.array(mean, from_pandas=True)
