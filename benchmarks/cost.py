"""What a full measurement costs, in GPU hours: computed from operations and published rates of cards, not measured.

Prints the table of docs/cost.md, for as many items as AudioMCQ has or as many as are given.

    python benchmarks/cost.py [--items 571118] [--gpus 1] [--share 0.3]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ITEMS = 571_118
"""Of AudioMCQ."""
HEAD_WIDTH, ROWS = 128, 64
"""Of a head of attention; replies that are written at once."""
SECONDS = 10
"""Of a clip, one question on each."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A published Qwen2.5-Omni thinker."""

    hidden: int
    layers: int
    heads: int
    kinds: int
    """Heads of keys and values."""
    inner: int
    words: int

    @property
    def weights(self) -> int:
        """Of all layers' matrices."""
        attention = 2 * self.hidden * HEAD_WIDTH * (self.heads + self.kinds)
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def head(self) -> int:
        """Weights of the output layer."""
        return self.hidden * self.words

    def attended(self, pairs: float) -> float:
        """Operations for so many pairs of a token and one that it sees."""
        return 4 * self.heads * HEAD_WIDTH * self.layers * pairs


MODELS = {"3B": Shape(2048, 36, 16, 2, 11008, 151936), "7B": Shape(3584, 28, 28, 4, 18944, 152064)}
TOWER = 32 * (4 * 1280**2 + 2 * 1280 * 5120) * 50 + (128 * 100 + 1280 * 50) * 1280 * 3
"""Weights of the audio tower times the places of a second at which they are used; its attention is left out."""
CARDS = {"A100 80 GB": (312e12, 2.0e12), "H100 SXM": (989e12, 3.35e12)}
"""Published: bf16 operations a second (dense), and bytes a second of memory."""
PREFIX = {"audio": 275, "silence": 0, "text": 0}
"""Tokens of the system turn and the clip, that no two items share; of silence and text they are shared by all."""
BEFORE = {"audio": 275, "silence": 775, "text": 24}
"""Tokens that each token of a question sees before it (silence of 30 s)."""
TREE = {"given": (65, 20), "cyclic": (219, 79)}
"""Tokens of questions and options of an item, and how many of them predict one of an option; four options."""


def of_likelihood(model: Shape, condition: str, orders: str) -> float:
    """Operations an item, each distinct token once."""
    prefix, (tree, rows) = PREFIX[condition], TREE[orders]
    pairs = prefix**2 / 2 + tree * (BEFORE[condition] + 60)
    heard = 2 * TOWER * SECONDS if condition == "audio" else 0
    return 2 * model.weights * (prefix + tree) + 2 * model.head * rows + model.attended(pairs) + heard


def reply_seconds(model: Shape, memory: float, share: float, tokens: int, before: int) -> float:
    """Of a reply of so many tokens among ROWS: for each token all weights are read, and each row's keys and values."""
    keys = before + 60 + tokens / 2
    row = keys * 2 * model.kinds * HEAD_WIDTH * model.layers * 2  # bf16
    return tokens * (2 * (model.weights + model.head) + ROWS * row) / (memory * share) / ROWS


ASKED: dict[str, tuple[Sequence[str], str, int]] = {
    "audio + silence + text, 4 orders": (("audio", "silence", "text"), "cyclic", 0),
    "audio + silence, 4 orders": (("audio", "silence"), "cyclic", 0),
    "audio + silence, given order": (("audio", "silence"), "given", 0),
    "silence, 4 orders": (("silence",), "cyclic", 0),
    "silence, given order": (("silence",), "given", 0),
    "audio + silence, replies of 16 tokens": (("audio", "silence"), "given", 16),
    "audio + silence, replies of 1,024 tokens": (("audio", "silence"), "given", 1024),
}
"""What is asked: conditions, orders of the options, tokens of a reply (0: the options' likelihood)."""


def hours(asked: str, model: Shape, card: str, share: float, items: int) -> float:
    """GPU hours of one card."""
    conditions, orders, tokens = ASKED[asked]
    rate, memory = CARDS[card]
    seconds = 0.0
    for condition in conditions:
        seconds += of_likelihood(model, condition, orders) / (rate * share)
        if tokens:
            seconds += reply_seconds(model, memory, share, tokens, BEFORE[condition])
    return items * seconds / 3600


def table(items: int, gpus: int, share: float) -> Iterator[str]:
    """Lines of Markdown."""
    columns = [(size, card) for size in MODELS for card in CARDS]
    yield "| asked | " + " | ".join(f"{size}, {card}" for size, card in columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    for asked in ASKED:
        cells = [hours(asked, MODELS[size], card, share, items) / gpus for size, card in columns]
        yield f"| {asked} | " + " | ".join(f"{one:,.2g}" if one < 10 else f"{one:,.0f}" for one in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.3, help="of the published rates that is reached: assumed")
    given = parser.parse_args()
    if given.items < 1 or given.gpus < 1 or not 0 < given.share <= 1:
        parser.error("--items and --gpus are at least 1, --share is above 0 and at most 1")
    print("\n".join(table(given.items, given.gpus, given.share)))


if __name__ == "__main__":
    main()
