"""Answers from elsewhere become a run that can be measured and split; a bad row is told, the rest is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.importing import import_responses
from audiocontrib.items import Items, make_item

MODELS = ("a", "b", "c")


def items(n: int = 4, k: int = 3) -> Items:
    made = [
        make_item(
            dataset="theirs",
            own_id=f"q/{i}",
            question=f"What is heard in {i}?",
            choices=[f"sound {i}-{c}" for c in range(k)],
            answer=f"sound {i}-1",
            audio=None,
            clip_id=f"clip-{i}",
        )
        for i in range(n)
    ]
    return Items(made, origin={"name": "theirs"})


def row(i: int = 0, model: str = "a", condition: str = "silence", **said: Any) -> dict[str, Any]:
    return {"item_id": f"theirs/q/{i}", "model": model, "condition": condition, **said}


def write(folder: Path, rows: list[dict[str, Any]], name: str = "answers.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def one(tmp_path: Path, **said: Any) -> dict[str, Any]:
    """The response that a row with this content becomes."""
    done = import_responses(write(tmp_path, [row(**said)]), tmp_path / "run", items())
    assert done.problems == ()
    assert done.added == 1
    [found] = done.run.table("from responses").to_pylist()
    return found


@pytest.mark.parametrize(
    "cell", ["sound 0-1", "B", "b", 1, "1", 1.0], ids=["text", "letter", "small letter", "index", "text index", "float"]
)
def test_a_choice_is_a_text_a_letter_or_an_index(tmp_path: Path, cell: Any) -> None:
    found = one(tmp_path, choice=cell)
    assert (found["choice"], found["correct"], found["outcome"]) == (1, True, "answered")
    assert found["method"] == "generate"


def test_letters_and_replies_refer_to_the_order_shown(tmp_path: Path) -> None:
    done = import_responses(
        write(
            tmp_path,
            [row(choice="A", order=1), row(reply="(A)", order=1, model="b"), row(choice=1, order=1, model="c")],
        ),
        tmp_path / "run",
        items(),
    )
    assert done.run.table("select choice from responses order by model")["choice"].to_pylist() == [1, 1, 1]


def test_no_choice_is_an_answer_that_chooses_nothing(tmp_path: Path) -> None:
    found = one(tmp_path, choice=None)
    assert (found["outcome"], found["choice"], found["correct"]) == ("unparsed", None, False)


def test_an_empty_choice_is_an_abstention_where_that_is_said(tmp_path: Path) -> None:
    rows = [row(choice=""), row(choice="A", model="b")]
    unsaid = import_responses(write(tmp_path, rows), tmp_path / "run", items())
    assert unsaid.notes == ("empty choices count as unparsed: 1",)
    said = import_responses(write(tmp_path, rows), tmp_path / "said", items(), empty_as="refused")
    assert said.notes == ("empty choices count as refused: 1",)
    outcomes = [run.table("select outcome from responses order by model")["outcome"].to_pylist() for run in
                (unsaid.run, said.run)]  # fmt: skip
    assert sorted(outcomes[0]) == ["answered", "unparsed"]
    assert sorted(outcomes[1]) == ["answered", "refused"]
    with pytest.raises(UsageError, match="empty_as is 'wrong'; it is one of refused, unparsed"):
        import_responses(write(tmp_path, rows), tmp_path / "x", items(), empty_as="wrong")


def test_replies_are_read_and_kept(tmp_path: Path) -> None:
    found = one(tmp_path, reply="I cannot hear any audio.")
    assert (found["outcome"], found["choice"], found["reply"]) == ("refused", None, "I cannot hear any audio.")


@pytest.mark.parametrize(
    "cell",
    [[0.2, 0.7, 0.1], {"A": 0.2, "B": 0.7, "C": 0.1}, {"sound 0-1": 0.7, "sound 0-0": 0.2, "sound 0-2": 0.1}],
    ids=["list", "letters", "texts"],
)
def test_a_posterior_is_a_list_or_names_its_options(tmp_path: Path, cell: Any) -> None:
    found = one(tmp_path, posterior=cell)
    assert found["posterior"] == pytest.approx([0.2, 0.7, 0.1])
    assert (found["choice"], found["method"]) == (1, "likelihood")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"choice": "trumpet"}, "neither an option"),
        ({"choice": True}, "neither an option"),
        ({"choice": 1, "order": 3}, "no rotation of 3 options"),
        ({"posterior": [0.5, 0.5]}, "not a list of 3"),
        ({"posterior": [0.5, 0.9, 0.1]}, "sum to 1"),
        ({"posterior": [1.5, -0.5, 0.0]}, "sum to 1"),
        ({"posterior": {"A": 1.0}}, "names 1 of the 3"),
        ({"posterior": "high"}, "not JSON"),
        ({"reply": {"target": "answer: dog"}}, "reply: is a dict, not a text"),
        ({"reply": ["B"]}, "reply: is a list, not a text"),
        ({"choice": 1, "reply": "B"}, "only one can be meant"),
        ({"choice": 1, "condition": "clip:deaf"}, "condition"),
        ({"choice": 1, "condition": ""}, "no name of a condition"),
        ({"choice": 1, "item_id": "theirs/q/99"}, "no item 'theirs/q/99'"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_is_taken(
    tmp_path: Path, said: dict[str, Any], problem: str
) -> None:
    kind = next((name for name in ("posterior", "choice") if name in said), "reply")
    good = row(1, **{kind: {"posterior": [0, 1, 0], "choice": 1, "reply": "B"}[kind]})
    done = import_responses(write(tmp_path, [good, row() | said]), tmp_path / "run", items())
    assert done.added == 1
    [line] = done.problems
    assert "answers.jsonl:2: " in line
    assert problem in line


def numerals(tmp_path: Path, *cells: Any, options: tuple[str, ...] = ("0", "1", "2"), **given: Any) -> Any:
    """What a column of choices becomes where the last item's options are numerals."""
    made = [
        make_item(
            dataset="theirs",
            own_id=f"q/{n}",
            question="How many?",
            choices=options if n == len(cells) - 1 else ("dog", "cat", "cow"),
            answer=options[0] if n == len(cells) - 1 else "dog",
            audio=None,
        )
        for n in range(len(cells))
    ]
    rows = [row(n, choice=cell) for n, cell in enumerate(cells)]
    return import_responses(write(tmp_path, rows), tmp_path / "run", Items(made), **given)


