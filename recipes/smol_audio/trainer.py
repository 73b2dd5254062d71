"""A training of the projector and the adapter: its rows, its steps, its checkpoint, and what it answers held out."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from pathlib import Path
from random import Random

import torch
import transformers as hf
from features import Features
from quick import BF16, QuickDecoder
from rows import SHARES, WORDS_LATER, Asked, Row, Writer, read, shuffled, together
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

from audiocontrib.errors import AudiocontribError

RANK, ALPHA, SEED = 16, 32, 0
BATCH, TOGETHER = 16, 1400
"""Rows of a step, and tokens of a forward (some hundred keep a processor's caches full)."""
RATES = {"projector": 1e-3, "adapter": 4e-4}
CAPTIONS = (300, 900, 0.1)
"""Captions alone up to this step, fewer and fewer up to that one, and their share from there on."""


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
        self.kinds: dict[str, dict[str, list[Asked]]] = defaultdict(dict)
        self.captions: dict[str, dict[str, str]] = defaultdict(dict)
        self.test: list[Asked] = []
        for folder in data:
            train, test, captions = read(folder)
            known = self.features.places  # those of a training that starts before all are made
            for name, clips in train.items():
                self.kinds[name].update({asked[0].clip: asked for asked in clips if asked[0].clip in known})
                self.captions[name].update({clip: told for clip, told in captions[name] if clip in known})
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
        """A row by chance, of a kind by its share: a caption alone, or one or two questions, half with the caption."""
        first, last, later = CAPTIONS
        share = 1 - (1 - later) * min(1.0, max(0.0, (self.step - first) / (last - first)))
        names = [name for name in SHARES if self.kinds.get(name)]
        shares = {**SHARES, "words": WORDS_LATER} if self.step >= last else SHARES
        (name,) = self.rng.choices(names, [shares[name] for name in names])
        clip, caption = self.rng.choice(list(self.captions[name].items()))
        alone = self.writer.caption(clip, caption)
        asked = self.kinds[name].get(clip, [])
        if not asked or self.rng.random() < share:
            return alone
        some = self.rng.sample(asked, min(2, len(asked)))
        rows = [self.writer.question(one, shuffled(one, self.rng)) for one in some]
        return together(rows + [alone] * (self.rng.random() < 0.5))

    def forward(self, rows: list[Row], heard: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits at the replies' tokens, these tokens, and the number of the reply of each, over all rows."""
        audio = self.net.heard(torch.cat(heard)).split([len(one) for one in heard])
        length = -(-max(map(self.length, rows)) // 16) * 16  # few lengths: each has kernels of its own
        words, parts, places, wanted, owner = self.net.words, [], [], [], []
        branch = torch.zeros(len(rows), length, dtype=torch.long)
        replies = 0
        for number, (row, sound) in enumerate(zip(rows, audio, strict=True)):
            parts += [words[row.before], sound]
            at = len(row.before) + len(sound)
            for place, reply in enumerate(row.replies, start=1):
                parts.append(words[reply.after + reply.target])
                end = at + len(reply.after) + len(reply.target)
                branch[number, at:end] = place
                first = number * length + end - len(reply.target) - 1
                places += range(first, first + len(reply.target))
                wanted += reply.target
                owner += [replies] * len(reply.target)
                at, replies = end, replies + 1
            branch[number, at:] = len(row.replies) + 1  # padding
            parts.append(words.new_zeros(length - at, words.shape[1]))
        hidden = self.net.hidden(torch.cat(parts), len(rows), branch)
        return self.net.logits(hidden[places]), torch.tensor(wanted), torch.tensor(owner)

    def train_step(self, factor: float) -> float:
        """One optimiser step; the mean loss of the replies' tokens."""
        rows = sorted((self.draw() for _ in range(BATCH)), key=self.length)
        total, loss = sum(len(reply.target) for row in rows for reply in row.replies), 0.0
        while rows:
            part = [rows.pop()]
            while rows and (len(part) + 1) * self.length(part[0]) <= TOGETHER:
                part.append(rows.pop())
            logits, wanted, owner = self.forward(part, [self.features[row.clip] for row in part])
            one = cross_entropy(logits, wanted, reduction="sum") / total
            one.backward()
            loss += one.item()
            replies = [reply for row in part for reply in row.replies]
            right = torch.ones(len(replies), dtype=torch.bool)
            right[owner[logits.argmax(-1) != wanted]] = False
            for reply, hit in zip(replies, right.tolist(), strict=True):
                self.seen[reply.category].append(hit)
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

    def held_out(self, count: int = 120) -> dict[str, list[bool]]:
        """By category, whether the likeliest option is right, for some questions of the test; no gradients.

        The options of a question are replies on one clip, so that the clip is read once.
        """
        hits: dict[str, list[bool]] = defaultdict(list)
        for asked in Random(SEED).sample(self.test, min(count, len(self.test))):
            order = range(len(asked.choices))
            row = together([self.writer.question(asked, order, choice) for choice in asked.choices])
            with torch.no_grad():
                logits, wanted, owner = self.forward([row], [self.features[asked.clip]])
            told = -cross_entropy(logits, wanted, reduction="none")
            scores = torch.zeros(len(order)).index_add_(0, owner, told)
            hits[asked.category].append(asked.choices[int(scores.argmax())] == asked.answer)
        return hits

    def length(self, row: Row) -> int:
        """Tokens of a row."""
        replies = sum(len(reply.after) + len(reply.target) for reply in row.replies)
        return len(row.before) + self.features.places[row.clip][2] + replies

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
