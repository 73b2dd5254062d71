"""Decoy rule: weak only where the share of false discoveries is bounded; the rest is strong or undecided."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt

from audiocontrib.contribution.decoys import contest, leak_share, local_leak, q_values, shared_preferences
from audiocontrib.splits.base import RuleInput, RuleResult, rule
from audiocontrib.sql import sql

CERTIFIED_FEW = 0.1
"""Certified items, as a share of the leaks that the set holds, below which items cannot be told apart."""


@rule("fdr", 0.9, "wrong options as decoys: weak only at a controlled false-discovery rate", by_score=False)
def fdr(
    asked: RuleInput, fdr: Annotated[float, Field(gt=0, lt=1)] = 0.1, balanced: bool = False, seed: NonNegativeInt = 0
) -> RuleResult:
    """Weak where the decoys bound the false-discovery rate, strong where a leak is unlikely, else undecided.

    The score is 1 - P(leak | margin) from the decoys (:func:`audiocontrib.contribution.decoys.local_leak`): 1
    where a wrong option is on top. An item is weak if its q-value is at most ``fdr``; else strong if its score
    reaches the threshold; else undecided.

    Args:
        fdr: the target: of the items called weak, at most this share owes it to luck (in expectation).
        balanced: make a strong set that is nearer to chance without the audio, instead of one on which the
            models of the filter are far below it: an item whose gold is on top, and which is not weak, is strong
            with probability 1 - P(leak), drawn by ``seed`` and the item's id; else undecided. Wrong options on top
            are strong as before. What is certified as weak stays weak, so the models of the filter stay a
            little below chance.
    """
    ids, entered = contest(asked.con, scope=asked.scope)
    leak, q = local_leak(entered), q_values(entered)
    entered_table = ids.append_column("won", pa.array(entered.won))
    for name, values in (("margin", entered.margin), ("leak", leak), ("q", q)):
        entered_table = entered_table.append_column(name, pa.array(values))
    drawn = f"md5_number_lower(item_id || '|{int(seed)}') / 18446744073709551616.0"
    keep = f"{drawn} >= leak" if balanced else f"1 - leak >= {float(asked.threshold)!r}"
    table = sql(
        f"""
        select item_id, 1 - leak as score, null::double as guessing,
            case
                when leak is null then 'undecided'
                when won and q <= {fdr!r} then 'weak'
                when not won or {keep} then 'strong'
                else 'undecided'
            end as split,
            case
                when leak is null and votes_right is null and len(missing) = 0 then 'the item has no answer key'
                when leak is null then array_to_string(missing, '; ')
                when not won then format('a wrong option is on top by {{:.2f}} nats', margin)
                else format('gold on top by {{:.2f}} nats, P(leak) = {{:.2f}}, q = {{:.3f}}', margin, leak, q)
            end as reason
        from scores left join entered using (item_id)
        """,
        scores=asked.scores,
        entered=entered_table,
    )
    share, interval = leak_share(entered, seed=seed)
    shared = shared_preferences(asked.con, scope=asked.scope)
    certified = int((entered.won & (q <= fdr)).sum())
    findings = {
        "certified": certified,
        "leak_share": _known(share),
        "leak_share_interval": [_known(end) for end in interval],
        "shared_preferences": _known(shared),
        "least_certifiable": {int(k): math.ceil(1 / ((k - 1) * fdr)) for k in np.unique(entered.k)},
        "items_in_contest": len(entered.k),
    }
    return RuleResult(table, findings, _warnings(certified, len(entered.k), share, interval.low, interval.high, fdr))


def _warnings(certified: int, n: int, share: float, low: float, high: float, fdr: float) -> tuple[str, ...]:
    if not (low > 0 and certified < CERTIFIED_FEW * share * n):
        return ()
    return (
        f"{certified} items can be called answerable from their text at a false-discovery rate of {fdr:g}, although "
        f"{share:.0%} ({low:.0%} to {high:.0%}) of the set is: item by item that is not identified, only the "
        "set-level share is (too few items, or models that share their preferences; ask models of other families)",
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
