"""The options of all items, one row each: what text there is to go by, and what is on its surface."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

WORD = re.compile(r"\w+")
HEDGES = frozenset(("probably", "possibly", "perhaps", "maybe", "likely", "may", "might", "could", "can", "often"))
HEDGES |= {"sometimes", "usually", "generally", "typically", "some", "various", "mostly", "mainly", "partly"}
ABSOLUTES = frozenset(("all", "always", "never", "none", "only", "every", "entirely", "completely", "no", "not"))


@dataclass(frozen=True, slots=True)
class OptionTable:
    """The options of the items that have a key. Row r belongs to item ``item[r]``; items come in order."""

    ids: list[str]
    """Item ids; all other arrays over items are in this order."""
    questions: list[str]
    clips: NDArray[np.int64]
    """Shape (n,): code of the clip of each item."""
    k: NDArray[np.int64]
    """Shape (n,): number of options."""
    gold: NDArray[np.int64]
    """Shape (n,): place of the gold."""
    texts: list[str]
    """The options, item after item; R of them."""
    item: NDArray[np.int64]
    """Shape (R,): index of the item."""
    place: NDArray[np.int64]
    """Shape (R,): place in its item."""
    is_gold: NDArray[np.bool_]
    """Shape (R,)."""

    @classmethod
    def of(cls, items: pa.Table) -> OptionTable:
        """The options of a table of ITEM_SCHEMA; items without a key are left out."""
        keyed = items.filter(pc.is_valid(items["answer"]))
        choices = keyed["choices"].combine_chunks()
        k = np.asarray(pc.list_value_length(choices), dtype=np.int64)
        gold = np.asarray(keyed["answer"], dtype=np.int64)
        item = np.repeat(np.arange(len(k)), k)
        place = np.arange(len(item)) - np.repeat(np.cumsum(k) - k, k)
        clips = pc.dictionary_encode(keyed["clip_id"].combine_chunks()).indices
        return cls(
            keyed["item_id"].to_pylist(),
            keyed["question"].to_pylist(),
            np.asarray(clips, dtype=np.int64),
            k,
            gold,
            choices.flatten().to_pylist(),
            item,
            place,
            place == gold[item],
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Shape (n,): the first row of each item."""
        return np.cumsum(self.k) - self.k

    def only(self, wanted: NDArray[np.bool_]) -> OptionTable:
        """The options of some of the items, told by a mask of shape (n,)."""
        rows = wanted[self.item]
        return OptionTable(
            [name for name, take in zip(self.ids, wanted, strict=True) if take],
            [question for question, take in zip(self.questions, wanted, strict=True) if take],
            self.clips[wanted],
            self.k[wanted],
            self.gold[wanted],
            [text for text, take in zip(self.texts, rows, strict=True) if take],
            (np.cumsum(wanted) - 1)[self.item[rows]],
            self.place[rows],
            self.is_gold[rows],
        )


def surface(options: OptionTable) -> dict[str, NDArray[np.float64]]:
    """What is on the surface of each option, (R,) each: lengths, signs, and words shared with its neighbours."""
    lower = [text.lower() for text in options.texts]
    words = [WORD.findall(text) for text in lower]
    sets = [frozenset(w) for w in words]
    asked = [frozenset(WORD.findall(question.lower())) for question in options.questions]
    made: dict[str, NDArray[np.float64]] = {
        "characters": np.array([len(text) for text in lower], dtype=np.float64),
        "words": np.array([len(w) for w in words], dtype=np.float64),
        "commas": np.array([text.count(",") for text in lower], dtype=np.float64),
        "final period": np.array([text.rstrip().endswith(".") for text in lower], dtype=np.float64),
        "numerals": np.array([sum(c.isdigit() for c in text) for text in lower], dtype=np.float64),
        "capitals": np.array([sum(c.isupper() for c in text) for text in options.texts], dtype=np.float64),
        "brackets and dashes": np.array([sum(c in "()[]-–—/" for c in t) for t in lower], dtype=np.float64),
        "hedges": np.array([sum(w in HEDGES for w in ws) for ws in words], dtype=np.float64),
        "absolutes": np.array([sum(w in ABSOLUTES for w in ws) for ws in words], dtype=np.float64),
        "overlap with the question": np.array(
            [_overlap(s, asked[i]) for s, i in zip(sets, options.item, strict=True)], dtype=np.float64
        ),
        "overlap with the other options": _shared(options, sets),
    }
    return made


def _overlap(words: frozenset[str], others: frozenset[str]) -> float:
    """Share of the words that are among the others."""
    return len(words & others) / len(words) if words else 0.0


def _shared(options: OptionTable, sets: list[frozenset[str]]) -> NDArray[np.float64]:
    """Mean Jaccard similarity of each option to the others of its item: the gold is often their hub."""
    shared = np.zeros(len(sets))
    for start, k in zip(options.starts, options.k, strict=True):
        for a in range(start, start + k):
            for b in range(a + 1, start + k):
                union = len(sets[a] | sets[b])
                alike = len(sets[a] & sets[b]) / union if union else 0.0
                shared[a] += alike / (k - 1)
                shared[b] += alike / (k - 1)
    return shared


def strictly_most(options: OptionTable, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shape (n,): place of the one option whose value is greater than all others', -1 where there is none."""
    most = np.maximum.reduceat(values, options.starts)
    best = values == most[options.item]
    alone = np.add.reduceat(best.astype(np.int64), options.starts) == 1
    first = np.full(len(options), -1, dtype=np.int64)
    first[options.item[best]] = options.place[best]
    return np.where(alone, first, -1)
