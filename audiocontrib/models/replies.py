"""Replies of a local model to any requests, side by side where its decoder allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from audiocontrib.models.base import Request
from audiocontrib.models.clip_batch import Prefix
from audiocontrib.models.groups import groups_of, take_rows
from audiocontrib.models.reply_batch import JobGroup, ReplyJob, write_replies
from audiocontrib.models.sampling import Dice

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel, Ready

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
    """The jobs by prefix, those of like length together, the longest first: what memory allows is known early.

    Prefixes that come after each other are run in one forward, as far as its tokens go.
    """
    asked = dict(zip(places, model.ready([requests[place] for place in places]), strict=True))
    waiting = groups_of(asked, places)
    while waiting:
        budget = model.tokens_at_once if model.decoder.clips else 1
        batch = take_rows(waiting, lambda group: len(asked[group[0]].ready.key[0]), budget)
        uses = [(asked[group[0]], len(group)) for group in batch]
        prefixes = cache(partial(model.prefixes_of, uses))
        for number, group in enumerate(batch):
            held = sorted(group, key=lambda place: -len(asked[place].ready.suffix))
            dices = dice(model, [asked[place].ready for place in held])
            jobs = [ReplyJob(place, asked[place].ready.suffix, one) for place, one in zip(held, dices, strict=True)]
            yield partial(_nth, prefixes, number), jobs


def _nth(made: Callable[[], Sequence[Prefix]], number: int) -> Prefix:
    return made()[number]
