"""The report of a run, made in a process of its own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from audiocontrib.report.page import report
from audiocontrib.store import Run


def rendered(run: Path, audio_root: Path | None, out: Path) -> None:
    """Write the report of a run to a file.

    Raises:
        AudiocontribError: it holds no answers yet, or cannot be read.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(_render, run, audio_root, out).result()


def _render(run: Path, audio_root: Path | None, out: Path) -> None:
    report(Run.open(run, audio_root=audio_root), out=out)
