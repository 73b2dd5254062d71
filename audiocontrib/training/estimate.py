"""What a training will take, before it starts: steps, tokens, arithmetic and memory. Counted, not measured."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import UsageError
from audiocontrib.hashing import seeded
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.encoding.quantised import held_bytes, numbers_in
from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
from audiocontrib.training.encoding.unusable import (
    REPLY,
    positions_of,
    reply_tokens,
    unusable,
    unwatchable,
    without_unusable,
)
from audiocontrib.training.encoding.wanted import check_template
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.reward_trial import try_own
from audiocontrib.training.rows.base import TrainingRow, TrainingRows, taken
from audiocontrib.training.rows.stages import check_rows
from audiocontrib.training.stage_settings import NOTHING_LEARNED, Stage, not_installed
from audiocontrib.training.watch.settings import CONDITIONS, Watch
from audiocontrib.training.watch.watcher import check_watched

SAMPLE = 32
"""Rows whose tokens are counted."""
LOOKED = 2000
"""Items of a dry run whose rows are looked over, drawn by chance; a training looks at all."""
SPEED = 4e14
"""Operations a second that are assumed of one data-centre GPU (40 % of the 989e12 of an H100 in bfloat16, dense)."""

ESTIMATE_SCHEMA = schema_of(what=pa.string(), value=pa.float64(), unit=pa.string())


def estimate_training(settings: Stage, rows: TrainingRows, name: str) -> pa.Table:
    """What a stage will take, as :func:`counted`; the model is loaded for it, and bad rows are looked for.

    Raises:
        UsageError, AudiocontribError: what would refuse the training before its first step.
    """
    if missing := not_installed(settings.report_to):
        raise UsageError(missing)
    check_watched(settings.watch, rows)
    check_rows(settings, rows, int(os.environ.get("WORLD_SIZE", "1")))
    model = load_for_training(name, settings)
    encoder = RowEncoder(model, settings.seconds)
    check_template(settings.target, encoder)
    drawn = sorted(seeded(0, "dry run").permutation(len(rows.items))[:LOOKED].tolist())
    looked = rows if len(drawn) == len(rows.items) else replace(rows, items=taken(rows.items, drawn))
    positions = positions_of(model)
    found = unusable(looked, encoder, positions, reply_tokens(settings)) | unwatchable(looked, encoder, positions)
    left, _ = without_unusable(looked, found, settings)
    try_own(settings, left)
    table = counted(settings, left if looked is rows else rows, model, encoder)
    steps = int(dict(zip(table["what"].to_pylist(), table["value"].to_pylist(), strict=True))["steps"] or 0)
    if steps == 1 and settings.warmup:
        raise UsageError(NOTHING_LEARNED)
    if settings.watch:
        try:
            settings.watch.check_steps(steps)
        except ValueError as error:
            raise UsageError(str(error)) from None
    example = "".join(f", e.g. {one}: {why}" for one, why in list(found.items())[:1])
    told = f"of {len(looked.items):,} that were looked at{example}"
    bad = {"what": "items that cannot be trained on", "value": float(len(found)), "unit": told}
    return pa.concat_tables([table, pa.Table.from_pylist([bad], schema=ESTIMATE_SCHEMA)])


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
    asked = _watched(settings.watch, rows, steps)
    if asked:
        told += [("questions about watched items", asked, "in all, with audio, in silence and from the text")]
    forwards = _forwards(settings)
    work = 2 * weights * (reads + _written(settings.watch)) * asked
    work += 2 * weights * (reads + replies) * forwards * at_once * steps
    held = sum(held_bytes(p) for p in model.net.parameters()) if settings.tune != "full" else 16 * weights
    reference = settings.tune == "full" and _asks_the_start(settings)
    redrawn = isinstance(settings, GRPO) and settings.redraws > 0
    told += [
        ("operations", work, "FLOP, at most" if redrawn else "FLOP"),
        ("time on one GPU", work / SPEED / 3600, f"hours at {SPEED:.0e} FLOP/s"),
        ("memory, activations apart", (held + 4 * reference * weights) / 1e9, "GB on each device, unsharded"),
    ]
    columns = zip(*[(what, float(value), unit) for what, value, unit in told], strict=True)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=ESTIMATE_SCHEMA)


def count_line(table: pa.Table) -> str:
    """The gist of an estimate."""
    told = dict(zip(table["what"].to_pylist(), table["value"].to_pylist(), strict=True))
    asked = told.get("questions about watched items", 0)
    watched = f"; {asked:,.0f} questions about watched items" if asked else ""
    return (
        f"{told['steps']:,.0f} steps of {told['rows a step']:,.0f} rows ({told['epochs']:.3g} epochs), "
        f"{told['operations']:.2g} operations: {told['time on one GPU']:.3g} hours at {SPEED:.0e} FLOP/s; "
        f"{told['memory, activations apart']:.3g} GB without activations{watched}"
    )


def rows_a_step(settings: Stage) -> int:
    """Rows that one device reads in a step: replies to one row are a group in GRPO, and may serve several steps."""
    if isinstance(settings, GRPO):
        return max(1, settings.batch * settings.accumulate // settings.generations // settings.iterations)
    return settings.batch * settings.accumulate


def _watched(watch: Watch | None, rows: TrainingRows, steps: int) -> int:
    """Questions that are asked while training."""
    if watch is None or rows.watched is None:
        return 0
    each = (len(item.choices) if watch.orders == "cyclic" else 1 for item in rows.watched.items)
    return sum(each) * len(CONDITIONS) * watch.askings(steps)


def _written(watch: Watch | None) -> int:
    """Tokens of a reply to a watched question, at most."""
    return REPLY if watch and watch.method == "generate" else 0


def _forwards(settings: Stage) -> float:
    """Passes through the network for each token, in forwards; a backward is two. Redraws: as many as there may be."""
    learned = 4.0 if settings.checkpointing else 3.0
    if isinstance(settings, SFT) and settings.distil:
        return 2 * learned + 2 + (settings.distil_on == "reply") + (settings.distil_gate == "right")
    if not isinstance(settings, GRPO):
        return learned
    sampled = (1 + (settings.beta > 0) + (settings.iterations > 1)) * (1 + settings.redraws)
    masked = (learned if settings.masked_gradient else 1.0) * (settings.masked_kl > 0)
    return learned + masked + sampled / settings.iterations


def _asks_the_start(settings: Stage) -> bool:
    """Whether the model as it was stays in memory."""
    if isinstance(settings, SFT):
        return settings.distil > 0 and settings.distil_teacher == "start"
    return isinstance(settings, GRPO) and settings.beta > 0


def _tokens(encoder: RowEncoder, rows: TrainingRows) -> tuple[float, float]:
    places = seeded(0, "estimate").permutation(len(rows)).tolist()
    sample: Sequence[TrainingRow] = [rows[place] for place in islice(places, SAMPLE)]
    reads = [len(encoder.prompt(row)[0]) for row in sample]
    return sum(reads) / len(reads), sum(len(encoder.target(row)) for row in sample) / len(sample)
