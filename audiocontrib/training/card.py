"""Model card: what was trained on what, how it is asked, and how to make it again; Markdown with the hub's header."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiocontrib.config import stated
from audiocontrib.markdown import fenced, header, render_markdown
from audiocontrib.models.families import FAMILIES
from audiocontrib.prompts import DEFAULT_PROMPT, PromptTemplate, find_prompt, prompt_of
from audiocontrib.store.files import replacing
from audiocontrib.training.recipe import KINDS
from audiocontrib.training.stage_record import StageRecords
from audiocontrib.training.usage import usage, user_template
from audiocontrib.training.words import limits, part, row, stage_facts

TEMPLATES = Path(__file__).parent / "templates"
CARD = "README.md"
NAMES = {"sft": "SFT", "grpo": "GRPO"}


def write_card(
    model: Path,
    made: StageRecords,
    *,
    results: Sequence[Mapping[str, Any]] = (),
    commands: Sequence[str] = (),
    files: Mapping[str, Any] | None = None,
) -> Path:
    """Write the card of a trained model into its folder, whole or not at all.

    Args:
        model: folder of the model.
        made: its stages, all of them done.
        results: rows of :data:`audiocontrib.evaluation.CHANGE_SCHEMA`, of the model against what it started from.
        commands: what makes it again; none: the commands of its stages.
        files: file name -> values of YAML that the commands read; none: the recipes of the stages.

    Raises:
        AudiocontribError: the folder cannot be written to.
    """
    with replacing(model / CARD) as file:
        file.write(_card(made, list(results), list(commands), dict(files or {})).encode())
    return model / CARD


def _card(made: StageRecords, results: list[Mapping[str, Any]], commands: list[str], files: dict[str, Any]) -> str:
    first, last = made[0], made[-1]
    if not commands:
        commands, files = _again(made)
    sets = dict.fromkeys(one["source"].get("data", {}).get("hub") for one in made)
    order = " → ".join(f"{NAMES[one['stage']]} on {part(one)}" for one in made)
    about = {
        **({"base_model": first["start"], "base_model_relation": "finetune"} if _on_hub(first["start"]) else {}),
        "library_name": "transformers",
        "pipeline_tag": "audio-text-to-text",
        "language": ["en"],
        **({"datasets": hubs} if (hubs := [name for name in sets if name]) else {}),
        "tags": ["audio", "audio-question-answering", "audio-contribution", "audiocontrib",
                 *dict.fromkeys(one["stage"] for one in made)],
    }  # fmt: skip
    base = first["start"] if _on_hub(first["start"]) else Path(first["start"]).name  # a path here says nothing there
    family = FAMILIES.find(last["model"]["model_type"])
    asked = prompt_of(last.get("prompt"), str(CARD)) or find_prompt(DEFAULT_PROMPT)  # older ones had no other
    seconds = min(last["settings"]["seconds"], family.max_seconds)
    return render_markdown(
        TEMPLATES / "model.md.j2",
        header=header(about),
        title=f"{Path(base).name}: {order}",
        base=base,
        base_weights=first["model"]["weights_sha256"],
        order=order,
        stages=[one | {"name": NAMES[one["stage"]], "part": part(one), "told": stage_facts(one)} for one in made],
        prompt=fenced([f"system: {asked.system}", f"user: [audio]{user_template(asked)}"]),
        prompt_name=asked.name,
        published=asked.name == DEFAULT_PROMPT,
        listed=asked.options if isinstance(asked, PromptTemplate) else None,
        usage=fenced(usage(family, last["model"]["class"], seconds, asked), "python"),
        results=[row(one) for one in results],
        seconds=seconds,
        limits=limits(made, bool(results)),
        commands=fenced(commands) if commands else None,
        files={name: fenced(_yaml(values), "yaml") for name, values in files.items()},
        citation=fenced(_citation(), "bibtex"),
        version=version("audiocontrib"),
    )


def _again(made: StageRecords) -> tuple[list[str], dict[str, Any]]:
    """The commands that make the model again and the recipes that they read; none where rows were made in Python."""
    if not all("recipe" in one["source"] for one in made):
        return [], {}
    recipes = [given(one["source"]["recipe"]) for one in made]
    same = all(recipe == recipes[0] for recipe in recipes)
    commands: list[str] = []
    files: dict[str, Any] = {}
    start = made[0]["start"]
    for one, recipe in zip(made, recipes, strict=True):
        name = "recipe.yaml" if same else f"recipe-{one['stage']}.yaml"
        files[name] = recipe
        commands += one["source"]["commands"]
        words = ["audiocontrib", "train", one["stage"], "--recipe", name, "--run", one["source"]["run"]]
        words += ["--split", one["source"]["split"]] if one["source"]["split"] else []
        if one["source"].get("prompt"):  # another one than the run was asked with
            named = {key: value for key, value in one["prompt"].items() if key != "sha256"}
            words += ["--prompt", f"{named['name']}.yaml" if "user" in named else named["name"]]
            files |= {f"{named['name']}.yaml": named} if "user" in named else {}
        out = f"trained/{one['stage']}"
        several = ["accelerate", "launch", "--num_processes", str(one["devices"]), "-m"] if one["devices"] > 1 else []
        commands.append(shlex.join([*several, *words, "--model", start, "--out", out]))
        start = f"{out}/checkpoints/checkpoint-{one['steps']}" if one.get("checkpoint") else f"{out}/model"
    return list(dict.fromkeys(commands)), files


def given(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe without what would be taken anyway."""
    made = {name: value for name, value in recipe.items() if name not in KINDS}
    for name, kind in KINDS.items():
        if recipe.get(name):
            made[name] = stated(kind, recipe[name])
    return made


def _citation() -> list[str]:
    """The paper and audiocontrib, as BibTeX."""
    text = (TEMPLATES / "citation.bib").read_text(encoding="utf-8")
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
