"""Training by another trainer: rows are written for it, and its checkpoint is taken when it is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import AudiocontribError, UsageError

if TYPE_CHECKING:
    from audiocontrib.export import Stage
    from audiocontrib.store import Run
    from audiocontrib.training import TrainingRecipe

RECIPE, ROWS, MODEL = "recipe.yaml", "rows", "model"


def trained_outside(recipe: TrainingRecipe, stage: Stage, run: Run, split: str, start: str, out: Path) -> Path:
    """The checkpoint of a stage that ms-swift has trained, once it lies in ``out/model``.

    Args:
        start: the model from which the stage starts.
        out: folder of the stage; rows and recipe are written there, once.

    Raises:
        AudiocontribError: it is not there yet; the line says what to train on and where to put it.
    """
    import yaml

    from audiocontrib.export import export
    from audiocontrib.store.files import make_folder, replacing
    from audiocontrib.training.model_card.card import recipe_values

    place = out / MODEL
    if (place / "config.json").is_file():
        return place
    make_folder(out)
    with replacing(out / RECIPE) as file:
        file.write(yaml.safe_dump(recipe_values(recipe), sort_keys=False, allow_unicode=True).encode())
    wanted: dict[str, Any] = {"split": split, "stage": stage, "format": "swift", "recipe": out / RECIPE}
    try:
        made = export(run, out=out / ROWS, progress=False, **wanted)
    except UsageError:  # clips within an archive, or the run itself, have no path that a trainer can open
        made = export(run, out=out / ROWS, audio="copy", progress=False, **wanted)
    scripts = sorted(path.name for path in made.folder.glob("*.sh"))
    by = f" by {made.folder / scripts[0]}" if scripts else " (docs/ms-swift.md has the script)"
    raise AudiocontribError(
        f"{stage}: {made.rows:,} rows for ms-swift are in {made.folder}; train {start} on them{by}, put the checkpoint "
        f"that you take in {place}, and give the same command again"
    )
