"""The information ledger: how many bits about the gold an item's options, question and audio give a model.

Log-posteriors add up, so an item's account closes. With p_c the calibrated posterior of the gold under
condition c, K options, and a mean over the donors where several clips were swapped in::

    bits_options  = log2 K + log2 p_options      bits_question = log2 p_text - log2 p_options
    bits_presence = mean log2 p_swap - log2 p_text     (any clip)
    bits_content  = log2 p_audio - mean log2 p_swap    (this clip, not just a clip)

    bits_text = bits_options + bits_question = log2 K p_text
    bits_audio = bits_presence + bits_content = log2 p_audio - log2 p_text
    bits_total = bits_text + bits_audio = log2 K p_audio

This is V-usable information item by item (arXiv 2110.08420, 2109.09234), with calibration in place of training.
Where answers differ by luck, two of them know more than one: presence can be a little above 0 for that alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import Values, floats, schema_of
from audiocontrib.conditions import borrows_clip, find_condition, is_null, not_known
from audiocontrib.contribution.calibration import FEWEST_CLIPS, FEWEST_ITEMS, Floats
from audiocontrib.contribution.ledger_entries import (
    ItemColumns,
    calibrated_bits,
    cells,
    item_columns,
    ledger_entries,
    log2_gold,
    over_donors,
)
from audiocontrib.contribution.posteriors import padded, posterior_table
from audiocontrib.contribution.scope import (
    Answers,
    CheckedScope,
    Scope,
    ScopeFields,
    check_contrast,
    held_conditions,
    scoped,
)
from audiocontrib.contribution.votes import vote_table

if TYPE_CHECKING:
    import duckdb

BITS = ("options", "question", "text", "presence", "content", "audio", "total", "gain")
WITH_ERROR = (*(f"bits_{name}" for name in BITS), "d_p")
ENTRIES = (
    *WITH_ERROR,
    *("presence_silence", "presence_noise", "raw_text", "raw_audio", "raw_total"),
    *("right_audio", "right_condition", "right_text"),
    *("abstained_audio", "abstained_condition", "abstained_text", "ac", "ac_as_good"),
)
WEIGHT_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    **dict.fromkeys(("own", "text", "surprise_before", "surprise_after"), pa.float64()),
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The accounts of all items. What was not asked, or has no vote or key, is null, with all that hangs on it."""

    table: pa.Table
    """One row per item and model, sorted: item_id, model, k, and ENTRIES:

    - bits_options … bits_total: as in the module's docstring.
    - bits_gain: log2 p_audio - log2 p_condition: what the item's clip adds over the condition.
    - d_p: p_audio - p_text (p_condition where the model was not asked under text), in [-1, 1].
    - presence_silence, presence_noise: log2 p_silence - log2 p_text, and so for noise.
    - raw_text, raw_audio, raw_total: the bits before calibration (pseudo-PVI).
    - right_audio, right_condition, right_text: 1 where the model's vote is right, else 0.
    - abstained_audio, abstained_condition, abstained_text: 1 where the model's vote declines, else 0.
    - ac: right_audio - right_condition, the audio contribution of arXiv 2509.21060, in {-1, 0, 1}.
    - ac_as_good: the same, if an abstention is worth what the model answers with the audio."""
    items: pa.Table
    """One row per item, sorted: item_id, k, the mean of each entry over ``models`` (null where one of them has
    no value, so that the sums hold), and for WITH_ERROR ``…_se``: standard deviation / √J over the J models. It
    covers how models differ, not how orders and donors do; null with one model."""
    models: tuple[str, ...]
    """The models that the means run over: those asked with the audio; where none was, all."""
    weights: pa.Table
    """What calibration learned, per model and condition: the mean weights over the folds of the condition's own
    log-posterior and of the one under ``text`` (null: no input, or too few items), and the mean surprise
    -log2 p(gold) before and, out of fold, after."""
    notes: tuple[str, ...]
    """Sentences on what could not be computed, and why."""


