"""The steps that filled a run, and those that make one of its splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.provenance.json_values import from_json
from audiocontrib.provenance.steps import (
    AuditStep,
    CommandStep,
    DataSource,
    ImportStep,
    ScoreStep,
    SplitSettings,
    SplitStep,
    Step,
)
from audiocontrib.store import Run
from audiocontrib.store.manifest import MANIFEST

FILLING = ("score", "import", "demo")
"""Commands that fill a run."""


def run_steps(run: Run) -> tuple[Step, ...]:
    """The steps that filled a run, the first one first.

    A run of audiocontrib 0.1 knows the commands that were typed; where it was filled from Python, a step is made up
    from what the run says of its data, its models and how they were asked.

    Raises:
        AudiocontribError: run.json holds a step that cannot be read.
    """
    earlier = run.manifest.get("earlier", [])
    if not (isinstance(earlier, list) and all(isinstance(start, dict) for start in earlier)):
        raise AudiocontribError(f"{run.path / MANIFEST}: earlier: it must be a list of starts, with fields and values")
    starts = [*earlier, run.manifest]
    found: list[Step] = []
    for start in starts:
        found += [step for step in _started(run, start) if step not in found]
    return tuple(found) or (_made_up(run),)


def split_steps(run: Run, name: str, settings: SplitSettings) -> tuple[Step, ...]:
    """The steps that make the split called ``name`` by its settings."""
    before = (AuditStep(run=str(run.path)),) if settings.rule == "audit" else ()
    return (*before, SplitStep(run=str(run.path), name=name, settings=settings))


def data_of(run: Run) -> DataSource:
    """The data set of a run."""
    identity = run.manifest.get("identity", {})
    return DataSource.of({**identity.get("dataset", {}), **(run.manifest.get("origin") or {})})


def _started(run: Run, start: Mapping[str, Any]) -> Iterator[Step]:
    if "step" in start:
        yield from_json(Step, start["step"], run.path / MANIFEST, "step")
    elif isinstance(words := start.get("command"), list) and len(words) > 1 and words[1] in FILLING:
        yield CommandStep(words=tuple(map(str, words[1:])))


def _made_up(run: Run) -> Step:
    identity = run.manifest.get("identity", {})
    if identity.get("orders") == "imported":
        return ImportStep(answers=None, data=data_of(run), run=str(run.path))
    return ScoreStep(
        data=data_of(run),
        models=tuple(identity.get("models", {})),
        conditions=tuple(identity.get("conditions", ())),
        method=identity.get("method") or "likelihood",
        orders=identity.get("orders") or "cyclic",
        prompt=_prompt_word(identity.get("prompt") or {}),
        run=str(run.path),
    )


def _prompt_word(record: Mapping[str, Any]) -> str | None:
    """What one types for a prompt: its name, or a file with the text that the run keeps."""
    name = record.get("name")
    return f"{name}.yaml" if "user" in record else name
