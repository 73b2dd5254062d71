"""What a model proves of itself before it is believed: that its fast paths score as plain forwards do.

A few tiny prompts (with a clip, in silence, text alone; two option orders; options that begin alike; one longer than
the network's shortest window) are asked by each path and by :class:`~.plain_decoder.PlainDecoder`. The fastest path
that agrees is taken. The plain path is checked too: what it says of a token may not hang on later ones, and the
class's own ``generate`` must give tokens that it calls the most likely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.base import Request
from audiocontrib.models.check_prompts import check_requests
from audiocontrib.models.clip_batch import Prefix
from audiocontrib.models.network import is_out_of_memory
from audiocontrib.models.plain_decoder import PlainDecoder
from audiocontrib.models.prefix_decoder import Decoder

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel, Ready

TOLERANCE = 1e-4
"""Nats between two ways of computing an option's score in fp32, and as much of its size in addition (below)."""
RELATIVE = 1e-5
SPREADS = 3
"""So many times the plain path's own spread between batch sizes may a path differ from it."""
REPLY = 4
"""Tokens of each reply."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What was found of a model on load. All differences are in nats, of an option's summed log-probability."""

    path: str
    """The fastest path that agrees with the plain one: of :data:`~.prefix_decoder.PATHS`, or ``plain``."""
    tolerance: float
    """The most that a path may differ from the plain one."""
    spread: float
    """The plain path's own: between batch sizes and lengths."""
    differences: Mapping[str, float] = field(default_factory=dict)
    """Path -> its largest difference from the plain path, of those that gave scores."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Path -> why it is not taken. ``generate``: why the class's own could not be asked."""
    deaf: bool = False
    """Whether a clip changes no score against silence of its length."""

    @property
    def line(self) -> str:
        """Why the fastest path is not taken, in one line; empty if it is."""
        tried = [f"{path}: {why}" for path, why in self.faults.items() if path != "generate"]
        return f"is asked by the {self.path} path, which is slower ({'; '.join(tried)})" if tried else ""


def self_check(model: LocalModel) -> SelfCheck:
    """Check a model, and leave it on the fastest path that agrees with plain forwards.

    Raises:
        AudiocontribError: the plain path itself cannot be believed.
    """
    fast = model.fast
    try:
        asked = model.prepare(check_requests(model))
    except Exception as error:
        raise AudiocontribError(
            f"{model.name}: refused by its self-check: its prompts cannot be made: {one_line(error)}"
        ) from error
    try:
        with _asked_by(model, PlainDecoder(model.net)):
            plain = _Plain(model, asked)
            generates = plain.generate_fault()
    except Exception as error:
        why = str(error) if isinstance(error, AudiocontribError) else f"a plain forward fails: {one_line(error)}"
        raise AudiocontribError(f"{model.name}: refused by its self-check: {why}") from error
    differences, faults = dict[str, float](), {"generate": generates} if generates else dict[str, str]()
    for path in fast.paths:
        model.take(path)
        try:
            with _asked_by(model, fast):
                scores, replies = _scores(model, asked), _each(model, asked, partial(_replies, fast))
            differences[path] = float(np.max(np.abs(scores - plain.scores)))
            why = plain.fault(scores, replies)
        except Exception as error:
            if is_out_of_memory(error):  # which another moment may have: nothing is found out of the path
                raise AudiocontribError(f"{model.name}: the memory is not enough for its self-check") from error
            why = one_line(error, 120)
        if not why:
            model.take(path)
            return SelfCheck(path, plain.tolerance, plain.spread, differences, faults, plain.deaf)
        faults[path] = why
    model.take("plain")
    return SelfCheck("plain", plain.tolerance, plain.spread, differences, faults, plain.deaf)


