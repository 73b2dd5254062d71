"""The pages and answers of the viewer: names in, JSON out; what is behind each is a function of this package."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.store.marks import add_mark, marks
from audiocontrib.view.about import page_policy, run_about
from audiocontrib.view.asked import items_asked
from audiocontrib.view.items import list_items
from audiocontrib.view.one_item import items_shown
from audiocontrib.view.pages import INDEX, STATIC, TRAININGS
from audiocontrib.view.sql import asked_in_sql
from audiocontrib.view.trainings import find_trainings, training_about, training_curve, trainings_listed

if TYPE_CHECKING:
    from starlette.requests import Request

    from audiocontrib.view.shelf import Shelf

Asked = Mapping[str, str]
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Of a drawing by itself: it runs nothing and loads nothing."""


def make_app(shelf: Shelf, marked_by: str = "") -> Starlette:
    """The app over some runs, without a door: put one before it.

    Args:
        marked_by: who marks items.
    """
    reads: dict[str, Callable[[Shelf, Asked], Any]] = {
        "/api/runs": lambda shelf, _: {"runs": shelf.listed(), "by": marked_by, "trainings": _trainings(shelf)},
        "/api/trainings": lambda shelf, _: {"trainings": trainings_listed(shelf.places), "runs": len(shelf.names())},
        "/api/training": lambda shelf, asked: training_about(shelf.places, asked.get("training", "")),
        "/api/curve": _curve,
        "/api/run": lambda shelf, asked: run_about(shelf, asked.get("run", "")),
        "/api/state": lambda shelf, asked: shelf.state(asked.get("run", "")),
        "/api/items": _items,
        "/api/item": _item,
        "/api/sound": _sound,
        "/api/marks": _marks,
        "/report": _report,
    }
    writes: dict[str, Callable[[Shelf, Mapping[str, Any]], Any]] = {
        "/api/sql": lambda shelf, said: asked_in_sql(shelf.open(_text(said, "run")), _text(said, "sql")),
        "/api/mark": lambda shelf, said: _mark(shelf, said, marked_by),
    }
    routes = [Route("/", _index(shelf)), Route("/trainings", _trainings_page), Route("/static/{name}", _static)]
    routes += [Route(path, _reading(shelf, answer)) for path, answer in reads.items()]
    routes += [Route(path, _writing(shelf, answer), methods=["POST"]) for path, answer in writes.items()]
    return Starlette(routes=routes)


def _reading(shelf: Shelf, answer: Callable[[Shelf, Asked], Any]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:  # not async: Starlette gives it a thread
        return _answered(answer, shelf, request.query_params)

    return endpoint


def _writing(shelf: Shelf, answer: Callable[[Shelf, Mapping[str, Any]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, answer, shelf, await request.body())

    return endpoint


def _answered(answer: Callable[[Shelf, Any], Any], shelf: Shelf, asked: Asked | bytes) -> Response:
    """What a function answers; its error as one line, which the page shows."""
    try:
        value = answer(shelf, _json_object(asked) if isinstance(asked, bytes) else asked)
        return value if isinstance(value, Response) else JSONResponse(value)
    except AudiocontribError as error:
        return JSONResponse({"error": str(error)}, 400 if isinstance(error, UsageError) else 409)
    except Exception as error:  # the server goes on, and the page says what it was
        return JSONResponse({"error": f"{one_line(error)} (unexpected)"}, 500)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise UsageError("what is sent must be a JSON object")
    return said


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text")
    return value


def _index(shelf: Shelf) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        if not shelf.names() and _trainings(shelf):
            return RedirectResponse("trainings", 303)
        return HTMLResponse(INDEX.read_text(encoding="utf-8").replace("NONCE", request.state.nonce))

    return endpoint


def _trainings_page(request: Request) -> Response:
    return HTMLResponse(TRAININGS.read_text(encoding="utf-8"))


def _trainings(shelf: Shelf) -> int:
    return len(find_trainings(shelf.places))


def _curve(shelf: Shelf, asked: Asked) -> Response:
    drawn = training_curve(shelf.places, asked.get("training", ""))
    return Response(drawn, media_type="image/svg+xml", headers={"content-security-policy": SVG_POLICY})


def _static(request: Request) -> Response:
    path = STATIC.get(request.path_params["name"])
    return FileResponse(path) if path is not None else PlainTextResponse("there is no such file\n", 404)


def _items(shelf: Shelf, asked: Asked) -> dict[str, Any]:
    words = {name: word for name, word in asked.items() if name not in ("run", "against", "item")}
    name, against = asked.get("run", ""), asked.get("against", "")
    wanted = items_asked(words)
    there = shelf.counted(against) if against and against != name else None
    counted = shelf.counted(name)
    compares = against or wanted.other or wanted.under or wanted.differs
    found = list_items(
        counted, wanted, marks(shelf.open(name)), split=shelf.split(name, wanted.parts),
        there=(there or counted) if compares else None,
    )  # fmt: skip
    return asdict(found) | {"state": shelf.counting(name).state}


def _item(shelf: Shelf, asked: Asked) -> dict[str, Any]:
    name = asked.get("run", "")
    counted, split = shelf.counted(name), shelf.split(name, asked.get("parts", ""))
    return items_shown(shelf.open(name), counted, [asked.get("item", "")], split)[0]


def _sound(shelf: Shelf, asked: Asked) -> Response:
    words = [asked.get(name, "") for name in ("run", "item", "condition", "model")]
    path, heard = shelf.sound(*words)
    return FileResponse(path, media_type="audio/wav", headers={"x-samples": heard})


def _marks(shelf: Shelf, asked: Asked) -> Any:
    name, form = asked.get("run", ""), asked.get("format", "")
    if form:
        return FileResponse(shelf.marks_file(name, form), filename=f"marks.{form}")
    return {"marks": [row | {"at": row["at"].isoformat()} for row in marks(shelf.open(name)).to_pylist()]}


def _mark(shelf: Shelf, said: Mapping[str, Any], marked_by: str) -> dict[str, Any]:
    run, answer = shelf.open(_text(said, "run")), said.get("answer")
    add_mark(run, _text(said, "item"), said.get("kind"), answer=answer, note=_text(said, "note"), by=marked_by)
    return {"kept": True}


def _report(shelf: Shelf, asked: Asked) -> Response:
    text = shelf.report(asked.get("run", ""))
    return HTMLResponse(text, headers={"content-security-policy": page_policy(text)})
