"""A mock model whose behaviour is planted, so that what a score recovers can be held against the truth."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt

from audiocontrib.conditions import Condition
from audiocontrib.config import Name, Share, build, config, options
from audiocontrib.errors import UsageError
from audiocontrib.hashing import seeded
from audiocontrib.items import Item
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.responses import METHODS

REFUSAL = "I'm sorry, but I cannot answer this question."
GIBBERISH = "¤¤ ~~~ ¤¤"  # no letters: it cannot name an option by accident

NOT_ANSWERS = ("seconds", "fail", "fail_always")
"""Fields that change when or whether an answer comes, but not what it is: no part of the fingerprint."""


@config
class Planted:
    """What is planted in a mock. Shares are in [0, 1]; strengths are weights on an option, in nats.

    The weight of an option is, where the mock knows the gold, ``confidence`` for the gold; where it does
    not, ``content_preference`` for its favourite plus luck; and ``position_bias`` for the first place
    shown in either case. The likelihoods are the log-softmax of the weights, the reply is their maximum.
    """

    skill: Share = 0.9
    """Share of items whose gold it knows when it hears the item's own clip (whole, reversed or in part)."""
    leak: Share | Mapping[str, bool] = 0.0
    """Share of items whose question betrays the gold to it; or which items: item id -> bool."""
    leak_from: str = ""
    """Instead of ``leak``: the key of ``item.extra`` that says whether the item needs its audio; the
    question betrays the gold where that is false."""
    position_bias: float = 0.0
    """Strength of its preference for the first place shown."""
    content_preference: float = 0.0
    """Strength of its preference for one option of each item, the same in every order and condition."""
    shared_preference: Share = 0.0
    """Share of items on which that favourite is common to all mocks with the same ``family_seed``."""
    family_seed: int = 0
    silence_effect: Share = 0.0
    """Share of items whose betrayed gold it loses under a sound that is not the item's own clip."""
    refuse_with_audio: Share = 0.0
    """Share of its replies that are refusals when it hears the item's own clip."""
    refuse_without_audio: Share = 0.0
    """The same for all other conditions."""
    unparseable: Share = 0.0
    """Share of its remaining replies that name no option."""
    noise: NonNegativeFloat = 1.0
    """Luck: where it does not know, it answers like a sampler at this temperature, afresh in every order. Replies that
    are drawn are samples of softmax(weights / their temperature), afresh in every repeat; the weights stay."""
    confidence: float = 4.0
    """Weight of a gold that it knows: p(gold) = 1 / (1 + (K - 1) exp(-confidence)) without a bias."""
    thought: NonNegativeInt = 0
    """Words that it thinks before each answer; 0: it does not think. An item needs some number of them, from 1 to all:
    where its thought is closed sooner, it does not know the gold."""
    seed: int = 0
    """Mocks that differ in their seed alone are independent."""
    seconds: NonNegativeFloat = 0.0
    """Time that a request takes, in seconds."""
    fail: Share = 0.0
    """Share of requests that raise RuntimeError, drawn afresh at every attempt."""
    fail_always: bool = False
    """The same requests fail at every attempt."""


@config
class MockOptions(Planted):
    """What ``mock:…`` may say: what is planted, and the mock's name."""

    name: Name = "mock"
    """In the run."""


