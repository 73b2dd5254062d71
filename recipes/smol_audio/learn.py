"""Train the projector and the adapter of `smol-audio`, on what make.py and features.py made.

    python recipes/smol_audio/learn.py --data FOLDER [--data FOLDER …] --out FOLDER --hours 2 [--from FOLDER]

Stopped at any time, the same command goes on from the last checkpoint (one every five minutes). `--from` starts from an
adapter that was exported before, such as the one that the package ships, with fresh moments: sittings on other machines
follow each other so. `--export FOLDER` writes the adapter of the last checkpoint and ends.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers as hf
from adapter import base_folder, export, take
from features import Features
from quick import BF16, QuickDecoder
from rows import SHARES, Row, Writer, read, shuffled
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

from audiocontrib.errors import AudiocontribError

RANK, ALPHA, SEED = 16, 32, 0
BATCH, TOGETHER = 16, 1400
"""Rows of a step, and tokens of a forward (some hundred keep a processor's caches full)."""
RATES = {"projector": 1e-3, "adapter": 4e-4}
WARMUP, SAVE = 40, 300.0
"""Steps, seconds."""
CAPTIONS = (1.0, 0.2, 250)
"""Share of captions at the start, later, and the step from which on it is the later one."""


class Training:
    """One training: what is trained, its optimiser, and where it stands."""

    def __init__(self, base: Path, data: list[Path], out: Path) -> None:
        net = hf.Qwen2AudioForConditionalGeneration.from_pretrained(base, dtype=BF16, local_files_only=True)
        self.net = QuickDecoder(net, RANK, ALPHA, SEED)
        del net
        self.writer, self.out = Writer(hf.AutoTokenizer.from_pretrained(base, local_files_only=True)), out
        for folder in data:
            if not (folder / "features.json").is_file():
                raise AudiocontribError(f"{folder} holds no features; run make.py and features.py first")
        self.features = Features(data)
        self.kinds: dict[str, list[Any]] = defaultdict(list)
        self.captions: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.test: list[Any] = []
        for folder in data:
            train, test, captions = read(folder)
            known = self.features.places  # those of a training that starts before all are made
            for name, clips in train.items():
                self.kinds[name] += [asked for asked in clips if asked[0].clip in known]
                self.captions[name] += [one for one in captions[name] if one[0] in known]
            self.test += [asked for asked in test if asked.clip in known]
        groups = {"projector": [], "adapter": []}
        for name, value in self.net.parameters():
            groups["projector" if name.startswith("projector") else "adapter"].append(value)
        self.optimizer = torch.optim.AdamW(
            [{"params": values, "name": name} for name, values in groups.items()], betas=(0.9, 0.98), weight_decay=0.0
        )
        self.step, self.rng, self.spent = 0, Random(SEED), 0.0
        self.seen: dict[str, list[bool]] = defaultdict(list)

    def draw(self) -> Row:
        """A row by chance: a caption or a question, of a kind by its share."""
        first, later, until = CAPTIONS
        share = first + (later - first) * min(1.0, self.step / until)
        names = [name for name in SHARES if self.kinds.get(name)]
        (name,) = self.rng.choices(names, [SHARES[name] for name in names])
        if self.rng.random() < share:
            return self.writer.caption(*self.rng.choice(self.captions[name]))
        asked = self.rng.choice(self.rng.choice(self.kinds[name]))
        row = self.writer.question(asked, shuffled(asked, self.rng))
        return row

    def forward(self, rows: list[Row], heard: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits at the replies' tokens, these tokens, and of which row each is."""
        audio = self.net.heard(torch.cat(heard)).split([len(one) for one in heard])
        sizes = [len(r.before) + len(a) + len(r.after) + len(r.target) for r, a in zip(rows, audio, strict=True)]
        length = -(-max(sizes) // 16) * 16  # few lengths: each has kernels of its own
        parts, places, wanted, owner = [], [], [], []
        for number, (row, sound, size) in enumerate(zip(rows, audio, sizes, strict=True)):
            pad = self.net.words.new_zeros(length - size, self.net.words.shape[1])
            words = self.net.words
            parts += [words[row.before], sound, words[row.after + row.target], pad]
            start = number * length + size - len(row.target) - 1
            places += range(start, start + len(row.target))
            wanted += row.target
            owner += [number] * len(row.target)
        hidden = self.net.hidden(torch.cat(parts), len(rows))
        return self.net.logits(hidden[places]), torch.tensor(wanted), torch.tensor(owner)

    def train_step(self, factor: float) -> float:
        """One optimiser step; the mean loss of the replies' tokens."""
        rows = sorted((self.draw() for _ in range(BATCH)), key=self.length)
        total, loss = sum(len(row.target) for row in rows), 0.0
        while rows:
            part = [rows.pop()]
            while rows and (len(part) + 1) * self.length(part[0]) <= TOGETHER:
                part.append(rows.pop())
            logits, wanted, owner = self.forward(part, [self.features[row.clip] for row in part])
            one = cross_entropy(logits, wanted, reduction="sum") / total
            one.backward()
            loss += one.item()
            right = torch.ones(len(part), dtype=torch.bool)
            right[owner[logits.argmax(-1) != wanted]] = False
            for row, hit in zip(part, right.tolist(), strict=True):
                self.seen[row.category].append(hit)
        values = [value for _, value in self.net.parameters()]
        norm = torch.nn.utils.clip_grad_norm_(values, 1.0)
        if not math.isfinite(loss) or not norm.isfinite():
            raise AudiocontribError(
                f"step {self.step}: the loss is {loss}, the gradient's norm {norm}; nothing was changed"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = RATES[group["name"]] * factor
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.net.merge()
        self.step += 1
        return loss

    def length(self, row: Row) -> int:
        """Tokens of a row."""
        return len(row.before) + len(row.after) + len(row.target) + self.features.places[row.clip][2]

    def save(self) -> None:
        """A checkpoint: what is trained, the moments, and where the draw stands; whole or not at all."""
        tensors = {name: value.detach() for name, value in self.net.parameters()}
        for name, value in self.net.parameters():
            for moment, kept in self.optimizer.state.get(value, {}).items():
                tensors[f"{moment}|{name}"] = kept.detach()
        half = self.out / "checkpoint.half"
        version, state, gauss = self.rng.getstate()
        told = {"step": self.step, "spent": self.spent, "rng": [version, list(state), gauss]}
        save_file({k: v.contiguous() for k, v in tensors.items()}, half, {"state": json.dumps(told)})
        os.replace(half, self.out / "checkpoint.safetensors")

    def load(self, place: Path) -> None:
        """Go on from a checkpoint."""
        from safetensors import safe_open

        with safe_open(place, framework="pt") as file:
            told = json.loads(file.metadata()["state"])
        held = load_file(place)
        with torch.no_grad():
            for name, value in self.net.parameters():
                value.copy_(held[name])
                moments = {key.split("|")[0]: kept for key, kept in held.items() if key.endswith(f"|{name}")}
                if moments:
                    self.optimizer.state[value] = moments
        version, state, gauss = told["rng"]
        self.rng.setstate((version, tuple(state), gauss))
        self.step, self.spent = told["step"], told["spent"]
        self.net.merge()


def first_guess(training: Training, count: int = 2500, ridge: float = 30.0) -> None:
    """The projector by least squares: every vector of a clip of one thing -> the embedding of its name, on average.

    A start from which the decoder can tell words at all; at the spread that embeddings have.
    """
    rng, net, writer = Random(SEED), training.net, training.writer
    pool = [one for name in ("words", "instruments", "events", "calendar") for one in training.captions.get(name, [])]
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
            right = {name: (sum(hits), len(hits)) for name, hits in sorted(training.seen.items())}
            told = " ".join(f"{name} {a}/{b}" for name, (a, b) in right.items())
            line = f"step {training.step} loss {mean:.3f} {training.spent:.0f} s cpu {time.process_time():.0f} | {told}"
            print(line, flush=True)
            with log.open("a") as file:
                file.write(line + "\n")
            training.seen.clear()
        if time.time() - saved > SAVE:
            training.save()
            saved = time.time()
    training.save()


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
