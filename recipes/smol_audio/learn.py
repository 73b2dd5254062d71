"""Train the projector and the adapter of `smol-audio`, on what make.py and features.py made.

    python recipes/smol_audio/learn.py --data FOLDER [--data FOLDER …] --out FOLDER --hours 2 [--from FOLDER]

Stopped at any time, the same command goes on from the last checkpoint (one every five minutes). `--from` starts from an
adapter that was exported before, such as the one that the package ships, with fresh moments: sittings on other machines
follow each other so. `--export FOLDER` writes the adapter of the last checkpoint and ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

import torch
from adapter import base_folder, export, take
from trainer import SEED, Training

from audiocontrib.errors import AudiocontribError

WARMUP, SAVE = 40, 300.0
"""Steps, seconds."""


def first_guess(training: Training, count: int = 2500, ridge: float = 30.0) -> None:
    """The projector by least squares: every vector of a clip of one thing -> the embedding of its name, on average.

    A start from which the decoder can tell words at all; at the spread that embeddings have.
    """
    rng, net, writer = Random(SEED), training.net, training.writer
    pool = [one for name in ("words", "instruments", "events", "calendar") for one in training.captions[name].items()]
    left = torch.zeros(513, 513, dtype=torch.float64)
    right = torch.zeros(513, net.words.shape[1], dtype=torch.float64)
    mean = net.words.float().mean(0)
    some = []
    for clip, caption in rng.sample(pool, min(count, len(pool))):
        name = caption.split(": ", 1)[1].strip('".')
        wanted = (net.words[writer.tokens(f" {name}")].float().mean(0) - mean).double()
        heard = torch.cat([training.features[clip].double(), torch.ones(len(training.features[clip]), 1)], 1)
        left += heard.t() @ heard / len(heard)
        right += heard.sum(0)[:, None] * wanted[None] / len(heard)
        some.append(training.features[clip].float())
    left[range(512), range(512)] += ridge
    solved = torch.linalg.solve(left, right).float()
    with torch.no_grad():
        net.projector["weight"].copy_(solved[:512].t())
        net.projector["bias"].copy_(solved[512])
        made = net.heard(torch.cat(some[:200])).float()
        scale = net.words.float().std() / made.std()
        net.projector["weight"].mul_(scale)
        net.projector["bias"].mul_(scale)
    print(f"the projector by least squares on {min(count, len(pool)):,} clips, scaled by {scale:.2f}", flush=True)


def learn(training: Training, hours: float, log: Path) -> None:
    """Steps until the hours are spent; the rate falls over the last fifth of them."""
    saved = begun = time.time()
    mean, before = 0.0, training.spent
    while training.spent < hours * 3600:
        left = hours * 3600 - training.spent
        factor = min(1.0, (training.step + 1) / WARMUP, max(0.02, left / (0.2 * hours * 3600)))
        loss = training.train_step(factor)
        training.spent = before + time.time() - begun
        mean = loss if not mean else 0.95 * mean + 0.05 * loss
        if training.step % 10 == 0:
            told = f"loss {mean:.3f} {training.spent:.0f} s cpu {time.process_time():.0f} | {counted(training.seen)}"
            note(log, f"step {training.step} {told}")
            training.seen.clear()
        if training.step % 200 == 0:
            note(log, f"step {training.step} held out | {counted(training.held_out())}")
        if time.time() - saved > SAVE:
            training.save()
            saved = time.time()
    training.save()


def counted(hits: Mapping[str, list[bool]]) -> str:
    """Right of all, by name, and over all."""
    every = [hit for some in hits.values() for hit in some]
    named = [f"{name} {sum(some)}/{len(some)}" for name, some in sorted(hits.items())]
    return " ".join([*named, f"all {sum(every)}/{len(every)}"])


def note(log: Path, line: str) -> None:
    """A line on the screen and in the log."""
    print(line, flush=True)
    with log.open("a") as file:
        file.write(line + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Train the projector and the adapter of smol-audio.")
    parser.add_argument("--data", type=Path, action="append", required=True, help="A folder that make.py made.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the checkpoint and the log.")
    parser.add_argument("--hours", type=float, default=2.0, help="How long, all sittings together.")
    parser.add_argument("--from", type=Path, dest="start", help="An exported adapter to start from.")
    parser.add_argument("--export", type=Path, help="Write the last checkpoint's adapter there, and end.")
    given = parser.parse_args()
    try:
        run(given)
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(given: argparse.Namespace) -> None:
    """Train, or export, as the command says."""
    given.out.mkdir(parents=True, exist_ok=True)
    base = base_folder()
    training = Training(base, given.data, given.out)
    place = given.out / "checkpoint.safetensors"
    if place.exists():
        training.load(place)
    elif given.start:
        take(training.net, given.start)
    else:
        first_guess(training)
    if given.export:
        export(training.net, given.export, base)
    else:
        learn(training, given.hours, given.out / "log.txt")


if __name__ == "__main__":
    sys.exit(main())
