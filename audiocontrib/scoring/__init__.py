"""How models are asked: every item under every condition and option order, resumable at any moment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from audiocontrib.conditions import Condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item, Items
from audiocontrib.log import tell
from audiocontrib.models import Model, load_model, model_list, named
from audiocontrib.prompts import DEFAULT_PROMPT, PromptFormat, check_prompt, prompt_named
from audiocontrib.provenance import ScoreStep
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
from audiocontrib.scoring.record import Chosen, run_manifest, score_step
from audiocontrib.scoring.sampling import GREEDY, Sampling
from audiocontrib.stopping import unbroken
from audiocontrib.store import Run
from audiocontrib.store.identity import ADDED_LATER

HOPELESS = 200
"""So many items without one clip that can be heard: the audio folder is wrong, not the items. So many failures without
one answer: the model, or its server, is gone."""

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
    sampling: Sampling = GREEDY,
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
        method: ``likelihood`` (log p of each option in the answer tag), ``generate`` (a reply) or ``think-likelihood``.
        orders: ``cyclic`` (every option once in every place) or ``given``.
        prompt: name of a registered prompt, a file (:func:`audiocontrib.prompts.read_prompt`) or a template.
        sampling: how often each question is asked, and how replies are drawn (:class:`Sampling`); once and greedily.
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
    asked, asking = items_to_ask(items), make_asking(conditions, method, orders, prompt, sampling)
    part, folder, several = shard_of(shard), run_folder(run), device_list(devices)
    chosen = model_list(models, names)
    for made in (entry for entry, _ in chosen if isinstance(entry, Model)):
        asking.check(made)
    options = dict(model_options or {})
    step = replace(
        score_step(asked, chosen, asking, prompt, options), run=str(folder), shard=f"{part.index}/{part.of}",
        engine=engine, devices=tuple(several), actors=actors,
    )  # fmt: skip
    fill = partial(_fill, asked, asking=asking, step=step, save_every=save_every, accept_identity=accept_identity)
    if engine == "ray" or len(several) > 1:
        total = len(chosen) * asking.count(options_of(asked, part))
        return _filled_by_several(fill, chosen, part, step, options, total if progress else None)
    if several:
        options["device"] = several[0]
    return fill(chosen, shard=part, model_options=options, progress=progress)


def _filled_by_several(
    fill: Part, chosen: Chosen, shard: Shard, step: ScoreStep, options: dict[str, Any], shown: int | None
) -> Run:
    """The run, filled by several processes: by actors of Ray, or by one for each device.

    Args:
        shown: questions in all, for a bar of their progress; None: no bar.
    """
    sources = [(entry, name) for entry, name in chosen if isinstance(entry, str)]
    if len(sources) < len(chosen):
        raise UsageError("several processes load the models themselves: give their names")
    on_cluster, folder = step.engine == "ray", Path(step.run)
    several = f"{step.engine} x {step.actors if on_cluster else len(step.devices)}"
    with watching(folder, several, shown or 0, shown=shown is not None):
        if on_cluster:
            on_ray(partial(fill, progress=False), shard, sources, step.actors, options)
        else:
            on_devices(partial(fill, sources, progress=False), shard, step.devices, options)
    return Run.open(folder)


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
            manifest = run_manifest(items, asking, model, step)
            store = Run.create_or_resume(Path(step.run), manifest, items, accept_identity=accept_identity)
            _ask_all(store, items, model, asking.of(model), shard, progress, save_every)
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
    sampling: Sampling = GREEDY,
) -> RequestConfig:
    """How the questions are put, from names. UsageError where one is unknown, or the prompt will not do."""
    if not isinstance(sampling, Sampling):
        raise UsageError(f"sampling is {sampling!r:.60}, but is made by Sampling(repeats=…, temperature=…)")
    if method not in METHODS:
        raise UsageError(f"no method is called {method!r}; there are: {', '.join(METHODS)}")
    ORDERS.find(orders)
    chosen, put = conditions_to_ask(conditions), prompt_named(prompt)
    check_prompt(put, hides_question=not all(c.shows_question for c in chosen))
    return RequestConfig(chosen, method, orders, put, sampling=sampling)


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
            for note in _notes(model, total, asking.method):
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


def _notes(model: Model, total: RequestBatch, method: str) -> Iterator[str]:
    """What the user should know of a model's part in the run."""
    if model.thinks and method == "likelihood":
        yield f"{model.name} thinks before it answers, and was asked before any thought; think-likelihood asks after it"
    if total.cut:
        yield f"{total.cut} sounds are longer than the {model.max_seconds:g} s that {model.name} hears, and were cut"
    if total.unpartnered:
        yield f"{total.unpartnered} questions that borrow a clip or an option are left out: no other item can lend one"
