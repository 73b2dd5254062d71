"""The rehearsal: all of a plan is tried on a few questions, by mocks, before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from logging import CRITICAL, Logger
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.weak_to_strong.plan import WeakToStrongPlan

if TYPE_CHECKING:
    from audiocontrib.items import Items
    from audiocontrib.training import TrainingRecipe

QUESTIONS = 8
"""So many questions are asked of the mocks."""
SOUNDS = "sounds.parquet"
"""Keeps what was found out of the sounds, in the folder of the loop."""


def rehearse(
    plan: WeakToStrongPlan,
    recipe: TrainingRecipe,
    data: Items,
    held_out: Items,
    out: Path,
    *,
    options: Mapping[str, Any],
    progress: bool,
) -> None:
    """Try all of a plan, what takes seconds first.

    Raises:
        UsageError, AudiocontribError: a set has no answers or no sound, the rule does not take what is asked, a model
            cannot be loaded, the base model cannot be trained or put the questions, or the sets share recordings.
    """
    for name, items in (("data", data), ("held_out", held_out)):
        if not len(items):
            raise AudiocontribError(f"{name}: no question is left of {len(items.quarantined):,} rows")
        if not any(answer is not None for answer in items.table["answer"].to_pylist()):
            raise UsageError(f"{name}: no question has a gold answer; name a set, or a part of it, that has")
    _split(plan, data)
    _watched(plan, recipe, data)
    _rates(plan, recipe)
    for name in dict.fromkeys([*plan.raters, recipe.model]):
        _model(name, options)
    if plan.trainer == "ours":
        _base(plan, recipe, data)
    else:
        _outside(plan, recipe)
    _apart(data, held_out, out, progress)


def _split(plan: WeakToStrongPlan, data: Items) -> None:
    """The rule of the plan, on what as many mocks as there are raters answer to a few of its questions."""
    from audiocontrib.models.mock import mock_model
    from audiocontrib.scoring import score
    from audiocontrib.scoring.progress import LOG
    from audiocontrib.splits import split

    places = [place for place, answer in enumerate(data.table["answer"].to_pylist()) if answer is not None]
    few = list(data.take(places[:QUESTIONS]))
    mocks = [mock_model(f"leak=0.5,seed={number},name=rater {number}") for number in range(len(plan.raters))]
    asked: dict[str, Any] = {"method": plan.method, "orders": plan.orders, "prompt": plan.prompt}
    with TemporaryDirectory() as folder:
        with _quiet(LOG):
            run = score(few, mocks, plan.conditions, run=folder, progress=False, **asked)
        if len(run.quarantined_ids()) == len(few):
            reason = run.load_items().quarantined[0].reason
            raise AudiocontribError(f"data: none of the first {len(few)} clips can be heard, e.g. {reason}")
        try:
            names = [mock.name for mock in mocks]
            split(run, rule=plan.rule, threshold=plan.threshold, condition=plan.condition, models=names)
        except AudiocontribError as error:
            raise type(error)(f"the plan cannot be split by the rule {plan.rule}: {one_line(error)}") from error


@contextmanager
def _quiet(logger: Logger) -> Iterator[None]:
    """A block in which nothing is said of so few questions: that no other item can lend a clip, say."""
    level = logger.level
    logger.setLevel(CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _model(name: str, options: Mapping[str, Any]) -> None:
    """What can be seen of a model without reading its weights."""
    from audiocontrib.models import MODELS, TINY
    from audiocontrib.models.load import check_checkpoint

    if name.partition(":")[0] not in MODELS:
        check_checkpoint(TINY / name if (TINY / name).is_dir() else name, revision=options.get("revision"))


def _watched(plan: WeakToStrongPlan, recipe: TrainingRecipe, data: Items) -> None:
    """There is enough to watch, and who trains can be watched."""
    there = sum(answer is not None for answer in data.table["answer"].to_pylist())
    for name, settings in (("sft", recipe.sft), ("grpo", recipe.grpo)):
        if settings is None or settings.watch is None:
            continue
        if plan.trainer != "ours":
            raise UsageError(f"{plan.trainer} does not watch: leave {name}.watch out of the recipe")
        if settings.watch.items >= there:
            raise UsageError(
                f"{name}.watch.items is {settings.watch.items:,}, but data has {there:,} items: watch fewer"
            )


def _rates(plan: WeakToStrongPlan, recipe: TrainingRecipe) -> None:
    """The answers that pass rates need will be there, and it is said whose count."""
    grpo = recipe.grpo
    if grpo is None or not (grpo.pass_audio or grpo.pass_silent or grpo.weigh):
        return
    if grpo.rater is None and len(plan.raters) > 1:
        raise UsageError(
            f"grpo asks for pass rates, and there are several raters; name one as grpo.rater: {', '.join(plan.raters)}"
        )
    if grpo.rater is not None and not any(grpo.rater in name for name in plan.raters):  # a folder is called by its name
        raise UsageError(f"grpo.rater is {grpo.rater}, which is none of the raters: {', '.join(plan.raters)}")
    if grpo.pass_silent and "silence" not in plan.conditions:
        raise UsageError("grpo.pass_silent needs answers under silence, which conditions leaves out")


def _base(plan: WeakToStrongPlan, recipe: TrainingRecipe, data: Items) -> None:
    """The base model can be trained by each stage of the recipe, reads a question of the data, and can be rewarded."""
    from audiocontrib.prompts import prompt_named
    from audiocontrib.training import GRPO
    from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
    from audiocontrib.training.encoding.wanted import check_template
    from audiocontrib.training.reward_trial import try_own
    from audiocontrib.training.rows import TrainingRows, taken
    from audiocontrib.training.rows.stages import check_enough, check_form
    from audiocontrib.training.stage_settings import NOTHING_LEARNED, not_installed

    places = [place for place, answer in enumerate(data.table["answer"].to_pylist()) if answer is not None]
    for settings in filter(None, (recipe.sft, recipe.grpo)):
        rows = TrainingRows(taken(data, places[:QUESTIONS]), prompt=prompt_named(settings.prompt or plan.prompt))
        if missing := not_installed(settings.report_to):
            raise UsageError(missing)
        if settings.steps == 1 and settings.warmup:
            raise UsageError(NOTHING_LEARNED)
        if isinstance(settings, GRPO):
            check_form(settings, rows.prompt)
            check_enough(settings, len(places) * settings.copies)  # the strong part has fewer
        elif settings.target:
            _fillable(settings.target, taken(data, places))
        try_own(settings, rows)
        model = load_for_training(recipe.model, settings)
        encoder = RowEncoder(model, settings.seconds)
        check_template(settings.target, encoder)
        encoder.prompt(rows[0])


def _fillable(target: str, items: Items) -> None:
    """UsageError if no item holds what the wanted reply names."""
    from audiocontrib.training.target import target_text

    why = ""
    for item in items:
        try:
            target_text(target, item.choices[item.answer or 0], item.extra)
        except AudiocontribError as error:
            why = why or f"{item.id}: {error}"
        else:
            return
    raise UsageError(f"sft.target can be filled by no item of data, e.g. {why}")


def _outside(plan: WeakToStrongPlan, recipe: TrainingRecipe) -> None:
    """UsageError if the recipe asks for what the files of another trainer do not say."""
    grpo = recipe.grpo
    for name in ("own_rewards", "target"):
        if grpo is not None and getattr(grpo, name):
            raise UsageError(
                f"{name} of grpo is not carried over to {plan.trainer}; leave it out, or train here (ours)"
            )


def _apart(data: Items, held_out: Items, out: Path, progress: bool) -> None:
    """Recordings in both would let the trained model remember."""
    from audiocontrib.store.files import make_folder
    from audiocontrib.training.rows.overlap import shared_recordings

    new = not out.exists()
    make_folder(out)
    shared = shared_recordings(data, held_out, out / SOUNDS, progress=progress)
    if shared:
        if new:
            _forget(out)
        ours, theirs = shared[0]
        raise UsageError(
            f"data and held_out share {len(shared):,} recordings, e.g. that of {ours} and {theirs}; "
            "take other items to compare on"
        )


def _forget(out: Path) -> None:
    """Nothing was begun: leave no folder behind."""
    (out / SOUNDS).unlink(missing_ok=True)
    out.rmdir()


def told_of_design(plan: WeakToStrongPlan, held_out: Items) -> str:
    """What so many held-out questions can show, in a line."""
    from audiocontrib.statistics import smallest_by_design

    table = held_out.table
    clips = [c for c, a in zip(texts(table["clip_id"]), table["answer"].to_pylist(), strict=True) if a is not None]
    accuracy, gain = (smallest_by_design(len(set(clips)), share) for share in (0.5, 1.0))
    seeds = f"{plan.seeds} seeds" if plan.seeds > 1 else "one seed, which says nothing of other trainings"
    return (
        f"{len(clips):,} held-out questions about {len(set(clips)):,} clips, {seeds}: a change of accuracy shows from "
        f"{_points(accuracy)} on, one of what the audio adds from {_points(gain)} on (power 80 %, one test at .05, "
        "half of the answers changed)"
    )


def _points(share: float) -> str:
    return f"{100 * share:.1f} points" if share == share else "no size"
