"""What an audio model knows from the text beyond a text model: its own text-only backbone, or another one."""

from __future__ import annotations

from itertools import product
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of, texts
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, known, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import CHANGE, Heard, gain, mcnemar, mean_by_clip

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
    """One row per data set, model that was asked with the audio, and reference (BACKBONE_SCHEMA).

    Args:
        run: a run, or an open connection with its views.
        reference: the text model, asked under ``text``; None: each model of the run that never heard the audio.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; the audio models are
            asked under its condition.

    Returns:
        On the items with a key and both votes: n, accuracy, reference_accuracy, the shares of abstentions, chance (mean
        1/K); beyond: what the audio model knows from the text beyond the reference, the difference of their
        chance-corrected accuracies, abstentions credited with 1/K (below 0: it knows less), with its 95 % interval
        clustered by clip; only_model, only_reference: items that one of the two has right, and McNemar's exact p.

    Raises:
        UsageError: the run did not ask the reference under ``text``.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        told = count_answers(con, conditions=sorted({checked.audio, checked.condition, READ}), method=checked.method)
        about = arrow_table(
            con.sql("select dense_rank() over (order by clip_id) as clip, dataset from items order by item_id")
        )
    clip, dataset = integers(about["clip"]), np.array(texts(about["dataset"]), dtype=object)
    cast, cells = count_votes(told), {cell: place for place, cell in enumerate(told.cells)}
    references = _references(told, reference, checked.audio)
    hears = sorted({model for model, condition in cells if condition == checked.audio} - set(references))
    rows: list[dict[str, Any]] = []
    for model, other in product(hears, references):
        own, read = cells.get((model, checked.condition)), cells[other, READ]
        if own is None:
            continue
        both = (cast.problem[:, [own, read]] == 0).all(axis=1) & (told.gold >= 0)
        place = {"model": model, "condition": checked.condition, "reference": other}
        for name in sorted(set(dataset[both])):
            on = both & (dataset == name)
            rows.append({"dataset": name} | place | _compared(cast.heard(own, read, on), clip[on]))
    return pa.Table.from_pylist(rows, schema=BACKBONE_SCHEMA)


def _compared(heard: Heard, clip: NDArray[np.int64]) -> dict[str, Any]:
    """The model, as that which is heard, against the reference."""
    chance = float(heard.chance.mean())
    found = mean_by_clip(gain(heard.sides()), clip, CHANGE)
    low, high = (None if end is None else end / (1 - chance) for end in found.interval().ends())
    only = int((heard.right_audio & ~heard.right_without).sum())
    only_reference = int((heard.right_without & ~heard.right_audio).sum())
    return {
        "n": len(clip),
        "accuracy": float(heard.right_audio.mean()),
        "reference_accuracy": float(heard.right_without.mean()),
        "abstained": float(heard.declined_audio.mean()),
        "reference_abstained": float(heard.declined_without.mean()),
        "chance": chance,
        "beyond": found.mean / (1 - chance),
        "low": low,
        "high": high,
        "only_model": only,
        "only_reference": only_reference,
        "mcnemar": mcnemar(only, only_reference),
    }


def _references(told: AnswerCounts, named: str | None, audio: str) -> list[str]:
    """The references, asked under READ."""
    reads, hears = ({model for model, condition in told.cells if condition == one} for one in (READ, audio))
    if named is None:
        return sorted(reads - hears)
    known("model", named, {model for model, _ in told.cells})
    if named not in reads:
        raise UsageError(f"reference is {named!r}, which the run did not ask under {READ!r}; score it so first")
    return [named]