class MockModel(Model):
    """A model that answers as :class:`Planted` says.

    It reads the gold from ``request.item`` and looks at the condition, not at the sound. Every answer
    depends on the parameters, the item, the condition and the order alone: not on the batch, and not on
    what was asked before.
    """

    capabilities = frozenset(METHODS) | {"audio", "sampling"}

    def __init__(self, planted: Planted | None = None, name: str = "mock") -> None:
        """A mock of the planted behaviour, called ``name`` in the run."""
        self.planted = planted or Planted()
        self.name = name
        if self.planted.thought:
            self.capabilities, self.thinks = self.capabilities | {"thinking"}, True
            self.max_new_tokens = self.planted.thought + MockModel.max_new_tokens
        else:
            self.capabilities -= {"think-likelihood"}
        self._attempts = np.random.default_rng()  # unseeded: an attempt is fresh in a new process too

    def fingerprint(self) -> dict[str, Any]:
        """The parameters that fix the answers; ``seconds`` and failures do not."""
        values = asdict(self.planted)
        kept = {k: v for k, v in values.items() if k not in NOT_ANSWERS and (v or k != "thought")}
        return {"class": "mock"} | kept

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """Log-softmax of the planted weights, by place shown. RuntimeError where a failure is planted."""
        return [self._score(request) for request in self._attempt(requests)]

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """The best option inside the answer tag, a refusal, or gibberish. RuntimeError as planted."""
        return [self._written(request, max_new_tokens) for request in self._attempt(requests)]

    def think_likelihood(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Scored | Generated]:
        """As :meth:`likelihood`, after the planted thought; one that is longer than ``max_new_tokens`` is cut."""
        made: list[Scored | Generated] = []
        for request in self._attempt(requests):
            thought, cut = self._thought(request, max_new_tokens)
            if cut:
                made.append(Generated("", finish="length", thought=thought, thought_tokens=_words(thought)))
            else:
                told = replace(self._score(request), thought=thought or None, thought_tokens=_words(thought))
                made.append(told)
        return made

    def _written(self, request: Request, max_new_tokens: int) -> Generated:
        """Thought and reply; without a bound of its own, the thought may take all that the reply may have."""
        prompt = _words(request.prompt.user)
        if not self.planted.thought:
            return Generated(self._reply(request), prompt)
        thought, cut = self._thought(request, max_new_tokens)
        if cut:
            return Generated(f"<think>\n{thought}", prompt, finish="length", thought_tokens=_words(thought))
        said = f"<think>\n{thought}\n</think>\n\n{self._reply(request)}"
        return Generated(said, prompt, finish="stop", thought_tokens=_words(thought))

    def _thought(self, request: Request, limit: int) -> tuple[str, bool]:
        """What it thinks, and whether it was cut within: the bound of the request closes it instead."""
        whole, bound = self.planted.thought, request.think_tokens
        count = min(whole, limit if bound is None else bound)
        return " ".join(["hm"] * count), bound is None and whole > limit

    def weights(self, request: Request) -> NDArray[np.float64]:
        """The planted weight of each option, by place shown; shape (K,)."""
        p, item = self.planted, request.item
        weights = np.zeros(len(item.choices))
        if item.answer is not None and self.knows(item, request.condition) and self._thought_enough(request):
            weights[item.answer] += p.confidence
        else:
            weights[self._favourite(item)] += p.content_preference
            # the maximum of weight + noise * Gumbel is a sample of softmax(weight / noise)
            weights += p.noise * self._random(request, "luck").gumbel(size=len(weights))
        shown = weights[[item.choices.index(option) for option in request.prompt.options]]
        shown[0] += p.position_bias
        return shown

    def knows(self, item: Item, condition: Condition) -> bool:
        """Whether it knows the item's gold under the condition, from the clip or from the question."""
        p, hears = self.planted, condition.hears_own_clip and self._enough(item, condition)
        if hears and seeded(p.seed, item.id, "skill").random() < p.skill:
            return True
        if not condition.shows_question or not self._leaks(item):
            return False
        if hears or not condition.has_audio:
            return True
        return bool(seeded(p.seed, item.id, condition.spec, "disturbed").random() >= p.silence_effect)

    def _enough(self, item: Item, condition: Condition) -> bool:
        """Whether what a dose leaves is enough: an item needs a moment of its clip, or a level above the noise."""
        scale, amount = condition.dose or ("", 0.0)
        needed = seeded(self.planted.seed, item.id, "moment").random() if scale else 0.0
        return {"mask": 100 * needed >= amount, "snr": 40 * needed - 20 <= amount}.get(scale, True)

    def _thought_enough(self, request: Request) -> bool:
        whole, bound = self.planted.thought, request.think_tokens
        if not whole or bound is None:
            return True
        return bound >= 1 + int(seeded(self.planted.seed, request.item.id, "thought").integers(whole))

    def _leaks(self, item: Item) -> bool:
        leak, key = self.planted.leak, self.planted.leak_from
        if key:
            needed = item.extra.get(key)
            if not isinstance(needed, bool):
                raise UsageError(f"mock: leak_from={key}: {needed!r} of {item.id} is not true or false")
            return not needed
        if isinstance(leak, Mapping):
            return leak.get(item.id, False)
        return bool(seeded(self.planted.seed, item.id, "leak").random() < leak)

    def _favourite(self, item: Item) -> int:
        p, k = self.planted, len(item.choices)
        common = seeded("family", p.family_seed, item.id)
        is_shared = common.random() < p.shared_preference
        return int((common if is_shared else seeded(p.seed, item.id, "favourite")).integers(k))

    def _score(self, request: Request) -> Scored:
        weights = self.weights(request)
        logprobs = weights - np.logaddexp.reduce(weights)
        tokens = tuple(_words(option) + 1 for option in request.prompt.options)
        return Scored(tuple(logprobs.tolist()), tokens, _words(request.prompt.user))

    def _reply(self, request: Request) -> str:
        p = self.planted
        random = (
            seeded(p.seed, self.name, request.draw.seed, "reply") if request.draw else self._random(request, "reply")
        )
        refuse = p.refuse_with_audio if request.condition.hears_own_clip else p.refuse_without_audio
        if random.random() < refuse:
            return REFUSAL
        if random.random() < p.unparseable:
            return GIBBERISH
        return request.prompt.completion(request.prompt.options[self._drawn(request)])

    def _drawn(self, request: Request) -> int:
        """The option of a reply: the best, or a sample; tokens that ``top_p`` leaves out are options here."""
        weights, draw = self.weights(request), request.draw
        if draw is None:
            return int(weights.argmax())
        p = np.exp((weights - weights.max()) / draw.temperature)
        order = np.argsort(-p, kind="stable")
        share = p[order] / p.sum()
        kept = order[np.cumsum(share) - share < draw.top_p]
        random = seeded(self.planted.seed, self.name, draw.seed, "drawn")
        return int(random.choice(kept, p=p[kept] / p[kept].sum()))

    def _attempt(self, requests: Sequence[Request]) -> Sequence[Request]:
        """The requests, after the time they take; RuntimeError if one of them is to fail."""
        time.sleep(self.planted.seconds * len(requests))
        for request in requests:
            draw = self._random(request, "fail") if self.planted.fail_always else self._attempts
            if draw.random() < self.planted.fail:
                where = f"{request.item.id}, {request.condition}, order {request.order}"
                raise RuntimeError(f"planted failure of {self.name}: {where}")
        return requests

    def _random(self, request: Request, purpose: str) -> np.random.Generator:
        return seeded(self.planted.seed, request.item.id, request.condition.spec, request.order, purpose)


def mock_model(spec: str = "") -> MockModel:
    """The mock written as ``field=value,field=value``; ``name=`` is its name in the run.

    Raises:
        UsageError: a field that does not exist, or a value that it cannot have.

    Example:
        >>> mock_model("name=deaf,skill=0,leak=0.3").planted.leak
        0.3
    """
    asked = build(MockOptions, options(spec, "mock"), "mock")
    planted = {field.name: getattr(asked, field.name) for field in fields(Planted)}
    return MockModel(Planted(**planted), asked.name)


def _words(text: str) -> int:
    return len(text.split())
