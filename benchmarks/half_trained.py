"""Small models that something is left to learn for: a tiny Qwen2.5-Omni trained for a fraction of its usual steps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import torch

from audiocontrib.models.load import load_checkpoint

ROOT = Path(__file__).parents[1]


def half_trained(done: Path, steps: int) -> Path:
    """By the recipe of the tiny models with fewer steps (it takes 1,200); kept where it is there."""
    if not done.exists():
        part = done.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        train = [sys.executable, str(ROOT / "recipes" / "tiny" / "train.py"), "--family", "qwen2_5_omni"]
        subprocess.run([*train, "--steps", str(steps), "--out", str(part)], check=True)
        part.rename(done)
    return done


def partly_lost(known: Path, done: Path, noise: float, seed: int = 0) -> Path:
    """A model that knew something, and has partly lost it: noise on the feed-forward weights of its language model.

    Args:
        noise: its standard deviation, as a share of that of each matrix; 0: the model as it is.
    """
    if not done.exists():
        part = done.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(known, part)
        if noise:
            net = load_checkpoint(known).net
            dice = torch.Generator().manual_seed(seed)
            for name, value in net.named_parameters():
                if ".mlp." in name and "audio" not in name:
                    value.data += noise * value.data.std() * torch.randn(value.shape, generator=dice)
            net.save_pretrained(part)
        part.rename(done)
    return done
