"""Steps as commands that one can type in a shell.

It stands below the cards of data and models, which print commands and are made from Python too; nothing else below
the command line knows the names of its options. Tests hold every line against the options of the command line.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch
from typing import Any

from audiocontrib.provenance import (
    AuditStep,
    CertifyStep,
    CommandStep,
    DataSource,
    ImportStep,
    ScoreStep,
    SplitStep,
    Step,
    TrainStep,
    WeakToStrongStep,
)

Words = list[str]
MODEL_OPTIONS = ("device", "dtype", "attention", "thinking")
"""Options of a model that the command line has; and ``trust_remote_code``, which takes no value."""


def shell_lines(steps: Iterable[Step]) -> list[str]:
    """The commands that do the steps, each once; before a command that does not say all, a line ``# …`` that does."""
    lines = [line for step in steps for line in (*_remarks(step), _line(step))]
    return list(dict.fromkeys(lines))


def _line(step: Step) -> str:
    several = isinstance(step, TrainStep) and step.devices > 1
    start = ["accelerate", "launch", "--num_processes", str(step.devices), "-m"] if several else []  # type: ignore[union-attr]
    return shlex.join([*start, "audiocontrib", *command_words(step)])


@singledispatch
def command_words(step: Any) -> Words:
    """The words of the command that does a step, without the program's name."""
    raise TypeError(f"no command does a {type(step).__name__}")


@command_words.register
def _(step: ScoreStep) -> Words:
    options = {key: value for key, value in step.model_options.items() if key in MODEL_OPTIONS}
    about = {
        "model": step.models,
        "name": step.names,
        "condition": step.conditions,
        "method": step.method,
        "orders": step.orders,
        "prompt": step.prompt,
        "repeats": None if step.repeats == 1 else step.repeats,
        **_sampling(step.sampling),
        "max-new-tokens": step.max_new_tokens,
        "think-tokens": ",".join(map(str, step.think_tokens)) or None,
        "devices": ",".join(step.devices) or None,
        **options,
        "shard": None if step.shard == "1/1" else step.shard,
        "run": step.run,
        "plugin": step.plugins,
    }
    several = ["--engine", step.engine, "--actors", str(step.actors)] if step.engine != "local" else []
    trusted = ["--trust-remote-code"] if step.model_options.get("trust_remote_code") else []
    return ["score", *_data(step.data), *_options(about), *several, *trusted]


def _sampling(drawn: Mapping[str, int | float]) -> dict[str, int | float | None]:
    about = {"temperature": drawn.get("temperature"), "top-p": drawn.get("top_p"), "draw-seed": drawn.get("seed")}
    return {name: value for name, value in about.items() if (name, value) != ("top-p", 1)}


@command_words.register
def _(step: ImportStep) -> Words:
    about = {"from": step.tool, "model": step.model, "condition": step.condition, "column": _pairs(step.columns)}
    about |= {"condition-map": _pairs(step.conditions), "choice-as": step.choice_as, "empty-as": step.empty_as}
    repeated = ["--repeated"] if step.repeated else []
    return ["import", step.answers or "ANSWERS", *_data(step.data), *_options(about), *repeated, "--run", step.run]


@command_words.register
def _(step: AuditStep) -> Words:
    return ["audit", "--run", step.run]


@command_words.register
def _(step: SplitStep) -> Words:
    asked = step.settings
    about = {"name": step.name, "rule": asked.rule, "threshold": asked.threshold, "condition": asked.condition}
    more = [f"{key}={json.dumps(value)}" for key, value in asked.more.items()]
    several = {"method": asked.method, "repeat": asked.repeat, "think-tokens": asked.think_tokens}
    lists = {"model": asked.models, "leave-out": asked.leave_out, "without-marked": asked.without_marked, "set": more}
    marked = ["--corrected-keys"] if asked.corrected_keys else []
    return ["split", "--run", step.run, *_options({**about, **several, **lists}), *marked]


@command_words.register
def _(step: CertifyStep) -> Words:
    who = ["--rotate"] if step.model is None else ["--model", step.model]
    return ["certify", "--run", step.run, "--split", step.split, *who, "--condition", step.condition]


@command_words.register
def _(step: TrainStep) -> Words:
    about = {"training-recipe": step.recipe, "run": step.run, "split": step.split, "model": step.start}
    about |= {"prompt": step.prompt, "out": step.out}
    return ["train", step.stage, *_options({**about, "reward": step.rewards, "plugin": step.plugins})]


@command_words.register
def _(step: WeakToStrongStep) -> Words:
    return ["weak-to-strong", *_options({"plan": step.plan, "plugin": step.plugins})]


@command_words.register
def _(step: CommandStep) -> Words:
    return list(step.words)


def _data(data: DataSource) -> Iterator[str]:
    """The options by which a data set is read; one of the user's own is known by what is said of its answers."""
    own = data.answer_as is not None
    yield from ("--dataset", (own and (data.hub or data.path)) or data.name or "DATA")
    about = {
        "data": None if own else data.path,
        "audio-root": data.audio_root if data.path or data.hub else None,
        "revision": data.revision,
        "subset": data.split,
        "seed": data.seed,
        "limit": data.limit,
        "answer-as": data.answer_as,
        "encoding": data.encoding,
        "map": _pairs(data.mapping or {}),
    }
    yield from _options(about)


def _options(values: Mapping[str, Any]) -> Iterator[str]:
    """``--name value`` of each that is given; of a list, for each of its members."""
    for name, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None:
                yield from (f"--{name}", str(one))


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _remarks(step: Step) -> Iterator[str]:
    """What the command of a step does not say."""
    if isinstance(step, ImportStep) and step.answers is None:
        yield "# the answers were imported from Python: put their file in the place of ANSWERS"
    if isinstance(step, ScoreStep):
        if step.data.name is None:
            yield "# the questions were made in Python: put their file in the place of DATA"
        if step.made_in_python:
            # on one line, whatever a model calls itself: the rest of it would be a command
            names = " ".join(", ".join(step.made_in_python).split())
            yield f"# models that were made in Python, which no command can name: {names}"
        unsaid = {key: value for key, value in step.model_options.items()
                  if value is not None and key not in (*MODEL_OPTIONS, "trust_remote_code")}  # fmt: skip
        if unsaid:
            yield f"# and with options of the model that no command has: {json.dumps(unsaid)}"
