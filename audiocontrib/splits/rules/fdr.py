"""Decoy rule: weak only where the share of false discoveries is bounded; the rest is strong or undecided."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from audiocontrib.arrow import integers
from audiocontrib.contribution.accuracies import check_groups, group_value
from audiocontrib.contribution.contest import Decoys, contest
from audiocontrib.contribution.decoys import q_values
from audiocontrib.contribution.foreign_golds import foreign_contest
from audiocontrib.contribution.leak_estimates import local_leak
from audiocontrib.contribution.response_matrix import Ints
from audiocontrib.contribution.strong_evidence import golds_that_may_be_strong
from audiocontrib.splits.base import ABSTAINED, RuleInput, RuleResult, abstained_by_all, rule
from audiocontrib.splits.decoy_findings import told
from audiocontrib.splits.decoy_warnings import Called
from audiocontrib.sql import arrow_table, sql


@rule(
    "fdr", 0.9, "wrong options as decoys: weak only at a controlled false-discovery rate", by_score=False,
    before={"decoys": "all"},
)  # fmt: skip
def fdr(
    asked: RuleInput,
    fdr: Annotated[float, Field(gt=0, lt=1)] = 0.1,
    decoys: Decoys = "top-two",
    strata: str | None = None,
    balanced: bool = False,
    seed: NonNegativeInt = 0,
) -> RuleResult:
    """Weak where the decoys bound the false-discovery rate, strong where a leak is unlikely, else undecided.

    The score is 1 - P(leak | margin), of :func:`~audiocontrib.contribution.leak_estimates.local_leak`: 1 where a wrong
    option is on top. An item is weak if its q-value is at most ``fdr``. A wrong option on top is strong. Other golds on
    top are strong only where luck explains them all, up to a share 1 - threshold of leaks (by its upper limit); else
    they are undecided. ``all`` decides as it always did: by whether the score reaches the threshold. A model that
    abstains on an item has no vote there; an item on which no vote names an option is undecided.

    Args:
        fdr: the target: of the items called weak, at most this share owes it to luck (on average over such sets).
        decoys: ``top-two``: the strongest wrong option; ``all``: every one; ``foreign``: the gold of another item, from
            answers under the condition ``foreign``. What each assumes is in
            :data:`audiocontrib.contribution.decoys.ASSUMED`.
        strata: question_type, source_dataset, dataset, split or extra.NAME: the bound holds within each value.
        balanced: make a strong set that is nearer to chance without the audio, instead of one on which the
            models of the filter are far below it: an item whose gold is on top, and which is not weak, is strong
            with probability 1 - P(leak), drawn by ``seed`` and the item's id; else undecided. Wrong options on top
            are strong as before. What is certified as weak stays weak, so the models of the filter stay a
            little below chance.
    """
    ids, entered = contest(asked.con, scope=asked.scope)
    rivals, contested = entered, ids
    if decoys == "foreign":
        ids, entered, rivals = foreign_contest(asked.con, asked.scope, ids, entered)
    names, codes = _strata(asked, ids, strata)
    leak, q = local_leak(entered, decoys), q_values(rivals, decoys, codes)
    weak: NDArray[np.bool_] = rivals.won & (q <= fdr)
    strong = entered.rank > 0
    if decoys == "all":
        strong |= 1 - leak >= float(asked.threshold)
    elif not balanced:
        strong |= golds_that_may_be_strong(entered, weak, 1 - float(asked.threshold))
    columns = {"won": rivals.won, "top": entered.won, "margin": rivals.margin, "leak": leak, "q": q}
    columns |= {"weak": weak, "strong": strong & ~weak}
    entered_table = pa.Table.from_pydict({"item_id": ids["item_id"], **columns})
    table = _placed(asked, contested, entered_table, decoys, balanced=balanced, seed=seed)
    called = Called(entered, rivals, q, weak, fdr, decoys, names, codes)
    findings, warnings = told(asked, called, _strong(table, ids))
    declined, said = abstained_by_all(asked.scores)
    return RuleResult(table, findings | declined, (*warnings, *said))


def _placed(
    asked: RuleInput, contested: pa.Table, entered: pa.Table, decoys: Decoys, *, balanced: bool, seed: int
) -> pa.Table:  # fmt: skip
    """The parts and reasons; ``contested`` are the items with a contest, ``entered`` those with one of the decoys."""
    drawn = f"(top and md5_number_lower(item_id || '|{int(seed)}') / 18446744073709551616.0 >= leak)"
    rival = "another gold" if decoys == "foreign" else "a wrong option"
    unseen = "no item of its kind lends it a gold, or its answers with one are missing"
    return sql(
        f"""
        select item_id, 1 - leak as score, null::double as guessing,
            case
                when leak is null then 'undecided'
                when weak then 'weak'
                when not top or {drawn if balanced else "strong"} then 'strong'
                else 'undecided'
            end as split,
            concat_ws('; ', case
                when leak is null and votes_right is null and len(missing) = 0 then 'the item has no answer key'
                when leak is null and len(missing) > 0 then array_to_string(missing, '; ')
                when leak is null and item_id not in (select item_id from contested) then 'no vote names an option'
                when leak is null then '{unseen}'
                when not top then format('a wrong option is on top by {{:.2f}} nats', margin)
                when not won then format('{rival} is as likely as the gold or more, by {{:.2f}} nats', margin)
                else format('gold on top by {{:.2f}} nats, P(leak) = {{:.2f}}, q = {{:.3f}}', margin, leak, q)
            end, {ABSTAINED}) as reason
        from scores left join entered using (item_id)
        """,
        scores=asked.scores,
        contested=contested.select(["item_id"]),
        entered=entered,
    )


def _strong(table: pa.Table, ids: pa.Table) -> NDArray[np.bool_]:
    found = sql(
        "select (split = 'strong')::int as strong from ids join decided using (item_id) order by item_id",
        ids=ids, decided=table,
    )  # fmt: skip
    return integers(found["strong"]) > 0


def _strata(asked: RuleInput, ids: pa.Table, strata: str | None) -> tuple[list[str], Ints | None]:
    """The values that bounds hold within, and which one each item has; items sorted by id."""
    if strata is None:
        return [], None
    check_groups(asked.con, [strata], "strata")
    named = arrow_table(asked.con.sql(f"select item_id, coalesce({group_value(strata)}, '') as name from items"))
    held = sql("select name from ids join named using (item_id) order by item_id", ids=ids, named=named)
    names, codes = np.unique(np.asarray(held["name"].to_pylist(), dtype=str), return_inverse=True)
    return names.tolist(), codes.astype(np.int64)
