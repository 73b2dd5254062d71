"""Results and splits for others: files to hand in, the hub's forms, and pushing to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audiocontrib.errors import UsageError
from audiocontrib.publish import hub_results, submissions
from audiocontrib.publish.base import RESULTS, told_by
from audiocontrib.publish.folder import split_files
from audiocontrib.publish.push import Pushed, push
from audiocontrib.store.files import make_folder, replacing
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    from audiocontrib.store import Run

__all__ = ["RESULTS", "Pushed", "hub_results", "push", "split_files", "submissions", "write_results"]


def write_results(
    run: Run, /, form: str, *, out: str | Path, model: str | None = None, condition: str = "audio"
) -> tuple[int, int]:
    """Write what a model chose as a file of one of the forms in RESULTS.

    Args:
        run: in which every item was answered.
        form: name of the form.
        out: the file to write.
        model: needed where the run holds several.
        condition: under which it was asked.

    Returns:
        Items in the file, and how many of them name no option: these are empty, never guessed.

    Raises:
        UsageError: the form is of another data set, or a word is not known.
        AudiocontribError: some items have no answer.

    Example:
        >>> ac.write_results(run, "dcase2026", out="submission.csv")
    """
    run = as_run(run)
    wanted, name = RESULTS.find(form), (run.manifest.get("origin") or {}).get("name")
    if wanted.datasets and name not in wanted.datasets:
        raise UsageError(f"{form} is for {' or '.join(wanted.datasets)}; the run is of {name}")
    told = told_by(run, model, condition)
    text, path = wanted.write(told), Path(out)
    make_folder(path.parent)
    with replacing(path) as file:
        file.write(text.encode())
    return len(told.items), sum(choice is None for choice in told.choices.values())