class _Plain:
    """Scores of the plain path, and what it holds of others'. Made while the model has a plain decoder.

    Raises:
        AudiocontribError: its scores hang on what comes later.
    """

    def __init__(self, model: LocalModel, asked: Sequence[Request]) -> None:
        self.model, self.asked = model, asked
        self.largest = 0.0
        """Of its logits."""
        self.varied = False
        """Whether any logits differ from token to token."""
        self.spread = 0.0
        self.scores = self._scores(asked)
        if not self.varied:
            raise AudiocontribError("its logits are the same for all tokens")
        half = model.net.dtype != torch.float32
        floor = torch.finfo(model.net.dtype).eps * self.largest if half else TOLERANCE
        if not self.spread <= 10 * (floor + RELATIVE * self.largest):
            raise AudiocontribError(
                f"its scores hang on tokens that come later (by {self.spread:.2g} nats): it is no causal language model"
            )
        if half:
            self.spread = max(self.spread, self._spread_of_batches())
        self.tolerance = max(floor, SPREADS * self.spread) if half else TOLERANCE

    @property
    def deaf(self) -> bool:
        """Whether noise and silence give the same scores; false of a model that is asked about neither."""
        ends = np.cumsum([len(one.prompt.options) for one in self.asked])[:-1]
        found = {
            (r.prompt.user, r.condition.spec): s for r, s in zip(self.asked, np.split(self.scores, ends), strict=True)
        }
        pairs = [(found[user, "audio"], quiet) for (user, spec), quiet in found.items() if spec.startswith("silence")]
        return bool(pairs) and all(np.array_equal(heard, quiet) for heard, quiet in pairs)

    def fault(self, scores: NDArray[np.float64], replies: Sequence[tuple[list[int], Tensor]]) -> str:
        """What is wrong with a path's scores and replies (tokens, and the logits of each); empty if nothing is."""
        off = np.abs(scores - self.scores)
        if not np.all(off <= self.tolerance + RELATIVE * np.abs(self.scores)):  # NaN is no less
            return f"its scores differ from those of plain forwards by up to {np.max(off):.2g} nats"
        with _asked_by(self.model, PlainDecoder(self.model.net)):
            apart = max(self._with_replies([tokens for tokens, _ in replies], self._apart, [x for _, x in replies]))
        return "" if self.is_near(apart) else f"its replies differ from those of plain forwards by {apart:.2g} nats"

    def is_near(self, apart: float) -> bool:
        """Whether logits that are so far apart may be called the same."""
        return apart <= self.tolerance + RELATIVE * self.largest

    def generate_fault(self) -> str:
        """Why the class's own ``generate`` could not be asked. AudiocontribError if it contradicts the forward."""
        try:
            replies = _each(self.model, self.asked, self._generated)
        except Exception as error:
            return one_line(error, 120)
        regret = max(self._with_replies(replies, self._regret))
        if not self.is_near(regret):
            raise AudiocontribError(
                f"its class's own generate and its forward contradict each other (by {regret:.2g} nats): nobody can "
                "tell which is right"
            )
        return ""

    def _with_replies(
        self, replies: Sequence[list[int]], measure: Callable[..., float], logits: Sequence[Tensor | None] = ()
    ) -> list[float]:
        """Per request, a measure of the plain logits at its reply, the reply, and what else is known of it."""
        more = logits or [None] * len(replies)
        held = {id(one.ready): (reply, other) for one, reply, other in zip(self.asked, replies, more, strict=True)}

        def answer(prefix: Prefix, group: list[Ready]) -> list[float]:
            found = []
            for one in group:
                reply, other = held[id(one)]
                whole = self._decoder.logits(prefix, [*one.suffix, *reply])
                found.append(measure(whole[len(prefix.ids) + len(one.suffix) - 1 :], reply, other))
            return found

        return _each(self.model, self.asked, answer)

    def _apart(self, logits: Tensor, reply: list[int], other: Tensor) -> float:
        off = logits[: len(reply)].log_softmax(-1) - other.log_softmax(-1)
        return float(off.abs().max())

    def _regret(self, logits: Tensor, reply: list[int], other: None) -> float:
        """How much less likely a token of the reply is than the likeliest; 0 if none is."""
        most = logits.max(-1).values
        lacking = [float(most[place] - logits[place, token]) for place, token in enumerate(reply)]
        if len(reply) < REPLY:  # it stopped
            lacking.append(float(most[len(reply)] - logits[len(reply), list(self.model.stop)].max()))
        return max(lacking)

    def _generated(self, prefix: Prefix, group: list[Ready]) -> list[list[int]]:
        from transformers import GenerationConfig

        net, stop = self.model.net, self.model.stop
        own = net.generation_config
        net.generation_config = GenerationConfig(do_sample=False, pad_token_id=min(stop), eos_token_id=sorted(stop))
        try:
            replies = []
            for one in group:
                ids = torch.tensor([[*prefix.ids, *one.suffix]], device=net.device)
                with torch.inference_mode():
                    out = net.generate(
                        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=REPLY, **prefix.features
                    )
                said = out[0, ids.shape[1] :].tolist()
                replies.append(said[: next((i for i, token in enumerate(said) if token in stop), len(said))])
            return replies
        finally:
            net.generation_config = own

    def _scores(self, asked: Sequence[Request]) -> NDArray[np.float64]:
        """Of each option; the prompt's own logits, which no option may change, give the spread."""

        def answer(prefix: Prefix, group: list[Ready]) -> list[list[float]]:
            return [self._scored(prefix, one) for one in group]

        return np.array([score for scores in _each(self.model, asked, answer) for score in scores])

    def _scored(self, prefix: Prefix, one: Ready) -> list[float]:
        scores = []
        alone = self._decoder.logits(prefix, one.suffix)
        for option in one.completions:
            logits = self._decoder.logits(prefix, [*one.suffix, *option[:-1]])
            self.spread = max(self.spread, float((logits[: len(alone)] - alone).abs().max()))
            self.largest = max(self.largest, float(logits.abs().max()))
            self.varied = self.varied or bool((logits[-1] != logits[-1, 0]).any())
            rows = logits[len(alone) - 1 :].log_softmax(-1)
            scores.append(sum(rows[place, token].item() for place, token in enumerate(option) if place >= one.opened))
        return scores

    def _spread_of_batches(self) -> float:
        kinds = {request.prompt.has_audio: place for place, request in reversed(list(enumerate(self.asked)))}
        some = [self.asked[place] for place in kinds.values()]
        alone = self._scores(some)
        with _asked_by(self.model, PlainDecoder(self.model.net, copies=3)):
            return float(np.max(np.abs(self._scores(some) - alone)))

    @property
    def _decoder(self) -> PlainDecoder:
        held = self.model.decoder
        assert isinstance(held, PlainDecoder)
        return held


