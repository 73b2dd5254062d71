"""The whole loop: score, split, train on the weak and then the strong part, score again, and say what was learned.

Every step leaves its result in a folder and goes on from there: the same call after a kill asks and trains nothing
twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt

from audiocontrib.arrow import texts
from audiocontrib.conditions import condition, is_null
from audiocontrib.config import Name, Share, accepted_by, config, read_config
from audiocontrib.errors import UsageError
from audiocontrib.prompts import DEFAULT_PROMPT, find_prompt

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.items import Items
    from audiocontrib.models import Model
    from audiocontrib.store import Run
    from audiocontrib.training import TrainingRecipe

LOG = logging.getLogger("audiocontrib.weak_to_strong")
SPLIT = "trained-on"
"""Name of the split in both runs."""
TRAINED = "trained"
"""Name of the trained model in the run of held-out items."""


def _source(name: str) -> str:
    """A data set's name; a file, folder or hub id is looked for when it is read."""
    if not (Path(name).exists() or "/" in name or "." in name):
        from audiocontrib.sources import SOURCES

        SOURCES.find(name)
    return name


def _model(name: str) -> str:
    """A model's name; a folder or hub id is looked for when it is loaded."""
    from audiocontrib.models import MODELS
    from audiocontrib.models.endpoint.address import Address
    from audiocontrib.models.mock import mock_model
    from audiocontrib.models.own import refuse_own

    refuse_own([name], "it")
    known, colon, rest = name.partition(":")
    if known == "mock":
        mock_model(rest)
    elif known == "endpoint" and colon:
        Address.parse(rest)
    elif known not in MODELS and "/" not in name and not Path(name).exists():
        MODELS.find(name)
    return name


def _orders(name: str) -> str:
    from audiocontrib.scoring.plan import ORDERS

    ORDERS.find(name)
    return name


def _rule(name: str) -> str:
    from audiocontrib.splits import RULES

    RULES.find(name)
    return name


def _condition(spec: str) -> str:
    return condition(spec).spec


def _prompt(name: str) -> str:
    return find_prompt(name).name


_Rule = Annotated[str, Field(description="a split rule"), accepted_by(_rule)]
_Condition = Annotated[str, Field(description="a condition, such as silence"), accepted_by(_condition)]


@config
class DataConfig:
    """A data set, as :func:`audiocontrib.load_items` takes it."""

    dataset: Annotated[Name, accepted_by(_source)]
    """Name, file, folder or hub id."""
    data: Name | None = None
    """File or folder to read, in place of the hub."""
    audio_root: Name | None = None
    """Where the clips are."""
    revision: Name | None = None
    """Of the data set."""
    split: Name | None = None
    """Only this split."""
    limit: PositiveInt | None = None
    """Only so many items."""
    seed: NonNegativeInt = 0
    """For sets that are made on the spot."""


@config
class WeakToStrongPlan:
    """What is trained on what, and what it is measured on; read from YAML."""

    about: Name
    """What this is, in a line."""
    training: Name
    """The recipe of the training (recipes/training/…), relative to this file."""
    data: DataConfig
    """What is split and trained on."""
    held_out: DataConfig
    """What base and trained model are compared on; may share no recording with ``data``."""
    raters: Annotated[tuple[Annotated[Name, accepted_by(_model)], ...], Field(min_length=1)]
    """Models whose answers make the split."""
    rule: _Rule = "votes"
    """Of the split."""
    threshold: Share | None = None
    """Of the split; null: the rule's own."""
    condition: _Condition = "silence"
    """Without the audio: what the split rests on."""
    conditions: tuple[_Condition, ...] = ("audio", "silence", "text")
    """All that is asked."""
    orders: Annotated[Name, accepted_by(_orders)] = "cyclic"
    """Of the options."""
    prompt: Annotated[Name, accepted_by(_prompt)] = DEFAULT_PROMPT
    """With which all is asked and trained."""

    def __post_init__(self) -> None:
        if missing := [name for name in ("audio", self.condition) if name not in self.conditions]:
            raise ValueError(f"conditions has no {missing[0]!r}, which the split and the comparison rest on")
        if len(set(self.raters)) < len(self.raters):
            raise ValueError("raters names a model twice")


@dataclass(frozen=True, slots=True)
class Learned:
    """Where everything is, and what changed; the model's card tells it too."""

    run: Path
    held_out: Path
    model: Path
    changes: pa.Table
    """:func:`audiocontrib.evaluation.compare` of the trained model with the base, by the parts of a held-out split."""


def read_plan(path: str | Path) -> tuple[WeakToStrongPlan, Path]:
    """The plan in a YAML file, and where its training recipe is. UsageError in one line if it is none."""
    plan = read_config(WeakToStrongPlan, path, "plan")
    return plan, Path(path).parent / plan.training


