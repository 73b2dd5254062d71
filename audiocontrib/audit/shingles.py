"""Shingles of an item's texts: the five-character pieces of its question and options, as hashes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WIDTH = 5
"""Characters of a shingle, as in data-juicer's near-duplicate filter."""
_SEPARATOR = "\x00"
_NOT_WORDS = re.compile(r"[\W_]+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def normalise(text: str) -> str:
    """A text in NFKC, without case, punctuation and runs of white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NOT_WORDS.sub(" ", text.casefold()).strip()


def shingles(texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The distinct shingles of each item, which is given as its plain texts; their order does not matter.

    Returns:
        The hashes, item after item and sorted within one, and the offsets (n + 1) at which items begin.
    """
    # each text between blanks, so that short words have shingles too; none reaches over a separator
    joined = _SEPARATOR.join(_SEPARATOR.join(f" {text} ".ljust(WIDTH) for text in own) for own in texts)
    lengths = [sum(max(len(text) + 2, WIDTH) + 1 for text in own) for own in texts]
    codes = np.frombuffer((joined + _SEPARATOR).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    count = max(len(codes) - WIDTH + 1, 0)
    hashes, within = np.zeros(count, dtype=np.uint64), np.ones(count, dtype=np.bool_)
    for shift in range(WIDTH):
        window = codes[shift : shift + count]
        hashes = (hashes ^ (window + np.uint64(shift + 1))) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
        within &= window != 0
    owner = np.repeat(np.arange(len(texts)), lengths)[:count][within]
    hashes = hashes[within]
    order = np.lexsort((hashes, owner))
    owner, hashes = owner[order], hashes[order]
    first = np.ones(len(hashes), dtype=np.bool_)
    first[1:] = (owner[1:] != owner[:-1]) | (hashes[1:] != hashes[:-1])
    owner, hashes = owner[first], hashes[first]
    return hashes, np.searchsorted(owner, np.arange(len(texts) + 1))


def jaccard(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Jaccard similarity of two sorted sets."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / (len(a) + len(b) - shared) if shared else 0.0
