"""The ear against the text: which does a model follow where they disagree?

Under ``conflict`` an item is played with a clip that says another of its options. The text says what the model answers
without the audio. Where both say the same, nothing can be told; elsewhere an answer follows the one, the other or
neither (compare the text dominance ratio of arXiv 2602.11488).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of, texts
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, check_contrast, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.items.gold import folded
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import mean_by_clip

if TYPE_CHECKING:
    import duckdb

SHARES = ("ear", "text", "neither", "abstained")
CONFLICT_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "model", "condition", "against"), pa.string()),
    **dict.fromkeys(("n", "agree", "no_text"), pa.int64()),
    **dict.fromkeys([f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")], pa.float64()),
    chance=pa.float64(),
)

PLAYED = """
select distinct item_id, condition, partner_id from responses
where split_part(condition, ':', 1) = 'conflict' and partner_id is not null
"""


def conflicts(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per data set, model and ``conflict`` (CONFLICT_SCHEMA).

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; its condition says what
            the text says.

    Returns:
        Of the items with a vote under ``conflict`` and a choice under the scope's condition (``against``): ``n`` where
        ear and text say different options, ``agree`` where they say the same and so tell nothing, ``no_text`` that
        have no choice without the audio. Of the n: the shares whose answer is the option that the clip says (ear),
        the one chosen without the audio (text), another one or none (neither), and that decline (abstained), each with
        a 95 % interval clustered by clip. ``chance``, the mean of 1/K, is the share that guessing gives to each of ear
        and text. Empty where ``conflict`` or the scope's condition was not asked.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        return pa.Table.from_pylist(_rows(con, checked), schema=CONFLICT_SCHEMA)


def _rows(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> list[dict[str, Any]]:
    said = _said(con)
    told = count_answers(con, conditions=[scope.condition, *said], method=scope.method)
    cells = {cell: place for place, cell in enumerate(told.cells)}
    cast = count_votes(told)
    about = arrow_table(
        con.sql("select dense_rank() over (order by clip_id) as clip, dataset from items order by item_id")
    )
    clip, dataset = integers(about["clip"]), np.array(texts(about["dataset"]), dtype=object)
    rows = []
    for (model, condition), cell in cells.items():
        text = cells.get((model, scope.condition))
        if condition not in said or text is None:
            continue
        ear = said[condition]
        voted = (cast.problem[:, cell] == 0) & (cast.problem[:, text] == 0) & (ear >= 0)
        for name in sorted(set(dataset[voted])):
            own = voted & (dataset == name)
            reads = own & (cast.choice[:, text] >= 0)
            apart = reads & (cast.choice[:, text] != ear)
            place = {"dataset": name, "model": model, "condition": condition, "against": scope.condition}
            counts = {"n": int(apart.sum()), "agree": int((reads & ~apart).sum()), "no_text": int((own & ~reads).sum())}
            follows = _follows(cast.choice[apart, cell], cast.abstained[apart, cell], ear[apart],
                               cast.choice[apart, text])  # fmt: skip
            chance = {"chance": float(cast.chance[apart].mean())} if apart.any() else {}
            rows.append(place | counts | _shares(follows, clip[apart]) | chance)
    return rows


def _said(con: duckdb.DuckDBPyConnection) -> dict[str, NDArray[np.int64]]:
    """Condition -> the option that each item's foreign clip says, (n,); -1: none was played, or it says no option."""
    if "partner_id" not in con.sql("from responses limit 0").columns:  # a majority of repeats does not keep it
        return {}
    items = arrow_table(con.sql("select item_id, choices, answer from items order by item_id")).to_pylist()
    places = {item["item_id"]: place for place, item in enumerate(items)}
    said: dict[str, NDArray[np.int64]] = {}
    for item_id, condition, partner_id in con.execute(PLAYED).fetchall():
        ears = said.setdefault(condition, np.full(len(items), -1))
        if (own := places.get(item_id)) is not None and (other := places.get(partner_id)) is not None:
            gold = folded(items[other]["choices"][items[other]["answer"]])
            offered = [folded(choice) for choice in items[own]["choices"]]
            ears[own] = offered.index(gold) if gold in offered else -1
    return said


def _follows(
    choice: NDArray[np.int64], declined: NDArray[np.bool_], ear: NDArray[np.int64], text: NDArray[np.int64]
) -> NDArray[np.object_]:
    """One of SHARES for each answer, (n,)."""
    return np.select([declined, choice == ear, choice == text], ["abstained", "ear", "text"], "neither").astype(object)


def _shares(follows: NDArray[np.object_], clip: NDArray[np.int64]) -> dict[str, float | None]:
    row: dict[str, float | None] = {}
    for name in SHARES if len(follows) else ():
        low, high = mean_by_clip(follows == name, clip).interval().ends()
        row |= {name: float((follows == name).mean()), f"{name}_low": low, f"{name}_high": high}
    return row
