"""Queries over tables: they share an engine and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.store_tools import start

from audiocontrib.sql import cursor, sql
from audiocontrib.store import VIEWS

FORK = """
import os, sys
from audiocontrib.sql import sql
if __name__ == "__main__":
    print(sql("select 1 as a").to_pylist(), flush=True)
    child = os.fork()
    assert child == 0 or os.waitpid(child, 0)[1] == 0
    print(sql("select 2 as a").to_pylist(), flush=True)
"""


def numbers(n: int) -> pa.Table:
    return pa.table({"number": range(n)})


def test_a_table_is_seen_by_its_own_query_alone() -> None:
    assert sql("from seen", seen=numbers(2)).to_pylist() == [{"number": 0}, {"number": 1}]
    one, other = cursor(), cursor()
    one.register("seen", numbers(3))
    assert len(one.sql("from seen").to_arrow_table()) == 3
    for query in (lambda: other.sql("from seen"), lambda: sql("from seen")):
        with pytest.raises(duckdb.CatalogException, match="seen does not exist"):
            query()
    assert one.sql("show tables").fetchall() == [("seen",)]
    assert other.sql("show tables").fetchall() == sql("show tables")["name"].to_pylist() == []


def test_a_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    """Also where it was written anew with the same size at the same second."""
    path = tmp_path / "a.parquet"
    for value in (1, 2):
        pq.write_table(pa.table({"a": pa.array([value] * 1000)}), path)
        os.utime(path, (1e9, 1e9))
        assert sql(f"select distinct a from '{path}'").to_pylist() == [{"a": value}]


def test_the_views_of_runs_do_not_meet(tmp_path: Path) -> None:
    runs = [start(tmp_path / f"r{n}", n) for n in (2, 3)]
    opened = [run.views() for run in runs]
    for con, n in zip(opened, (2, 3), strict=True):
        con.execute("create temp table own as from items")
        assert con.execute("select count(*) from own").fetchall() == [(n,)]
        assert {name for (name,) in con.execute("show tables").fetchall()} >= set(VIEWS)
    for another in (runs[0].views(), runs[0].connect(), cursor()):
        with another as con, pytest.raises(duckdb.CatalogException, match="own does not exist"):
            con.execute("from own")
    with runs[0].connect() as one, runs[1].connect() as other:  # here a table is the connection's too
        one.execute("create table own as from items")
        other.execute("create table own as from items")
        assert other.execute("select count(*) from own").fetchall() == [(3,)]
    found = runs[1].views().sql("select count(*) as n from items")  # the connection lives as long as what it gave
    assert found.fetchall() == [(3,)]


@pytest.mark.slow
def test_queries_of_several_threads_do_not_meet() -> None:
    def total(n: int) -> int:
        return int(sql("select sum(number)::bigint as total from given", given=numbers(n))["total"][0].as_py())

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(total, range(1, 300))) == [n * (n - 1) // 2 for n in range(1, 300)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_has_its_own_engine_and_ends() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True)
    assert sorted(done.stdout.split("\n")) == ["", "[{'a': 1}]", "[{'a': 2}]", "[{'a': 2}]"]
