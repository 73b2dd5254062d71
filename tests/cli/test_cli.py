"""The command line as a user meets it: help, tables, errors in one line, and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from click.testing import CliRunner, Result

from audiocontrib.cli import COMMANDS, main

MOCK = "mock:name=m,skill=0.9,leak=0.3"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four good rows with their clips."""
    for number in range(4):
        soundfile.write(tmp_path / f"{number}.wav", np.random.default_rng(number).uniform(-0.5, 0.5, 16000), 16000)
    write(tmp_path, [row(number) for number in range(4)])
    return tmp_path


def row(number: int, **changed: object) -> dict[str, object]:
    plain = {
        "id": f"r{number}",
        "question": f"What is heard in {number}?",
        "choices": ["a dog", "a cat", "rain"],
    }
    return plain | {"answer": "a cat", "audio_path": f"{number}.wav"} | changed


def write(folder: Path, rows: list[dict[str, object]]) -> None:
    (folder / "set.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def score(
    folder: Path, *more: object, conditions: tuple[str, ...] = ("audio", "silence"), run: Path | None = None
) -> Result:
    spec = [part for c in conditions for part in ("--condition", c)]
    return call(
        "score",
        "--dataset",
        folder / "set.jsonl",
        "--model",
        MOCK,
        "--run",
        run or folder / "run",
        "--quiet",
        *spec,
        *more,
    )


def answered(folder: Path) -> set[str]:
    out = call("query", "--run", folder / "run", "--format", "csv", "select distinct item_id from responses")
    assert out.exit_code == 0, out.output
    return {line["item_id"].rpartition("/")[2] for line in csv.DictReader(io.StringIO(out.stdout))}


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_has_examples(name: str | None) -> None:
    out = call(*([name] if name else []), "--help")
    assert out.exit_code == 0
    assert "audiocontrib" in out.stdout
    assert name is None or "Example" in out.stdout or "loads from its folder" in out.stdout


@pytest.mark.slow
def test_score_split_query_show(data: Path) -> None:
    scored = score(data)
    assert scored.exit_code == 0, scored.output
    assert "accuracy" in scored.stdout
    split = call("split", "--run", data / "run", "--threshold", "0.5", "--format", "json")
    assert split.exit_code == 0, split.output
    assert json.loads(split.stdout.splitlines()[0])["n"] == 4
    sql = "select condition, avg(correct::int) as share from responses group by 1 order by 1"
    asked = call("query", "--run", data / "run", sql, "--format", "json")
    assert [json.loads(line)["condition"] for line in asked.stdout.splitlines()] == ["audio", "silence"]
    for view, rows in (("contributions", 4), ("splits", 4), ("items", 4), ("quarantine", 0)):
        out = call("query", "--run", data / "run", f"select count(*) as n from {view}", "--format", "csv")
        assert out.stdout.split() == ["n", str(rows)]
    one = call("show", "r2", "--run", data / "run")
    assert one.exit_code == 0
    assert "What is heard in 2?" in one.stderr
    assert len(one.stdout.strip().splitlines()) == 1 + 2 * 3
    assert call("show", "--run", data / "run").exit_code == 0
    by = call("show", "--run", data / "run", "--by", "source_dataset", "--format", "json")
    assert json.loads(by.stdout.splitlines()[0])["source_dataset"] == ""
    assert call("show", "--run", data / "run", "--by", "extra.level").exit_code == 2
    assert call("show", "--run", data / "run", "--by", "colour").exit_code == 2
    assert call("show", "nothing", "--run", data / "run").exit_code == 2


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_tables_go_to_stdout_and_words_to_stderr(data: Path, form: str) -> None:
    out = score(data, "--format", form, conditions=("text",))
    assert out.exit_code == 0
    assert "run" not in out.stdout
    assert str(data / "run") in out.stderr
    if form == "json":
        assert json.loads(out.stdout)["n"] == 4


@pytest.mark.slow
def test_parquet_pipes(data: Path) -> None:
    assert score(data, conditions=("text",)).exit_code == 0
    command = [
        sys.executable,
        "-m",
        "audiocontrib",
        "query",
        "--run",
        str(data / "run"),
        "from items",
        "--format",
        "parquet",
    ]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    assert pq.read_table(io.BytesIO(out)).num_rows == 4


