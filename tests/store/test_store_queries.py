"""A query reads the run and what was named; it writes, loads and reads nothing else."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from helpers.store_tools import response, start

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.store import Run, write_table_atomic
from audiocontrib.store.queries import lock, run_query

REFUSED = """
copy (select 1) to '{run}/run.json'
copy (select 1) to '{out}/x.csv'
copy responses to '{out}/x.parquet' (format parquet)
copy (pivot (select 1 as n) on n) to '{out}/x.csv'
with x as (select 1) select * from x; copy (select 1) to '{out}/x.csv'
/* select */ copy (select 1) to '{run}/items.parquet'
explain analyze copy (select 1) to '{run}/run.json'
export database '{out}/all'
import database '{out}'
attach '{out}/x.db'
attach '{out}/x.db' as other; create table other.t as select 1
attach ':memory:' as other
use memory
install httpfs
force install httpfs from 'http://127.0.0.1:9'
load httpfs
load '{out}/x.duckdb_extension'
update extensions
set enable_external_access = true
set lock_configuration = false
reset lock_configuration
set allowed_directories = ['/']
set variable x = 1
pragma enable_profiling
pragma database_list
pragma import_database('{out}')
call enable_logging()
from enable_logging()
from read_text('/etc/passwd')
from read_blob('/etc/passwd')
from read_csv('/etc/passwd')
from '/etc/passwd.csv'
from read_text('{run}/../../outside/secret.txt')
from read_text('{run}/link.txt')
from read_text('{run}/links/secret.txt')
from '{outside}/secret.parquet'
from read_parquet(['{run}/items.parquet', '{outside}/secret.parquet'])
from glob('{outside}/*')
from glob('/etc/*')
from sniff_csv('{outside}/secret.txt')
from parquet_metadata('{outside}/secret.parquet')
from parquet_schema('{outside}/secret.parquet')
from read_duckdb('{outside}/x.db')
from 'http://127.0.0.1:9/x.parquet'
from 's3://bucket/x.parquet'
from read_text('file:///etc/passwd')
from read_text('/proc/self/environ')
from query('copy (select 1) to ''{out}/x.csv''')
from query('select content from read_text(''/etc/passwd'')')
from json_execute_serialized_sql(json_serialize_sql('select * from read_text(''/etc/passwd'')'))
create table t as select 1
create view responses as select 1
create or replace macro f() as 1
create secret s (type s3)
create persistent secret s (type http)
insert into items select * from items
delete from items
update items set answer = 0
drop view items
alter view items rename to x
prepare p as copy (select 1) to '{out}/x.csv'
begin
checkpoint
vacuum
select 1; select 2
select getenv('HOME')
from con
from sql
with x as (copy (select 1) to '{run}/run.json') from x
with x as (copy (select 1) to '{run}/run.json' (use_tmp_file false)) from x
select (with x as (copy (select 1) to '{run}/items.parquet') select 1 from x)
from (with x as (copy (select 1) to '{run}/items.parquet' (use_tmp_file false)) from x)
with y as (with x as (copy (select 1) to '{run}/x.csv') from x) from y
with x as (insert into items select * from items returning *) from x
with x as (delete from items returning *) from x
with x as (truncate items) from x
from query('with x as (copy (select 1) to ''{run}/x.csv'') from x')
from "QUERY"('select 1')
from system.main.query('select 1')
from json_execute_serialized_sql(json_serialize_sql('with x as (copy (select 1) to ''{run}/x.csv'') from x'))
select write_log('x')
from force_checkpoint()
from destroy_external_resource('a', 'b')
""".strip().splitlines()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = start(tmp_path / "runs" / "r")
    made.append([response(0), response(1)])
    (tmp_path / "out").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    write_table_atomic(pa.table({"n": [1]}), outside / "secret.parquet")
    (made.path / "link.txt").symlink_to(outside / "secret.txt")
    (made.path / "links").symlink_to(outside)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_what_writes_loads_or_reads_elsewhere_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run.query("from responses")  # what a run finds out about itself is kept in it
    before = contents(tmp_path)
    for statement in REFUSED:
        text = statement.format(run=run.path, out=tmp_path / "out", outside=tmp_path / "outside")
        print(text)  # seen only if it is not refused
        with pytest.raises(UsageError) as caught:
            run.query(text)
        assert "\n" not in str(caught.value), statement
        assert "unexpected" not in str(caught.value), statement
        assert contents(tmp_path) == before, statement


@pytest.mark.slow
@pytest.mark.parametrize("named", [False, True])
def test_statements_at_random_change_no_file(named: bool, run: Run, tmp_path: Path) -> None:
    """A write is wrapped in what only reads, after comments and among other statements; also where a file is named."""
    run.query("from responses")
    before, rng = contents(tmp_path), random.Random(21)
    target = str(tmp_path / "outside" / "secret.parquet")
    writes = [
        f"copy (select 1) to '{target}'",
        f"copy (from items) to '{run.path}/items.parquet' (format parquet)",
        f"copy (from items) to '{target}' (use_tmp_file false)",
        f"export database '{run.path}'",
        f"attach '{target}' as x",
    ]
    around = [
        "{}", "select 1; {}", "{}; select 1", "-- x\n{}", "explain analyze {}", "({})", "from query('{}')",
        "with x as ({}) from x", "select ({})", "describe {}", "summarize {}", "prepare p as {}; execute p",
        "with y as (select 1), x as materialized ({}) select * from y, x", "select exists(with x as ({}) from x)",
    ]  # fmt: skip
    for _ in range(30):
        write = rng.choice(writes)
        form = rng.choice(around)
        text = form.format(write.replace("'", "''") if "query" in form else write)
        with pytest.raises(UsageError):
            run.query(text, files=[target] if named else ())
    assert contents(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
     "from items", "select count(*) from responses", "describe responses", "show tables", "summarize items",
     "values (1)", "with x as (from items) from x", "table items",
     "pivot responses on condition in ('audio') using count(*)",
     "select * from read_text('{run}/run.json')", "from '{run}/items.parquet'", "select 1;", "-- words\nselect 1",
     "select regexp_extract(reply, 'x') from responses", "select unnest(posterior) from responses",
     "from range(10)", "select created_at at time zone 'UTC' from responses"],
)  # fmt: skip
def test_what_reads_is_answered(statement: str, run: Run) -> None:
    assert len(run.query(statement.format(run=run.path)))


def test_what_is_named_may_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "out" / "a[1].parquet"
    write_table_atomic(pa.table({"n": [2]}), odd)
    assert run.query("from 'outside/secret.parquet'", files=["outside/secret.parquet"]).n.tolist() == [1]
    assert run.query("from 'outside/*.parquet'", files=["outside"]).n.tolist() == [1]
    assert ac.query(run, "select n from 'out/*.parquet'", files=[tmp_path / "out"]).n.tolist() == [2]
    with pytest.raises(UsageError, match="a query reads the run and what is named"):
        run.query("from 'out/a[[]1].parquet'", files=["outside"])
    with pytest.raises(UsageError, match="no such file"):
        run.query("from items", files=["nowhere"])
    done = CliRunner().invoke(main, ["query", "from 'outside/secret.parquet'", "--run", str(run.path)])
    assert done.exit_code == 2
    assert "(--file)" in done.stderr
    done = CliRunner().invoke(
        main, ["query", "from 'outside/secret.parquet'", "--run", str(run.path), "--file", "outside"]
    )
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("name", ["e[1]", "**", "a b", "it's"])
def test_a_run_of_any_name_is_read_locked(name: str, tmp_path: Path) -> None:
    run = start(tmp_path / name)
    run.append([response(0)])
    run.append([response(0, after=1)])
    assert len(run.query("from responses")) == 1


def test_a_run_behind_a_link_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(run.path)
    assert len(Run.open(tmp_path / "latest").query("from responses")) == 2
    os.chdir(run.path)
    assert len(Run.open(".").query("from responses")) == 2
    assert len(Run.open("../r").query("from responses")) == 2


def test_unlocked_it_does_what_duckdb_can(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out" / "x.csv"
    run.query(f"copy (select 1 as n) to '{target}'", unlocked=True)
    assert target.read_text() == "n\n1\n"
    done = CliRunner().invoke(main, ["query", f"from '{target}'", "--run", str(run.path), "--unlocked"])
    assert done.exit_code == 0, done.stderr
    with run.connect() as con:
        assert con.sql(f"from '{target}'").fetchall() == [(1,)]
    refused = CliRunner().invoke(main, ["query", f"copy (select 1) to '{target}'", "--run", str(run.path)])
    assert refused.exit_code == 2
    assert "(--unlocked)" in refused.stderr


def test_a_locked_query_has_no_disk(run: Run, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    write_table_atomic(pa.table({"n": [1]}), tmp_path / ".tmp" / "x.parquet")  # where DuckDB would keep what is large
    with pytest.raises(UsageError, match="Permission Error"):
        run.query("from '.tmp/x.parquet'")
    with run.connect() as con:
        con.execute("set memory_limit = '50MB'")
        lock(con, run.path)
        with pytest.raises(UsageError, match="takes more memory than there is"):
            run_query(con, "select range as a, random() as b from range(20_000_000) order by b")
    assert sorted(path.name for path in (tmp_path / ".tmp").iterdir()) == ["x.parquet"]
