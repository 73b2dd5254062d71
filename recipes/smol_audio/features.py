"""What the frozen tower makes of each clip, computed once and kept in one file.

    python recipes/smol_audio/features.py --data FOLDER

Equal to the tower's output in the network (25 vectors a second): padding is masked out there, so a window that ends
shortly after the clip gives the same for a fraction of the work.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import transformers as hf

from audiocontrib.errors import AudiocontribError

FRAMES = 160
"""Samples of a frame of the mel spectrogram."""
VECTOR = 512 * 2
"""Bytes of a vector."""


def tokens(samples: int) -> int:
    """Vectors of a clip."""
    return ((-(-samples // FRAMES) - 1) // 2 + 1 - 2) // 2 + 1


def encode(tower: Any, extractor: Any, clips: list[np.ndarray]) -> list[torch.Tensor]:
    """The tower's output for each clip, shape (tokens, 512) each."""
    frames = [-(-len(clip) // FRAMES) for clip in clips]
    width = min(3000, -(-(max(frames) + 4) // 48) * 48)  # few widths: each has kernels of its own, which are kept
    window = {"padding": "max_length", "max_length": width * FRAMES, "return_tensors": "pt"}
    mels = extractor(clips, sampling_rate=16_000, **window).input_features.to(tower.conv1.weight.dtype)
    whole, most = tower.embed_positions, tower.config.max_source_positions
    positions = torch.tensor([(one - 1) // 2 + 1 for one in frames])
    seen = torch.arange(width // 2)[None] < positions[:, None]
    mask = torch.zeros(seen.shape, dtype=mels.dtype).masked_fill(~seen, torch.finfo(mels.dtype).min)
    try:
        tower.config.max_source_positions = width // 2
        tower.embed_positions = torch.nn.Embedding.from_pretrained(whole.weight[: width // 2])
        with torch.no_grad():
            made = tower(mels, attention_mask=mask[:, None, None].expand(-1, 1, width // 2, -1)).last_hidden_state
    finally:
        tower.embed_positions, tower.config.max_source_positions = whole, most
    return [one[: tokens(len(clip))] for one, clip in zip(made, clips, strict=True)]


def write(data: Path, base: Path, at_once: int = 24, flush: int = 480) -> None:
    """Features of all clips: `features.bin` (bfloat16) and `features.json`, name -> first vector and how many.

    Stopped at any time, it goes on where the index ends.
    """
    net = hf.Qwen2AudioForConditionalGeneration.from_pretrained(base, dtype=torch.bfloat16, local_files_only=True)
    tower, extractor = net.model.audio_tower.eval(), hf.WhisperFeatureExtractor.from_pretrained(base)
    del net
    place, store = data / "features.json", data / "features.bin"
    index: dict[str, tuple[int, int]] = json.loads(place.read_text()) if place.exists() else {}
    first = sum(count for _, count in index.values())
    files = sorted((data / "clips").glob("*.wav"), key=lambda file: file.stat().st_size)
    files = [file for file in files if f"clips/{file.name}" not in index]
    store.touch()
    with store.open("r+b") as out:
        out.truncate(first * VECTOR)
        out.seek(first * VECTOR)
        for at in range(0, len(files), at_once):
            part = files[at : at + at_once]
            clips = [soundfile.read(file, dtype="float32")[0] for file in part]
            for file, made in zip(part, encode(tower, extractor, clips), strict=True):
                out.write(made.contiguous().view(torch.int16).numpy().tobytes())
                index[f"clips/{file.name}"] = (first, len(made))
                first += len(made)
            if (at + at_once) % flush == 0 or at + at_once >= len(files):
                out.flush()
                place.with_suffix(".half").write_text(json.dumps(index))
                os.replace(place.with_suffix(".half"), place)
                print(f"{len(index):,} clips, {time.process_time():.0f} s of a core", file=sys.stderr, flush=True)


class Features:
    """The kept features of one or more folders of data."""

    def __init__(self, folders: list[Path]) -> None:
        self.places: dict[str, tuple[np.ndarray, int, int]] = {}
        for folder in folders:
            whole = np.memmap(folder / "features.bin", np.int16, "r").reshape(-1, 512)
            for name, (first, count) in json.loads((folder / "features.json").read_text()).items():
                self.places[f"{folder}/{name}"] = (whole, first, count)

    def __getitem__(self, name: str) -> torch.Tensor:
        """Shape (tokens, 512), bfloat16."""
        whole, first, count = self.places[name]
        return torch.from_numpy(whole[first : first + count].copy()).view(torch.bfloat16)


def main() -> int:
    from adapter import base_folder

    parser = argparse.ArgumentParser(description="Encode all clips with the frozen tower, once.")
    parser.add_argument("--data", type=Path, required=True, help="A folder that make.py made.")
    given = parser.parse_args()
    try:
        if not any((given.data / "clips").glob("*.wav")):
            raise AudiocontribError(f"{given.data}/clips holds no clips; run make.py first")
        write(given.data, base_folder())
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
