"""Items and answers for tests: generated questions, put to mock models without an engine or a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb
import numpy as np

from audiocontrib.conditions import condition
from audiocontrib.items import Clip, Item, Items, make_item
from audiocontrib.models.base import Request
from audiocontrib.models.mock import GIBBERISH, REFUSAL, MockModel
from audiocontrib.prompts import make_prompt, rotate, unrotate
from audiocontrib.responses import Outcome, Response, response_rows
from audiocontrib.sql import cursor


def questions(n: int, k: int | Sequence[int] = 4, per_clip: int = 1, keyed: bool = True) -> Items:
    """n items; the number of options runs through ``k``, and the gold through the places."""
    sizes = (k,) if isinstance(k, int) else tuple(k)
    items = []
    for i in range(n):
        size = sizes[i % len(sizes)]
        items.append(
            make_item(
                dataset="planted",
                own_id=f"{i:05d}",
                question=f"What is heard in recording {i}?",
                choices=[f"sound {i}-{option}" for option in range(size)],
                answer=(i // len(sizes)) % size if keyed else None,
                answer_as="index",
                has_key=keyed,
                audio=Clip(path=f"{i // per_clip}.wav"),
                question_type=("sound", "music")[i % 2],
                source_dataset=("first", "second", "third")[i % 3],
            )
        )
    return Items(items)


def requests(items: Iterable[Item], spec: str, order: int = 0) -> list[Request]:
    """One request per item under a condition and rotation; mocks need no sound."""
    kind = condition(spec)
    return [
        Request(
            item,
            kind,
            order,
            make_prompt(
                item.question if kind.shows_question else None,
                item.choices,
                order=order,
                has_audio=kind.has_audio,
            ),
            None,
        )
        for item in items
    ]


def answer(model: MockModel, request: Request, method: str) -> Response:
    """The mock's answer as the row that a run would hold."""
    item, gold = request.item, request.item.answer
    posterior, choice, outcome, reply = None, None, Outcome.ANSWERED, None
    if method == "likelihood":
        [scored] = model.likelihood([request])
        posterior = unrotate(np.exp(scored.logprobs).tolist(), request.order)
        choice = int(np.argmax(posterior))
    else:
        reply = model.generate([request])[0].text
        shown = [request.prompt.completion(option) for option in request.prompt.options]
        if reply in shown:
            choice = rotate(range(len(shown)), request.order)[shown.index(reply)]
        else:
            outcome = {REFUSAL: Outcome.REFUSED, GIBBERISH: Outcome.UNPARSED}[reply]
    return Response(
        item_id=item.id,
        dataset=item.dataset,
        model=model.name,
        condition=request.condition.spec,
        order=request.order,
        method=method,
        outcome=outcome,
        created_at=datetime.now(UTC),
        request_key=f"{model.name} {item.id} {request.condition} {request.order}",
        choice=choice,
        correct=None if gold is None else choice == gold,
        posterior=posterior,
        reply=reply,
    )


def ask(
    items: Items,
    models: Iterable[MockModel],
    conditions: Iterable[str] = ("audio", "silence"),
    method: str = "likelihood",
    cyclic: bool = False,
) -> list[Response]:
    """Every item to every model under every condition, in one order or in all rotations."""
    return [
        answer(model, request, method)
        for model in models
        for spec in conditions
        for item in items
        for order in range(len(item.choices) if cyclic else 1)
        for request in requests([item], spec, order)
    ]


def views(items: Items, responses: list[Response]) -> duckdb.DuckDBPyConnection:
    """A connection with the views of a run."""
    con = cursor()
    con.register("items", items.table)
    con.register("responses", response_rows(responses))
    return con
