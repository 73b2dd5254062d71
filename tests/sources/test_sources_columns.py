"""Your own columns: which one is meant, and how choices and answers are read from it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from audiocontrib.errors import AudiocontribError, BadItem, UsageError
from audiocontrib.items import Items
from audiocontrib.sources import Columns, load_items, mapped

ROW = {"id": "q1", "question": "Which?", "choices": ["dog", "cat"], "answer": "cat", "audio_path": "a.wav"}


def renamed(**names: str | None) -> dict[str, Any]:
    """ROW with columns under other names; None leaves one out."""
    return {names.get(key, key): value for key, value in ROW.items() if names.get(key, key) is not None}


def write_csv(path: Path, **columns: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerow(columns.values())
    return path


def load(path: Path, *rows: dict[str, Any], **options: Any) -> Items:
    path.write_text("\n".join(map(json.dumps, rows)))
    return load_items(str(path), **options)


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        renamed(question="question_text", choices="multi_choice"),
        renamed(choices="options", answer="answer_gt", audio_path="audio_id"),
        renamed(answer="correct_answer", audio_path="audio"),
        renamed(choices=None) | {"choice_a": "dog", "choice_b": "cat", "choice_c": None, "choice_d": ""},
        renamed(choices=None) | {"choice_a": "dog", "choice_b": "cat"},
    ],
)
def test_the_usual_spellings_need_no_mapping(row: dict[str, Any], tmp_path: Path) -> None:
    (item,) = load(tmp_path / "my.jsonl", row)
    assert item.choices == ("dog", "cat")
    assert item.answer == 1
    assert item.clip_id == "a.wav"
    assert item.extra == {}


def test_a_mapping_takes_any_columns_and_keeps_the_others(tmp_path: Path) -> None:
    row = {
        "n": 0,
        "q": "Which?",
        "o": ["dog", "cat"],
        "gold": "dog",
        "wav": "a.wav",
        "rec": "r",
        "kind": "s",
        "x": [1],
    }
    row |= {"from": "FSD", "part": "test", "question": "an older one"}
    mapping = {"id": "n", "question": "q", "choices": "o", "answer": "gold", "audio": "wav", "clip_id": "rec"}
    mapping |= {"question_type": "kind", "source_dataset": "from", "split": "part"}
    items = load(tmp_path / "my.jsonl", row, mapping=mapping)
    item = items[0]
    assert (item.id, item.question, item.answer, item.clip_id) == ("my/0", "Which?", 0, "r")
    assert (item.question_type, item.source_dataset, item.split) == ("s", "FSD", "test")
    assert item.extra == {"x": [1], "question": "an older one"}
    assert items.origin["mapping"] == mapping


@pytest.mark.parametrize("cell", ['["dog", "it\'s a cat"]', "['dog', \"it's a cat\"]", " ['dog', 'it\\'s a cat'] "])
def test_choices_may_be_a_list_inside_a_text(cell: str) -> None:
    fields = mapped()(Columns(ROW | {"choices": cell}))
    assert fields.choices == ["dog", "it's a cat"]


@pytest.mark.parametrize("cell", ["[dog, cat]", "['dog' + 'cat']", "[open('x')]", "['dog'", "[" * 5000])
def test_texts_that_only_look_like_a_list(cell: str) -> None:
    with pytest.raises(BadItem, match="neither as JSON nor as a Python list"):
        mapped()(Columns(ROW | {"choices": cell}))


def test_a_printed_numpy_array_is_the_list_of_its_texts(tmp_path: Path) -> None:
    # Python reads two texts side by side as one
    rows = [ROW | {"id": str(n), "choices": c} for n, c in enumerate(["['dog' 'cat']", "['dog'\n 'cat']"])]
    items = load(tmp_path / "my.jsonl", *rows, ROW | {"choices": "['dog' 'cat', 'cow']"})
    assert [item.choices for item in items] == [("dog", "cat")] * 2
    assert [str(bad).split(": ", 1)[1] for bad in items.quarantined] == [
        "choices: \"['dog' 'cat', 'cow']\" can be read neither as JSON nor as a Python list"
    ]


@pytest.mark.parametrize(
    ("cells", "answer_as", "answer", "choices", "gold"),
    [
        (("dog", "cat", "", ""), "letter", "B", ("dog", "cat"), "cat"),
        (("dog", "cat", "cow", ""), "index", "2", ("dog", "cat", "cow"), "cow"),
        (("dog", "", "cow", ""), "text", "cow", ("dog", "cow"), "cow"),
    ],
)
def test_choices_in_several_columns(
    cells: tuple[str, ...], answer_as: str, answer: str, choices: tuple[str, ...], gold: str, tmp_path: Path
) -> None:
    columns = dict(zip("ABCD", cells, strict=True))
    path = write_csv(tmp_path / "my.csv", question="Which?", right=answer, audio_path="a.wav", **columns)
    (item,) = load_items(str(path), mapping={"choices": "A, B,C,D", "answer": "right"}, answer_as=answer_as)
    assert item.choices == choices
    assert item.answer == choices.index(gold)
    assert item.extra == {}


def test_a_hole_between_columns_is_not_closed_where_positions_count(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "my.csv", question="Which?", answer="B", audio_path="a.wav", a="dog", b="", c="cow")
    items = load_items(str(path), mapping={"choices": "a,b,c"}, answer_as="letter")
    assert [(bad.field, bad.reason) for bad in items.quarantined] == [("choices", "option 2 is empty")]


def test_a_column_whose_name_holds_a_comma(tmp_path: Path) -> None:
    (item,) = load(tmp_path / "my.jsonl", renamed(choices="yes, no"), mapping={"choices": "yes, no"})
    assert item.choices == ("dog", "cat")


def test_an_id_of_zero_is_an_id(tmp_path: Path) -> None:
    assert load(tmp_path / "my.jsonl", ROW | {"id": 0})[0].id == "my/0"


def test_a_dash_says_that_there_is_no_such_column(tmp_path: Path) -> None:
    row = renamed(answer=None, audio_path=None)
    (item,) = load(tmp_path / "my.jsonl", row, mapping={"answer": "-", "audio": "-", "id": "-"})
    assert item.answer is None
    assert item.audio is None
    assert item.id.startswith("my/sha256:")


@pytest.mark.parametrize(
    ("row", "mapping", "message"),
    [
        (
            renamed(question="q"),
            {},
            "question: there is no column question or question_text; there are: id, q, choices",
        ),
        (renamed(answer=None), {}, "answer: there is no column answer or answer_gt or correct_answer"),
        (
            renamed(audio_path=None),
            {},
            "audio: there is no column audio_path or audio_id or audio (audio=- says that the set has none)",
        ),
        (
            ROW,
            {"question": "prompt"},
            "question: there is no column 'prompt'; there are: id, question, choices",
        ),
        (ROW, {"choices": "a,b"}, "choices: there is no column 'a'; there are: id, "),
        (ROW, {"clip_id": "rec"}, "clip_id: there is no column 'rec'"),
        (ROW | {"options": "x"}, {}, "choices: could be any of the columns choices, options"),
        (ROW | {"audio": "x"}, {}, "audio: could be any of the columns audio_path, audio"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_missing_or_ambiguous_column_is_one_line(
    form: str, row: dict[str, Any], mapping: dict[str, str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"my.{form}"
    if form == "csv":
        write_csv(path, **{name: str(value) for name, value in row.items()})
    else:
        path.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n")
    with pytest.raises(UsageError) as caught:
        load_items(str(path), mapping=mapping)
    text = str(caught.value)
    assert text.startswith(f"{path}: {message}")
    assert text.endswith(f"; say which column it is: {message.split(':')[0]}=COLUMN")
    assert "\n" not in text


def test_a_line_without_a_column_that_others_have_is_quarantined_alone(tmp_path: Path) -> None:
    items = load(tmp_path / "my.jsonl", renamed(answer=None), ROW, {})
    assert len(items) == 1
    assert [(bad.line, bad.field) for bad in items.quarantined] == [(1, "answer"), (3, "question")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mapping": {"anser": "a"}}, "no field is called 'anser'; a mapping can name: question, choices"),
        ({"mapping": {"choices": "-"}}, "an item cannot do without choices"),
        ({"answer_as": "roman"}, "it is text, letter, index, number"),
        ({"limit": 0}, "at least 1"),
        ({"audio_root": "nowhere"}, "nowhere: there is no such folder"),
        ({"data": "other.jsonl"}, "leave out the data beside it"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(AudiocontribError, match=message):
        load(tmp_path / "my.jsonl", ROW, **options)


@pytest.mark.parametrize("there", ["wav", "path"])
def test_a_mapping_may_name_columns_of_which_the_first_that_is_there_is_taken(there: str) -> None:
    row = renamed(audio_path=there)
    assert mapped({"audio": "wav|path"})(Columns(row)).audio == "a.wav"
    assert mapped({"audio": "wav|path"})(Columns(row | {"wav": "b.wav", "path": "c.wav"})).audio == "b.wav"


def test_a_mapping_none_of_whose_columns_is_there_names_them_all() -> None:
    with pytest.raises(BadItem, match=r"^audio: there is no column 'wav' or 'path'; there are: id, question, "):
        mapped({"audio": "wav|path"})(Columns(ROW))


def test_a_column_whose_name_holds_a_bar() -> None:
    assert mapped({"audio": "wav|path"})(Columns(renamed(audio_path="wav|path"))).audio == "a.wav"