def _scores(model: LocalModel, asked: Sequence[Request]) -> NDArray[np.float64]:
    scored = model.likelihood(asked)
    return np.array([value for one in scored for value in one.logprobs])


def _replies(decoder: Decoder, prefix: Prefix, group: list[Ready]) -> list[tuple[list[int], Tensor]]:
    """Per request, REPLY tokens as they follow each other by ``decoder``, and the logits (REPLY, V) that chose them."""
    seen: list[Tensor] = []
    head = decoder.head

    def watched(hidden: Tensor) -> Tensor:
        seen.append(head(hidden).float())
        return seen[-1]

    decoder.head = watched
    try:
        replies = decoder.greedy(prefix, [one.suffix for one in group], frozenset(), REPLY)
    finally:
        decoder.head = head
    if len(seen) == REPLY:  # side by side
        return list(zip(replies, torch.stack(seen, dim=1), strict=True))
    return list(zip(replies, torch.cat(seen).split(REPLY), strict=True))


def _each(model: LocalModel, asked: Sequence[Request], answer: Callable[[Any, list[Ready]], list[Any]]) -> list[Any]:
    return model.by_prefix(asked, answer, lambda prefix, group: iter([list(range(len(group)))]))


@contextmanager
def _asked_by(model: LocalModel, decoder: Any) -> Iterator[None]:
    """The model with another decoder; nothing that one has kept is used by another."""
    before, model.decoder = model.decoder, decoder
    model.forget()
    try:
        yield
    finally:
        model.decoder = before
        model.forget()
