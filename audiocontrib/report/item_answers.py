"""What each model answered to an item under each condition: its vote, its single answers, its replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audiocontrib.contribution.run_view import replaced_view
from audiocontrib.contribution.votes import vote_table
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
REPLIES, REPLY = 6, 1_000
"""Replies of a model under a condition that are shown, and characters of each."""

ANSWERS = """
create or replace temp table chosen_answers as
select item_id, model, condition, "order", method, outcome, choice, correct, posterior, reply, error, evidence,
    partner_id
from responses where item_id in (select item_id from chosen)
"""


def answers_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[Row]]:
    """Of the items in the table ``chosen``: item_id -> an entry for each model, condition and method.

    An entry is an element of ``answers`` at the head of ``templates/item.js``, without what is empty; all are JSON
    values.

    Args:
        con: a run's views in scope, and ``chosen`` with item_id.
    """
    con.execute(ANSWERS)  # the answers of a run are looked through once
    with (
        replaced_view(con, "responses", lambda _: "from chosen_answers"),
        replaced_view(con, "items", lambda whole: f"from {whole} where item_id in (select item_id from chosen)"),
    ):
        rows = arrow_table(con.sql("from responses order by all")).to_pylist()
        cast = {
            (method, vote["item_id"], vote["model"], vote["condition"]): vote
            for method in sorted({row["method"] for row in rows})
            for vote in vote_table(con, None, method).to_pylist()
        }
        sizes = dict(con.sql("select item_id, len(choices) from items").fetchall())
        golds = dict(con.sql("select item_id, answer from items").fetchall())
    cells: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row["method"], row["item_id"], row["model"], row["condition"]].append(row)
    made: dict[str, list[Row]] = defaultdict(list)
    for cell, own in cells.items():
        vote = _result(cast[cell], golds[cell[1]])
        entry = {"model": cell[2], "condition": cell[3], "method": cell[0]} | vote | _singles(own, sizes[cell[1]])
        made[cell[1]].append({name: value for name, value in entry.items() if value not in (None, "", [], {})})
    for own in made.values():
        own.sort(key=lambda entry: (entry["model"], entry["condition"] != "audio", entry["condition"], entry["method"]))
    return made


def _result(vote: Row, gold: int | None) -> Row:
    """What the vote comes to, in a word."""
    if vote["problem"] is not None:
        result = "no vote"
    elif gold is None:
        result = "no gold"
    elif vote["correct"]:
        result = "right"
    elif vote["abstained"]:
        result = "abstained"
    else:
        result = "no choice" if vote["choice"] is None else "wrong"
    return {"result": result, "choice": vote["choice"], "problem": vote["problem"]}


def _singles(rows: Sequence[Row], options: int) -> Row:
    """The single answers, counted and averaged over the orders; and the replies."""
    told = [row["posterior"] for row in rows if row["posterior"]]
    outcomes, chosen = defaultdict[str, int](int), [0] * options
    for row in rows:
        outcomes[row["outcome"]] += 1
        if row["choice"] is not None:
            chosen[row["choice"]] += 1
    return {
        "n": len(rows),
        "right": sum(bool(row["correct"]) for row in rows),
        "outcomes": {name: n for name, n in outcomes.items() if name != "answered"},
        "chosen": chosen if not told else None,
        "posterior": [round(sum(p[n] for p in told) / len(told), 4) for n in range(options)] if told else None,
        "replies": [
            {name: row[name] for name in ("order", "outcome", "choice")} | {"text": _cut(row["reply"] or row["error"])}
            for row in rows
            if row["reply"] or row["error"]
        ][:REPLIES],
        "evidence": _cut(next((row["evidence"] for row in rows if row["evidence"]), "")),
    }


def _cut(text: str) -> str:
    return text if len(text) <= REPLY else f"{text[:REPLY]} …"
