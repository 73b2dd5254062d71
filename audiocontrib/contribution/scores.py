"""Contribution scores: how often an item is answered without its audio, and what the audio adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiocontrib.contribution.votes import VOTES, vote_parameters

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def contributions(
    con: duckdb.DuckDBPyConnection,
    condition: str = "silence",
    audio: str = "audio",
    method: str | None = None,
) -> pa.Table:
    """One row per item: the published score, and what the posteriors say beside it.

    Args:
        condition: the condition without the audio, as it is written.
        audio: the condition with the audio.
        method: as in :func:`audiocontrib.contribution.votes.votes`.

    Returns:
        A table sorted by ``item_id`` with, beside it:

        - models: number of models that were asked under the condition (for any item).
        - votes_right: models that are right under it; null without a key.
        - models_right: their names, sorted.
        - missing: why a model has no vote under it: ``tiny-a: not asked under silence``.
        - score: share of the models that are wrong under it (c of arXiv 2509.21060: strong where c >= 1/2);
          null without a key or where a vote is missing.
        - right_with_audio: models right with the audio; null without a key, where it was not asked or
          where a vote is missing.
        - unsolved: no model is right with the audio; null where that is not known.
        - p_audio, p_silence, p_text: mean posterior of the gold over models and orders with the audio (the
          condition of that argument), under ``silence`` and under ``text``; null for generated replies,
          where the condition was not asked, or where a vote is missing.
        - contribution: mean of (posterior of the gold with audio - under ``condition``), in [-1, 1], over
          the models that were asked both ways.
    """
    query = f"""
    with votes as materialized ({VOTES}),
    tally as (
        select item_id,
            count(*) filter (condition = $condition) as models,
            count(*) filter (condition = $condition and correct) as votes_right,
            coalesce(list(model order by model) filter (condition = $condition and correct), [])
                as models_right,
            coalesce(list(concat(model, ': ', problem, ' under ', condition) order by model)
                filter (condition = $condition and problem is not null), []) as missing,
            count(*) filter (condition = $audio) as models_audio,
            count(problem) filter (condition = $audio) as missing_audio,
            count(*) filter (condition = $audio and correct) as right_audio,
            {_mean_of_all("p_gold", "$audio")} as p_audio,
            {_mean_of_all("p_gold", "'silence'")} as p_silence,
            {_mean_of_all("p_gold", "'text'")} as p_text
        from votes group by item_id
    ),
    paired as (
        select item_id, case when count(*) = count(a.p_gold - c.p_gold) then avg(a.p_gold - c.p_gold) end
            as contribution
        from votes a join votes c using (item_id, model)
        where a.condition = $audio and c.condition = $condition group by item_id
    )
    select item_id,
        coalesce(models, 0) as models,
        case when has_key then coalesce(votes_right, 0) end as votes_right,
        coalesce(models_right, []) as models_right,
        coalesce(missing, []) as missing,
        case when has_key and models > 0 and len(missing) = 0 then 1 - votes_right / models end as score,
        case when has_key and models_audio > 0 and missing_audio = 0 then right_audio end as right_with_audio,
        case
            when not has_key or models_audio is null or models_audio = 0 then null
            when right_audio > 0 then false
            when missing_audio = 0 then true
        end as unsolved,
        p_audio, p_silence, p_text, contribution
    from (select item_id, answer is not null as has_key from items)
        left join tally using (item_id) left join paired using (item_id)
    order by item_id
    """
    parameters = vote_parameters(con, sorted({condition, audio, "silence", "text"}), method)
    return con.sql(query, params=parameters | {"condition": condition, "audio": audio}).to_arrow_table()


def _mean_of_all(column: str, condition: str) -> str:
    """SQL: the mean over the models asked under the condition, null where one of them has no value."""
    where = f"filter (condition = {condition})"
    return f"case when count(*) {where} = count({column}) {where} then avg({column}) {where} end"
