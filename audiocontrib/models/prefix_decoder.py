"""Computing on a shared beginning: what several requests have in common is run through the model once.

A Prefix holds the key/value cache of the first tokens of a prompt (system turn and clip). Scores and
replies that continue from it equal those of full forwards; the tests hold them to 1e-4 in fp32.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from audiocontrib.models.network import cache_name
from audiocontrib.models.reply_batch import JobGroup, ReplyJob, write_replies
from audiocontrib.models.row_cache import copied
from audiocontrib.models.sampling import Dice
from audiocontrib.models.shared_prefix import NotShared, SharedRows, shared
from audiocontrib.models.trie import Trie

PATHS = ("tree", "batch", "single")
"""Ways in which a cache is continued, fastest first."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a prompt, batch 1. Never changed: continuations work on a copy of its cache."""

    ids: tuple[int, ...]
    cache: Any
    """What the network keeps of ``ids``; None for a decoder that keeps nothing."""
    last_hidden: Tensor | None
    """(1, H): hidden state after the last token."""
    features: Mapping[str, Tensor] = field(default_factory=dict)
    """What belongs to ``ids``, where it is still to be run."""

    @property
    def bytes(self) -> int:
        """Memory of its keys, values and features (of a cache of an unusual kind: of what can be counted)."""
        layers = self.cache.layers if self.cache is not None else ()
        held = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
        return sum(t.numel() * t.element_size() for t in [*held, *self.features.values()] if isinstance(t, Tensor))


