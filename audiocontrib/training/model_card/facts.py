"""What a model card says of the stages of a training, and of the limits of its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from audiocontrib.config import stated
from audiocontrib.provenance import Provenance
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.reward_files import RewardSource
from audiocontrib.training.stage_settings import Stage

TOLD = {
    *("part", "copies", "learning_rate", "schedule", "warmup", "batch", "accumulate", "steps", "tune", "rank", "alpha"),
    *("accuracy", "format", "generations", "temperature", "top_k", "new_tokens", "beta", "silent_replies"),
    *("workers", "keep", "save_every", "checkpointing", "prompt", "target", "own_rewards", "watch"),
    *("report_to", "run_name", "completions"),
}
"""Settings that have a line of their own, or change nothing in the model."""


def part_in_words(one: StageRecord) -> str:
    """The part of the split that a stage was trained on."""
    return "all items" if one.part == "all" else f"the {one.part} part"


_MERGED = {"lora": "merged", "qlora": "trained over 4-bit weights (QLoRA), merged into the unquantised ones"}


def stage_facts(one: StageRecord) -> dict[str, str]:
    """What is said of a stage: name -> words."""
    settings = one.settings
    said = {"Part": part_in_words(one), **(_origin(one.provenance) if one.provenance else {})}
    said |= {
        "Items": f"{one.items:,}",
        "Rows": f"{one.rows:,}: each item {one.copies} x, its options in random orders",
        "Steps": f"{one.steps:,}" + (" (a checkpoint of a longer training)" if one.checkpoint else ""),
        "Batch": f"{settings.batch} on a device, accumulated {settings.accumulate} times; "
        f"devices: {one.devices or '?'}",
        "Learning rate": f"{settings.learning_rate:g}, {settings.schedule}, warm-up {settings.warmup:g}",
        "Weights": "all but those for images" if settings.tune == "full"
        else f"low-rank adapters (rank {settings.rank}, alpha {settings.alpha}), {_MERGED[settings.tune]}",
    }  # fmt: skip
    if settings.target:
        said["Wanted reply"] = settings.target
    if isinstance(settings, GRPO):
        said |= _reinforcement(settings, one.rewards)
    if others := _others(settings):
        said["Also"] = ", ".join(f"{name} {value}" for name, value in others.items())
    if one.notes:
        said["Notes"] = "; ".join(one.notes)
    return said


def _origin(source: Provenance) -> dict[str, str]:
    """Split, rule and data set."""
    said = {"Split": source.split} if source.split else {}
    if rule := source.rule:
        threshold = "–" if rule.threshold is None else rule.threshold
        said["Rule"] = f"{rule.rule}, threshold {threshold}, under {rule.condition or '–'}"
        said["Raters"] = ", ".join(rule.models) or "–"
    data = source.data
    about = {name: getattr(data, name) for name in ("revision", "seed", "limit")}
    words = [f"{name} {value}" for name, value in about.items() if value is not None]
    if data.name or words:
        said["Data set"] = ", ".join([data.name or "?", *words])
    return said


def _reinforcement(settings: GRPO, own: Sequence[RewardSource]) -> dict[str, str]:
    rewards = f"accuracy {settings.accuracy:g}, format {settings.format:g}"
    if settings.silent_replies:
        rewards += f", abstaining {settings.accuracy:g} ({settings.silent_replies} replies hear silence)"
    weights = settings.own_rewards or {}
    for one in own:
        place = Path(one.file.rpartition(":")[0] or one.file).name if one.file else one.plugin and Path(one.plugin).name
        rewards += f", {one.name} {weights.get(one.name, 1):g} ({place or 'own code'}, SHA-256 {one.sha256[:12]})"
    return {
        "Rewards": rewards,
        "Sampling": f"{settings.generations} replies, temperature {settings.temperature:g}, top-k {settings.top_k}, "
        f"at most {settings.new_tokens} tokens",
        "KL weight": f"{settings.beta:g}",
    }


def _others(settings: Stage) -> dict[str, object]:
    """Settings that are not as usual and have no line of their own."""
    unusual = stated(type(settings), asdict(settings))
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in unusual.items() if name not in TOLD
    }


def limits(stages: Sequence[StageRecord], measured: bool) -> list[str]:
    """What must not be expected of the model."""
    rules = (one.provenance.rule for one in stages if one.provenance)
    raters = next((rule.models for rule in rules if rule and rule.models), ())
    lines = ["It was trained on multiple-choice questions in the prompt above; nothing is known of others."]
    if raters:
        lines.append(
            f"“Weak” and “strong” say what {len(raters)} {'model' if len(raters) == 1 else 'models'} did without the "
            "audio; another one may answer what these could not."
        )
    lines.append("A right answer does not show that it listened: compare its accuracy with audio and in silence.")
    if not measured:
        lines.append("Nothing was measured of this model when this card was written.")
    if "omni" in stages[-1].model.model_type:
        lines.append("It writes and does not speak: this is the thinker alone, without talker and image tower.")
    if Path(stages[0].start).name.startswith("tiny-"):
        lines.append("It is a tiny model for tests, trained on few items: it answers no real question.")
    return lines
