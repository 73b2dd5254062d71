"""Items that no model gets right with the audio: unanswerable, too hard, or with a wrong key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiocontrib.contribution.scores import contributions
from audiocontrib.contribution.tables import sql
from audiocontrib.contribution.votes import votes

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def unsolved(
    con: duckdb.DuckDBPyConnection, audio: str = "audio", method: str | None = None, condition: str = "silence"
) -> pa.Table:
    """The items marked ``unsolved`` in :func:`~audiocontrib.contribution.scores.contributions`, for review.

    Where many models agree on one other option, the key is likely to be wrong: those come first.

    Args:
        audio: the condition with the audio.
        method: as in :func:`audiocontrib.contribution.votes.votes`.
        condition: the condition without the audio under which ``right_without`` looks.

    Returns:
        item_id, question, choices, gold (its text), agreed (text of the option that most models choose with the
        audio; null where two are chosen as often, or none), agreed_by (how many choose the most chosen option),
        models (how many were asked), right_without (the models right under ``condition``, sorted by name),
        question_type, source_dataset, clip_id. Sorted by agreed_by, downwards, then item_id.
    """
    marked = sql(
        "select item_id, models_right as right_without from scores where unsolved",
        scores=contributions(con, condition, audio, method),
    )
    asked = con.sql(
        "select item_id, question, choices, answer, question_type, source_dataset, clip_id from items"
    ).to_arrow_table()
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
        votes=votes(con, [audio], method),
    )
