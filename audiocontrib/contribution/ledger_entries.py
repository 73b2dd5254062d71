"""One model's account of every item: arrays over the items, from the tables of posteriors and votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import Column, integers
from audiocontrib.contribution.calibration import Floats, calibrate
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

FLOOR = 10
"""A posterior counts as at least 1 / (FLOOR * K): one confident error must not drown all the rest."""


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """The items, sorted by id; arrays of shape (n,)."""

    item_id: Column
    gold: NDArray[np.int64]
    """-1: no key."""
    k: NDArray[np.int64]
    clip: NDArray[np.int64]
    """Items on one clip have one number, from 0 in the order of a hash of the clip's name: stable and blind."""


def item_columns(con: duckdb.DuckDBPyConnection) -> ItemColumns:
    """The items of a run."""
    table = arrow_table(
        con.sql(
            "select item_id, coalesce(answer, -1)::bigint as gold, len(choices) as k, "
            "dense_rank() over (order by md5('calibration ' || clip_id), clip_id) - 1 as clip from items "
            "order by item_id"
        )
    )
    return ItemColumns(table["item_id"], *(integers(table[name]) for name in ("gold", "k", "clip")))


def cells(table: pa.Table, n: int) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Model and condition -> rows of a table that holds all n items for each of them, in the table's own order."""
    if not len(table):
        return {}
    model, condition = (table[name].combine_chunks().dictionary_encode() for name in ("model", "condition"))
    code = model.indices.to_numpy().astype(np.int64) * len(condition.dictionary) + condition.indices.to_numpy()
    rows = np.argsort(code, kind="stable").reshape(-1, n)
    named = table.select(["model", "condition"]).take(rows[:, 0]).to_pylist()
    return {(name["model"], name["condition"]): own for name, own in zip(named, rows, strict=True)}


def log2_gold(log_p: Floats, keys: ItemColumns) -> Floats:
    """log2 p(gold) from natural log-posteriors (n, K), at least log2 1/(FLOOR K); NaN without key or answer."""
    at_gold = np.take_along_axis(log_p, np.maximum(keys.gold, 0)[:, None], axis=1)[:, 0]
    return np.where(keys.gold < 0, np.nan, np.maximum(at_gold / np.log(2), -np.log2(FLOOR * keys.k)))


def calibrated_bits(own: Sequence[Floats], text: Floats | None, keys: ItemColumns) -> tuple[Floats, list[float] | None]:
    """log2 p(gold), calibrated out of fold, (n,): the mean over the donors that answered.

    Args:
        own: log-posteriors (n, K) under a condition, one for each donor (else only one); they share their weights.
        text: the log-posterior under ``text`` where it is to have a weight too.

    Returns:
        log2 p(gold), and the mean weights over the folds (of own, of text); None: too few items to learn them.
    """
    donors = len(own)
    inputs = np.concatenate(own)[None]
    if text is not None:
        inputs = np.concatenate([inputs, np.tile(text, (donors, 1))[None]])
    fitted = calibrate(inputs, np.tile(keys.gold, donors), np.tile(keys.clip, donors))
    weights = None if fitted.weights is None else fitted.weights.mean(axis=0).tolist()
    return over_donors([log2_gold(log_p, keys) for log_p in np.split(fitted.log_p, donors)]), weights


def over_donors(bits: Sequence[Floats]) -> Floats:
    """The mean over the donors that have a value; NaN where none has."""
    each = np.stack(bits)
    count = (~np.isnan(each)).sum(axis=0)
    return np.where(count > 0, np.nansum(each, axis=0) / np.maximum(count, 1), np.nan)


def ledger_entries(
    raw: Mapping[str, Floats],
    log2_p: Mapping[str, Floats],
    right: Mapping[str, Floats],
    keys: ItemColumns,
    declined: Mapping[str, Floats] | None = None,
) -> dict[str, Floats]:
    """The ENTRIES of a ledger for one model, (n,) each; NaN: not known.

    Args:
        raw, log2_p: log2 p(gold) before and after calibration under ``options``, ``text``, ``swap`` (the mean
            over donors), ``silence``, ``noise``, ``audio`` and ``condition``; missing: not asked.
        right: 1 where the vote is right, else 0, under ``audio``, ``condition`` and ``text``.
        declined: 1 where the vote is an abstention, else 0, likewise.
    """
    unknown, room = np.full(len(keys.k), np.nan), np.log2(keys.k)
    options, text, swap, silence, noise, audio, condition = (
        log2_p.get(name, unknown) for name in ("options", "text", "swap", "silence", "noise", "audio", "condition")
    )
    marks = {name: right.get(name, unknown) for name in ("audio", "condition", "text")}
    none = {name: (declined or {}).get(name, unknown) + 0 * right for name, right in marks.items()}  # NaN stays
    return {
        "bits_options": room + options,
        "bits_question": text - options,
        "bits_text": room + text,
        "bits_presence": swap - text,
        "bits_content": audio - swap,
        "bits_audio": audio - text,
        "bits_total": room + audio,
        "bits_gain": audio - condition,
        "d_p": np.exp2(audio) - np.exp2(log2_p.get("text", condition)),
        "presence_silence": silence - text,
        "presence_noise": noise - text,
        "raw_text": room + raw.get("text", unknown),
        "raw_audio": raw.get("audio", unknown) - raw.get("text", unknown),
        "raw_total": room + raw.get("audio", unknown),
        "right_audio": marks["audio"],
        "right_condition": marks["condition"],
        "right_text": marks["text"],
        "abstained_audio": none["audio"],
        "abstained_condition": none["condition"],
        "abstained_text": none["text"],
        "ac": marks["audio"] - marks["condition"],
        "ac_as_good": _as_good(marks["audio"], marks["condition"], none["audio"], none["condition"]),
    }


def _as_good(audio: Floats, without: Floats, declined_audio: Floats, declined: Floats) -> Floats:
    """Right with the audio - without it, where an abstention is worth an answer with the audio: of the item, or of any.

    See :meth:`audiocontrib.statistics.Heard.sides`.
    """
    told = audio[declined_audio == 0]
    meant = np.where(declined_audio == 1, told.mean() if len(told) else 0.0, audio)
    return np.asarray(meant - np.where(declined == 1, meant, without))
