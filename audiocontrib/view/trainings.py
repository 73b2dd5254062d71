"""Watched trainings on the page: found by their folders, known by name from then on, drawn as they stand now."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiocontrib.arrow import integers
from audiocontrib.errors import UsageError, one_line
from audiocontrib.report.figures import STYLE
from audiocontrib.report.plots import watched_curve
from audiocontrib.training.watch.record import HEAD, curve_in_words, curve_lines, recorded
from audiocontrib.training.watch.shown import WatchedTraining, is_watched, open_watched
from audiocontrib.training.watch.table import WATCHED

DRAWING = threading.Lock()
"""matplotlib's settings are those of the process."""


def find_trainings(places: Sequence[Path]) -> dict[str, Path]:
    """Watched trainings by a short name: each place is one, or a folder of them, up to two levels deep."""
    found = dict.fromkeys(path for place in places for path in _inside(place) if is_watched(path))
    made: dict[str, Path] = {}
    for path in found:
        whole = path.absolute()
        name = f"{whole.parent.name}/{whole.name}"
        made[name if name not in made else str(whole)] = path
    return made


def _inside(place: Path) -> Iterator[Path]:
    yield place
    for pattern in (WATCHED, f"*/{WATCHED}"):
        yield from sorted(path.parent for path in place.glob(f"*/{pattern}"))


def _path(places: Sequence[Path], name: str) -> Path:
    """The folder of a training. UsageError for a name that is not on the list: it is never taken for a path."""
    there = find_trainings(places)
    if name not in there:
        raise UsageError(f"there is no watched training {name!r:.120}; there are: {', '.join(there) or 'none'}")
    return there[name]


def trainings_listed(places: Sequence[Path]) -> list[dict[str, Any]]:
    """Name, and when the curve was written last, of each; ``fault`` where it cannot be read."""
    found = []
    for name, path in find_trainings(places).items():
        try:
            found.append({"name": name, "changed": _changed(path)} | _about(open_watched(path)))
        except Exception as error:  # one damaged training does not hide the others
            found.append({"name": name, "fault": one_line(error)})
    return found


def training_about(places: Sequence[Path], name: str) -> dict[str, Any]:
    """What a training is about, its curve as a table, and what follows from it."""
    path = _path(places, name)
    changed, seen = _changed(path), open_watched(path)
    told: dict[str, Any] = {"name": name, "changed": changed, "head": list(HEAD), "lines": [], "said": []}
    told |= _about(seen)
    if seen.watch is None:
        return told
    held = recorded(seen.table, seen.watch, (), 0, ended=False)
    held = replace(held, taken=held.taken and seen.done)
    return told | {
        "lines": curve_lines(held, seen.watch.without),
        "said": curve_in_words(seen.watch, held, told["step"])[1:],
    }


def training_curve(places: Sequence[Path], name: str) -> bytes:
    """The curve as SVG, which holds no text but the page's own."""
    import matplotlib as mpl

    seen = open_watched(_path(places, name))
    held = io.BytesIO()
    with DRAWING, mpl.rc_context(STYLE):
        watched_curve(seen.table, best=seen.best, without=seen.without).savefig(
            held, format="svg", metadata={"Date": None}
        )
    return held.getvalue()


def _about(seen: WatchedTraining) -> dict[str, Any]:
    steps = integers(seen.table["step"], null=0)
    return {"stage": seen.stage, "start": seen.start, "done": seen.done, "step": int(steps.max(initial=0))}


def _changed(path: Path) -> float:
    return (path / WATCHED).stat().st_mtime
