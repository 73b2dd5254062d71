"""Replies of a local model to any requests, side by side where its decoder allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from audiocontrib.models.base import Request
from audiocontrib.models.prefix_decoder import Prefix
from audiocontrib.models.reply_batch import JobGroup, ReplyJob, write_replies
from audiocontrib.models.sampling import Dice

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel, PrefixKey, Ready

ROWS = 64
"""Replies that are written at once, where memory allows."""


def written(model: LocalModel, requests: Sequence[Request], stop: frozenset[int], limit: int) -> list[list[int]]:
    """The tokens that follow each request's prompt, up to a stop token (left out) or ``limit`` tokens.

    Raises:
        NotANumber: the network's logits are NaN.
    """
    if not model.decoder.forks:

        def write(prefix: Prefix, group: list[Ready]) -> list[list[int]]:
            return model.decoder.drawn(prefix, [r.suffix for r in group], stop, limit, dice(model, group))

        return model.by_prefix(requests, write, lambda prefix, group: ([place] for place in range(len(group))))
    found: dict[int, list[int]] = {}
    for places in model.together(requests):
        left = places
        while left:
            rows = min(ROWS, model.tokens_at_once)
            groups = _groups(model, requests, left)
            try:
                for place, ids in write_replies(model.fast, groups, stop, limit, rows, model.memory // 2):
                    found[place] = ids
            except Exception as error:
                if not model.made_smaller(error):
                    raise
            left = [place for place in left if place not in found]
    return [found[place] for place in range(len(requests))]


def dice(model: LocalModel, group: Sequence[Ready]) -> list[Dice | None]:
    """The chance of each reply; None where it is greedy."""
    return [Dice(r.draw, model.fingerprint()["weights_sha256"]) if r.draw else None for r in group]


def _groups(model: LocalModel, requests: Sequence[Request], places: Sequence[int]) -> Iterator[JobGroup]:
    """The jobs by prefix, those of like length together, the longest first: what memory allows is known early."""
    ready: dict[int, Ready] = {p: (requests[p].ready or model.prepare([requests[p]])[0].ready) for p in places}
    groups: dict[PrefixKey, list[int]] = defaultdict(list)
    for place, one in ready.items():
        groups[one.key].append(place)
    for group in sorted(groups.values(), key=lambda held: -len(ready[held[0]].key[0])):
        held = sorted(group, key=lambda place: -len(ready[place].suffix))
        jobs = [
            ReplyJob(place, ready[place].suffix, one)
            for place, one in zip(held, dice(model, [ready[place] for place in held]), strict=True)
        ]
        yield partial(model.prefix_of, ready[group[0]], requests[group[0]], len(group)), jobs
