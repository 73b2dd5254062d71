"""Items that no model gets right with the audio: unanswerable, too hard, or with a wrong key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.contribution.scores import contributions
from audiocontrib.contribution.votes import vote_table
from audiocontrib.sql import arrow_table, sql

if TYPE_CHECKING:
    import pyarrow as pa


def unsolved(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """The items marked ``unsolved`` in :func:`~audiocontrib.contribution.scores.contributions`, for review.

    Where many models agree on one other option, the key is likely to be wrong: those come first.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`. The condition is
            the one under which ``right_without`` looks.

    Returns:
        item_id, question, choices, gold (its text), agreed (text of the option that most models choose with the
        audio; null where two are chosen as often, or none), agreed_by (how many choose the most chosen option),
        models (how many were asked), right_without (the models right under ``condition``, sorted by name),
        question_type, source_dataset, clip_id. Sorted by agreed_by, downwards, then item_id.

    Example:
        >>> ac.unsolved(run).to_pandas()
    """
    with scoped(run, scope, words) as (con, checked):
        marked = sql(
            "select item_id, models_right as right_without from scores where unsolved",
            scores=contributions(con, scope=checked),
        )
        asked = arrow_table(
            con.sql("select item_id, question, choices, answer, question_type, source_dataset, clip_id from items")
        )
        voted = vote_table(con, [checked.audio], checked.method)
    return sql(
        """
        with chosen as (
            select item_id, choice, count(*) as times from votes where choice is not null group by all
        ),
        tops as (
            select item_id, max(times) as agreed_by, arg_max(choice, times) as top,
                count(*) filter (times = most) as alike
            from (select *, max(times) over (partition by item_id) as most from chosen) group by item_id
        ),
        sizes as (select item_id, count(*) as models from votes group by item_id)
        select item_id, question, choices, choices[answer + 1] as gold,
            case when alike = 1 then choices[top + 1] end as agreed,
            coalesce(agreed_by, 0) as agreed_by, models, right_without, question_type, source_dataset, clip_id
        from marked join asked using (item_id) join sizes using (item_id) left join tops using (item_id)
        order by agreed_by desc, item_id
        """,
        marked=marked,
        asked=asked,
        votes=voted,
    )
