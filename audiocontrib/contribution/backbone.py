"""What an audio model knows from the text beyond a text model: its own text-only backbone, or another one."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import integers, schema_of, texts
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, known, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import CHANGE, gain, mcnemar, mean_by_clip

READ = "text"
"""What a reference is asked under: it hears nothing."""
BACKBONE_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "model", "condition", "reference"), pa.string()),
    n=pa.int64(),
    **dict.fromkeys(("accuracy", "reference_accuracy", "abstained", "reference_abstained", "chance"), pa.float64()),
    **dict.fromkeys(("beyond", "low", "high"), pa.float64()),
    **dict.fromkeys(("only_model", "only_reference"), pa.int64()),
    mcnemar=pa.float64(),
)


def beyond_backbone(
    run: Answers, /, *, reference: str | None = None, scope: Scope | None = None, **words: Unpack[ScopeFields]
) -> pa.Table:
    """One row per data set and model that was asked with the audio (BACKBONE_SCHEMA).

    Args:
        run: a run, or an open connection with its views.
        reference: the text model, asked under ``text``; None: the only model of the run that never heard the audio.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; the audio models are
            asked under its condition.

    Returns:
        On the items with a key and both votes: n, accuracy, reference_accuracy, the shares of abstentions, chance (mean
        1/K); beyond: what the audio model knows from the text beyond the reference, the difference of their
        chance-corrected accuracies, abstentions credited with 1/K (below 0: it knows less), with its 95 % interval
        clustered by clip; only_model, only_reference: items that one of the two has right, and McNemar's exact p.

    Raises:
        UsageError: it is not clear which model is the reference, or it was not asked under ``text``.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        told = count_answers(con, conditions=sorted({checked.audio, checked.condition, READ}), method=checked.method)
        about = arrow_table(
            con.sql("select dense_rank() over (order by clip_id) as clip, dataset from items order by item_id")
        )
    cast, cells = count_votes(told), {cell: place for place, cell in enumerate(told.cells)}
    reference = _reference(told, reference, checked.audio)
    clip, dataset = integers(about["clip"]), np.array(texts(about["dataset"]), dtype=object)
    rows: list[dict[str, Any]] = []
    for model in sorted({model for model, condition in cells if condition == checked.audio} - {reference}):
        own, other = cells.get((model, checked.condition)), cells[reference, READ]
        if own is None:
            continue
        both = (cast.problem[:, [own, other]] == 0).all(axis=1) & (told.gold >= 0)
        for name in sorted(set(dataset[both])):
            on = both & (dataset == name)
            heard = cast.heard(own, other, on)
            room = 1 - float(heard.chance.mean())
            found = mean_by_clip(gain(heard.sides()), clip[on], CHANGE)
            low, high = found.interval()
            only = int((heard.right_audio & ~heard.right_without).sum())
            only_reference = int((heard.right_without & ~heard.right_audio).sum())
            rows.append(
                {
                    "dataset": name,
                    "model": model,
                    "condition": checked.condition,
                    "reference": reference,
                    "n": int(on.sum()),
                    "accuracy": float(heard.right_audio.mean()),
                    "reference_accuracy": float(heard.right_without.mean()),
                    "abstained": float(heard.declined_audio.mean()),
                    "reference_abstained": float(heard.declined_without.mean()),
                    "chance": 1 - room,
                    "beyond": found.mean / room,
                    "low": low / room,
                    "high": high / room,
                    "only_model": only,
                    "only_reference": only_reference,
                    "mcnemar": mcnemar(only, only_reference),
                }
            )
    return pa.Table.from_pylist(rows, schema=BACKBONE_SCHEMA)


def _reference(told: AnswerCounts, named: str | None, audio: str) -> str:
    """The reference, asked under READ."""
    reads, hears = ({model for model, condition in told.cells if condition == one} for one in (READ, audio))
    if named is not None:
        known("model", named, {model for model, _ in told.cells})
        if named not in reads:
            raise UsageError(f"reference is {named!r}, which the run did not ask under {READ!r}; score it so first")
        return named
    if len(deaf := sorted(reads - hears)) != 1:
        there = f"these never heard the audio: {', '.join(deaf)}" if deaf else "every model of the run heard the audio"
        raise UsageError(f"say which text model is the reference; {there}", argument="reference")
    return deaf[0]
