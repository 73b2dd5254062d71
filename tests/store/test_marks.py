"""Marks of items: kept one by one, through kills, refused where they cannot be true."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.processes import PROCESSES
from helpers.store_tools import items, manifest, start

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, make_item
from audiocontrib.store import Run
from audiocontrib.store.mark_lines import KINDS, MARK_SCHEMA

CAT, DOG = 1, 0
"""The key of every toy item, and another option."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return start(tmp_path / "r")


def said(run: Run) -> list[tuple[Any, ...]]:
    return [tuple(row.values())[:-1] for row in ac.marks(run).to_pylist()]


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(AudiocontribError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_of_each_item_and_person_the_latest_mark_counts(run: Run) -> None:
    assert ac.marks(run).schema.equals(MARK_SCHEMA)
    ac.add_mark(run, "toy/1", "fine")
    ac.add_mark(run, "toy/0", "ambiguous", by="bob", note="ein Hund — или кот")
    ac.add_mark(run, "toy/1", "wrong key", answer="dog")
    ac.add_mark(run, "toy/1", "leak", by="ann")
    ac.add_mark(run, "toy/2", "clip bad", by="ann")
    ac.add_mark(run, "toy/2", None, by="ann")
    assert said(run) == [
        ("toy/0", "ambiguous", None, None, "ein Hund — или кот", "bob"),
        ("toy/1", "wrong key", DOG, "dog", "", ""),
        ("toy/1", "leak", None, None, "", "ann"),
    ]
    assert len((run.path / "marks.jsonl").read_text().splitlines()) == 6
    assert run.table('select item_id, "by" from marks').to_pylist()[0] == {"item_id": "toy/0", "by": "bob"}
    assert not len(ac.verify(run).damaged)


def test_the_end_of_an_id_will_do_where_it_fits_one_item(run: Run) -> None:
    ac.add_mark(run, "1", "fine")
    assert said(run)[0][0] == "toy/1"
    own = make_item(dataset="toy", own_id="more/1", question="?", choices=["a", "b"], answer="a", audio=None)
    Run.create_or_resume(run.path, manifest(), Items([own]))
    assert "fits several items: toy/1, toy/more/1" in refused(lambda: ac.add_mark(run, "1", "fine"))
    ac.add_mark(run, "toy/1", "leak")
    assert "no item" in refused(lambda: ac.add_mark(run, "y/1", "fine"))


def test_a_run_that_grows_keeps_its_marks(run: Run) -> None:
    ac.add_mark(run, "toy/1", "fine")
    grown = Run.create_or_resume(run.path, manifest(), items(5))
    ac.add_mark(grown, "toy/4", "fine")
    assert [row[0] for row in said(run)] == ["toy/1", "toy/4"]


@pytest.mark.parametrize(
    ("item_id", "kind", "words", "why"),
    [
        ("toy/9", "fine", {}, "no item 'toy/9'"),
        (7, "fine", {}, "no item 7"),
        ("toy/\ud800", "fine", {}, "no item"),
        ("toy/0", "none", {}, "no mark 'none'"),
        ("toy/0", "wrong key", {"answer": 3}, "answer is 3"),
        ("toy/0", "wrong key", {"answer": -1}, "answer is -1"),
        ("toy/0", "wrong key", {"answer": True}, "answer is True"),
        ("toy/0", "wrong key", {"answer": "Dog"}, "0 'dog', 1 'cat', 2 'car'"),
        ("toy/0", "wrong key", {"answer": CAT}, "the key of toy/0 already"),
        ("toy/0", "leak", {"answer": DOG}, "goes with 'wrong key'"),
        ("toy/0", None, {"answer": DOG}, "goes with 'wrong key'"),
        ("toy/0", "fine", {"note": "a\x1b[31m"}, "note is"),
        ("toy/0", "fine", {"note": "two\nlines"}, "note is"),
        ("toy/0", "fine", {"by": "\u202eann"}, "by is"),
        ("toy/0", "fine", {"by": "\ud800"}, "by is"),
        ("toy/0", "fine", {"note": "x" * 2001}, "2,001 characters"),
        ("toy/0", "fine", {"note": None}, "note is None"),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_line(
    item_id: Any, kind: Any, words: dict[str, Any], why: str, run: Run
) -> None:
    line = refused(lambda: ac.add_mark(run, item_id, kind, **words))
    assert why in line
    assert not (run.path / "marks.jsonl").exists()


@pytest.mark.parametrize("left", [1, 30, -2])
def test_a_torn_line_is_left_out_and_the_next_mark_starts_a_fresh_one(left: int, run: Run) -> None:
    for n in range(2):
        ac.add_mark(run, f"toy/{n}", "fine")
    path = run.path / "marks.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[:first] + whole[first:][:left])
    assert [row[0] for row in said(run)] == ["toy/0"]
    assert "not written to its end" in ac.verify(run).damaged["problem"][0].as_py()
    ac.add_mark(run, "toy/2", "leak")
    assert [row[0] for row in said(run)] == ["toy/0", "toy/2"]
    assert not len(ac.verify(run).damaged)


def test_a_line_without_its_end_alone_is_whole(run: Run) -> None:
    ac.add_mark(run, "toy/0", "fine")
    path = run.path / "marks.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    ac.add_mark(run, "toy/1", "fine")
    assert len(said(run)) == 2


def test_every_byte_that_changes_is_refused_by_the_number_of_its_line(run: Run) -> None:
    for kind in KINDS[1:]:
        ac.add_mark(run, "toy/0", kind, by=kind)
    path = run.path / "marks.jsonl"
    kept, wanted = path.read_bytes(), said(run)
    for at in range(0, len(kept), 13):
        damaged = bytearray(kept)
        damaged[at] ^= 4
        path.write_bytes(damaged)
        line = refused(lambda: ac.marks(run))
        assert f"line {kept[:at].count(10) + 1} " in line
    path.write_bytes(kept[:-1] + b"J")
    assert "line 4 " in refused(lambda: ac.marks(run))
    path.write_bytes(kept.replace(b"leak", b"lark"))
    assert "line 4 " in refused(lambda: ac.accuracy(run))
    repaired = ac.verify(run, repair=True)
    assert repaired.damaged["file"].to_pylist() == ["marks.jsonl"]
    assert said(run) == [row for row in wanted if row[1] != "leak"]
    assert (run.path / "damaged" / "marks.jsonl").exists()


def test_marks_of_another_run_are_refused(run: Run, tmp_path: Path) -> None:
    other = start(tmp_path / "more", 9)
    ac.add_mark(other, "toy/0", "fine")
    ac.add_mark(other, "toy/8", "fine")
    (run.path / "marks.jsonl").write_bytes((other.path / "marks.jsonl").read_bytes())
    assert "line 2 is of 'toy/8', which the run does not hold" in refused(lambda: ac.marks(run))
    assert len(ac.verify(run, repair=True).damaged) == 1
    assert [row[0] for row in said(run)] == ["toy/0"]
    with (run.path / "marks.jsonl").open("a") as file:
        file.write("\n")
    (run.path / "items.parquet").write_bytes(b"")
    assert set(ac.verify(run, repair=True).damaged["file"].to_pylist()) == {"items.parquet", "marks.jsonl"}


@pytest.mark.parametrize("place", ["outside", "items.parquet", "none"])
def test_a_link_is_refused(place: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("")
    path = run.path / "marks.jsonl"
    path.symlink_to(tmp_path / "outside" if place == "outside" else place)
    kept = (run.path / "items.parquet").read_bytes()
    refused(lambda: ac.add_mark(run, "toy/0", "fine"))
    assert (tmp_path / "outside").read_text() == ""
    assert (run.path / "items.parquet").read_bytes() == kept
    path.unlink()
    os.mkfifo(path)
    assert "pipe" in refused(lambda: ac.add_mark(run, "toy/0", "fine"))
    assert "pipe" in refused(lambda: ac.marks(run))


def test_a_folder_that_may_only_be_read_has_its_marks(run: Run) -> None:
    ac.add_mark(run, "toy/0", "fine")
    run.path.chmod(0o555)
    try:
        assert len(said(run)) == 1
    finally:
        run.path.chmod(0o755)


def mark_all(folder: Path, by: str, told: Path) -> None:
    """Mark for ever, and tell of each mark that is on disk."""
    run = ac.open_run(folder)
    with told.open("a") as file:
        for n in range(10**6):
            ac.add_mark(run, f"toy/{n % 3}", KINDS[1 + n % 4], note=f"{n} {'x' * (n % 50)}", by=f"{by}-{n}")
            file.write(f"{by}-{n}\n")
            file.flush()


@pytest.mark.slow
def test_marks_of_two_who_are_killed_are_kept(run: Run, tmp_path: Path) -> None:
    for turn in range(2):
        both = [PROCESSES.Process(target=mark_all, args=(run.path, f"{turn}{name}", tmp_path / name)) for name in "ab"]
        for process in both:
            process.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not all(
            (tmp_path / name).exists() and f"{turn}{name}-9" in (tmp_path / name).read_text() for name in "ab"
        ):
            time.sleep(0.01)
        for process in both:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        told = {line for name in "ab" for line in (tmp_path / name).read_text().splitlines()}
        kept = {row[-1] for row in said(run)}
        assert told <= kept
        assert len(kept - told) <= 2 * (turn + 1)  # on disk, and killed before it could tell
    assert len(told) >= 40
    ac.add_mark(run, "toy/0", "fine", by="last")
    assert not len(ac.verify(run).damaged)


def test_nothing_is_a_run_of_marks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="open one first"):
        ac.marks(tmp_path)  # type: ignore[arg-type]
