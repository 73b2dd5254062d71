"""What a training will take, before it starts: steps, tokens, arithmetic and memory. Counted, not measured."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import islice

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.hashing import seeded
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.encoding.quantised import held_bytes, numbers_in
from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.stage_settings import Stage

SAMPLE = 32
"""Rows whose tokens are counted."""
SPEED = 4e14
"""Operations a second that are assumed of one data-centre GPU (40 % of the 989e12 of an H100 in bfloat16, dense)."""

ESTIMATE_SCHEMA = schema_of(what=pa.string(), value=pa.float64(), unit=pa.string())


def estimate_training(settings: Stage, rows: TrainingRows, name: str) -> pa.Table:
    """What a stage will take, as :func:`counted`; the model is loaded for it."""
    model = load_for_training(name, settings)
    return counted(settings, rows, model, RowEncoder(model, settings.seconds))


def counted(settings: Stage, rows: TrainingRows, model: AudioLanguageModel, encoder: RowEncoder) -> pa.Table:
    """What a stage will take, as ESTIMATE_SCHEMA; tokens are counted in a sample of the rows.

    A forward is 2 operations a weight and token, a backward 4 (arXiv 2001.08361); checkpointing adds a forward.
    Sampling is slower on a GPU than this count. Memory is of weights, gradients and AdamW; activations come on top.
    """
    devices = int(os.environ.get("WORLD_SIZE", "1"))
    weights = sum(numbers_in(p) for p in model.net.parameters())
    learned = sum(p.numel() for p in model.net.parameters() if p.requires_grad)
    reads, replies = _tokens(encoder, rows)
    at_once = settings.batch * settings.accumulate * devices
    once = rows_a_step(settings) * devices
    steps = settings.steps or math.ceil(len(rows) / once * (settings.epochs or 1))
    told = [
        ("items", len(rows.items), ""),
        ("rows", len(rows), ""),
        ("steps", steps, ""),
        ("rows a step", once, ""),
        ("epochs", steps * once / len(rows), ""),
        ("tokens a prompt", reads, "mean of a sample"),
        ("weights", weights, ""),
    ]
    if settings.tune == "full":
        told += [("weights that are trained", learned, "")]
    if isinstance(settings, GRPO):
        replies = float(settings.new_tokens)
        told += [("replies a step", at_once, ""), ("tokens a reply, at most", replies, "")]
    forwards = _forwards(settings)
    work = 2 * weights * (reads + replies) * forwards * at_once * steps
    held = sum(held_bytes(p) for p in model.net.parameters()) if settings.tune != "full" else 16 * weights
    reference = isinstance(settings, GRPO) and settings.beta > 0 and settings.tune == "full"
    told += [
        ("operations", work, "FLOP"),
        ("time on one GPU", work / SPEED / 3600, f"hours at {SPEED:.0e} FLOP/s"),
        ("memory, activations apart", (held + 4 * reference * weights) / 1e9, "GB on each device, unsharded"),
    ]
    columns = zip(*[(what, float(value), unit) for what, value, unit in told], strict=True)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=ESTIMATE_SCHEMA)


def count_line(table: pa.Table) -> str:
    """The gist of an estimate."""
    told = dict(zip(table["what"].to_pylist(), table["value"].to_pylist(), strict=True))
    return (
        f"{told['steps']:,.0f} steps of {told['rows a step']:,.0f} rows ({told['epochs']:.3g} epochs), "
        f"{told['operations']:.2g} operations: {told['time on one GPU']:.3g} hours at {SPEED:.0e} FLOP/s; "
        f"{told['memory, activations apart']:.3g} GB without activations"
    )


def rows_a_step(settings: Stage) -> int:
    """Rows that one device reads in a step: replies to one row are a group in GRPO, and may serve several steps."""
    if isinstance(settings, GRPO):
        return max(1, settings.batch * settings.accumulate // settings.generations // settings.iterations)
    return settings.batch * settings.accumulate


def _forwards(settings: Stage) -> float:
    """Passes through the network for each token, in forwards; a backward is two."""
    learned = 4.0 if settings.checkpointing else 3.0
    if not isinstance(settings, GRPO):
        return learned
    sampled = 1 + (settings.beta > 0) + (settings.iterations > 1)
    return learned + sampled / settings.iterations


def _tokens(encoder: RowEncoder, rows: TrainingRows) -> tuple[float, float]:
    places = seeded(0, "estimate").permutation(len(rows)).tolist()
    sample: Sequence[TrainingRow] = [rows[place] for place in islice(places, SAMPLE)]
    reads = [len(encoder.prompt(row)[0]) for row in sample]
    return sum(reads) / len(reads), sum(len(encoder.target(row)) for row in sample) / len(sample)
