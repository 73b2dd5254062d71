"""Data sets for the tests of the audit: innocent ones, and ones with a planted artefact."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from audiocontrib.items import ITEM_SCHEMA

WORDS = [c + v + d for c in "bdfgklmnprst" for v in "aeiou" for d in "lmnrst"]


def innocent(n: int, seed: int = 0, sizes: Sequence[int] = (4,), per_clip: int = 1) -> pa.Table:
    """Questions whose texts say nothing: all options are drawn alike, then one is made the gold by lot."""
    r = np.random.default_rng(seed)
    k = r.choice(sizes, size=n)
    choices = [option_set(r, int(size)) for size in k]
    gold = [int(r.integers(size)) for size in k]
    asked = [f"What is the {' '.join(r.choice(WORDS, 3))} of clip {i}?" for i in range(n)]
    return table(asked, choices, gold, per_clip)


def option_set(r: np.random.Generator, k: int) -> list[str]:
    drawn: dict[str, None] = {}
    while len(drawn) < k:
        drawn[" ".join(r.choice(WORDS, r.integers(1, 6)))] = None
    return list(drawn)


def table(asked: Sequence[str], choices: Sequence[list[str]], gold: Sequence[int], per_clip: int = 1) -> pa.Table:
    n = len(asked)
    made = {
        "item_id": [f"toy/{i:05d}" for i in range(n)],
        "dataset": ["toy"] * n,
        "question": list(asked),
        "choices": list(choices),
        "answer": list(gold),
        "clip_id": [f"clip-{i // per_clip}" for i in range(n)],
        "notes": [[] for _ in range(n)],
    }
    missing = {f.name: pa.nulls(n, f.type) for f in ITEM_SCHEMA if f.name not in made}
    return pa.table(made | missing).select(ITEM_SCHEMA.names).cast(ITEM_SCHEMA)


TOLD = {"brass": "horn", "wood": "flute", "glass": "bell", "stone": "drum"}
Change = Callable[[str, list[str], int, np.random.Generator], tuple[str, list[str], int]]


def planted(n: int, change: Change, share: float, seed: int = 0) -> pa.Table:
    """An innocent set in which ``share`` of the items are changed."""
    r, rows = np.random.default_rng(seed + 1), innocent(n, seed).to_pylist()
    done = [
        change(row["question"], row["choices"], row["answer"], r)
        if r.random() < share
        else (row["question"], row["choices"], row["answer"])
        for row in rows
    ]
    return table([q for q, _, _ in done], [c for _, c, _ in done], [g for _, _, g in done])


def _on_gold(edit: Callable[[str], str]) -> Change:
    return lambda q, c, g, r: (q, [edit(o) if i == g else o for i, o in enumerate(c)], g)


def _first(q: str, c: list[str], g: int, r: np.random.Generator) -> tuple[str, list[str], int]:
    return q, [c[g], *c[:g], *c[g + 1 :]], 0


def _hub(q: str, c: list[str], g: int, r: np.random.Generator) -> tuple[str, list[str], int]:
    """Wrong options are the gold with one word changed, as a language model writes them."""
    words = (c[g] + " sound made twice").split()
    made = []
    for place in range(len(c)):
        own = list(words)
        if place != g:
            own[place % len(own)] = str(r.choice(WORDS))
        made.append(" ".join(own))
    return (q, made, g) if len(set(made)) == len(made) else (q, c, g)


ARTEFACTS: dict[str, tuple[Change, str]] = {
    "gold is longer": (_on_gold(lambda o: f"{o} and then another {o[:6]}"), "gold is strictly the longest"),
    "gold is shorter": (_on_gold(lambda o: o[:4]), "gold is strictly the shortest"),
    "gold has a comma": (_on_gold(lambda o: f"{o[:3]}, {o[3:]}"), "gold is strictly the one with the most commas"),
    "gold ends with a period": (_on_gold(lambda o: f"{o}."), "gold is strictly the only one with a final period"),
    "gold has a numeral": (_on_gold(lambda o: f"{o} 7"), "gold is strictly the one with the most numerals"),
    "gold hedges": (_on_gold(lambda o: f"probably {o}"), "gold is strictly the one with the most hedges"),
    "gold is the hub": (_hub, "gold is strictly the one with the most overlap with the other options"),
    "gold repeats the question": (
        lambda q, c, g, r: (q, [f"{o} {q.split()[3]}" if i == g else o for i, o in enumerate(c)], g),
        "gold is strictly the one with the most overlap with the question",
    ),
    "gold is first": (_first, "gold in the most frequent place"),
    "gold has a word of its own": (_on_gold(lambda o: f"zarquon {o}"), "classifier that sees the options alone"),
    "the question tells the place": (
        lambda q, c, g, r: (f"{q} {('alpha', 'beta', 'gamma', 'delta')[g]}", c, g),
        "classifier that sees the question alone",
    ),
    "the question tells the word": (
        lambda q, c, g, r: (
            f"{q} {(s := ('brass', 'wood', 'glass', 'stone')[int(r.integers(4))])}",
            # every option has one of the four answers' words; the question says which
            [
                f"{o} {TOLD[s] if i == g else w}"
                for i, (o, w) in enumerate(zip(c, ("horn", "flute", "bell", "drum"), strict=True))
            ],
            g,
        ),
        "classifier that sees question and options",
    ),
}
"""Name -> how an item is changed, and the finding that must see it."""
