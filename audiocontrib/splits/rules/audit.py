"""Audit rule: what a text-only classifier that never saw the clip believes of the gold."""

from __future__ import annotations

from typing import Literal

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.splits.base import RuleInput, RuleResult, rule
from audiocontrib.sql import arrow_table, sql


@rule("audit", 0.5, "a text-only classifier's out-of-fold belief in the gold, over chance")
def audit(asked: RuleInput, score: Literal["text_both", "text_options", "text_question"] = "text_both") -> RuleResult:
    """The score is 1 - max(0, (p - 1/K) / (1 - 1/K)), with p the classifier's posterior of the gold.

    Args:
        score: a column of the view ``audit``: ``text_both`` (question and options), ``text_options`` or
            ``text_question``; made by an audit of the run.

    Raises:
        UsageError: no such column.
        AudiocontribError: the run holds no audit.
    """
    views = asked.con.execute("select table_name from information_schema.tables").fetchall()
    columns = asked.con.sql("from audit limit 0").columns if ("audit",) in views else []
    if len(columns) < 2:
        raise AudiocontribError(
            "the run holds no audit; make one first, with `audiocontrib audit` on this run or ac.audit(run)"
        )
    if score not in columns[1:]:
        raise UsageError(f"the audit has no score {score!r}; there are: {', '.join(columns[1:])}")
    believed = arrow_table(
        asked.con.sql(
            f'select item_id, "{score}" as p, 1 / len(choices) as chance from items left join audit using (item_id)'
        )
    )
    table = sql(
        f"""
        with over as (select item_id, p, chance, 1 - greatest(0, (p - chance) / (1 - chance)) as score from believed)
        select item_id, score, null::double as guessing,
            case
                when score is null then 'undecided'
                when score >= {float(asked.threshold)!r} then 'strong'
                else 'weak'
            end as split,
            case
                when score is not null then format('a text-only classifier gives the gold {{:.2f}} (chance {{:.2f}})',
                    p, chance)
                else 'the audit has no score for it: no answer key, or not in its sample'
            end as reason
        from over
        """,
        believed=believed,
    )
    return RuleResult(table, {"score": score})
