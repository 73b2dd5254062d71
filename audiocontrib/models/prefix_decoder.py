"""Computing on a shared beginning: what several requests have in common is run through the model once.

Scores and replies that continue from a prefix equal those of full forwards; the tests hold them to 1e-4 in fp32.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from audiocontrib.models.clip_batch import OptionTree, Prefix, PromptStart, alike, joined, options_after, tree_logprobs
from audiocontrib.models.network import cache_name
from audiocontrib.models.reply_batch import JobGroup, ReplyJob, write_replies
from audiocontrib.models.row_cache import copied, row_of
from audiocontrib.models.sampling import Dice
from audiocontrib.models.shared_prefix import NotShared, SharedRows, shared

PATHS = ("clips", "tree", "batch", "single")
"""Ways in which a network is asked, fastest first: several clips in one forward (and the fastest of the others that its
config allows); all that follows a prefix as one tree; replies and options side by side; replies alone.
"""


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
        mixes: frames from which on clips of different lengths may be one forward; None: it hears no clips.
        pad_id: any valid token id; padded places are masked out.
    """

    def __init__(
        self,
        backbone: Any,
        head: Any,
        *,
        config: Any,
        mrope: bool,
        mixes: float | None,
        pad_id: int,
        device: torch.device,
    ) -> None:
        self.backbone, self.head, self.config, self.mrope, self.mixes = backbone, head, config, mrope, mixes
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
        self.clips = False
        """Whether prompts about several clips may be one forward."""
        self.longest = getattr(config, "index_topk", math.inf)
        """Tokens beyond which an index chooses among them: of equals, padding would decide which it takes."""
        self.shares = self._may_share
        """Whether rows attend once to a prefix that they share; found to be so or not when it is first tried."""
        self.paths = PATHS[PATHS.index(self.path) :]
        """Those that the config allows, fastest first."""
        if mixes is not None and not any("hybrid" in kind for kind in kinds):  # whose convolutions take no mask
            self.clips, self.paths = True, (PATHS[0], *self.paths)

    @property
    def path(self) -> str:
        """Which way it goes, of PATHS."""
        return "clips" if self.clips else "tree" if self.trees else "batch" if self.forks else "single"

    @cached_property
    def _cache_name(self) -> str:
        return cache_name(self.backbone)

    def take(self, path: str) -> None:
        """Go that path from now on."""
        self.clips = path == PATHS[0]
        own = self.paths[1] if self.clips else path
        self.trees, self.forks = own == "tree", own != "single"
        self.shares = self._may_share

    @property
    def _may_share(self) -> bool:
        return self.trees and self.config._attn_implementation == "sdpa"

    @torch.inference_mode()
    def prefill(self, starts: Sequence[PromptStart]) -> list[Prefix]:
        """Run the first tokens of prompts through the model, with the audio features that belong to them.

        Those that may be one forward are, padded on the right.
        """
        found: dict[int, Prefix] = {}
        for places in alike(starts, self.mixes) if self.forks else [[place] for place in range(len(starts))]:
            rows, cache = [list(starts[place][0]) for place in places], DynamicCache(config=self.config)
            features = joined([starts[place][1] for place in places])
            self.forward(rows, cache, past_mask=None, starts=[0] * len(rows), features=features)
            for row, place in enumerate(places):
                held = row_of(cache, row, len(rows[row])) if len(rows) > 1 else cache
                found[place] = Prefix(tuple(rows[row]), held)
        return [found[place] for place in range(len(starts))]

    @torch.inference_mode()
    def option_logprobs(self, trees: Sequence[OptionTree]) -> list[list[list[list[float]]]]:
        """Natural log-probability of every token of every option.

        Returns:
            Per tree, per request, per option, one float a token: log p(token | prefix, suffix, tokens before).
        """
        if self.trees:
            return tree_logprobs(self, trees)
        return [
            [self._expanded(tree.prefix, s, choices) for s, choices in zip(tree.suffixes, tree.options, strict=True)]
            for tree in trees
        ]

    @torch.inference_mode()
    def whole_logprobs(
        self, prompts: Sequence[PromptStart], options: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[list[float]]]:
        """As :meth:`option_logprobs`, of whole prompts: padded on the left, as windows and states want it.

        Those that may be one forward are.

        Args:
            options: per prompt, per option, its tokens.
        """
        found: dict[int, list[list[float]]] = {}
        for places in alike(prompts, self.mixes):
            prompt_ids = [list(prompts[place][0]) for place in places]
            lengths, cache = [len(ids) for ids in prompt_ids], DynamicCache(config=self.config)
            width = max(lengths)
            rows = [[self.pad_id] * (width - len(ids)) + ids for ids in prompt_ids]
            mask = self._mask(torch.tensor(lengths, device=self.device), width).flip(1)
            features = joined([prompts[place][1] for place in places])
            ids, positions = torch.tensor(rows, device=self.device), (mask.cumsum(1) - 1).clamp(min=0)
            last = self.call(ids, positions, mask, cache, features)[:, -1]
            values = options_after(self, cache, mask, last, lengths, [options[place] for place in places])
            found |= dict(zip(places, values, strict=True))
        return [found[place] for place in range(len(prompts))]

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

    def _expanded(self, prefix: Prefix, suffix: Sequence[int], options: Sequence[Sequence[int]]) -> list[list[float]]:
        """One request: its suffix continues the cache."""
        cache, mask, hidden = self.extend(prefix, [suffix])
        return options_after(self, cache, mask, hidden, [len(prefix.ids) + len(suffix)], [options])[0]

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
        return self.call(ids, positions, mask, cache, features)

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
                    return self.call(ids, positions, mask[:, None, None].bool(), cache)[:, -1]
        except NotShared:  # the cache is as it was: a token is written where it was written before
            if parts:
                raise
            self.shares = False
        return self.call(ids, positions, mask, cache)[:, -1]

    def call(
        self, ids: Tensor, positions: Tensor, mask: Tensor, cache: Any, features: dict[str, Tensor] | None = None
    ) -> Tensor:
        """Hidden states (B, n, H) of tokens at positions (B, n), with a mask of any kind that the network takes."""
        out = self.backbone(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions.expand(3, -1, -1) if self.mrope else positions,
            use_cache=True,
            **{self._cache_name: cache},
            **(features or {}),
        )
        return out.last_hidden_state

    def any_mask(self, allowed: Tensor) -> Tensor:
        """A mask (B, n, past + n) for the attention in use. Eager attention adds it: booleans are silently wrong."""
        allowed = allowed.to(self.device)[:, None]
        if self.config._attn_implementation == "sdpa":
            return allowed
        dtype = next(self.backbone.parameters()).dtype
        return torch.zeros(allowed.shape, dtype=dtype, device=self.device).masked_fill_(
            ~allowed, torch.finfo(dtype).min
        )

    def _mask(self, lengths: Tensor, width: int) -> Tensor:
        return (torch.arange(width, device=self.device)[None] < lengths[:, None]).long()

    def logprobs(self, hidden: Tensor) -> Tensor:
        """Hidden states (…, H) -> natural log-probabilities (…, V), float32."""
        return self.head(hidden).float().log_softmax(-1)
