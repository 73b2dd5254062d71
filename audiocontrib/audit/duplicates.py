"""Questions that are there twice: within a set, and between sets (training data against benchmarks).

Equal texts are found by their hash. Near duplicates are candidates by MinHash (rensa: 24 bands of 8 rows,
which finds 99 % of the pairs at a similarity of 0.8), each verified by its exact Jaccard similarity over
five-character shingles of question and options; the order of the options does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from audiocontrib.audit.base import CHECKS, PAIR_SCHEMA, SHOWN, CheckResult, Finding, Settings
from audiocontrib.audit.shingles import jaccard, normalise, shingles

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.8
BANDS, ROWS = 24, 8
CHUNK = 20_000
"""Texts whose shingles are held at a time."""
ALL_PAIRS = 20
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Texts:
    """The distinct texts of one or more sets, and the items that have each."""

    keys: list[tuple[str, ...]]
    """Question, then the options sorted; plain."""
    holders: list[list[int]]
    """Rows of the items with this text."""


@CHECKS.register("duplicates")
def duplicates(items: pa.Table, settings: Settings) -> CheckResult:
    """Items with the same or nearly the same question and options; within the set, and in ``against``."""
    tables = {"": items, **settings.against}
    ids = [i for table in tables.values() for i in table["item_id"].to_pylist()]
    clips = [c for table in tables.values() for c in table["clip_id"].to_pylist()]
    sets = [name for name, table in tables.items() for _ in range(len(table))]
    own = items["dataset"][0].as_py()
    texts = distinct(list(tables.values()))
    rows = [
        {
            "item_a": ids[a],
            "item_b": ids[b],
            "dataset_a": sets[a] or own,
            "dataset_b": sets[b] or own,
            "kind": _kind(alike, same_set := sets[a] == sets[b], same_set and clips[a] == clips[b]),
            "similarity": alike,
        }
        for a, b, alike in _pairs(texts, sets, settings)
    ]
    pairs = pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)
    return CheckResult(list(_findings(rows, len(items))), pairs=pairs)


def distinct(tables: Sequence[pa.Table]) -> Texts:
    """The distinct plain texts of the items of several tables, whose rows are counted through."""
    groups: dict[tuple[str, ...], list[int]] = {}
    row = 0
    for table in tables:
        for batch in table.select(["question", "choices"]).to_batches(CHUNK):
            for question, choices in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                groups.setdefault((normalise(question), *sorted(map(normalise, choices))), []).append(row)
                row += 1
    return Texts(list(groups), list(groups.values()))


def near_pairs(keys: Sequence[tuple[str, ...]], threshold: float = THRESHOLD) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts (by index, a < b) whose shingles have at least this Jaccard similarity, with it.

    In a group of more than ALL_PAIRS candidates each is compared with the first and with its neighbours only.
    """
    pairs = np.unique(np.concatenate([_candidates(band) for band in _bands(keys)]), axis=0)
    needed = np.unique(pairs)
    sets: dict[int, NDArray[np.uint64]] = {}
    for first in range(0, len(needed), CHUNK):
        rows = needed[first : first + CHUNK]
        hashes, offsets = shingles([keys[row] for row in rows])
        sets |= {int(row): part for row, part in zip(rows, np.split(hashes, offsets[1:-1]), strict=True)}
    for a, b in pairs.tolist():
        if (alike := jaccard(sets[a], sets[b])) >= threshold:
            yield a, b, alike


def _bands(keys: Sequence[tuple[str, ...]]) -> Iterator[NDArray[np.uint64]]:
    """The MinHash digests' bands: for each band, a hash per text."""
    from rensa import RMinHash

    parts = []
    for first in range(0, len(keys), CHUNK):
        hashes, offsets = shingles(keys[first : first + CHUNK])
        digests = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), BANDS * ROWS, 0)
        rows = np.array(digests.to_rows(), dtype=np.uint64).reshape(-1, BANDS, ROWS)
        band = np.zeros(rows.shape[:2], dtype=np.uint64)
        for place in range(ROWS):
            band = (band ^ rows[:, :, place]) * MIX
            band ^= band >> np.uint64(31)
        parts.append(band)
    yield from np.concatenate(parts).T


def _candidates(band: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Shape (P, 2): pairs a < b of texts with the same value."""
    order = np.argsort(band, kind="stable")
    values = band[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    sizes = np.diff(np.r_[starts, len(values)])
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        group = np.sort(order[start : start + size])
        if size <= ALL_PAIRS:
            pairs.append(np.array(list(combinations(group, 2))))
        else:
            pairs += [np.column_stack([np.full(size - 1, group[0]), group[1:]])]
            pairs += [np.column_stack([group[1:-1], group[2:]])]
    return np.concatenate(pairs)


def _pairs(texts: Texts, sets: Sequence[str], settings: Settings) -> Iterator[tuple[int, int, float]]:
    """Rows of items with the same text (each with the first that has it), then with nearly the same one.

    Two items of other sets are no concern of this audit.
    """
    for rows in texts.holders:
        yield from ((rows[0], row, 1.0) for row in rows[1:] if not (sets[rows[0]] and sets[row]))
    for a, b, alike in near_pairs(texts.keys):
        first, second = texts.holders[a][0], texts.holders[b][0]
        if not (sets[first] and sets[second]):
            yield first, second, alike


def _kind(alike: float, same_set: bool, same_clip: bool) -> str:
    """``same text, same clip``, ``near text, other clip``, ``same text, other set``, …"""
    return f"{'same' if alike == 1.0 else 'near'} text, {_where(same_set, same_clip)}"


def _where(same_set: bool, same_clip: bool) -> str:
    return ("same clip" if same_clip else "other clip") if same_set else "other set"


def _findings(rows: Sequence[dict[str, object]], n: int) -> Iterator[Finding]:
    """One finding per kind. The same text on another clip is a template as a rule, not a duplicate."""
    for alike in ("same", "near"):
        for where in ("same clip", "other clip", "other set"):
            those = [row for row in rows if row["kind"] == f"{alike} text, {where}"]
            items = {row["item_b"] for row in those}
            shown = "; ".join(f"{r['item_a']} = {r['item_b']} ({r['similarity']:.2f})" for r in those[:SHOWN])
            severity = "note" if where == "other clip" else "alarm"
            detail = f"{len(items)} items, e.g. {shown}" if those else "none"
            yield Finding.share(f"{alike} text, {where}", len(items), n, detail, severity=severity)
