"""Words: what a model card says of its stages, its results and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiocontrib.config import stated
from audiocontrib.training.recipe import KINDS
from audiocontrib.training.stage_record import StageRecords

TOLD = {
    *("part", "copies", "learning_rate", "schedule", "warmup", "batch", "accumulate", "steps", "tune", "rank", "alpha"),
    *("accuracy", "format", "generations", "temperature", "top_k", "new_tokens", "beta", "silent_replies"),
    *("workers", "keep", "save_every", "checkpointing"),
}
"""Settings that have a line of their own, or change nothing in the model."""


def part(one: Mapping[str, Any]) -> str:
    """The part of the split that a stage was trained on, in words."""
    name = one["source"].get("part", "all")
    return "all items" if name == "all" else f"the {name} part"


def stage_facts(one: Mapping[str, Any]) -> dict[str, str]:
    """What is said of a stage: name -> words."""
    settings, source = one["settings"], one["source"]
    rule, data = source.get("rule", {}), source.get("data", {})
    said = {"Part": part(one)}
    if source.get("split"):
        said["Split"] = source["split"]
    if "rule" in rule:
        said["Rule"] = f"{rule['rule']}, threshold {rule.get('threshold', '–')}, under {rule.get('condition', '–')}"
        said["Raters"] = ", ".join(rule.get("models", [])) or "–"
    if data:
        said["Data set"] = ", ".join(
            f"{key} {data[key]}" if key != "name" else str(data[key]) for key in data if key != "hub"
        )
    said |= {
        "Items": f"{one['items']:,}",
        "Rows": f"{one['rows']:,}: each item {one['copies']} x, its options in random orders",
        "Steps": f"{one['steps']:,}" + (" (a checkpoint of a longer training)" if one.get("checkpoint") else ""),
        "Batch": f"{settings['batch']} on a device, accumulated {settings['accumulate']} times; "
        f"devices: {one.get('devices', '?')}",
        "Learning rate": f"{settings['learning_rate']:g}, {settings['schedule']}, warm-up {settings['warmup']:g}",
        "Weights": "all but those for images" if settings["tune"] == "full"
        else f"low-rank adapters (rank {settings['rank']}, alpha {settings['alpha']}), merged",
    }  # fmt: skip
    if one["stage"] == "grpo":
        said["Rewards"] = f"accuracy {settings['accuracy']:g}, format {settings['format']:g}"
        if settings["silent_replies"]:
            said["Rewards"] += (
                f", abstaining {settings['accuracy']:g} ({settings['silent_replies']} replies hear silence)"
            )
        said["Sampling"] = (
            f"{settings['generations']} replies, temperature {settings['temperature']:g}, top-k {settings['top_k']}, "
            f"at most {settings['new_tokens']} tokens"
        )
        said["KL weight"] = f"{settings['beta']:g}"
    others = {name: value for name, value in stated(KINDS[one["stage"]], settings).items() if name not in TOLD}
    if others:
        said["Also"] = ", ".join(f"{name} {value}" for name, value in others.items())
    if one["notes"]:
        said["Left out"] = "; ".join(one["notes"])
    return said


def row(change: Mapping[str, Any]) -> list[str]:
    """What the table of results says of a change."""

    def number(name: str, form: str) -> str:
        value = change[name]
        return "–" if value is None or value != value else format(value, form)

    interval = f"{number('low', '+.3f')} to {number('high', '+.3f')}"
    return [change["part"], change["measure"], f"{change['n']:,}", number("before", ".3f"), number("now", ".3f"),
            number("change", "+.3f"), interval, number("p_holm", ".3g")]  # fmt: skip


def limits(made: StageRecords, measured: bool) -> list[str]:
    """What must not be expected of the model."""
    last = made[-1]
    rules = (one["source"].get("rule", {}) for one in made)
    raters: list[str] = next((rule["models"] for rule in rules if "models" in rule), [])
    lines = ["It was trained on multiple-choice questions in the prompt above; nothing is known of others."]
    if raters:
        lines.append(
            f"“Weak” and “strong” say what {len(raters)} {'model' if len(raters) == 1 else 'models'} did without the "
            "audio; another one may answer what these could not."
        )
    lines.append("A right answer does not show that it listened: compare its accuracy with audio and in silence.")
    if not measured:
        lines.append("Nothing was measured of this model when this card was written.")
    if "omni" in last["model"]["model_type"]:
        lines.append("It writes and does not speak: this is the thinker alone, without talker and image tower.")
    if Path(made[0]["start"]).name.startswith("tiny-"):
        lines.append("It is a tiny model for tests, trained on few items: it answers no real question.")
    return lines
