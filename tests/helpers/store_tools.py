"""Small makers of items, manifests and responses for the tests of the store, and its worker processes."""

from __future__ import annotations

import copy
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audiocontrib.items import Clip, Item, Items, Quarantined, make_item
from audiocontrib.prompts import DEFAULT_PROMPT, find_prompt, prompt_record
from audiocontrib.responses import Outcome, Response
from audiocontrib.store import Run

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def item(i: int, **changes: Any) -> Item:
    given = {
        "question": f"What is heard in {i}?",
        "choices": ["dog", "cat", "car"],
        "answer": "cat",
    } | changes
    return make_item(dataset="toy", own_id=str(i), audio=Clip(path=f"{i}.wav", root="/clips"), **given)


def items(n: int = 3, **about: Any) -> Items:
    return Items([item(i) for i in range(n)], **about)


def bad(i: int, reason: str = "is truncated") -> Quarantined:
    return Quarantined("toy", f"{i}.wav", None, "audio", reason, item_id=f"toy/{i}")


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest; a change is named by its dotted path below identity, with ``__`` for the dots."""
    made = {
        "identity": {
            "dataset": {"name": "toy", "revision": "r1"},
            "models": {"tiny": {"weights_sha256": "3fa" + "0" * 61, "dtype": "float32"}},
            "conditions": ["audio", "silence"],
            "method": "likelihood",
            "prompt": prompt_record(find_prompt(DEFAULT_PROMPT)),
        },
        "versions": {"audiocontrib": "1"},
        "command": ["audiocontrib", "score"],
    }
    made = copy.deepcopy(made)
    for path, value in changes.items():
        *above, last = path.split("__")
        place = made["identity"]
        for name in above:
            place = place[name]
        place[last] = value
    return made


def response(i: int, outcome: str = Outcome.ANSWERED, *, after: float = 0, **changes: Any) -> Response:
    """A response to request ``key-i``, ``after`` seconds later than the others."""
    final = outcome != Outcome.FAILED
    given: dict[str, Any] = {
        "item_id": f"toy/{i}",
        "dataset": "toy",
        "model": "tiny",
        "condition": "audio",
        "order": 0,
        "method": "likelihood",
        "outcome": outcome,
        "created_at": START + timedelta(seconds=after),
        "request_key": f"key-{i}",
        "choice": 1 if final else None,
        "correct": True if final else None,
        "posterior": (0.2, 0.5, 0.3) if final else None,
        "option_logprob": (-3.0, -1.0, -2.0) if final else None,
        "option_tokens": (2, 2, 2) if final else None,
        "error": None if final else "RuntimeError: no memory",
        "audio_sha256": "ab" * 32,
        "audio_seconds": 1.5,
        "prompt_sha256": "cd" * 32,
        "prompt_tokens": 20,
        "seconds": 0.1,
    }
    return Response(**given | changes)


def start(folder: Path, n: int = 3) -> Run:
    return Run.create_or_resume(folder, manifest(), items(n))


def counted(run: Run, column: str = "request_key") -> tuple[int, int]:
    """Rows and distinct values of a column of the view responses."""
    found = run.query(f"select count(*) as n, count(distinct {column}) as d from responses")
    return int(found.n[0]), int(found.d[0])


def work(folder: Path, n: int, pause: float = 0.0) -> None:
    """Ask what is not done of n requests, three a part."""
    run = start(folder, n)
    done = run.answered()
    todo = [i for i in range(n) if f"key-{i}" not in done]
    for first in range(0, len(todo), 3):
        run.append([response(i) for i in todo[first : first + 3]])
        time.sleep(pause)


def write_all(folder: Path, first: int, n: int, go_at: float) -> None:
    """Start a run with a model and items of one's own, at the same moment as others, and fill it."""
    time.sleep(max(0.0, go_at - time.time()))
    given = manifest(models={f"model-{first}": {"weights_sha256": str(first)}})
    own = Items([item(i) for i in range(first, first + n)])
    run = Run.create_or_resume(folder, given, own)
    for i in range(first, first + n):
        run.append([response(i), response(0)])  # everyone asks request 0, again and again
    run.quarantine([bad(first), bad(0, f"as {os.getpid()} sees it")])
