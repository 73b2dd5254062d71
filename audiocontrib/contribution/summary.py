"""The contribution of the audio over groups of items, with intervals clustered by clip."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.accuracies import EXTRA, GROUPS, check_extra, contribution_of, group_value
from audiocontrib.contribution.leak_estimates import ends_of_share, leak_share
from audiocontrib.contribution.measure import measure
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table, sql
from audiocontrib.statistics import ClusteredMean, binomial_at_least, chance_corrected, mean_by_clip

Column = NDArray[Any]

BITS = ("text", "audio", "presence", "content", "total")
COLUMNS = schema_of(
    **dict.fromkeys(("n", "clips", "unsolved"), pa.int64()),
    **dict.fromkeys(
        (
            *("chance", "accuracy_audio", "accuracy_condition", "accuracy_text"),
            *("abstained_audio", "abstained_condition", "abstained_text"),
            *("kappa_audio", "kappa_condition", "kappa_text"),
            *("contribution", "contribution_low", "contribution_high"),
            *("least_contribution", "most_contribution", "ac"),
            *(f"bits_{name}{end}" for name in BITS for end in ("", "_low", "_high")),
            *("share_text", "share_audio"),
            *("leak_share", "leak_share_low", "leak_share_high", "weak_by_luck"),
        ),
        pa.float64(),
    ),
    **dict.fromkeys(("contribution_interval", "bits_interval", "leak_share_interval"), pa.string()),
)


def summary(
    run: Answers,
    /,
    *,
    by: str | None = None,
    measured: pa.Table | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per group of items, sorted by the group.

    Args:
        run: a run, or an open connection with its views.
        by: one of GROUPS, ``k`` (the number of options) or ``extra.NAME`` (its value as text; null where an
            item lacks it); None: one row for all.
        measured: the table of :func:`~audiocontrib.contribution.measure.measure` for the same arguments, where
            there is one already.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        ``by``, and of the items with a key and the votes of all models (those asked with the audio) both with
        the audio and under the condition, or under the condition alone where the audio was not asked:

        - n, clips; unsolved: items that no model gets right with the audio; chance: mean 1/K.
        - accuracy_audio, accuracy_condition, accuracy_text: means over models and items; ``abstained_…``: share of
          the votes that decline, which are not right.
        - ``kappa_…``: (accuracy - chance) / (1 - chance) with abstentions credited with 1/K; contribution: kappa_audio
          - kappa_condition, and its 95 % interval; least_contribution, most_contribution: if all abstentions were
          worth what the model answers with the audio, nothing, or 1/K; ac: accuracy_audio - accuracy_condition.
        - bits_text, …: mean calibrated bits of the ledger with their 95 % intervals; share_text, share_audio:
          mean of bits / log2 K (1: all that there is to know).
        - leak_share: share of the items that their text answers, from the decoys, with its 95 % interval.
        - weak_by_luck: share of the items that the published vote would call weak if all models guessed.

        What was not asked or is not identified is null. Intervals are by clip, over items, with their kinds
        (``…_interval``): models and orders are taken as given.

    Raises:
        UsageError: no such group.
        AudiocontribError: the run holds both methods and none is named.

    Example:
        >>> ac.summary(run, by="question_type").to_pandas()
    """
    if by is not None and by not in (*GROUPS, "k") and not EXTRA.fullmatch(str(by)):
        raise UsageError(f"summary by {by}: it can be by {', '.join(GROUPS)}, k or extra.NAME")
    group = {None: "null", "k": "len(choices)"}.get(by) or group_value(str(by))
    with scoped(run, scope, words) as (con, checked):
        check_extra(con, [by] if by else [])
        groups = arrow_table(
            con.sql(f'select item_id, {group} as "group", dense_rank() over (order by clip_id) as clip from items')
        )
        measured = measure(con, scope=checked).table if measured is None else measured
    table = sql(
        """
        select *, dense_rank() over (order by "group") as code from measured join groups using (item_id)
        where right_condition is not null
            and (right_audio is not null or not exists (from measured where right_audio is not null))
        order by code, item_id
        """,
        measured=measured,
        groups=groups,
    )
    edges = np.flatnonzero(np.diff(table["code"].to_numpy(), prepend=0, append=0))
    rows = []
    for start, stop in pairwise(edges.tolist()):
        part = table.slice(start, stop - start)
        rows.append({by or "": part["group"][0].as_py()} | _summed(part))
    schema = pa.schema([groups.schema.field("group").with_name(by), *COLUMNS] if by else COLUMNS)
    return pa.Table.from_pylist(rows, schema=schema)


def _summed(part: pa.Table) -> dict[str, Any]:
    """One row of the summary from the items of a group."""
    columns = {f.name: part[f.name].to_numpy() for f in part.schema if pa.types.is_primitive(f.type)}
    k, clip, models = columns["k"], columns["clip"], columns["models"]
    chance = float((1 / k).mean())
    majority = models - (models + 1) // 2 + 1  # right votes that make an item weak at a threshold of 1/2
    row: dict[str, Any] = {
        "n": len(part),
        "clips": len(np.unique(clip)),
        "unsolved": pc.sum(part["unsolved"]).as_py(),
        "chance": chance,
        "ac": _mean(columns["ac"]),
        "weak_by_luck": _mean(binomial_at_least(majority, models, 1 / k)),
        "share_text": _mean(columns["bits_text"] / np.log2(k)),
        "share_audio": _mean(columns["bits_audio"] / np.log2(k)),
    }
    for name in ("audio", "condition", "text"):
        right, declined = columns[f"right_{name}"], columns[f"abstained_{name}"]
        if (credited := _mean(right + declined / k)) is not None:
            row |= {f"accuracy_{name}": _mean(right), f"abstained_{name}": _mean(declined)}
            row[f"kappa_{name}"] = chance_corrected(credited, float((1 / k[~np.isnan(right)]).mean()))
    declined = columns["abstained_audio"] - columns["abstained_condition"]
    gains = [columns["ac"] + declined / k, columns["ac"], columns["ac_as_good"]]
    heard = ~np.isnan(columns["ac"])
    row |= _with_interval("contribution", contribution_of(gains[0][heard], 1 / k[heard], clip[heard]))
    bounds = [mean / (1 - chance) for one in gains if (mean := _mean(one)) is not None]
    row |= {"least_contribution": min(bounds, default=None), "most_contribution": max(bounds, default=None)}
    for name in BITS:
        values = columns[f"bits_{name}"]
        known = ~np.isnan(values)
        row |= _with_interval(f"bits_{name}", mean_by_clip(values[known], clip[known], None), "bits")
    return row | _leaks(part)


def _mean(values: Column) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _with_interval(name: str, found: ClusteredMean, kind: str = "") -> dict[str, float | str | None]:
    if not found.n:
        return {name: None}
    low, high = (None if np.isnan(end) else end for end in found.interval())
    return {name: found.mean, f"{name}_low": low, f"{name}_high": high, f"{kind or name}_interval": found.kind}


def _leaks(part: pa.Table) -> dict[str, float | str | None]:
    """The set-level leak share, from the decoys that :func:`measure` found."""
    entered = part.filter(pc.is_valid(part["gold_rank"]))
    rank, clip = entered["gold_rank"].to_numpy(), entered["clip"].to_numpy()
    found = leak_share(rank, clip)
    row = _with_interval("leak_share", found)
    low, high = ends_of_share(found)
    return row if np.isnan(low + high) else row | {"leak_share_low": low, "leak_share_high": high}
