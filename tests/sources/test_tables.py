"""Items of rows in memory: DataFrames, data sets of the library datasets, Arrow tables, lists of dictionaries."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items

datasets = lazy("datasets")
pd = lazy("pandas")

ROWS: list[dict[str, Any]] = [
    {"id": "a", "question": "Which animal?", "choices": ["dog", "cat"], "answer": "cat", "audio": "a.wav", "level": 1},
    {
        "id": "b",
        "question": "Which one?",
        "choices": ["cow", "bee", "hen"],
        "answer": "cow",
        "audio": "b.wav",
        "level": 2,
    },
]
MAKERS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "list": lambda rows: rows,
    "tuple": tuple,
    "generator": iter,
    "pandas": pd.DataFrame,
    "pandas, another index": lambda rows: pd.DataFrame(rows, index=list(range(90, 90 + len(rows)))),
    "pandas, named index": lambda rows: pd.DataFrame(rows, index=[f"r{n}" for n in range(len(rows))]),
    "pandas on Arrow": lambda rows: pa.Table.from_pylist(rows).to_pandas(types_mapper=pd.ArrowDtype),
    "arrow": pa.Table.from_pylist,
    "dataset": lambda rows: datasets.Dataset.from_list(rows),
    "dataset as numpy": lambda rows: datasets.Dataset.from_list(rows).with_format("numpy"),
    "dataset as pandas": lambda rows: datasets.Dataset.from_list(rows).with_format("pandas"),
    "streaming": lambda rows: datasets.Dataset.from_list(rows).to_iterable_dataset(),
    "streaming, features unknown": lambda rows: datasets.IterableDataset.from_generator(lambda: iter(rows)),
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(**changes: Any) -> list[dict[str, Any]]:
    """Two good rows around one with these changes."""
    return [ROWS[0], ROWS[0] | {"id": "x"} | changes, ROWS[1]]


def reasons(items: Items) -> list[tuple[int | None, str, str]]:
    return [(bad.line, bad.field, bad.reason) for bad in items.quarantined]


def beep(rate: int = 8000, seconds: float = 0.5) -> np.ndarray[Any, Any]:
    return (0.1 * np.sin(np.arange(round(rate * seconds)) / 5)).astype(np.float32)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_kind_of_table_gives_the_same_items(make: Callable[[list[dict[str, Any]]], Any], tmp_path: Path) -> None:
    items = ac.load_items(make(ROWS), name="mine")
    assert reasons(items) == []
    assert [(i.id, i.choices, i.answer, i.extra) for i in items] == [
        ("mine/a", ("dog", "cat"), 1, {"level": 1}),
        ("mine/b", ("cow", "bee", "hen"), 0, {"level": 2}),
    ]
    assert [i.audio and (i.audio.path, i.audio.root) for i in items] == [(f"{n}.wav", str(tmp_path)) for n in "ab"]
    assert items.origin["name"] == "mine"
    assert items.table.equals(ac.load_items(ROWS, name="mine").table)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_row_that_cannot_be_asked_is_quarantined_by_number(make: Callable[[list[dict[str, Any]]], Any]) -> None:
    items = ac.load_items(make(rows(answer="horse")))
    assert [item.id for item in items] == ["rows/a", "rows/b"]
    [(line, field, reason)] = reasons(items)
    assert (line, field) == (2, "answer")
    assert "'horse' is not one of the choices" in reason
    assert str(items.quarantined[0]).startswith("rows:2: answer: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"answer": None}, "answer", "is empty"),
        ({"question": None}, "question", "is empty"),
        ({"question": " "}, "question", "is empty"),
        ({"choices": None}, "choices", "not a list of options"),
        ({"choices": ["dog"]}, "choices", "there are 1"),
        ({"choices": ["dog", "dog"], "answer": "dog"}, "choices", "all 2 are"),
        ({"choices": []}, "choices", "there are 0"),
        ({"audio": None}, "audio", "is empty"),
        ({"audio": ""}, "audio", "is empty"),
        ({"audio": "../x.wav"}, "audio", "is not inside the audio folder"),
        ({"audio": "/etc/passwd"}, "audio", "is not inside the audio folder"),
        ({"audio": "https://a.org/x.wav"}, "audio", "is an address on the network"),
        ({"id": "a"}, "id", "repeats; first seen at line 1"),
    ],
)
@pytest.mark.parametrize("kind", ["list", "pandas", "arrow", "dataset", "streaming"])
def test_cells_that_are_missing_or_wrong(kind: str, changes: dict[str, Any], field: str, reason: str) -> None:
    items = ac.load_items(MAKERS[kind](rows(**changes)))
    assert len(items) == 2
    [(line, where, why)] = reasons(items)
    assert (line, where) == (2, field)
    assert reason in why


@pytest.mark.parametrize("empty", [float("nan"), None, pd.NA, pd.NaT, np.float64("nan")])
def test_the_ways_in_which_pandas_writes_no_value(empty: Any) -> None:
    for field in ("answer", "question", "audio", "choices"):
        items = ac.load_items(pd.DataFrame(rows(**{field: empty})))
        assert [(line, name) for line, name, _ in reasons(items)] == [(2, field)]
    items = ac.load_items(pd.DataFrame(rows(id=empty, level=empty)))
    assert items[1].id.startswith("rows/sha256:")
    assert items[1].extra == {"level": None}


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint16", "Int64", "float64", "object", "int64[pyarrow]", "string"])
def test_whole_numbers_of_any_library_are_places(dtype: str) -> None:
    frame = pd.DataFrame(ROWS).assign(answer=pd.Series([1, 0]).astype(dtype))
    assert [item.answer for item in ac.load_items(frame, answer_as="index")] == [1, 0]


def test_separate_columns_letters_and_a_folder(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"q": ["Which?"], "a": ["dog"], "b": ["cat"], "gold": ["B"], "file": [str(tmp_path / "c/x.wav")]}
    )
    named = {"question": "q", "answer": "gold", "audio": "file"}
    (tmp_path / "c").mkdir()
    for choices in ("a,b", ["a", "b"], ("a", "b")):
        mapping = named | {"choices": choices}
        [item] = ac.load_items(frame, mapping=mapping, answer_as="letter", audio_root=tmp_path / "c")
        assert (item.choices, item.answer, item.audio and item.audio.path) == (("dog", "cat"), 1, "x.wav")


@pytest.mark.parametrize(
    ("given", "options", "line"),
    [
        (ROWS, {"mapping": {"question": "prompt"}}, "there is no column 'prompt'"),
        (
            pd.DataFrame(ROWS),
            {"mapping": {"question": "prompt"}},
            "rows: question: there is no column 'prompt'; there are",
        ),
        (ROWS, {"mapping": {"quest": "question"}}, "no field is called 'quest'"),
        (ROWS, {"mapping": "question"}, "mapping is 'question'"),
        (ROWS, {"mapping": {"question": 3}}, "question: 3 is not the name of a column"),
        (ROWS, {"answer_as": "roman"}, "answer_as 'roman': it is text, letter, index, number"),
        (ROWS, {"answer_as": 3}, "answer_as 3: it is"),
        (ROWS, {"limit": 0}, "limit is 0, but"),
        (ROWS, {"limit": -3}, "limit is -3, but"),
        (ROWS, {"limit": 2.5}, "limit is 2.5, but"),
        (ROWS, {"split": "test"}, "no row belongs to the split 'test'; no row says its split"),
        (ROWS, {"audio_root": "nowhere"}, "there is no such folder"),
        (ROWS, {"data": "x.json"}, "leave out data"),
        ([], {}, "rows: it holds no rows"),
        (pd.DataFrame(), {}, "rows: it holds no rows"),
        (7, {}, "7 holds no rows"),
        (None, {}, "None holds no rows"),
        (b"x", {}, "a bytes holds no rows"),
        ({"question": ["a"]}, {}, "a dict holds no rows: give a list with a dictionary for each row"),
        ({}, {}, "a dict holds no rows"),
        (pd.DataFrame(ROWS)["question"], {}, "rows: a Series is no table"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), {}, "two columns are called 'a'"),
    ],
)
def test_what_is_no_table_or_no_option_is_one_line(given: Any, options: dict[str, Any], line: str) -> None:
    with pytest.raises(AudiocontribError) as caught:
        ac.load_items(given, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_items_are_not_rows() -> None:
    items = ac.load_items(ROWS)
    for given, line in ((items, "an Items already"), (items[0], "an Item already"), (list(items), "row 1 is an Item")):
        with pytest.raises(UsageError, match=line):
            ac.load_items(given)  # type: ignore[arg-type]


def test_elements_that_are_no_rows() -> None:
    items = ac.load_items([ROWS[0], "x", None, ["question"]])  # type: ignore[list-item]
    assert [(line, why) for line, _, why in reasons(items)] == [
        (2, "is a str, not a dictionary of columns"),
        (3, "is a NoneType, not a dictionary of columns"),
        (4, "is a list, not a dictionary of columns"),
    ]


def test_rows_of_different_keys_are_quarantined_one_by_one() -> None:
    items = ac.load_items([ROWS[0], {"question": "Which?"}])
    assert len(items) == 1
    [(line, field, reason)] = reasons(items)
    assert (line, field) == (2, "choices")
    assert "there are: question" in reason


# what the library datasets has of its own


@pytest.mark.parametrize(
    ("split", "options", "line"),
    [(None, {"mapping": {"audio": "file"}}, "there is no column 'file'"), ("a", {"split": "b"}, "there are: a")],
)
def test_what_a_dataset_lacks_is_one_line(split: str | None, options: dict[str, Any], line: str) -> None:
    data = datasets.Dataset.from_list(ROWS)
    test_what_is_no_table_or_no_option_is_one_line(
        datasets.DatasetDict({split: data}) if split else data, options, line
    )


def test_a_class_is_its_name() -> None:
    features = datasets.Features(
        {
            "question": datasets.Value("string"),
            "choices": datasets.List(datasets.Value("string")),
            "answer": datasets.ClassLabel(names=["cow", "cat", "bee"]),
            "audio": datasets.Value("string"),
            "question_type": datasets.ClassLabel(names=["sound", "music"]),
        }
    )
    given = [row | {"question_type": "music"} for row in ROWS]
    given[1]["answer"] = None
    data = datasets.Dataset.from_list(
        [{k: v for k, v in row.items() if k in features} for row in given], features=features
    )
    for table in (data, data.to_iterable_dataset(), datasets.DatasetDict(test=data)):
        items = ac.load_items(table)
        assert [(item.answer, item.question_type) for item in items] == [(1, "music")]
        assert [(line, field) for line, field, _ in reasons(items)] == [(2, "answer")]
    # the number of a class is no place in the choices
    assert "'cat' is not an index" in str(ac.load_items(data, answer_as="index").quarantined[0])


def test_splits_of_a_data_set() -> None:
    parts = {"train": datasets.Dataset.from_list(ROWS[:1]), "test": datasets.Dataset.from_list(ROWS[1:])}
    for given in (
        datasets.DatasetDict(parts),
        parts,
        datasets.IterableDatasetDict({k: v.to_iterable_dataset() for k, v in parts.items()}),
    ):
        assert [(item.id, item.split) for item in ac.load_items(given)] == [("rows/a", "train"), ("rows/b", "test")]
        assert [item.id for item in ac.load_items(given, split="test")] == ["rows/b"]


@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize("streaming", [True, False])
def test_an_audio_column_is_taken_without_decoding(tmp_path: Path, decoded: bool, streaming: bool) -> None:
    soundfile.write(tmp_path / "a.wav", beep(), 8000)
    given = [
        ROWS[0] | {"audio": str(tmp_path / "a.wav")},
        ROWS[1] | {"audio": {"bytes": (tmp_path / "a.wav").read_bytes(), "path": None}},
    ]
    for row in given:
        data = datasets.Dataset.from_list([row]).cast_column("audio", datasets.Audio(decode=decoded))
        items = ac.load_items(data.to_iterable_dataset() if streaming else data, name="set")
        assert reasons(items) == []
        [item] = items
        assert item.audio is not None
        assert decode(item.audio).seconds == 0.5

    # a cell of a decoded column
    class Decoder:
        def get_all_samples(self) -> None: ...

    [bad] = ac.load_items([ROWS[0] | {"audio": Decoder()}]).quarantined
    assert "is a decoder: read the column with Audio(decode=False)" in bad.reason


def test_what_another_library_raises_on_the_way_is_one_line() -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield ROWS[0]
        raise RuntimeError("the network\nis gone")

    with pytest.raises(AudiocontribError, match=r"^rows: row 2 cannot be read: RuntimeError: the network is gone$"):
        ac.load_items(broken())
    assert len(ac.load_items(broken(), limit=1)) == 1


# audio as path, bytes or array


@pytest.mark.parametrize("change", ["float32", "float64", "int16", "int32", "column", "row", "list", "rate as float"])
def test_an_array_is_heard_as_it_is(change: str) -> None:
    wave: Any = beep()
    rate: Any = 8000.0 if change == "rate as float" else np.int64(8000)
    if change in ("int16", "int32"):
        wave = (wave * np.iinfo(change).max).astype(change)
    elif change == "float64":
        wave = wave.astype(change)
    elif change in ("column", "row"):
        wave = wave[:, None] if change == "column" else wave[None]
    elif change == "list":
        wave = wave.tolist()
    items = ac.load_items([ROWS[0] | {"audio": {"array": wave, "sampling_rate": rate}}])
    [item] = items
    assert item.audio is not None
    heard = decode(item.audio).samples
    file = io.BytesIO()
    soundfile.write(file, beep(), 8000, format="WAV", subtype="FLOAT")
    expected = decode(ac.Clip(data=file.getvalue())).samples
    assert np.abs(heard - expected).max() < 1e-4
    again = ac.load_items(pd.DataFrame([ROWS[0] | {"audio": {"array": wave, "sampling_rate": rate}}]))
    assert again[0] == item  # the same samples, the same clip and id


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (beep(), "is an array without its rate"),
        ({"array": beep()}, "is an array without its rate"),
        ({"array": beep(), "sampling_rate": 0}, "the sampling rate is 0"),
        ({"array": beep(), "sampling_rate": "16k"}, "the sampling rate is '16k'"),
        ({"array": beep(), "sampling_rate": 22050.5}, "the sampling rate is 22050.5"),
        ({"array": beep(), "sampling_rate": True}, "the sampling rate is True"),
        ({"array": np.stack([beep(), beep()]), "sampling_rate": 8000}, "the shape (2, 4000), but must be mono"),
        ({"array": np.stack([beep(), beep()], axis=1), "sampling_rate": 8000}, "the shape (4000, 2)"),
        ({"array": np.float32(0.5), "sampling_rate": 8000}, "the shape ()"),
        ({"array": beep()[:0], "sampling_rate": 8000}, "the array is empty"),
        ({"array": beep() * np.nan, "sampling_rate": 8000}, "not finite"),
        ({"array": beep() / np.zeros(1), "sampling_rate": 8000}, "not finite"),
        ({"array": beep() * 32768, "sampling_rate": 8000}, "belong in [-1, 1]"),
        ({"array": beep().astype("uint8"), "sampling_rate": 8000}, "is of uint8"),
        ({"array": beep().astype("int64"), "sampling_rate": 8000}, "is of int64"),
        ({"array": ["a"], "sampling_rate": 8000}, "is of <U1"),
        ({"array": [[0.1], [0.2, 0.3]], "sampling_rate": 8000}, "cannot be read"),
        ({"array": None, "sampling_rate": 8000}, "the array"),
        ({"samples": beep()}, "neither a path nor the bytes"),
        ({"path": None, "bytes": None}, "is empty"),
        ({"path": "a.wav", "bytes": b""}, "is empty"),
        (b"", "is empty"),
        (3.5, "is a float"),
        (["a.wav", "b.wav"], "is a list"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_array_that_is_no_mono_sound_is_quarantined(audio: Any, reason: str) -> None:
    items = ac.load_items([ROWS[0], ROWS[1] | {"audio": audio}])
    assert [item.id for item in items] == ["rows/a"]
    [(line, field, why)] = reasons(items)
    assert (line, field) == (2, "audio")
    assert reason in why
    assert "\n" not in why


def test_paths_and_bytes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", beep(), 8000)
    data = (tmp_path / "a.wav").read_bytes()
    for audio in (
        "a.wav",
        "./a.wav",
        tmp_path / "a.wav",
        str(tmp_path / "a.wav"),
        Path("a.wav"),
        data,
        bytearray(data),
        {"bytes": data, "path": "q.wav"},
    ):
        [item] = ac.load_items([ROWS[0] | {"audio": audio}])
        assert item.audio is not None
        assert decode(item.audio).seconds == 0.5


def test_other_columns_are_kept_small_and_as_json() -> None:
    more = {
        "image": b"\0" * 100_000, "other": {"array": beep(48_000, 1), "sampling_rate": 48_000}, "vector": np.ones(3),
        "when": pd.Timestamp("2026-01-02"), "nan": float("nan"), "inf": float("inf"), "keys": {1: "a", "b": {2}},
        "half": "\ud800", "flag": np.True_,
    }  # fmt: skip
    items = ac.load_items([ROWS[0] | more])
    assert items[0].extra == {
        "level": 1, "image": "100000 bytes", "other": {"array": "array of shape (48000,)", "sampling_rate": 48_000},
        "vector": [1.0, 1.0, 1.0], "when": "2026-01-02 00:00:00", "nan": None, "inf": "inf", "flag": True,
        "keys": {"1": "a", "b": [2]}, "half": "?",
    }  # fmt: skip


def test_what_was_given_is_told_in_the_origin(tmp_path: Path) -> None:
    items = ac.load_items(pd.DataFrame(ROWS), revision="v2", limit=1)
    assert items[0].id == "rows@v2/a"
    assert items.origin == {
        "name": "rows", "given": "DataFrame", "revision": "v2", "answer_as": "text", "limit": 1,
        "audio_root": str(tmp_path),
    }  # fmt: skip
