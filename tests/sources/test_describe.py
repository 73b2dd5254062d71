"""describe: the columns of unknown data, a mapping that reads them, and mappings in a file."""

from __future__ import annotations

import csv
import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from helpers.manifests import lines, row, write
from helpers.sounds import encoded, tone

from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sources import load_items
from audiocontrib.sources.columns import mapped
from audiocontrib.sources.describe import Description, describe
from audiocontrib.sources.mappings import mapping_yaml, read_mapping

OPTIONS = ["dog", "cat", "cow"]


def rows(n: int = 6, **columns: Any) -> list[dict[str, Any]]:
    """Rows of columns that are constants, or functions of the row's number."""
    return [{name: make(i) if callable(make) else make for name, make in columns.items()} for i in range(n)]


def table(path: Path, content: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(content[0]))
        writer.writeheader()
        writer.writerows(content)
    return path


PLAIN: dict[str, Any] = {
    "prompt": "What is heard?",
    "gold": "cat",
    "wav_path": lambda i: f"clips/{i}.wav",
}

SHAPES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "a list": (PLAIN | {"candidates": OPTIONS}, {"choices": "candidates"}, "text"),
    "a JSON text": (PLAIN | {"candidates": json.dumps(OPTIONS)}, {"choices": "candidates"}, "text"),
    "a Python text": (PLAIN | {"candidates": str(OPTIONS)}, {"choices": "candidates"}, "text"),
    "columns": (
        PLAIN | {"option_b": "cat", "option_a": "dog", "option_c": lambda i: "cow" if i else ""},
        {"choices": "option_a,option_b,option_c"},
        "text",
    ),
    "capital letters": (PLAIN | {"A": "dog", "B": "cat", "gold": "(B)"}, {"choices": "A,B"}, "letter"),
    "numbers": (PLAIN | {"opt1": "dog", "opt2": "cat", "opt3": "cow"}, {"choices": "opt1,opt2,opt3"}, "text"),
    "numbers within": (
        PLAIN | {"choice_0_text": "dog", "choice_1_text": "cat"}, {"choices": "choice_0_text,choice_1_text"}, "text"
    ),
    "places": (PLAIN | {"candidates": OPTIONS, "gold": lambda i: i % 3}, {"choices": "candidates"}, "index"),
    "two lists": (PLAIN | {"tags": ["x", "y"], "options": OPTIONS}, {"choices": "options"}, "text"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_choices_and_answers_in_every_shape(shape: str, tmp_path: Path) -> None:
    columns, expected, answer_as = SHAPES[shape]
    found = describe(write(tmp_path / "my.jsonl", lines(*rows(**columns))))
    wanted = {"question": "prompt", "answer": "gold", "audio": "wav_path"} | expected
    assert found.proposal.mapping == wanted
    assert found.proposal.answer_as == answer_as
    assert (found.rows, found.items, found.problems) == (6, 6, {})


def test_labels_ids_and_reasons(tmp_path: Path) -> None:
    more = {"uid": lambda i: i, "key": "same", "task": "sound", "corpus": "Clotho", "taskId": "x" * 200}
    found = describe(table(tmp_path / "my.csv", rows(**PLAIN, **more, A="dog", B="cat")))
    mapping = found.proposal.mapping
    assert (mapping["id"], mapping["question_type"], mapping["source_dataset"]) == ("uid", "task", "corpus")
    assert "clip_id" not in mapping
    assert "split" not in mapping
    why = {r["field"]: r["why"] for r in found.fields.to_pylist()}
    assert why["answer"].startswith("its name")
    assert why["id"] == "its name, and all its values are different"
    becomes = {r["column"]: r["becomes"] for r in found.columns.to_pylist()}
    assert (becomes["A"], becomes["gold"], becomes["key"]) == ("options", "gold", "kept in extra; no prompt shows it")
    kinds = {r["column"]: (r["kind"], r["filled"], r["example"]) for r in found.columns.to_pylist()}
    assert kinds["uid"] == ("str", 1.0, "'0'")
    assert len(kinds["taskId"][2]) == 60


def test_a_question_is_found_without_its_name(tmp_path: Path) -> None:
    columns = {
        "a1": lambda i: f"What is {i}?",
        "a2": "A long text that asks nothing.",
        "candidates": OPTIONS,
        "gold": "cat",
    }
    found = describe(write(tmp_path / "my.jsonl", lines(*rows(**columns))))
    assert found.proposal.mapping == {"question": "a1", "choices": "candidates", "answer": "gold", "audio": "-"}
    assert "look whether it is right" in found.proposal.why["question"]
    assert found.items == 6


UNREADABLE: dict[str, tuple[Any, str]] = {
    "a text that is no option": ("neither", "6 of 6 rows cannot be read as the text of an option .line 1: 'neither'"),
    "one such text": (lambda i: "horse" if i == 4 else "cat", "1 of 6 rows .* .line 5: 'horse' is not one of"),
    "numbers from 1 or from 0": (lambda i: 1 + i % 2, "counted from 0 or .* counted from 1 .line 1: 1: 'cat' or 'dog'"),
    "numbers that fit neither": (lambda i: i % 4, "its numbers are 0 to 3"),
    "texts and letters": (lambda i: "cat" if i else "B", "1 of 6 rows cannot be read as the text"),
    "several": (lambda i: ["cat", "dog"], "holds 2 golds"),
    "nothing": (None, "is empty in every row"),
    "yes or no": (True, "True is not one of the choices"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_gold_that_cannot_be_read_stops_with_rows_and_reason(case: str, tmp_path: Path) -> None:
    gold, message = UNREADABLE[case]
    columns = {"question": lambda i: f"What {i}?", "choices": OPTIONS, "answer": gold, "audio": "a.wav"}
    path = write(tmp_path / "my.jsonl", lines(*rows(**columns)))
    with pytest.raises(AudiocontribError, match=f"my.jsonl: column 'answer'.*{message}") as caught:
        describe(path)
    assert caught.value.exit_code == 1
    unscored = describe(path, mapping={"answer": "-"})  # one's own word goes before
    assert (unscored.proposal.mapping["answer"], unscored.items) == ("-", 6)


READ: dict[str, tuple[list[Any], str, list[str]]] = {
    "case and blanks": ([" Cat", "CAT ", "cat"], "text", ["cat"]),
    "brackets": (["(b)"], "letter", ["cat"]),
    "a full stop": (["B."], "letter", ["cat"]),
    "a word": (["Option B"], "letter", ["cat"]),
    "label and text": (["(B) cat"], "text", ["cat"]),
    "label and text of all kinds": (["B) cat", "b. Cat", "cat"], "text", ["cat"]),
    "a lead": (["answer: cat"], "text", ["cat"]),
    "from 1": ([2, 3], "number", ["cat", "cow"]),
    "floats": ([0.0, 1.0], "index", ["dog", "cat"]),
    "texts of floats": (["3.0", "1.0"], "number", ["cow", "dog"]),
    "a list of one": ([["cat"]], "text", ["cat"]),
}
"""Golds, what they are, and the options that they name."""


@pytest.mark.parametrize("case", READ)
def test_golds_in_every_dress(case: str, tmp_path: Path) -> None:
    golds, answer_as, named = READ[case]
    columns = {"question": lambda i: f"What {i}?", "choices": OPTIONS, "audio": "a.wav"}
    columns["answer"] = lambda i: golds[i % len(golds)]
    path = write(tmp_path / "my.jsonl", lines(*rows(**columns)))
    found = describe(path)
    assert (found.proposal.answer_as, found.items) == (answer_as, 6)
    items = load_items(path, mapping=found.proposal.mapping, answer_as=answer_as)
    assert [item.choices[item.answer or 0] for item in items] == [named[i % len(named)] for i in range(6)]


def test_a_column_that_is_a_list_in_some_rows_is_no_hindrance(tmp_path: Path) -> None:
    """As the category is in 13 rows of MMAU."""
    columns = {"question": lambda i: f"What {i}?", "choices": OPTIONS, "answer": "cat", "audio": "a.wav"}
    found = describe(
        write(tmp_path / "my.jsonl", lines(*rows(40, **columns, category=lambda i: ["x"] if i == 7 else "Is it x?")))
    )
    assert (found.items, found.proposal.mapping["question"]) == (40, "question")


NOT_GOLD = [
    "prediction",
    "model_answer",
    "predicted_label",
    "annotator",
    "fold",
    "n_speakers",
    "answer_type",
    "response",
]


@pytest.mark.parametrize("name", NOT_GOLD)
def test_a_gold_is_known_by_its_name_alone(name: str, tmp_path: Path) -> None:
    columns = {"question": lambda i: f"What {i}?", "choices": OPTIONS, name: "cat", "audio": "a.wav"}
    found = describe(write(tmp_path / "my.jsonl", lines(*rows(**columns))))
    assert (found.proposal.mapping["answer"], found.items) == ("-", 6)
    assert f"{name} would fit" in found.proposal.remarks[0]
    with_gold = describe(write(tmp_path / "two.jsonl", lines(*rows(**columns | {"answerKey": "B"}))))
    assert (with_gold.proposal.mapping["answer"], with_gold.proposal.answer_as) == ("answerKey", "letter")


def test_columns_that_are_both_named_as_golds_must_agree(tmp_path: Path) -> None:
    columns = {"question": lambda i: f"What {i}?", "choices": OPTIONS, "audio": "a.wav"}
    agreed = {"answer": lambda i: OPTIONS[i % 3], "answer_idx": lambda i: i % 3, "label": "dog_bark"}
    found = describe(write(tmp_path / "a.jsonl", lines(*rows(**columns | agreed))))
    assert (found.proposal.mapping["answer"], found.proposal.answer_as) == ("answer", "text")
    for other in ({"target": "dog"}, {"gold": "A"}):
        with pytest.raises(UsageError, match="the gold can be answer or"):
            describe(write(tmp_path / "b.jsonl", lines(*rows(**columns | {"answer": "cat"} | other))))


def test_some_bad_rows_are_counted_and_change_nothing(tmp_path: Path) -> None:
    bad = [row(90, choices=["horse"]), "{", row(91, question=""), row(92, answer="")]
    path = write(tmp_path / "my.jsonl", lines(*(row(n) for n in range(40)), *bad))
    found = describe(path)
    assert (found.rows, found.items) == (44, 40)
    assert len(found.problems) == 4
    assert found.problems["question: is empty"] == 1


def test_no_more_than_the_first_rows_are_read(tmp_path: Path) -> None:
    found = describe(write(tmp_path / "my.jsonl", lines(*(row(n) for n in range(300)))))
    assert (found.rows, found.items) == (200, 200)


def test_audio_in_a_table_and_absolute_paths(tmp_path: Path) -> None:
    sound = {"bytes": encoded(tone(0.2)), "path": "x.wav"}
    plain = rows(question=lambda i: f"What {i}?", choices=OPTIONS, answer="cat")
    pq.write_table(pa.Table.from_pylist([r | {"audio": sound} for r in plain]), tmp_path / "my.parquet")
    found = describe(tmp_path / "my.parquet")
    assert (found.proposal.mapping["audio"], found.items) == ("audio", 6)
    away = [r | {"path": f"/data/clips/{n % 2}/{n}.mp3"} for n, r in enumerate(plain)]
    far = describe(write(tmp_path / "far.jsonl", lines(*away)))
    assert (far.audio_root, far.items) == ("/data/clips", 6)
    assert "--audio-root /data/clips" in far.command
    near = [r | {"path": str(tmp_path / "clips" / f"{n}.mp3")} for n, r in enumerate(plain)]
    assert describe(write(tmp_path / "near.jsonl", lines(*near))).audio_root is None


def test_the_command_and_the_file_read_the_data_as_described(tmp_path: Path) -> None:
    path = table(tmp_path / "my set.csv", rows(**PLAIN | {"gold": "B"}, A="dog", B="cat", C="cow"))
    found = describe(path)
    words = shlex.split(found.command)
    assert words[:4] == ["audiocontrib", "score", "--dataset", str(path)]
    pairs = dict(w.split("=", 1) for before, w in itertools.pairwise(words) if before == "--map")
    assert pairs == found.proposal.mapping
    assert words[words.index("--answer-as") + 1] == "letter"
    mapping, answer_as = read_mapping(write(tmp_path / "m.yaml", found.yaml))
    assert (mapping, answer_as) == (found.proposal.mapping, "letter")
    items = load_items(str(path), mapping=mapping, answer_as="letter")
    assert [item.answer for item in items] == [1] * 6


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("", AudiocontribError, "no row can be read; it holds none"),
        ("{\n", AudiocontribError, "no row can be read; line 1: "),
        (lines({"question": "?", "x": 1}), UsageError, "no column holds lists of options.*there are: question, x"),
        (lines({"question": "?", "r": {"target": "a", "said": "b"}}), UsageError, "no column holds lists of options"),
        (lines({"question": "?", "tags": ["x", "y"], "gold": "z"}), UsageError, ".*tags could be, but"),
        (lines({"n": 1, "choices": ["a", "b"]}), UsageError, "no column holds texts that could be the question"),
        (lines({"a": "x", "c": "y", "q": "?"}), UsageError, "no column holds lists of options"),
    ],
)
def test_what_cannot_be_described(content: str, kind: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(kind, match=f"my.jsonl: {message}"):
        describe(write(tmp_path / "my.jsonl", content))
    with pytest.raises(AudiocontribError, match="there is no such file or folder"):
        describe(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question: [", "no mapping can be read from it"),
        ("- question", "it is not a mapping of fields to columns"),
        ("", "it is not a mapping of fields to columns"),
        ("colour: red", "no field is called 'colour'; there are: question, .*answer_as"),
        ("answer_as: word", "answer_as: 'word': it is text, letter, index"),
        ("question: 5", "question: 5 is not the name of a column"),
        ("question: [a, b]", "question: .* is not the name of a column"),
        ("choices: [a, 5]", "choices: .* is not the name of a column"),
    ],
)
def test_bad_mapping_files(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"m.yaml: {message}"):
        read_mapping(write(tmp_path / "m.yaml", content))


def test_a_mapping_file_as_a_person_writes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "m.yaml", "question: q\nchoices: [a, b]\nanswer: '-'\naudio: 音\n")
    mapping, answer_as = read_mapping(path)
    assert (mapping, answer_as) == ({"question": "q", "choices": "a,b", "answer": "-", "audio": "音"}, None)
    mapped(mapping)
    assert read_mapping(write(path, mapping_yaml(mapping, "index"))) == (mapping, "index")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_the_commands(tmp_path: Path) -> None:
    path = table(tmp_path / "my.csv", rows(**PLAIN | {"gold": "B"}, A="dog", B="cat"))
    shown = call("datasets", "describe", path)
    assert shown.exit_code == 0
    found: Description = describe(path)
    assert found.yaml in shown.stdout
    assert shown.stdout.endswith(found.command + "\n")
    asked = "What is heard?\n    (A) dog (B) cat\n    gold: cat    clip: clips/{}.wav\n"
    assert shown.stderr.startswith("as they will be asked:\n" + "".join(map(asked.format, range(3))))
    assert shown.stderr.endswith("\n6 of the first 6 rows become items so\n")
    mapping = write(tmp_path / "m.yaml", call("datasets", "describe", path, "--format", "yaml").stdout)
    whole = json.loads(call("datasets", "describe", path, "--format", "json").stdout)
    assert (whole["items"], whole["answer_as"]) == (6, "letter")
    given = ("validate", "--dataset", path, "--map-file", mapping, "--clips", "no", "--format", "json")
    assert json.loads(call(*given).stdout)["items"] == 6
    # what the command line says goes before the file
    assert "no column 'none'" in call(*given, "--map", "answer=none").stderr
    assert json.loads(call(*given, "--answer-as", "text").stdout)["items"] == 0
    assert "mmau" in call("datasets").stdout
    assert call("datasets", "describe", tmp_path / "none").stderr.count("\n") == 1


def test_columns_of_single_letters_beside_others_of_one_letter(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("q,a,b,c,d,gold,f\nWhat is it?,dog,cat,cow,hen,B,x.wav\nWhich is it?,ant,bee,fly,gnat,D,y.wav\n")
    found = describe(path)
    assert found.proposal.mapping["choices"] == "a,b,c,d"
    assert (found.proposal.mapping["answer"], found.proposal.answer_as) == ("gold", "letter")


def numbered(**changes: Any) -> list[dict[str, Any]]:
    """Eight rows whose options are numerals in another order in each, and whose gold is the number 3."""
    orders = ["1234", "4321", "3412", "2143"] * 2
    return [
        {"question": f"How many in {n}?", "choices": list(order), "answer": 3, "audio_path": f"{n}.wav"} | changes
        for n, order in enumerate(orders)
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "can be the text of an option or the place of an option"),
        ({"choices": [1, 2, 3]}, "row 1: an option is 1, and options are texts"),
        ({"choices": ["1", "3", None]}, "row 1: an option is None, and options are texts"),
        ({"answer": "3", "start": 3, "end": 1}, "no row can be read so; line 1: end: 1 s is not behind the start"),
        ({"answer": "3", "start": "0:01", "end": "0:02"}, "line 1: start: '0:01' is no number of seconds"),
        ({"answer": "3", "segment": [0.5, 1.5]}, "'segment' holds pairs such as .*: make columns start and end"),
        ({"answer": "3", "audio_path": ["a.wav", "b.wav"]}, "an item has one recording"),
    ],
)
def test_what_cannot_be_told_says_what_it_is(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AudiocontribError, match=said):
        describe(write(tmp_path / "a.jsonl", lines(*numbered(**changes))))


def test_a_pair_of_seconds_that_is_no_part_is_kept(tmp_path: Path) -> None:
    rows = numbered(answer="3", choices=["3", "x"], segment=[0.5, 1.5])
    assert describe(write(tmp_path / "a.jsonl", lines(*rows)), mapping={"start": "-"}).items == 8


def test_blanks_around_names_and_wide_brackets_are_read(tmp_path: Path) -> None:
    rows = "".join(f"q{n}?,cat,dog,（{'ＡＢ'[n % 2]}）,{n}.wav\n" for n in range(4))
    found = describe(write(tmp_path / "a.csv", " Question , Option A , Option B , Answer , Audio \n" + rows))
    assert [item.answer for item in found.shown] == [0, 1, 0]
