"""Rows that cannot be trained on, found before the first step: what a text, a clip or a length would stop later."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from audiocontrib.answers import parse
from audiocontrib.audio import RATE, decode
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.items import Clip, Items
from audiocontrib.models.families import audio_tokens
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.rows.overlap import shared_recordings
from audiocontrib.training.stage_settings import Stage
from audiocontrib.training.target import GOLD, fields_of, target_text

REPLY = 128
"""Tokens that are kept free for a reply to a watched question."""
TEMPLATE = 256
"""Tokens that a chat template takes at most, by far; a row that might be too long is counted exactly."""


def unusable(rows: TrainingRows, encoder: RowEncoder, positions: int | None, reply: int) -> dict[str, str]:
    """Item id -> why it cannot be trained on, in the order of the rows.

    Every clip is decoded once, on all cores: some 6 to 50 ms of one core for ten seconds of sound, by its coding.

    Args:
        positions: tokens that the network takes; None: no limit is known.
        reply: tokens that are kept free for a sampled reply; the wanted one is counted.
    """
    clips = dict.fromkeys(item.audio for item in rows.items if item.audio is not None)
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        heard = dict(zip(clips, threads.map(lambda clip: _heard(clip, encoder), clips), strict=True))
    found = dict[str, str]()
    for row in _one_each(rows):
        clip = "it names no clip" if row.item.audio is None else heard[row.item.audio]
        if (
            why := clip
            or _option(row, rows.extra_option)
            or _text(row, encoder)
            or _length(row, encoder, positions, reply)
        ):
            found[row.item.id] = why
    return found


def unwatchable(rows: TrainingRows, encoder: RowEncoder, positions: int | None) -> dict[str, str]:
    """Item id -> why it cannot be asked while training, or, of a row, whose sound it has: one that is watched.

    Watched by this stage, or by another one of the recipe.
    """
    found: dict[str, str] = {}
    for held in filter(None, (rows.watched, *rows.watched_elsewhere)):
        with TemporaryDirectory() as folder:
            same = dict(shared_recordings(rows.items, held.items, Path(folder) / "sounds.parquet"))
        heard = {item.audio: same[item.id] for item in rows.items if item.id in same}
        both = (item for item in rows.items if item.audio in heard)
        found |= {item.id: f"it has the sound of the watched {heard[item.audio]}" for item in both}
    if rows.watched is None:
        return found
    return found | unusable(TrainingRows(rows.watched.items, prompt=rows.prompt), encoder, positions, REPLY)


def without_unusable(rows: TrainingRows, found: Mapping[str, str], settings: Stage) -> tuple[TrainingRows, str]:
    """The rows that are left, and a sentence on those that are not; it is empty where there are none.

    So for watched items that cannot be asked, and rows with the sound of a watched item.

    Raises:
        AudiocontribError: the recipe refuses such items, or no row is left.
    """
    if not found:
        return rows, ""
    total = len(rows.items) + (len(rows.watched.items) if rows.watched else 0)
    name, why = next(iter(found.items()))
    told = f"{len(found):,} of {total:,} items cannot be trained on, e.g. {name}: {why}"
    if settings.bad_rows == "stop":
        raise AudiocontribError(f"{told}; mend the data, or leave them out (bad_rows)")
    kept = [item for item in rows.items if item.id not in found]
    if not kept:
        raise AudiocontribError(f"{told}; no item is left")
    watched = rows.watched.without(found) if rows.watched else None
    held = Items(kept, origin=rows.items.origin)
    return replace(rows, items=held, notes=(*rows.notes, f"{told}: left out"), watched=watched), told


def positions_of(model: AudioLanguageModel) -> int | None:
    """Tokens that a network takes, as far as its config says."""
    found = getattr(model.net.config.get_text_config(), "max_position_embeddings", None)
    return found if isinstance(found, int) else None


def reply_tokens(settings: Stage) -> int:
    """Tokens of the longest reply that is sampled; 0 where none is."""
    if isinstance(settings, GRPO):
        return settings.new_tokens
    return settings.distil_tokens if isinstance(settings, SFT) and settings.distil else 0


def _one_each(rows: TrainingRows) -> Iterator[TrainingRow]:
    """A row of each item: the order of the options changes none of this."""
    return (rows[place] for place in range(0, len(rows), rows.copies))


def _heard(clip: Clip, encoder: RowEncoder) -> str | None:
    try:
        sound = decode(clip)
    except AudiocontribError as error:
        return f"its clip cannot be heard: {one_line(error, 200)}"
    samples = min(len(sound.samples), round(encoder.seconds * RATE))
    if audio_tokens(samples, encoder.prompt_encoder.family) < 1:
        cut = "is cut to" if samples < len(sound.samples) else "has"
        return f"its clip {cut} {samples / RATE:.3f} s, too short for the model"
    return None


def _option(row: TrainingRow, extra: str | None) -> str | None:
    """An option that stands there twice could not be told from itself, and would abstain and answer at once."""
    same = extra is not None and any(one.strip().casefold() == extra.strip().casefold() for one in row.item.choices)
    return f"it has the option {extra!r}, which abstain_option adds" if same else None


def _text(row: TrainingRow, encoder: RowEncoder) -> str | None:
    if forged := encoder.prompt_encoder.control.forged(row.prompt.data):
        return f"its text holds the model's control token {min(forged)}"
    try:
        target = target_text(row.template, row.prompt.options[row.gold], row.item.extra)
    except AudiocontribError as error:
        return str(error)
    if forged := encoder.prompt_encoder.control.forged(str(row.item.extra[name]) for name in fields_of(row.template)):
        return f"its target holds the model's control token {min(forged)}"
    tokens = encoder.prompt_encoder.tokens(target)
    if parse(encoder.tokenizer.decode(tokens), row.prompt.options).choice != row.gold:
        if row.template != GOLD and parse(target, row.prompt.options).choice != row.gold:
            return "its target is not read as its gold option"
        return "its gold option cannot be written in the model's tokens"
    return None


def _length(row: TrainingRow, encoder: RowEncoder, positions: int | None, reply: int) -> str | None:
    """A token is a byte at least, so that hardly any row has to be counted."""
    if positions is None:
        return None
    most = audio_tokens(round(encoder.seconds * RATE), encoder.prompt_encoder.family) + TEMPLATE + reply
    if len((row.prompt.system + row.prompt.user + row.target).encode()) + most <= positions:
        return None
    tokens = len(encoder.prompt_encoder.encode(row.prompt, encoder.hear(row))[0])
    tokens += max(reply, len(encoder.target(row)))
    return f"it takes {tokens:,} tokens, and the model reads {positions:,}" if tokens > positions else None
