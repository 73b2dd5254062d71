"""run.json: what was asked of whom, and in which format the run is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.store.json_seal import read_sealed
from audiocontrib.store.own import check_own
from audiocontrib.store.schema import ManifestFile, checked

MANIFEST = "run.json"
FORMAT = 2
"""Of a run's files. 1: before release 0.2, which wrote no number. 2: as in docs/design.md. Columns that are added
later are optional, and need no new number; a number rises where an older program would read a run wrongly."""


def read_manifest(run: Path) -> dict[str, Any]:
    """What run.json holds.

    Raises:
        UsageError: the folder is no run.
        AudiocontribError: the file is damaged, or was written by a newer version.
    """
    path = check_own(run / MANIFEST, run)
    try:
        held: dict[str, Any] = read_sealed(path, dict)
    except (FileNotFoundError, NotADirectoryError):
        what = f"holds no {MANIFEST}" if run.is_dir() else "is not a folder"
        raise UsageError(f"{run} is no run: it {what}; name the folder of a run") from None
    if not isinstance(held.get("identity"), dict):
        raise AudiocontribError(f"{path} is damaged: it does not hold an object with the run's identity")
    number = held.get("format", 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise AudiocontribError(f"{path} is damaged: its format is {number!r}, not a number from 1 to {FORMAT}")
    if number > FORMAT:
        raise AudiocontribError(
            f"{run} was written by a newer audiocontrib (format {number}; this one reads up to {FORMAT}): "
            "update audiocontrib, or score anew into another run"
        )
    checked(ManifestFile, held, path, "put back a copy of it, or score anew")
    return held
