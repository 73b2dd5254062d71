"""Metrics: one row a step, as Parquet that can be read while training goes on.

    audiocontrib query "select step, loss, reward, kl from 'trained/grpo/metrics.parquet'" --file trained

They are a function of the trainer's own log, which every checkpoint holds: after a kill the table goes on where the
checkpoint ends, so that no step is missing and none is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.training.output.rates import step_rates

COLUMNS: dict[str, tuple[str, str]] = {
    "epoch": ("epoch", "passes through the rows so far"),
    "loss": ("loss", "mean over the step"),
    "grad_norm": ("grad_norm", "norm of the gradients before clipping"),
    "learning_rate": ("learning_rate", "of the step"),
    "entropy": ("entropy", "of the next token, in nats, mean over the learned tokens"),
    "tokens": ("num_tokens", "read so far"),
    "token_accuracy": ("mean_token_accuracy", "SFT: share of learned tokens that are the likeliest"),
    "distil_kl": ("distil_kl", "SFT: divergence from the teacher, in nats a token, whatever the gate says"),
    "distil_gate": ("distil_gate", "SFT: share of rows on which the teacher is followed"),
    "reward": ("reward", "GRPO: weighted sum of the rewards, mean over the replies"),
    "reward_std": ("reward_std", "GRPO: its standard deviation"),
    "accuracy": ("rewards/accuracy/mean", "GRPO: mean reward for the right option, unweighted"),
    "format": ("rewards/format/mean", "GRPO: mean reward for the form, unweighted"),
    "abstained": ("rewards/abstaining/mean", "GRPO: share of the replies to silence that decline to answer"),
    "kl": ("kl", "GRPO: divergence from the model as it was, in nats a token (estimator k3)"),
    "masked_kl": (
        "masked_kl",
        "GRPO: divergence from what is said to the masked clip, in nats a token, at most the bound",
    ),
    "drawn": ("drawn", "GRPO: questions that were asked"),
    "left_out": ("left_out", "GRPO: of these, replaced by others since all their replies were rewarded alike"),
    "pass_rate": ("pass_rate", "GRPO: mean pass rate of the questions asked so far, each by its last replies"),
    "zero_advantage": (
        "frac_reward_zero_std",
        "GRPO: share of replies in groups of equal rewards: they teach nothing",
    ),
    "answered": ("answered", "GRPO: share of replies that name an option"),
    "refused": ("refused", "GRPO: share of replies that decline"),
    "unparsed": ("unparsed", "GRPO: share of replies that cannot be read"),
    "reply_tokens": ("completions/mean_length", "GRPO: mean length of a reply"),
    "cut_off": ("completions/clipped_ratio", "GRPO: share of replies that did not end by themselves"),
    "clipped": ("clip_ratio/region_mean", "GRPO: share of tokens whose ratio was clipped"),
    "seconds": ("seconds", "of the step, with sampling; without checkpoints"),
    "sampling_seconds": ("sampling_seconds", "GRPO: of these, for sampling replies; none where replies are used again"),
    "tokens_per_second": ("", "what the step added to `tokens`, a second; none where replies are used again"),
    "clips_per_second": ("", "rows (GRPO: replies) that the step learned from, a second"),
    "memory_gb": ("memory_gb", "most memory of the first process so far, in 10^9 bytes"),
    "gpu_memory_gb": ("gpu_memory_gb", "the same of its GPU, as torch counts it"),
}
"""Column -> name in the trainer's log (none: it is computed from others), and what it says."""

METRICS_SCHEMA = schema_of(step=pa.int64(), **dict.fromkeys(COLUMNS, pa.float64()))


def metrics_table(log: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The trainer's log as a table of METRICS_SCHEMA, one row a step, with a column ``reward_NAME`` for own rewards."""
    steps = [entry for entry in log if "loss" in entry]
    own, rates = _own_rewards(steps), step_rates(log)
    return pa.Table.from_pylist(
        [
            {"step": entry["step"]} | {name: entry.get(key) for name, (key, _) in COLUMNS.items()}
            | {name: entry.get(key) for name, key in own.items()} | rate
            for entry, rate in zip(steps, rates, strict=True)
        ],
        schema=pa.schema([*METRICS_SCHEMA, *(pa.field(name, pa.float64()) for name in own)]),
    )  # fmt: skip


def _own_rewards(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Column -> name in the log, of the means of the user's own rewards."""
    known = {key for key, _ in COLUMNS.values()}
    found = [key for entry in steps for key in entry if key.startswith("rewards/") and key.endswith("/mean")]
    return {f"reward_{key.split('/')[1]}": key for key in dict.fromkeys(found) if key not in known}
