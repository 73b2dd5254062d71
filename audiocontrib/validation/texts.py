"""What can be seen without audio: counts, faults of rows and options, and what it takes to guess."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.answers.options import read_options
from audiocontrib.items import COLLAPSED, PARTLY_LABELLED, UNLABELLED, Items
from audiocontrib.items.printed import printed_labels
from audiocontrib.statistics import wilson
from audiocontrib.validation.findings import Finding

COUNT_SCHEMA = pa.schema([("by", pa.string()), ("value", pa.string()), ("items", pa.int64()), ("share", pa.float64())])
QUARANTINED_SCHEMA = pa.schema(
    [("field", pa.string()), ("reason", pa.string()), ("n", pa.int64()), ("example", pa.string())]
)
BASELINE_SCHEMA = pa.schema(
    [
        ("strategy", pa.string()),
        ("n", pa.int64()),
        ("accuracy", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("ties_shared", pa.float64()),
        ("above_chance", pa.float64()),
    ]
)
"""``accuracy`` (with Wilson's 95 % interval; chance has none) takes the first of equally long options,
``ties_shared`` each of them equally often; ``n`` items have a key."""
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\d[\d.,]*")
"""What differs between reasons of one kind: quoted texts and numbers."""
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Options:
    """The options of all items, in their order, as numbers. Row r of the (R,) arrays belongs to item ``item[r]``."""

    k: NDArray[np.int64]
    """Shape (n,): number of options."""
    gold: NDArray[np.int64]
    """Shape (n,): place of the gold; -1 where there is no key."""
    published: dict[int, list[str]]
    """Item -> its row's own list of choices, where identical ones were collapsed."""
    equal: dict[int, bool]
    """Items with choices that are equal under the normaliser of replies -> whether the gold is one of them."""
    length: NDArray[np.int64]
    """Shape (R,): characters."""

    @classmethod
    def of(cls, items: pa.Table) -> Options:
        """The options of a table of ITEM_SCHEMA, a few thousand items at a time."""
        k: list[NDArray[np.int64]] = []
        gold: list[NDArray[np.int64]] = []
        length: list[NDArray[np.int64]] = []
        equal: dict[int, bool] = {}
        start = 0
        for batch in items.select(["choices", "answer"]).to_batches():
            choices = batch["choices"]
            k.append(np.asarray(pc.list_value_length(choices), dtype=np.int64))
            gold.append(np.asarray(pc.fill_null(batch["answer"], -1), dtype=np.int64))
            length.append(np.asarray(pc.utf8_length(choices.flatten()), dtype=np.int64))
            for place in _suspects(choices, k[-1]):
                twins = [t for t in read_options(choices[place].as_py()).texts.values() if len(t) > 1]
                if twins:
                    equal[start + place] = any(gold[-1][place] in t for t in twins)
            start += batch.num_rows
        none = np.empty(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *k]), np.concatenate([none, *gold]), _published(items), equal,
            np.concatenate([none, *length]),
        )  # fmt: skip

    @property
    def k_published(self) -> NDArray[np.int64]:
        """Shape (n,): number of choices in the rows."""
        counted = self.k.copy()
        for place, choices in self.published.items():
            counted[place] = len(choices)
        return counted


def text_findings(items: Items, table: pa.Table, options: Options) -> Iterator[Finding]:
    """What is wrong with rows and options; kinds that were not found are there too, with n = 0."""
    bad = items.quarantined
    left_out = items.origin.get("left_out", {})
    rows = len(items) + len(bad) + sum(left_out.values())
    repeated = [q for q in bad if q.field == "id" and q.reason.startswith("repeats")]
    yield Finding("quarantined", len(bad), rows, "rows", _cut(str(bad[0])) if bad else "")
    yield Finding("repeated", len(repeated), rows, "rows", _cut(str(repeated[0])) if repeated else "")
    said = "; ".join(f"{reason} ({n})" for reason, n in left_out.items())
    yield Finding("left-out", sum(left_out.values()), rows, "rows", _cut(said))

    ids, answers = table["item_id"], table["answer"]

    def finding(kind: str, places: list[int], what: Callable[[int], str]) -> Finding:
        example = _cut(f"{ids[places[0]].as_py()}: {what(places[0])}") if places else ""
        return Finding(kind, len(places), len(table), "items", example)

    def listed(place: int) -> str:
        return repr(options.published.get(place) or table["choices"][place].as_py())

    twice = [
        place
        for place, choices in options.published.items()
        if answers[place].is_valid and choices.count(table["choices"][place].as_py()[answers[place].as_py()]) > 1
    ]
    yield finding("collapsed", list(options.published), listed)
    yield finding("gold-collapsed", twice, listed)
    yield finding("equal", list(options.equal), listed)
    yield finding("gold-equal", [place for place, gold in options.equal.items() if gold], listed)
    yield finding("keyless", np.flatnonzero(options.gold < 0).tolist(), lambda place: table["question"][place].as_py())
    noted = np.flatnonzero(np.asarray(pc.list_value_length(table["notes"])) > 0).tolist()
    notes = {place: table["notes"][place].as_py() for place in noted}
    for kind, note in (("labelled", UNLABELLED), ("partly-labelled", PARTLY_LABELLED)):
        yield finding(kind, [place for place in noted if note in notes[place]], _published_or(table))
    known = (COLLAPSED, UNLABELLED, PARTLY_LABELLED)
    other = [place for place in noted if any(not note.startswith(known) for note in notes[place])]
    yield finding("noted", other, lambda place: "; ".join(table["notes"][place].as_py()))


