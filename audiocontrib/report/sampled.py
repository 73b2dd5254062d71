"""The items that a report shows one by one: all of a small run, a sample by stratum of a large one."""

from __future__ import annotations

import base64
import io
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.errors import BadAudio
from audiocontrib.items import Item

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.store import Run

MOST = 400
"""Items in a report."""
EMBEDDED = 3_000_000
"""Bytes of encoded clips that a page may carry; what is beyond is linked."""
LONGEST = 30.0
"""Seconds of a clip that are embedded."""

SAMPLE = """
with placed as (
    select i.item_id, i.question_type, coalesce(s.split, '') as split,
        row_number() over (partition by i.question_type, coalesce(s.split, '') order by md5(i.item_id)) as place
    from items i left join splits s on s.item_id = i.item_id and s.name = $split
)
select item_id, split, question_type from placed order by place, md5(item_id) limit $most
"""
"""The first of every stratum (question type x part of the split) before the second of any."""

ANSWERS = """
select item_id, model, condition, "order", outcome, choice, correct, posterior, reply, error, evidence
from responses where item_id in (select item_id from chosen) order by all
"""


def sampled(run: Run, split: str | None, scores: pa.Table, most: int = MOST) -> tuple[list[dict[str, Any]], int]:
    """Up to ``most`` items with their options, answers and clip, as JSON values; and how many clips are embedded.

    Args:
        split: name of the split whose parts are strata, or None.
        scores: :func:`audiocontrib.contribution.contributions`.
    """
    with run.connect() as con:
        chosen = con.sql(SAMPLE, params={"split": split or "", "most": most}).to_arrow_table()
        con.register("chosen", chosen)
        answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in con.sql(ANSWERS).to_arrow_table().to_pylist():
            answers[row.pop("item_id")].append(row)
        parts = {row["item_id"]: row["split"] for row in chosen.to_pylist()}
        known = _known(con, scores)
        places = con.sql(
            "select place from (select item_id, row_number() over () - 1 as place from items) "
            "where item_id in (select item_id from chosen) order by place"
        ).fetchall()
    items = run.load_items()
    taken = list(items.take([place for (place,) in places]))
    rows = [_row(item, parts[item.id], known.get(item.id, {}), answers[item.id]) for item in taken]
    clips: dict[str, str | None] = {}
    left = EMBEDDED
    for row, item in zip(rows, taken, strict=True):
        if item.audio is None:
            continue
        if item.clip_id not in clips:
            encoded = _encoded(item, left)
            left -= len(encoded) if encoded else 0
            clips[item.clip_id] = encoded
        row["clip"] = item.clip_id
        row["path"] = str(item.audio)
    used = {name: data for name, data in clips.items() if data}
    for row in rows:
        row["audio"] = used.get(row.get("clip", ""))
    return rows, len(used)


def _known(con: duckdb.DuckDBPyConnection, scores: pa.Table) -> dict[str, dict[str, Any]]:
    """p_audio, p_silence, p_text and score of the chosen items."""
    con.register("scores", scores)
    found = con.sql(
        "select item_id, score, p_audio, p_silence, p_text, contribution, unsolved from scores "
        "where item_id in (select item_id from chosen)"
    ).to_arrow_table()
    return {row.pop("item_id"): {k: _round(v) for k, v in row.items()} for row in found.to_pylist()}


def _row(item: Item, part: str, known: dict[str, Any], answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": item.id,
        "type": item.question_type,
        "split": part,
        "question": item.question,
        "choices": list(item.choices),
        "gold": item.answer,
        **known,
        "answers": _by_cell(answers, len(item.choices)),
    }


def _by_cell(answers: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    """One entry per model and condition: mean posterior over the orders, and the replies."""
    cells: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in answers:
        cells[row["model"], row["condition"]].append(row)
    made = []
    for (model, condition), rows in cells.items():
        told = [row["posterior"] for row in rows if row["posterior"]]
        mean = [_round(sum(p[option] for p in told) / len(told)) for option in range(k)] if told else None
        replies = [
            {
                "order": row["order"],
                "outcome": row["outcome"],
                "choice": row["choice"],
                "text": row["reply"] or row["error"],
            }
            for row in rows
            if row["reply"] or row["error"]
        ]
        evidence = next((row["evidence"] for row in rows if row["evidence"]), None)
        made.append(
            {"model": model, "condition": condition, "posterior": mean, "replies": replies, "evidence": evidence,
             "right": sum(bool(row["correct"]) for row in rows), "n": len(rows)}
        )  # fmt: skip
    return made


def _encoded(item: Item, left: int) -> str | None:
    """The clip as Ogg in a data URI; None where it cannot be heard, or there is no room for it."""
    import soundfile

    from audiocontrib.audio import RATE, decode

    if item.audio is None or left <= 0:
        return None
    try:
        samples = decode(item.audio).samples[: round(LONGEST * RATE)]
    except BadAudio:
        return None
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="OGG", subtype="OPUS")
    text = "data:audio/ogg;base64," + base64.b64encode(file.getvalue()).decode()
    return text if len(text) <= left else None


def _round(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def script_json(value: Any) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or start a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
