"""Audio-Dependency Filtering: the four steps of DCASE 2026 Task 5, over answers that a run holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveInt

from audiocontrib.arrow import equal, integers, texts
from audiocontrib.config import Name
from audiocontrib.contribution.positions import posterior_method
from audiocontrib.contribution.scope import held_conditions, not_asked
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.splits.base import RuleInput, RuleResult, rule
from audiocontrib.splits.review import read_sheet, write_sheet
from audiocontrib.splits.settings import ConditionName, listed
from audiocontrib.sql import arrow_table, sql
from audiocontrib.statistics import guessing

SILENT, COMMONSENSE, PERPLEXITY, REVIEW = "1 silent probing", "2 commonsense", "3 perplexity", "4 review"


@rule(
    "adf",
    0.5,
    "Audio-Dependency Filtering: silent probing, commonsense, perplexity rank, a review sheet",
    judges=("commonsense", "perplexity"),
    by_score=False,
)
def adf(
    asked: RuleInput,
    silent_right: PositiveInt | None = None,
    commonsense: Name | Sequence[Name] | None = None,
    commonsense_condition: ConditionName = "text",
    perplexity: Name | None = None,
    perplexity_condition: ConditionName = "text",
    rank: PositiveInt = 1,
    review: str | None = None,
    review_out: str | None = None,
) -> RuleResult:
    """Items that a step rejects are weak, with the step in the reason; what passes all steps is strong.

    The published text (arXiv 2607.18718) names the steps but neither thresholds nor judges: those here are
    parameters, and their defaults are ours. A step that is not configured is left out, and the findings say so.
    An item that a step could not judge, and that none rejects, is undecided.

    1. Silent probing: rejected if at least ``silent_right`` models are right under the condition
       (None: so many that the threshold on the share of wrong models is missed, as under ``votes``).
    2. Commonsense: rejected if a model of ``commonsense`` (one, or several) is right under
       ``commonsense_condition``; meant for text-only language models.
    3. Perplexity: rejected if the gold is among the ``rank`` likeliest options by the per-token log-probability
       of the model ``perplexity`` under ``perplexity_condition``, the mean over the orders; an option that is
       as likely as the gold goes before it. If the text said nothing, the rank would be uniform on 1 to K:
       the findings hold the p-value of so many golds among the likeliest, or more, over the whole set.
    4. Review: ``review_out`` writes a sheet (CSV) of what is left; filled in (verdict: keep or reject), it is
       read back as ``review``. Items without a verdict are kept, and counted.

    Raises:
        UsageError: a model, column or verdict that is not there.
        AudiocontribError: the run lacks the answers that a step needs.
    """
    scores = asked.scores
    models = scores["models"][0].as_py() if len(scores) else 0
    needed = models - ceil(asked.threshold * models) + 1 if silent_right is None else silent_right
    if models and needed > models + 1:
        raise UsageError(f"silent_right is {needed}, but only {models} models count; no item could be rejected by it")
    findings: dict[str, Any] = {"silent_right": needed, "steps_left_out": []}
    steps = {SILENT: _silent(scores, needed, asked.condition)}
    if commonsense:
        steps[COMMONSENSE] = _commonsense(asked, listed(commonsense), commonsense_condition)
    if perplexity:
        ranks = _ranks(asked, perplexity, perplexity_condition)
        steps[PERPLEXITY] = _perplexity(ranks, rank)
        findings |= _against_chance(ranks, rank)
    verdicts = read_sheet(Path(review), scores["item_id"]) if review else None
    if verdicts is not None:
        steps[REVIEW] = verdicts.filter(verdicts["rejected"])
    findings["steps_left_out"] = [name for name in (COMMONSENSE, PERPLEXITY, REVIEW) if name not in steps]
    decided = _decide(scores, steps)
    weak = equal(decided["split"], "weak")
    for name in steps:
        found = pc.and_(weak, pc.starts_with(decided["reason"], f"{name}: "))
        findings[f"rejected_by_{name}"] = len(decided.filter(found))
    passed = decided.filter(equal(decided["split"], "strong")).select(["item_id"])
    if verdicts is not None:
        unseen = sql("from passed anti join verdicts using (item_id)", passed=passed, verdicts=verdicts)
        findings["kept_without_verdict"] = len(unseen)
    if review_out:
        findings["to_review"] = write_sheet(asked.con, passed, Path(review_out))
    return RuleResult(decided, findings)


# A step is a table of the items that it rejects, and of those that it could not judge: item_id, rejected, reason.


def _decide(scores: pa.Table, steps: Mapping[str, pa.Table]) -> pa.Table:
    """The first step that rejects an item counts. An item without a key, or without all votes, is undecided."""
    joins, rejections, gaps = [], [], []
    for i, name in enumerate(steps):
        joins.append(f"left join step{i} on scores.item_id = step{i}.item_id")
        rejections.append(f"if(step{i}.rejected, '{name}: ' || step{i}.reason, null)")
        gaps.append(f"if(not step{i}.rejected, '{name}: ' || step{i}.reason, null)")
    return sql(
        f"""
        with judged as (
            select scores.item_id, scores.score, missing, votes_right,
                coalesce({", ".join(rejections)}) as rejection, coalesce({", ".join(gaps)}) as gap
            from scores {" ".join(joins)}
        ),
        placed as (
            select *, case
                when score is null or (rejection is null and gap is not null) then 'undecided'
                when rejection is null then 'strong'
                else 'weak'
            end as split
            from judged
        )
        select item_id, split, null::double as guessing,
            case when split <> 'undecided' then (split = 'strong')::int::double end as score,
            case
                when len(missing) > 0 then array_to_string(missing, '; ')
                when votes_right is null then 'the item has no answer key'
                else coalesce(rejection, gap, 'passed every step')
            end as reason
        from placed
        """,
        scores=scores,
        **{f"step{i}": table for i, table in enumerate(steps.values())},
    )


def _silent(scores: pa.Table, needed: int, condition: str) -> pa.Table:
    """Items that enough models get right; those without all votes are undecided anyhow."""
    return sql(
        f"""
        select item_id, true as rejected, concat(votes_right, ' of ', models, ' models right under ', under) as reason
        from found where votes_right >= {needed}
        """,
        found=scores.append_column("under", pa.repeat(pa.scalar(condition), len(scores))),
    )


def _commonsense(asked: RuleInput, names: Sequence[str], condition: str) -> pa.Table:
    """Items that one of the named models gets right from the text."""
    table = _votes(asked, condition, asked.scope.method)
    there = set(texts(table["model"].unique()))
    if missing := [name for name in names if name not in there]:
        raise AudiocontribError(_not_asked(missing[0], condition))
    return sql(
        """
        select item_id, bool_or(coalesce(correct, false)) as rejected,
            if(rejected,
                string_agg(model, ', ' order by model) filter (correct) || ' right from the text alone',
                string_agg(model || ': ' || problem, '; ' order by model) filter (problem is not null)) as reason
        from voted semi join named using (model) group by item_id having reason is not null
        """,
        voted=table,
        named=pa.table({"model": pa.array(names, pa.string())}),
    )


def _votes(asked: RuleInput, condition: str, method: str | None) -> pa.Table:
    if not {condition} <= held_conditions(asked.con):
        raise not_asked(condition)
    return votes(asked.con, conditions=condition, scope=replace(asked.scope, method=method))


def _ranks(asked: RuleInput, model: str, condition: str) -> pa.Table:
    """item_id, k, problem (why the model's answers do not stand; null: they do), and place of the gold, from 1."""
    voted = _votes(asked, condition, posterior_method(asked.con))
    own = voted.filter(equal(voted["model"], model))
    means = arrow_table(
        asked.con.sql(
            """
        with each as (
            select item_id, unnest(option_logprob) / unnest(option_tokens) as score,
                unnest(range(len(option_logprob))) as option
            from responses where model = $model and condition = $condition and option_logprob is not null
        ),
        means as (select item_id, option, round(avg(score), 12) as score from each group by all)
        select item_id, option, len(choices) + 1 - rank() over (partition by item_id order by score) as place,
        from means join items using (item_id)
        qualify option = answer
        """,
            params={"model": model, "condition": condition},
        )
    )
    if not len(own) or not len(means):
        raise AudiocontribError(f"{_not_asked(model, condition)}, by the method likelihood")
    return sql(
        """
        select item_id, k, case when problem is null then place end as place,
            coalesce(problem, if(place is null, 'no likelihoods of single options', null)) as problem, model
        from keyed join own using (item_id) left join means using (item_id) order by item_id
        """,
        keyed=arrow_table(asked.con.sql("select item_id, len(choices) as k from items where answer is not null")),
        own=own,
        means=means,
    )


def _perplexity(ranks: pa.Table, rank: int) -> pa.Table:
    """Items whose gold is among the likeliest options."""
    return sql(
        f"""
        select item_id, place is not null as rejected,
            if(rejected, concat('the gold is option ', place, ' of ', k, ' by likelihood per token (at most ',
                {int(rank)}, ' is rejected)'), model || ': ' || problem) as reason
        from ranks where place is null or place <= {int(rank)}
        """,
        ranks=ranks,
    )


def _against_chance(ranks: pa.Table, rank: int) -> dict[str, float | None]:
    """How many golds are among the likeliest, beside a rank that is uniform on 1 to K."""
    known = ranks.filter(pc.is_valid(ranks["place"]))
    if not len(known):
        return {}
    chances = np.minimum(rank / integers(known["k"]), 1)
    found = int(np.count_nonzero(integers(known["place"]) <= rank))
    return {
        "gold_among_likeliest": found / len(known),
        "gold_among_likeliest_by_chance": float(chances.mean()),
        "gold_among_likeliest_p": guessing(found, chances).at_least,
    }


def _not_asked(model: str, condition: str) -> str:
    return f"the run holds no answers of {model!r} under {condition!r}; ask for them first"
