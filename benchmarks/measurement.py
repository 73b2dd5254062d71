"""How long a published-size data set takes to split, and how much memory, beside bare DuckDB and pandas.

Makes a run of 571,118 items (the size of AudioMCQ) that three models answered under three conditions in
every cyclic order (about 20 million answers), then takes each step in a process of its own.

    python benchmarks/measurement.py
    python benchmarks/measurement.py --items 20000 --steps votes-duckdb split-votes
    python benchmarks/measurement.py --folder runs/large      # made if it is not there, and kept
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audiocontrib import open_run, split
from audiocontrib.contribution import contributions
from audiocontrib.items import ITEM_SCHEMA
from audiocontrib.responses import RESPONSE_SCHEMA
from audiocontrib.stopping import stopping

ITEMS = 571_118
SIZES = {4: 0.85, 3: 0.10, 2: 0.03, 5: 0.02}
"""Number of options -> share of the items."""
MODELS = {"model-a": 0.75, "model-b": 0.70, "model-c": 0.60}
"""Name -> share of items that it knows when it hears them."""
CONDITIONS = ("audio", "silence", "text")
LEAK = 0.45
"""Share of items whose text betrays the gold to every model."""
FAILED = 1e-4
"""Share of answers that failed at first and were asked again at the end."""
ITEMS_A_PART = 8000
Rows = dict[str, pa.Array | np.ndarray]


def make(folder: Path, n: int) -> None:
    """A run directory as `audiocontrib score` leaves it: model by model, item by item, in many parts."""
    random = np.random.default_rng(0)
    parts = folder / "responses"
    parts.mkdir(parents=True)
    k = random.choice(list(SIZES), size=n, p=list(SIZES.values()))
    gold = random.integers(k)
    items = make_items(k, gold)
    pq.write_table(items, folder / "items.parquet", compression="zstd")
    leaks = random.random(n) < LEAK
    again = []
    for model, skill in MODELS.items():
        knows = leaks[:, None] | ((random.random(n) < skill)[:, None] & np.array([True, False, False]))
        for start in range(0, n, ITEMS_A_PART):
            some = np.arange(start, min(start + ITEMS_A_PART, n))
            rows = make_responses(items["item_id"], some, k, gold, knows, model, random)
            failing = pa.array(random.random(len(rows)) < FAILED)
            again.append(rows.filter(failing))
            write_part(parts, as_failed(rows, failing))
    write_part(parts, pa.concat_tables(again))
    identity = {"dataset": {"name": "audiomcq"}, "models": {name: {} for name in MODELS}, "conditions": CONDITIONS}
    (folder / "run.json").write_text(json.dumps({"identity": identity | {"method": "likelihood"}}))


def make_items(k: np.ndarray, gold: np.ndarray) -> pa.Table:
    con = duckdb.connect()
    con.register("drawn", pa.table({"i": np.arange(len(k)), "k": k, "gold": gold}))
    return con.sql(
        """
        select concat('audiomcq/', source, '/', kind, '/', i) as item_id, 'audiomcq' as dataset,
            concat('What can be heard in recording ', i, ' after the second event?') as question,
            list_transform(range(k), lambda o: concat('a sound of kind ', i % 977, ' and shade ', o)) as choices,
            gold as answer, {'path': concat(source, '/', i // 2, '.wav'), 'bytes': null} as audio,
            concat(source, '/', i // 2, '.wav') as clip_id, kind as question_type, source as source_dataset,
            'train' as split, []::varchar[] as notes, '{}' as extra
        from (
            select *, ['AudioCaps', 'Clotho', 'MusicCaps', 'SpeechCraft', 'TACOS'][1 + i // 2 % 5] as source,
                ['sound', 'music', 'speech', 'temporal'][1 + i % 4] as kind
            from drawn
        ) order by i
        """
    ).to_arrow_table().cast(ITEM_SCHEMA)  # fmt: skip


def make_responses(
    ids: pa.ChunkedArray,
    items: np.ndarray,
    k: np.ndarray,
    gold: np.ndarray,
    knows: np.ndarray,
    model: str,
    random: np.random.Generator,
) -> pa.Table:
    """One model's answers to some items: under every condition, in every cyclic order."""
    item = np.repeat(items, k[items] * len(CONDITIONS))
    first = np.concatenate([[0], np.cumsum(k[items] * len(CONDITIONS))[:-1]])
    condition, order = np.divmod(np.arange(len(item)) - np.repeat(first, k[items] * len(CONDITIONS)), k[item])
    n, width = len(item), k.max()
    inside = np.arange(width) < k[item][:, None]
    scores = np.where(inside, random.gumbel(size=(n, width)), -np.inf)
    scores[np.arange(n), gold[item]] += 4.0 * knows[item, condition]
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    offsets = np.concatenate([[0], np.cumsum(k[item])]).astype(np.int32)
    choice = scores.argmax(axis=1)
    heard = pc.take(pa.array(["ab" * 32, "cd" * 32, None]), pa.array(condition))
    columns = {
        "item_id": ids.take(pa.array(item)),
        "dataset": pa.repeat("audiomcq", n),
        "model": pa.repeat(model, n),
        "condition": pc.take(pa.array(CONDITIONS), pa.array(condition)),
        "order": order,
        "method": pa.repeat("likelihood", n),
        "outcome": pa.repeat("answered", n),
        "choice": choice,
        "correct": choice == gold[item],
        "posterior": pa.ListArray.from_arrays(offsets, np.exp(scores[inside])),
        "option_logprob": pa.ListArray.from_arrays(offsets, scores[inside] - 3.0),
        "option_tokens": pa.ListArray.from_arrays(offsets, random.integers(2, 9, offsets[-1]).astype(np.int32)),
        "audio_sha256": heard,
        "audio_seconds": pc.take(pa.array([10.0, 30.0, None]), pa.array(condition)),
        "prompt_sha256": hexes(n, random),
        "prompt_tokens": random.integers(80, 120, n),
        "seconds": random.random(n),
        "created_at": pa.array(1_767_322_000_000_000 + np.arange(n), pa.timestamp("us", tz="UTC")),
        "request_key": hexes(n, random),
    }
    nulls = {name: pa.nulls(n) for name in RESPONSE_SCHEMA.names if name not in columns}
    table = pa.table(columns | nulls).select(RESPONSE_SCHEMA.names)
    return table.cast(RESPONSE_SCHEMA)


def hexes(n: int, random: np.random.Generator) -> pa.Array:
    """n texts of 64 hexadecimal digits."""
    offsets = pa.py_buffer(np.arange(0, 64 * n + 1, 64, dtype=np.int32))
    return pa.StringArray.from_buffers(n, offsets, pa.py_buffer(random.bytes(32 * n).hex().encode()))


def as_failed(rows: pa.Table, failing: pa.Array) -> pa.Table:
    """The rows with those that fail as failures."""
    for name in ("choice", "correct", "posterior", "option_logprob", "option_tokens"):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, pc.if_else(failing, pa.scalar(None, rows[name].type), rows[name]))
    outcome = pc.if_else(failing, "failed", "answered")
    return rows.set_column(rows.schema.get_field_index("outcome"), "outcome", outcome)


def write_part(folder: Path, rows: pa.Table) -> None:
    pq.write_table(rows, folder / f"{time.time_ns():020d}-{'0' * 12}.parquet", compression="zstd")


# The steps. Each gives back the ids of the weak items where it finds them.


def votes_duckdb(folder: Path) -> pa.Table:
    """The vote of three, as short as SQL can say it."""
    return duckdb.sql(
        f"""
        with means as (
            select item_id, model, {", ".join(f"avg(posterior[{i + 1}]) as p{i}" for i in range(max(SIZES)))}
            from '{folder}/responses/*.parquet' where condition = 'silence' group by all
        )
        select item_id from means join '{folder}/items.parquet' using (item_id) group by item_id
        having count(*) filter ([p0, p1, p2, p3, p4][answer + 1] = greatest(p0, p1, p2, p3, p4)) >= 2
        """
    ).to_arrow_table()


def averages_duckdb(folder: Path) -> None:
    """The mean posterior of every item, model and condition."""
    columns = ", ".join(f"avg(posterior[{i + 1}]) as p{i}" for i in range(max(SIZES)))
    table = f"'{folder}/responses/*.parquet'"
    duckdb.sql(f"create table means as select item_id, model, condition, {columns} from {table} group by all")


def votes_pandas(folder: Path) -> pa.Table:
    """The same votes as by hand in a notebook."""
    import pandas as pd

    columns, silent = ["item_id", "model", "posterior"], [("condition", "==", "silence"), ("outcome", "==", "answered")]
    told = pd.read_parquet(folder / "responses", columns=columns, filters=silent)
    options = pd.DataFrame({option: told["posterior"].str[option] for option in range(max(SIZES))})
    votes = options.groupby([told["item_id"], told["model"]]).mean().idxmax(axis=1).rename("vote").reset_index()
    gold = pd.read_parquet(folder / "items.parquet", columns=["item_id", "answer"])
    right = votes.merge(gold, on="item_id").eval("vote == answer").groupby(votes["item_id"]).sum()
    return pa.table({"item_id": right.index[right >= 2]})


def score(folder: Path) -> None:
    with open_run(folder).connect() as con:
        contributions(con)


def split_by(rule: str) -> Callable[[Path], pa.Table]:
    def step(folder: Path) -> pa.Table:
        table = split(open_run(folder), rule=rule).table
        return table.filter(pc.field("split") == "weak").select(["item_id"])

    return step


STEPS: dict[str, Callable[[Path], pa.Table | None]] = {
    "votes-duckdb": votes_duckdb,
    "averages-duckdb": averages_duckdb,
    "votes-pandas": votes_pandas,
    "contributions": score,
    "split-votes": split_by("votes"),
    "split-posterior": split_by("posterior"),
    "split-fdr": split_by("fdr"),
}
SAME = ("votes-duckdb", "votes-pandas", "split-votes")
"""Steps that must call the same items weak."""


def take(step: str, folder: Path) -> None:
    """One step in this process: its costs on stdout, its items beside the run."""
    begin, worked = time.perf_counter(), time.process_time()
    weak = STEPS[step](folder)
    seconds, cores = time.perf_counter() - begin, time.process_time() - worked
    if weak is not None:
        pq.write_table(weak, folder / f"{step}.weak")
    print(json.dumps([seconds, cores, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))


def measured(steps: list[str], folder: Path) -> Iterator[tuple[str, float, float, float]]:
    """Of each step: seconds, seconds of work summed over the cores (steadier on a busy machine), peak GB."""
    for step in steps:
        command = [sys.executable, __file__, "--folder", str(folder), "--take", step]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{step} failed")
        yield step, *json.loads(done.stdout.splitlines()[-1])


def compare(steps: list[str], folder: Path) -> None:
    weak = {
        step: pq.read_table(folder / f"{step}.weak")["item_id"].cast(pa.string()).sort()
        for step in SAME
        if step in steps
    }
    for step, found in weak.items():
        first = next(iter(weak.values()))
        if not found.equals(first):
            sys.exit(f"{step} calls other items weak ({len(found)} of them, not {len(first)})")
        print(f"{step}: the same {len(found):,} weak items")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--folder", type=Path, help="where the run is, or is to be made; else a temporary one")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--take", choices=STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.take:
        return take(given.take, given.folder)
    with stopping(), tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "run"
        if not folder.exists():
            make(folder, given.items)
        [[rows]] = duckdb.sql(f"select count(*) from '{folder}/responses/*.parquet'").fetchall()
        print(f"{rows:,} answers in {len(list(folder.glob('responses/*')))} parts")
        print(f"{'step':18}{'seconds':>9}{'core s':>9}{'GB':>7}{'x bare':>8}")
        bare = None
        for step, seconds, work, peak in measured(given.steps, folder):
            bare = bare or work
            print(f"{step:18}{seconds:9.1f}{work:9.1f}{peak:7.2f}{work / bare:8.1f}", flush=True)
        compare(given.steps, folder)


if __name__ == "__main__":
    main()
