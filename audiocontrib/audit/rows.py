"""What can be seen of rows and options without audio: counts, and faults."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.answers.options import read_options
from audiocontrib.arrow import Values, flat, schema_of
from audiocontrib.audit.base import Finding, shorten
from audiocontrib.audit.kinds import kind_finding
from audiocontrib.audit.options import OptionTable, published_lengths
from audiocontrib.items import COLLAPSED, PARTLY_LABELLED, UNLABELLED, Items

COUNT_SCHEMA = schema_of(by=pa.string(), value=pa.string(), items=pa.int64(), share=pa.float64())
QUARANTINED_SCHEMA = schema_of(field=pa.string(), reason=pa.string(), n=pa.int64(), example=pa.string())
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\d[\d.,]*")
"""What differs between reasons of one kind: quoted texts and numbers."""


def row_findings(items: Items, options: OptionTable, published: Mapping[int, list[str]]) -> Iterator[Finding]:
    """What is wrong with rows and options; kinds that were not found are there too, with a count of 0.

    Args:
        published: as :func:`audiocontrib.audit.options.published_choices` gives it for the same items.
    """
    bad, left_out = items.quarantined, items.origin.get("left_out", {})
    rows = len(items) + len(bad) + sum(left_out.values())
    repeated = [q for q in bad if q.field == "id" and q.reason.startswith("repeats")]
    for kind, those in (("quarantined", bad), ("repeated", repeated)):
        yield kind_finding(kind, len(those), rows, shorten(str(those[0])) if those else "", unit="rows")
    said = "; ".join(f"{reason} ({n})" for reason, n in left_out.items())
    yield kind_finding("left-out", sum(left_out.values()), rows, shorten(said), unit="rows")
    yield from _item_findings(items.table, options, published)


def _item_findings(items: pa.Table, options: OptionTable, published: Mapping[int, list[str]]) -> Iterator[Finding]:
    ids, choices, questions, all_notes = (items[name] for name in ("item_id", "choices", "question", "notes"))

    def finding(kind: str, places: list[int], what: Callable[[int], str]) -> Finding:
        example = shorten(f"{ids[places[0]].as_py()}: {what(places[0])}") if places else ""
        return kind_finding(kind, len(places), len(items), example)

    def listed(place: int) -> str:
        return repr(published.get(place) or choices[place].as_py())

    def gold_twice(place: int) -> bool:
        gold = options.gold[place]
        return gold >= 0 and published[place].count(choices[place].as_py()[gold]) > 1

    equal = equal_choices(items, options)
    yield finding("collapsed", list(published), listed)
    yield finding("gold-collapsed", [place for place in published if gold_twice(place)], listed)
    yield finding("equal", list(equal), listed)
    yield finding("gold-equal", [place for place, gold in equal.items() if gold], listed)
    yield finding("keyless", np.flatnonzero(options.gold < 0).tolist(), lambda place: questions[place].as_py())
    noted = np.flatnonzero(np.asarray(pc.list_value_length(all_notes)) > 0).tolist()
    notes = {place: all_notes[place].as_py() for place in noted}
    for kind, note in (("labelled", UNLABELLED), ("partly-labelled", PARTLY_LABELLED)):
        yield finding(kind, [place for place in noted if note in notes[place]], _published_or(items))
    known = (COLLAPSED, UNLABELLED, PARTLY_LABELLED)
    other = [place for place in noted if any(not note.startswith(known) for note in notes[place])]
    yield finding("noted", other, lambda place: "; ".join(all_notes[place].as_py()))


def _published_or(items: pa.Table) -> Callable[[int], str]:
    """Place of an item -> its options as they were published."""

    def options(place: int) -> str:
        held = json.loads(items["extra"][place].as_py() or "{}").get("published_choices")
        return repr(held or items["choices"][place].as_py())

    return options


def equal_choices(items: pa.Table, options: OptionTable) -> dict[int, bool]:
    """Items with choices that are equal under the normaliser of replies -> whether the gold is one of them."""
    equal: dict[int, bool] = {}
    start = 0
    for batch in items.select(["choices"]).to_batches():  # a few thousand items at a time
        choices = batch["choices"]
        for place in _suspects(choices, options.k[start : start + len(choices)]):
            twins = [t for t in read_options(choices[place].as_py()).texts.values() if len(t) > 1]
            if twins:
                equal[start + place] = any(options.gold[start + place] in t for t in twins)
        start += len(choices)
    return equal


def quarantined(items: Items) -> pa.Table:
    """The quarantined rows by field and kind of reason, the most frequent first, each with its first row."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for bad in items.quarantined:
        grouped.setdefault((bad.field, shorten(_VALUE.sub("…", bad.reason))), []).append(str(bad))
    most = sorted(grouped.items(), key=lambda group: -len(group[1]))
    rows = [{"field": f, "reason": r, "n": len(q), "example": shorten(q[0])} for (f, r), q in most]
    return pa.Table.from_pylist(rows, schema=QUARANTINED_SCHEMA)


def counts(items: pa.Table, options: OptionTable, published: Mapping[int, list[str]]) -> pa.Table:
    """Items by what they are, each property in one block."""
    columns: dict[str, Any] = {name: items[name] for name in ("source_dataset", "question_type", "split")}
    columns["options"] = pa.array(options.k)
    if published:
        columns["options in the row"] = pa.array(published_lengths(options, published))
    columns["place of the gold"] = pa.array(options.gold[options.gold >= 0] + 1)
    rows = []
    for by, values in columns.items():
        tally = sorted((pair["values"], pair["counts"]) for pair in pc.value_counts(values).to_pylist())
        rows += [{"by": by, "value": str(v), "items": n, "share": n / len(values)} for v, n in tally]
    return pa.Table.from_pylist(rows, schema=COUNT_SCHEMA)


def _suspects(choices: Values, k: NDArray[np.int64]) -> list[int]:
    """The items that may have choices which are equal under the normaliser; the others cannot.

    It takes ASCII texts apart by nothing but letters and digits, unless they hold markup (``\\\\text{…}``, ``<s>``);
    comparing these alone is a hundred times quicker.
    """
    texts = flat(choices)
    letters = pc.ascii_lower(pc.replace_substring_regex(texts, r"[^A-Za-z0-9]+", ""))
    codes = np.asarray(letters.dictionary_encode().indices, dtype=np.int64)
    item = np.repeat(np.arange(len(k)), k)
    suspect = np.zeros(len(k), dtype=bool)
    suspect[item[np.asarray(pc.match_substring_regex(texts, r"[^\x00-\x7f]|[\\<]"))]] = True
    pairs = np.sort(item * (len(codes) + 1) + codes)
    suspect[pairs[1:][pairs[1:] == pairs[:-1]] // (len(codes) + 1)] = True
    return np.flatnonzero(suspect).tolist()
