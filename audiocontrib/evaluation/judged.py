"""What judges make of the replies that the reader leaves unparsed, beside our own reading and never mixed into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError
from audiocontrib.names import check_folder_name
from audiocontrib.sql import sql
from audiocontrib.store import Run
from audiocontrib.store.own import check_own
from audiocontrib.store.runs import as_run

JUDGES = "judges"
"""Folder of a run: a run of its own for each judge, whose items are replies; their ids are request keys."""
NONE = "The reply gives none of these answers."
"""The last option of each question to a judge."""
JUDGEMENT_SCHEMA = schema_of(
    item_id=pa.string(),
    model=pa.string(),
    condition=pa.string(),
    order=pa.int16(),
    judge=pa.string(),
    judged_choice=pa.int16(),
    judged_correct=pa.bool_(),
    reply=pa.string(),
    request_key=pa.string(),
)
"""An unparsed reply that a judge has read: the option (in the item's own order) that it takes the reply to give,
whatever the order in which the options were shown to it; null: none."""
JUDGED_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    judge=pa.string(),
    n=pa.int64(),
    unparsed=pa.int64(),
    asked=pa.int64(),
    read=pa.int64(),
    accuracy=pa.float64(),
    accuracy_judged=pa.float64(),
    change=pa.float64(),
)

# all orders in which a judge saw the options must agree: a judge that follows the place has read nothing
_VERDICTS = """
select request_key, model as judge, min(choice) as judged, count(distinct choice) = 1 and
       count(choice) = count(*) as agreed
from answers group by all
"""
_JUDGEMENTS = """
select r.item_id, r.model, r.condition, r."order", v.judge, r.reply, r.request_key,
       (case when v.agreed and v.judged < len(i.choices) then (v.judged + r."order") % len(i.choices) end)::smallint
           as judged_choice,
       case when i.answer is not null then coalesce(judged_choice = i.answer, false) end as judged_correct
from responses r join items i using (item_id) join verdicts v using (request_key)
where r.outcome = 'unparsed'
order by all
"""
_COMPARED = """
select model, condition, judge, count(*) as n, count(*) filter (outcome = 'unparsed') as unparsed,
       count(*) filter (was_asked) as asked, count(judged_choice) as read, avg(correct::int) as accuracy,
       avg(coalesce(judged_correct, correct)::int) as accuracy_judged, accuracy_judged - accuracy as change
from (
    select r.*, names.judge, j.judge is not null as was_asked, j.judged_choice, j.judged_correct
    from responses r cross join (select distinct judge from judgements) names
        left join judgements j on (r.request_key, names.judge) = (j.request_key, j.judge)
    where r.method = 'generate' and r.outcome <> 'failed' and r.reply is not null and r.correct is not null
)
group by all order by all
"""


def judge_folder(run: Run, judge: str) -> Path:
    """Where the answers of the judge of that name belong."""
    return run.path / JUDGES / check_folder_name("a judge", re.sub(r"[^\w.-]+", "-", judge).strip(".-"))


def judgements(run: Run, /) -> pa.Table:
    """The unparsed replies that judges have read (JUDGEMENT_SCHEMA); empty where none was asked.

    Example:
        >>> ac.judgements(run).to_pandas().groupby("judge").judged_correct.mean()
    """
    as_run(run)
    found = [_of_judge(run, one) for one in _runs(run)]
    return pa.concat_tables(found) if found else JUDGEMENT_SCHEMA.empty_table()


def judged_accuracy(run: Run, /) -> pa.Table:
    """How much the judges' readings would change accuracies: a row per model, condition and judge (JUDGED_SCHEMA).

    ``n`` replies to items with a key (every repeat is one), of which ``unparsed`` are unread; the judge was ``asked``
    about so many of these, and took so many to give an option (``read``). ``accuracy`` counts unparsed replies as
    wrong, as everywhere; ``accuracy_judged`` counts them as the judge reads them.

    Raises:
        AudiocontribError: no judge was asked.

    Example:
        >>> ac.judged_accuracy(run).to_pandas()
    """
    told = judgements(run)
    if not len(told):
        raise AudiocontribError(f"no judge has read an unparsed reply of {run.path}; ask one with reread")
    with run.views() as con:
        con.register("judgements", told)
        return con.sql(_COMPARED).to_arrow_table().select(JUDGED_SCHEMA.names).cast(JUDGED_SCHEMA)


def _runs(run: Run) -> Iterator[Run]:
    for folder in sorted((run.path / JUDGES).glob("*/run.json")):
        yield Run.open(check_own(folder.parent, run.path))


def _of_judge(run: Run, judged: Run) -> pa.Table:
    answers = judged.table(
        "select split_part(item_id, '/', -1) as request_key, model, choice from responses where outcome <> 'failed'"
    )
    with run.views() as con:
        con.register("verdicts", sql(_VERDICTS, answers=answers))
        return con.sql(_JUDGEMENTS).to_arrow_table().select(JUDGEMENT_SCHEMA.names).cast(JUDGEMENT_SCHEMA)