def _published_or(table: pa.Table) -> Callable[[int], str]:
    """Place of an item -> its options as they were published."""

    def options(place: int) -> str:
        held = json.loads(table["extra"][place].as_py() or "{}").get("published_choices")
        return repr(held or table["choices"][place].as_py())

    return options


def quarantined(items: Items) -> pa.Table:
    """The quarantined rows by field and kind of reason, the most frequent first, each with its first row."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for bad in items.quarantined:
        grouped.setdefault((bad.field, _cut(_VALUE.sub("…", bad.reason))), []).append(str(bad))
    most = sorted(grouped.items(), key=lambda group: -len(group[1]))
    rows = [{"field": f, "reason": r, "n": len(q), "example": _cut(q[0])} for (f, r), q in most]
    return pa.Table.from_pylist(rows, schema=QUARANTINED_SCHEMA)


def counts(items: pa.Table, options: Options) -> pa.Table:
    """Items by what they are, each property in one block."""
    columns: dict[str, Any] = {name: items[name] for name in ("source_dataset", "question_type", "split")}
    columns["options"] = pa.array(options.k)
    if options.published:
        columns["options in the row"] = pa.array(options.k_published)
    columns["place of the gold"] = pa.array(options.gold[options.gold >= 0] + 1)
    rows = []
    for by, values in columns.items():
        tally = sorted((pair["values"], pair["counts"]) for pair in pc.value_counts(values).to_pylist())
        rows += [{"by": by, "value": str(v), "items": n, "share": n / len(values)} for v, n in tally]
    return pa.Table.from_pylist(rows, schema=COUNT_SCHEMA)


def baselines(options: Options) -> pa.Table:
    """What strategies score that neither hear the clip nor read the question; the best one first.

    A place that an item does not have is a wrong answer; places that are never gold are not listed. Chance is
    the mean of 1 / K over the items that have a key; where identical choices were collapsed, it is given for the
    rows as they were published too.
    """
    has = options.gold >= 0
    n = int(has.sum())
    if not n:
        return BASELINE_SCHEMA.empty_table()
    k, gold = options.k[has], options.gold[has]
    length = options.length[np.repeat(has, options.k)]
    chance = float(np.mean(1 / k))
    made: dict[str, tuple[float, float | None]] = {
        f"always option {place + 1}": (float(np.mean(gold == place)), None) for place in np.unique(gold).tolist()
    }
    made["the last option"] = (float(np.mean(gold == k - 1)), None)
    made["the longest option"] = _most(length, k, gold)
    made["the shortest option"] = _most(-length, k, gold)
    made["uniform chance"] = (chance, None)
    if options.published:
        made["uniform chance, choices as published"] = (float(np.mean(1 / options.k_published[has])), None)
    rows = []
    for name, (value, shared) in sorted(made.items(), key=lambda entry: -entry[1][0]):
        row = {"strategy": name, "n": n, "accuracy": value, "ties_shared": shared, "above_chance": value - chance}
        if not name.startswith("uniform"):
            row["low"], row["high"] = wilson(round(value * n), n)
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=BASELINE_SCHEMA)


def _most(value: NDArray[np.int64], k: NDArray[np.int64], gold: NDArray[np.int64]) -> tuple[float, float]:
    """Share of items whose gold has the greatest value: ties to the first option, and ties shared equally."""
    starts = np.cumsum(k) - k
    best = value == np.repeat(np.maximum.reduceat(value, starts), k)
    gold_rows = starts + gold
    earlier = np.cumsum(best) - best  # best options before this one, in all items
    first = best[gold_rows] & (earlier[gold_rows] == earlier[starts])
    shared = best[gold_rows] / np.add.reduceat(best.astype(np.int64), starts)
    return float(np.mean(first)), float(np.mean(shared))


def _suspects(choices: pa.ListArray, k: NDArray[np.int64]) -> list[int]:
    """The items that may have choices which are equal under the normaliser; the others cannot.

    It takes ASCII texts apart by nothing but letters and digits, unless they hold markup (``\\\\text{…}``, ``<s>``);
    comparing these alone is a hundred times quicker.
    """
    texts = choices.flatten()
    letters = pc.ascii_lower(pc.replace_substring_regex(texts, r"[^A-Za-z0-9]+", ""))
    codes = np.asarray(letters.dictionary_encode().indices, dtype=np.int64)
    item = np.repeat(np.arange(len(k)), k)
    suspect = np.zeros(len(k), dtype=bool)
    suspect[item[np.asarray(pc.match_substring_regex(texts, r"[^\x00-\x7f]|[\\<]"))]] = True
    pairs = np.sort(item * (len(codes) + 1) + codes)
    suspect[pairs[1:][pairs[1:] == pairs[:-1]] // (len(codes) + 1)] = True
    return np.flatnonzero(suspect).tolist()


def _published(items: pa.Table) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    start = 0
    for batch in items.select(["notes", "extra"]).to_batches():
        for place in np.flatnonzero(np.asarray(pc.list_value_length(batch["notes"])) > 0).tolist():
            if any(note.startswith(COLLAPSED) for note in batch["notes"][place].as_py()):
                listed = json.loads(batch["extra"][place].as_py()).get("published_choices")
                printed = printed_labels(listed) if listed else None
                found |= {start + place: list(printed.texts) if printed else listed} if listed else {}
        start += batch.num_rows
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
