"""The steps of a plan, one after the other; each goes on where it stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.conditions import is_null
from audiocontrib.weak_to_strong.plan import DataConfig, WeakToStrongPlan, read_plan

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.export import Stage
    from audiocontrib.items import Items
    from audiocontrib.models import Model
    from audiocontrib.store import Run
    from audiocontrib.training import TrainingRecipe

LOG = logging.getLogger("audiocontrib.weak_to_strong")
SPLIT = "trained-on"
"""Name of the split in both runs."""
TRAINED = "trained"
"""Name of the trained model in the run of held-out items; of further seeds with their number."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Where everything is, and what changed; the model's card tells it too."""

    run: Path
    held_out: Path
    model: Path
    """Of the first seed."""
    models: tuple[Path, ...]
    """Of every seed."""
    changes: pa.Table
    """:func:`audiocontrib.evaluation.compare` of the trained models with the base, by the parts of a held-out split."""


def weak_to_strong(
    path: str | Path,
    out: str | Path,
    *,
    progress: bool = True,
    say: Callable[[str], None] = LOG.info,
    model_options: dict[str, Any] | None = None,
) -> Learned:
    """Carry out a plan. All of it is tried on a few questions before any model is asked.

    Args:
        path: the plan's YAML file.
        out: folder for the two runs and the trained models.
        say: called with a line as each step begins, and with each note; by default each is a log record.
        model_options: of :func:`audiocontrib.load_model`.

    Raises:
        UsageError, AudiocontribError: as the steps; the two data sets share recordings; or another trainer is waited
            for, and the line says where its checkpoint is to be put.

    Example:
        >>> weak_to_strong("recipes/weak_to_strong/tiny.yaml", "trained/first").changes.to_pandas()
    """
    from audiocontrib.models.own import refuse_own
    from audiocontrib.scoring import score
    from audiocontrib.scoring.arguments import check_model_options
    from audiocontrib.training import read_training_recipe
    from audiocontrib.weak_to_strong.rehearsal import rehearse, told_of_design

    check_model_options(model_options)
    options = model_options or {}
    plan, where = read_plan(path)
    recipe, out = read_training_recipe(where), Path(out)
    refuse_own([recipe.model], f"the recipe {where}")
    data, held_out = _load(plan.data), _load(plan.held_out)
    rehearse(plan, recipe, data, held_out, out, options=options, progress=progress)
    say(f"the design: {told_of_design(plan, held_out)}")
    asked: dict[str, Any] = {"method": plan.method, "orders": plan.orders, "prompt": plan.prompt, "progress": progress}
    asked["model_options"] = model_options

    say(f"1 of 5: {', '.join(plan.raters)} answer {len(data):,} questions")
    run = score(data, plan.raters, plan.conditions, run=out / "run", **asked)
    raters = sorted(run.manifest["identity"]["models"])  # as they call themselves
    for warning in _split(run, plan, raters):
        say(f"note: {warning}")
    models = _trained(plan, recipe, run, out, say, progress)
    say(f"4 of 5: {recipe.model} and the trained model answer {len(held_out):,} held-out questions")
    tested = _held_out(plan, recipe, models, held_out, out / "held-out", asked, options)
    say("5 of 5: what changed")
    _split(tested, plan, raters)
    changes = _changes(tested, plan, recipe, len(models), options)
    for model in models:
        _write_card(model, changes, plan, recipe)
    return Learned(run.path, tested.path, models[0], tuple(models), changes)


def _trained(
    plan: WeakToStrongPlan,
    recipe: TrainingRecipe,
    run: Run,
    out: Path,
    say: Callable[[str], None],
    progress: bool,
) -> list[Path]:
    """The trained model of every seed. What both stages read, and what that leaves out, is said before either."""
    from audiocontrib.training import stage_rows, train_grpo, train_sft
    from audiocontrib.training.rows.stages import check_rows
    from audiocontrib.weak_to_strong.outside import trained_outside

    train: Mapping[Stage, Any] = {"sft": train_sft, "grpo": train_grpo}
    made = []
    for seed in range(plan.seeds):
        own = recipe if not seed else _seeded(recipe, seed)
        place = out if not seed else out / f"seed-{seed}"
        named = f", seed {seed + 1} of {plan.seeds}" if plan.seeds > 1 else ""
        rows = {name: stage_rows(own, name, run, SPLIT) for name in train if getattr(own, name)}
        for name, one in rows.items():
            check_rows(own.stage(name), one)
            for note in () if seed else one.notes:
                say(f"note: {name}: {note}")
        model = own.model
        for number, name in enumerate(train, start=2):
            if name not in rows:
                say(f"{number} of 5: the recipe has no {name}{named}")
                continue
            say(f"{number} of 5: {name} of {model} on {len(rows[name].items):,} items{named}")
            if plan.trainer == "ms-swift":
                model = str(trained_outside(own, name, run, SPLIT, model, place / name))
            else:
                settings = own.stage(name)
                model = str(train[name](settings, rows[name], model, place / name, progress=progress).model)
        made.append(Path(model))
    return made


