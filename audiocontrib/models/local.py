"""Models that run in this process on torch: from a prompt and a sound to scores and replies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Generated, Request, Scored
from audiocontrib.models.prefix import Decoder, Prefix
from audiocontrib.prompts import CLOSE, OPEN, Prompt

PREFIXES = 4
"""Prefixes kept at once: silence is used over and over, a clip by the questions that follow each other."""

PrefixKey = tuple[tuple[int, ...], str | None]
"""Tokens of the shared beginning and hash of the samples behind its audio tokens."""


class LocalModel(ABC):
    """What all models on torch share: prefixes that are computed once, scoring and greedy replies.

    Subclasses say how a prompt becomes tokens (:meth:`encode`) and a sound becomes features.
    """

    capabilities: frozenset[str]
    max_seconds: float | None = None
    rows_at_once: ClassVar[int] = 32
    """Rows of one forward; the fast engine chooses by memory."""

    def __init__(self, name: str, net: Any, tokenizer: Any, identity: dict[str, Any], *, mrope: bool = False) -> None:
        self.name, self.net, self.tokenizer, self._identity = name, net, tokenizer, identity
        _check_attention(name, net.config.get_text_config())
        self.decoder = Decoder(
            net.base_model,
            _head(net),
            mrope=mrope,
            pad_id=_pad_id(tokenizer),
            device=net.device,
        )
        stop = net.generation_config.eos_token_id
        self.stop = frozenset([stop] if isinstance(stop, int) else stop or [tokenizer.eos_token_id])
        self._prefixes: OrderedDict[PrefixKey, Prefix] = OrderedDict()
        self._check_head()

    @abstractmethod
    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens of the prompt, and how many of them make up the shared beginning."""

    @abstractmethod
    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """The tensors that go with the shared beginning; empty without audio."""

    def fingerprint(self) -> dict[str, Any]:
        """See :class:`audiocontrib.models.base.Model`."""
        return dict(self._identity)

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """See :class:`audiocontrib.models.base.Model`."""

        def score(prefix: Prefix, suffixes: list[list[int]], group: list[Request]) -> list[Scored]:
            tokens = [[self._completion(r.prompt, option) for option in r.prompt.options] for r in group]
            opened = [self._opening(options) for options in tokens]
            values = self.decoder.option_logprobs(prefix, suffixes, tokens)
            return [
                Scored(
                    logprobs=tuple(sum(option[n:]) for option in options),
                    tokens=tuple(len(option) - n for option in options),
                    prompt_tokens=len(prefix.ids) + len(suffix),
                )
                for options, n, suffix in zip(values, opened, suffixes, strict=True)
            ]

        return self._by_prefix(requests, score)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """See :class:`audiocontrib.models.base.Model`."""

        def reply(prefix: Prefix, suffixes: list[list[int]], group: list[Request]) -> list[Generated]:
            replies = self.decoder.greedy(prefix, suffixes, self.stop, max_new_tokens)
            texts = [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in replies]
            return [Generated(t, len(prefix.ids) + len(s)) for t, s in zip(texts, suffixes, strict=True)]

        return self._by_prefix(requests, reply)

    def _by_prefix(
        self,
        requests: Sequence[Request],
        answer: Callable[[Prefix, list[list[int]], list[Request]], list[Any]],
    ) -> list[Any]:
        """Answers in the order of the requests, computed in groups that share their beginning."""
        encoded = [self.encode(r.prompt, r.sound) for r in requests]
        groups: dict[PrefixKey, list[int]] = defaultdict(list)
        for place, (request, (ids, shared)) in enumerate(zip(requests, encoded, strict=True)):
            groups[tuple(ids[:shared]), request.sound.sha256 if request.sound else None].append(place)
        answers: list[Any] = [None] * len(requests)
        for key, places in groups.items():
            for part in _parts(places, requests, self.rows_at_once):
                prefix = self._prefix(key, requests[part[0]])
                suffixes = [encoded[place][0][len(prefix.ids) :] for place in part]
                values = answer(prefix, suffixes, [requests[place] for place in part])
                for place, value in zip(part, values, strict=True):
                    answers[place] = value
        return answers

    def _prefix(self, key: PrefixKey, request: Request) -> Prefix:
        if key in self._prefixes:
            self._prefixes.move_to_end(key)
        else:
            self._prefixes[key] = self.decoder.prefill(key[0], self.features(request.prompt, request.sound))
            if len(self._prefixes) > PREFIXES:
                self._prefixes.popitem(last=False)
        return self._prefixes[key]

    def _completion(self, prompt: Prompt, option: str) -> list[int]:
        return self.tokenizer(prompt.completion(option), add_special_tokens=False).input_ids

    def _opening(self, options: list[list[int]]) -> int:
        """How many leading tokens lie inside the opening tag for every option alike.

        They are the condition, not the answer. ``<answer>`` may share its last token with an option's
        first word, so it is the shortest common beginning over the options that counts.
        """
        tag = self.tokenizer(OPEN, add_special_tokens=False).input_ids
        return min(common(tag, option) for option in options)

    def _check_head(self) -> None:
        """Hidden states and head are used apart; a model that does more in between must be noticed."""
        ids = torch.tensor([self.tokenizer(OPEN + CLOSE, add_special_tokens=False).input_ids], device=self.net.device)
        with torch.inference_mode():
            whole = self.net(input_ids=ids, use_cache=False).logits[0].float()
            prefix = self.decoder.prefill(ids[0].tolist(), {})
            apart = self.decoder.head(prefix.last_hidden)[0].float()
        tolerance = 1e-3 if whole.dtype == torch.float32 and self.net.dtype == torch.float32 else 0.1
        if not torch.allclose(whole[-1], apart, atol=tolerance, rtol=tolerance):
            raise AudiocontribError(f"{self.name}: its logits are not head(hidden state); this model cannot be scored")


def _parts(places: list[int], requests: Sequence[Request], most: int) -> Iterator[list[int]]:
    """Places in parts of at most ``most`` options together (at least one place each)."""
    part: list[int] = []
    rows = 0
    for place in places:
        k = len(requests[place].prompt.options)
        if part and rows + k > most:
            yield part
            part, rows = [], 0
        part.append(place)
        rows += k
    if part:
        yield part


def common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _check_attention(name: str, config: Any) -> None:
    """A prefix is forked as if every layer saw all of it: sliding windows and state-space layers do not."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if not getattr(config, "layer_types", None) and getattr(config, "sliding_window", None):
        kinds = {"sliding_attention"}
    if kinds != {"full_attention"}:
        others = ", ".join(sorted(kinds - {"full_attention"}))
        raise AudiocontribError(
            f"{name}: its layers use {others}; only models with full attention can be scored so far"
        )


def _head(net: Any) -> Callable[[Tensor], Tensor]:
    """Hidden states -> logits. Gemma's soft cap stands between the two, where a probe of small logits is blind."""
    linear: Callable[[Tensor], Tensor] = net.get_output_embeddings()
    cap = getattr(net.config.get_text_config(), "final_logit_softcapping", None)
    return (lambda hidden: cap * torch.tanh(linear(hidden) / cap)) if cap else linear


def _pad_id(tokenizer: Any) -> int:
    pad = tokenizer.pad_token_id
    return int(pad if pad is not None else tokenizer.eos_token_id)
