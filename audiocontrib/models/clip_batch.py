"""Several clips in one forward: their features below each other, and what follows each of them as a row or several.

Where a token may see any others (a mask of any shape), all that follows a prefix is one row, a tree; elsewhere each
option is a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from audiocontrib.models.row_cache import copied, padded_rows
from audiocontrib.models.trie import Trie

if TYPE_CHECKING:
    from audiocontrib.models.prefix_decoder import Decoder

PromptStart = tuple[Sequence[int], Mapping[str, Tensor]]
"""The first tokens of a prompt, or all of them, and the audio features that belong to them."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a prompt (system turn, clip), batch 1. Never changed: what continues it works on a copy."""

    ids: tuple[int, ...]
    cache: Any
    """What the network keeps of ``ids``; None for a decoder that keeps nothing."""
    features: Mapping[str, Tensor] = field(default_factory=dict)
    """What belongs to ``ids``, where it is still to be run."""

    @property
    def bytes(self) -> int:
        """Memory of its keys, values and features (of a cache of an unusual kind: of what can be counted)."""
        layers = self.cache.layers if self.cache is not None else ()
        held = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
        return sum(t.numel() * t.element_size() for t in [*held, *self.features.values()] if isinstance(t, Tensor))


@dataclass(frozen=True, slots=True)
class OptionTree:
    """What is asked after a prefix."""

    prefix: Prefix
    suffixes: Sequence[Sequence[int]]
    """Per request, the prompt's tokens after the prefix (at least one)."""
    options: Sequence[Sequence[Sequence[int]]]
    """Per request, per option, its tokens (at least one)."""


def alike(starts: Sequence[PromptStart], mixes: float | None) -> list[list[int]]:
    """The places of those that may be one forward: with audio, or without; shorter clips than ``mixes`` frames only
    with others of their length.
    """
    kinds: dict[Any, list[int]] = defaultdict(list)
    for place, (_, features) in enumerate(starts):
        shapes = tuple(value.shape[1:] for value in features.values())
        kinds[tuple(features), shapes if shapes and shapes[0][-1] < (mixes or 0) else ()].append(place)
    return list(kinds.values())


def joined(features: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The windows of several clips below each other, in order; shorter ones are padded with zeros at their ends."""
    if len(features) == 1:
        return dict(features[0])
    made = {}
    for name in features[0]:
        values = [one[name] for one in features]
        shape = [max(sizes) for sizes in zip(*(value.shape[1:] for value in values), strict=True)]
        whole = values[0].new_zeros((sum(map(len, values)), *shape))
        for part, value in zip(whole.split([len(value) for value in values]), values, strict=True):
            part[(slice(None), *map(slice, value.shape[1:]))] = value
        made[name] = whole
    return made


def tree_logprobs(decoder: Decoder, asked: Sequence[OptionTree]) -> list[list[list[list[float]]]]:
    """All trees in one forward, a row each: each distinct beginning after a prefix is computed once.

    Returns:
        As :meth:`~.prefix_decoder.Decoder.option_logprobs`.
    """
    trees = [Trie() for _ in asked]
    # (row, node that predicts, token), in the order of requests, options, tokens
    wanted: list[tuple[int, int, int]] = []
    for row, (tree, one) in enumerate(zip(trees, asked, strict=True)):
        for suffix, choices in zip(one.suffixes, one.options, strict=True):
            for option, nodes in zip(choices, tree.add_options(suffix, choices), strict=True):
                wanted += [(row, node, token) for node, token in zip(nodes, option, strict=True)]
    past, width = max(len(one.prefix.ids) for one in asked), max(map(len, trees))
    ids = torch.full((len(asked), width), decoder.pad_id)
    positions = torch.zeros_like(ids)
    allowed = torch.zeros(len(asked), width, past + width, dtype=torch.bool)
    for row, (tree, one) in enumerate(zip(trees, asked, strict=True)):
        n0, n = len(one.prefix.ids), len(tree)
        ids[row, :n] = torch.tensor(tree.tokens)
        positions[row, :n] = torch.from_numpy(n0 + tree.depths())
        allowed[row, :, :n0] = True  # padded places see it too: of nothing there is no average
        allowed[row, :n, past : past + n] = torch.from_numpy(tree.ancestors())
    caches = [one.prefix.cache for one in asked]
    hidden = decoder.call(
        ids.to(decoder.device),
        positions.to(decoder.device),
        decoder.any_mask(allowed),
        padded_rows(caches, past) if len(caches) > 1 else copied(caches[0]),
    )
    # only the places that predict a token of an option go through the head
    places = sorted({(row, node) for row, node, _ in wanted})
    index = {place: i for i, place in enumerate(places)}
    chosen = torch.tensor(places, device=decoder.device)
    logprobs = decoder.logprobs(hidden[chosen[:, 0], chosen[:, 1]])
    at = torch.tensor([(index[row, node], token) for row, node, token in wanted], device=decoder.device)
    values = iter(logprobs[at[:, 0], at[:, 1]].tolist())
    return [[[[next(values) for _ in option] for option in choices] for choices in one.options] for one in asked]


def options_after(
    decoder: Decoder,
    cache: Any,
    mask: Tensor,
    hidden: Tensor,
    starts: Sequence[int],
    options: Sequence[Sequence[Sequence[int]]],
) -> list[list[list[float]]]:
    """Options that follow the rows of a cache, which is used up: each distinct beginning of one is a row.

    Args:
        mask: (rows, n): which keys are a row's own; ``starts``: how many they are.
        hidden: (rows, H): after the last of them.
        options: per row, per option, its tokens.

    Returns:
        Per row, per option, the natural log-probability of each token.
    """
    first = decoder.logprobs(hidden)
    heads = [(row, tuple(option[:-1])) for row, choices in enumerate(options) for option in choices]
    rows = [head for head in dict.fromkeys(heads) if head[1]]
    after: dict[tuple[int, tuple[int, ...]], Tensor] = {}
    if rows:
        source = torch.tensor([row for row, _ in rows], device=decoder.device)
        cache.reorder_cache(source)
        tokens, begun = [list(head) for _, head in rows], [starts[row] for row, _ in rows]
        more = decoder.forward(tokens, cache, past_mask=mask[source], starts=begun)
        after = {head: decoder.logprobs(more[i, : len(head[1])]) for i, head in enumerate(rows)}

    def values(row: int, option: Sequence[int]) -> list[float]:
        head = tuple(option[:-1])
        later = after[row, head][range(len(head)), list(option[1:])].tolist() if head else []
        return [first[row, option[0]].item(), *later]

    return [[values(row, option) for option in choices] for row, choices in enumerate(options)]
