"""What a report opens with: of every model, how it answers with the audio and without, and what the audio adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiocontrib.evaluation.benchmarks import benchmark_rows
from audiocontrib.number_text import NONE, audio_adds, share_between, signed

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.contribution.answer_counts import AnswerCounts
    from audiocontrib.contribution.scope import CheckedScope

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """A model on a data set, or on one part of it, in words."""

    dataset: str
    part: str
    """A question type; ``all``: the whole set."""
    model: str
    questions: int
    with_audio: str
    """Accuracy with its interval."""
    without: str
    answers_with: str
    """right / wrong / abstained."""
    answers_without: str
    adds: str
    """What the audio adds over the condition, of what is open there, with its interval."""
    sentence: str
    """What follows."""


def first_answers(
    con: duckdb.DuckDBPyConnection, scope: CheckedScope, told: AnswerCounts, *, by: str | None = None
) -> list[FirstAnswer]:
    """One for each data set, part and model that has answers under both conditions of the scope.

    Args:
        con: a run's views.
        scope: which condition is held against which.
        told: the answers, counted.
        by: parts: ``question_type``; None: data sets as a whole.
    """
    rows = list(benchmark_rows(con, scope, told, by, constant=False))
    found: dict[tuple[str, ...], Row] = {
        (row["dataset"], row["part"], row["model"], row["condition"]): row for row in rows
    }
    cells = dict.fromkeys((row["dataset"], row["part"], row["model"]) for row in rows)
    return list(_answers(found, list(cells), scope))


def _answers(
    found: Mapping[tuple[str, ...], Row], cells: Sequence[tuple[str, str, str]], scope: CheckedScope
) -> Iterator[FirstAnswer]:
    for dataset, part, model in cells:
        with_audio, without = (found.get((dataset, part, model, name)) for name in (scope.audio, scope.condition))
        if not (with_audio and without and with_audio["n"] and without["n"]):
            continue
        value, low, high = (without[name] for name in ("contribution", "contribution_low", "contribution_high"))
        yield FirstAnswer(
            dataset, part, model, with_audio["n"], _accuracy(with_audio), _accuracy(without), _answered(with_audio),
            _answered(without), signed(value, low, high), audio_adds(low, high) if value is not None else NONE,
        )  # fmt: skip


def _accuracy(row: Row) -> str:
    if row["low"] is None:
        return f"{row['right']} of {row['n']}"
    return share_between(row["accuracy"], row["low"], row["high"])


def _answered(row: Row) -> str:
    return " / ".join(f"{row[name]:,}" for name in ("right", "wrong", "abstained"))
