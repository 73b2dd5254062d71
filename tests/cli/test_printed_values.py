"""How values that are no words or numbers are printed: bytes by their size, lists as JSON, in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from audiocontrib.cli import main
from audiocontrib.cli.output import emit
from audiocontrib.errors import UsageError
from audiocontrib.markdown import plain_markdown
from audiocontrib.sources import load_items
from audiocontrib.sources.describe import describe
from audiocontrib.sql import cursor as sql_cursor

ROWS = [
    {"n": 1, "raw": b"\xff\xfe" * 600, "clip": {"path": "a.wav", "bytes": b"\x80"}, "choices": ["a b", 'c "d"', "é"]},
    {"n": None, "raw": None, "clip": None, "choices": None},
    {"n": 3, "raw": b"", "clip": {"path": None, "bytes": None}, "choices": []},
]
TABLE = pa.Table.from_pylist(ROWS)


def printed(form: str, capsys: pytest.CaptureFixture[str], table: pa.Table = TABLE) -> str:
    emit(table, form)
    return capsys.readouterr().out


def test_csv_holds_json_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = csv.DictReader(io.StringIO(printed("csv", capsys)))
    assert json.loads(first["choices"]) == ROWS[0]["choices"]
    assert json.loads(first["clip"]) == {"path": "a.wav", "bytes": "1 bytes"}
    assert (first["raw"], third["raw"], third["choices"]) == ("1,200 bytes", "0 bytes", "[]")
    assert (second["raw"], second["choices"], second["n"], first["n"]) == ("", "", "", "1")


def test_json_and_tables_too(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, _ = map(json.loads, printed("json", capsys).splitlines())
    assert first["choices"] == ROWS[0]["choices"]
    assert (first["raw"], first["clip"], second["clip"]) == ("1,200 bytes", {"path": "a.wav", "bytes": "1 bytes"}, None)
    for form in ("table", "markdown"):
        shown = printed(form, capsys)
        assert "1,200 bytes" in shown
        held = '["a b", "c \\"d\\"", "é"]'
        assert (plain_markdown(held) if form == "markdown" else held) in shown
    numbers = pa.table(
        {"p": [[0.123456, 1.0]], "t": [datetime(2026, 1, 2, tzinfo=UTC)], "s": [{"t": datetime(2026, 1, 2)}]}
    )
    assert "[0.1235, 1]" in printed("table", capsys, numbers)
    assert '{""t"": ""2026-01-02 00:00:00""}' in printed("csv", capsys, numbers)


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


def test_all_of_the_demo_is_printed_and_read_back(tmp_path: Path) -> None:
    run = tmp_path / "run"
    call("score", "--dataset", "demo", "--limit", 6, "--model", "mock", "--condition", "text", "--run", run)
    for form in ("table", "csv", "json", "parquet"):
        shown = call("query", "select * from items", "--run", run, "--format", form)
        assert shown.exit_code == 0
        assert len(shown.stdout_bytes) < 20_000
    assert pq.read_table(io.BytesIO(shown.stdout_bytes)).num_rows == 6
    sql = "select split_part(item_id, '/', -1) as id, question, choices, choices[answer + 1] as answer from items"
    (tmp_path / "back.csv").write_text(call("query", sql, "--run", run, "--format", "csv").stdout)
    found = describe(tmp_path / "back.csv")
    back = load_items(tmp_path / "back.csv", mapping=found.proposal.mapping, answer_as=found.proposal.answer_as)
    assert [(i.choices, i.answer) for i in back] == [(i.choices, i.answer) for i in load_items("demo", limit=6)]


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet", "markdown", "latex"])
def test_columns_of_one_name_stay_apart(form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    emit(pa.table([[7], [8], [9], [6]], names=["id", "id", "id_1", "id"]), form)
    said = capfdbinary.readouterr().out
    if form == "parquet":
        assert pq.read_table(io.BytesIO(said)).to_pylist() == [{"id": 7, "id_2": 8, "id_1": 9, "id_3": 6}]
    else:
        assert [sign for sign in "7896" if sign in said.decode()] == list("7896")
        assert said.decode().index("7") < said.decode().index("8") < said.decode().index("9")


@pytest.mark.parametrize(
    ("what", "forms"),
    [
        ("'infinity'::date", "table csv json"),
        ("'-infinity'::timestamp", "table"),
        ("'infinity'::timestamptz", "table csv"),
        ("'0044-03-15 (BC)'::date", "table csv json"),
        ("map {'a': 1}", "table json"),
        ("interval 3 months", "json"),
        ("10000000000000000000000::bignum", "json"),
    ],
)
def test_what_a_format_has_no_form_for_is_one_line(what: str, forms: str) -> None:
    with sql_cursor() as con:
        table = con.sql(f"select {what} as a").to_arrow_table()
    for form in forms.split():
        with pytest.raises(UsageError, match=rf"cannot be printed as {form} .* cast it to a text"):
            emit(table, form)
