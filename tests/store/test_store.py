"""A run directory: what is put in is read again, by name, by SQL and by the next start."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.store_tools import bad, counted, item, items, manifest, response, start

from audiocontrib.errors import UsageError
from audiocontrib.items import ITEM_SCHEMA, QUARANTINE_SCHEMA, Clip, Items, Quarantined, make_item
from audiocontrib.responses import RESPONSE_SCHEMA, Outcome, response_rows
from audiocontrib.store import VIEWS, Run, newest_run, open_run, write_table_atomic

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # DuckDB's own


def schema(run: Run, view: str) -> pa.Schema:
    with run.connect() as con:
        return con.sql(f"from {view}").to_arrow_table().schema


def test_the_layout_is_that_of_the_design(tmp_path: Path) -> None:
    run = start(tmp_path / "runs" / "first")
    run.append([response(0)])
    found = sorted(p.name for p in run.path.iterdir() if p.name != ".lock")
    assert open_run(run.path) == run
    assert found == ["items.parquet", "quarantine.parquet", "responses", "run.json"]
    (part,) = (run.path / "responses").iterdir()
    assert pq.read_schema(part).equals(RESPONSE_SCHEMA)
    kept = json.loads((run.path / "run.json").read_text())
    assert kept["identity"] == manifest()["identity"]
    assert kept["created_at"]
    assert kept["command"] == ["audiocontrib", "score"]


def test_items_come_back_as_they_were_given(tmp_path: Path) -> None:
    within_row = make_item(
        dataset="toy", own_id="b", question="?", choices=["a", "b"], answer="a", audio=Clip(data=b"RIFF")
    )
    given = Items([item(0), within_row], [bad(7)], origin={"name": "toy", "audio_root": "/clips"})
    Run.create_or_resume(tmp_path / "r", manifest() | {"origin": given.origin}, given)
    found = Run.open(tmp_path / "r").load_items()
    assert list(found) == list(given)
    assert found[0].audio == Clip(path="0.wav", root="/clips")
    assert found.quarantined == given.quarantined
    assert found.origin == given.origin


def test_views_of_a_run_without_answers_are_empty_and_typed(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    assert schema(run, "responses").equals(RESPONSE_SCHEMA)
    assert schema(run, "items").equals(ITEM_SCHEMA)
    assert schema(run, "quarantine").equals(QUARANTINE_SCHEMA)
    assert schema(run, "contributions").names == ["item_id", "score"]
    assert set(schema(run, "splits").names) >= {"item_id", "split", "score", "reason", "name"}
    lengths = {view: int(run.query(f"select count(*) as n from {view}").n[0]) for view in VIEWS}
    assert lengths == {"items": 3, **dict.fromkeys(VIEWS[1:], 0)}
    assert len(run.answered()) == 0
    assert len(run.query("select condition, avg(correct::int) from responses group by 1")) == 0


@pytest.mark.parametrize("repeated", [False, True])
def test_the_responses_view_has_the_schema_and_the_rows(tmp_path: Path, repeated: bool) -> None:
    run = start(tmp_path / "r")
    given = [response(0), response(1, Outcome.FAILED)]
    run.append(given)
    if repeated:
        run.append(given[:1])
    with run.connect() as con:
        found = con.sql("from responses order by item_id").to_arrow_table()
    assert found.schema.equals(RESPONSE_SCHEMA)
    assert found.equals(response_rows(given))
    assert len(run.responses) == 2


def test_a_request_has_one_row_where_final_beats_failed_and_then_the_latest_wins(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    run.append([response(0, Outcome.FAILED, after=1), response(1, reply="first"), response(2, Outcome.FAILED)])
    run.append([response(0, reply="final", after=0), response(1, reply="second", after=5), response(3)])
    run.append([response(0, Outcome.FAILED, after=9), response(2, Outcome.FAILED, after=3, error="later")])
    found = run.query("from responses order by item_id").set_index("item_id")
    assert list(found.index) == [f"toy/{i}" for i in range(4)]
    assert found.reply["toy/0"] == "final"
    assert found.reply["toy/1"] == "second"
    assert found.error["toy/2"] == "later"


def test_done_leaves_out_what_failed_and_nothing_else(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    outcomes = [Outcome.ANSWERED, Outcome.REFUSED, Outcome.UNPARSED, Outcome.FAILED]
    run.append([response(i, outcome) for i, outcome in enumerate(outcomes)])
    assert all(key in run.answered() for key in ("key-0", "key-1", "key-2"))
    assert len(run.answered()) == 3
    run.append([response(3)])
    assert all(key in run.answered() for key in ("key-0", "key-1", "key-2", "key-3"))
    assert len(run.answered()) == 4
    run.append([])
    assert len(list((run.path / "responses").iterdir())) == 2


@pytest.mark.slow
def test_many_small_parts_read_as_one_table(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    for i in range(300):
        run.append([response(i), response(0)])
    assert counted(run) == (300, 300)
    assert len(run.answered()) == 300


def test_a_connection_does_not_change_while_the_run_does(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    run.append([response(0)])
    with run.connect() as con:
        run.append([response(0), response(1)])
        assert con.execute("select count(*) from responses").fetchall() == [(1,)]
    assert counted(run) == (2, 2)


@pytest.mark.parametrize("name", ["it's", "a[1]*?", "seed=3", "with space", "ü"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    run = start(tmp_path / name)
    run.append([response(0)])
    write_table_atomic(
        pa.table({"item_id": ["toy/0"], "split": ["weak"]}), run.path / "splits" / name / "split.parquet"
    )
    assert list(run.responses.columns) == RESPONSE_SCHEMA.names
    assert list(run.query("from splits").name) == [name]
    assert "key-0" in run.answered()
    assert len(run.answered()) == 1


def test_derived_tables_appear_in_the_views(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    scores = pa.table({"item_id": ["toy/0"], "score": [0.5], "bits": [1.5]})
    write_table_atomic(scores, run.path / "contributions.parquet")
    assert run.contributions.bits.tolist() == [1.5]
    one = pa.table({"item_id": ["toy/0"], "split": ["weak"], "score": [0.2], "reason": ["r"]})
    two = one.append_column("unsolved", pa.array([True]))
    write_table_atomic(one, run.path / "splits" / "one" / "split.parquet")
    write_table_atomic(two, run.path / "splits" / "two" / "split.parquet")
    found = run.query("select name, unsolved, split from splits order by name")
    assert found.name.tolist() == ["one", "two"]
    assert found.unsolved.isna().tolist() == [True, False]
    write_table_atomic(scores.slice(0, 0), run.path / "contributions.parquet")
    assert len(run.contributions) == 0


def test_quarantine_is_idempotent_per_item(tmp_path: Path) -> None:
    twice = [bad(5, "line 7"), bad(5, "line 9")]
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(3, quarantined=twice))
    run.quarantine([bad(1), bad(1, "said again"), bad(5, "a third time")])
    run.quarantine([bad(1, "and again"), bad(2)])
    assert run.quarantined_ids() == {"toy/1", "toy/2", "toy/5"}
    found = run.query("from quarantine order by item_id, reason")
    assert found.item_id.tolist() == ["toy/1", "toy/2", "toy/5", "toy/5"]
    assert found.reason.tolist() == ["is truncated", "is truncated", "line 7", "line 9"]
    again = Run.create_or_resume(tmp_path / "r", manifest(), items(3, quarantined=twice))
    assert len(again.query("from quarantine")) == 4


def test_a_clip_that_is_mended_leaves_the_quarantine_and_other_reasons_stay(tmp_path: Path) -> None:
    repeats = Quarantined("toy", "rows.json", 9, "id", "repeats", item_id="toy/1")
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(3, quarantined=[repeats]))
    run.quarantine([bad(0), bad(1)])
    run.release({"toy/1"})
    found = run.query("from quarantine order by item_id")
    assert list(zip(found.item_id, found.field, strict=True)) == [("toy/0", "audio"), ("toy/1", "id")]
    run.release(set())
    run.release({"toy/0", "toy/2"})
    assert run.quarantined_ids() == {"toy/1"}


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select nope from responses", 'column "nope" not found'),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select * from answers", "answers does not exist"),
        ("select 'a'::int", "Could not convert string 'a'"),
        ("", "the query is empty"),
    ],
)
def test_a_wrong_query_is_one_line_with_the_views(tmp_path: Path, sql: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        start(tmp_path / "r").query(sql)
    message = str(caught.value)
    assert says in message
    assert message.endswith(f"the views are: {', '.join(VIEWS)}")
    assert "\n" not in message


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no run: it holds no run.json"):
        Run.open(tmp_path)
    with pytest.raises(UsageError, match="is no run: it is not a folder"):
        Run.open(tmp_path / "nowhere")
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is no run, and holds 'letters.txt'"):
        start(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"letters.txt", ".lock"}


def test_the_newest_run_is_the_one_last_started_or_answered(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="audiocontrib demo"):
        newest_run(tmp_path / "runs")
    first, second = start(tmp_path / "runs" / "a"), start(tmp_path / "runs" / "b")
    for run, when in ((first, 1000), (second, 2000)):
        for path in (run.path / "run.json", run.path / "responses"):
            os.utime(path, (when, when))
    assert newest_run(tmp_path / "runs") == second.path
    first.append([response(0)])
    assert newest_run(tmp_path / "runs") == first.path


def test_what_is_beaten_is_found_once_and_again_when_a_part_is_added(tmp_path: Path) -> None:
    run = start(tmp_path / "run", 2)
    run.append([response(0, Outcome.FAILED), response(1)])
    run.append([response(0, after=5)])
    kept = run.path / ".beaten.parquet"
    assert counted(run) == (2, 2)
    first = kept.stat().st_mtime_ns
    assert counted(run) == (2, 2)
    assert kept.stat().st_mtime_ns == first  # not searched again
    run.append([response(1, after=9, choice=0)])
    assert counted(run) == (2, 2)
    assert run.query("select choice from responses where request_key = 'key-1'").choice.tolist() == [0]
    kept.write_bytes(b"no parquet")
    assert counted(run) == (2, 2)
    moved = run.path.rename(tmp_path / "moved")  # names of parts are kept, not of folders
    assert counted(Run.open(moved)) == (2, 2)