class Decoder:
    """A causal language model seen as: tokens in, hidden states out, a cache that grows.

    Where every layer attends to all that came before, and the attention takes a mask of any shape, all that follows
    a prefix is computed as one tree. Elsewhere (sliding windows, state spaces, flash attention) a sequence at a
    time continues a copy of the cache, and its options are the rows of a batch.

    Args:
        backbone: the model without its head; called with keyword arguments.
        head: hidden states (…, H) -> logits (…, V).
        config: of the language model: which layers the cache needs, and how it attends.
        mrope: whether position ids have three (equal) rows.
        pad_id: any valid token id; padded places are masked out.
    """

    def __init__(
        self, backbone: Any, head: Any, *, config: Any, mrope: bool, pad_id: int, device: torch.device
    ) -> None:
        self.backbone, self.head, self.config, self.mrope = backbone, head, config, mrope
        self.pad_id, self.device = pad_id, device
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        window = getattr(config, "sliding_window", None) or math.inf
        windowed = not getattr(config, "layer_types", None) and window < getattr(
            config, "max_position_embeddings", math.inf
        )
        self.forks = kinds == {"full_attention"} and not windowed
        """Whether rows of different lengths may continue one cache: every layer keeps all of it."""
        self.trees = self.forks and config._attn_implementation in ("sdpa", "eager")
        """Whether a tree of tokens can be one row: the attention must take a mask of any shape."""
        self.shares = self._may_share
        """Whether rows attend once to a prefix that they share; found to be so or not when it is first tried."""
        self.paths = PATHS[PATHS.index(self.path) :]
        """Those that the config allows, fastest first."""

    @property
    def path(self) -> str:
        """Which way it goes: ``tree``, ``batch`` (replies and options side by side), or ``single`` (replies alone)."""
        return "tree" if self.trees else "batch" if self.forks else "single"

    @cached_property
    def _cache_name(self) -> str:
        return cache_name(self.backbone)

    def take(self, path: str) -> None:
        """Go that path from now on."""
        self.trees, self.forks = path == "tree", path != "single"
        self.shares = self._may_share

    @property
    def _may_share(self) -> bool:
        return self.trees and self.config._attn_implementation == "sdpa"

    @torch.inference_mode()
    def prefill(self, ids: Sequence[int], features: dict[str, Tensor]) -> Prefix:
        """Run the first tokens, with the audio features that belong to them, through the model."""
        cache = DynamicCache(config=self.config)
        hidden = self.forward([list(ids)], cache, past_mask=None, starts=[0], features=features)
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
        if self.trees:
            return self._tree(prefix, suffixes, options)
        return [self._expanded(prefix, s, choices) for s, choices in zip(suffixes, options, strict=True)]

    @torch.inference_mode()
    def greedy(
        self, prefix: Prefix, suffixes: Sequence[Sequence[int]], stop: frozenset[int], max_new_tokens: int
    ) -> list[list[int]]:
        """The most likely continuation, token by token, until a stop token (left out) or the limit."""
        return self.drawn(prefix, suffixes, stop, max_new_tokens, [None] * len(suffixes))

    @torch.inference_mode()
    def drawn(
        self,
        prefix: Prefix,
        suffixes: Sequence[Sequence[int]],
        stop: frozenset[int],
        max_new_tokens: int,
        dice: Sequence[Dice | None],
    ) -> list[list[int]]:
        """As :meth:`greedy`, with tokens drawn where a request has dice. :class:`NotANumber` where logits are NaN."""
        jobs = [ReplyJob(place, suffix, one) for place, (suffix, one) in enumerate(zip(suffixes, dice, strict=True))]
        groups: list[JobGroup] = [(lambda: prefix, jobs)]
        rows = len(jobs) if self.forks else 1
        written = dict(write_replies(self, groups, stop, max_new_tokens, rows, math.inf))
        return [written[place] for place in range(len(jobs))]

    def _tree(
        self, prefix: Prefix, suffixes: Sequence[Sequence[int]], options: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[list[float]]]:
        """All requests in one forward of one row: each distinct beginning after the prefix is computed once."""
        tree = Trie()
        wanted: list[tuple[int, int]] = []  # (node that predicts, token), in the order of requests, options, tokens
        for suffix, choices in zip(suffixes, options, strict=True):
            for option, nodes in zip(choices, tree.add_options(suffix, choices), strict=True):
                wanted += zip(nodes, option, strict=True)
        n0 = len(prefix.ids)
        allowed = torch.ones(len(tree), n0 + len(tree), dtype=torch.bool)
        allowed[:, n0:] = torch.from_numpy(tree.ancestors())
        hidden = self._call(
            torch.tensor([tree.tokens], device=self.device),
            torch.from_numpy(n0 + tree.depths())[None].to(self.device),
            self._any_mask(allowed),
            copied(prefix.cache),
        )[0]
        # only the rows that predict a token of an option go through the head
        rows = sorted({node for node, _ in wanted})
        place = {node: i for i, node in enumerate(rows)}
        logprobs = self._logprobs(hidden[torch.tensor(rows, device=self.device)])
        at = torch.tensor([(place[node], token) for node, token in wanted], device=self.device)
        values = iter(logprobs[at[:, 0], at[:, 1]].tolist())
        return [[[next(values) for _ in option] for option in choices] for choices in options]

    def _expanded(self, prefix: Prefix, suffix: Sequence[int], options: Sequence[Sequence[int]]) -> list[list[float]]:
        """One request: its suffix continues the cache; each distinct beginning of an option is a row of its copy."""
        cache, mask, hidden = self.extend(prefix, [suffix])
        first = self._logprobs(hidden)[0]
        heads = [option[:-1] for option in options]
        rows = [list(head) for head in dict.fromkeys(tuple(head) for head in heads if head)]
        after: dict[tuple[int, ...], Tensor] = {}
        if rows:
            cache.reorder_cache(torch.zeros(len(rows), dtype=torch.long, device=self.device))
            start = len(prefix.ids) + len(suffix)
            hidden = self.forward(rows, cache, past_mask=mask.expand(len(rows), -1), starts=[start] * len(rows))
            after = {tuple(row): self._logprobs(hidden[i, : len(row)]) for i, row in enumerate(rows)}
        out = []
        for head, option in zip(heads, options, strict=True):
            later = after[tuple(head)][range(len(head)), list(option[1:])].tolist() if head else []
            out.append([first[option[0]].item(), *later])
        return out

    def branch(self, prefix: Prefix, suffixes: Sequence[Sequence[int]]) -> tuple[Any, Tensor, Tensor]:
        """As :meth:`extend`, but cache and mask are of the suffixes alone; the prefix stays where it is.

        Raises:
            NotShared: the network's attention does not allow it.
        """
        cache, starts = DynamicCache(config=self.config), [len(prefix.ids)] * len(suffixes)
        with shared(self.config, len(prefix.cache.layers), [SharedRows(prefix.cache, None)]):
            hidden = self.forward([list(s) for s in suffixes], cache, past_mask=None, starts=starts)
        return cache, *self._ends(suffixes, hidden)

    def extend(self, prefix: Prefix, suffixes: Sequence[Sequence[int]]) -> tuple[Any, Tensor, Tensor]:
        """Cache and mask of prefix + suffix for each row, and the hidden state after the last suffix token."""
        rows, n0 = len(suffixes), len(prefix.ids)
        cache = copy.deepcopy(prefix.cache) if not self.forks else copied(prefix.cache)
        if rows > 1:
            cache.reorder_cache(torch.zeros(rows, dtype=torch.long, device=self.device))
        past = torch.ones(rows, n0, dtype=torch.long, device=self.device)
        hidden = self.forward([list(s) for s in suffixes], cache, past_mask=past, starts=[n0] * rows)
        mask, last = self._ends(suffixes, hidden)
        return cache, torch.cat([past, mask], dim=1), last

    def _ends(self, suffixes: Sequence[Sequence[int]], hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Mask of right-padded rows, and the hidden state after the last token of each."""
        lengths = torch.tensor([len(s) for s in suffixes], device=self.device)
        last = hidden[torch.arange(len(suffixes), device=self.device), lengths - 1]
        return self._mask(lengths, hidden.shape[1]), last

    def forward(
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
        return self._call(ids, positions, mask, cache, features)

    def step(
        self,
        tokens: Sequence[int],
        cache: Any,
        mask: Tensor,
        starts: Sequence[int],
        parts: Sequence[SharedRows],
        widths: Sequence[int],
    ) -> Tensor:
        """Hidden states (B, H) after one token more of each row.

        Args:
            mask: (B, n), 1 where a key is a row's own, this token's with them; ``starts``: where that stands.
            parts, widths: see :func:`~.shared_prefix.shared`; empty where the network does not share.
        """
        ids = torch.tensor(tokens, device=self.device)[:, None]
        positions = torch.tensor(starts, device=self.device)[:, None]
        try:
            if self.shares:
                with shared(self.config, len(cache.layers), parts, widths):
                    return self._call(ids, positions, mask[:, None, None].bool(), cache)[:, -1]
        except NotShared:  # the cache is as it was: a token is written where it was written before
            if parts:
                raise
            self.shares = False
        return self._call(ids, positions, mask, cache)[:, -1]

    def _call(
        self, ids: Tensor, positions: Tensor, mask: Tensor, cache: Any, features: dict[str, Tensor] | None = None
    ) -> Tensor:
        out = self.backbone(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions.expand(3, -1, -1) if self.mrope else positions,
            use_cache=True,
            **{self._cache_name: cache},
            **(features or {}),
        )
        return out.last_hidden_state

    def _any_mask(self, allowed: Tensor) -> Tensor:
        """(1, 1, n, past + n) for the attention in use. Eager attention adds its mask: booleans are silently wrong."""
        allowed = allowed.to(self.device)[None, None]
        if self.config._attn_implementation == "sdpa":
            return allowed
        dtype = next(self.backbone.parameters()).dtype
        return torch.zeros(allowed.shape, dtype=dtype, device=self.device).masked_fill_(
            ~allowed, torch.finfo(dtype).min
        )

    def _mask(self, lengths: Tensor, width: int) -> Tensor:
        return (torch.arange(width, device=self.device)[None] < lengths[:, None]).long()

    def _logprobs(self, hidden: Tensor) -> Tensor:
        return self.head(hidden).float().log_softmax(-1)
