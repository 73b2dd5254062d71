"""A GGUF file as a checkpoint folder: its weights are unpacked once, and kept by the file's hash for the next start."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from audiocontrib.hashing import file_sha256, stable_hash
from audiocontrib.models.identity import checkpoint_files
from audiocontrib.models.weights import load_network

LOG = logging.getLogger(__name__)
SEAL = "complete.json"
"""Name -> SHA-256 of each file of an unpacked folder; written last."""


def unpacked(file: Path, dtype: torch.dtype) -> Path | None:
    """The folder with a GGUF file's weights as safetensors, its config and its tokenizer.

    Unpacking takes half a minute for 135 M weights, reading what is unpacked less than two seconds. The folder takes
    four bytes a weight in float32, two otherwise.

    Args:
        dtype: what the weights are kept in.

    Returns:
        None where the folder cannot be written: the file is then read as it is.

    Raises:
        Exception: of any kind, from transformers, if the file holds no model that it reads.
    """
    folder = _folder() / _key(file, dtype)
    if _whole(folder):
        return folder
    given = {"gguf_file": file.name, "trust_remote_code": False, "local_files_only": True}
    net: Any = load_network(file.parent, None, dtype, given)
    # they are plain weights by now; with a mark of how they were packed, transformers would not write them
    net.hf_quantizer, net.is_quantized = None, False
    vars(net.config).pop("quantization_config", None)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, **given)
    try:
        _keep(folder, net, tokenizer)
    except OSError as error:
        LOG.warning("%s: its unpacked weights cannot be kept in %s (%s)", file.name, folder.parent, error.strerror)
        return None
    LOG.info("%s: unpacked into %s", file.name, folder)
    return folder


def _folder() -> Path:
    """Where they are kept: ``$AUDIOCONTRIB_UNPACKED``, or ``~/.cache/audiocontrib/unpacked``."""
    given = os.environ.get("AUDIOCONTRIB_UNPACKED")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "audiocontrib" / "unpacked"


def _key(file: Path, dtype: torch.dtype) -> str:
    """All that the unpacked files hang on: what is read, and by whom."""
    beside = checkpoint_files(file.parent)
    return stable_hash([file_sha256(file), beside, str(dtype), version("transformers"), version("gguf")])[:32]


def _whole(folder: Path) -> bool:
    """Whether each file is what was written: edited weights would pass as those of the GGUF file."""
    try:
        told = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        held = {path.name for path in folder.iterdir()} - {SEAL}
        return held == set(told) and all(file_sha256(folder / name) == told[name] for name in held)
    except (OSError, ValueError, TypeError):
        return False


def _keep(folder: Path, net: Any, tokenizer: Any) -> None:
    """Whole or not at all; where two processes unpack at once, the later one's stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        net.save_pretrained(made)
        tokenizer.save_pretrained(made)
        hashes = {path.name: file_sha256(path) for path in made.iterdir()}
        (made / SEAL).write_text(json.dumps(hashes), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
