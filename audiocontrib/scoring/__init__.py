"""How models are asked: every item under every condition and option order, resumable at any moment."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiocontrib.conditions import Condition, condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Items, Quarantined
from audiocontrib.models import Model, load_model
from audiocontrib.models.base import METHODS
from audiocontrib.prompts import PROMPTS, make_prompt
from audiocontrib.responses import Response
from audiocontrib.scoring.ask import ask
from audiocontrib.scoring.plan import ORDERS, Asking, batches, request_key
from audiocontrib.scoring.progress import Progress
from audiocontrib.store import Run

HOPELESS = 200
"""So many items without one clip that can be heard: the audio folder is wrong, not the items."""


def score(
    items: Items,
    models: Sequence[Model | str],
    conditions: Sequence[Condition | str] = ("audio", "silence"),
    *,
    method: str = "likelihood",
    orders: str = "cyclic",
    prompt: str = "audiomcq",
    run: str | Path,
    progress: bool = True,
    save_every: float = 5.0,
    model_options: dict[str, Any] | None = None,
) -> Run:
    """Ask every model every item under every condition, and keep the answers in a run directory.

    What the run already holds is not asked again: the same call after a kill goes on where it stopped.
    More models, conditions or items may be added to a run; anything else that would change an answer is
    refused with a diff.

    Args:
        models: models, or names for :func:`audiocontrib.load_model`; loaded one after another.
        method: ``likelihood`` (log p of each option in the answer tag) or ``generate`` (greedy reply).
        orders: ``cyclic`` (every option once in every place) or ``given``.
        prompt: name of a registered prompt.
        run: folder of the run, made if there is none.
        save_every: seconds after which answers are written; a kill loses at most these.

    Example:
        >>> items = load_items("demo", seed=1, limit=50)
        >>> run = score(items, ["tiny-qwen2.5-omni"], ["audio", "text"], run="runs/first")
    """
    if method not in METHODS:
        raise UsageError(f"no method is called {method!r}; there are: {', '.join(METHODS)}")
    ORDERS.find(orders)
    PROMPTS.find(prompt)
    asking = Asking(tuple(dict.fromkeys(condition(c) for c in conditions)), method, orders, prompt)
    names = [m if isinstance(m, str) else m.name for m in models]
    if len(set(names)) < len(names) or not names or not asking.conditions:
        raise UsageError("name at least one model and one condition, and each model once")
    store = None
    for entry in models:
        model = load_model(entry, **(model_options or {})) if isinstance(entry, str) else entry
        asking.check(model)
        store = Run.create_or_resume(Path(run), _manifest(items, asking, model), items)
        _ask_all(store, items, model, asking, progress, save_every)
    assert store is not None
    return store


def _ask_all(run: Run, items: Items, model: Model, asking: Asking, progress: bool, save_every: float) -> None:
    # the name too: one checkpoint may be asked under two names, and each has its own answers
    fingerprint = stable_hash([model.name, model.fingerprint()])
    done, held = run.done(), run.quarantined_ids()
    by_id = {item.id: item for item in items}
    waiting: list[Response] = []
    unheard: list[Quarantined] = []
    heard = cut = unpartnered = 0
    saved = time.monotonic()
    with Progress(model.name, asking.count(items), shown=progress) as bar:
        try:
            for batch in batches(items, asking, model):
                unheard += batch.quarantined
                bar.skip(sum(asking.count([by_id[q.item_id]]) for q in batch.quarantined if q.item_id))
                bar.skip(batch.unpartnered)
                cut, unpartnered = cut + batch.cut, unpartnered + batch.unpartnered
                heard += len(batch.heard)
                if len(unheard) >= HOPELESS and not heard:
                    raise AudiocontribError(
                        f"none of the first {len(unheard)} clips can be heard, e.g. {unheard[0].reason}"
                    )
                run.release(batch.heard & held)  # a clip that was missing is there now
                keys = [request_key(r, asking, fingerprint) for r in batch.requests]
                new = [(r, k) for r, k in zip(batch.requests, keys, strict=True) if k not in done]
                bar.skip(len(keys) - len(new))
                if new:
                    answered = ask(model, [r for r, _ in new], [k for _, k in new], asking)
                    waiting += answered
                    bar.add(answered)
                if waiting and time.monotonic() - saved > save_every:
                    run.append(waiting)
                    waiting, saved = [], time.monotonic()
            if cut:
                bar.note(
                    f"{cut} sounds are longer than the {model.max_seconds:g} s that {model.name} hears, and were cut"
                )
            if unpartnered:
                bar.note(f"{unpartnered} questions under swap are left out: no other clip can stand in")
        finally:
            # also when interrupted: what was answered is kept
            run.append(waiting)
            if unheard:
                run.quarantine(unheard)


def _manifest(items: Items, asking: Asking, model: Model) -> dict[str, Any]:
    sample = make_prompt("{question}", ("{o1}", "{o2}"), has_audio=True, prompt=asking.prompt)
    packages = ("audiocontrib", "torch", "transformers", "numpy", "soundfile", "librosa")
    return {
        "identity": {
            "dataset": {k: items.origin[k] for k in ("name", "revision", "mapping", "seed") if k in items.origin},
            "models": {model.name: model.fingerprint()},
            "conditions": [c.spec for c in asking.conditions],
            "method": asking.method,
            "orders": asking.orders,
            "max_new_tokens": asking.max_new_tokens if asking.method == "generate" else None,
            "prompt": {"name": asking.prompt, "sha256": sample.sha256},
        },
        "origin": items.origin,
        "versions": {p: version(p) for p in packages} | {"python": platform.python_version()},
        "command": sys.argv,
    }
