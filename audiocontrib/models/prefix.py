"""Computing on a shared beginning: what several requests have in common is run through the model once.

A Prefix holds the key/value cache of the first tokens of a prompt (system turn and clip). Scores and
replies that continue from it equal those of full forwards; the tests hold them to 1e-4 in fp32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache


@dataclass(frozen=True, slots=True)
class Prefix:
    """The cache of ``ids``, batch 1. Never changed: continuations work on a fork of it."""

    ids: tuple[int, ...]
    cache: Any
    last_hidden: Tensor
    """(1, H): hidden state after the last token."""


class Decoder:
    """A causal language model seen as: tokens in, hidden states out, a cache that grows.

    Args:
        backbone: the model without its head; called with keyword arguments.
        head: hidden states (…, H) -> logits (…, V).
        mrope: whether position ids have three (equal) rows.
        pad_id: any valid token id; padded places are masked out.
    """

    def __init__(self, backbone: Any, head: Any, *, mrope: bool, pad_id: int, device: torch.device) -> None:
        self.backbone, self.head, self.mrope = backbone, head, mrope
        self.pad_id, self.device = pad_id, device

    @torch.inference_mode()
    def prefill(self, ids: Sequence[int], features: dict[str, Tensor]) -> Prefix:
        """Run the first tokens, with the audio features that belong to them, through the model."""
        cache = DynamicCache()
        hidden = self._forward([list(ids)], cache, past_mask=None, starts=[0], features=features)
        return Prefix(tuple(ids), cache, hidden[:, -1])

    @torch.inference_mode()
    def option_logprobs(
        self, prefix: Prefix, suffixes: Sequence[Sequence[int]], options: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[list[float]]]:
        """Natural log-probability of every token of every option.

        Args:
            suffixes: per request, the prompt's tokens after the prefix (at least one).
            options: per request, per option, its tokens (at least one).

        Returns:
            Per request, per option, one float a token: log p(token | prefix, suffix, tokens before).
        """
        cache, mask, first = self._extend(prefix, suffixes)
        first_logprobs = self._logprobs(first)
        owner = [r for r, choices in enumerate(options) for _ in choices]
        rows = [option for choices in options for option in choices]
        out = [[first_logprobs[owner[i], option[0]].item()] for i, option in enumerate(rows)]
        if max(map(len, rows)) > 1:
            picked = torch.tensor(owner, device=self.device)
            starts = [len(prefix.ids) + len(suffixes[r]) for r in owner]
            hidden = self._forward(
                [list(option[:-1]) for option in rows],
                _select(cache, picked),
                past_mask=mask[picked],
                starts=starts,
            )
            for i, option in enumerate(rows):
                if len(option) > 1:
                    logprobs = self._logprobs(hidden[i, : len(option) - 1])
                    targets = torch.tensor(option[1:], device=self.device)
                    out[i] += logprobs.gather(1, targets[:, None])[:, 0].tolist()
        grouped: list[list[list[float]]] = [[] for _ in options]
        for r, values in zip(owner, out, strict=True):
            grouped[r].append(values)
        return grouped

    @torch.inference_mode()
    def greedy(
        self, prefix: Prefix, suffixes: Sequence[Sequence[int]], stop: frozenset[int], max_new_tokens: int
    ) -> list[list[int]]:
        """The most likely continuation, token by token, until a stop token (left out) or the limit."""
        cache, mask, hidden = self._extend(prefix, suffixes)
        starts = [len(prefix.ids) + len(suffix) for suffix in suffixes]
        replies: list[list[int]] = [[] for _ in suffixes]
        active = list(range(len(suffixes)))
        for step in range(max_new_tokens):
            tokens = self.head(hidden).argmax(-1).tolist()
            going = [place for place, token in enumerate(tokens) if token not in stop]
            for place in going:
                replies[active[place]].append(tokens[place])
            if not going or step == max_new_tokens - 1:
                break
            if len(going) < len(active):  # finished replies leave the batch
                keep = torch.tensor(going, device=self.device)
                cache, mask = _select(cache, keep), mask[keep]
            active = [active[place] for place in going]
            hidden = self._forward(
                [[tokens[place]] for place in going],
                cache,
                past_mask=mask,
                starts=[starts[a] + step for a in active],
            )[:, -1]
            mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        return replies

    def _extend(self, prefix: Prefix, suffixes: Sequence[Sequence[int]]) -> tuple[Any, Tensor, Tensor]:
        """Cache and mask of prefix + suffix for each row, and the hidden state after the last suffix token."""
        rows, n0 = len(suffixes), len(prefix.ids)
        cache = _select(prefix.cache, torch.zeros(rows, dtype=torch.long, device=self.device))
        past = torch.ones(rows, n0, dtype=torch.long, device=self.device)
        hidden = self._forward([list(s) for s in suffixes], cache, past_mask=past, starts=[n0] * rows)
        lengths = torch.tensor([len(s) for s in suffixes], device=self.device)
        mask = torch.cat([past, self._mask(lengths, hidden.shape[1])], dim=1)
        return cache, mask, hidden[torch.arange(rows, device=self.device), lengths - 1]

    def _forward(
        self,
        rows: list[list[int]],
        cache: Any,
        *,
        past_mask: Tensor | None,
        starts: Sequence[int],
        features: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Hidden states (B, n, H) of right-padded rows; ``cache`` grows by n.

        Positions are always given: left to itself the model would count padded places, or (M-RoPE) use
        the offsets of an earlier forward. The mask covers the past as well: with a mask of the new
        tokens alone the results are wrong, silently.
        """
        width = max(map(len, rows))
        ids = torch.tensor([row + [self.pad_id] * (width - len(row)) for row in rows], device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = self._mask(lengths, width)
        if past_mask is not None:
            mask = torch.cat([past_mask, mask], dim=1)
        positions = torch.tensor(starts, device=self.device)[:, None] + torch.arange(width, device=self.device)
        out = self.backbone(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions.expand(3, -1, -1) if self.mrope else positions,
            past_key_values=cache,
            use_cache=True,
            **(features or {}),
        )
        return out.last_hidden_state

    def _mask(self, lengths: Tensor, width: int) -> Tensor:
        return (torch.arange(width, device=self.device)[None] < lengths[:, None]).long()

    def _logprobs(self, hidden: Tensor) -> Tensor:
        return self.head(hidden).float().log_softmax(-1)


def _select(cache: Any, rows: Tensor) -> Any:
    """A new cache that holds the given rows of ``cache``, which stays as it is."""
    new = DynamicCache()
    for number, layer in enumerate(cache.layers):
        new.update(layer.keys.index_select(0, rows), layer.values.index_select(0, rows), number)
    return new
