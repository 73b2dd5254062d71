"""The commands that fill a run and make one of its splits again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from audiocontrib.store.run import Run

NOT_ASKED = ("findings", "warnings", "review_out")
"""What ``settings.json`` of a split holds beside what was asked for (a sheet for review is written once)."""


def asked_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, of a split's ``settings.json``: the arguments that make the split again."""
    return {key: value for key, value in settings.items() if key not in NOT_ASKED}


def unnamed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of a split's settings, those without an option of their own on the command line, if not what is taken anyway."""
    known = {"rule", "threshold", "condition", "method", "models", "leave_out"}
    usual = {"audio": "audio"}
    return {key: value for key, value in asked.items() if key not in known and usual.get(key) != value}


def asking(run: Run) -> Iterator[str]:
    """The commands that filled the run, as they were given; from its manifest where it was filled from Python."""
    identity, starts = run.manifest.get("identity", {}), [*run.manifest.get("earlier", []), run.manifest]
    given = [start["command"] for start in starts if len(start.get("command") or []) > 1]
    words = [["audiocontrib", *map(str, one[1:])] for one in given if one[1] in ("score", "import", "demo")]
    if not words:
        origin = {**identity.get("dataset", {}), **(run.manifest.get("origin") or {})}
        named = ["audiocontrib", "score", *_reading(origin)]
        for option, values in (("model", identity.get("models", {})), ("condition", identity.get("conditions", []))):
            named += [word for value in values for word in (f"--{option}", value)]
        words = [[*named, "--run", str(run.path)]]
    yield from dict.fromkeys(map(shlex.join, words))


def splitting(run: Run, name: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """The commands that make the split called ``name`` by the settings ``asked``."""
    on = ["--run", str(run.path)]
    if asked["rule"] == "audit":
        yield shlex.join(["audiocontrib", "audit", *on])
    words = ["audiocontrib", "split", *on, "--name", name]
    for key in ("rule", "threshold", "condition", "method"):
        words += [f"--{key}", str(asked[key])] if asked.get(key) is not None else []
    words += [word for model in asked.get("models", []) for word in ("--model", model)]
    words += [word for kind in asked.get("leave_out", []) for word in ("--leave-out", kind)]
    words += [word for key, value in unnamed(asked).items() for word in ("--set", f"{key}={json.dumps(value)}")]
    yield shlex.join(words)


def _reading(origin: Mapping[str, Any]) -> Iterator[str]:
    """The options by which a data set is read; one of the user's own is known by what is said of its answers."""
    own = "answer_as" in origin
    place = origin.get("path")
    yield from ("--dataset", str((own and (origin.get("hub") or place)) or origin.get("name", "?")))
    given = {
        "data": None if own else place,
        "audio-root": origin.get("audio_root") if place or origin.get("hub") else None,
        "revision": origin.get("revision"),
        "subset": origin.get("split"),
        **{name: origin.get(name) for name in ("seed", "limit")},
        "answer-as": origin.get("answer_as"),
    }
    for name, value in given.items():
        if value is not None:
            yield from (f"--{name}", str(value))
    for field, column in (origin.get("mapping") or {}).items():
        yield from ("--map", f"{field}={column}")
