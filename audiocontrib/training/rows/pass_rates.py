"""Pass rates: which questions are worth a group of replies, and how much (see `docs/training.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from audiocontrib.arrow import texts
from audiocontrib.contribution.scope import scoped
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.store import Run
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.rows.base import TrainingRows, taken


def filter_by_pass_rate(rows: TrainingRows, settings: GRPO, run: Run, split: pa.Table | None) -> TrainingRows:
    """The rows that pass the filters ``pass_audio`` and ``pass_silent``, with weights if ``weigh`` is set.

    Raises:
        UsageError: weights are wanted and there is no split.
        AudiocontribError: the run lacks the answers, or no row is left.
    """
    if settings.pass_audio is None and settings.pass_silent is None and not settings.weigh:
        return rows
    ids = texts(rows.items.table["item_id"])
    rates: dict[str, Mapping[str, float]] = {}
    kept = set(ids)
    for condition, between in (("audio", settings.pass_audio), ("silence", settings.pass_silent)):
        if between is None and not (condition == "audio" and settings.weigh):
            continue
        rates[condition] = pass_rates(run, condition, settings.rater)
        if between is not None:
            low, high = between
            kept &= {i for i, rate in rates[condition].items() if low < rate < high}
    notes = [*rows.notes]
    if len(kept) < len(ids):
        notes.append(f"{len(ids) - len(kept & set(ids)):,} of {len(ids):,} items were left out by their pass rates")
    places = [place for place, name in enumerate(ids) if name in kept]
    if not places:
        raise AudiocontribError(f"{run.path}: no item is left by pass_audio and pass_silent; widen them")
    weights: Mapping[str, float] = {}
    if settings.weigh:
        if split is None:
            raise UsageError("weigh needs the scores of a split; name one")
        scores = dict(zip(texts(split["item_id"]), split["score"].to_pylist(), strict=True))
        weights = pass_rate_weights({ids[p]: rates["audio"].get(ids[p]) for p in places}, scores, run)
    return replace(rows, items=taken(rows.items, places), weights=weights, notes=tuple(notes))


def pass_rates(run: Run, condition: str, rater: str | None) -> dict[str, float]:
    """Item id -> how often a sampled answer would be right: the mean, over option orders and repeats, of the gold
    option's posterior, or for written replies of whether they were right.

    Raises:
        UsageError: several models answered, and none is named.
        AudiocontribError: none did.
    """
    with scoped(run, None, {}, every_repeat=True) as (con, _):
        sql = "select distinct model from responses where condition = $c and correct is not null"
        there = sorted(name for (name,) in con.execute(sql, {"c": condition}).fetchall())
        if (rater is not None and rater not in there) or not there:
            who = rater or "any model"
            raise AudiocontribError(
                f"{run.path} holds no answers of {who} under {condition!r}; ask for them first: audiocontrib score"
            )
        if rater is None and len(there) > 1:
            raise UsageError(f"{run.path} holds answers of several models; name the rater: {', '.join(there)}")
        found = con.execute(
            """
            select item_id, avg(case when r.posterior is null then r.correct::int
                                     else list_extract(r.posterior, i.answer + 1) end)
            from responses r join items i using (item_id)
            where r.model = $m and r.condition = $c and r.correct is not null group by 1
            """,
            {"c": condition, "m": there[0] if rater is None else rater},
        ).fetchall()
    return {name: min(1.0, max(0.0, rate)) for name, rate in found}


def pass_rate_weights(
    rates: Mapping[str, float | None], scores: Mapping[str, float | None], run: Run
) -> dict[str, float]:
    """p(1-p)c of each item, scaled to a mean of 1: the variance of the reward, and how likely listening is needed.

    Raises:
        AudiocontribError: an item has no pass rate or no score, or all weights are 0.
    """
    raw = {}
    for name, p in rates.items():
        c = scores.get(name)
        if p is None or c is None:
            raise AudiocontribError(f"{run.path}: {name} has no {'pass rate' if p is None else 'score'} to weigh it by")
        raw[name] = p * (1 - p) * c
    mean = sum(raw.values()) / len(raw)
    if mean == 0:
        raise AudiocontribError(f"{run.path}: all weights p(1-p)c are 0: every item is always or never right")
    return {name: value / mean for name, value in raw.items()}
