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
from audiocontrib.store.splits import TABLE
from audiocontrib.store.views import parquet
from audiocontrib.view.counted import NUMBERS, Counted

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.audio import Sound
    from audiocontrib.store import Run

PLAYED = """
select condition, max(partner_id) as partner, list(distinct model order by model) as models
from responses where item_id = $1 group by 1 order by 1
"""
HEARD = """
select partner_id, audio_sha256, audio_seconds from responses
where item_id = $1 and condition = $2 and ($3 = '' or model = $3) and outcome <> 'failed' limit 1
"""


def item_shown(run: Run, counted: Counted, item_id: str, split: str = "") -> dict[str, Any]:
    """An item as ``templates/item.js`` draws it, with ``marks`` and ``sounds``.

    Args:
        split: name of the saved split of its part; empty: none.

    Returns:
        JSON values; of ``sounds`` each has condition, models, partner (whose clip is played, or null) and ``silent``:
        why nothing can be played, or an empty text.

    Raises:
        UsageError: the run has no such item.
    """
    with scoped(run, None, {}) as (con, _):
        [item] = _items(run, con, [item_id])
        con.register("chosen", pa.table({"item_id": [item_id]}))
        answers = answers_of(con).get(item_id, [])
        played = arrow_table(con.sql(PLAYED, params=[item_id])).to_pylist()
        known = f"select {', '.join(NUMBERS)} from {counted.table} c where item_id = $1"
        [numbers] = arrow_table(con.sql(known, params=[item_id])).to_pylist()
        if split:
            parts = parquet([run.split(split).folder / TABLE])
            own = con.sql(f"select split, score, reason from {parts} where item_id = $1", params=[item_id])
            numbers |= next(iter(arrow_table(own).to_pylist()), {})
    said = [row | {"at": row["at"].isoformat()} for row in marks(run).to_pylist() if row["item_id"] == item_id]
    sounds = [row | {"silent": _why_silent(row["condition"], item)} for row in played]
    return item_json(item, {"split": "", "reason": None} | numbers, answers) | {"sounds": sounds, "marks": said}


def _items(run: Run, con: duckdb.DuckDBPyConnection, ids: list[str]) -> list[Item]:
    """The items of these ids, in this order. UsageError if one is not there."""
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
    return wav_bytes(
        sound.samples, RATE
    ), "unknown" if sha256 is None else "same" if sound.sha256 == sha256 else "other"


def _clip(item: Item) -> Sound:
    if item.audio is None:
        raise BadAudio("the row names no audio")
    return decode(item.audio)