def ledger(
    run: Answers,
    /,
    *,
    calibrated: bool = True,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> Ledger:
    """The ledger of a run. Generated replies have no bits.

    Args:
        run: a run, or an open connection with its views.
        calibrated: whether posteriors are calibrated, out of fold by clip; else they stay as the models gave them.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`. The condition stands
            for the absence of the audio in ``ac`` and ``bits_gain``.

    Raises:
        UsageError: a word that the run does not know.
        AudiocontribError: the run holds both methods and none is named.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        return _ledger(con, checked, calibrated)


def _ledger(con: duckdb.DuckDBPyConnection, scope: CheckedScope, calibrated: bool) -> Ledger:
    asked, audio, method = held_conditions(con), scope.audio, scope.method
    swaps = tuple(sorted(c for c in asked if borrows_clip(c) and is_null(c)))
    roles: dict[str, tuple[str, ...]] = {name: (name,) for name in ("text", "options", "silence", "noise")}
    roles |= {"swap": swaps, "audio": (audio,), "condition": (scope.condition,)}
    wanted = sorted(asked & {spec for specs in roles.values() for spec in specs})
    items, told, voted = item_columns(con), posterior_table(con, wanted, method), vote_table(con, wanted, method)
    where, who_voted = cells(told, len(items.k)), cells(voted, len(items.k))
    accounts: dict[str, dict[str, Floats]] = {}
    learned: list[dict[str, Any]] = []
    for model in sorted({model for model, _ in where}):
        scores = {
            spec: padded(told["log_posterior"].take(rows), int(items.k.max()))
            for (of, spec), rows in where.items()
            if of == model
        }
        right, declined = (
            {
                role: floats(voted[name].take(who_voted[model, specs[0]]).cast(pa.float64()))
                for role, specs in roles.items()
                if specs and (model, specs[0]) in who_voted
            }
            for name in ("correct", "abstained")
        )
        raw, log2_p, weights = _bits(scores, roles, items, calibrated)
        accounts[model] = ledger_entries(raw, log2_p, right, items, declined)
        learned += [{"model": model, **row} for row in weights]
    heard = tuple(m for m in accounts if (m, audio) in where) or tuple(accounts)
    if told["log_posterior"].null_count == len(told):
        notes = ["the answers are replies without likelihoods: there are no bits"]
    else:
        notes = _gaps(where.keys(), roles, heard) + (_uncalibrated(learned) if calibrated else [])
    if unknown := not_known(asked):
        notes.append(unknown)
    return Ledger(
        _by_model(items, accounts),
        _by_item(items, [accounts[model] for model in heard]),
        heard,
        pa.Table.from_pylist(learned, schema=WEIGHT_SCHEMA),
        tuple(notes),
    )


def _bits(
    scores: Mapping[str, Floats], roles: Mapping[str, Sequence[str]], items: ItemColumns, calibrated: bool
) -> tuple[dict[str, Floats], dict[str, Floats], list[dict[str, Any]]]:
    """log2 p(gold) of one model by role, before and after calibration, and the rows of WEIGHT_SCHEMA."""
    here = {role: tuple(spec for spec in specs if spec in scores) for role, specs in roles.items()}
    raw: dict[tuple[str, ...], Floats] = {}
    log2_p: dict[tuple[str, ...], Floats] = {}
    rows = []
    for specs in sorted(set(here.values()) - {()}):
        own = [scores[spec] for spec in specs]
        raw[specs] = log2_p[specs] = over_donors([log2_gold(each, items) for each in own])
        if calibrated:
            text = None if _without_sound(specs[0]) else scores.get("text")
            log2_p[specs], weights = calibrated_bits(own, text, items)
            known = ~np.isnan(log2_p[specs])
            surprise = [float(-bits[specs][known].mean()) if known.any() else None for bits in (raw, log2_p)]
            row = [", ".join(specs), *[*(weights or []), None, None][:2], *surprise]
            rows.append(dict(zip(WEIGHT_SCHEMA.names[1:], row, strict=True)))
    before, after = ({role: bits[specs] for role, specs in here.items() if specs} for bits in (raw, log2_p))
    return before, after, rows


def _without_sound(spec: str) -> bool:
    found = find_condition(spec)
    return found is not None and not found.has_audio


def _by_model(items: ItemColumns, accounts: Mapping[str, Mapping[str, Floats]]) -> pa.Table:
    n, j = len(items.k), len(accounts)
    each = np.repeat(np.arange(n), j)
    columns: dict[str, Any] = {
        "item_id": items.item_id.take(each),
        "model": pa.array(list(accounts), pa.string()).take(np.tile(np.arange(j), n)),
        "k": np.repeat(items.k, j),
    }
    for name in ENTRIES:
        values = np.array([account[name] for account in accounts.values()]).reshape(j, n)
        columns[name] = _nullable(values.T.ravel())
    return pa.Table.from_pydict(columns)


def _by_item(items: ItemColumns, accounts: Sequence[Mapping[str, Floats]]) -> pa.Table:
    n, j = len(items.k), len(accounts)
    columns: dict[str, Any] = {"item_id": items.item_id, "k": items.k}
    for name in ENTRIES:
        values = np.array([account[name] for account in accounts]).reshape(j, n)
        columns[name] = _nullable(values.mean(axis=0) if j else np.full(n, np.nan))
        if name in WITH_ERROR:
            columns[f"{name}_se"] = _nullable(values.std(axis=0, ddof=1) / np.sqrt(j) if j > 1 else np.full(n, np.nan))
    return pa.Table.from_pydict(columns)


def _nullable(values: Floats) -> Values:
    return pa.array(values, from_pandas=True)  # NaN becomes null


def _gaps(asked: Collection[tuple[str, str]], roles: Mapping[str, Sequence[str]], models: Sequence[str]) -> list[str]:
    """What is null because a condition was not put to all the models that the means run over."""
    null = {
        "audio": "bits_total is null, and with it bits_audio, bits_gain, d_p and ac",
        "condition": "bits_gain and ac are null",
        "text": "bits_text and bits_audio are null; bits_total is their sum",
        "options": "bits_options and bits_question are null; bits_text is their sum",
        "swap": "bits_presence and bits_content are null; bits_audio is their sum",
    }
    notes = []
    for role, what in null.items():
        lack = [model for model in models if not any((model, spec) in asked for spec in roles[role])]
        if lack:
            who = "no model" if len(lack) == len(models) else f"not every model (not {', '.join(lack)})"
            notes.append(f"{who} was asked under {roles[role][0] if roles[role] else role}: {what}")
    return notes


def _uncalibrated(learned: Sequence[Mapping[str, Any]]) -> list[str]:
    few: dict[str, list[str]] = {}
    for row in learned:
        if row["own"] is None:
            few.setdefault(row["model"], []).append(row["condition"])
    need = f"fewer than {FEWEST_ITEMS} items with a key or {FEWEST_CLIPS} clips were answered"
    who = "; ".join(f"{model} ({', '.join(conditions)})" for model, conditions in few.items())
    return [f"not calibrated, as {need}: {who}"] if few else []
