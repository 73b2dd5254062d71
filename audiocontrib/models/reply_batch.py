"""Replies that are written side by side, whatever clip they are about: a finished one's place is taken by the next.

Continuous batching (Yu et al., OSDI 2022) over transformers' own cache classes, whose batches take token ids only: a
prompt here begins with keys and values of a clip. Only for decoders that fork (see :class:`~.prefix_decoder.Decoder`).
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

from audiocontrib.errors import AudiocontribError
from audiocontrib.models.sampling import Dice, draw_tokens

if TYPE_CHECKING:
    from audiocontrib.models.prefix_decoder import Decoder, Prefix

ROOM = 64
"""Tokens for which a layer's keys and values have room before they are copied into a larger place."""
SHARE_FREE = 4
"""New replies begin when one place in so many is free: each beginning copies all keys and values once."""


class NotANumber(AudiocontribError):
    """A network gave NaN; an argmax over it would be token 0, again and again."""


@dataclass(frozen=True, slots=True)
class ReplyJob:
    """A reply that is to be written."""

    place: int
    """What it is known by."""
    suffix: Sequence[int]
    """The prompt's tokens after the prefix (at least one)."""
    dice: Dice | None = None
    """How its tokens are drawn; None: the likeliest is taken."""


JobGroup = tuple["Callable[[], Prefix]", Sequence[ReplyJob]]
"""Jobs that share a prefix, and what computes it."""


