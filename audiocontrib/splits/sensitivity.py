"""Sensitivity: how a split changes with its threshold, without a model, with fewer option orders, by other repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import schema_of, texts
from audiocontrib.contribution.repeat_view import held_repeats
from audiocontrib.contribution.run_view import connected, filtered_view, in_memory
from audiocontrib.contribution.scope import Answers
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.splits import Split, as_marked, split
from audiocontrib.splits.false_calls import false_calls
from audiocontrib.sql import sql
from audiocontrib.statistics import cohen_kappa

if TYPE_CHECKING:
    import duckdb

THRESHOLDS = (0.1, 0.25, 0.34, 0.5, 0.67, 0.75, 0.9)
MOST_ITEMS = 20_000
"""Larger runs are looked at on a sample of whole clips: a split is made for every row of the table."""
MOST_REPEATS = 5
"""Of many repeats, so many others are looked at."""

SENSITIVITY_SCHEMA = schema_of(
    variant=pa.string(),
    varies=pa.string(),
    threshold=pa.float64(),
    n=pa.int64(),
    weak=pa.int64(),
    strong=pa.int64(),
    undecided=pa.int64(),
    moved=pa.float64(),
    kappa=pa.float64(),
    jaccard_weak=pa.float64(),
    **dict.fromkeys(("false_share", "false_share_error", "found", "found_error"), pa.float64()),
    note=pa.string(),
)


def sensitivity(
    run: Answers,
    /,
    *,
    rule: str = "votes",
    threshold: float | None = None,
    models: str | Sequence[str] | None = None,
    without_marked: str | Sequence[str] = (),
    corrected_keys: bool = False,
    **settings: Any,
) -> pa.Table:
    """The split as asked for, and beside it what it would be otherwise.

    Args:
        run: as for :func:`audiocontrib.splits.split`, and so the other arguments.

    Returns:
        One row per variant (SENSITIVITY_SCHEMA), the first as asked for: varies: what differs from it, ``threshold``,
        ``models``, ``orders`` or ``repeats`` (null in the first); its threshold; counts; moved: share of the items in
        another part than there; Cohen's kappa of the two; Jaccard similarity of the two weak parts; false_share: of the
        weak items, the share that luck explains, and found: those rightly called weak, as a share of all, with their
        standard errors (:mod:`audiocontrib.splits.false_calls`; null for rules of which it is not known); note: why a
        variant could not be made, or that the rows rest on a sample of the items.
    """
    settings.pop("review_out", None)  # a sheet is written by the split itself, not by its variants
    asked = {"rule": rule, **settings}
    with connected(as_marked(run, without_marked, corrected_keys)) as con, ExitStack() as stack:
        [[n]] = con.execute("select count(*) from items").fetchall()
        drawn = f"md5_number_lower(clip_id) / 18446744073709551616.0 < {MOST_ITEMS / n!r}" if n > MOST_ITEMS else "true"
        stack.enter_context(in_memory(con, "items", drawn))
        stack.enter_context(in_memory(con, "responses", "item_id in (select item_id from items)"))
        [[some]] = con.execute("select count(*) from items").fetchall()
        note = f"all rows: a sample of {some} of {n} items, by whole clips" if some < n else None
        base = split(con, threshold=threshold, models=models, **asked)
        asked_for = {"variant": f"{rule}, threshold {base.threshold:g}", "threshold": base.threshold, "note": note}
        rows = [asked_for | _compared(base, base) | _erring(con, base)]
        for name, varies, where, change in _variants(con, base):
            about = {"variant": name, "varies": varies, "threshold": change.get("threshold", base.threshold)}
            try:
                with filtered_view(con, "responses", where):
                    made = split(con, **(asked | {"threshold": base.threshold, "models": models} | change))
                    erring = _erring(con, made)
            except UsageError:
                raise
            except AudiocontribError as error:
                rows.append(about | {"note": str(error)})
            else:
                rows.append(about | _compared(made, base) | erring)
    return pa.Table.from_pylist(rows, schema=SENSITIVITY_SCHEMA)


def leave_one_out(run: Answers, /, *, models: Sequence[str], **asked: Any) -> Iterator[tuple[str, Split]]:
    """Each of the models, and the split that the others make without it.

    Raises:
        UsageError: there is only one model.
    """
    if len(models) < 2:
        raise UsageError("one model is left out at a time; the split has only one")
    for model in models:
        yield model, split(run, models=[other for other in models if other != model], **asked)


def _variants(con: duckdb.DuckDBPyConnection, base: Split) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Name, what varies, the answers that it is made from, and what else is asked for."""
    for threshold in THRESHOLDS:
        if not np.isclose(threshold, base.threshold):
            yield f"threshold {threshold:g}", "threshold", "true", {"threshold": threshold}
    models = base.settings["models"]
    for model in models if len(models) > 1 else ():
        yield f"without {model}", "models", "true", {"models": [other for other in models if other != model]}
    [[fewest]] = con.execute("select min(len(choices)) from items").fetchall()
    asked = 'select distinct "order" from responses where condition = ? order by 1'
    orders = [order for (order,) in con.execute(asked, [base.settings["condition"]]).fetchall()]
    if len(orders) > 1:
        # an item with K options has K orders: only so many single ones can be asked of all items
        for order in orders[:fewest]:
            yield f"order {order} only", "orders", f'"order" = {int(order)}', {}
        for some in range(2, len(orders)):
            yield f"first {some} orders", "orders", f'"order" <= {int(orders[some - 1])}', {}
    if (counted := base.settings.get("repeat")) is not None:
        for repeat in [other for other in held_repeats(con) if other != counted][:MOST_REPEATS]:
            yield f"repeat {repeat} only", "repeats", "true", {"repeat": repeat}


def _erring(con: duckdb.DuckDBPyConnection, made: Split) -> dict[str, float]:
    """The columns on the error of a split; none where it is not known."""
    found = false_calls(con, made.table, made.settings)
    if found is None:
        return {}
    values = {"false_share": found.share, "false_share_error": found.share_error}
    values |= {"found": found.found, "found_error": found.found_error}
    return {name: value for name, value in values.items() if value == value}


def _compared(made: Split, base: Split) -> dict[str, Any]:
    both = sql(
        "select a.split as was, b.split as now from a join b using (item_id) order by item_id",
        a=base.table,
        b=made.table,
    )
    was, now = (np.asarray(texts(both[c]), dtype=str) for c in ("was", "now"))
    either = int(((was == "weak") | (now == "weak")).sum())
    return {
        "n": len(made.table),
        **{part: int((now == part).sum()) for part in ("weak", "strong", "undecided")},
        "moved": float((was != now).mean()) if len(was) else None,
        "kappa": cohen_kappa(was, now) if len(was) else None,
        "jaccard_weak": int(((was == "weak") & (now == "weak")).sum()) / either if either else None,
    }
