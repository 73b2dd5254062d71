"""Token sequences that share their beginnings, as one: every distinct beginning is computed once.

The questions, option orders and options that continue a prefix form a tree. Packed into one row, each token sees
its own ancestors only, and stands at the position that it has in its own sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

ROOT = -1
"""The parent of first tokens: the last token of the prefix."""


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


class Trie:
    """Tokens by node, in an order in which parents come before their children."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self._children: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, tokens: Sequence[int], after: int = ROOT) -> list[int]:
        """The nodes of ``tokens``, which follow the node ``after``; new ones are made where there are none."""
        nodes = []
        for token in tokens:
            node = self._children.get((after, token))
            if node is None:
                node = self._children[after, token] = len(self.tokens)
                self.tokens.append(token)
                self.parents.append(after)
            nodes.append(node)
            after = node
        return nodes

    def depths(self) -> NDArray[np.int64]:
        """Per node, how many of the tree's tokens stand before it."""
        depths = np.zeros(len(self), dtype=np.int64)
        for node, parent in enumerate(self.parents):
            if parent != ROOT:
                depths[node] = depths[parent] + 1
        return depths

    def ancestors(self) -> NDArray[np.bool_]:
        """(n, n): whether node i may see node j, which is itself or stands before it in its sequence."""
        seen = np.eye(len(self), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent != ROOT:
                seen[node, : parent + 1] |= seen[parent, : parent + 1]
        return seen

    def add_options(self, suffix: Sequence[int], options: Sequence[Sequence[int]]) -> list[list[int]]:
        """The nodes that predict each token of each option, which follow ``suffix`` (at least one token)."""
        last = self.add(suffix)[-1]
        return [[last, *self.add(option[:-1], after=last)] for option in options]


def packs(
    suffixes: Sequence[Sequence[int]], options: Sequence[Sequence[Sequence[int]]], budget: int
) -> Iterator[tuple[list[int], int]]:
    """Requests (as indexes) in parts whose trees hold at most ``budget`` tokens, or one request; and those tokens.

    Sorted by their tokens, so that those with a common beginning come into one part.
    """
    part: list[int] = []
    tree = Trie()
    for request in sorted(range(len(suffixes)), key=lambda i: list(suffixes[i])):
        held = len(tree)
        tree.add_options(suffixes[request], options[request])
        if part and len(tree) > budget:
            yield part, held
            part, tree = [], Trie()
            tree.add_options(suffixes[request], options[request])
        part.append(request)
    if part:
        yield part, len(tree)
