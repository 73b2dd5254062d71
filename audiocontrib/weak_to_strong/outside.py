"""Training by another trainer: rows are written for it, and its checkpoint is taken when it is there."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import AudiocontribError, UsageError

if TYPE_CHECKING:
    from audiocontrib.export import Stage
    from audiocontrib.store import Run
    from audiocontrib.training import TrainingRecipe

RECIPE, ROWS, MODEL = "recipe.yaml", "rows", "model"
TRAINED = "trained/last"
"""Where the script of an export leaves the checkpoint, once all is done."""


def trained_outside(recipe: TrainingRecipe, stage: Stage, run: Run, split: str, start: str, out: Path) -> Path:
    """The checkpoint of a stage that ms-swift has trained: what its script leaves, or what was put in ``out/model``.

    Args:
        start: the model from which the stage starts.
        out: folder of the stage; rows and recipe are written there, once.

    Raises:
        AudiocontribError: it is not there yet; the line says what to start, and where else a checkpoint may be put.
    """
    import yaml

    from audiocontrib.export import export
    from audiocontrib.store.files import make_folder, replacing
    from audiocontrib.training.model_card.card import recipe_values

    for place in (out / MODEL, out / ROWS / TRAINED):
        if (place / "config.json").is_file():
            return place
    make_folder(out)
    values = recipe_values(recipe) | {"model": start}
    with replacing(out / RECIPE) as file:
        file.write(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode())
    wanted: dict[str, Any] = {"split": split, "stage": stage, "format": "swift", "recipe": out / RECIPE}
    try:
        made = export(run, out=out / ROWS, progress=False, **wanted)
    except UsageError:  # clips within an archive, or the run itself, have no path that a trainer can open
        made = export(run, out=out / ROWS, audio="copy", progress=False, **wanted)
    raise AudiocontribError(
        f"{stage}: {made.rows:,} rows for ms-swift are in {made.folder}; train {start} on them by `bash "
        f"{shlex.quote(str(made.folder / stage))}.sh`, and give the same command again (another checkpoint than its "
        f"last: put it in {out / MODEL})"
    )
