"""The options of all items, one row each: what text there is to go by, and what is on its surface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import flat, integers, texts
from audiocontrib.items import COLLAPSED
from audiocontrib.items.printed import printed_labels

COLUMNS = ("item_id", "question", "choices", "clip_id", "answer")
SLICE = 20_000
"""Items whose words are held at once."""
WORD = re.compile(r"\w+")
HEDGES = frozenset(("probably", "possibly", "perhaps", "maybe", "likely", "may", "might", "could", "can", "often"))
HEDGES |= {"sometimes", "usually", "generally", "typically", "some", "various", "mostly", "mainly", "partly"}
ABSOLUTES = frozenset(("all", "always", "never", "none", "only", "every", "entirely", "completely", "no", "not"))


@dataclass(frozen=True, slots=True)
class OptionTable:
    """The options of items, one row each. Row r belongs to item ``item[r]``; items come in order.

    Texts stay in Arrow: a data set of half a million items has two million options.
    """

    items: pa.Table
    """The items' columns among COLUMNS, as far as they are there."""
    k: NDArray[np.int64]
    """Shape (n,): number of options."""
    gold: NDArray[np.int64]
    """Shape (n,): place of the gold; -1 where there is no key."""

    @classmethod
    def of(cls, items: pa.Table) -> OptionTable:
        """The options of a table of ITEM_SCHEMA, of which ``choices`` and ``answer`` are needed."""
        items = items.select([name for name in COLUMNS if name in items.column_names])
        k = integers(pc.list_value_length(items["choices"]))
        gold = integers(items["answer"], null=-1)
        return cls(items, k, gold)

    def __len__(self) -> int:
        return len(self.items)

    def only(self, wanted: NDArray[np.bool_]) -> OptionTable:
        """The options of some of the items, told by a mask of shape (n,)."""
        return self if wanted.all() else OptionTable.of(self.items.filter(wanted))

    def slice(self, start: int, n: int) -> OptionTable:
        """The options of ``n`` items from one on."""
        return OptionTable(self.items.slice(start, n), self.k[start : start + n], self.gold[start : start + n])

    def with_key(self) -> OptionTable:
        """The options of the items that have a key."""
        return self.only(self.gold >= 0)

    @property
    def ids(self) -> list[str]:
        """Ids of the items."""
        return texts(self.items["item_id"])

    @property
    def questions(self) -> list[str]:
        """Questions of the items."""
        return texts(self.items["question"])

    @property
    def clips(self) -> NDArray[np.int64]:
        """Shape (n,): code of the clip of each item, counted as they come."""
        return integers(self.items["clip_id"].combine_chunks().dictionary_encode().indices)

    @property
    def texts(self) -> list[str]:
        """The R options."""
        return texts(flat(self.items["choices"]))

    @property
    def length(self) -> NDArray[np.int64]:
        """Shape (R,): characters."""
        return integers(pc.utf8_length(flat(self.items["choices"])))

    @property
    def item(self) -> NDArray[np.int64]:
        """Shape (R,): index of the item."""
        return np.repeat(np.arange(len(self.k)), self.k)

    @property
    def place(self) -> NDArray[np.int64]:
        """Shape (R,): place in its item."""
        return np.arange(self.k.sum()) - np.repeat(self.starts, self.k)

    @property
    def is_gold(self) -> NDArray[np.bool_]:
        """Shape (R,)."""
        return self.place == self.gold[self.item]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Shape (n,): the first row of each item."""
        return np.cumsum(self.k) - self.k


def published_choices(items: pa.Table) -> dict[int, list[str]]:
    """Place of an item -> its row's own list of choices, where identical ones were collapsed."""
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


def published_lengths(options: OptionTable, published: Mapping[int, list[str]]) -> NDArray[np.int64]:
    """Shape (n,): number of choices in the rows, before identical ones were collapsed."""
    counted = options.k.copy()
    for place, choices in published.items():
        counted[place] = len(choices)
    return counted


def surface(options: OptionTable) -> dict[str, NDArray[np.float64]]:
    """What is on the surface of each option, (R,) each: lengths, signs, and words shared with its neighbours."""
    # by parts: the words of two million options at once take gigabytes
    parts = [_surface(options.slice(start, SLICE)) for start in range(0, max(len(options), 1), SLICE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _surface(options: OptionTable) -> dict[str, NDArray[np.float64]]:
    texts = options.texts
    lower = [text.lower() for text in texts]
    words = [WORD.findall(text) for text in lower]
    sets = [frozenset(w) for w in words]
    asked = [frozenset(WORD.findall(question.lower())) for question in options.questions]
    made: dict[str, Iterable[float]] = {
        "characters": map(len, lower),
        "words": map(len, words),
        "commas": (text.count(",") for text in lower),
        "final period": (text.rstrip().endswith(".") for text in lower),
        "numerals": (sum(map(str.isdigit, text)) for text in lower),
        "capitals": (sum(map(str.isupper, text)) for text in texts),
        "brackets and dashes": (sum(map(text.count, "()[]-–—/")) for text in lower),
        "hedges": (sum(map(HEDGES.__contains__, w)) for w in words),
        "absolutes": (sum(map(ABSOLUTES.__contains__, w)) for w in words),
        "overlap with the question": (_overlap(s, asked[i]) for s, i in zip(sets, options.item.tolist(), strict=True)),
    }
    counted = {name: np.fromiter(values, np.float64, len(texts)) for name, values in made.items()}
    return counted | {"overlap with the other options": _shared(options, sets)}


def _overlap(words: frozenset[str], others: frozenset[str]) -> float:
    """Share of the words that are among the others."""
    return len(words & others) / len(words) if words else 0.0


def _shared(options: OptionTable, sets: list[frozenset[str]]) -> NDArray[np.float64]:
    """Mean Jaccard similarity of each option to the others of its item: the gold is often their hub."""
    shared = [0.0] * len(sets)
    for start, k in zip(options.starts.tolist(), options.k.tolist(), strict=True):
        for a in range(start, start + k):
            for b in range(a + 1, start + k):
                union = len(sets[a] | sets[b])
                alike = len(sets[a] & sets[b]) / union if union else 0.0
                shared[a] += alike / (k - 1)
                shared[b] += alike / (k - 1)
    return np.array(shared)


def strictly_most(options: OptionTable, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shape (n,): place of the one option whose value is greater than all others', -1 where there is none."""
    most = np.maximum.reduceat(values, options.starts)
    best = values == most[options.item]
    alone = np.add.reduceat(best.astype(np.int64), options.starts) == 1
    first = np.full(len(options), -1, dtype=np.int64)
    first[options.item[best]] = options.place[best]
    return np.where(alone, first, -1)
