"""Manifests: every kind of file gives the same rows, and every fault is one line that says where."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy
from helpers.manifests import ROWS, ids, lines, quarantined, row, write

from audiocontrib.errors import AudiocontribError
from audiocontrib.sources import load_items

datasets = lazy("datasets")


def write_csv(path: Path, rows: list[dict[str, Any]], **form: Any) -> Path:
    with path.open("w", newline="", encoding=form.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, list(rows[0]), **form)
        writer.writeheader()
        writer.writerows({k: json.dumps(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows)
    return path


def failure(path: Path, **options: Any) -> str:
    with pytest.raises(AudiocontribError) as caught:
        load_items(str(path), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def as_jsonl(folder: Path) -> Path:
    return write(folder / "my.jsonl", lines(*ROWS))


def as_bom_crlf(folder: Path) -> Path:
    return write(folder / "my.jsonl", b"\xef\xbb\xbf" + lines(*ROWS).replace("\n", "\r\n").encode())


def as_blank_lines(folder: Path) -> Path:
    return write(folder / "my.jsonl", "\n" + lines(*ROWS).replace("\n", "\n\n").rstrip())


def as_array(folder: Path) -> Path:
    return write(folder / "my.json", "\ufeff" + json.dumps(ROWS, indent=1))


def as_lines_called_json(folder: Path) -> Path:
    return write(folder / "my.json", "\ufeff" + lines(*ROWS))


def as_object_by_id(folder: Path) -> Path:
    without = [{k: v for k, v in r.items() if k != "id"} for r in ROWS]
    return write(folder / "my.json", json.dumps({r["id"]: w for r, w in zip(ROWS, without, strict=True)}))


def as_csv(folder: Path) -> Path:
    return write_csv(folder / "my.csv", ROWS)


def as_bom_csv(folder: Path) -> Path:
    return write_csv(folder / "my.csv", ROWS, encoding="utf-8-sig", lineterminator="\r\n")


def as_tsv(folder: Path) -> Path:
    return write_csv(folder / "my.tsv", ROWS, delimiter="\t")


def as_parquet(folder: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "my.parquet")
    return folder / "my.parquet"


def as_gz(folder: Path) -> Path:
    return write(
        folder / "my.jsonl.gz", gzip.compress(lines(*ROWS[:2]).encode()) + gzip.compress(lines(ROWS[2]).encode())
    )


def as_zst(folder: Path) -> Path:
    return write(folder / "my.json.zst", pa.compress(json.dumps(ROWS).encode(), codec="zstd", asbytes=True))


def as_xz_csv(folder: Path) -> Path:
    return write(folder / "my.csv.xz", lzma.compress(as_csv(folder).read_bytes()))


def as_utf16(folder: Path) -> Path:
    return write(folder / "my.jsonl", lines(*ROWS).encode("utf-16"))


def as_semicolons(folder: Path) -> Path:
    return write_csv(folder / "my.csv", ROWS, delimiter=";")


def as_excel(folder: Path) -> Path:
    path = write_csv(folder / "my.csv", ROWS, delimiter="|")
    return write(path, b"\xef\xbb\xbfsep=|\r\n" + path.read_bytes())


def as_folder(folder: Path) -> Path:
    write(folder / "my" / "b" / "rest.jsonl", lines(*ROWS[1:]))
    write(folder / "my" / "a.json", json.dumps(ROWS[:1]))
    write(folder / "my" / ".cache" / "old.jsonl", lines(*ROWS))
    write(folder / "my" / "README.md", "no rows")
    return folder / "my"


def as_saved_dataset(folder: Path) -> Path:
    datasets.Dataset.from_list(ROWS).save_to_disk(folder / "my")
    return folder / "my"


def as_saved_splits(folder: Path) -> Path:
    splits = {"test": datasets.Dataset.from_list(ROWS[2:]), "dev": datasets.Dataset.from_list(ROWS[:2])}
    datasets.DatasetDict(splits).save_to_disk(folder / "my")
    return folder / "my"


KINDS = [value for name, value in list(globals().items()) if name.startswith("as_")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_file_gives_the_same_items(kind: Any, tmp_path: Path) -> None:
    items = load_items(str(kind(tmp_path)))
    assert items.quarantined == ()
    assert ids(items) == ["q1", "q2", "q3"]
    assert {item.dataset for item in items} == {"my"}
    assert items[1].choices == ("dog", "cat", "cow")
    assert items[1].answer == 1
    assert items[1].audio is not None
    assert items[1].audio.path == "clips/2.wav"
    assert dict(items[1].extra) == {"level": "easy"}


def test_an_encoding_that_is_said(tmp_path: Path) -> None:
    text = lines(json.dumps(row(1, question="Wélche?"), ensure_ascii=False))
    path = write(tmp_path / "my.jsonl", text.encode("latin-1"))
    assert len(load_items(path)) == 0
    assert [item.question for item in load_items(path, encoding="latin-1")] == ["Wélche?"]
    table = write_csv(tmp_path / "my.csv", [row(1, question="Wélche?")], encoding="cp1252")
    assert "not UTF-8; save it so, or say its encoding" in failure(table)
    (item,) = items = load_items(table, encoding="cp1252")
    assert (item.question, items.origin["encoding"]) == ("Wélche?", "cp1252")
    for wrong in ("klingon", "hex"):
        assert "is no encoding" in failure(table, encoding=wrong)
    assert "is not written in ascii" in failure(table, encoding="ascii")


@pytest.mark.parametrize("name", ["my.jsonl.gz", "my.csv.bz2", "my.json.xz", "my.jsonl.zst"])
def test_what_is_not_compressed_as_it_is_called(name: str, tmp_path: Path) -> None:
    assert "cannot be read" in failure(write(tmp_path / name, lines(*ROWS)))


def test_a_compressed_file_that_breaks_off(tmp_path: Path) -> None:
    packed = gzip.compress(lines(*(row(n) for n in range(500))).encode())
    assert "cannot be read" in failure(write(tmp_path / "my.jsonl.gz", packed[:-20]))
    assert "is read from a file of one of the kinds" in failure(write(tmp_path / "my.parquet.gz", packed))


def test_cells_that_two_signs_divide_as_evenly(tmp_path: Path) -> None:
    path = write(tmp_path / "my.csv", "question,a;choices,b;answer\nx,y;z,w;v\nx,y;z,w;v\nx,y;z,w;v\n")
    assert "may be divided by commas or semicolons" in failure(path)
    # commas in texts are no second sign: they are not as many in each row
    text = "id;question;choices;answer;audio_path\n" + "".join(
        f"{n};Which, of all{', and' * n}?;['a', 'b'];a;{n}.wav\n" for n in range(3)
    )
    assert len(load_items(write(path, text))) == 3


ODD: list[dict[str, Any]] = [
    {"question": ["x"]},
    {"question_type": {"a": 1}, "split": {"b": 2}},
    {"audio_path": {"bytes": "text"}},
    {"audio_path": {"array": "x", "sampling_rate": 16000}},
    {"audio_path": {"array": [0.1], "sampling_rate": "fast"}},
    {"audio_path": [1, 2]},
    {"choices": {"A": 1, "B": 2}},
    {"choices": [{"text": "a"}, {"text": "b"}]},
    {"answer": {"a": 1}},
    {"answer": []},
]


@pytest.mark.parametrize("changes", ODD, ids=str)
def test_one_bad_row_ends_nothing(changes: dict[str, Any], tmp_path: Path) -> None:
    items = load_items(write(tmp_path / "my.jsonl", lines(row(1), row(2, **changes), row(3))))
    assert ids(items) == ["q1", "q3"]
    assert [bad.line for bad in items.quarantined] == [2]


def test_a_number_without_measure_ends_no_array(tmp_path: Path) -> None:
    rows = [json.dumps(row(1)), '{"n": ' + "9" * 5000 + "}", json.dumps(row(2))]
    for name, text in (("my.json", f"[{', '.join(rows)}]"), ("my.jsonl", "\n".join(rows))):
        items = load_items(write(tmp_path / name, text))
        assert (ids(items), [bad.reason for bad in items.quarantined]) == (
            ["q1", "q2"],
            ["a whole number has too many digits"],
        )


def test_splits_come_from_columns_folders_and_shard_names(tmp_path: Path) -> None:
    saved = as_saved_splits(tmp_path)
    assert [item.split for item in load_items(str(saved))] == ["dev", "dev", "test"]
    assert ids(load_items(str(saved), split="test")) == ["q3"]
    table = pa.Table.from_pylist(ROWS[:1])
    (tmp_path / "shards").mkdir()
    pq.write_table(table, tmp_path / "shards" / "train-00000-of-00002.parquet")
    pq.write_table(pa.Table.from_pylist(ROWS[1:]), tmp_path / "shards" / "v1.5-00000-of-00001.parquet")
    assert ids(load_items(str(tmp_path / "shards"), split="train")) == ["q1"]
    own = write(tmp_path / "own.jsonl", lines(row(1, split="a"), row(2, split="b")))
    assert ids(load_items(str(own), split="b")) == ["q2"]
    assert "no row belongs to the split 'c'; there are: a, b" in failure(own, split="c")
    assert "no row says its split" in failure(as_jsonl(tmp_path), split="c")


def test_broken_json_on_line_3_is_quarantined_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "my.jsonl", lines(row(1), row(2), '{"id": "q3", "question": ', row(4)))
    items = load_items(str(path))
    assert ids(items) == ["q1", "q2", "q4"]
    assert str(items.quarantined[0]) == f"{path}:3: json: Expecting value at column 25"


@pytest.mark.parametrize(
    "line",
    [
        b"[1, 2]",
        b"5",
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b"{} {}",
        b"[" * 100_000,
        b"[" * 4000 + b"]" * 4000,  # Python 3.12 and later read it
        b'{"id":' * 101 + b"1" + b"}" * 101,
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": "\xef\xbb\xbf',
    ],
)
def test_lines_that_are_no_row(line: bytes, tmp_path: Path) -> None:
    items = load_items(
        str(write(tmp_path / "my.jsonl", lines(row(1)).encode() + line + b"\n" + lines(row(3)).encode()))
    )
    assert ids(items) == ["q1", "q3"]
    assert quarantined(items) == [(2, "json")]


def test_brackets_within_texts_are_no_levels(tmp_path: Path) -> None:
    kept = row(1, question="[{" * 90 + '"' + "[" * 90, extra=[[n] for n in range(90)])
    assert load_items(str(write(tmp_path / "a.jsonl", lines(kept))))[0].question == kept["question"]
    assert (
        load_items(str(write(tmp_path / "b.json", json.dumps([kept, row(2)], indent=1))))[0].question
        == kept["question"]
    )
    assert len(load_items(str(write(tmp_path / "c.json", json.dumps({"x": kept, "y": row(2)}))))) == 2


def test_characters_beyond_the_basic_plane_and_odd_line_separators_are_text(tmp_path: Path) -> None:
    path = write(tmp_path / "my.jsonl", json.dumps(row(1, question="🐄\u2028?")) + "\n" + lines(row(2)))
    path.write_bytes(path.read_bytes() + json.dumps(row(3, question="a\u2028b"), ensure_ascii=False).encode())
    items = load_items(str(path))
    assert ids(items) == ["q1", "q2", "q3"]
    assert items[0].question == "🐄\u2028?"
    assert items.table.num_rows == 3


def test_rows_of_an_array_are_known_by_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "my.json", f"[\n{json.dumps(row(1))},\n\n{json.dumps(row(2, answer='?'))},\n7]\n")
    items = load_items(str(path))
    assert quarantined(items) == [(4, "answer"), (5, "json")]


@pytest.mark.parametrize("text", ['[{"id": 1},\n{"id" 2}]', '[{"id": 1}\n{"id": 2}]', '[{"id": 1},\n', "[{}]\n[{}]"])
def test_a_broken_array_names_the_line(text: str, tmp_path: Path) -> None:
    assert failure(write(tmp_path / "my.json", text)).startswith(f"{tmp_path}/my.json:2: not JSON: ")


def test_not_a_number_is_an_empty_cell(tmp_path: Path) -> None:
    text = json.dumps(row(1, level=float("nan"), id=None))
    assert "NaN" in text
    from_json = load_items(str(write(tmp_path / "a.jsonl", text)))[0]
    pq.write_table(pa.Table.from_pylist([row(1, level=float("nan"))]), tmp_path / "b.parquet")
    from_table = load_items(str(tmp_path / "b.parquet"))[0]
    assert from_json.extra == from_table.extra == {"level": None}
    assert from_json.id.startswith("a/sha256:")


def test_csv_rows_are_known_by_their_lines_and_bad_ones_are_quarantined(tmp_path: Path) -> None:
    choices = '"[""dog"", ""cat""]"'
    path = write(
        tmp_path / "my.csv",
        "id,question,choices,answer,audio_path\n"
        f'q1,"two\nlines",{choices},cat,a.wav\n'
        f"q2,short\n\n"
        f'q3,"odd"quote,{choices},cat,a.wav\n'
        f"q4,fine?,{choices},cow,a.wav\n"
        f"q5,fine?,{choices},cat,a.wav\n",
    )
    items = load_items(str(path))
    assert ids(items) == ["q1", "q5"]
    assert items[0].question == "two\nlines"
    assert quarantined(items) == [(4, "csv"), (6, "csv"), (7, "answer")]
    assert items.quarantined[0].reason == "the row has 2 values, the header 5"


def test_files_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    assert "there is no such file or folder" in failure(tmp_path / "none.jsonl")
    assert "holds no rows" in failure(write(tmp_path / "empty.jsonl", ""))
    assert "holds no rows" in failure(write(tmp_path / "empty.json", " \n"))
    assert "holds no rows" in failure(write(tmp_path / "empty_array.json", "[]"))
    assert "holds no rows" in failure(write(tmp_path / "header.csv", "id,question\n"))
    assert "not a readable Parquet file" in failure(write(tmp_path / "bad.parquet", "PAR?"))
    assert "not a readable Arrow stream" in failure(write(tmp_path / "bad.arrow", "no arrow"))
    assert "of the kinds .jsonl" in failure(write(tmp_path / "my.xlsx", ""))
    assert "two columns are called 'a'" in failure(write(tmp_path / "twice.csv", "a,b,a\n1,2,3\n"))
    assert "not UTF-8" in failure(write(tmp_path / "latin.csv", "id,question\n1,caf\xe9\n".encode("latin-1")))
    assert "latin.json:2: not UTF-8" in failure(write(tmp_path / "latin.json", "[\n'\xe9'".encode("latin-1")))
    (tmp_path / "hollow").mkdir()
    assert "the folder holds no file of the kinds" in failure(tmp_path / "hollow")


@pytest.mark.parametrize(
    ("name", "head", "said"),
    [
        ("a.csv", b"PK\x03\x04\x00", "is a zip, as .xlsx files are too"),
        ("a.json", b"\n<!DOCTYPE html><html>", "is a web page"),
        ("a.jsonl", b"PAR1\x00", "is a Parquet file"),
        ("a.jsonl", b"\x1f\x8b\x08", "is packed by gzip"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        ("a.csv", "question".encode("utf-16-le"), "may be utf-16-le"),
        ("a.arrow", b"ARROW1\0\0", "is an Arrow file"),
    ],
)
def test_a_file_that_is_something_else_says_so(tmp_path: Path, name: str, head: bytes, said: str) -> None:
    with pytest.raises(AudiocontribError, match=said):
        load_items(write(tmp_path / name, head))