def chosen(done: Any) -> list[int | None]:
    return done.run.table("select choice from responses order by item_id")["choice"].to_pylist()


def test_an_index_is_an_index_where_one_item_has_numerals_as_options(tmp_path: Path) -> None:
    done = numerals(tmp_path, "0", "2", "1", options=("2", "1", "0"))
    assert chosen(done) == [0, 2, 1]
    assert done.meaning == "3 as an index from 0, in the item's own order"


@pytest.mark.parametrize(
    ("cells", "options"), [(("1",), ("1", "2", "0")), (("B",), ("B", "C", "A")), (("3", "1"), ("a", "b"))]
)
def test_choices_that_can_be_read_in_two_ways_are_refused(
    tmp_path: Path, cells: tuple[str, ...], options: tuple[str, ...]
) -> None:
    with pytest.raises(AudiocontribError, match="say which: "):
        numerals(tmp_path, *cells, options=options)


def test_what_choices_are_can_be_said(tmp_path: Path) -> None:
    assert chosen(numerals(tmp_path, "1", "2", "3", choice_as="number")) == [0, 1, 2]


def test_a_letter_or_index_that_names_no_option_stays_in_the_denominator(tmp_path: Path) -> None:
    done = numerals(tmp_path, "A", "E", "B", options=("x", "y"))
    assert chosen(done) == [0, None, 1]
    assert done.problems == ()
    assert chosen(numerals(tmp_path / "more", "0", "-1", "9")) == [0, None, None]


def test_how_a_reply_ended_is_taken_and_a_thought_kept_apart(tmp_path: Path) -> None:
    found = one(tmp_path, reply="<think>sound 0-0?</think>sound 0-1", finish="eos")
    assert (found["choice"], found["reply"], found["thought"], found["finish"]) == (
        1,
        "sound 0-1",
        "sound 0-0?",
        "stop",
    )
    cut = one(tmp_path / "cut", reply="The answer is sound 0-1", finish="length")
    assert (cut["outcome"], cut["finish"]) == ("unparsed", "length")
    lost = one(tmp_path / "lost", reply="", finish="content_filter")
    assert (lost["outcome"], lost["correct"]) == ("failed", None)


def test_the_second_answer_to_one_question_is_a_problem(tmp_path: Path) -> None:
    done = import_responses(write(tmp_path, [row(choice=1), row(choice=2)]), tmp_path / "run", items())
    assert done.added == 1
    assert "twice; first at" in done.problems[0]


def test_importing_again_adds_nothing_and_another_answer_is_refused(tmp_path: Path) -> None:
    path, run = write(tmp_path, [row(choice=1)]), tmp_path / "run"
    assert import_responses(path, run, items()).added == 1
    again = import_responses(path, run)  # the items are those of the run
    assert (again.added, again.already, again.problems) == (0, 1, ())
    other = import_responses(write(tmp_path, [row(choice=2), row(choice=1, model="b")]), run)
    assert (other.added, other.already) == (1, 0)
    assert "holds another answer of a to theirs/q/0" in other.problems[0]
    assert other.run.query("select count(*) as n from responses").n[0] == 2


