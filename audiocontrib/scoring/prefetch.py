"""The work ahead of a model: clips decoded and questions made ready, in the background and a little in advance."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from audiocontrib.audio import RATE, Sound, decode, make_sound, stamp
from audiocontrib.conditions import Condition, Partners, play
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip, Item, Quarantined
from audiocontrib.models import Model, Request
from audiocontrib.models.check import check_prepared
from audiocontrib.scoring.plan import PlannedQuestion, RequestConfig, plan_questions, question_key
from audiocontrib.store.answered_requests import AnsweredRequests

REQUESTS = (8, 32, 256)
"""Fewest, first and most requests of a batch: it doubles, so that the same run has the same batches every time."""
SLOW = 10.0
"""A batch that takes more seconds is followed by a smaller one: a kill loses the batch in flight."""
SECONDS = 600.0
"""A batch is full with so many seconds of different clips, too."""
AHEAD = 8
"""Recordings that each worker may be ahead of the model: it bounds the memory."""


@dataclass(frozen=True, slots=True)
class AnswerKeys:
    """What an answer is known by in the store."""

    request: str
    resume: str


@dataclass(slots=True)
class RequestBatch:
    """Requests to be asked, with what was found on the way. Works add up to a batch."""

    requests: list[Request] = field(default_factory=list)
    keys: list[AnswerKeys] = field(default_factory=list)
    skipped: int = 0
    """Requests that need not be asked: answered before, without a partner, or about a quarantined item."""
    quarantined: list[Quarantined] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    """Ids of the items whose recording was decoded."""
    cut: int = 0
    """Requests whose sound was longer than the model can hear."""
    unpartnered: int = 0
    """Requests that were left out, because no other clip of the set can stand in for the item's own."""
    seconds: float = 0.0
    """Length of the sounds, each clip and condition once."""

    def add(self, other: RequestBatch) -> None:
        """Take over what another one holds."""
        self.requests += other.requests
        self.keys += other.keys
        self.quarantined += other.quarantined
        self.heard |= other.heard
        self.skipped += other.skipped
        self.cut += other.cut
        self.unpartnered += other.unpartnered
        self.seconds += other.seconds


@dataclass(frozen=True, slots=True)
class RequestBuilder:
    """Makes the work of one recording: what every thread needs to know."""

    asking: RequestConfig
    model: Model
    fingerprint: str
    lenders: Mapping[Condition, Partners]
    answered: AnsweredRequests

    def __call__(self, group: Sequence[Item]) -> RequestBatch:
        """The requests about the items on one recording that have no answer yet; decoded only if there are any."""
        work = RequestBatch()
        planned = list(plan_questions(group, self.asking, self.lenders))
        work.unpartnered = self.asking.count(len(item.choices) for item in group) - len(planned)
        work.skipped = work.unpartnered
        waiting = [(q, key) for q in planned if (key := self._resume_key(q)) not in self.answered]
        work.skipped += len(planned) - len(waiting)
        try:
            self._hear(waiting, work)
        except BadAudio as error:
            return RequestBatch(
                skipped=self.asking.count(len(item.choices) for item in group),
                quarantined=[
                    Quarantined(item.dataset, str(item.audio), None, "audio", str(error), item.id) for item in group
                ],
            )
        work.requests = list(prepared(self.model, work.requests))
        return work

    def _resume_key(self, question: PlannedQuestion) -> str:
        source = question.source
        mark = stamp(source.audio) if source is not None and source.audio is not None else None
        return question_key(question, self.asking, self.fingerprint, mark and f"stamp {mark}")

    def _hear(self, waiting: Sequence[tuple[PlannedQuestion, str]], work: RequestBatch) -> None:
        """Decode what is needed, and add the requests that turn out to be new. BadAudio if a clip is not to be had."""
        clips: dict[Clip | None, Sound] = {}  # not by clip_id, which several clips may share
        sounds: dict[tuple[str, Condition], tuple[Sound | None, bool]] = {}  # what the model hears, and whether cut
        for question, resume in waiting:
            source, place = question.source, (question.item.id, question.condition)
            if source is not None and source.audio not in clips:
                clips[source.audio] = _decoded(source)
            if source is not None and not question.condition.borrows_clip:
                work.heard.add(question.item.id)
            if place not in sounds:
                clip = clips[source.audio] if source is not None else None
                whole = play(question.condition, clip, question.item.id)
                sounds[place] = (fitting := _cut(whole, self.model.max_seconds)), fitting is not whole
            sound, cut = sounds[place]
            key = question_key(question, self.asking, self.fingerprint, sound.sha256 if sound else None)
            if key in self.answered:
                work.skipped += 1
                continue
            work.cut += cut
            work.requests.append(_request(question, sound, self.asking))
            work.keys.append(AnswerKeys(key, resume))
        work.seconds = sum({r.sound.sha256: r.sound.seconds for r in work.requests if r.sound}.values())


