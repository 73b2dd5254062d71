"""The plain way to ask a network: one whole forward for each option, and for each token of a reply.

No cache, no shared beginning, no padding, no positions or masks of our own. Slow, and what all faster paths are held to
(:mod:`audiocontrib.models.self_check`); the way of networks that a faster path gets wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from audiocontrib.models.clip_batch import OptionTree, Prefix, PromptStart
from audiocontrib.models.reply_batch import NotANumber
from audiocontrib.models.sampling import Dice, draw_tokens


class PlainDecoder:
    """A network as its class in transformers runs it. Same methods as :class:`~.prefix_decoder.Decoder`.

    Args:
        copies: how often each sequence stands in its batch; only to see how far that changes its scores.
    """

    path = "plain"
    clips = trees = forks = False
    """It keeps no cache that could be continued."""

    def __init__(self, net: Any, *, copies: int = 1) -> None:
        self.net, self.copies = net, copies
        taken = inspect.signature(net.forward).parameters
        every = any(one.kind is one.VAR_KEYWORD for one in taken.values())
        self._takes_mask = every or "attention_mask" in taken
        self._settings = {"use_cache": False} if every or "use_cache" in taken else {}

    def prefill(self, starts: Sequence[PromptStart]) -> list[Prefix]:
        """Nothing is run yet."""
        return [Prefix(tuple(ids), None, features) for ids, features in starts]

    @torch.inference_mode()
    def option_logprobs(self, trees: Sequence[OptionTree]) -> list[list[list[list[float]]]]:
        """See :meth:`audiocontrib.models.prefix_decoder.Decoder.option_logprobs`."""
        return [
            [
                [self._logprobs_of(tree.prefix, suffix, option) for option in choices]
                for suffix, choices in zip(tree.suffixes, tree.options, strict=True)
            ]
            for tree in trees
        ]

    @torch.inference_mode()
    def greedy(
        self, prefix: Prefix, suffixes: Sequence[Sequence[int]], stop: frozenset[int], max_new_tokens: int
    ) -> list[list[int]]:
        """See :meth:`audiocontrib.models.prefix_decoder.Decoder.greedy`."""
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
        """See :meth:`audiocontrib.models.prefix_decoder.Decoder.drawn`."""
        return [
            self._reply(prefix, suffix, stop, max_new_tokens, one) for suffix, one in zip(suffixes, dice, strict=True)
        ]

    @torch.inference_mode()
    def logits(self, prefix: Prefix, ids: Sequence[int]) -> Tensor:
        """(n, V): float32 logits after each token of prefix + ``ids``.

        Raises:
            NotANumber: one of them is NaN.
        """
        whole = torch.tensor([[*prefix.ids, *ids]] * self.copies, device=self.net.device)
        features = {name: torch.cat([value] * self.copies) for name, value in prefix.features.items()}
        mask = {"attention_mask": torch.ones_like(whole)} if self._takes_mask else {}
        logits: Tensor = self.net(input_ids=whole, **mask, **features, **self._settings).logits[0].float()
        if logits.isnan().any():
            raise NotANumber("the model's logits are NaN (not a number)")
        return logits

    def _logprobs_of(self, prefix: Prefix, suffix: Sequence[int], option: Sequence[int]) -> list[float]:
        first = len(prefix.ids) + len(suffix) - 1
        # the last token is read by nobody; some networks would still be changed by it
        rows = self.logits(prefix, [*suffix, *option[:-1]])[first:].log_softmax(-1)
        return [rows[place, token].item() for place, token in enumerate(option)]

    def _reply(
        self, prefix: Prefix, suffix: Sequence[int], stop: frozenset[int], limit: int, dice: Dice | None
    ) -> list[int]:
        reply: list[int] = []
        while len(reply) < limit:
            (token,) = draw_tokens(self.logits(prefix, [*suffix, *reply])[-1:], [dice])
            if token in stop:
                break
            reply.append(token)
        return reply
