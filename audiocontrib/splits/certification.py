"""Certification: a saved split's strong part, held against a model that took no part, or each of its own in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.contribution.certificate import Certificate, certificate
from audiocontrib.errors import UsageError
from audiocontrib.splits.sensitivity import leave_one_out
from audiocontrib.splits.settings import judges
from audiocontrib.splits.strong_options import strong_options
from audiocontrib.store.marks import of_split
from audiocontrib.store.runs import as_run
from audiocontrib.store.splits import SavedSplit, part_of, write_certificates

if TYPE_CHECKING:
    from audiocontrib.store import Run


def certify(
    run: Run,
    /,
    *,
    split: str,
    model: str | None = None,
    rotate: bool = False,
    condition: str = "text",
    method: str | None = None,
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
    save: bool = True,
) -> tuple[Certificate, ...]:
    """Bound how much of a strong set is still answered without the audio.

    Args:
        run: the run that holds the split.
        split: name of a saved split.
        model: the held-out model, best a text-only one of another family.
        rotate: instead of that: leave out each model of the split in turn, split again, certify with it.
        condition: one without the audio that the model was asked under.
        method: ``likelihood`` or ``generate``; needed only where the run holds both.
        repeat, think_tokens: which of several answers of the model counts, as in a
            :class:`~audiocontrib.contribution.scope.Scope`; None: what counted in the split.
        save: keep them beside the split, as ``certificate.json``; those of other splits, which ``rotate`` makes, as
            ``certificate-rotated.json``.

    Raises:
        UsageError: both or neither of ``model`` and ``rotate``, no such split, a model that took part in it, or a
            word that the run does not know.
        AudiocontribError: the model chose no option on any item of the set under the condition.

    Example:
        >>> [one] = ac.certify(run, split="votes-0.5", model="held-out")
        >>> one.in_words()
    """
    if (model is None) == (not rotate):
        raise UsageError("name the held-out model, or ask to rotate; one of the two")
    saved = as_run(run).split(split)
    if not saved.rule:
        raise UsageError(f"the split {split!r} does not say how it was made, so it is not known who took part in it")
    run = of_split(run, saved)
    several = {"repeat": repeat, "think_tokens": think_tokens}
    several = {name: saved.settings.get(name) if value is None else value for name, value in several.items()}
    asked = {"condition": condition, "method": method, **several}
    made = _rotated(run, saved, asked) if model is None else (_held_out(run, saved, model, asked),)
    if save:
        more = {"rotated": rotate} | {name: value for name, value in several.items() if value is not None}
        write_certificates(saved, [certificate_row(one) | more for one in made], rotated=rotate)
    return made


def certificate_row(one: Certificate) -> dict[str, Any]:
    """A certificate as JSON has it: what is not known is null."""
    row = {key: None if value != value else value for key, value in asdict(one).items()}
    return row | {"raters": list(one.raters)}


def _held_out(run: Run, saved: SavedSplit, model: str, asked: dict[str, Any]) -> Certificate:
    if model in [*saved.raters, *judges(saved.settings)]:
        raise UsageError(
            f"{model} took part in the split {saved.name!r}, so it certifies nothing; "
            "name a model that did not, or leave out each in turn (rotate)"
        )
    return _of_split(run, saved.table, saved.settings, model, asked, saved.name)


def _rotated(run: Run, saved: SavedSplit, asked: dict[str, Any]) -> tuple[Certificate, ...]:
    """For each model of the split: split by the others, and certify with it."""
    if named := set(saved.raters) & set(judges(saved.settings)):
        raise UsageError(f"{min(named)} is named by the rule {saved.rule} itself, so it cannot be left out in turn")
    return tuple(
        _of_split(run, other.table, other.settings, model, asked, f"{saved.name} without {model}")
        for model, other in leave_one_out(run, **saved.settings)
    )


def _of_split(
    run: Run, table: pa.Table, settings: Mapping[str, Any], model: str, asked: dict[str, Any], name: str
) -> Certificate:  # fmt: skip
    """Of one split: it names the split, its rule and who made it."""
    options = strong_options(run, table=table, settings=settings)
    made = certificate(run, strong=part_of(table, "strong"), model=model, options=options, **asked)
    return replace(made, split=name, rule=str(settings["rule"]), raters=tuple(settings.get("models", ())))
