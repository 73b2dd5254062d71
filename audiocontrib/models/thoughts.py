"""Answers after a thought, which is written first, up to its own end or its bound, and then closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import stable_hash
from audiocontrib.models.base import Generated, ReplyDraw, Request, Scored
from audiocontrib.models.replies import written

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel
    from audiocontrib.models.thinking import Thinking


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought before an answer."""

    ids: tuple[int, ...]
    """Its tokens, without the marks around it."""
    ended: bool
    """Whether it came to an end before its bound."""


def replies_after_thoughts(model: LocalModel, requests: Sequence[Request], max_new_tokens: int) -> list[Generated]:
    """Replies, each after a thought of at most its request's ``think_tokens``; plain ones where that is None."""
    bound = [place for place, request in enumerate(requests) if request.think_tokens is not None]
    if len(bound) < len(requests):
        free = [place for place, request in enumerate(requests) if request.think_tokens is None]
        made: dict[int, Generated] = {}
        for places in (bound, free):
            made |= dict(zip(places, model.generate([requests[p] for p in places], max_new_tokens), strict=True))
        return [made[place] for place in range(len(requests))]
    ready, thoughts = _thoughts(model, requests, max_new_tokens)
    asked = [_closed(model, request, thought) for request, thought in zip(ready, thoughts, strict=True)]
    replies = model.generate([replace(one, think_tokens=None) for one in asked], max_new_tokens)
    return [
        replace(
            reply,
            prompt_tokens=_prompt_tokens(request),
            thought="\n".join(filter(None, (_text(model, thought), reply.thought))) or None,
            thought_tokens=len(thought.ids) + (reply.thought_tokens or 0),
        )
        for request, thought, reply in zip(ready, thoughts, replies, strict=True)
    ]


def scores_after_thoughts(
    model: LocalModel, requests: Sequence[Request], max_new_tokens: int
) -> list[Scored | Generated]:
    """Likelihoods after a thought; a thought that was cut, without a bound of its own, has none."""
    ready, thoughts = _thoughts(model, requests, max_new_tokens)
    held = [
        place
        for place, (request, thought) in enumerate(zip(ready, thoughts, strict=True))
        if thought.ended or request.think_tokens is not None
    ]
    scored = dict(zip(held, model.likelihood([_closed(model, ready[p], thoughts[p]) for p in held]), strict=True))
    made: list[Scored | Generated] = []
    for place, (request, thought) in enumerate(zip(ready, thoughts, strict=True)):
        text, count = _text(model, thought), len(thought.ids)
        told = _prompt_tokens(request)
        if place in scored:
            made.append(replace(scored[place], prompt_tokens=told, thought=text, thought_tokens=count))
        else:
            made.append(Generated("", told, finish="length", thought=text, thought_tokens=count))
    return made


def _thoughts(model: LocalModel, requests: Sequence[Request], limit: int) -> tuple[list[Request], list[Thought]]:
    """The requests, prepared, and what is thought about each."""
    thinking = _known(model)
    ready = model.ready(requests)
    opening = _ids(model, thinking.opening)
    thoughts: list[Thought] = [Thought((), ended=False)] * len(ready)
    by_limit: dict[int, list[int]] = defaultdict(list)
    for place, request in enumerate(ready):
        by_limit[limit if request.think_tokens is None else request.think_tokens].append(place)
    ends = _ids(model, thinking.ends)
    stop = model.stop | (frozenset(ends) if len(ends) == 1 else frozenset())
    for bound, places in by_limit.items():
        if bound:
            begun = [_longer(ready[place], opening) for place in places]
            for place, ids in zip(places, written(model, begun, stop, bound), strict=True):
                thoughts[place] = _cut(model, ids, bound, thinking.ends if len(ends) != 1 else "")
    return ready, thoughts


def _cut(model: LocalModel, ids: list[int], bound: int, ends: str) -> Thought:
    """The thought in so many tokens; ``ends`` is what it is searched for where its end is no token of its own."""
    text = model.tokenizer.decode(ids, skip_special_tokens=False) if ends else ""
    place = text.find(ends) if ends else -1
    if place < 0:
        return Thought(tuple(ids), ended=len(ids) < bound)
    count = next(n for n in range(len(ids), -1, -1) if len(model.tokenizer.decode(ids[:n])) <= place)
    return Thought(tuple(ids[:count]), ended=True)


def _closed(model: LocalModel, request: Request, thought: Thought) -> Request:
    """The request with its closed thought behind its prompt; where the answer is drawn, by a luck of its own."""
    thinking = _known(model)
    before = model.tokenizer.decode(list(thought.ids)) if thought.ids else thinking.opening
    closing = thinking.closing
    if before.endswith("\n"):
        closing = closing.removeprefix("\n")
    longer = [*_ids(model, thinking.opening), *thought.ids, *_ids(model, closing)]
    made = _longer(request, longer)
    draw = made.ready.draw
    if draw is not None:
        made = replace(made, ready=replace(made.ready, draw=_after(draw)))
    return made


def _longer(request: Request, ids: Sequence[int]) -> Request:
    return replace(request, ready=replace(request.ready, suffix=[*request.ready.suffix, *ids]))


def _after(draw: ReplyDraw) -> ReplyDraw:
    return replace(draw, seed=int(stable_hash(["after a thought", draw.seed])[:8], 16) >> 1)


def _known(model: LocalModel) -> Thinking:
    if model.thinking is None:
        raise AudiocontribError(f"{model.name}: its chat template knows of no thought")
    return model.thinking


def _ids(model: LocalModel, text: str) -> list[int]:
    ids: list[int] = model.tokenizer(text, add_special_tokens=False).input_ids if text else []
    return ids


def _text(model: LocalModel, thought: Thought) -> str | None:
    return model.tokenizer.decode(list(thought.ids), skip_special_tokens=True).strip() or None


def _prompt_tokens(request: Request) -> int:
    return len(request.ready.key[0]) + len(request.ready.suffix)