@torch.inference_mode()
def write_replies(
    decoder: Decoder, groups: Iterable[JobGroup], stop: frozenset[int], limit: int, rows: int, memory: float
) -> Iterator[tuple[int, list[int]]]:
    """The place and tokens of each reply as it is finished: up to a stop token (left out), or ``limit`` tokens.

    Args:
        rows: replies that are written at once, at most.
        memory: bytes that their keys and values may take; one reply is written whatever it takes.

    Raises:
        NotANumber: logits of a request are NaN, of which none is the largest.
    """
    waiting = deque((make, deque(jobs)) for make, jobs in groups if jobs)
    batch = _Rows(decoder, limit)
    while waiting or batch.jobs:
        if waiting and len(batch.jobs) <= rows - max(1, rows // SHARE_FREE):
            batch.begin(waiting, rows, memory)
        yield from batch.step(stop)


@dataclass(slots=True)
class _Part:
    """Rows that began together: what a forward of their next token needs."""

    cache: Any
    mask: Tensor
    """(rows, n): which keys and values are a row's own."""
    hidden: Tensor
    """(rows, H): after the last token."""


@dataclass(slots=True)
class _Rows:
    """The replies that are being written."""

    decoder: Decoder
    limit: int
    jobs: list[ReplyJob] = field(default_factory=list)
    replies: list[list[int]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Tokens of each prompt."""
    part: _Part | None = None

    def begin(self, waiting: deque[tuple[Callable[[], Prefix], deque[ReplyJob]]], rows: int, memory: float) -> None:
        """Take what is waiting into the free places, as far as there is memory for all of it at full length."""
        parts = [self.part] if self.part else []
        longest = max(self.starts, default=0)
        while waiting and len(self.jobs) < rows:
            make, jobs = waiting[0]
            prefix = make()
            token = max(1, prefix.bytes // len(prefix.ids))
            taken: list[ReplyJob] = []
            while jobs and (held := len(self.jobs) + len(taken)) < rows:
                length = max(longest, len(prefix.ids) + len(jobs[0].suffix))
                if held and (held + 1) * (length + self.limit) * token > memory:
                    break
                longest = length
                taken.append(jobs.popleft())
            if taken:
                parts.append(_Part(*self.decoder.extend(prefix, [job.suffix for job in taken])))
                self.jobs += taken
                self.replies += [[] for _ in taken]
                self.starts += [len(prefix.ids) + len(job.suffix) for job in taken]
            if jobs:
                break
            waiting.popleft()
        self.part = _side_by_side(parts)

    def step(self, stop: frozenset[int]) -> Iterator[tuple[int, list[int]]]:
        """One token more of each reply; those that are finished by it leave."""
        if self.part is None:
            return
        logits = self.decoder.head(self.part.hidden)
        if logits.isnan().any():
            raise NotANumber("the model's logits are NaN (not a number)")
        tokens = draw_tokens(logits, [job.dice for job in self.jobs])
        going = []
        for row, token in enumerate(tokens):
            if token not in stop:
                self.replies[row].append(token)
            if token in stop or len(self.replies[row]) == self.limit:
                yield self.jobs[row].place, self.replies[row]
            else:
                going.append(row)
        self._keep(going)
        if self.part is not None:
            self._next([tokens[row] for row in going])

    def _keep(self, going: list[int]) -> None:
        if len(going) == len(self.jobs):
            return
        self.jobs = [self.jobs[row] for row in going]
        self.replies = [self.replies[row] for row in going]
        self.starts = [self.starts[row] for row in going]
        if not going or self.part is None:
            self.part = None
            return
        keep = torch.tensor(going, device=self.decoder.device)
        for layer in self.part.cache.layers:
            layer.keep(keep)
        self.part.mask = self.part.mask[keep]

    def _next(self, tokens: list[int]) -> None:
        assert self.part is not None
        part, rows = self.part, len(tokens)
        starts = [start + len(reply) - 1 for start, reply in zip(self.starts, self.replies, strict=True)]
        part.hidden = self.decoder.forward(
            [[token] for token in tokens], part.cache, past_mask=part.mask, starts=starts
        )[:, -1]
        part.mask = torch.cat([part.mask, part.mask.new_ones(rows, 1)], dim=1)


class RowLayer(DynamicLayer):
    """Keys and values of rows, with room: a token more is written behind them, and copies nothing."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.lazy_initialization(keys, values)
        self._places = keys, values
        self.keys, self.values = keys, values

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """See :class:`DynamicLayer`."""
        held, more = self.keys.shape[-2], key_states.shape[-2]
        if held + more > self._places[0].shape[-2]:
            self._places = tuple(  # type: ignore[assignment]
                torch.nn.functional.pad(one, (0, 0, 0, more + ROOM)) for one in (self.keys, self.values)
            )
        for place, new in zip(self._places, (key_states, value_states), strict=True):
            place.narrow(-2, held, more).copy_(new)
        self.keys, self.values = (place.narrow(-2, 0, held + more) for place in self._places)
        return self.keys, self.values

    def keep(self, rows: Tensor) -> None:
        """Only these rows are left."""
        held = self.keys.shape[-2]
        self._places = tuple(place.index_select(0, rows) for place in self._places)  # type: ignore[assignment]
        self.keys, self.values = (place.narrow(-2, 0, held) for place in self._places)


def _side_by_side(parts: Sequence[_Part]) -> _Part | None:
    """The rows of several parts as one. Where a key stands does not matter: its position is in it already."""
    if sum(len(part.mask) for part in parts) < 2:  # a cache of any kind may go on by itself
        return parts[0] if parts else None
    width = max(int(part.mask.sum(1).max()) for part in parts)
    columns = [part.mask.sort(dim=1, descending=True, stable=True) for part in parts]
    merged = copy.copy(parts[0].cache)
    merged.layers = [
        RowLayer(*(_stacked(layers, name, [by.indices for by in columns], width) for name in ("keys", "values")))
        for layers in zip(*(part.cache.layers for part in parts), strict=True)
    ]
    masks = [torch.nn.functional.pad(by.values[:, :width], (0, max(0, width - by.values.shape[1]))) for by in columns]
    return _Part(merged, torch.cat(masks), torch.cat([part.hidden for part in parts]))


def _stacked(layers: Sequence[Any], name: str, columns: Sequence[Tensor], width: int) -> Tensor:
    """The keys or values of all rows: each row's own first, then room up to ``width``."""
    made = []
    for layer, places in zip(layers, columns, strict=True):
        held = getattr(layer, name)
        chosen = places[:, None, :width, None].expand(-1, held.shape[1], -1, held.shape[-1])
        found = held.gather(-2, chosen)
        made.append(torch.nn.functional.pad(found, (0, 0, 0, width - found.shape[-2])))
    return torch.cat(made)
