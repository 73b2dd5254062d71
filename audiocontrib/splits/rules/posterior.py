"""Posterior rule: the probability that the text answers the item, given all answers without the audio."""

from __future__ import annotations

import pyarrow.compute as pc

from audiocontrib.arrow import equal
from audiocontrib.contribution.agreement import SHARED_LIMIT, shared_preferences
from audiocontrib.contribution.answerable import answerable
from audiocontrib.splits.base import ABSTAINED, RuleInput, RuleResult, abstained_by_all, rule
from audiocontrib.sql import sql


@rule("posterior", 0.5, "1 - P(answerable without audio), by a model of luck that repeats over option orders")
def posterior(asked: RuleInput) -> RuleResult:
    """The score is 1 - P(answerable without the audio | all answers under the condition).

    The model is that of :mod:`audiocontrib.contribution.answerable`; where the design cannot identify it, the
    rule refuses with the reason. It takes the models' luck as independent of each other: where they share their
    preferences it is too sure, and a warning says so. A reply that declines is no guess and does not count; an item on
    which every model abstains is undecided.
    """
    table, fit = answerable(asked.con, scope=asked.scope)
    shared = shared_preferences(asked.con, scope=asked.scope)
    decided = sql(
        f"""
        select item_id, 1 - p_answerable as score, null::double as guessing,
            case
                when p_answerable is null then 'undecided'
                when 1 - p_answerable >= {float(asked.threshold)!r} then 'strong'
                else 'weak'
            end as split,
            case
                when votes_right is null and len(missing) = 0 then 'the item has no answer key'
                when p_answerable is not null
                    then concat_ws('; ', format('P(answerable without audio) = {{:.3f}}', p_answerable), {ABSTAINED})
                else concat_ws('; ', nullif(array_to_string(missing, '; '), ''), {ABSTAINED})
            end as reason
        from scores left join answerable using (item_id)
        """,
        scores=asked.scores,
        answerable=table,
    )
    weak = decided.filter(equal(decided["split"], "weak"))
    findings = {
        "answerable_share": fit.share,
        "answerable_share_interval": list(fit.share_interval),
        "alpha": fit.alpha,
        "beta": fit.beta,
        "icc": fit.icc,
        "expected_false_weak_share": pc.mean(weak["score"]).as_py(),
        "shared_preferences": None if shared != shared else shared,
    }
    declined, said = abstained_by_all(asked.scores)
    return RuleResult(decided, findings | declined, (*_warnings(shared), *said))


def _warnings(shared: float) -> tuple[str, ...]:
    if not shared > SHARED_LIMIT:
        return ()
    return (
        f"the models choose the same wrong options (agreement {shared:.2f} beyond chance, above {SHARED_LIMIT}): "
        "their luck is not independent, and P(answerable) of an item is too sure; only the set-level share is "
        "identified: see the rule fdr",
    )
