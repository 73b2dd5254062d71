"""Where `smol-audio` lies: a base that is assembled from packages, and the adapter that ships here."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import file_sha256
from audiocontrib.models.cascade.parts import Part

HELD = "held.json"
"""File name -> sha256, of the base's files and of the adapter's own."""


def base_and_adapter(folder: Path) -> str:
    """``BASE+ADAPTER``, both held to the sha256 in the adapter's folder.

    Raises:
        AudiocontribError: peft is not installed; the base is nowhere, or a file is another than it was trained with.
    """
    if find_spec("peft") is None:
        raise AudiocontribError("smol-audio: its adapter needs a package; run: pip install peft")
    held = json.loads((folder / HELD).read_text(encoding="utf-8"))
    base = Part(weights="smol-audio-base", files=held["base"]).find(folder)
    for name, wanted in held["adapter"].items():
        if not (folder / name).is_file() or file_sha256(folder / name) != wanted:
            raise AudiocontribError(f"{folder / name}: it is missing or damaged; install audiocontrib again")
    return f"{base}+{folder}"
