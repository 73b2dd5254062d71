"""The items of a run: what a second start may bring, whatever their order, and what it may not change."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
from helpers.store_tools import item, items, manifest, start

from audiocontrib.items import ROWS_AT_ONCE, Items
from audiocontrib.store import Run
from audiocontrib.store.contents import merge_items


def test_the_same_items_leave_the_file_as_it_is(tmp_path: Path) -> None:
    run = start(tmp_path / "r", 50)
    before = (run.path / "items.parquet").stat()
    start(run.path, 50)
    assert (run.path / "items.parquet").stat().st_mtime_ns == before.st_mtime_ns


def test_items_in_another_order_are_the_same_and_new_ones_are_added(tmp_path: Path) -> None:
    run = start(tmp_path / "r", 60)
    mixed = [item(i) for i in range(30, 90)]
    random.Random(1).shuffle(mixed)
    Run.create_or_resume(run.path, manifest(), Items(mixed))
    stored = [i.id for i in run.load_items()]
    assert stored[:60] == [f"toy/{i}" for i in range(60)]
    assert sorted(stored[60:]) == sorted(f"toy/{i}" for i in range(60, 90))


def test_changes_are_found_in_any_order(tmp_path: Path) -> None:
    run = start(tmp_path / "r", 20)
    given = [item(i, question="Is it loud?") if i in (3, 17) else item(i) for i in reversed(range(25))]
    new, changes = merge_items(run.path / "items.parquet", Items(given).table)
    assert new["item_id"].to_pylist() == [f"toy/{i}" for i in (24, 23, 22, 21, 20)]
    assert changes == [
        "items.toy/3.question: What is heard in 3? -> Is it loud?",
        "items.toy/17.question: What is heard in 17? -> Is it loud?",
    ]


def test_of_items_with_one_id_the_first_is_kept(tmp_path: Path) -> None:
    twice = Items([item(0), item(1), item(0, question="Again?"), item(2)])
    run = Run.create_or_resume(tmp_path / "r", manifest(), twice)
    assert [i.question for i in run.load_items()] == [f"What is heard in {n}?" for n in (0, 1, 2)]


def test_a_large_run_comes_back_whole_and_is_written_in_parts(tmp_path: Path) -> None:
    given = items(ROWS_AT_ONCE + 5)
    run = Run.create_or_resume(tmp_path / "r", manifest() | {"origin": {"audio_root": "/clips"}}, given)
    assert list(run.load_items()) == list(given)
    assert pq.read_metadata(run.path / "items.parquet").num_row_groups == 2
    assert merge_items(run.path / "items.parquet", given.table) == (given.table.slice(0, 0), [])