def test_the_newest_run_is_meant_and_said(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    none = call("query", "select 1")
    assert none.exit_code == 2
    assert "there is no run" in none.stderr
    for name in ("one", "two"):
        done = call(
            "score",
            "--dataset",
            "set.jsonl",
            "--model",
            MOCK,
            "--condition",
            "text",
            "--run",
            f"runs/{name}",
            "--quiet",
        )
        assert done.exit_code == 0, done.output
    out = call("query", "select count(*) from items")
    assert "runs/two" in out.stderr


def spoil_missing(folder: Path) -> None:
    (folder / "1.wav").unlink()


def spoil_truncated(folder: Path) -> None:
    whole = (folder / "1.wav").read_bytes()
    (folder / "1.wav").write_bytes(whole[: len(whole) // 2])


def spoil_empty(folder: Path) -> None:
    (folder / "1.wav").write_bytes(b"")


def spoil_gold(folder: Path) -> None:
    write(folder, [row(n) if n != 1 else row(1, answer="a horse") for n in range(4)])


def spoil_duplicate(folder: Path) -> None:
    write(folder, [row(n) if n != 1 else row(1, choices=["a cat", "a cat"]) for n in range(4)])


def spoil_many(folder: Path) -> None:
    many = [f"option {n}" for n in range(27)]
    write(folder, [row(n) if n != 1 else row(1, choices=many, answer=many[0]) for n in range(4)])


def spoil_json(folder: Path) -> None:
    rows = [row(0), row(2), row(1), row(3)]
    lines = [json.dumps(r) for r in rows]
    lines[2] = lines[2][:-9]
    (folder / "set.jsonl").write_text("\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_missing, ["1.wav", "no such file"]),
        (spoil_truncated, ["1.wav", "truncated"]),
        (spoil_empty, ["1.wav", "empty"]),
        (spoil_gold, ["set.jsonl:2", "answer", "'a horse' is not one of the choices"]),
        (spoil_duplicate, ["set.jsonl:2", "choices", "two different ones are needed"]),
        (spoil_many, ["set.jsonl:2", "choices", "27", "at most 26"]),
        (spoil_json, ["set.jsonl:3", "json"]),
    ],
    ids=lambda value: value.__name__.removeprefix("spoil_") if callable(value) else "",
)
def test_one_bad_row_is_one_line_and_the_rest_is_done(data: Path, spoil: object, words: list[str]) -> None:
    spoil(data)  # type: ignore[operator]
    out = score(data)
    assert out.exit_code == 1
    assert "Traceback" not in out.output
    told = [line for line in out.stderr.splitlines() if all(word in line for word in words)]
    assert len(told) == 1, out.stderr
    assert out.stderr.splitlines()[-1].startswith("error: 1 items are quarantined")
    assert answered(data) == {"r0", "r2", "r3"}
    kept = call("query", "--run", data / "run", "--format", "csv", "select count(*) as n from quarantine")
    assert kept.stdout.split() == ["n", "1"]


def test_a_duplicate_choice_that_leaves_the_question_whole_is_noted(data: Path) -> None:
    write(data, [row(n) if n != 1 else row(1, choices=["a cat", "rain", "a cat"]) for n in range(4)])
    out = score(data)
    assert out.exit_code == 0
    assert "1 items carry a note" in out.stderr
    assert "identical choices collapsed: 'a cat'" in out.stderr
    assert answered(data) == {"r0", "r1", "r2", "r3"}


def one_error(out: Result, code: int, *words: str) -> None:
    assert out.exit_code == code, out.output
    assert "Traceback" not in out.output
    errors = [line for line in out.stderr.splitlines() if line.startswith(("error: ", "Error: "))]
    assert len(errors) == 1, out.stderr
    assert all(word in errors[0] for word in words), errors[0]


def test_a_csv_without_the_mapped_column(data: Path) -> None:
    (data / "my.csv").write_text("q,a,b,gold,audio\nWhat?,x,y,x,0.wav\n")
    out = call(
        "score",
        "--dataset",
        data / "my.csv",
        "--map",
        "question=query",
        "--model",
        MOCK,
        "--run",
        data / "run",
    )
    one_error(out, 2, "my.csv", "'query'", "q, a, b, gold, audio")


@pytest.mark.slow
def test_a_model_folder_without_weights(data: Path) -> None:
    folder = data / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    out = call("score", "--dataset", data / "set.jsonl", "--model", folder, "--run", data / "run")
    one_error(out, 1, str(folder), "no weights")
    (folder / "pytorch_model.bin").write_bytes(b"x")
    out = call("score", "--dataset", data / "set.jsonl", "--model", folder, "--run", data / "run")
    one_error(out, 1, "pytorch_model.bin is a pickle")
    assert not (data / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--model", "no-such"], 2, ["no model is called 'no-such'"]),
        (["--model", "tiny-qwen2-audi"], 2, ["did you mean 'tiny-qwen2-audio'"]),
        (["--model", "./nowhere"], 1, ["no such folder"]),
        (["--model", "some/hub-id"], 1, ["not to be had from the hub"]),
        (["--model", "mock:skil=1"], 2, ["skil"]),
        (["--model", MOCK, "--condition", "sillence"], 2, ["did you mean 'silence'"]),
        (["--model", MOCK, "--prompt", "x"], 2, ["no prompt is called 'x'"]),
        (["--model", MOCK, "--map", "question"], 2, ["FIELD=COLUMN"]),
        (["--model", MOCK, "--audio-root", "/no/such"], 2, ["/no/such"]),
    ],
)
def test_usage_errors(data: Path, arguments: list[str], code: int, words: list[str]) -> None:
    out = call("score", "--dataset", data / "set.jsonl", "--run", data / "run", "--quiet", *arguments)
    one_error(out, code, *words)


def test_an_unknown_data_set_names_the_nearest(data: Path) -> None:
    one_error(
        call("score", "--dataset", "audiomc", "--model", MOCK, "--run", data / "r"),
        2,
        "did you mean 'audiomcq'",
    )


def test_wrong_sql_lists_the_views(data: Path) -> None:
    assert score(data, conditions=("text",)).exit_code == 0
    one_error(call("query", "--run", data / "run", "select nothing from nowhere"), 2, "responses")


def test_split_without_answers_says_what_to_run(data: Path) -> None:
    assert score(data, conditions=("text",)).exit_code == 0
    one_error(call("split", "--run", data / "run"), 1, "no answers under 'silence'", "score under it first")
    one_error(call("split", "--run", data / "run", "--condition", "text", "--threshold", "1.5"), 2, "threshold")


def test_a_text_model_is_not_asked_to_listen(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audiocontrib.models.mock import MockModel

    monkeypatch.setattr(MockModel, "capabilities", frozenset({"likelihood"}))
    one_error(score(data), 2, "reads text only", "use conditions without audio, as text")


def test_debug_shows_the_traceback(data: Path) -> None:
    out = call("--debug", "score", "--dataset", "nowhere.jsonl", "--model", MOCK)
    assert out.exception is not None
    assert not isinstance(out.exception, SystemExit)


def test_failed_questions_make_the_exit_code_1(data: Path) -> None:
    out = call(
        "score", "--dataset", data / "set.jsonl", "--model", "mock:fail=0.5,fail_always=true", "--condition", "text",
        "--run", data / "run", "--quiet",
    )  # fmt: skip
    one_error(out, 1, "questions failed", "the same command asks them again")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_in_the_middle_of_a_run_keeps_what_is_done(data: Path, small_disk: Path) -> None:
    def ask(*conditions: str) -> Result:
        return score(data, "--save-every", "0", conditions=conditions, run=small_disk / "run")

    def count() -> int:
        out = call("query", "--run", small_disk / "run", "select count(*) as n from responses", "--format", "csv")
        return int(out.stdout.split()[1])

    assert ask("text").exit_code == 0
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    filler.write_bytes(b"x" * (free.f_bavail * free.f_bsize - 8192))
    one_error(ask("text", "silence"), 1, "disk full", "same command")
    assert count() == 4 * 3
    filler.unlink()
    assert ask("text", "silence").exit_code == 0
    assert count() == 2 * 4 * 3


@pytest.mark.slow
def test_importing_is_quick_and_tables_are_read_without_torch() -> None:
    code = (
        "import sys; import audiocontrib, audiocontrib.cli;"
        "print(sorted({'torch', 'transformers', 'pandas'} & set(sys.modules)));"
        "from click.testing import CliRunner; from audiocontrib.cli import main;"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0; print('torch' in sys.modules);"
        "import audiocontrib.contribution, audiocontrib.splits, audiocontrib.store,"
        "audiocontrib.report.plots, audiocontrib.sources, audiocontrib.answers, audiocontrib.statistics;"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False", "[]"]
