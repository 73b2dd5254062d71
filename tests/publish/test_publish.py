"""Files to hand in, the hub's forms, published figures, and pushing, against a fake of the hub's HTTP."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.importing import import_responses
from audiocontrib.items import Items, make_item
from audiocontrib.store import Run

K = ("a dog", "a cat", "rain")


def a_run(folder: Path, name: str, rows: list[dict[str, Any]], **origin: Any) -> Run:
    made = [
        make_item(dataset=name, own_id=f"q{n}", question=f"What is heard in {n}?", choices=list(K), answer=K[n % 3],
                  audio=None, clip_id=f"c{n}")
        for n in range(6)
    ]  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = import_responses(folder / "answers.jsonl", folder / "run", Items(made, origin={"name": name, **origin}))
    assert done.problems == ()
    return done.run


def answers(right: int, model: str = "Qwen/Qwen2.5-Omni-7B", condition: str = "audio") -> list[dict[str, Any]]:
    """So many of the six are right; of the others the last says nothing."""
    said = [K[n % 3] if n < right else K[(n + 1) % 3] for n in range(5)]
    replies = [f"<think>Hm, {n}.</think>{text}" for n, text in enumerate(said)] + ["I cannot hear any audio."]
    return [
        {"item_id": f"q{n}", "model": model, "condition": condition, "reply": reply} for n, reply in enumerate(replies)
    ]


@pytest.mark.slow
def test_files_to_hand_in(tmp_path: Path) -> None:
    """Nothing is guessed where a reply names no option."""
    mmar = a_run(tmp_path / "mmar", "mmar", answers(4))
    assert ac.write_results(mmar, "mmar-challenge", out=tmp_path / "mmar.jsonl") == (6, 1)
    rows = [json.loads(line) for line in (tmp_path / "mmar.jsonl").read_text().splitlines()]
    assert rows[1] == {"id": "q1", "thinking_prediction": "Hm, 1.", "answer_prediction": "a cat"}
    assert rows[5]["answer_prediction"] == ""
    adqa = a_run(tmp_path / "adqa", "adqa-bench", answers(4))
    ac.write_results(adqa, "dcase2026", out=tmp_path / "dcase.csv")
    with (tmp_path / "dcase.csv").open(newline="") as file:
        assert list(csv.reader(file))[:2] == [["question", "answer"], ["q0", "a dog"]]
    mmau = a_run(tmp_path / "mmau", "mmau", answers(4))
    ac.write_results(mmau, "mmau-test", out=tmp_path / "mmau.json")
    again = import_responses(
        tmp_path / "mmau.json", tmp_path / "again", mmau.load_items(), model="m", condition="audio"
    )
    assert again.run.query("select sum(correct::int) as n from responses").n[0] == 4
    with pytest.raises(UsageError, match="dcase2026 is for adqa-bench or adqa-dev; the run is of mmau"):
        ac.write_results(mmau, "dcase2026", out=tmp_path / "x.csv")
    with pytest.raises(UsageError, match="under silence; it holds"):
        ac.write_results(mmau, "mmau-test", out=tmp_path / "x", condition="silence")
    few = a_run(tmp_path / "few", "mmau", answers(4)[:5])
    with pytest.raises(AudiocontribError, match="1 of 6 items have no answer"):
        ac.write_results(few, "mmau-test", out=tmp_path / "x")


def test_results_as_the_hub_reads_them(tmp_path: Path) -> None:
    run = a_run(tmp_path / "a", "mmau", answers(4), hub="gamma-lab-umd/MMAU-test-mini", split="test")
    ac.write_results(run, "eval-results", out=tmp_path / "mmau.yaml")
    [entry] = huggingface_hub.parse_eval_result_entries(yaml.safe_load((tmp_path / "mmau.yaml").read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("gamma-lab-umd/MMAU-test-mini", "test", 66.67)
    assert "4 of 6 right, condition audio" in str(entry.notes)
    done = CliRunner().invoke(main, ["results", "--run", str(run.path), "--for", "model-index", "--out",
                                     str(tmp_path / "index.yaml")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "6 items, 1 of which name no option" in done.stderr
    card = huggingface_hub.ModelCard(f"---\n{(tmp_path / 'index.yaml').read_text()}---\n")
    [result] = card.data.eval_results or []
    assert (result.metric_value, result.dataset_type) == (0.6667, "gamma-lab-umd/MMAU-test-mini")
    with pytest.raises(AudiocontribError, match="was not read from the hub"):
        ac.write_results(a_run(tmp_path / "b", "mmau", answers(4)), "eval-results", out=tmp_path / "x")


@pytest.mark.slow
def test_published_figures_stand_beside_ones_own(tmp_path: Path) -> None:
    rows = answers(4) + answers(2, condition="text")
    run = a_run(tmp_path / "a", "mmau", rows)
    table = ac.beside_published(run).to_pylist()
    [text] = [row for row in table if row["condition"] == "text" and row["model"]]
    assert (text["published_model"], text["published"], text["n"]) == ("Qwen2.5-Omni-7B", 0.487, 6)
    assert text["difference"] == pytest.approx(2 / 6 - 0.487)
    assert (text["read_here"], text["read_there"]) == ("exact reading of replies", "regex, then a language model reads")
    assert {row["dataset"] for row in table} == {"mmau"}
    mmar = ac.beside_published(a_run(tmp_path / "b", "mmar", answers(4))).to_pylist()
    flamingo = {row["read_there"]: row["published"] for row in mmar
                if (row["published_model"], row["condition"]) == ("Audio Flamingo 3", "text")}  # fmt: skip
    assert flamingo == {"official string match": 0.129, "regex, then a language model reads": 0.331}
    command = ["evaluate", "--run", str(run.path), "--against", "published", "--format", "csv"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert "arXiv 2604.24401" in done.stdout
    assert CliRunner().invoke(main, [*command, "--by", "question_type"]).exit_code == 2
    with pytest.raises(AudiocontribError, match="no published figures are known of theirs"):
        ac.beside_published(a_run(tmp_path / "c", "theirs", answers(4)))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, bytes], list[str]]]:
    """The hub's HTTP as far as a push needs it: address, files that were committed, paths that were asked for."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            self.answer(self.reply(body))

        def do_GET(self) -> None:
            asked.append(self.path)
            self.answer({"id": "me/set", "sha": "0" * 40, "siblings": []})

        def reply(self, body: bytes) -> dict[str, Any]:
            if self.path == "/api/repos/create":
                told = json.loads(body)
                assert told["visibility"] == "private"
                return {"url": f"http://{self.headers['Host']}/datasets/me/set", "id": "me/set"}
            if "/preupload/" in self.path:
                return {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                                  for one in json.loads(body)["files"]]}  # fmt: skip
            if "/commit/" in self.path:
                import base64

                for line in body.splitlines():
                    row = json.loads(line)
                    if row["key"] == "file":
                        files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
                return {"commitUrl": f"http://{self.headers['Host']}/datasets/me/set/commit/1", "commitOid": "1" * 40}
            return {"errors": [], "warnings": []}

        def answer(self, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    yield f"http://127.0.0.1:{server.server_port}", files, asked
    server.shutdown()


@pytest.mark.slow
def test_a_split_is_pushed_after_a_look(tmp_path: Path, hub: tuple[str, dict[str, bytes], list[str]]) -> None:
    address, files, asked = hub
    rows = [row for n, name in enumerate("abc") for row in answers(n + 2, name, "silence") + answers(5, name)]
    run = a_run(tmp_path / "a", "theirs", rows)
    ac.split(run, rule="votes", threshold=0.5).save(run.split_folder("votes"))
    looked = ac.push(run, "me/set", endpoint=address, token="t")
    assert (looked.url, asked) == (None, [])
    assert [name for name, _ in looked.files] == ["README.md", "croissant.json", "provenance.json", "split.parquet"]
    done = ac.push(run, "me/set", split="votes", send=True, endpoint=address, token="t")
    assert done.url == f"{address}/datasets/me/set/commit/1"
    assert files.keys() >= {name for name, _ in done.files}
    (tmp_path / "split.parquet").write_bytes(files["split.parquet"])
    table = pq.read_table(tmp_path / "split.parquet")
    assert table.num_rows == 6
    assert {"item_id", "split", "score", "question", "choices", "answer"} <= set(table.column_names)
    told = json.loads(files["croissant.json"])
    assert told["distribution"][0]["sha256"] == hashlib.sha256(files["split.parquet"]).hexdigest()
    assert {field["name"] for field in told["recordSet"][0]["field"]} == set(table.column_names)
    commands = json.loads(files["provenance.json"])["commands"]
    assert not [name for name, data in files.items() if str(tmp_path).encode() in data]
    assert commands[-1].startswith("audiocontrib split --run")
    assert b"audio-contribution" in files["README.md"]


def test_a_model_is_pushed_with_its_card(tmp_path: Path, hub: tuple[str, dict[str, bytes], list[str]]) -> None:
    (tmp_path / "out" / "model").mkdir(parents=True)
    with pytest.raises(AudiocontribError, match="holds no trained model"):
        ac.push(tmp_path / "out", "me/set")
    (tmp_path / "out" / "model" / "model.safetensors").write_bytes(b"w")
    with pytest.raises(AudiocontribError, match="has no card"):
        ac.push(tmp_path / "out", "me/set")
    (tmp_path / "out" / "model" / "README.md").write_text("# It listens\n")
    ac.push(tmp_path / "out", "me/set", send=True, endpoint=hub[0], token="t")
    assert hub[1] == {"model.safetensors": b"w", "README.md": b"# It listens\n"}
    done = CliRunner().invoke(main, ["push", "me/set", "--training", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "nothing was sent" in done.stderr
    refused = CliRunner().invoke(main, ["push", "me", "--training", str(tmp_path / "out")])
    assert refused.exit_code == 2
