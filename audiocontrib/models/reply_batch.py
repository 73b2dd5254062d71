"""Replies that are written side by side, whatever clip they are about: a finished one's place is taken by the next.

Continuous batching (Yu et al., OSDI 2022) over transformers' own cache classes, whose batches take token ids only: a
prompt here begins with keys and values of a clip. Only for decoders that fork (see :class:`~.prefix_decoder.Decoder`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from audiocontrib.errors import AudiocontribError
from audiocontrib.models.row_cache import Ends, side_by_side
from audiocontrib.models.sampling import Dice, draw_tokens
from audiocontrib.models.shared_prefix import CHUNK, NotShared, SharedRows

if TYPE_CHECKING:
    from audiocontrib.models.clip_batch import Prefix
    from audiocontrib.models.prefix_decoder import Decoder

SHARED_BY = 2
"""Replies that continue a prefix, from which on they attend to it together."""
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
    while waiting or batch.rows:
        if waiting and len(batch.rows) <= rows - max(1, rows // SHARE_FREE):
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
class _Row:
    """A reply that is being written."""

    job: ReplyJob
    start: int
    """Tokens of its prompt."""
    shared: Prefix | None
    """What it attends to together with others; None: its own keys and values have all of it."""
    reply: list[int] = field(default_factory=list)

    @property
    def own(self) -> int:
        """Tokens of its prompt whose keys and values are its own."""
        return self.start - len(self.shared.ids if self.shared else ())


@dataclass(slots=True)
class _Rows:
    """The replies that are being written."""

    decoder: Decoder
    limit: int
    rows: list[_Row] = field(default_factory=list)
    part: _Part | None = None
    ends: Ends | None = None
    """Of a cache whose rows are side by side; None: one of any kind goes on by itself."""
    parts: list[SharedRows] = field(default_factory=list)

    def begin(self, waiting: deque[tuple[Callable[[], Prefix], deque[ReplyJob]]], places: int, memory: float) -> None:
        """Take what is waiting into the free places, as far as there is memory for all of it at full length."""
        parts = [self.part] if self.part else []
        while waiting and len(self.rows) < places:
            make, jobs = waiting[0]
            prefix = make()
            shared = self._shares(prefix, len(jobs))
            taken: list[_Row] = []
            while jobs and len(self.rows) + len(taken) < places:
                row = _Row(jobs[0], len(prefix.ids) + len(jobs[0].suffix), shared)
                if self._bytes([*self.rows, *taken, row], prefix) > memory and (self.rows or taken):
                    break
                taken.append(row)
                jobs.popleft()
            if taken:
                parts.append(self._begun(prefix, taken))
                self.rows += taken
            if jobs:
                break
            waiting.popleft()
        self._merge(parts)

    def step(self, stop: frozenset[int]) -> Iterator[tuple[int, list[int]]]:
        """One token more of each reply; those that are finished by it leave."""
        if self.part is None:
            return
        logits = self.decoder.head(self.part.hidden)
        if logits.isnan().any():
            raise NotANumber("the model's logits are NaN (not a number)")
        done = []
        for place, token in enumerate(draw_tokens(logits, [row.job.dice for row in self.rows])):
            row = self.rows[place]
            if token not in stop:
                row.reply.append(token)
            if token in stop or len(row.reply) == self.limit:
                yield row.job.place, row.reply
                done.append(place)
        self._leave(done)
        if self.rows:
            self._next()

    def _shares(self, prefix: Prefix, waiting: int) -> Prefix | None:
        rows = waiting + sum(row.shared is prefix for row in self.rows)
        return prefix if self.decoder.shares and rows >= SHARED_BY else None

    def _begun(self, prefix: Prefix, taken: Sequence[_Row]) -> _Part:
        suffixes = [row.job.suffix for row in taken]
        if taken[0].shared:
            try:
                return _Part(*self.decoder.branch(prefix, suffixes))
            except NotShared:
                self.decoder.shares = False
                for row in taken:
                    row.shared = None
        return _Part(*self.decoder.extend(prefix, suffixes))

    def _bytes(self, rows: Sequence[_Row], prefix: Prefix) -> int:
        """What the rows take at full length, and the prefixes that they share."""
        token = max(1, prefix.bytes // len(prefix.ids))
        shared = {id(row.shared): row.shared.bytes for row in rows if row.shared}
        return len(rows) * (max(row.own for row in rows) + self.limit) * token + sum(shared.values())

    def _merge(self, parts: Sequence[_Part]) -> None:
        """All rows as one; of many, the longest first: rows of like length are attended to at once."""
        if not parts or not self.decoder.forks:
            self.part = parts[0] if parts else None
            return
        own = torch.cat([part.mask.sum(1) for part in parts])
        order = torch.arange(len(own), device=own.device)
        if len(own) > CHUNK:
            order = own.argsort(descending=True, stable=True)
        cache, self.ends = side_by_side([part.cache for part in parts], [part.mask for part in parts], order)
        self.part = _Part(cache, self.ends.mask(0), torch.cat([part.hidden for part in parts])[order])
        self.rows = [self.rows[place] for place in order.tolist()]
        self._find_shared()

    def _find_shared(self) -> None:
        """Which rows attend to which prefix."""
        held: dict[int, list[int]] = {}
        for place, row in enumerate(self.rows):
            if row.shared:
                held.setdefault(id(row.shared), []).append(place)
        self.parts = [
            SharedRows(
                self.rows[places[0]].shared.cache,  # type: ignore[union-attr]
                None if len(places) == len(self.rows) else torch.tensor(places, device=self.decoder.device),
            )
            for places in held.values()
        ]

    def _leave(self, done: Sequence[int]) -> None:
        """Finished rows go; the last ones take their places, so that nothing else is copied."""
        if not done:
            return
        left = len(self.rows) - len(done)
        target = [place for place in done if place < left]
        source = [place for place in range(left, len(self.rows)) if place not in set(done)]
        for here, there in zip(target, source, strict=True):
            self.rows[here] = self.rows[there]
        del self.rows[left:]
        if not left or self.part is None or self.ends is None:
            self.part = self.part if left else None
            return
        moved = [torch.tensor(places, device=self.decoder.device) for places in (source, target)]
        if target:
            for layer in self.part.cache.layers:
                layer.move(*moved)
            self.ends.columns[moved[1]] = self.ends.columns[moved[0]]
        self.ends.columns = self.ends.columns[:left]
        self.ends.width = int(self.ends.columns.max())
        self._find_shared()

    def _next(self) -> None:
        assert self.part is not None
        tokens = [row.reply[-1] for row in self.rows]
        starts = [row.start + len(row.reply) - 1 for row in self.rows]
        if self.ends is None:
            mask = torch.cat([self.part.mask, self.part.mask.new_ones(1, 1)], dim=1)
            widths: list[int] = []
        else:
            widths = [row.own + len(row.reply) for row in self.rows]
            mask = self.ends.mask(1)
        self.part.hidden = self.decoder.step(tokens, self.part.cache, mask, starts, self.parts, widths)
        self.part.mask = mask
        if self.ends is not None:
            self.ends.grow()
