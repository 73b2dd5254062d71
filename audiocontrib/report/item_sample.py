"""The items that a report shows one by one: all of a small run, a sample by stratum of a large one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.audio.data_uri import DATA_URI, data_uri
from audiocontrib.audio.paths import locate
from audiocontrib.contribution.scope import scoped
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip, Item
from audiocontrib.report.item_answers import answers_of
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.store import Run

MOST = 400
"""Items in a report."""
EMBEDDED = 3_000_000
"""Characters of encoded clips that a page may carry; what is beyond is linked."""
TEXTS = 4_000_000
"""Bytes of questions, answers and replies that a page may carry."""
SAMPLE = """
with placed as (
    select i.item_id, i.question_type, coalesce(s.split, '') as split, s.score, s.reason,
        row_number() over (partition by i.question_type, coalesce(s.split, '') order by md5(i.item_id)) as place
    from items i left join splits s on s.item_id = i.item_id and s.name = $split
)
select item_id, split, score, reason from placed order by place, md5(item_id) limit $most
"""
"""The first of every stratum (question type x part of the split) before the second of any."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Items to be looked at one by one, as JSON values."""

    items: list[dict[str, Any]]
    """With options, scores, answers, and ``clip``: a key of ``clips``."""
    clips: dict[str, str]
    """clip_id -> what a page plays: a data URI, or the relative address of the file; only clips that can be played."""

    @property
    def embedded(self) -> int:
        """How many clips are here themselves."""
        return sum(source.startswith(DATA_URI) for source in self.clips.values())


def sampled(run: Run, split: str | None, scores: pa.Table, most: int, beside: Path) -> Sample:
    """Up to ``most`` items of a run with their options, answers and clips; fewer where their texts are too long.

    Args:
        split: name of the split whose parts are strata, or None.
        scores: :func:`audiocontrib.contribution.contributions`.
        beside: the folder that files of clips are linked from.
    """
    with scoped(run, None, {}) as (con, _):
        chosen = arrow_table(con.sql(SAMPLE, params={"split": split or "", "most": most}))
        con.register("chosen", chosen)
        answers, known = answers_of(con), _known(con, scores)
    placed = {row.pop("item_id"): row for row in chosen.to_pylist()}
    everything = run.load_items()
    places = pc.index_in(pa.array(placed, pa.string()), everything.table["item_id"].combine_chunks())
    rows: list[dict[str, Any]] = []
    clips: dict[str, str | None] = {}
    left, room = TEXTS, EMBEDDED
    for item in everything.take([place for place in places.to_pylist() if place is not None]):
        row = item_json(item, placed[item.id] | known.get(item.id, {}), answers.get(item.id, []))
        left -= len(script_json(row).encode())
        if left < 0:
            break
        rows.append(row)
        if item.audio is not None and item.clip_id not in clips:
            encoded = data_uri(item.audio, room)
            room -= len(encoded or "")
            clips[item.clip_id] = encoded or _link(item.audio, beside)
    return Sample(rows, {name: source for name, source in clips.items() if source})


def _known(con: duckdb.DuckDBPyConnection, scores: pa.Table) -> dict[str, dict[str, Any]]:
    """Of the chosen items: probabilities, contribution, and how many models are right."""
    con.register("scores", scores)
    found = arrow_table(
        con.sql(
            "select item_id, p_audio, p_silence, p_text, contribution, right_with_audio as right_audio, "
            "votes_right as right_without, unsolved from scores where item_id in (select item_id from chosen)"
        )
    )
    return {row.pop("item_id"): row for row in found.to_pylist()}


def item_json(item: Item, known: Mapping[str, Any], answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An item as ``templates/item.js`` draws it; its head says what each field is.

    Args:
        item: an item.
        known: split, score and reason by a split; p_audio, p_silence, p_text, contribution, right_audio, right_without.
        answers: of :func:`audiocontrib.report.item_answers.answers_of`.
    """
    return {
        "id": item.id,
        "type": item.question_type,
        "question": item.question,
        "choices": list(item.choices),
        "gold": item.answer,
        "clip": item.clip_id,
        "path": str(item.audio) if item.audio is not None and item.audio.path else None,
        **{name: round(value, 4) if isinstance(value, float) else value for name, value in known.items()},
        "answers": list(answers),
    }


def _link(clip: Clip, beside: Path) -> str | None:
    """The address of a clip's file from a folder; None where it is no file of its own (bytes, or in an archive)."""
    if clip.data is not None or clip.segment:  # a page would play the whole recording
        return None
    try:
        file, member = locate(clip)
    except BadAudio:
        return None
    # quoted, so that no name can be read as an address of another kind
    return quote(os.path.relpath(file, beside.resolve())) if member is None and file.is_file() else None


def script_json(value: Any) -> str:
    """JSON that can stand inside a script element: no text in it can end the element or start a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
