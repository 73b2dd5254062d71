"""What the arms start from: a model that something is left to learn for, its questions, and who rates them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from half_trained import half_trained, partly_lost

from audiocontrib import load_items
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Item, Items

TRAINING_SEED, HELD_OUT_SEED = 11, 12
TINY = ("tiny-qwen2.5-omni", "tiny-qwen2-audio", "tiny-audio-flamingo-3")


@dataclass(frozen=True)
class Given:
    """What the command says of it."""

    folder: Path
    """For everything that is made once."""
    items: int
    held_out: int
    base_steps: int = 350
    smol: Path | None = None
    """Folder of the questions that recipes/smol_audio/make.py made."""


@dataclass(frozen=True)
class Start:
    """A model to start from."""

    model: Callable[[Given], str]
    questions: Callable[[Given, bool], Items]
    """To train on, or held out (true)."""
    needs_audio: Callable[[Item], bool]
    """The truth, as it was planted."""
    raters: tuple[str, ...]
    seeds: int
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Stage -> settings other than those of the tiny models."""


def _tiny(noise: float) -> Callable[[Given], str]:
    def model(given: Given) -> str:
        known = half_trained(given.folder.parent / "half-trained-model", given.base_steps)
        return str(partly_lost(known, given.folder / "base", noise))

    return model


def _demo(given: Given, held_out: bool) -> Items:
    seed, count = (HELD_OUT_SEED, given.held_out) if held_out else (TRAINING_SEED, given.items)
    return load_items("demo", seed=seed, limit=count)


def _smol_questions(given: Given, held_out: bool) -> Items:
    """Half of them betray the answer in their text; a clip is trained on or held out, never both."""
    file = given.folder / f"{'held-out' if held_out else 'training'}.jsonl"
    if given.smol is None or not (given.smol / "train.jsonl").is_file():
        raise AudiocontribError(f"--data {given.smol}: it holds no train.jsonl; run recipes/smol_audio/make.py first")
    rows = [json.loads(line) for line in (given.smol / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    clips = sorted({row["audio_path"] for row in rows})
    kept = set(Random(HELD_OUT_SEED).sample(clips, len(clips) // 3))
    rows = [row for row in rows if (row["audio_path"] in kept) == held_out]
    count, dice = given.held_out if held_out else given.items, Random(TRAINING_SEED)
    chosen = []
    for leaks in (True, False):
        some = [row for row in rows if bool(row["leak"]) == leaks]
        chosen += dice.sample(some, min(count // 2, len(some)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    return load_items("audiomcq", data=file, audio_root=given.smol)


_SMOL = {"tune": "lora", "rank": 16, "alpha": 32, "precision": "bfloat16", "seconds": 9.0, "checkpointing": False}

STARTS = {
    "half-trained": Start(_tiny(0.0), _demo, lambda item: bool(item.extra["needs_audio"]), TINY, 5),
    "forgetful": Start(_tiny(0.9), _demo, lambda item: bool(item.extra["needs_audio"]), TINY, 3),
    "smol-audio": Start(
        lambda _: "smol-audio",
        _smol_questions,
        lambda item: not item.extra["leak"],
        ("smol-audio", "cascade-small"),
        3,
        {"sft": {**_SMOL, "learning_rate": 2e-4, "copies": 1}, "grpo": {**_SMOL, "learning_rate": 5e-5, "copies": 1,
         "batch": 16, "new_tokens": 24, "top_k": 0, "temperature": 1.0}},
    ),
}  # fmt: skip
"""Name -> start. *forgetful* has noise of 0.9 of the weights' spread."""
