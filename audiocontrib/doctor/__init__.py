"""What someone with a model of their own wants to know before a run: does it load, hear, and score as it should."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import one_line
from audiocontrib.items import Items
from audiocontrib.models import Model, load_model
from audiocontrib.prompts import DEFAULT_PROMPT
from audiocontrib.scoring import make_asking
from audiocontrib.scoring.arguments import check_model_options
from audiocontrib.scoring.estimate import estimate_scoring

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

CHECKUP_SCHEMA = schema_of(part=pa.string(), what=pa.string(), value=pa.string(), fault=pa.string())


@dataclass(frozen=True, slots=True)
class Checkup:
    """What :func:`doctor` found. ``fault`` of a row is null where nothing is wrong."""

    table: pa.Table
    """CHECKUP_SCHEMA: part, what was looked at, its value, its fault.

    Parts: loads; prompt, hears, paths, speed (of models that are not run here: asked); memory; data."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; empty if nothing is."""
        rows = self.table.to_pylist()
        return [f"{row['part']}, {row['what']}: {row['fault']}" for row in rows if row["fault"]]


Row = tuple[str, str, str | None]
"""What was looked at, its value, and what is wrong with it."""


def doctor(
    model: str | Model,
    *,
    items: Items | None = None,
    model_options: Mapping[str, Any] | None = None,
) -> Checkup:
    """Look a model over on this machine: what loads, what it reads and hears, whether its fast paths are right.

    Args:
        model: a name, folder or hub id, or a model that is loaded.
        items: a data set of which to say how long a run over it would take (audio, silence, text).
        model_options: those of :func:`audiocontrib.load_model`.

    Raises:
        AudiocontribError: it cannot be loaded, or its self-check refuses it.

    Example:
        >>> doctor("tiny-qwen2.5-omni").faults
        []
    """
    check_model_options(model_options)
    start = time.perf_counter()
    loaded = load_model(model, **(model_options or {})) if isinstance(model, str) else model
    seconds = time.perf_counter() - start
    rows: list[dict[str, str | None]] = []
    for part, look in _parts(loaded, items, seconds):
        try:
            found = list(look())
        except Exception as error:
            found = [("all of it", "", one_line(error))]
        rows += [{"part": part, "what": what, "value": value, "fault": fault} for what, value, fault in found]
    if isinstance(model, str):
        loaded.close()
    return Checkup(pa.Table.from_pylist(rows, schema=CHECKUP_SCHEMA))


def _parts(model: Model, items: Items | None, seconds: float) -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
    own = _local(model)
    yield "loads", lambda: _loads(model, own, seconds)
    if own is not None:
        from audiocontrib.doctor import local as look

        yield "prompt", lambda: look.prompt(own)
        yield "hears", lambda: look.hears(own)
        yield "paths", lambda: look.paths(own)
        yield "speed", lambda: look.speed(own)
    else:
        yield "asked", lambda: _asked_twice(model)
    yield "memory", _memory
    if items is not None:
        yield "data", lambda: _data(model, items)


def _local(model: Model) -> LocalModel | None:
    """The model, if it runs on torch in this process."""
    if "audiocontrib.models.local" not in sys.modules:
        return None
    from audiocontrib.models.local import LocalModel

    return model if isinstance(model, LocalModel) else None


def _loads(model: Model, own: LocalModel | None, seconds: float) -> Iterator[Row]:
    told = model.identity()
    yield "name", model.name, None
    yield "loaded in", f"{seconds:.1f} s", None
    yield "answers", ", ".join(sorted(model.capabilities)), None
    if model.max_seconds is not None:
        yield "hears at most", f"{model.max_seconds:g} s of a clip", None
    for name in ("model_type", "class", "dtype", "attention", "weights_sha256", "template_date", "chat_style"):
        if name in told:
            yield name.replace("_", " "), str(told[name]), None
    for name in ("files", "adapter"):
        if name in told:
            yield name, ", ".join(sorted(told[name])), None
    if own is not None:
        weights = list(own.net.parameters())
        size = sum(w.numel() * w.element_size() for w in weights)
        yield "weights", f"{sum(w.numel() for w in weights):,} in {size / 2**20:,.0f} MiB on {own.net.device}", None


def _asked_twice(model: Model) -> Iterator[Row]:
    """Of a model that is not run here: that it answers, and answers the same again."""
    from audiocontrib.models.check import check_answers
    from audiocontrib.models.check_prompts import plain_requests

    requests = plain_requests("audio" in model.capabilities)
    for method in sorted(model.capabilities & {"likelihood", "generate"}):
        ask: Any = getattr(model, method)
        start = time.perf_counter()
        first, again = (check_answers(model.name, method, requests, ask(requests)) for _ in range(2))
        took = (time.perf_counter() - start) / (2 * len(requests))
        failed = next((one for one in first if isinstance(one, Exception)), None)
        fault = one_line(failed) if failed else None if _same(first, again) else "asked again, it answers otherwise"
        yield method, f"{len(requests)} questions, {took:.2g} s each", fault


def _same(first: list[Any], again: list[Any]) -> bool:
    return [getattr(a, "logprobs", None) or getattr(a, "text", None) for a in first] == [
        getattr(a, "logprobs", None) or getattr(a, "text", None) for a in again
    ]


def _memory() -> Iterator[Row]:
    import resource  # not on Windows: there the row says so

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield "of this process, at most", f"{peak / (2**20 if sys.platform != 'darwin' else 2**30):.1f} GiB", None
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        for place in range(torch.cuda.device_count()):
            most = torch.cuda.max_memory_allocated(place) / 2**30
            yield f"of {torch.cuda.get_device_name(place)} {place}, at most", f"{most:.1f} GiB", None


def _data(model: Model, items: Items) -> Iterator[Row]:
    """How long a run would take, from a few of its own questions."""
    hears = "audio" in model.capabilities
    method = "likelihood" if "likelihood" in model.capabilities else "generate"
    asking = make_asking(("audio", "silence", "text") if hears else "text", method, "cyclic", DEFAULT_PROMPT)
    yield "items", f"{len(items):,}", None if len(items) else "there are none to ask"
    total = 0.0
    for row in estimate_scoring(items, model, asking).to_pylist():
        total += row["seconds"]
        yield row["condition"], f"{row['requests']:,} questions in about {_time(row['seconds'])}", None
    yield "all of it", f"about {_time(total)}, by {method} in every order of the options", None


def _time(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"