def test_columns_can_be_mapped_and_constants_given(tmp_path: Path) -> None:
    path = write(tmp_path, [{"qid": "q/0", "model_output": "<answer>sound 0-1</answer>"}])
    done = import_responses(
        path,
        tmp_path / "run",
        items(),
        model="m",
        condition="text",
        mapping={"item_id": "qid", "reply": "model_output"},
    )
    [found] = done.run.table("select model, condition, correct from responses").to_pylist()
    assert found == {"model": "m", "condition": "text", "correct": True}


def test_csv_and_parquet_are_read_too(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([row(0, posterior=[0.1, 0.8, 0.1]), row(1, posterior=[0.8, 0.1, 0.1])])
    pq.write_table(table, tmp_path / "p.parquet")
    assert import_responses(tmp_path / "p.parquet", tmp_path / "run", items()).added == 2
    (tmp_path / "p.csv").write_text('item_id,model,condition,posterior\nq/2,a,silence,"[0.1, 0.8, 0.1]"\n')
    assert import_responses(tmp_path / "p.csv", tmp_path / "run", items()).added == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"model": "a", "condition": "silence", "choice": 1}], "no column 'item_id'"),
        ([{"item_id": "q/0", "condition": "silence", "choice": 1}], "which model all rows have"),
        ([{"item_id": "q/0", "model": "a", "condition": "silence"}], "none of the columns reply, choice, posterior"),
        ([row(choice=1), row(1, posterior=[0, 1, 0])], "two runs"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        import_responses(write(tmp_path, rows), tmp_path / "run", items())
    assert not (tmp_path / "run").exists()


def test_nothing_to_take_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudiocontribError, match="no item"):
        import_responses(write(tmp_path, [row(99, choice=1)]), tmp_path / "run", items())
    with pytest.raises(UsageError, match="a mapping can name"):
        import_responses(write(tmp_path, [row(choice=1)]), tmp_path / "run", items(), mapping={"answer": "x"})
    with pytest.raises(UsageError, match="no column 'x' for reply"):
        import_responses(write(tmp_path, [row(choice=1)]), tmp_path / "run", items(), mapping={"reply": "x"})


def test_a_run_of_our_own_is_not_mixed_with(tmp_path: Path) -> None:
    run = ac.score(items(), ["mock:name=m"], ["text"], run=tmp_path / "ours", progress=False)
    with pytest.raises(AudiocontribError, match="was asked otherwise"):
        import_responses(write(tmp_path, [row(choice=1)]), run.path)


def test_the_published_split_from_a_table_of_three_models_silent_answers(tmp_path: Path) -> None:
    right = {0: "abc", 1: "ab", 2: "c", 3: ""}
    rows = [row(i, m, choice=1 if m in names else 2) for i, names in right.items() for m in MODELS]
    done = import_responses(write(tmp_path, rows), tmp_path / "run", items())
    made = ac.split(done.run, rule="votes", threshold=0.5)
    assert made.table["split"].to_pylist() == ["weak", "weak", "strong", "strong"]


def test_the_command(tmp_path: Path) -> None:
    data = tmp_path / "set.jsonl"
    plain = {"question": "What?", "choices": ["x", "y"], "answer": "x", "audio_path": "a.wav"}
    data.write_text("".join(json.dumps(plain | {"id": f"q{i}"}) + "\n" for i in range(3)))
    path = write(tmp_path, [row(choice="A") | {"item_id": f"q{i}"} for i in range(4)])
    base = ["import", str(path), "--dataset", str(data), "--run", str(tmp_path / "run")]
    done = CliRunner().invoke(main, base)
    assert done.exit_code == 1  # one row names no item; the rest is in
    assert "answers.jsonl:4: item_id: the data set has no item 'q3'" in done.stderr
    assert "3 answers taken" in done.stderr
    assert "silence" in done.stdout
    evaluated = CliRunner().invoke(main, ["evaluate", "--run", str(tmp_path / "run"), "--scorer", "mmau"])
    assert evaluated.exit_code == 1
    assert "holds no replies" in evaluated.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ([{"repeat": 0}, {"repeat": 1}, {"repeat": 2}], [0, 1, 2]),
        ([{"epoch": 1}, {"epoch": 2}, {"epoch": 3}], [0, 1, 2]),
        ([{"epoch": "1"}, {"epoch": 2.0}, {"repeat": 2, "epoch": 3}], [0, 1, 2]),
        ([{}, {"repeat": 4}, {"repeat": ""}], [0, 4]),
    ],
)
def test_repeats_are_rows_of_their_own(told: list[dict[str, Any]], wanted: list[int], tmp_path: Path) -> None:
    rows = [row(choice=place) | said for place, said in enumerate(told)]
    done = import_responses(write(tmp_path, rows), tmp_path / "run", items())
    found = done.run.query("select repeat, choice from responses order by repeat")
    assert found["repeat"].tolist() == wanted
    assert len(done.problems) == 3 - len(wanted)
    again = import_responses(tmp_path / "answers.jsonl", tmp_path / "run", items())
    assert (again.added, again.already) == (0, len(wanted))


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"epoch": 0}, "epoch: 0 is no whole number from 1"),
        ({"repeat": -1}, "repeat: -1 is no whole number from 0"),
        ({"repeat": "x"}, "repeat: 'x' is no whole number"),
        ({"repeat": 1.5}, "repeat: 1.5 is no whole number"),
        ({"repeat": True}, "repeat: True is no whole number"),
        ({"repeat": 20_000}, "from 0 to 10,000"),
        ({"repeat": 0, "epoch": 2}, "are not the same"),
    ],
)
def test_a_repeat_that_is_none_is_told(said: dict[str, Any], says: str, tmp_path: Path) -> None:
    done = import_responses(write(tmp_path, [row(choice=1), row(1, choice=1) | said]), tmp_path / "run", items())
    assert done.added == 1
    assert says in done.problems[0]