def weak_to_strong(
    path: str | Path,
    out: str | Path,
    *,
    progress: bool = True,
    say: Callable[[str], None] = LOG.info,
    model_options: dict[str, Any] | None = None,
) -> Learned:
    """Carry out a plan.

    Args:
        path: the plan's YAML file.
        out: folder for the two runs and the trained models.
        say: called with a line as each step begins; by default each is a log record.
        model_options: of :func:`audiocontrib.load_model`.

    Raises:
        UsageError, AudiocontribError: as the steps; or the two data sets share recordings.

    Example:
        >>> weak_to_strong("recipes/weak_to_strong/tiny.yaml", "trained/first").changes.to_pandas()
    """
    from audiocontrib.evaluation import compare
    from audiocontrib.models import load_model
    from audiocontrib.models.load import load_checkpoint
    from audiocontrib.models.own import refuse_own
    from audiocontrib.scoring import score
    from audiocontrib.scoring.arguments import check_model_options
    from audiocontrib.training import read_training_recipe, stage_rows, train_grpo, train_sft

    check_model_options(model_options)
    plan, where = read_plan(path)
    recipe, out = read_training_recipe(where), Path(out)
    refuse_own([recipe.model], f"the recipe {where}")
    data, held_out = _load(plan.data), _load(plan.held_out)
    _check_apart(data, held_out)
    asked: dict[str, Any] = {"orders": plan.orders, "prompt": plan.prompt, "progress": progress}
    asked["model_options"] = model_options

    say(f"1 of 5: {', '.join(plan.raters)} answer {len(data):,} questions")
    run = score(data, plan.raters, plan.conditions, run=out / "run", **asked)
    raters = sorted(run.manifest["identity"]["models"])  # as they call themselves
    _split(run, plan, raters)
    model = recipe.model
    steps: list[tuple[str, Any, Any]] = [("sft", recipe.sft, train_sft), ("grpo", recipe.grpo, train_grpo)]
    for number, (stage, settings, train) in enumerate(steps, start=2):
        if settings is None:
            say(f"{number} of 5: the recipe has no {stage}")
            continue
        rows = stage_rows(recipe, stage, run, SPLIT)
        say(f"{number} of 5: {stage} of {model} on {len(rows.items):,} items")
        model = str(train(settings, rows, model, out / stage, progress=progress).model)

    say(f"4 of 5: {recipe.model} and the trained model answer {len(held_out):,} held-out questions")
    asked_too = [name for name in plan.raters if name != recipe.model]
    models: list[Model | str] = [
        recipe.model,
        load_checkpoint(model, name=TRAINED, **(model_options or {})),
        *asked_too,
    ]
    tested = score(held_out, models, plan.conditions, run=out / "held-out", **asked)
    say("5 of 5: what changed")
    _split(tested, plan, raters)
    without = [c for c in plan.conditions if is_null(c)]
    base = load_model(recipe.model, **(model_options or {})).name
    changes = compare([tested], [tested], model=TRAINED, baseline_model=base, without=without, split=SPLIT)
    _write_card(Path(model), changes, plan, recipe)
    return Learned(run.path, tested.path, Path(model), changes)


def _write_card(model: Path, changes: pa.Table, plan: WeakToStrongPlan, recipe: TrainingRecipe) -> None:
    """The card of the trained model, with what changed and the plan that makes it again."""
    from audiocontrib.provenance import WeakToStrongStep
    from audiocontrib.training.model_card.card import recipe_values, write_card
    from audiocontrib.training.model_card.results import MeasuredChange
    from audiocontrib.training.output.training_record import stages_of

    files = {"plan.yaml": asdict(replace(plan, training="training.yaml")), "training.yaml": recipe_values(recipe)}
    results = [MeasuredChange.of(row) for row in changes.to_pylist()]
    write_card(model, stages_of(model), results=results, steps=[WeakToStrongStep(plan="plan.yaml")], files=files)


def _load(data: DataConfig) -> Items:
    from audiocontrib.sources import load_items

    return load_items(**asdict(data))


def _check_apart(data: Items, held_out: Items) -> None:
    """Recordings in both would let the trained model remember."""
    shared = set(texts(data.table["clip_id"])) & set(texts(held_out.table["clip_id"]))
    if shared:
        raise UsageError(
            f"data and held_out share {len(shared)} recordings, e.g. {min(shared)}; take other items to compare on"
        )


def _split(run: Run, plan: WeakToStrongPlan, raters: list[str]) -> None:
    """The plan's split of a run, by the raters alone, and its data card."""
    from audiocontrib.report.card import card
    from audiocontrib.splits import split
    from audiocontrib.store.files import replacing

    made = split(run, rule=plan.rule, threshold=plan.threshold, condition=plan.condition, models=raters)
    folder = made.save(run.split_folder(SPLIT))
    with replacing(folder / "README.md") as file:
        file.write(card(run, split=SPLIT).encode())
