"""Model card: what was trained on what, how it is asked, and how to make it again; Markdown with the hub's header."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from audiocontrib.config import stated
from audiocontrib.markdown import Verbatim, fenced, render_markdown
from audiocontrib.models.families import FAMILIES
from audiocontrib.prompts import DEFAULT_PROMPT, PROMPTS, PromptTemplate, find_prompt, prompt_of
from audiocontrib.provenance import ScoreStep, Step, TrainStep
from audiocontrib.shell import shell_lines
from audiocontrib.store.files import replacing
from audiocontrib.training.model_card.facts import limits, part_in_words, stage_facts
from audiocontrib.training.model_card.results import MeasuredChange
from audiocontrib.training.model_card.usage import usage, user_template
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.recipe import KINDS, TrainingRecipe
from audiocontrib.training.target import GOLD
from audiocontrib.training.watch.record import HEAD, curve_in_words, curve_lines

HERE = Path(__file__).parent
CARD = "README.md"
NAMES = {"sft": "SFT", "grpo": "GRPO"}
Files = Mapping[str, Any]
"""File name -> values of YAML that commands read."""


def write_card(
    model: Path,
    stages: Sequence[StageRecord],
    *,
    results: Sequence[MeasuredChange] = (),
    steps: Sequence[Step] = (),
    files: Files | None = None,
) -> Path:
    """Write the card of a trained model into its folder, whole or not at all.

    Args:
        model: folder of the model.
        stages: what made it, all of them done.
        results: the model against what it started from.
        steps: what makes it again; none: the steps of its stages.
        files: what the steps read; none: the recipes of the stages.

    Raises:
        AudiocontribError: the folder cannot be written to.
    """
    if not steps:
        steps, files = steps_again(stages)
    with replacing(model / CARD) as file:
        file.write(_card(stages, results, steps, files or {}).encode())
    return model / CARD


def _card(stages: Sequence[StageRecord], results: Sequence[MeasuredChange], steps: Sequence[Step], files: Files) -> str:
    first, last = stages[0], stages[-1]
    order = " → ".join(f"{NAMES[one.stage]} on {part_in_words(one)}" for one in stages)
    base = first.start if _on_hub(first.start) else Path(first.start).name  # a path here says nothing there
    title = f"{Path(base).name}: {order}"
    family = FAMILIES.find(last.model.model_type)
    seconds = min(last.settings.seconds, family.max_seconds)
    asked = prompt_of(last.prompt, CARD) or find_prompt(DEFAULT_PROMPT)  # older ones had no other
    return render_markdown(
        HERE / "model.md.j2",
        header=Verbatim(f"{_header(stages, results, title).to_yaml()}\n"),
        title=title,
        base=base,
        base_weights=first.model.weights_sha256,
        order=order,
        stages=[
            {"stage": one.stage, "name": NAMES[one.stage], "part": part_in_words(one), "told": stage_facts(one)}
            | _watched(one)
            for one in stages
        ],
        curve_head=HEAD,
        several_devices=any((one.devices or 1) > 1 for one in stages),
        prompt=fenced([f"system: {asked.system}", f"user: [audio]{user_template(asked)}"]),
        prompt_name=asked.name,
        published=asked.name == DEFAULT_PROMPT,
        listed=asked.options if isinstance(asked, PromptTemplate) else None,
        wanted=_wanted(last.settings.target),
        usage=fenced(usage(family, last.model.model_class, seconds, asked), "python"),
        results=[one.cells() for one in results],
        verdicts=[said for one in results if (said := one.in_words())],
        seconds=seconds,
        limits=limits(stages, bool(results)),
        commands=fenced(shell_lines(steps)) if steps else None,
        files={name: fenced(_yaml(values), "yaml") for name, values in files.items()},
        citation=fenced(_citation(), "bibtex"),
        version=version("audiocontrib"),
    )


def _watched(one: StageRecord) -> dict[str, Any]:
    """The curve of a stage, and what follows from it; nothing where it was not watched."""
    watch, held = one.settings.watch, one.watched
    if watch is None or held is None:
        return {"watched": None}
    said = curve_in_words(watch, held, one.steps or 0)
    return {"watched": said, "curve": curve_lines(held, watch.without), "without": watch.without}


def _header(stages: Sequence[StageRecord], results: Sequence[MeasuredChange], title: str) -> ModelCardData:
    """What the hub reads."""
    start = stages[0].start
    hubs = dict.fromkeys(one.provenance.data.hub for one in stages if one.provenance and one.provenance.data.hub)
    measured = [found for one in results if (found := one.for_hub())]
    return ModelCardData(
        model_name=title if measured else None,
        eval_results=measured or None,
        base_model=start if _on_hub(start) else None,
        base_model_relation="finetune" if _on_hub(start) else None,
        library_name="transformers",
        pipeline_tag="audio-text-to-text",
        language=["en"],
        datasets=list(hubs) or None,
        tags=["audio", "audio-question-answering", "audio-contribution", "audiocontrib",
              *dict.fromkeys(one.stage for one in stages)],
    )  # fmt: skip


def steps_again(stages: Sequence[StageRecord]) -> tuple[list[Step], Files]:
    """The steps that make the model again and the recipes that they read; none where rows were made in Python."""
    steps: list[Step] = []
    files: dict[str, Any] = {}
    start = stages[0].start
    for one in stages:
        if one.recipe is None or one.provenance is None:
            return [], {}
        same = all(other.recipe == one.recipe for other in stages)
        name = "recipe.yaml" if same else f"recipe-{one.stage}.yaml"
        files[name] = recipe_values(one.recipe)
        out, origin = f"trained/{one.stage}", one.provenance
        steps += origin.steps
        prompt = _prompt_file(one)
        if prompt and "user" in (one.prompt or {}):
            files[prompt] = {key: value for key, value in (one.prompt or {}).items() if key != "sha256"}
        steps.append(TrainStep(
            stage=one.stage, recipe=name, run=origin.run, split=origin.split, start=start, out=out,
            prompt=prompt if origin.prompt else None, devices=one.devices or 1,
            rewards=tuple(own.file for own in one.rewards if own.file),
            plugins=tuple(dict.fromkeys(own.plugin for own in one.rewards if own.plugin and not own.file)),
        ))  # fmt: skip
        start = f"{out}/checkpoints/checkpoint-{one.steps}" if one.checkpoint else f"{out}/model"
    return steps, files


def _wanted(target: str | None) -> str:
    """The wanted reply as a line of the card."""
    shown = (target or GOLD).replace("{gold}", "option")
    return shown if "`" in shown or "\n" in shown else Verbatim(f"`{shown}`")


def _prompt_file(stage: StageRecord) -> str | None:
    """How the steps of a stage name the prompt of its rows, where that is no prompt of the package."""
    if stage.provenance is None:
        return None
    if (name := stage.provenance.prompt) is not None:
        return name if name in PROMPTS else f"{name}.yaml"
    asked = [step.prompt for step in stage.provenance.steps if isinstance(step, ScoreStep)]
    return next((name for name in asked if name is not None and name not in PROMPTS), None)


def recipe_values(recipe: TrainingRecipe) -> dict[str, Any]:
    """A recipe as YAML has it, without what would be taken anyway."""
    held = asdict(recipe)
    made = {name: value for name, value in held.items() if name not in KINDS}
    return made | {name: stated(kind, held[name]) for name, kind in KINDS.items() if held[name]}


def _citation() -> list[str]:
    """The paper and audiocontrib, as BibTeX."""
    text = (HERE / "citation.bib").read_text(encoding="utf-8")
    return text.replace("VERSION", version("audiocontrib")).splitlines()


def _yaml(values: Any) -> list[str]:
    import yaml

    values = _stated(json.loads(json.dumps(values)))  # tuples become lists
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110).splitlines()


def _stated(value: Any) -> Any:
    """A value without what is null in it."""
    return {k: _stated(v) for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def _on_hub(name: str) -> bool:
    """Whether a name can be one of the hub's, and is no folder here."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()
