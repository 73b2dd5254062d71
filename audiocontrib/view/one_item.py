"""One item with all its answers, and what was played for it under each condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.audio import RATE, decode, make_sound, wav_bytes
from audiocontrib.conditions import find_condition, play
from audiocontrib.contribution.scope import scoped
from audiocontrib.errors import BadAudio, UsageError
from audiocontrib.items import Item
from audiocontrib.items.rows import item_from_row
from audiocontrib.report.item_answers import answers_of
from audiocontrib.report.item_sample import item_json
from audiocontrib.sql import arrow_table
from audiocontrib.store.marks import marks
from audiocontrib.store.own import audio_root
from audiocontrib.view.counted import NUMBERS, Counted
from audiocontrib.view.items import split_rows

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from audiocontrib.audio import Sound
    from audiocontrib.store import Run

PLAYED = """
select item_id, condition, max(partner_id) as partner, list(distinct model order by model) as models
from chosen_answers group by all
"""
HEARD = """
select partner_id, audio_sha256, audio_seconds from responses
where item_id = $1 and condition = $2 and ($3 = '' or model = $3) and outcome <> 'failed' limit 1
"""


def items_shown(run: Run, counted: Counted, ids: list[str], split: Path | None = None) -> list[dict[str, Any]]:
    """Items as ``templates/item.js`` draws them, with ``marks`` and ``sounds``, in the order of their ids here.

    Args:
        split: the table of the saved split of their parts; None: none.

    Returns:
        JSON values; of ``sounds`` each has condition, models, partner (whose clip is played, or null) and ``silent``:
        why nothing can be played, or an empty text.

    Raises:
        UsageError: the run has no such item.
    """
    with scoped(run, None, {}) as (con, _):
        con.register("chosen", pa.table({"item_id": pa.array(ids, pa.string())}))
        items, answers = _items(run, con, ids), answers_of(con)
        known = _by_item(con, f"select item_id, {', '.join(NUMBERS)} from {counted.table}")
        played = _by_item(con, PLAYED)
        parts = _by_item(con, f"select item_id, split, score, reason from {split_rows(split)}") if split else {}
    said = [row | {"at": row["at"].isoformat()} for row in marks(run).to_pylist()]
    shown = []
    for item in items:
        own = {"split": "", "reason": None} | known[item.id][0] | next(iter(parts.get(item.id, [])), {})
        sounds = [row | {"silent": _why_silent(row["condition"], item)} for row in played.get(item.id, [])]
        its_marks = [row for row in said if row["item_id"] == item.id]
        shown.append(item_json(item, own, answers.get(item.id, [])) | {"sounds": sounds, "marks": its_marks})
    return shown


def items_by_id(run: Run, ids: list[str]) -> list[Item]:
    """The items of these ids, in this order. UsageError if one is not there."""
    with run.views() as con:
        return _items(run, con, ids)


def _by_item(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a query about the chosen items, by item."""
    found: dict[str, list[dict[str, Any]]] = {}
    rows = con.sql(f"from ({query}) where item_id in (select item_id from chosen) order by all")
    for row in arrow_table(rows).to_pylist():
        found.setdefault(row.pop("item_id"), []).append(row)
    return found


def _items(run: Run, con: duckdb.DuckDBPyConnection, ids: list[str]) -> list[Item]:
    rows = arrow_table(con.sql("from items where item_id in (select unnest($1::varchar[]))", params=[ids]))
    root = audio_root(run.path, run.manifest, run.named_root)
    found = {row["item_id"]: item_from_row(row, root) for row in rows.to_pylist()}
    if missing := [name for name in ids if name not in found]:
        raise UsageError(f"the run holds no item {missing[0]!r:.120}")
    return [found[name] for name in ids]


def _why_silent(spec: str, item: Item) -> str:
    kind = find_condition(spec)
    if kind is None:
        return "this condition is not known here"
    if not kind.has_audio:
        return "nothing is played"
    return "the item has no clip" if kind.needs_clip and not kind.borrows_clip and item.audio is None else ""


def played_sound(run: Run, item_id: str, spec: str, model: str = "") -> tuple[bytes, str]:
    """What was played for an item under a condition, made anew as it was made for the model.

    Args:
        model: whose; empty: any. Models hear differently much of a long clip.

    Returns:
        A WAV, and ``same`` where its samples are those that were sent, ``other`` where they are not, ``unknown`` where
        the run does not say what was sent.

    Raises:
        UsageError: there is no such item, or nothing was played.
        BadAudio: the clip cannot be had.
    """
    kind = find_condition(spec)
    if kind is None or not kind.has_audio:
        raise UsageError(f"under {spec!r:.120} nothing is played that is known here")
    with run.views() as con:
        told = con.execute(HEARD, [item_id, spec, model]).fetchall()
        partner, sha256, seconds = told[0] if told else (None, None, None)
        if kind.borrows_clip and partner is None:
            raise UsageError(f"the run does not say whose clip was played to {item_id!r:.120} under {spec!r:.120}")
        found = _items(run, con, [item_id, *([partner] if partner else [])])
    sound = play(kind, _clip(found[-1]) if kind.needs_clip else None, item_id)
    if sound is None:
        raise BadAudio("nothing is played")
    if seconds is not None and sound.sha256 != sha256 and sound.seconds > seconds:
        sound = make_sound(sound.samples[: round(seconds * RATE)])
    heard = "same" if sound.sha256 == sha256 else "other"
    return wav_bytes(sound.samples, RATE), "unknown" if sha256 is None else heard


def _clip(item: Item) -> Sound:
    if item.audio is None:
        raise BadAudio("the row names no audio")
    return decode(item.audio)
