"""Models that run in this process on torch: from a prompt and a sound to scores and replies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from audiocontrib.answers import split_thought
from audiocontrib.audio import Sound
from audiocontrib.models.base import Generated, Model, ReplyDraw, Request, Scored
from audiocontrib.models.chat import ChatText
from audiocontrib.models.clip_batch import Prefix
from audiocontrib.models.control_tokens import ControlTokens
from audiocontrib.models.groups import groups_of
from audiocontrib.models.network import backbone, cache_memory, is_out_of_memory, logits_head, pad_id, stop_tokens
from audiocontrib.models.plain_decoder import PlainDecoder
from audiocontrib.models.prefix_cache import PrefixStore
from audiocontrib.models.prefix_decoder import Decoder
from audiocontrib.models.replies import written
from audiocontrib.models.scores import scored
from audiocontrib.models.thinking import Thinking, longest_reply, why_not
from audiocontrib.models.thoughts import replies_after_thoughts, scores_after_thoughts
from audiocontrib.models.trie import Trie, common_prefix
from audiocontrib.prompts import OPEN, Prompt

TOKENS = {"cpu": 512, "cuda": 8192}
"""New tokens of one forward. A processor's caches are full with a few hundred; a GPU needs thousands."""
PROMPT_END = 24
"""Tokens at the end of a prompt in which its template may open a thought."""
PrefixKey = tuple[tuple[int, ...], str | None]
"""Tokens of the shared beginning and hash of the samples behind its audio tokens."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A request as tokens and features: all that can be done without the network."""

    key: PrefixKey
    suffix: list[int]
    """The prompt's tokens after the shared beginning."""
    completions: list[list[int]]
    """Per option, the tokens of the answer."""
    opened: int
    """How many of these lie inside the opening tag for every option alike: the condition, not the answer."""
    features: dict[str, Tensor] | None
    """What goes with the shared beginning; None where a kept prefix makes it needless."""
    draw: ReplyDraw | None = None
    """How the reply is drawn; None: greedily."""

    @property
    def size(self) -> int:
        """Tokens of the prompt."""
        return len(self.key[0]) + len(self.suffix)


