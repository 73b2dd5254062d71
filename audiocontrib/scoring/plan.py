"""The plan: which questions are asked of a model, and which of them a run has answered already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

import numpy as np
import pyarrow.compute as pc

from audiocontrib.arrow import integers, texts
from audiocontrib.conditions import Condition, Partners, find_partners
from audiocontrib.conditions.foreign import with_gold_of
from audiocontrib.errors import UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item, Items
from audiocontrib.models import Model
from audiocontrib.prompts import Prompt, PromptFormat, make_prompt
from audiocontrib.registry import Registry
from audiocontrib.responses import METHODS
from audiocontrib.scoring.sampling import GREEDY, Sampling

ORDERS: Registry[Callable[[int], range]] = Registry("scheme of option orders")
"""Name -> function from the number of options to the rotations that are asked."""

WINDOW = 512
"""Items that are made into objects at once."""


@ORDERS.register("given")
def _given(options: int) -> range:
    """The item's own order only."""
    return range(1)


@ORDERS.register("cyclic")
def _cyclic(options: int) -> range:
    """Every rotation: each option stands once in every place."""
    return range(options)


@dataclass(frozen=True, slots=True)
class RequestConfig:
    """How the questions are put: everything about a request that is the same for all of a run."""

    conditions: tuple[Condition, ...]
    method: str
    orders: str
    prompt: PromptFormat
    max_new_tokens: int = 128
    """Of the model at hand, see :meth:`of`."""
    sampling: Sampling = GREEDY

    def count(self, options: Iterable[int]) -> int:
        """Number of requests per model, from the number of options of each item."""
        sizes = list(options)
        more = [condition.borrows_option for condition in self.conditions]
        return self.sampling.each * sum(len(ORDERS[self.orders](k + one)) for one in more for k in sizes)

    def of(self, model: Model) -> RequestConfig:
        """The same for one model: where nobody says how long replies may be, it does."""
        return replace(self, max_new_tokens=self.sampling.max_new_tokens or model.max_new_tokens)

    def check(self, model: Model) -> None:
        """UsageError if the model cannot be asked this way."""
        deaf = [c.spec for c in self.conditions if c.has_audio and "audio" not in model.capabilities]
        if deaf:
            raise UsageError(
                f"{model.name} reads text only and cannot be asked under {', '.join(deaf)}; "
                f"use conditions without audio, as text or options{_refusals(model)}"
            )
        if self.method not in model.capabilities:
            able = ", ".join(sorted(model.capabilities & set(METHODS)))
            why = _refusals(model, thinking=self.method == "think-likelihood")
            raise UsageError(f"{model.name} cannot be asked by {self.method}; it can: {able}{why}")
        self.sampling.check(model, self.method)


def _refusals(model: Model, *, thinking: bool = False) -> str:
    """Why a model cannot do what it was tried for, where it knows; of thinking, or of all else."""
    told = [reason for what, reason in model.refusals.items() if (what == "thinking") == thinking]
    return f" ({'; '.join(told)})" if told else ""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the recordings, by a hash of the clip: part ``index`` of ``of``, counted from 1.

    What a run holds is known by question, not by shard: ``of`` may change from one start to the next.
    """

    index: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From ``i/n``. UsageError if it is no such thing."""
        first, _, second = text.partition("/")
        if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
            raise UsageError(f"{text!r} is no shard; write i/n, counted from 1, e.g. 1/4 to 4/4")
        return cls(int(first), int(second))

    def split(self, parts: int) -> list[Shard]:
        """This part in so many smaller ones."""
        return [Shard(self.index + self.of * number, self.of * parts) for number in range(parts)]

    def holds(self, clip_id: str) -> bool:
        """Whether the recording belongs to this part."""
        return int(stable_hash([clip_id])[:12], 16) % self.of == self.index - 1


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """One request before anything is decoded: what will be read, and whose recording will be heard."""

    item: Item
    condition: Condition
    order: int
    prompt: Prompt
    source: Item | None
    """Item whose recording is needed: its own, the partner's under swap, or None."""
    repeat: int = 0
    think_tokens: int | None = None
    partner_id: str | None = None
    """The item whose clip is played instead of its own, or whose gold is offered beside its own options."""


def by_clip(items: Items, shard: Shard) -> Iterator[tuple[Item, ...]]:
    """The items of the shard, those on one recording together; as objects only while they are looked at."""
    clips = items.table.column("clip_id").combine_chunks().dictionary_encode()
    kept = np.array([shard.holds(name) for name in texts(clips.dictionary)], dtype=np.bool_)
    codes = integers(clips.indices)  # numbered in the order in which the data set first names them
    places = np.argsort(codes, kind="stable")
    places = places[kept[codes[places]]]
    windows = (places[start : start + WINDOW] for start in range(0, len(places), WINDOW))
    found = (item for window in windows for item in items.take(window.tolist()))
    return (tuple(group) for _, group in groupby(found, key=lambda item: item.clip_id))


def options_of(items: Items, shard: Shard) -> list[int]:
    """The number of options of each item of the shard."""
    table = items.table.select(["clip_id", "choices"])
    held: dict[str, bool] = {}
    counts = []
    for batch in table.to_batches():
        sizes = integers(pc.list_value_length(batch.column("choices")))
        for clip, size in zip(texts(batch.column("clip_id")), sizes.tolist(), strict=True):
            if clip not in held:
                held[clip] = shard.holds(clip)
            if held[clip]:
                counts.append(size)
    return counts


def partners(items: Items, asking: RequestConfig) -> dict[Condition, Partners]:
    """Who lends a clip, or its gold, under each condition that borrows one."""
    return {c: find_partners(c, items) for c in asking.conditions if c.borrows_clip or c.borrows_option}


def plan_questions(
    group: Sequence[Item], asking: RequestConfig, lenders: Mapping[Condition, Partners]
) -> Iterator[PlannedQuestion]:
    """All requests about the items of one recording; those that need a partner and have none are left out."""
    for item in group:
        for condition in asking.conditions:
            lender = lenders[condition](item) if condition in lenders else None
            if condition in lenders and lender is None:
                continue
            source = lender if condition.borrows_clip else item if condition.needs_clip else None
            lent_by = lender.id if lender else None
            put = with_gold_of(item, lender) if condition.borrows_option and lender else item
            question = item.question if condition.shows_question else None
            for order in ORDERS[asking.orders](len(put.choices)):
                prompt = make_prompt(
                    question, put.choices, order=order, has_audio=condition.has_audio, prompt=asking.prompt
                )
                for bound, repeat in product(asking.sampling.bounds, range(asking.sampling.repeats)):
                    yield PlannedQuestion(put, condition, order, prompt, source, repeat, bound, lent_by)


def question_key(question: PlannedQuestion, asking: RequestConfig, fingerprint: str, heard: str | None) -> str:
    """Hash of everything that can change the answer: model, rendered prompt, method, options, and what is heard.

    Args:
        heard: hash of the samples (then it is the answer's identity), or the recording's stamp (then it tells,
            without decoding anything, that the answer is there already).
    """
    drawn = asking.sampling.identity
    return stable_hash(
        [
            fingerprint,
            question.item.id,
            question.condition.spec,
            question.order,
            asking.method,
            asking.max_new_tokens if asking.method != "likelihood" else None,
            question.prompt.sha256,
            heard,
            # nothing more for greedy replies: older programs knew no others, and their runs go on
            *([drawn, question.repeat] if drawn else []),
            *(["think", question.think_tokens] if question.think_tokens is not None else []),
        ]
    )
