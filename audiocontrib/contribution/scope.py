"""Scope: which answers of a run a measure looks at, checked once against what the run holds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from audiocontrib.contribution.repeat_view import (
    checked_bound,
    checked_repeat,
    in_words,
    one_answer,
    one_bound,
    say_once,
)
from audiocontrib.contribution.run_view import HasConnection, connected, only_models
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.responses import METHODS

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.conditions import Condition


class ScopeFields(TypedDict, total=False):
    """The fields of a :class:`Scope`, as the keywords that every measure takes."""

    condition: str
    audio: str
    method: str | None
    models: str | Sequence[str] | None
    prompt: str | None
    repeat: str | int | None
    think_tokens: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which answers are looked at; each word has this one meaning everywhere.

    Example:
        >>> from_text = ac.Scope(condition="text", method="likelihood")
        >>> ac.contributions(run, scope=from_text)
        >>> ac.contributions(run, condition="text", method="likelihood")  # the same
    """

    condition: str = "silence"
    """The condition without the item's own audio, as it is written: ``silence``, ``text``, ``silence:matched``."""
    audio: str = "audio"
    """The condition with the audio."""
    method: str | None = None
    """``likelihood`` or ``generate``; needed only where the run holds both."""
    models: str | Sequence[str] | None = None
    """Whose answers count: one name, or several; None: all."""
    prompt: str | None = None
    """The prompt that the run was asked with. A run has one, so this only makes sure of it; None: whatever it was."""
    repeat: str | int | None = None
    """Which of several replies to the same question counts: ``first``, a number, or ``majority`` (one answer for each
    order: the choice of most repeats, of posteriors their mean). None: the first, and that is said. Means over repeats
    are in :func:`~audiocontrib.contribution.repeats.repeats`."""
    think_tokens: str | int | None = None
    """Which bound of thoughts counts, where questions were asked with several: a number, or ``free`` (none of its own).
    None: the largest, and that is said."""

    def check(self, con: duckdb.DuckDBPyConnection) -> CheckedScope:
        """The scope as the run has it.

        Raises:
            UsageError: a word that the run does not know. The line lists what there is.
            AudiocontribError: the run was asked by both methods under these conditions, and none is named.
        """
        held = con.execute("select distinct model, condition, method from responses").fetchall()
        bound = checked_bound(self.think_tokens, con)
        with one_bound(con, bound):
            repeat = checked_repeat(self.repeat, con)
        from audiocontrib.conditions import borrows_option

        models, conditions, methods = ({row[place] for row in held} for place in range(3))
        for field in ("condition", "audio"):
            word = getattr(self, field)
            if not isinstance(word, str):
                raise UsageError(f"{field} is {word!r}, but is the name of a condition, such as 'silence'")
            if borrows_option(word):
                raise UsageError(
                    f"{field} is {word!r}, which offers one option more than an item has: it is read by the rule fdr "
                    "with foreign decoys, and compared with no other condition"
                )
            if word != Scope.__dataclass_fields__[field].default:  # what was not asked for is just not there
                known("condition", word, conditions)
        if self.method is not None:
            if self.method not in METHODS:
                raise UsageError(f"method is {self.method!r}; it can be: {', '.join(METHODS)}")
            known("method", self.method, methods)
        counted = None if self.models is None else tuple(sorted(set(_names(self.models))))
        for name in counted or ():
            known("model", name, models)
        if self.prompt is not None:
            _check_prompt(self.prompt, con)
        return CheckedScope(
            condition=self.condition,
            audio=self.audio,
            method=self.method,
            models=counted,
            prompt=self.prompt,
            repeat=repeat,
            think_tokens=bound,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedScope(Scope):
    """A scope that was checked, with the connection narrowed to its models and answers: it is not checked again.

    ``repeat`` is None where each question has one reply, and ``think_tokens`` where all thoughts have one bound.
    """

    def unnamed(self, wanted: Scope) -> str:
        """In words, what counts of several answers though ``wanted`` does not name it."""
        repeat = self.repeat if wanted.repeat is None else None
        return in_words(repeat, self.think_tokens if wanted.think_tokens is None else None)


Answers: TypeAlias = "HasConnection | duckdb.DuckDBPyConnection"
"""What measures read: a :class:`~audiocontrib.store.Run`, or an open connection with its views."""


@contextmanager
def scoped(
    run: Answers, scope: Scope | None, words: Mapping[str, Any], *, every_repeat: bool = False
) -> Iterator[tuple[duckdb.DuckDBPyConnection, CheckedScope]]:
    """A connection that shows the answers in scope only, and the checked scope.

    Args:
        run: a run, or a connection, which stays open.
        scope: a scope, or None for the usual one.
        words: fields of the scope by keyword, in place of a scope.
        every_repeat: whether all replies to a question are shown, for measures of repeats alone.

    Raises:
        UsageError: both a scope and fields of one are given, an unknown field, an unknown word, or no run.
    """
    wanted = wanted_scope(scope, words)
    if every_repeat and wanted.repeat is not None:
        raise UsageError("this table is about all repeats together: leave repeat out")
    with connected(run) as con:
        if isinstance(wanted, CheckedScope):
            yield con, wanted
            return
        checked = wanted.check(con)
        if every_repeat:
            checked = replace(checked, repeat=None)
        say_once(run, con, checked.unnamed(wanted))
        with only_models(con, checked.models), one_answer(con, checked.repeat, checked.think_tokens):
            yield con, checked


def wanted_scope(scope: Scope | None, words: Mapping[str, Any]) -> Scope:
    """The scope that is meant by a scope, or by its fields. UsageError for both, or for a field that there is not."""
    if unknown := words.keys() - _FIELDS:
        raise UsageError(f"there is no argument {min(unknown)!r}; those of a scope are: {', '.join(_FIELDS)}")
    if scope is not None and words:
        raise UsageError(f"give a scope, or its fields by keyword ({', '.join(sorted(words))}); one of the two")
    if scope is not None and not isinstance(scope, Scope):
        raise UsageError(f"scope is {scope!r}, but must be a Scope")
    return scope or Scope(**words)


def check_contrast(scope: Scope) -> None:
    """UsageError where ``condition`` plays the item's own clip, or ``audio`` does not: their difference says nothing.

    A condition that is not known here (of a plugin that is not loaded) may be either.
    """
    from audiocontrib.conditions import find_condition

    for field, heard in (("condition", False), ("audio", True)):
        word = getattr(scope, field)
        found = find_condition(word)
        if found is not None and found.hears_own_clip != heard:
            raise UsageError(
                f"{field} is {word!r}, {'without' if heard else 'with'} the item's own audio; "
                f"name a condition {'with' if heard else 'without'} it"
            )
    without, whole = (find_condition(word) for word in (scope.condition, scope.audio))
    if without is not None and without.control and (whole is None or not without.dose or without.dose != whole.dose):
        raise UsageError(
            f"condition is {scope.condition!r}, which means something only beside {_beside(without)}; "
            "name another without the item's own audio"
        )


def _beside(control: Condition) -> str:
    return f"{control.spec.removeprefix('swap-')!r}, as audio" if control.dose else "its own table"


_FIELDS = tuple(field.name for field in fields(Scope))


def with_condition(scope: CheckedScope, condition: str) -> CheckedScope:
    """The scope under another condition that is known to be held, or may be missing."""
    return replace(scope, condition=condition)


def known(what: str, word: Any, there: Iterable[str]) -> None:
    """UsageError, in one line that lists what there is, if the run holds no answers of a condition, model or method."""
    held = sorted(there)
    if word in held:
        return
    place = {"condition": "under", "method": "by method", "model": "of"}[what]
    near = difflib.get_close_matches(str(word), held, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = f"it holds those {place}: {', '.join(held)}" if held else "it holds none at all yet"
    later = "; score under it first to have them" if what == "condition" and not near and _is_condition(word) else ""
    raise UsageError(f"the run holds no answers {place} {word!r}; {hint}{listed}{later}")


def _is_condition(word: Any) -> bool:
    from audiocontrib.conditions import condition

    try:
        return bool(condition(word).spec)
    except (UsageError, AttributeError):
        return False


def held_conditions(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The conditions under which anything was asked, as they are written."""
    return {name for (name,) in con.execute("select distinct condition from responses").fetchall()}


def held_of(con: duckdb.DuckDBPyConnection, conditions: str | Sequence[str] | None) -> list[str] | None:
    """The conditions named, each of which the run must hold; None: all. UsageError that lists what there is."""
    if conditions is None:
        return None
    wanted, held = [conditions] if isinstance(conditions, str) else list(conditions), held_conditions(con)
    for name in wanted:
        known("condition", name, held)
    return wanted


def not_asked(condition: str, who: str = "") -> AudiocontribError:
    """What a measure says that cannot do without a condition."""
    whose = f" of {who}" if who else ""
    return AudiocontribError(f"the run holds no answers{whose} under {condition!r}; score under it first")


def _names(models: str | Sequence[str]) -> list[str]:
    if not isinstance(models, str | Sequence):
        raise UsageError(
            f"models is {' '.join(repr(models).split()):.80}, but is the name of a model, or a list of names"
        )
    names = [models] if isinstance(models, str) else list(models)
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise UsageError(f"models holds {wrong[0]!r}, which is not the name of a model")
    if not names:
        raise UsageError("models names no model; leave it out to count all")
    return names


def _check_prompt(prompt: str, con: duckdb.DuckDBPyConnection) -> None:
    [[asked]] = con.execute("select getvariable('audiocontrib_prompt')").fetchall()
    if asked is None:
        raise UsageError(f"prompt is {prompt!r}, but the run does not say which one it was asked with; leave it out")
    if asked != prompt:
        raise UsageError(f"prompt is {prompt!r}, but the run was asked with {asked!r}; a run has one prompt")