class LocalModel(Model, ABC):
    """What all models on torch share: prefixes that are computed once, scoring and greedy replies.

    Subclasses say how a prompt becomes tokens (:meth:`encode`) and a sound becomes features.
    """

    def __init__(
        self,
        name: str,
        net: Any,
        tokenizer: Any,
        identity: dict[str, Any],
        *,
        mrope: bool = False,
        mixes: float | None = None,
    ) -> None:
        self.name, self.net, self.tokenizer, self._identity = name, net, tokenizer, identity
        self.control = ControlTokens(name, tokenizer)
        self.fast = Decoder(
            backbone(net),
            logits_head(net),
            config=net.config.get_text_config(),
            mrope=mrope,
            mixes=mixes,
            pad_id=pad_id(tokenizer),
            device=net.device,
        )
        self.decoder: Decoder | PlainDecoder = self.fast
        self.stop = stop_tokens(net, tokenizer)
        self.tokens_at_once = TOKENS.get(net.device.type, TOKENS["cuda"])
        self.memory = cache_memory(net.device)
        """Bytes for keys and values: half for kept prefixes, half for replies that are being written."""
        self.thinking: Thinking | None = None
        """How the checkpoint thinks; None: it is not known to."""
        self.forget()

    def think_as(self, thinking: Thinking | None) -> None:
        """Take over how the checkpoint thinks, as :func:`audiocontrib.models.thinking.find_thinking` finds it."""
        self.thinking, self.refusals = thinking, {"thinking": why_not(thinking)}
        if thinking is not None and not thinking.shut:
            self.capabilities, self.refusals = self.capabilities | {"thinking", "think-likelihood"}, {}
        if thinking is not None and thinking.by_itself:
            self.thinks, self.max_new_tokens = True, longest_reply(self.net.generation_config)

    @abstractmethod
    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens of the prompt, and how many of them make up the shared beginning."""

    @abstractmethod
    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """The tensors that go with the shared beginning; empty without audio."""

    def fingerprint(self) -> dict[str, Any]:
        """See :class:`audiocontrib.models.base.Model`."""
        return dict(self._identity)

    def prepare(self, requests: Sequence[Request]) -> list[Request]:
        """The requests with tokens and features made; needs no network, so that another thread can do it meanwhile."""
        made: dict[PrefixKey, dict[str, Tensor]] = {}
        prepared = []
        for request in requests:
            ids, shared = self.encode(request.prompt, request.sound)
            key = tuple(ids[:shared]), request.sound.sha256 if request.sound else None
            if key not in made and key not in self.prefixes:
                made[key] = self.features(request.prompt, request.sound)
            completions = [self._completion(request.prompt, option) for option in request.prompt.options]
            ready = Ready(key, ids[shared:], completions, self._opening(completions), made.get(key), request.draw)
            prepared.append(replace(request, ready=ready))
        return prepared

    def ready(self, requests: Sequence[Request]) -> list[Request]:
        """The requests, those prepared that were not."""
        return [request if request.ready else self.prepare([request])[0] for request in requests]

    def count_tokens(self, requests: Sequence[Request]) -> tuple[int, int] | None:
        """See :class:`audiocontrib.models.base.Model`. A prefix that stands for all requests counts for nothing."""
        trees: dict[PrefixKey, Trie] = {}
        plain = 0
        for one in (request.ready for request in requests if isinstance(request.ready, Ready)):
            trees.setdefault(one.key, Trie()).add_options(one.suffix, one.completions)
            plain += sum(one.size + len(c) for c in one.completions)
        if trees and isinstance(self.decoder, PlainDecoder):
            return plain, plain
        prefixes = sum(len(key[0]) for key in trees) if len(trees) > 1 else 0
        return (plain, prefixes + sum(len(tree) for tree in trees.values())) if trees else None

    def take(self, path: str) -> None:
        """Be asked by that path from now on: one of :data:`~.prefix_decoder.PATHS`, or ``plain``."""
        if path == PlainDecoder.path:
            self.decoder = PlainDecoder(self.net)
        else:
            self.decoder = self.fast
            self.fast.take(path)
        self.forget()

    def forget(self) -> None:
        """Drop all prefixes that are kept, and the count of them."""
        self.prefixes = PrefixStore(self.memory // 2)

    def summary(self) -> str:
        """How much was shared, and in how much memory."""
        kept = self.prefixes
        if isinstance(self.decoder, PlainDecoder):
            return "asked by whole forwards, one for each option and token: its faster paths are wrong"
        return f"prefixes: {kept.made:,} made, {kept.reused:,} used again, at most {kept.peak / 2**20:,.0f} MiB"

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """See :class:`audiocontrib.models.base.Model`."""
        return scored(self, requests)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """See :class:`audiocontrib.models.base.Model`."""
        if any(request.think_tokens is not None for request in requests):
            return replies_after_thoughts(self, requests, max_new_tokens)

        ready = self.ready(requests)
        replies = written(self, ready, self.stop, max_new_tokens)
        prompts = [(*request.ready.key[0], *request.ready.suffix) for request in ready]
        return [
            self._spoken(ids, prompt[-PROMPT_END:], max_new_tokens, len(prompt))
            for ids, prompt in zip(replies, prompts, strict=True)
        ]

    def think_likelihood(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Scored | Generated]:
        """See :class:`audiocontrib.models.base.Model`."""
        return scores_after_thoughts(self, requests, max_new_tokens)

    def _spoken(self, ids: list[int], prompt_end: Sequence[int], limit: int, prompt_tokens: int) -> Generated:
        """A reply as text, what was thought aloud apart from it: its markers may be special tokens."""
        finish = "length" if len(ids) >= limit else "stop"
        marked = self.tokenizer.decode(ids, skip_special_tokens=False)
        before = self.tokenizer.decode(list(prompt_end), skip_special_tokens=False)
        opened = not split_thought(before).closed  # the template began the thought in the prompt
        spoken = split_thought(f"<think>{marked}" if opened and split_thought(marked).thought is None else marked)
        if spoken.thought is None:
            text = self.tokenizer.decode(ids, skip_special_tokens=True)
            return Generated(text, prompt_tokens, finish=finish)
        thought = self._plain(spoken.thought)
        count = len(self.tokenizer(spoken.thought, add_special_tokens=False).input_ids)
        said = self._plain(spoken.said) if spoken.closed else ""
        return Generated(said, prompt_tokens, finish=finish, thought=thought, thought_tokens=count)

    def _plain(self, text: str) -> str:
        """The text without the tokenizer's special tokens."""
        for token in sorted(self.tokenizer.all_special_tokens, key=len, reverse=True):
            text = text.replace(token, "")
        return text.strip()

    def by_prefix(
        self,
        requests: Sequence[Request],
        answer: Callable[[Prefix, list[Ready]], list[Any]],
        parts: Callable[[Prefix, list[Ready]], Iterator[list[int]]],
    ) -> list[Any]:
        """Answers in the order of the requests, computed in groups that share their beginning, longest first."""
        asked = self.ready(requests)
        answers: list[Any] = [None] * len(asked)
        for together in self.together(asked):
            self._by_prefix(asked, together, answers, answer, parts)
        return answers

    def _by_prefix(
        self,
        asked: Sequence[Request],
        together: Sequence[int],
        answers: list[Any],
        answer: Callable[[Prefix, list[Ready]], list[Any]],
        parts: Callable[[Prefix, list[Ready]], Iterator[list[int]]],
    ) -> None:
        waiting = groups_of(asked, together)
        while waiting:
            places = waiting.pop()
            try:
                prefix = self.prefix_of(asked[places[0]], len(places))
                for part in list(parts(prefix, [asked[p].ready for p in places])):
                    chosen = [places[i] for i in part]
                    for place, value in zip(chosen, answer(prefix, [asked[p].ready for p in chosen]), strict=True):
                        answers[place] = value
            except Exception as error:
                left = [place for place in places if answers[place] is None]
                if not self.made_smaller(error):
                    raise
                waiting.append(left)

    def together(self, requests: Sequence[Request]) -> Iterator[list[int]]:
        """Places of the requests that may be asked in one batch; what they need of the network is set before."""
        yield list(range(len(requests)))

    def made_smaller(self, error: Exception) -> bool:
        """Whether the error was a lack of memory that can be helped: from now on, less is done at once."""
        if not is_out_of_memory(error) or self.tokens_at_once <= 1:
            return False
        self.tokens_at_once //= 2
        self.prefixes.clear()
        if self.net.device.type == "cuda":
            torch.cuda.empty_cache()
        return True

    def prefix_of(self, request: Request, uses: int = 1) -> Prefix:
        """The beginning of a prepared request's prompt, kept or run now, for so many requests."""
        return self.prefixes_of([(request, uses)])[0]

    def prefixes_of(self, asked: Sequence[tuple[Request, int]]) -> list[Prefix]:
        """As :meth:`prefix_of`, of requests whose beginnings differ; those that are new are run together."""
        by_key = {request.ready.key: request for request, _ in asked}

        def make(keys: Sequence[PrefixKey]) -> list[Prefix]:
            return self.decoder.prefill([(key[0], self.features_of(by_key[key])) for key in keys])

        return self.prefixes.get({request.ready.key: uses for request, uses in asked}, make)

    def features_of(self, request: Request) -> dict[str, Tensor]:
        """The tensors that go with a prepared request's beginning."""
        held: dict[str, Tensor] | None = request.ready.features
        return self.features(request.prompt, request.sound) if held is None else held

    def _completion(self, prompt: Prompt, option: str) -> list[int]:
        text, harmless = prompt.completion(option), prompt.completion("0")
        forged, start = self.control.forged([option]), text.find(option)
        written = ChatText(text, (start, start + len(option)), None)
        pieces = written.pieces(0, len(text), lambda part: self.control.split(part, forged))
        ids = self.control.tokens(pieces)
        self.control.check(ids, self.control.tokens([harmless]), harmless, forged)
        return ids

    def _opening(self, options: list[list[int]]) -> int:
        """How many leading tokens lie inside the opening tag for every option alike.

        They are the condition, not the answer. ``<answer>`` may share its last token with an option's
        first word, so it is the shortest common beginning over the options that counts.
        """
        tag = self.tokenizer(OPEN, add_special_tokens=False).input_ids
        return min(common_prefix(tag, option) for option in options)
