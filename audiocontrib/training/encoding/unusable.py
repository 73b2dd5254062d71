"""Rows that cannot be trained on, found before the first step: what a text, a clip or a length would stop later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from audiocontrib.answers import parse
from audiocontrib.audio import RATE, decode
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.items import Clip
from audiocontrib.models.families import audio_tokens
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.rows.base import TrainingRow, TrainingRows

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
        if why := clip or _text(row, encoder) or _length(row, encoder, positions, reply):
            found[row.item.id] = why
    return found


def _one_each(rows: TrainingRows) -> Iterator[TrainingRow]:
    """A row of each item: the order of the options changes none of this."""
    return (rows[place] for place in range(0, len(rows), rows.copies))


def _heard(clip: Clip, encoder: RowEncoder) -> str | None:
    try:
        sound = decode(clip)
    except AudiocontribError as error:
        return f"its clip cannot be heard: {one_line(error, 200)}"
    if audio_tokens(len(sound.samples), encoder.prompt_encoder.family) < 1:
        return f"its clip has {sound.seconds:.3f} s, too short for the model"
    return None


def _text(row: TrainingRow, encoder: RowEncoder) -> str | None:
    if forged := encoder.prompt_encoder.control.forged(row.prompt.data):
        return f"its text holds the model's control token {min(forged)}"
    tokens = encoder.prompt_encoder.tokens(row.target)
    if parse(encoder.tokenizer.decode(tokens), row.prompt.options).choice != row.gold:
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
