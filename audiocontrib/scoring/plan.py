"""The plan: which questions are asked of a model, in an order that keeps equal clips together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audiocontrib.audio import RATE, Sound, decode, make_sound
from audiocontrib.conditions import Condition, Donors, Swap, donors
from audiocontrib.errors import BadAudio, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item, Quarantined
from audiocontrib.models import Model, Request
from audiocontrib.prompts import make_prompt
from audiocontrib.registry import Registry

ORDERS: Registry[Callable[[int], range]] = Registry("scheme of option orders")
"""Name -> function from the number of options to the rotations that are asked."""


@ORDERS.register("given")
def _given(options: int) -> range:
    """The item's own order only."""
    return range(1)


@ORDERS.register("cyclic")
def _cyclic(options: int) -> range:
    """Every rotation: each option stands once in every place."""
    return range(options)


@dataclass(frozen=True, slots=True)
class Asking:
    """How the questions are put: everything about a request that is the same for all of a run."""

    conditions: tuple[Condition, ...]
    method: str
    orders: str
    prompt: str
    max_new_tokens: int = 128

    def count(self, items: Sequence[Item]) -> int:
        """Number of requests per model."""
        return len(self.conditions) * sum(len(ORDERS[self.orders](len(item.choices))) for item in items)

    def check(self, model: Model) -> None:
        """UsageError if the model cannot be asked this way."""
        deaf = [c.spec for c in self.conditions if c.has_audio and "audio" not in model.capabilities]
        if deaf:
            raise UsageError(
                f"{model.name} reads text only and cannot be asked under {', '.join(deaf)}; "
                "use --condition text or --condition options"
            )
        if self.method not in model.capabilities:
            able = ", ".join(sorted(model.capabilities - {"audio"}))
            raise UsageError(f"{model.name} cannot be asked by --method {self.method}; it can: {able}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that are asked together, and the items that turned out not to be askable."""

    requests: tuple[Request, ...]
    quarantined: tuple[Quarantined, ...]
    heard: frozenset[str]
    """Ids of the items whose clip was decoded."""
    cut: int
    """Requests whose sound was longer than the model can hear."""
    unpartnered: int
    """Requests that were left out, because no other clip of the set can stand in for the item's own."""


def batches(items: Sequence[Item], asking: Asking, model: Model, clips_at_once: int = 8) -> Iterator[Batch]:
    """All requests to one model, a few clips at a time; each clip is decoded once."""
    partners: dict[Condition, Donors] = {c: donors(items, c.seed) for c in asking.conditions if isinstance(c, Swap)}
    by_clip: dict[str, list[Item]] = {}
    for item in items:
        by_clip.setdefault(item.clip_id, []).append(item)
    groups = list(by_clip.values())
    for start in range(0, len(groups), clips_at_once):
        requests: list[Request] = []
        quarantined: list[Quarantined] = []
        heard: set[str] = set()
        for group in groups[start : start + clips_at_once]:
            try:
                clip = _clip(group[0]) if any(c.needs_clip and not c.donor for c in asking.conditions) else None
                made = [r for item in group for r in _requests(item, clip, asking, partners)]
            except BadAudio as error:
                quarantined += [
                    Quarantined(item.dataset, str(item.audio), None, "audio", str(error), item.id) for item in group
                ]
            else:
                requests += made
                heard |= {item.id for item in group} if clip else set()
        fitting = [_cut(request, model.max_seconds) for request in requests]
        bad = {q.item_id for q in quarantined}
        askable = [item for group in groups[start : start + clips_at_once] for item in group if item.id not in bad]
        yield Batch(
            requests=tuple(fitting),
            quarantined=tuple(quarantined),
            heard=frozenset(heard),
            cut=sum(one is not other for one, other in zip(fitting, requests, strict=True)),
            unpartnered=asking.count(askable) - len(requests),
        )


def request_key(request: Request, asking: Asking, fingerprint: str) -> str:
    """Hash of everything that can change the answer: model, rendered prompt, samples, method, options."""
    return stable_hash(
        [
            fingerprint,
            request.item.id,
            request.condition.spec,
            request.order,
            asking.method,
            asking.max_new_tokens if asking.method == "generate" else None,
            request.prompt.sha256,
            request.sound.sha256 if request.sound else None,
        ]
    )


def _requests(
    item: Item, clip: Sound | None, asking: Asking, partners: Mapping[Condition, Donors]
) -> Iterator[Request]:
    for condition in asking.conditions:
        partner = partners[condition](item) if condition.donor else None
        if condition.donor and partner is None:
            continue
        sound = condition.hear(_clip(partner) if partner else clip, item.id)
        question = item.question if condition.shows_question else None
        for order in ORDERS[asking.orders](len(item.choices)):
            prompt = make_prompt(
                question, item.choices, order=order, has_audio=condition.has_audio, prompt=asking.prompt
            )
            yield Request(item, condition, order, prompt, sound, partner.id if partner else None)


def _clip(item: Item) -> Sound:
    if item.audio is None:
        raise BadAudio("the row names no audio")
    return decode(item.audio)


def _cut(request: Request, limit: float | None) -> Request:
    """The request with what the model can hear: cut by us, and so recorded, rather than silently by the model."""
    if request.sound is None or limit is None or request.sound.seconds <= limit:
        return request
    return replace(request, sound=make_sound(request.sound.samples[: round(limit * RATE)]))
