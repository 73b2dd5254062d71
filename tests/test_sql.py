"""Queries over tables: they share an engine and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pytest

from audiocontrib.sql import cursor, sql

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


def test_queries_of_several_threads_do_not_meet() -> None:
    def total(n: int) -> int:
        return int(sql("select sum(number)::bigint as total from given", given=numbers(n))["total"][0].as_py())

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(total, range(1, 300))) == [n * (n - 1) // 2 for n in range(1, 300)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_has_its_own_engine_and_ends() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True)
    assert sorted(done.stdout.split("\n")) == ["", "[{'a': 1}]", "[{'a': 2}]", "[{'a': 2}]"]
