"""The self-check of a model, made once: its result is kept by what it hangs on, so that the next load takes it over."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers

from audiocontrib.hashing import stable_hash
from audiocontrib.models.identity import files_sha256
from audiocontrib.models.plain_decoder import PlainDecoder
from audiocontrib.models.prefix_decoder import PATHS
from audiocontrib.models.self_check import SelfCheck, self_check

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

LOG = logging.getLogger(__name__)


def check_once(model: LocalModel) -> SelfCheck:
    """The model's self-check, made or remembered; the model then goes the path that it found.

    Raises:
        AudiocontribError: the check refuses the model. That is not kept.
    """
    path = _folder() / f"{_key(model)}.json"
    found = _kept(path)
    if found is None:
        found = self_check(model)
        _keep(path, found)
    else:
        model.take(found.path)
    if found.deaf:
        LOG.warning("%s: a clip changes none of its scores: it does not hear", model.name)
    if found.line:
        LOG.warning("%s %s", model.name, found.line)
    return found


def _folder() -> Path:
    """Where checks are kept: ``$AUDIOCONTRIB_CHECKS``, or ``~/.cache/audiocontrib/checks``."""
    given = os.environ.get("AUDIOCONTRIB_CHECKS")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "audiocontrib" / "checks"


def _key(model: LocalModel) -> str:
    device = model.net.device
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return stable_hash([model.fingerprint(), where, torch.__version__, transformers.__version__, _code()])


@cache
def _code() -> str:
    """Hash of the code that is checked: another version of it has to prove itself anew."""
    return files_sha256(sorted(Path(__file__).parent.glob("*.py")))


def _kept(path: Path) -> SelfCheck | None:
    try:
        found = SelfCheck(**json.loads(path.read_text(encoding="utf-8")))
        return found if found.path in (*PATHS, PlainDecoder.path) else None
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, found: SelfCheck) -> None:
    """Whole or not at all; a folder that cannot be written only costs the check again."""
    written = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(json.dumps(asdict(found)), encoding="utf-8")
        written.replace(path)
    except OSError:
        LOG.info("the self-check cannot be kept in %s", path.parent)