def _request(question: PlannedQuestion, sound: Sound | None, asking: RequestConfig) -> Request:
    item, condition, order, repeat = question.item, question.condition, question.order, question.repeat
    return Request(
        item, condition, order, question.prompt, sound, question.partner_id, repeat=repeat,
        draw=asking.sampling.draw(item.id, condition.spec, order, repeat), think_tokens=question.think_tokens,
    )  # fmt: skip


@dataclass(slots=True)
class Prefetcher:
    """Works made by threads while the model is busy, put together to batches; counts how long it was waited for."""

    make: Callable[[Sequence[Item]], RequestBatch]
    groups: Iterable[Sequence[Item]]
    workers: int = field(default_factory=lambda: max(1, min(8, (os.cpu_count() or 2) // 2)))
    waited: float = 0.0
    """Seconds during which nothing was ready."""
    fewest: int = REQUESTS[0]
    """Requests of the smallest batch: a server takes so many at once."""
    grows: bool = True
    """Off: every batch is of that size, whatever time it takes."""
    size: int = field(init=False)
    """Requests of the next batch."""

    def __post_init__(self) -> None:
        self.size = max(self.fewest, REQUESTS[1]) if self.grows else self.fewest

    def __iter__(self) -> Iterator[RequestBatch]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="audiocontrib")
        ahead: deque[Future[RequestBatch]] = deque()
        groups = iter(self.groups)
        batch = RequestBatch()
        try:
            while True:
                while len(ahead) < AHEAD * self.workers and (group := next(groups, None)) is not None:
                    ahead.append(pool.submit(self.make, group))
                if not ahead:
                    break
                start = time.perf_counter()
                batch.add(ahead.popleft().result())
                self.waited += time.perf_counter() - start
                if max(len(batch.requests), len(batch.quarantined)) >= self.size or batch.seconds >= SECONDS:
                    start = time.perf_counter()
                    yield batch
                    self._learn(time.perf_counter() - start)
                    batch = RequestBatch()
            yield batch
        finally:
            pool.shutdown(cancel_futures=True)

    def _learn(self, seconds: float) -> None:
        if not self.grows:
            return
        self.size = (
            max(self.fewest, self.size // 2) if seconds > SLOW else min(max(REQUESTS[2], self.fewest), self.size * 2)
        )


def prepared(model: Model, requests: Sequence[Request]) -> Sequence[Request]:
    """The requests as the model's ``prepare`` makes them; ``ready`` is an exception where it fails."""
    if not requests:
        return requests
    try:
        return check_prepared(model.name, requests, model.prepare(requests))
    except Exception as error:
        if len(requests) == 1:
            return [replace(requests[0], ready=error)]
        return [made for request in requests for made in prepared(model, [request])]


def again_prepared(model: Model, request: Request) -> Request:
    """The request; where ``prepare`` failed, it is tried once more (memory may be free by now)."""
    return prepared(model, [replace(request, ready=None)])[0] if isinstance(request.ready, Exception) else request


def _decoded(item: Item) -> Sound:
    if item.audio is None:
        raise BadAudio("the row names no audio")
    return decode(item.audio)


def _cut(sound: Sound | None, limit: float | None) -> Sound | None:
    """What the model can hear: cut by us, and so recorded, rather than silently by the model."""
    if sound is None or limit is None or sound.seconds <= limit:
        return sound
    return make_sound(sound.samples[: round(limit * RATE)])
