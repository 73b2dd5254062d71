"""What the page asks a viewer: runs that grow, sounds, marks, SQL, the report."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import soundfile
from helpers.shared import made_once
from helpers.store_tools import items, manifest, response
from helpers.viewing import CONDITIONS, EVIL, HERE, client, make_run

import audiocontrib as ac
from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.report.run_summary import gather
from audiocontrib.store import Run
from audiocontrib.view import serve as serving
from audiocontrib.view.shelf import find_runs
from audiocontrib.view.sql import asked_in_sql

OWN = {"origin": HERE}
ENDLESS = "select count(*) from range(10000000) a, range(10000000) b where a.range % 7 = b.range % 11"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ac.open_run(made_once(tmp_path_factory, "viewed", lambda folder: make_run(folder / "r")) / "r")


@pytest.fixture(scope="module")
def tab(run: Run) -> Any:
    return client(run.path, by="ann")


def asked(tab: Any, path: str, **words: Any) -> Any:
    answer = tab.get(path, params={"run": "r", **words})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(tab: Any, run: str) -> dict[str, Any]:
    """The state of a run once it is counted."""
    for _ in range(200):
        state: dict[str, Any] = tab.get("/api/state", params={"run": run}).json()
        if not state["busy"] and state["counted"] == state["answers"]:
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def test_runs_are_found_and_named_apart(tmp_path: Path) -> None:
    for name in ("a/one", "b/one", "b/two"):
        Run.create_or_resume(tmp_path / name, manifest(), items(1))
    assert list(find_runs([tmp_path / "a", tmp_path / "b"])) == ["a/one", "b/one", "two"]
    assert list(find_runs([tmp_path / "b", tmp_path / "b" / "two"])) == ["one", "two"]
    for wrong, said in ((tmp_path / "c", "is no folder"), (tmp_path, "holds no run")):
        with pytest.raises(UsageError, match=said):
            find_runs([wrong])
    (tmp_path / "b" / "two" / "run.json").write_text("{")
    listed = {one["name"]: one for one in client(tmp_path / "b").get("/api/runs").json()["runs"]}
    assert "fault" in listed["two"]
    assert listed["one"]["answers"] == 0


def test_a_run_that_is_filled_grows_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.view.counting.REST", 0)
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(4))
    tab = client(tmp_path)
    assert told(tab, "r")["answers"] == 0
    assert asked(tab, "/api/run")["first"] == []
    for n in range(3):
        run.append([response(n), response(n, condition="silence", request_key=f"other-{n}")])
        state = told(tab, "r")
        assert state["answers"] == 2 * (n + 1)
        found = asked(tab, "/api/items")
        assert found["state"] == state["state"]
        assert sum(row["votes"][0] != "no vote" for row in found["items"]) == n + 1
    assert asked(tab, "/api/run")["first"][0]["questions"] == 3


def test_the_head_is_that_of_the_report(run: Run, tab: Any) -> None:
    told(tab, "r")
    about, facts = asked(tab, "/api/run"), gather(run)
    assert [(row["model"], row["adds"], row["sentence"]) for row in about["first"]] == [
        (one.model, one.adds, one.sentence) for one in facts.first
    ]
    assert len(about["by_type"]) == len(facts.by_type)
    assert about["split"] == "votes"


def test_an_item_has_every_answer_and_what_was_played(run: Run, tab: Any) -> None:
    item = asked(tab, "/api/items", find="onerror")["items"][0]["id"]
    shown = asked(tab, "/api/item", item=item)
    assert EVIL[1] in shown["question"]
    cells = {(answer["model"], answer["condition"]) for answer in shown["answers"]}
    assert cells == {(model, condition) for model in ("alpha", "beta") for condition in CONDITIONS}
    assert shown["split"] in ("weak", "strong", "undecided")
    sounds = {sound["condition"]: sound for sound in shown["sounds"]}
    assert sounds["text"]["silent"] == "nothing is played"
    assert sounds["swap"]["partner"]


@pytest.mark.parametrize("condition", ["audio", "silence", "swap", "mask:50"])
def test_what_is_played_is_what_was_sent(run: Run, tab: Any, condition: str) -> None:
    item = next(item for item in run.load_items() if item.id.startswith("demo/demo/sound"))
    answer = tab.get("/api/sound", params={"run": "r", "item": item.id, "condition": condition})
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["x-samples"] == "same"
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    assert rate == 16_000
    if condition == "audio":
        assert item.audio is not None
        assert (samples == decode(item.audio).samples).all()
    part = tab.get(answer.request.url, headers={"range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, answer.content[44:144])


def test_what_was_not_played_is_said(tab: Any) -> None:
    item = asked(tab, "/api/items")["items"][0]["id"]
    for words, said in (
        ({"item": item, "condition": "text"}, "nothing is played"),
        ({"item": item, "condition": "/etc/passwd"}, "nothing is played"),
        ({"item": item, "condition": "swap:7"}, "does not say whose clip"),
        ({"item": "../r", "condition": "audio"}, "the run holds no item"),
    ):
        answer = tab.get("/api/sound", params={"run": "r", **words})
        assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text


def test_marks_are_kept_listed_and_taken_along(tmp_path: Path) -> None:
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(3))
    tab = client(tmp_path, by="ann")
    for said in (
        {"item": "toy/0", "kind": "wrong key", "answer": 0, "note": "=1+1 <b>barks</b>"},
        {"item": "toy/1", "kind": "fine"},
    ):
        assert tab.post("/api/mark", json={"run": "r", **said}, headers=OWN).json() == {"kept": True}
    assert [(row["item_id"], row["kind"], row["by"]) for row in ac.marks(run).to_pylist()] == [
        ("toy/0", "wrong key", "ann"), ("toy/1", "fine", "ann"),
    ]  # fmt: skip
    assert [row["id"] for row in asked(tab, "/api/items", marked="wrong key")["items"]] == ["toy/0"]
    assert [row["mark"] for row in asked(tab, "/api/items", sort="-mark")["items"]] == ["wrong key", "fine", ""]
    assert [row["id"] for row in asked(tab, "/api/items", marked="no")["items"]] == ["toy/2"]
    [row, _] = csv.DictReader(io.StringIO(tab.get("/api/marks?run=r&format=csv").text))
    assert (row["option"], row["note"]) == ("dog", "'=1+1 <b>barks</b>")
    lines = tab.get("/api/marks?run=r&format=jsonl").text.splitlines()
    assert [json.loads(line)["answer"] for line in lines] == [0, None]
    for said, why in (
        ({"item": "toy/9", "kind": "fine"}, "no item"), ({"item": "toy/0", "kind": "odd"}, "no mark"),
        ({"item": "toy/0", "kind": "fine", "note": 3}, "must be a text"), ({"kind": "fine"}, "no item"),
        ({"item": "toy/0", "kind": "wrong key", "answer": 1}, "already"), ({"item": ["toy/0"], "kind": "fine"}, "text"),
    ):  # fmt: skip
        answer = tab.post("/api/mark", json={"run": "r", **said}, headers=OWN)
        assert (answer.status_code, why in answer.json()["error"]) == (400, True), answer.text
    assert len(ac.marks(run)) == 2


def test_sql_reads_and_does_nothing_else(run: Run, tab: Any, tmp_path: Path) -> None:
    def ask(sql: str) -> Any:
        return tab.post("/api/sql", json={"run": "r", "sql": sql}, headers=OWN)

    found = ask("select model, model, count(*) as n, 'x'::blob as b from responses group by all order by all").json()
    assert found["columns"] == ["model", "model_1", "n", "b"]
    assert [row[0] for row in found["rows"]] == ["alpha", "beta"]
    assert found["rows"][0][3] == "1 bytes"
    (tmp_path / "other.csv").write_text("a\n1\n")
    for sql in (
        "drop view items", f"copy items to '{tmp_path}/x.csv'", "create table t as select 1", "attach 'x.db'",
        "set memory_limit = '9GB'", f"from '{tmp_path}/other.csv'", "select 1; select 2", "install httpfs", "selec",
        "from read_text('/etc/passwd')", "pragma version", "",
    ):  # fmt: skip
        answer = ask(sql)
        assert answer.status_code == 400, sql
        assert answer.json()["error"]
        assert "\n" not in answer.json()["error"]
    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]


def test_sql_has_an_end(run: Run) -> None:
    found = asked_in_sql(run, "select range as n from range(100000)", rows=10)
    assert (len(found["rows"]), found["more"]) == (10, True)
    begin = time.monotonic()
    with pytest.raises(UsageError, match=r"took more than 0\.3 s"):
        asked_in_sql(run, ENDLESS, seconds=0.3)
    assert time.monotonic() - begin < 10


@pytest.mark.slow
def test_the_report_keeps_its_own_policy(tab: Any) -> None:
    answer = tab.get("/report?run=r")
    assert answer.status_code == 200
    assert 'id="answer"' in answer.text
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]


@pytest.mark.slow
def test_the_command_serves_and_ends_in_one_line(run: Run) -> None:
    import httpx2

    command = [sys.executable, "-m", "audiocontrib", "view", str(run.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().strip()
        with httpx2.Client(follow_redirects=True) as browser:
            assert "Did the model have to listen?" in browser.get(address).text
            assert browser.get(address.split("?")[0] + "api/runs").json()["runs"][0]["name"] == "r"
        assert httpx2.get(address.split("?")[0]).status_code == 403
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (0, "", "the viewer has ended")


def test_a_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(UsageError, match=r"pip install 'audiocontrib\[view\]'"):
        serving.serve([tmp_path], say=print)


def test_a_port_that_is_taken_is_one_line(run: Run) -> None:
    with closing(serving._listening(0)) as at, pytest.raises(AudiocontribError, match="cannot be had"):
        serving.serve([run.path], say=print, port=at.getsockname()[1])
