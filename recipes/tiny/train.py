"""Train one tiny audio-language model from scratch on synthetic clips, and save it as a checkpoint folder.

    python recipes/tiny/train.py --family qwen2_5_omni --out audiocontrib/models/tiny/tiny-qwen2.5-omni

Fixed by tiny.yaml and its seed (on one machine and one thread count). The prompts are the ones that
`audiocontrib score` sends; the loss is on the answer alone.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from build import make_model, make_processor, make_tokenizer

from audiocontrib.prompts import make_prompt
from audiocontrib.sources.demo.make import FIRST_TRAINING_SEED, clips
from audiocontrib.sources.demo.questions import SceneQuestion

MASK = {"audioflamingo3": "input_features_mask"}  # the others call it feature_attention_mask
WINDOW = 320  # mel frames of the longest demo clip (3.2 s); silence is given in full windows of 30 s


@dataclass(frozen=True)
class Row:
    """A tokenised question: what stands before the audio tokens, what after, and the answer.

    Without audio everything stands in ``tail``.
    """

    head: list[int]
    tail: list[int]
    target: list[int]
    clip: int | None
    question: SceneQuestion


class Trainer:
    def __init__(self, family: str, config: dict[str, Any]) -> None:
        self.family, self.config = family, config
        self.random = np.random.default_rng(config["seed"])
        self.data = list(islice(clips(FIRST_TRAINING_SEED + config["seed"], most=2), config["clips"]))
        self.tokenizer = make_tokenizer(
            family, (t for _, qs in self.data for q in qs for t in texts(q)), config["vocab_size"]
        )
        self.processor = make_processor(family, self.tokenizer)
        self.model = make_model(family, self.tokenizer, config["size"], config["seed"])
        self.tower = self.model.audio_tower if hasattr(self.model, "audio_tower") else self.model.model.audio_tower
        self.positions = getattr(self.tower, "embed_positions", None)
        self.audio_id = self.tokenizer.convert_tokens_to_ids(self.processor.audio_token)
        size = sum(p.numel() for p in self.model.parameters())
        print(f"{family}: {size:,} parameters, vocabulary {len(self.tokenizer)}")
        self.mels = torch.stack([self.mel(scene.samples, WINDOW) for scene, _ in self.data])
        self.frames = [math.ceil(len(scene.samples) / 160) for scene, _ in self.data]
        self.rows = [[self.row(q, i) for q in qs] for i, (_, qs) in enumerate(self.data)]
        rows = [row for group in self.rows for row in group]
        del self.data
        self.needing, self.leaking = pools(rows, leak=False), pools(rows, leak=True)
        self.known = dict.fromkeys([*self.needing, *self.leaking], 0.0)  # running accuracy by family

    def mel(self, samples: np.ndarray, frames: int) -> torch.Tensor:
        """Log-mel (128, frames), fp16; equal to the first frames of the processor's padded features."""
        made = self.processor.feature_extractor(
            samples.astype(np.float32), sampling_rate=16000, padding="max_length", max_length=frames * 160 + 400,
            return_tensors="pt",
        )  # fmt: skip
        return made["input_features"][0, :, :frames].half()

    def row(self, q: SceneQuestion, clip: int | None) -> Row:
        prompt = make_prompt(q.text, q.choices, has_audio=clip is not None)
        audio = [{"type": "audio", "audio": "clip"}] if prompt.has_audio else []
        turns = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": [*audio, {"type": "text", "text": prompt.user}]},
        ]
        text = self.processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        head, _, tail = text.partition(self.processor.audio_token) if prompt.has_audio else ("", "", text)
        ids = [self.tokenizer(part, add_special_tokens=False).input_ids if part else [] for part in (head, tail)]
        target = self.tokenizer(prompt.completion(q.answer) + "<|im_end|>", add_special_tokens=False).input_ids
        return Row(ids[0], ids[1], target, clip, q)

    def loss(self, groups: list[list[Row]], silence: float | None = None) -> tuple[torch.Tensor, list[bool]]:
        """Mean loss on the answers, and which rows would be answered rightly (teacher-forced).

        The rows of a group share their clip. A group is one sequence: system turn and clip once, then every
        question with its answer, which sees the clip and itself but not the other questions, at the
        positions that it would have alone. So the loss is that of separate rows, for less work.
        """
        heard = [g for g in groups if g[0].clip is not None]
        frames = [math.ceil(silence * 100) if silence else self.frames[g[0].clip] for g in heard]
        audio_tokens = iter([((f - 1) // 2 + 1 - 2) // 2 + 1 for f in frames])
        packed = [
            pack(g, [*g[0].head, *[self.audio_id] * next(audio_tokens)] if g[0].clip is not None else [])
            for g in groups
        ]
        width = max(len(ids) for ids, *_ in packed)
        ids = torch.full((len(groups), width), self.tokenizer.pad_token_id)
        places = torch.zeros((len(groups), width), dtype=torch.long)
        labels = torch.full((len(groups), width), -100)
        owner = torch.zeros((len(groups), width), dtype=torch.long)
        allowed = torch.eye(width, dtype=torch.bool).repeat(len(groups), 1, 1)
        first = 0
        for i, (tokens, positions, targets, branch) in enumerate(packed):
            n = len(tokens)
            ids[i, :n], places[i, :n], labels[i, :n] = map(torch.tensor, (tokens, positions, targets))
            of = torch.tensor(branch)
            owner[i, :n] = of + first
            first += len(groups[i])
            allowed[i, :n, :n] = ((of[None] == of[:, None]) | (of[None] < 0)) & torch.ones(n, n).tril().bool()
        mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)[:, None]
        inputs = {"input_ids": ids, "attention_mask": mask}
        inputs["position_ids"] = places.expand(3, -1, -1) if self.family == "qwen2_5_omni" else places
        if heard:
            mels_wide = self.window(max(frames), whole=silence is not None)
            if silence:
                mels = self.silent(mels_wide)[None].expand(len(frames), -1, -1)
            else:
                mels = self.mels[[g[0].clip for g in heard]][:, :, :mels_wide].float()
            inputs["input_features"] = mels
            valid = (torch.arange(mels_wide)[None] < torch.tensor(frames)[:, None]).long()
            inputs[MASK.get(self.family, "feature_attention_mask")] = valid
        hidden = self.model.model(**inputs).last_hidden_state[:, :-1]
        wanted = labels[:, 1:]
        asked = wanted != -100
        logits = self.model.lm_head(hidden[asked])
        right = torch.ones(first, dtype=torch.bool)
        right[owner[:, 1:][asked][logits.argmax(-1) != wanted[asked]]] = False
        return torch.nn.functional.cross_entropy(logits, wanted[asked]), right.tolist()

    def silent(self, frames: int) -> torch.Tensor:
        return torch.full((128, frames), -1.5)  # what the extractor makes of zeros

    def window(self, frames: int, whole: bool) -> int:
        """Sets the encoder's window and gives its width in mel frames.

        Qwen2-Audio and Audio Flamingo 3 encode windows of exactly 30 s. Padding is masked out, so a
        shorter window with the same first position embeddings gives the same result for less work.
        """
        if not isinstance(self.positions, torch.nn.Embedding):
            return frames
        width = 3000 if whole else min(WINDOW, frames + frames % 2 + 4)
        self.tower.config.max_source_positions = width // 2
        self.tower.embed_positions = torch.nn.Embedding.from_pretrained(self.positions.weight[: width // 2])
        return width

    def restore(self) -> None:
        if isinstance(self.positions, torch.nn.Embedding):
            self.tower.config.max_source_positions = len(self.positions.weight)
            self.tower.embed_positions = self.positions

    def batch(self, step: int) -> tuple[list[list[Row]], float | None]:
        c = self.config
        if step % c["silence_every"] == c["silence_every"] - 1:
            seconds = 30.0 if self.random.random() < 0.6 else float(self.random.uniform(0.5, 30))
            return [self.pick(self.leaking, c["silence_rows"])], seconds
        clips = [self.rows[row.clip] for row in self.pick(self.needing, c["clips_at_once"])]
        unheard = [self.row(row.question, None) for row in self.pick(self.leaking, c["text_rows"])]
        return [*clips, *(unheard[i : i + 4] for i in range(0, len(unheard), 4))], None

    def pick(self, pool: dict[str, list[Row]], count: int) -> list[Row]:
        """Rows at random, more of them from the families that are not known yet."""
        names = list(pool)
        weights = np.array([0.5 + 1 - self.known[name] for name in names])
        drawn = self.random.choice(len(names), size=count, p=weights / weights.sum())
        return [pool[names[i]][self.random.integers(len(pool[names[i]]))] for i in drawn]

    def train(self, out: Path) -> None:
        c = self.config
        optimizer = torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=c["learning_rate"],
            weight_decay=c["weight_decay"],
        )
        rate = lambda s: min(s / c["warmup"], 0.05 + 0.475 * (1 + math.cos(math.pi * min(1, s / c["steps"]))))  # noqa: E731
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        self.model.train()
        seen, start = [], time.time()
        for step in range(1, c["steps"] + 1):
            groups, silence = self.batch(step)
            groups.sort(key=lambda group: sum(len(row.tail) for row in group))  # alike lengths: less padding
            rows = [row for group in groups for row in group]
            loss, right = 0.0, []
            optimizer.zero_grad()
            for part in filter(None, (groups[: len(groups) // 2], groups[len(groups) // 2 :])):
                part_loss, part_right = self.loss(part, silence)
                share = sum(map(len, part)) / len(rows)
                (part_loss * share).backward()
                loss += part_loss.item() * share
                right += part_right
            for row, was_right in zip(rows, right, strict=True):
                self.known[row.question.family] += 0.02 * (was_right - self.known[row.question.family])
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            seen += list(zip(rows, right, [silence] * len(rows), strict=True))
            if step % 100 == 0 or step == 10:
                print(f"step {step}  loss {loss:.3f}  {time.time() - start:.0f} s  {summary(seen)}", flush=True)
                seen = []
            if step % 400 == 0:
                self.save(out)

    def save(self, out: Path) -> None:
        self.restore()
        out.mkdir(parents=True, exist_ok=True)
        weights = {name: tensor.half() for name, tensor in self.model.state_dict().items()}
        self.model.save_pretrained(out, state_dict=weights)
        self.processor.save_pretrained(out)


def pack(group: list[Row], prefix: list[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Tokens, positions, labels and branch (-1: the shared beginning) of a group's sequence."""
    n = len(prefix)
    tokens, positions, labels, branch = list(prefix), list(range(n)), [-100] * n, [-1] * n
    for number, row in enumerate(group):
        own = row.tail + row.target
        tokens += own
        positions += range(n, n + len(own))
        labels += [-100] * len(row.tail) + row.target
        branch += [number] * len(own)
    return tokens, positions, labels, branch


def pools(rows: list[Row], leak: bool) -> dict[str, list[Row]]:
    """Rows by family."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if (row.question.leak != "none") == leak:
            found.setdefault(row.question.family, []).append(row)
    return found


def texts(q: SceneQuestion) -> list[str]:
    prompt = make_prompt(q.text, q.choices, has_audio=False)
    return [prompt.system, "system", "user", "assistant", prompt.user, *map(prompt.completion, q.choices)]


def summary(seen: list[Any]) -> str:
    """Share of right answers by family (audio needed), and of leaking questions by what was heard."""
    groups: dict[str, list[bool]] = {}
    for row, right, silence in seen:
        heard = "text" if row.clip is None else "silence" if silence else "audio"
        name = row.question.family if row.question.leak == "none" else f"[{row.question.leak}|{heard}]"
        groups.setdefault(name, []).append(right)
    return "  ".join(f"{name} {np.mean(rights):.2f}" for name, rights in sorted(groups.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", required=True, choices=["qwen2_5_omni", "qwen2_audio", "audioflamingo3"])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("tiny.yaml"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, help="fewer steps than the configuration, to try it out")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = yaml.safe_load(given.config.read_text())
    trainer = Trainer(given.family, config | ({"steps": given.steps} if given.steps else {}))
    trainer.train(given.out)
    trainer.save(given.out)


if __name__ == "__main__":
    main()
