"""The run of `audiocontrib demo` without its two minutes: what the tiny models said, kept in tests/data/demo.

``python tests/helpers/demo_run.py runs/demo`` keeps the answers of a run of the demo; tests/cli/test_demo.py holds some
of them against the models of today.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import audiocontrib as ac
from audiocontrib.demo.planted import SPLITS, split_by_all
from audiocontrib.responses import Outcome, Response
from audiocontrib.store import Run
from helpers.shared import made_once

KEPT = Path(__file__).parents[1] / "data" / "demo" / "answers.parquet"
COLUMNS = """
select item_id, model, condition, "order"::tinyint as "order", option_tokens::tinyint[] as option_tokens,
    list_transform(option_logprob, lambda one: round(one, 4)::float) as option_logprob
from responses order by model, condition, item_id, "order"
"""


def keep(run: Run) -> None:
    """Keep a run's answers, with what its run.json says of how they were asked."""
    about = {name: run.manifest[name] for name in ("identity", "origin", "step", "versions")}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    table = run.table(COLUMNS).replace_schema_metadata({"run": json.dumps(about)})
    pq.write_table(table, KEPT, compression="zstd", compression_level=19)


def kept_answers() -> pa.Table:
    return pq.read_table(KEPT)


def make(folder: Path) -> Run:
    """The run, with the demo's splits."""
    table, items = kept_answers(), ac.load_items("demo", seed=0, limit=240)
    about = json.loads(table.schema.metadata[b"run"])
    run = Run.create_or_resume(folder, about, items)
    golds = {item.id: item.answer for item in items}
    run.append([_response(place, row, golds[row["item_id"]]) for place, row in enumerate(table.to_pylist())])
    made, _ = split_by_all(run, SPLITS)
    run.save_contributions(made[0].scores)
    return run


def _response(place: int, row: dict[str, Any], gold: int) -> Response:
    logprob = row["option_logprob"]
    weights = [2.718281828459045 ** (one - max(logprob)) for one in logprob]
    choice = logprob.index(max(logprob))
    return Response(
        item_id=row["item_id"], dataset="demo", model=row["model"], condition=row["condition"], order=row["order"],
        method="likelihood", outcome=Outcome.ANSWERED, choice=choice, correct=choice == gold,
        posterior=tuple(one / sum(weights) for one in weights), option_logprob=tuple(logprob),
        option_tokens=tuple(row["option_tokens"]), request_key=f"{place:08d}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=place), seconds=0.01,
    )  # fmt: skip


def demo_run(folders: pytest.TempPathFactory) -> Path:
    """The folder of the run ``runs/demo``, made once; it is only read."""
    return made_once(folders, "demo-run", lambda folder: make(folder / "runs" / "demo")) / "runs" / "demo"


if __name__ == "__main__":
    keep(ac.open_run(sys.argv[1]))
