"""How models are asked: every item under every condition and option order, resumable at any moment."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiocontrib.conditions import Condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item, Items
from audiocontrib.log import tell
from audiocontrib.models import Model, load_model, model_list, named
from audiocontrib.plugins import loaded_plugins
from audiocontrib.prompts import DEFAULT_PROMPT, PROMPTS, PromptFormat, check_prompt, prompt_named, prompt_record
from audiocontrib.provenance import DataSource, ScoreStep, to_json
from audiocontrib.responses import METHODS, Outcome, Response
from audiocontrib.scoring.arguments import (
    ModelLike,
    check_workers,
    conditions_to_ask,
    device_list,
    items_to_ask,
    run_folder,
    shard_of,
)
from audiocontrib.scoring.ask import ask
from audiocontrib.scoring.parallel import Part, on_devices, on_ray, watching
from audiocontrib.scoring.plan import ORDERS, RequestConfig, Shard, by_clip, options_of, partners
from audiocontrib.scoring.prefetch import REQUESTS, Prefetcher, RequestBatch, RequestBuilder
from audiocontrib.scoring.progress import LOG, Progress
from audiocontrib.stopping import unbroken
from audiocontrib.store import Run
from audiocontrib.store.identity import ADDED_LATER

HOPELESS = 200
"""So many items without one clip that can be heard: the audio folder is wrong, not the items. So many failures without
one answer: the model, or its server, is gone."""

Chosen = Sequence[tuple[Model | str, str | None]]
"""Models, or what is loaded as one; each with the name under which its answers are stored, None: its own."""

EVIDENCE = "evidence"
"""Folder of a run in which a model may keep what it found out about sounds."""


def score(
    items: Iterable[Item],
    models: ModelLike | Sequence[ModelLike],
    conditions: str | Condition | Iterable[Condition | str] = ("audio", "silence"),
    *,
    names: Sequence[str] | str = (),
    method: str = "likelihood",
    orders: str = "cyclic",
    prompt: str | Path | PromptFormat = DEFAULT_PROMPT,
    run: str | os.PathLike[str] | Run,
    progress: bool = True,
    save_every: float = 5.0,
    shard: Shard | str = "1/1",
    engine: str = "local",
    devices: str | Sequence[str] = (),
    actors: int = 1,
    model_options: Mapping[str, Any] | None = None,
    accept_identity: bool = False,
) -> Run:
    """Ask every model every item under every condition, and keep the answers in a run directory.

    What the run already holds is not asked again: the same call after a kill goes on where it stopped.
    More models, conditions or items may be added to a run; anything else that would change an answer is
    refused with a diff.

    Args:
        items: of :func:`audiocontrib.load_items`, a slice of them, or a list of :class:`~audiocontrib.items.Item`.
        models: one or several: names for :func:`audiocontrib.load_model`, which are loaded one after another; objects
            of a subclass of :class:`audiocontrib.models.Model`; functions ``prompt, audio -> reply``.
        names: under which the models' answers are stored, one for each model in the same order; none: their own.
        conditions: one or several, as they are written (``silence:matched``) or made by ``condition``.
        method: ``likelihood`` (log p of each option in the answer tag) or ``generate`` (greedy reply).
        orders: ``cyclic`` (every option once in every place) or ``given``.
        prompt: name of a registered prompt, a file (:func:`audiocontrib.prompts.read_prompt`) or a template.
        run: folder of the run, made if there is none; or an open one.
        save_every: seconds after which answers are written (in a long run, half a percent of its time).
        shard: ``i/n``: only the recordings of this part, see :class:`~audiocontrib.scoring.plan.Shard`.
        engine: ``local``, or ``ray``: at most ``actors`` of Ray Data, here or on the cluster that RAY_ADDRESS names.
        devices: with ``local``, a process for each of these, e.g. ``["cuda:0", "cuda:1"]``.
        model_options: of :func:`audiocontrib.load_model`.
        accept_identity: go on with a run of an older program, which kept less of what fixes a model's answers.

    Raises:
        UsageError: a word that there is not; the line lists what there is. Nothing was asked.
        AudiocontribError: no item is left, a model cannot be loaded, the run holds other things, or everything fails.

    Example:
        >>> items = load_items("demo", seed=1, limit=50)
        >>> run = score(items, ["tiny-qwen2.5-omni"], ["audio", "text"], run="runs/first")
    """
    check_workers(engine, actors, save_every, model_options)
    asked, asking = items_to_ask(items), make_asking(conditions, method, orders, prompt)
    part, folder, several = shard_of(shard), run_folder(run), device_list(devices)
    chosen = model_list(models, names)
    for made in (entry for entry, _ in chosen if isinstance(entry, Model)):
        asking.check(made)
    options = dict(model_options or {})
    step = replace(
        _step(asked, chosen, asking, prompt, options), run=str(folder), shard=f"{part.index}/{part.of}", engine=engine,
        devices=tuple(several), actors=actors,
    )  # fmt: skip
    fill = partial(_fill, asked, asking=asking, step=step, save_every=save_every, accept_identity=accept_identity)
    if engine == "ray" or len(several) > 1:
        total = len(chosen) * asking.count(options_of(asked, part))
        with watching(folder, f"{engine} x {actors if engine == 'ray' else len(several)}", total, shown=progress):
            _fill_by_several(partial(fill, progress=False), chosen, part, step, options)
        return Run.open(folder)
    if several:
        options["device"] = several[0]
    return fill(chosen, shard=part, model_options=options, progress=progress)


def _fill_by_several(fill: Part, chosen: Chosen, shard: Shard, step: ScoreStep, options: dict[str, Any]) -> None:
    """Fill the run by several processes: by actors of Ray, or by one for each device."""
    sources = [(entry, name) for entry, name in chosen if isinstance(entry, str)]
    if len(sources) < len(chosen):
        raise UsageError("several processes load the models themselves: give their names")
    if step.engine == "ray":
        on_ray(fill, shard, sources, step.actors, options)
    else:
        on_devices(partial(fill, sources), shard, step.devices, options)


def _prompt_word(prompt: str | Path | PromptFormat) -> str:
    """A prompt as one would type it: a name or a file; a template of Python is written as a file of its name."""
    if isinstance(prompt, str | Path):
        return str(prompt)
    return prompt.name if prompt.name in PROMPTS else f"{prompt.name}.yaml"


def _step(
    items: Items, chosen: Chosen, asking: RequestConfig, prompt: str | Path | PromptFormat, options: Mapping[str, Any]
) -> ScoreStep:
    """What is asked for, by names."""
    return ScoreStep(
        data=DataSource.of(items.origin),
        models=tuple(entry if isinstance(entry, str) else name or entry.name for entry, name in chosen),
        names=tuple(name for _, name in chosen if name),
        made_in_python=tuple(name or entry.name for entry, name in chosen if isinstance(entry, Model)),
        conditions=tuple(c.spec for c in asking.conditions),
        method=asking.method,
        orders=asking.orders,
        prompt=_prompt_word(prompt),
        run="",
        plugins=tuple(loaded_plugins()),
        model_options={
            key: value if isinstance(value, bool | int | float | str) else str(value)
            for key, value in options.items()
            if value
        },
    )


def _fill(
    items: Items, chosen: Chosen, *, asking: RequestConfig, step: ScoreStep, shard: Shard, save_every: float,
    progress: bool, model_options: Mapping[str, Any] | None = None, accept_identity: bool = False,
) -> Run:  # fmt: skip
    """Ask one model after another, in this process; ``step`` is what was asked for as a whole."""
    done: set[str] = set()
    for entry, name in chosen:
        with _opened(entry, name, model_options or {}) as model:
            if model.name in done:
                raise UsageError(f"two models are called {model.name}: give each a name to store its answers under")
            done.add(model.name)
            asking.check(model)
            manifest = _manifest(items, asking, model, step)
            store = Run.create_or_resume(Path(step.run), manifest, items, accept_identity=accept_identity)
            _ask_all(store, items, model, asking, shard, progress, save_every)
    return store


@contextmanager
def _opened(entry: Model | str, name: str | None, options: Mapping[str, Any]) -> Iterator[Model]:
    """A model that is ready to be asked; what was loaded here is closed in the end."""
    if isinstance(entry, Model):
        yield named(entry, name)
        return
    model = load_model(entry, name=name, **options)
    try:
        yield model
    finally:
        model.close()


def make_asking(
    conditions: str | Condition | Iterable[Condition | str],
    method: str,
    orders: str,
    prompt: str | Path | PromptFormat,
) -> RequestConfig:
    """How the questions are put, from names. UsageError where one is unknown, or the prompt will not do."""
    if method not in METHODS:
        raise UsageError(f"no method is called {method!r}; there are: {', '.join(METHODS)}")
    ORDERS.find(orders)
    chosen, put = conditions_to_ask(conditions), prompt_named(prompt)
    check_prompt(put, hides_question=not all(c.shows_question for c in chosen))
    return RequestConfig(chosen, method, orders, put)


def _ask_all(
    run: Run, items: Items, model: Model, asking: RequestConfig, shard: Shard, progress: bool, save_every: float
) -> None:
    # the name too: one checkpoint may be asked under two names, and each has its own answers
    # not the files: rows of older programs, which did not keep these, are the same; the run holds them against its own
    told = {name: value for name, value in model.identity().items() if name not in ADDED_LATER}
    fingerprint = stable_hash([model.name, told])
    model.keep_evidence(run.path / EVIDENCE)
    make = RequestBuilder(asking, model, fingerprint, partners(items, asking), run.answered(model.name))
    ahead = Prefetcher(make, by_clip(items, shard), fewest=max(REQUESTS[0], 2 * model.concurrency))
    total, held = RequestBatch(), run.quarantined_ids()
    waiting: list[Response] = []
    asked = failing = 0
    count = asking.count(options_of(items, shard))
    start = saved = time.monotonic()
    with Progress(model.name, count, shown=progress) as bar:
        try:
            for work in ahead:
                bar.skip(work.skipped)
                unheard = len(total.quarantined) + len(work.quarantined)
                if unheard >= HOPELESS and not (total.heard or work.heard):
                    raise AudiocontribError(
                        f"none of the first {unheard} clips can be heard, e.g. {work.quarantined[0].reason}"
                    )
                run.release(work.heard & held)  # a clip that was missing is there now
                if work.requests:
                    with unbroken(patient=True):  # what is answered is not asked again
                        answered = ask(model, work.requests, work.keys, asking)
                        waiting += answered
                    asked += len(answered)
                    bar.add(answered)
                    failing = failing + len(answered) if all(r.outcome == Outcome.FAILED for r in answered) else 0
                    if failing >= HOPELESS:
                        left = count - total.skipped - work.skipped - asked + failing
                        raise AudiocontribError(
                            f"{model.name}: the last {failing} questions all failed, e.g. {answered[-1].error}; "
                            f"{left:,} are left, and the same command asks them"
                        )
                total.add(replace(work, requests=[], keys=[], heard=set(list(work.heard)[:1])))  # to be counted only
                # ever more at once: a run of days would otherwise leave a part every few seconds
                if waiting and (now := time.monotonic()) - saved > max(save_every, (now - start) / 200):
                    with unbroken():
                        run.append(waiting)
                        waiting, saved = [], now
            for note in _notes(model, total):
                bar.note(note)
            if asked and progress:
                seconds = time.monotonic() - start
                more = model.summary()
                tell(
                    LOG,
                    f"{model.name}: {asked:,} questions in {seconds:,.1f} s ({asked / seconds:,.1f} a second); "
                    f"{ahead.waited / seconds:.0%} of it waiting for clips{'; ' * bool(more)}{more}",
                )
        finally:
            with unbroken():  # also when interrupted: what was answered is kept
                run.append(waiting)
                if total.quarantined:
                    run.quarantine(total.quarantined)


def _notes(model: Model, total: RequestBatch) -> Iterator[str]:
    """What the user should know of a model's part in the run."""
    if total.cut:
        yield f"{total.cut} sounds are longer than the {model.max_seconds:g} s that {model.name} hears, and were cut"
    if total.unpartnered:
        yield f"{total.unpartnered} questions that borrow a clip are left out: no other clip can stand in"


def _manifest(items: Items, asking: RequestConfig, model: Model, step: ScoreStep) -> dict[str, Any]:
    packages = ("audiocontrib", "torch", "transformers", "numpy", "soundfile", "librosa")
    return {
        "identity": {
            "dataset": {k: items.origin[k] for k in ("name", "revision", "mapping", "seed") if k in items.origin},
            "models": {model.name: model.identity()},
            "conditions": [c.spec for c in asking.conditions],
            "method": asking.method,
            "orders": asking.orders,
            "max_new_tokens": asking.max_new_tokens if asking.method == "generate" else None,
            "prompt": prompt_record(asking.prompt),
        },
        "origin": items.origin,
        "versions": {p: version(p) for p in packages} | {"python": platform.python_version()},
        "step": to_json(step),
    }
