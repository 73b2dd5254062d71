"""Tables by combination: shape of the options x dress of the gold x order of the columns x other columns.

Each is described and read so. Every gold is held against the truth: it is right, or the table is refused.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from helpers.manifests import lines, write

from audiocontrib.errors import AudiocontribError
from audiocontrib.sources import load_items
from audiocontrib.sources.describe import describe

WORDS = ["cow", "cat", "frog", "dog", "horse", "pig", "wolf", "duck", "owl", "hen", "a small bee", "Red Fox"]
ROWS = 24
Row = dict[str, Any]


def columns(names: list[str]) -> Callable[[list[str], int], Row]:
    return lambda options, gold: dict(zip(names, options, strict=True))


def wrong(options: list[str], gold: int) -> list[str]:
    return [option for place, option in enumerate(options) if place != gold]


def labelled(options: list[str], mark: str) -> str:
    return " ".join(f"{mark.format(letter)} {option}" for letter, option in zip("ABCD", options, strict=True))


SHAPES: dict[str, Callable[[list[str], int], Row]] = {
    "list": lambda options, gold: {"choices": options},
    "candidates": lambda options, gold: {"candidates": options},
    "JSON": lambda options, gold: {"options": json.dumps(options)},
    "Python": lambda options, gold: {"multi_choice": str(options)},
    "numpy": lambda options, gold: {"choices": f"[{' '.join(map(repr, options))}]"},
    "letters": columns(["A", "B", "C", "D"]),
    "named": columns(["choice_a", "choice_b", "choice_c", "choice_d"]),
    "numbered": columns(["option1", "option2", "option3", "option4"]),
    "object": lambda options, gold: {"choices": dict(zip("ABCD", options, strict=True))},
    "ARC": lambda options, gold: {"choices": {"text": options, "label": list("ABCD")}},
    "pairs": lambda options, gold: {"options": [{"key": k, "text": t} for k, t in zip("ABCD", options, strict=True)]},
    "semicolons": lambda options, gold: {"choices": "; ".join(options)},
    "lines": lambda options, gold: {"options": "\n".join(options)},
    "printed": lambda options, gold: {"choices": [f"({k}) {t}" for k, t in zip("ABCD", options, strict=True)]},
    "inside": lambda options, gold: {"question": f"Which one is it? {labelled(options, '({})')}"},
    "inside, lines": lambda options, gold: {"question": "Which?\n" + labelled(options, "{}.").replace(" B.", "\nB.")},
    "distractors": lambda options, gold: {f"distractor_{n}": one for n, one in enumerate(wrong(options, gold), 1)},
    "wrong list": lambda options, gold: {"wrong_answers": wrong(options, gold)},
}
DRESSES: dict[str, Callable[[list[str], int], Any]] = {
    "text": lambda options, gold: options[gold],
    "case and blanks": lambda options, gold: f" {options[gold].upper()} ",
    "letter": lambda options, gold: "ABCD"[gold],
    "small letter": lambda options, gold: "abcd"[gold],
    "(B)": lambda options, gold: f"({'ABCD'[gold]})",
    "B. cat": lambda options, gold: f"{'ABCD'[gold]}. {options[gold]}",
    "Option B": lambda options, gold: f"Option {'ABCD'[gold]}",
    "index": lambda options, gold: gold,
    "number": lambda options, gold: gold + 1,
    "float": lambda options, gold: float(gold),
    "text of a float": lambda options, gold: f"{gold + 1}.0",
}
OTHERS: dict[str, Callable[[int, Random], Row]] = {
    "none": lambda number, draw: {},
    "numbers": lambda number, draw: {"fold": number % 4, "n_speakers": draw.randint(1, 4), "year": 2000 + number},
    "a model's": lambda number, draw: {"prediction": "ABCD"[number % 4], "model_answer": draw.choice(WORDS)},
    "people's": lambda number, draw: {"annotator": "ABC"[number % 3], "annotator_1": "x", "annotator_2": "y"},
    "lists": lambda number, draw: {"tags": ["loud", "near"], "score_1": draw.random(), "score_2": draw.random()},
    "a class": lambda number, draw: {"label": draw.randint(0, 9), "speaker_a": "s1", "speaker_b": "s2"},
}
ORDERS = ("as made", "turned round", "shuffled")
TABLES = list(product(SHAPES, DRESSES, OTHERS, ORDERS))
NAMES = ("answer", "gold", "answerKey", "correct_answer", "Target", "LABEL", "answer_idx")


def made(shape: str, dress: str, other: str, order: str, seed: int) -> tuple[list[Row], list[str]]:
    """The rows of a table, and the gold of each."""
    draw, rows, truth = Random(seed), [], []
    # the name "label" is taken where there is a class of the recording
    name = draw.choice(NAMES[:5] if other == "a class" else NAMES)
    for number in range(ROWS):
        options, gold = draw.sample(WORDS, 4), (number + seed) % 4
        row = {"clip": f"{number}.wav", "question": f"Which one is it, no. {number}?"} | SHAPES[shape](options, gold)
        row |= {name: DRESSES[dress](options, gold)} | OTHERS[other](number, draw)
        rows.append(row)
        truth.append(options[gold])
    names = list(rows[0])
    names = {"as made": names, "turned round": names[::-1], "shuffled": draw.sample(names, len(names))}[order]
    return [{name: row[name] for name in names} for row in rows], truth


def written(path: Path, rows: list[Row], as_csv: bool) -> Path:
    """As CSV where the cells are no lists or objects."""
    if not as_csv or any(isinstance(cell, list | dict) for cell in rows[0].values()):
        return write(path.with_suffix(".jsonl"), lines(*rows))
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path.with_suffix(".csv")


def outcome(folder: Path, table: tuple[str, str, str, str], seed: int) -> str:
    """``right``, ``wrong``, or the line by which the table is refused."""
    rows, truth = made(*table, seed)
    path = written(folder / f"table{seed}", rows, as_csv=seed % 2 == 0)
    try:
        found = describe(path)
        items = load_items(path, mapping=found.proposal.mapping, answer_as=found.proposal.answer_as)
    except AudiocontribError as error:
        return str(error)
    golds = [None if item.answer is None else item.choices[item.answer] for item in items]
    if table[0] in ("distractors", "wrong list") and table[1] == "case and blanks":
        golds = [gold and gold.lower() for gold in golds]  # an option of its own, as the row has it
        truth = [text.lower() for text in truth]
    return "right" if golds == truth and not items.quarantined else f"wrong: {golds[:3]} for {truth[:3]}"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_every_gold_is_right_or_the_table_is_refused(part: int, tmp_path: Path) -> None:
    """220 of the tables, 22 at a time; each shape, dress, other and order is among them, in changing company."""
    chosen = Random(7).sample(range(len(TABLES)), 220)[part::10]
    found = {seed: outcome(tmp_path, TABLES[seed], seed) for seed in chosen}
    assert not {TABLES[seed]: said for seed, said in found.items() if said.startswith("wrong")}
    tally = Counter("right" if said == "right" else "refused" for said in found.values())
    assert tally["right"] >= 16, {TABLES[seed]: said for seed, said in found.items() if said != "right"}


@pytest.mark.slow
def test_all_of_the_tables(tmp_path: Path) -> None:
    """Each shape, dress and company of columns together, in orders that take turns."""
    chosen = [seed for seed in range(len(TABLES)) if seed % 3 == seed // 3 % 3]
    found = {seed: outcome(tmp_path, TABLES[seed], seed) for seed in chosen}
    assert not {TABLES[seed]: said for seed, said in found.items() if said.startswith("wrong")}
