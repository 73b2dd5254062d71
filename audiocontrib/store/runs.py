"""Which run is meant: opened by its folder, checked where one was given, or the newest of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import UsageError
from audiocontrib.store.manifest import MANIFEST
from audiocontrib.store.run import RESPONSES, Run

if TYPE_CHECKING:
    import pandas as pd


def open_run(path: str | os.PathLike[str], *, audio_root: str | os.PathLike[str] | None = None) -> Run:
    """The run in the folder ``path``.

    Args:
        audio_root: the folder of its audio; needed for the clips of a run that somebody else has made, or that was made
            on another machine.

    Raises:
        UsageError: there is no run, or no such folder of audio.
        AudiocontribError: it is of a newer version, or damaged.

    Example:
        >>> run = ac.open_run("runs/first")
        >>> run.query("select condition, count(*) from responses group by 1")
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise UsageError(f"{path!r} is no folder of a run; name one, such as 'runs/first'")
    return Run.open(os.fspath(path), audio_root=None if audio_root is None else os.fspath(audio_root))


def as_run(given: Any) -> Run:
    """The run that was given; UsageError if it is none, which says how to open one."""
    if not isinstance(given, Run):
        raise UsageError(f"{given!r} is no run; open one first: ac.open_run('runs/NAME')")
    return given


def as_runs(given: Any) -> list[Run]:
    """One run or several, as a list; UsageError if one is none."""
    several = [given] if isinstance(given, Run) or not isinstance(given, Sequence) or isinstance(given, str) else given
    if not several:
        raise UsageError("there is no run; give at least one")
    return [as_run(one) for one in several]


def check_same_models(runs: Sequence[Run]) -> None:
    """UsageError if two runs hold answers of different weights under one name, such as ``model`` of two trainings."""
    known: dict[str, tuple[str, Run]] = {}
    for run in runs:
        models = run.manifest.get("identity", {}).get("models", {})
        for name, told in models.items() if isinstance(models, dict) else ():
            weights = told.get("weights_sha256") if isinstance(told, dict) else None
            if not weights:
                continue
            before, other = known.setdefault(name, (weights, run))
            if before != weights:
                raise UsageError(
                    f"{name} is one model in {other.path} and another in {run.path}: their weights differ; score one "
                    "of them under a name of its own"
                )


def query(
    run: Run, /, sql: str, *, files: str | Path | Iterable[str | Path] = (), unlocked: bool = False
) -> pd.DataFrame:
    """The result of an SQL query over a run, as pandas: :meth:`Run.query`.

    Example:
        >>> ac.query(run, "select condition, avg(correct::int) from responses group by 1")
    """
    return as_run(run).query(sql, files=files, unlocked=unlocked)


def newest_run(folder: str | Path = "runs") -> Path:
    """The run in ``folder`` that was started or answered last. UsageError if there is none."""
    runs = [path.parent for path in Path(folder).glob(f"*/{MANIFEST}")]
    if not runs:
        raise UsageError(
            f"there is no run in {folder}/; make one with `audiocontrib score` or `audiocontrib demo`, "
            "or say where one is",
            argument="run",
        )
    # a folder's time is that of the last part that was put into it
    return max(runs, key=lambda run: max(p.stat().st_mtime for p in (run / MANIFEST, run / RESPONSES) if p.exists()))
