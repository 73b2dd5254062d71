"""Rows: a clip's questions and its caption, as the tokens before the sound, after it, and of each reply."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from audiocontrib.hashing import seeded
from audiocontrib.prompts import make_prompt

WRITE = "Write down what is heard."
"""What is asked where the reply is the clip's caption; no part of a data set, it only teaches."""
SHARES = {
    "words": 4, "pairs": 1, "calendar": 1.5, "digits": 1.5, "sentences": 1.5, "languages": 1, "speakers": 1,
    "instruments": 2, "pitch": 1.5, "melody": 1.5, "events": 1.5, "animals": 0.5, "mixtures": 1, "order": 1.5,
    "counting": 1.5,
}  # fmt: skip
"""How often clips of a kind are drawn."""
WORDS_LATER = 1.5
"""The share of words once captions are few: hearing is learned from words, the rest needs more rows."""
KEPT = 50
"""One clip in so many is kept for the test."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is asked after the sound, and the reply that is wanted."""

    after: list[int]
    target: list[int]
    category: str


@dataclass(frozen=True, slots=True)
class Row:
    """A clip, and replies that are wanted on it; each sees what is before, the sound and itself, never another one."""

    clip: str
    """Name of its features."""
    before: list[int]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of AudioMCQ as it lies in the file."""

    clip: str
    category: str
    question: str
    choices: tuple[str, ...]
    answer: str
    leak: str
    held_out: str


def read(folder: Path) -> tuple[dict[str, list[list[Asked]]], list[Asked], dict[str, list[tuple[str, str]]]]:
    """By kind, the questions of each clip of the training; the questions of the test; by kind, (clip, caption)."""
    train: dict[str, dict[str, list[Asked]]] = {}
    test, captions = [], dict[str, list[tuple[str, str]]]()
    for name in ("train", "test"):
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            asked = Asked(
                f"{folder}/{told['audio_path']}", told["question_type"], told["question"], tuple(told["choices"]),
                told["answer"], told["leak"], told["held_out"],
            )  # fmt: skip
            if name == "test":
                test.append(asked)
            elif is_kept(told["audio_path"]):
                test += [] if asked.leak else [asked]
            else:
                train.setdefault(kind(told["audio_path"]), {}).setdefault(asked.clip, []).append(asked)
    for line in (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if not is_kept(told["audio_path"]):
            captions.setdefault(kind(told["audio_path"]), []).append(
                (f"{folder}/{told['audio_path']}", told["caption"])
            )
    return {name: list(clips.values()) for name, clips in train.items()}, test, captions


def kind(path: str) -> str:
    """The kind of a clip, from its name."""
    return Path(path).name.split("-")[0]


def is_kept(path: str) -> bool:
    """Whether a clip is kept for the test, though of voices and words that are taught."""
    return int(seeded(0, path, "kept").integers(KEPT)) == 0


class Writer:
    """Writes rows with the base's tokenizer, as its chat template has them."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.end = tokenizer("<|im_end|>", add_special_tokens=False).input_ids

    def tokens(self, text: str) -> list[int]:
        """Of a text with special tokens."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def question(self, asked: Asked, order: Sequence[int], answer: str | None = None) -> Row:
        """A question, its options in this order; the reply is the gold one, or another."""
        prompt = make_prompt(asked.question, [asked.choices[i] for i in order], has_audio=True)
        after = f"<|audio_eos|>\n{prompt.user}<|im_end|>\n<|im_start|>assistant\n"
        target = self.tokens(prompt.completion(answer or asked.answer)) + self.end
        before = f"<|im_start|>system\n{prompt.system}<|im_end|>\n<|im_start|>user\n<|audio_bos|>"
        return Row(asked.clip, self.tokens(before), (Reply(self.tokens(after), target, asked.category),))

    def caption(self, clip: str, caption: str) -> Row:
        """What is heard, to be written down."""
        after = f"<|audio_eos|>\n{WRITE}<|im_end|>\n<|im_start|>assistant\n"
        reply = Reply(self.tokens(after), self.tokens(caption) + self.end, f"({kind(clip)})")
        return Row(clip, self.tokens("<|im_start|>user\n<|audio_bos|>"), (reply,))


def together(rows: Sequence[Row]) -> Row:
    """Rows on one clip as one, so that clip and system prompt are read once; they begin as the first one does."""
    return Row(rows[0].clip, rows[0].before, tuple(reply for row in rows for reply in row.replies))


def shuffled(asked: Asked, rng: Random) -> list[int]:
    """An order of its options."""
    return rng.sample(range(len(asked.choices)), len(asked.choices))
