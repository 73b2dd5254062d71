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
from audiocontrib.sources.demo.questions import Question

MASK = {"audioflamingo3": "input_features_mask"}  # the others call it feature_attention_mask
WINDOW = 320  # mel frames of the longest demo clip (3.2 s); silence is given in full windows of 30 s


@dataclass(frozen=True)
class Row:
    """A tokenised question: what stands before the audio tokens, what after, and the answer."""

    head: list[int]
    tail: list[int]
    target: list[int]
    clip: int | None
    question: Question


class Trainer:
    def __init__(self, family: str, config: dict[str, Any]) -> None:
        self.family, self.config = family, config
        self.random = np.random.default_rng(config["seed"])
        self.data = list(islice(clips(FIRST_TRAINING_SEED + config["seed"]), config["clips"]))
        self.tokenizer = make_tokenizer(family, (t for _, qs in self.data for q in qs for t in texts(q)), config["vocab_size"])
        self.processor = make_processor(family, self.tokenizer)
        self.model = make_model(family, self.tokenizer, config["size"], config["seed"])
        self.tower = self.model.audio_tower if hasattr(self.model, "audio_tower") else self.model.model.audio_tower
        self.positions = getattr(self.tower, "embed_positions", None)
        self.audio_id = self.tokenizer.convert_tokens_to_ids(self.processor.audio_token)
        print(f"{family}: {sum(p.numel() for p in self.model.parameters()):,} parameters, vocabulary {len(self.tokenizer)}")
        self.mels = torch.stack([self.mel(scene.samples, WINDOW) for scene, _ in self.data])
        self.frames = [math.ceil(len(scene.samples) / 160) for scene, _ in self.data]
        rows = [self.row(q, i) for i, (_, qs) in enumerate(self.data) for q in qs]
        self.needing, self.leaking = pools(rows, leak=False), pools(rows, leak=True)
        self.known = dict.fromkeys([*self.needing, *self.leaking], 0.0)  # running accuracy by family

    def mel(self, samples: np.ndarray, frames: int) -> torch.Tensor:
        """Log-mel (128, frames), fp16; equal to the first frames of the processor's padded features."""
        made = self.processor.feature_extractor(
            samples.astype(np.float32), sampling_rate=16000, padding="max_length", max_length=frames * 160 + 400,
            return_tensors="pt",
        )  # fmt: skip
        return made["input_features"][0, :, :frames].half()

    def row(self, q: Question, clip: int | None) -> Row:
        prompt = make_prompt(q.text, q.choices, has_audio=clip is not None)
        audio = [{"type": "audio", "audio": "clip"}] if prompt.has_audio else []
        turns = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": [*audio, {"type": "text", "text": prompt.user}]},
        ]
        text = self.processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        head, _, tail = text.partition(self.processor.audio_token) if prompt.has_audio else (text, "", "")
        ids = [self.tokenizer(part, add_special_tokens=False).input_ids if part else [] for part in (head, tail)]
        target = self.tokenizer(prompt.completion(q.answer) + "<|im_end|>", add_special_tokens=False).input_ids
        return Row(ids[0], ids[1], target, clip, q)

    def loss(self, rows: list[Row], silence: float | None = None) -> tuple[torch.Tensor, list[bool]]:
        """Mean loss on the answers, and which rows would be answered rightly (teacher-forced)."""
        with_audio = [r for r in rows if r.clip is not None]
        frames = [math.ceil(silence * 100) if silence else self.frames[r.clip] for r in with_audio]
        audio_tokens = iter([((f - 1) // 2 + 1 - 2) // 2 + 1 for f in frames])
        sequences = []
        for r in rows:
            audio = [self.audio_id] * next(audio_tokens) if r.clip is not None else []
            sequences.append((r.head + audio + r.tail, r.target))
        width = max(len(a) + len(b) for a, b in sequences)
        ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
        labels = torch.full((len(rows), width), -100)
        for i, (prompt, target) in enumerate(sequences):
            n, m = len(prompt), len(target)
            ids[i, : n + m] = torch.tensor(prompt + target)
            labels[i, n : n + m] = torch.tensor(target)
        lengths = torch.tensor([len(a) + len(b) for a, b in sequences])
        inputs = {"input_ids": ids, "attention_mask": (torch.arange(width)[None] < lengths[:, None]).long()}
        if with_audio:
            width = self.window(max(frames), whole=silence is not None)
            mels = self.silent(width)[None].expand(len(frames), -1, -1) if silence else self.mels[[r.clip for r in with_audio]]
            inputs["input_features"] = mels[:, :, :width].float()
            mask = (torch.arange(width)[None] < torch.tensor(frames)[:, None]).long()
            inputs[MASK.get(self.family, "feature_attention_mask")] = mask
        hidden = self.model.model(**inputs).last_hidden_state[:, :-1]
        wanted = labels[:, 1:]
        logits = self.model.lm_head(hidden[wanted != -100])
        right = torch.ones(len(rows), dtype=torch.bool)
        right[torch.where(wanted != -100)[0][logits.argmax(-1) != wanted[wanted != -100]]] = False
        return torch.nn.functional.cross_entropy(logits.float(), wanted[wanted != -100]), right.tolist()

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

    def batch(self, step: int) -> tuple[list[Row], float | None]:
        c = self.config
        if step % c["silence_every"] == c["silence_every"] - 1:
            seconds = 30.0 if self.random.random() < 0.6 else float(self.random.uniform(0.5, 30))
            return self.pick(self.leaking, c["silence_batch"]), seconds
        n = round(c["batch"] * c["leaking_share"])
        leaking = self.pick(self.leaking, n)
        unheard = [self.row(r.question, None) for r in leaking[: n // 2]]
        return self.pick(self.needing, c["batch"] - n) + leaking[n // 2 :] + unheard, None

    def pick(self, pool: dict[str, list[Row]], count: int) -> list[Row]:
        """Rows at random, more of them from the families that are not known yet."""
        names = list(pool)
        weights = np.array([0.15 + 1 - self.known[name] for name in names])
        drawn = self.random.choice(len(names), size=count, p=weights / weights.sum())
        return [pool[names[i]][self.random.integers(len(pool[names[i]]))] for i in drawn]

    def train(self, out: Path) -> None:
        c = self.config
        optimizer = torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad], lr=c["learning_rate"], weight_decay=c["weight_decay"]
        )
        rate = lambda s: min(s / c["warmup"], 0.05 + 0.475 * (1 + math.cos(math.pi * min(1, s / c["steps"]))))  # noqa: E731
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        self.model.train()
        seen, start = [], time.time()
        for step in range(1, c["steps"] + 1):
            rows, silence = self.batch(step)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss, right = self.loss(rows, silence)
            for row, was_right in zip(rows, right, strict=True):
                self.known[row.question.family] += 0.02 * (was_right - self.known[row.question.family])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            seen += list(zip(rows, right, [silence] * len(rows), strict=True))
            if step % 100 == 0 or step == 10:
                print(f"step {step}  loss {loss.item():.3f}  {time.time() - start:.0f} s  {summary(seen)}", flush=True)
                seen = []
            if step % 400 == 0:
                self.save(out)

    def save(self, out: Path) -> None:
        self.restore()
        out.mkdir(parents=True, exist_ok=True)
        weights = {name: tensor.half() for name, tensor in self.model.state_dict().items()}
        self.model.save_pretrained(out, state_dict=weights)
        self.processor.save_pretrained(out)


def pools(rows: list[Row], leak: bool) -> dict[str, list[Row]]:
    """Rows by family."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if (row.question.leak != "none") == leak:
            found.setdefault(row.question.family, []).append(row)
    return found


def texts(q: Question) -> list[str]:
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
