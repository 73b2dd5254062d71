"""The commands that fill a run and make one of its splits again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audiocontrib.report.facts import SplitFacts

if TYPE_CHECKING:
    from audiocontrib.store import Run


def unnamed(made: SplitFacts) -> dict[str, Any]:
    """The settings that have no option of their own on the command line, and differ from what is taken anyway."""
    known = {"rule", "threshold", "condition", "method", "models", "leave_out"}
    usual = {"audio": "audio"}
    return {key: value for key, value in made.asked.items() if key not in known and usual.get(key) != value}


def asking(run: Run) -> Iterator[str]:
    """The commands that filled the run, as they were given; from its manifest where it was filled from Python."""
    identity, starts = run.manifest.get("identity", {}), [*run.manifest.get("earlier", []), run.manifest]
    given = [start["command"] for start in starts if len(start.get("command") or []) > 1]
    words = [["audiocontrib", *map(str, one[1:])] for one in given if one[1] in ("score", "import", "demo")]
    if not words:
        named = ["audiocontrib", "score", "--dataset", str(identity.get("dataset", {}).get("name", "?"))]
        for option, values in (
            ("--model", identity.get("models", {})),
            ("--condition", identity.get("conditions", [])),
        ):
            named += [word for value in values for word in (option, value)]
        words = [[*named, "--run", str(run.path)]]
    yield from dict.fromkeys(map(shlex.join, words))


def splitting(run: Run, made: SplitFacts) -> Iterator[str]:
    """The command that makes the split, and those that certified it."""
    asked, on = made.asked, ["--run", str(run.path)]
    if asked["rule"] == "audit":
        yield shlex.join(["audiocontrib", "audit", *on])
    words = ["audiocontrib", "split", *on, "--name", made.name]
    for key in ("rule", "threshold", "condition", "method"):
        words += [f"--{key}", str(asked[key])] if asked.get(key) is not None else []
    words += [word for model in asked.get("models", []) for word in ("--model", model)]
    words += [word for kind in asked.get("leave_out", []) for word in ("--leave-out", kind)]
    words += [word for key, value in unnamed(made).items() for word in ("--set", f"{key}={json.dumps(value)}")]
    yield shlex.join(words)
    certify = ["audiocontrib", "certify", *on, "--split", made.name]
    for one in made.certificates[:1]:
        yield shlex.join(
            [*certify, *(["--rotate"] if made.rotated else ["--model", one.model]), "--condition", one.condition]
        )
