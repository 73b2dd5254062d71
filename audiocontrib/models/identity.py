"""What fixes the answers of a checkpoint: every file that is read from it, settings in words, the rest by hash."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from audiocontrib.hashing import file_sha256, stable_hash

SETTINGS_BYTES = 1 << 15
"""JSON files up to this size are kept as they are, so that a change can be named; larger ones by their hash."""
READ = ("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "additional_chat_templates/*.jinja")
"""Files beside the weights that transformers may read."""
NOT_READ = re.compile(
    r"trainer_state\.json|training\.json|complete\.json|training_args\.json|.*_results\.json|.*\.index\.json|"
    r"(README|LICENSE|NOTICE|requirements).*\.txt",
    re.IGNORECASE,
)
"""Files that lie beside them and are records of a training, or for people."""
UNTOUCHED = frozenset({"_name_or_path", "transformers_version"})
"""Settings that say where a checkpoint came from, and change no answer."""


def checkpoint_files(folder: Path, *, code: bool = False) -> dict[str, Any]:
    """Name -> what stands in it, of all files of a checkpoint that can change an answer, its weights excepted.

    Args:
        code: whether Python files are run, and so belong to it.

    Returns:
        JSON values: the content of small JSON files, the SHA-256 of all others.
    """
    patterns = (*READ, "*.py") if code else READ
    found = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    return {str(p.relative_to(folder)): _content(p) for p in found if not NOT_READ.fullmatch(p.name)}


def files_sha256(files: list[Path]) -> str:
    """One hash of the names and contents of files."""
    return stable_hash([[p.name, file_sha256(p.resolve())] for p in files])


def _content(path: Path) -> Any:
    if path.suffix == ".json" and path.stat().st_size <= SETTINGS_BYTES:
        try:
            # parse_constant: NaN and Infinity, which some configs hold, are no JSON and could not be kept
            held = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)
        except (ValueError, RecursionError):
            held = None
        if isinstance(held, dict):
            return _without(held)
    return file_sha256(path.resolve())


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(member) for name, member in value.items() if name not in UNTOUCHED}
    return [_without(member) for member in value] if isinstance(value, list) else value
