"""Whether the model that a watched training starts from was trained on what is watched."""

from __future__ import annotations

from collections.abc import Sequence

from audiocontrib.errors import UsageError
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.watch.settings import Watch


def check_before(stages: Sequence[StageRecord], stage: str, watch: Watch | None, rows: TrainingRows) -> tuple[str, ...]:
    """Notes where that cannot be told.

    Args:
        stages: what made the model.
        stage: the one that is watched.

    Raises:
        UsageError: a stage before read the same run, by a recipe that did not keep these items from it.
    """
    if watch is None:
        return ()
    unknown = []
    for one in stages:
        if one.provenance is None or rows.provenance is None or one.provenance.run != rows.provenance.run:
            unknown.append(one.stage)
            continue
        kind = None if one.recipe is None else getattr(one.recipe, stage)
        if kind is None or kind.watch != watch or one.provenance.split != rows.provenance.split:
            raise UsageError(
                f"the model was trained before ({one.stage}) on {one.provenance.run}, by a recipe that does not keep "
                f"what {stage} watches from its rows: give the recipe this watch before any stage, and train "
                f"{one.stage} anew"
            )
    if not unknown:
        return ()
    return (f"whether {' and '.join(unknown)} before had watched items too cannot be told: its rows were others'",)
