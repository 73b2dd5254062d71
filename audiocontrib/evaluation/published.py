"""Published accuracies with and without the audio, beside those of a run, and what differs in how they were read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow as pa
import pyarrow.csv as pv

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.scope import ScopeFields
from audiocontrib.errors import AudiocontribError
from audiocontrib.evaluation.benchmarks import evaluate
from audiocontrib.responses import has_posterior
from audiocontrib.store.runs import as_runs

if TYPE_CHECKING:
    from audiocontrib.store import Run

FIGURES = Path(__file__).with_name("published.csv")
PUBLISHED_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "condition", "model"), pa.string()),
    n=pa.int64(),
    accuracy=pa.float64(),
    published_model=pa.string(),
    published=pa.float64(),
    difference=pa.float64(),
    **dict.fromkeys(("read_here", "read_there", "condition_there", "part_there", "source"), pa.string()),
)


def published_figures() -> pa.Table:
    """The published accuracies that the package knows: a row each, with its source and how replies were read.

    ``condition`` is ours that comes nearest, ``condition_there`` what the source calls it; ``other:text backbone`` is
    the language model alone, of which the audio model was made. Shares from 0 to 1; ``part`` is empty for a whole set.
    """
    texts = dict.fromkeys(
        ("dataset", "part", "model", "condition", "condition_there", "reading", "source"), pa.string()
    )
    types = pv.ConvertOptions(column_types=texts | {"accuracy": pa.float64()})
    return pv.read_csv(FIGURES, convert_options=types)


def beside_published(runs: Run | Sequence[Run], /, **words: Unpack[ScopeFields]) -> pa.Table:
    """Every published figure of a run's data sets, beside what the run's models reach (PUBLISHED_SCHEMA).

    A model of the run stands beside a published one where both have the same name, case and owner aside; there
    ``difference`` is its accuracy minus the published one. Other published models have no model beside them.

    Raises:
        AudiocontribError: nothing is known of the runs' data sets.

    Example:
        >>> ac.beside_published(ac.open_run("runs/mmau")).to_pandas()
    """
    figures, rows = published_figures().to_pylist(), list[dict[str, Any]]()
    known = {row["dataset"] for row in figures}
    asked = set[str]()
    for run in as_runs(runs):
        table = evaluate(run, **words).to_pylist()
        method = words.get("method") or str(run.manifest.get("identity", {}).get("method"))
        asked |= {row["dataset"].partition("@")[0] for row in table}
        rows += [row for figure in figures for row in _beside(figure, table, method)]
    if not rows:
        there, here = ", ".join(sorted(known)), ", ".join(sorted(asked))
        raise AudiocontribError(f"no published figures are known of {here}; there are some of {there}")
    return pa.Table.from_pylist(rows, schema=PUBLISHED_SCHEMA)


def _beside(figure: dict[str, Any], table: Sequence[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """The rows of a figure: one for each model of the run that it is of, else one without."""
    if figure["dataset"] not in {row["dataset"].partition("@")[0] for row in table}:
        return []
    told = {
        "dataset": figure["dataset"],
        "condition": figure["condition"],
        "published_model": figure["model"],
        "published": figure["accuracy"],
        "read_here": "log-likelihood of the options" if has_posterior(method) else "exact reading of replies",
        "read_there": figure["reading"],
        "condition_there": figure["condition_there"],
        "part_there": figure["part"],
        "source": figure["source"],
    }
    own = [
        told | {name: row[name] for name in ("model", "condition", "n", "accuracy")}
        for row in table
        if _same_model(row["model"], figure["model"])
        and row["condition"].partition(":")[0] == figure["condition"].partition(":")[0]
        and row["dataset"].partition("@")[0] == figure["dataset"]
    ]
    return [
        row | {"difference": None if row["accuracy"] is None else row["accuracy"] - row["published"]} for row in own
    ] or [told]


def _same_model(ours: str, theirs: str) -> bool:
    return _bare(ours.rpartition("/")[2]).removesuffix("hf") == _bare(theirs)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