def _seeded(recipe: TrainingRecipe, seed: int) -> TrainingRecipe:
    """The recipe with another seed: of the orders, the shuffling and the sampling, and of a draw of items."""
    stages = {
        name: replace(settings, seed=settings.seed + seed)
        for name in ("sft", "grpo")
        if (settings := getattr(recipe, name)) is not None
    }
    return replace(recipe, **stages)


def _held_out(
    plan: WeakToStrongPlan,
    recipe: TrainingRecipe,
    trained: Sequence[Path],
    items: Items,
    folder: Path,
    asked: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Run:
    """The run in which base, trained models and raters answer the held-out items; one model in memory at a time."""
    from audiocontrib.models.load import load_checkpoint
    from audiocontrib.scoring import score

    def loaded(place: Path, name: str) -> Model:
        return load_checkpoint(place, name=name, **options)

    score(items, [recipe.model], plan.conditions, run=folder, **asked)
    for place, name in zip(trained, _names(len(trained)), strict=True):
        score(items, [loaded(place, name)], plan.conditions, run=folder, **asked)
    others = [name for name in plan.raters if name != recipe.model]
    return score(items, others or [recipe.model], plan.conditions, run=folder, **asked)


def _names(count: int) -> list[str]:
    return [TRAINED, *(f"{TRAINED}-{number}" for number in range(2, count + 1))]


def _changes(
    tested: Run, plan: WeakToStrongPlan, recipe: TrainingRecipe, count: int, options: Mapping[str, Any]
) -> pa.Table:
    from audiocontrib.evaluation import compare
    from audiocontrib.models import load_model

    without = [c for c in plan.conditions if is_null(c)]
    base = load_model(recipe.model, **options).name
    model: str | list[str] = _names(count) if count > 1 else TRAINED
    return compare([tested], [tested], model=model, baseline_model=base, without=without, split=SPLIT)


def _write_card(model: Path, changes: pa.Table, plan: WeakToStrongPlan, recipe: TrainingRecipe) -> None:
    """The card of the trained model, with what changed and the plan that makes it again; another trainer's has none."""
    from audiocontrib.provenance import WeakToStrongStep
    from audiocontrib.training.model_card.card import recipe_values, write_card
    from audiocontrib.training.model_card.results import MeasuredChange
    from audiocontrib.training.output.training_record import stages_of

    stages = stages_of(model)
    if not stages:
        return
    files = {"plan.yaml": asdict(replace(plan, training="training.yaml")), "training.yaml": recipe_values(recipe)}
    results = [MeasuredChange.of(row) for row in changes.to_pylist()]
    plugins = tuple(dict.fromkeys(own.plugin for one in stages for own in one.rewards if own.plugin))
    steps = [WeakToStrongStep(plan="plan.yaml", plugins=plugins)]
    write_card(model, stages, results=results, steps=steps, files=files)


def _load(data: DataConfig) -> Items:
    from audiocontrib.sources import load_items

    return load_items(**asdict(data))


def _split(run: Run, plan: WeakToStrongPlan, raters: list[str]) -> tuple[str, ...]:
    """The plan's split of a run, by the raters alone, and its data card; gives back what the answers do not allow."""
    from audiocontrib.report.card import card
    from audiocontrib.splits import split
    from audiocontrib.store.files import replacing

    made = split(run, rule=plan.rule, threshold=plan.threshold, condition=plan.condition, models=raters)
    folder = made.save(run.split_folder(SPLIT))
    with replacing(folder / "README.md") as file:
        file.write(card(run, split=SPLIT).encode())
    return made.warnings
