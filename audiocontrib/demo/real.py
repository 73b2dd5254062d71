"""The demo on real recordings: what a cascade of pretrained parts makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from audiocontrib.arrow import equal, texts
from audiocontrib.audit import run_checks
from audiocontrib.audit.baselines import baselines
from audiocontrib.checked import whole_number
from audiocontrib.contribution import accuracy
from audiocontrib.contribution.measure import measure
from audiocontrib.contribution.summary import summary
from audiocontrib.demo.rules import CONDITIONS, split_by_all
from audiocontrib.items import Item, Items
from audiocontrib.models import Model
from audiocontrib.report.plots import accuracy_by_condition, accuracy_by_group, contribution_map
from audiocontrib.scoring import score
from audiocontrib.sources import load_items
from audiocontrib.splits import Split
from audiocontrib.store import Run

SPLITS = {"votes": "paper", "group": "group", "fdr": "fdr", "audit": "audit"}
"""The rules that are compared, and the names of their splits in the run. Not ``posterior``: it tells knowledge from
luck by answers in several orders of the options, and this model's reader sees no order."""


@dataclass(frozen=True, slots=True)
class WeakItem:
    """An item that the published rule calls weak, and why."""

    item: Item
    p_silence: float
    """p(gold) under silence."""
    p_text: float
    """p(gold) from the text alone."""
    reason: str
    """Of the rule ``group``: whether the item's like are answered under silence too, or this one by luck."""


@dataclass(frozen=True, slots=True)
class RealDemo:
    """What a demo run on real recordings showed."""

    run: Run
    summary: pa.Table
    """Rows of :func:`audiocontrib.contribution.summary.summary`: all items, then by question_type."""
    accuracy: pa.Table
    """Rows of :func:`audiocontrib.contribution.accuracy`, in the same groups."""
    constants: Mapping[str | None, tuple[str, float]]
    """question_type (None: all) -> the best strategy that neither hears nor reads the question, and its accuracy."""
    splits: tuple[Split, ...]
    """By each rule of SPLITS that the items allow."""
    weak: tuple[WeakItem, ...]
    """Weak items of the published rule: of each question the surest (p(gold) under silence), then the second."""
    notes: tuple[str, ...]
    plots: tuple[Path, ...]


def demo_real(
    *,
    items: Items | None = None,
    model: Model | str = "cascade-small",
    run: str | Path = "runs/demo-real",
    limit: int | None = None,
    shown: int = 10,
    progress: bool = True,
) -> RealDemo:
    """Score real recordings with a cascade of pretrained parts, split them by several rules, and plot it.

    Args:
        items: None: the set ``real-sounds``.
        model: asked with the options in the given order alone: a reader that sees no list of options gives the
            same answer in every order.
        limit: number of items; None: all.
        shown: number of weak items in ``weak``.

    Raises:
        AudiocontribError: a part of the cascade is not there; the line says how to get it.

    Example:
        >>> done = ac.demo_real(limit=50, run="runs/real")
        >>> done.summary.to_pandas()
    """
    whole_number(shown, "shown")
    items = load_items("real-sounds", limit=limit) if items is None else items
    done = score(items, [model], CONDITIONS, orders="given", run=run, progress=progress)
    read = run_checks(items.table, ["probes"]).scores
    done.save_audit(read)
    told = read.num_columns > 1  # a classifier of texts needs some dozens of items
    made, notes = split_by_all(done, {rule: name for rule, name in SPLITS.items() if rule != "audit" or told})
    if not told:
        notes.append("audit: there are too few items for a classifier of their texts")
    with done.views() as con:
        measured = measure(con)
        sums = [summary(con, by=by, measured=measured.table) for by in (None, "question_type")]
        parts = [accuracy(con), accuracy(con, by=["question_type"])]
    done.save_contributions(measured.table)
    folder = done.path / "plots"
    folder.mkdir(exist_ok=True)
    plots = (folder / "accuracy.png", folder / "categories.png", folder / "contribution.png")
    accuracy_by_condition(parts[0]).savefig(plots[0], dpi=150)
    accuracy_by_group(parts[1], "question_type").savefig(plots[1], dpi=150)
    contribution_map(measured.table).savefig(plots[2], dpi=150)
    return RealDemo(
        done,
        pa.concat_tables(sums, promote_options="default"),
        pa.concat_tables(parts, promote_options="default"),
        _constants(items),
        tuple(made),
        _weak(items, made, shown),
        tuple(notes),
        plots,
    )


def _constants(items: Items) -> dict[str | None, tuple[str, float]]:
    """The best strategy that looks at the options alone, over all items and in each category."""
    table = items.table
    best = {}
    for name in (None, *sorted(set(texts(table["question_type"].drop_null())))):
        part = table if name is None else table.filter(equal(table["question_type"], name))
        rows = baselines(part).to_pylist()
        first = next(row for row in rows if not row["strategy"].startswith("uniform"))
        best[name] = (first["strategy"], first["accuracy"])
    return best


def _weak(items: Items, made: Sequence[Split], shown: int) -> tuple[WeakItem, ...]:
    by_rule = {one.rule: {row["item_id"]: row for row in one.table.to_pylist()} for one in made}
    scores = {row["item_id"]: row for row in made[0].scores.to_pylist()}
    by_id = {item.id: item for item in items}
    weak = [item_id for item_id, row in by_rule["votes"].items() if row["split"] == "weak"]
    weak.sort(key=lambda item_id: -scores[item_id]["p_silence"])
    asked: Counter[str] = Counter()
    again = {}
    for item_id in weak:
        again[item_id] = asked[by_id[item_id].question]
        asked[by_id[item_id].question] += 1
    weak.sort(key=again.__getitem__)
    return tuple(
        WeakItem(by_id[i], scores[i]["p_silence"], scores[i]["p_text"], by_rule["group"][i]["reason"])
        for i in weak[:shown]
    )
