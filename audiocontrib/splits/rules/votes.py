"""The published rule: the models vote without the audio."""

from __future__ import annotations

from math import ceil

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.arrow import integers
from audiocontrib.splits.base import ABSTAINED, RuleInput, RuleResult, rule
from audiocontrib.sql import arrow_table, sql
from audiocontrib.statistics import binomial_at_least


@rule("votes", 0.5, "share of the models that are wrong without the audio (the published rule)")
def votes(asked: RuleInput) -> RuleResult:
    """The published rule (arXiv 2509.21060): the score is the share of the models that are wrong.

    With three models and a threshold of 1/2, an item is weak if at least two are right without the audio.
    An item without a key, or for which a vote is missing, is undecided. A model that abstains is not right; where
    all models guess, it cannot be right by luck either.
    """
    models = asked.scores["models"][0].as_py() if len(asked.scores) else 0
    needed = ceil(asked.threshold * models)  # in whole votes: comparing the shares would be at the mercy of rounding
    sizes = arrow_table(asked.con.sql("select item_id, len(choices) as k from items order by item_id"))
    answered = models - integers(pc.list_value_length(asked.scores["models_abstained"]))
    chance = 1 / sizes["k"].to_numpy()
    guessing = pa.array(binomial_at_least(models - needed + 1, answered, chance))
    table = sql(
        f"""
        select item_id, score, guessing,
            case
                when score is null then 'undecided'
                when models - votes_right >= {needed} then 'strong'
                else 'weak'
            end as split,
            case
                when len(missing) > 0 then array_to_string(missing, '; ')
                when votes_right is null then 'the item has no answer key'
                else concat_ws('; ', concat(votes_right, ' of ', models, if(models = 1, ' model', ' models'),
                    ' right under ', under, if(votes_right > 0, ' (' || array_to_string(models_right, ', ') || ')', '')
                    ), {ABSTAINED})
            end as reason
        from scores join guesses using (item_id)
        """,
        scores=asked.scores.append_column("under", pa.repeat(pa.scalar(asked.condition), len(asked.scores))),
        guesses=sizes.append_column("guessing", guessing),
    )
    return RuleResult(table)
