"""Keys and values of replies that are written side by side: each row's stand together, whoever comes and goes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens for which a layer's keys and values have room before they are copied into a larger place."""


@dataclass(slots=True)
class Ends:
    """Where the next token of each row is written; one for all layers."""

    columns: Tensor
    """(rows,)"""
    width: int
    """The largest of them."""

    def mask(self, more: int) -> Tensor:
        """(rows, width + more): 1 where keys and values are a row's own, with so many tokens more of each."""
        every = torch.arange(self.width + more, device=self.columns.device)
        return (every[None] < self.columns[:, None] + more).long()

    def grow(self) -> None:
        """Each row has a token more."""
        self.columns, self.width = self.columns + 1, self.width + 1


class RowLayer(DynamicLayer):
    """Keys and values of rows: a token more is written behind a row's own, and copies nothing."""

    def __init__(self, keys: Tensor, values: Tensor, ends: Ends) -> None:
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values, self.ends = keys, values, ends

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """See :class:`DynamicLayer`; one token a row."""
        rows, width = len(key_states), self.ends.width + 1
        if width > self.keys.shape[-2]:
            self.keys, self.values = (pad(one, (0, 0, 0, ROOM)) for one in (self.keys, self.values))
        every = torch.arange(rows, device=key_states.device)
        self.keys[every, :, self.ends.columns] = key_states[:, :, 0]
        self.values[every, :, self.ends.columns] = value_states[:, :, 0]
        return self.keys[:rows, :, :width], self.values[:rows, :, :width]

    def get_seq_length(self) -> int:
        """See :class:`DynamicLayer`: without the room."""
        return self.ends.width

    def move(self, source: Tensor, target: Tensor) -> None:
        """Rows take the places of others."""
        for held in (self.keys, self.values):
            held[target] = held[source]


def side_by_side(caches: Sequence[Any], masks: Sequence[Tensor], order: Tensor) -> tuple[Any, Ends]:
    """The rows of several caches as one, in an order. Where a key stands does not matter: its position is in it.

    Args:
        masks: per cache, (rows, n): which keys and values are a row's own.
        order: (all rows,)
    """
    columns = torch.cat([mask.sum(1) for mask in masks])[order]
    ends = Ends(columns, int(columns.max()))
    chosen = [mask.sort(dim=1, descending=True, stable=True).indices for mask in masks]
    merged = copy.copy(caches[0])
    merged.layers = []
    for layers in zip(*(cache.layers for cache in caches), strict=True):
        keys, values = (_stacked(layers, name, chosen, ends.width)[order] for name in ("keys", "values"))
        merged.layers.append(RowLayer(keys, values, ends))
    return merged, ends


def _stacked(layers: Sequence[Any], name: str, columns: Sequence[Tensor], width: int) -> Tensor:
    """The keys or values of all rows: each row's own first, then room."""
    made = []
    for layer, places in zip(layers, columns, strict=True):
        held = getattr(layer, name)[: len(places)]
        chosen = places[:, None, :width, None].expand(-1, held.shape[1], -1, held.shape[-1])
        found = held.gather(-2, chosen)
        made.append(pad(found, (0, 0, 0, width + ROOM - found.shape[-2])))
    return torch.cat(made)


def copied(cache: Any) -> Any:
    """A cache that shares the tensors of ``cache`` and grows by itself: growing concatenates, and changes no tensor."""
    new = copy.copy(cache)
    new.layers = [copy.copy(layer) for layer in cache.layers]
    return new


def row_of(cache: Any, row: int, length: int) -> Any:
    """One row of a cache, its first ``length`` tokens, as a cache of its own."""
    one = copied(cache)
    for layer in one.layers:
        layer.keys, layer.values = (held[row : row + 1, :, :length].clone() for held in (layer.keys, layer.values))
        _tell_length(layer, length)
    return one


def padded_rows(caches: Sequence[Any], width: int) -> Any:
    """Caches of one row each as one, of ``width`` tokens: what a row lacks stands behind its own."""
    merged = copied(caches[0])
    for place, layer in enumerate(merged.layers):
        rows = [cache.layers[place] for cache in caches]
        layer.keys, layer.values = (
            torch.cat([pad(held, (0, 0, 0, width - held.shape[-2])) for held in (getattr(row, name) for row in rows)])
            for name in ("keys", "values")
        )
        _tell_length(layer, width)
    return merged


def _tell_length(layer: Any, length: int) -> None:
    """Layers with a window, which here reaches over all tokens, count these themselves."""
    if hasattr(layer, "cumulative_length"):
        layer.cumulative_length = length
