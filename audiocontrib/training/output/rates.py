"""How fast a training went, as a function of the trainer's log alone: the same after a resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def step_rates(log: Sequence[Mapping[str, Any]]) -> list[dict[str, float | None]]:
    """What each step did a second; None where its seconds were not kept."""
    made = list[dict[str, float | None]]()
    before: float = 0.0
    for entry in log:
        if "loss" not in entry:
            continue
        seconds, tokens, clips = entry.get("seconds"), entry.get("num_tokens"), entry.get("clips")
        first = not made and entry["step"] != 1  # the log is cut off before it
        new = None if tokens is None or first else tokens - before
        made.append({
            "tokens_per_second": new / seconds if seconds and new is not None else None,
            "clips_per_second": clips / seconds if seconds and clips is not None else None,
        })  # fmt: skip
        before = before if tokens is None else tokens  # replies that are used again add none
    return made


def training_rates(log: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A whole training in figures: seconds of its steps, what they did a second, and the most memory."""
    steps = [entry for entry in log if "loss" in entry]
    timed = [entry for entry in steps if entry.get("seconds")]
    if not timed:
        return {}
    seconds = sum(entry["seconds"] for entry in timed)
    told = {"seconds": seconds, "timed_steps": float(len(timed))}
    if any("sampling_seconds" in entry for entry in timed):
        told["sampling_seconds"] = sum(entry.get("sampling_seconds", 0.0) for entry in timed)
    tokens = max((entry.get("num_tokens") or 0 for entry in steps), default=0)
    if len(timed) == len(steps) and tokens:
        told |= {"tokens": tokens, "tokens_per_second": tokens / seconds}
    told["clips_per_second"] = sum(entry.get("clips", 0.0) for entry in timed) / seconds
    for name in ("memory_gb", "gpu_memory_gb"):
        if most := max((entry.get(name) or 0.0 for entry in timed), default=0.0):
            told[name] = most
    return told


def taught_nothing(log: Sequence[Mapping[str, Any]]) -> str | None:
    """A sentence where rewards moved no weight in any step of the trainer's log; None: they did, or there are none."""
    shares = [entry["frac_reward_zero_std"] for entry in log if "frac_reward_zero_std" in entry]
    if not shares or min(shares) < 1:
        return None
    return (
        f"in all {len(shares):,} steps the replies of every group were rewarded alike, so that the rewards taught "
        "nothing: accuracy, cut_off and unparsed in the metrics say how"
    )