def test_rows_that_answer_again_are_repeats_where_that_is_said(tmp_path: Path) -> None:
    rows = [row(i, choice=c) for c in (1, 2, 1) for i in (0, 1)]
    path = write(tmp_path, rows)
    told = import_responses(path, tmp_path / "unsaid", items())
    assert (told.added, len(told.problems)) == (2, 4)
    assert "are they repeats? then say so" in told.problems[0]
    done = import_responses(path, tmp_path / "run", items(), repeated=True)
    assert (done.added, done.problems) == (6, ())
    found = done.run.query("select item_id, list(choice order by repeat) as c from responses group by 1 order by 1")
    assert [list(c) for c in found["c"]] == [[1, 2, 1], [1, 2, 1]]
    assert import_responses(path, tmp_path / "run", items(), repeated=True).already == 6
    voted = ac.accuracy(done.run, repeat="majority").to_pylist()
    assert [(one["n"], one["right"]) for one in voted] == [(2, 2)]
    assert [(one["n"], one["right"]) for one in ac.accuracy(done.run, repeat=1).to_pylist()] == [(2, 0)]
    command = ["import", str(path), "--run", str(tmp_path / "run"), "--repeated", "--column", "repeat=epoch"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "there is no column 'epoch'" in refused.output


def test_a_run_that_was_imported_before_repeats_goes_on(tmp_path: Path) -> None:
    """The key of a first answer is as it was."""
    done = import_responses(write(tmp_path, [row(choice=1)]), tmp_path / "run", items())
    [part] = (done.run.path / "responses").glob("*.parquet")
    pq.write_table(pq.read_table(part).drop_columns(["repeat"]), part)
    again = import_responses(tmp_path / "answers.jsonl", tmp_path / "run", items())
    assert (again.added, again.already, again.problems) == (0, 1, ())


@pytest.mark.parametrize(
    ("cells", "says", "wanted"), [(["A", "B"], "text or letter", [2, 0]), ([1, 2] * 15, "number or index", [0, 1])]
)
def test_what_is_printed_is_told_from_places_and_indexes_from_numbers(
    cells: list[Any], says: str, wanted: list[int], tmp_path: Path
) -> None:
    listed = ["(B) cow", "(C) dog", "(A) cat"] if says.startswith("text") else ["cow", "dog", "cat"]
    made = Items(
        [
            make_item(dataset="theirs", own_id=f"q/{i}", question="?", choices=listed, answer=listed[0], audio=None)
            for i in range(len(cells))
        ]
    )
    file = write(tmp_path, [row(i, choice=cell) for i, cell in enumerate(cells)])
    with pytest.raises(AudiocontribError, match=says):
        import_responses(file, tmp_path / "run", made)
    told = import_responses(file, tmp_path / "run", made, choice_as=says.split()[0])
    assert told.run.table("select choice from responses order by item_id")["choice"].to_pylist()[:2] == wanted
    replies = write(tmp_path, [row(0, reply="A"), row(1, reply="(A) cat")], "replies.jsonl")
    if says.startswith("text"):
        done = import_responses(replies, tmp_path / "replies", made)
        assert (done.added, len(done.problems)) == (1, 1)


def test_no_part_of_a_number_is_cut_off(tmp_path: Path) -> None:
    done = import_responses(write(tmp_path, [row(choice=1), row(1, choice=1.5)]), tmp_path / "run", items())
    assert done.added == 1
    assert "1.5 is no whole number" in done.problems[0]
