"""The whole loop: score, split, train on the weak and then the strong part, score again, and say what was learned.

Every step leaves its result in a folder and goes on from there: the same call after a kill asks and trains nothing
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.conditions import is_null
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.items import Items
    from audiocontrib.models import Model
    from audiocontrib.store import Run

SPLIT = "trained-on"
"""Name of the split in both runs."""
TRAINED = "trained"
"""Name of the trained model in the run of held-out items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A data set, as :func:`audiocontrib.load_items` takes it."""

    dataset: str
    """Name, file, folder or hub id."""
    data: str | None = None
    """File or folder to read, in place of the hub."""
    audio_root: str | None = None
    """Where the clips are."""
    revision: str | None = None
    """Of the data set."""
    split: str | None = None
    """Only this split."""
    limit: int | None = None
    """Only so many items."""
    seed: int = 0
    """For sets that are made on the spot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained on what, and what it is measured on; read from YAML."""

    about: str
    """What this is, in a line."""
    training: str
    """The recipe of the training (recipes/training/…), relative to this file."""
    data: Data
    """What is split and trained on."""
    held_out: Data
    """What base and trained model are compared on; may share no recording with ``data``."""
    raters: tuple[str, ...]
    """Models whose answers make the split."""
    rule: str = "votes"
    """Of the split."""
    threshold: float | None = None
    """Of the split; null: the rule's own."""
    condition: str = "silence"
    """Without the audio: what the split rests on."""
    conditions: tuple[str, ...] = ("audio", "silence", "text")
    """All that is asked."""
    orders: str = "cyclic"
    """Of the options."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Where everything is, and what changed; the model's card tells it too."""

    run: Path
    held_out: Path
    model: Path
    changes: pa.Table
    """:func:`audiocontrib.evaluation.compare` of the trained model with the base, by the parts of a held-out split."""


def read_plan(path: str | Path) -> tuple[Plan, Path]:
    """The plan in a YAML file, and where its training recipe is. UsageError in one line if it is none."""
    import yaml

    from audiocontrib.training.fields import build

    path = Path(path)
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the plan cannot be read: {' '.join(str(error).split())}") from error
    plan = build(Plan, held, str(path))
    return plan, path.parent / plan.training


def weak_to_strong(
    path: str | Path,
    out: str | Path,
    *,
    progress: bool = True,
    say: Callable[[str], None] = lambda text: None,
    model_options: dict[str, Any] | None = None,
) -> Learned:
    """Carry out a plan.

    Args:
        path: the plan's YAML file.
        out: folder for the two runs and the trained models.
        say: called with a line as each step begins.
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
    from audiocontrib.training import read_training_recipe, stage_rows, train_grpo, train_sft
    from audiocontrib.training.card import given, write_card
    from audiocontrib.training.stage_record import stages_of

    plan, where = read_plan(path)
    recipe, out = read_training_recipe(where), Path(out)
    refuse_own([*plan.raters, recipe.model], f"the plan {path}")
    data, held_out = _load(plan.data), _load(plan.held_out)
    _check_apart(data, held_out)
    asked: dict[str, Any] = {"orders": plan.orders, "progress": progress, "model_options": model_options}

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
    files = {"plan.yaml": asdict(replace(plan, training="training.yaml")), "training.yaml": given(asdict(recipe))}
    again = ["audiocontrib weak-to-strong --recipe plan.yaml"]
    write_card(Path(model), stages_of(Path(model)), results=changes.to_pylist(), commands=again, files=files)
    return Learned(run.path, tested.path, Path(model), changes)


def _load(data: Data) -> Items:
    from audiocontrib.sources import load_items

    return load_items(**asdict(data))


def _check_apart(data: Items, held_out: Items) -> None:
    """Recordings in both would let the trained model remember."""
    shared = set(data.table["clip_id"].to_pylist()) & set(held_out.table["clip_id"].to_pylist())
    if shared:
        raise UsageError(
            f"data and held_out share {len(shared)} recordings, e.g. {min(shared)}; take other items to compare on"
        )


def _split(run: Run, plan: Plan, raters: list[str]) -> None:
    """The plan's split of a run, by the raters alone, and its data card."""
    from audiocontrib.report.card import card
    from audiocontrib.splits import split
    from audiocontrib.store.files import replacing

    made = split(run, rule=plan.rule, threshold=plan.threshold, condition=plan.condition, models=raters)
    folder = made.save(run.split_folder(SPLIT))
    with replacing(folder / "README.md") as file:
        file.write(card(run, SPLIT).encode())
