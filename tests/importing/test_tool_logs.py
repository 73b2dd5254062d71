"""Logs that other tools wrote themselves become runs; their accuracy is the tool's, or the difference is named."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.contribution.positions import positions
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.importing import Imported, import_responses

HERE = Path(__file__).parent
LOGS = HERE / "logs"


@pytest.fixture(scope="module")
def asked() -> ac.items.Items:
    return ac.load_items(HERE / "items.jsonl")


def taken(asked: Any, folder: Path, run: Path, **given: Any) -> Imported:
    done = import_responses(folder, run, asked, condition="audio", **given)
    assert done.problems == ()
    return done


def printed(folder: str, *path: str) -> float:
    """A figure in the file of results that lies beside the samples."""
    [file] = (LOGS / folder).glob("*results*.json")
    value = json.loads(file.read_text())["results"]
    for name in path:
        value = value[name]
    return float(value)


def ours(done: Imported, repeat: int | None = 0) -> float:
    where = "" if repeat is None else f"where repeat = {repeat}"
    return float(done.run.query(f"select avg(correct::int) as a from responses {where}").a[0])


DIFFER = {
    "items/knocks": "not right there; here answered, '3'",  # "ANSWER: 3": the tool wants a letter, 3 is an option
    "items/cat-1": "not right there; here answered, 'cat'",  # "The answer is (B) cat.": not the tool's format
}


def test_inspect_ai_reads_fewer_replies_than_we_do(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "inspect_ai", tmp_path / "run")
    assert done.notes[0] == "read as a log of inspect_ai; joined to items: 12 by id"
    assert done.notes[1] == "of 12 answers inspect_ai counted 6 right, this reading 8; 2 differ"  # it printed 0.5
    assert dict(line.strip().split(": ", 1) for line in done.notes[2:]) == DIFFER
    found = done.run.query("select item_id, repeat, reply, finish, model from responses order by repeat, item_id")
    assert found.repeat.value_counts().to_dict() == {0: 6, 1: 6}
    assert set(found.model) == {"mockllm/model"}
    assert set(found.finish) == {"stop"}


def test_numbers_that_the_tool_gave_are_no_ids(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "inspect_ai_json", tmp_path / "run")
    assert "1 by question and options, 2 by question, options and clip" in done.notes[0]
    assert ours(done) == 1.0  # as it printed


def test_options_that_were_shown_shuffled_are_the_items_own(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "inspect_ai_shuffled", tmp_path / "run")
    [log] = (LOGS / "inspect_ai_shuffled").glob("*.json")
    samples = json.loads(log.read_text())["samples"]
    assert any("no rotation" in note for note in done.notes)
    letters = {f"items/{s['id']}": s["output"]["completion"][-1] for s in samples}
    shown = {f"items/{s['id']}": s["choices"] for s in samples}
    for row in done.run.query("select item_id, choice from responses").itertuples():
        item = next(item for item in asked if item.id == row.item_id)
        assert item.choices[row.choice] == shown[row.item_id]["ABCD".index(letters[row.item_id])]
    assert ours(done) == pytest.approx(1 / 3)  # as it printed
    with pytest.raises(AudiocontribError, match="in which places they stood is not kept"):
        positions(done.run)


def test_lm_evals_log_probabilities_are_posteriors(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "lm-eval", tmp_path / "run")
    assert ours(done) == pytest.approx(printed("lm-eval", "listen_mc", "acc,none"))
    [row] = done.run.query("select * from responses where item_id = 'items/dog-1'").to_dict("records")
    assert row["option_logprob"][0] == pytest.approx(-0.10905784593110368)
    assert sum(row["posterior"]) == pytest.approx(1)
    assert (row["method"], row["model"]) == ("likelihood", "dummy")
    assert "summed over its tokens" in done.run.manifest["posterior"]
    assert any("posteriors are the softmax" in note for note in done.notes)


def test_lm_evals_repeats_and_filters(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "lm-eval-generated", tmp_path / "run")
    assert done.added == 12  # a row for each filter holds the same replies
    assert ours(done) == pytest.approx(printed("lm-eval-generated", "listen_gen", "exact_match,letter"))
    assert done.notes[1].endswith("0 differ")


def test_lmms_eval_keeps_the_prompt_alone(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "lmms-eval", tmp_path / "run")
    assert "2 by question, options and number, which fits in all rows" in done.notes[0]
    assert ours(done) == printed("lmms-eval", "listen_lmms", "accuracy,none")
    without = [item for item in asked if item.id != "items/rain"]  # numbers no longer fit
    other = import_responses(LOGS / "lmms-eval", tmp_path / "other", without, condition="audio")
    assert other.added == 3
    assert sum("no id or clip tells them apart" in line for line in other.problems) == 2


def test_evalscopes_reviews_and_predictions(asked: Any, tmp_path: Path) -> None:
    done = taken(asked, LOGS / "evalscope", tmp_path / "run")
    assert done.added == 12  # reviews and predictions hold the same
    assert ours(done, None) == 0.5  # as it printed
    alone = taken(asked, LOGS / "evalscope" / "predictions" / "mock" / "general_mcq_default.jsonl", tmp_path / "other",
                  repeated=True)  # fmt: skip
    columns = "select item_id, repeat, choice, outcome from responses order by 1, 2"
    assert alone.run.query(columns).equals(done.run.query(columns))


@pytest.mark.parametrize(("model", "accuracy"), [("dummymodel", 1 / 3), ("letters", 1 / 3)])
def test_lightevals_details(asked: Any, tmp_path: Path, model: str, accuracy: float) -> None:
    """The tool's `em` wants the letter alone: "(C)" is none to it."""
    done = taken(asked, LOGS / "lighteval" / "details" / model, tmp_path / "run")
    assert "2 by question, options and clip" in done.notes[0]
    counted = next(note for note in done.notes if "counted" in note)
    assert f"lighteval counted {round(6 * accuracy)} right" in counted  # as it printed
    assert set(done.run.query("select model from responses").model) == {model}


def test_results_of_mmau_and_mmar_are_their_questions_with_a_reply(asked: Any, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (HERE / "items.jsonl").read_text().splitlines()]
    as_mmau = [row | {"audio_id": row["audio_path"], "model_output": row["answer"]} for row in rows[:5]]
    (tmp_path / "mmau.json").write_text(json.dumps([*as_mmau, rows[5] | {"audio_id": "x.wav"}]))
    done = taken(asked, tmp_path / "mmau.json", tmp_path / "run", model="m")
    assert "log of mmau" in done.notes[0]
    assert ours(done) == pytest.approx(5 / 6)  # the row without a reply stays in the denominator
    (tmp_path / "mmar.jsonl").write_text(
        "".join(
            json.dumps({"id": row["id"], "thinking_prediction": "?", "answer_prediction": row["answer"]}) + "\n"
            for row in rows
        )
    )
    assert ours(taken(asked, tmp_path / "mmar.jsonl", tmp_path / "mmar", model="m")) == 1


@pytest.mark.parametrize("kind", ["tsv", "xlsx"])
def test_vlmevalkit_shows_its_options_in_columns(asked: Any, tmp_path: Path, kind: str) -> None:
    header = ["index", "question", "A", "B", "C", "D", "answer", "prediction", "hit"]
    table = [header, [0, "How many knocks are heard?", "3", "4", "1", "2", "A", "A", 1],
             [1, "Who is speaking?", "a man", "a woman", None, None, "B", "A", 0]]  # fmt: skip
    path = tmp_path / f"mock_LISTEN.{kind}"
    if kind == "tsv":
        path.write_text("\n".join("\t".join("" if c is None else str(c) for c in row) for row in table))
    else:
        path.write_bytes(sheet(table))
    done = taken(asked, path, tmp_path / "run", model="mock")
    found = done.run.query('select item_id, "order", choice, correct from responses order by item_id')
    assert found.values.tolist() == [["items/knocks", 2, 2, True], ["items/voice", 0, 0, False]]
    assert done.notes[-1].endswith("0 differ")


def sheet(table: list[list[Any]]) -> bytes:
    """A workbook as writers of .xlsx make them: texts in a table of their own."""
    import io
    import zipfile

    texts = [str(cell) for row in table for cell in row if isinstance(cell, str)]
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = ""
    for n, row in enumerate(table, start=1):
        cells = ""
        for column, cell in zip("ABCDEFGHI", row, strict=True):
            if isinstance(cell, str):
                cells += f'<c r="{column}{n}" t="s"><v>{texts.index(cell)}</v></c>'
            elif cell is not None:
                cells += f'<c r="{column}{n}"><v>{cell}</v></c>'
        rows += f'<row r="{n}">{cells}</row>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>")
        shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}>{shared}</sst>")
    return buffer.getvalue()


def test_a_folder_is_of_one_tool_and_a_tool_is_known(asked: Any, tmp_path: Path) -> None:
    with pytest.raises(AudiocontribError, match=r"logs of \S+ and of .*; say of which tool"):
        import_responses(LOGS, tmp_path / "run", asked, condition="audio")
    with pytest.raises(UsageError, match="no tool with logs is called 'lmeval'; did you mean 'lm-eval'"):
        import_responses(LOGS, tmp_path / "run", asked, condition="audio", tool="lmeval")
    with pytest.raises(AudiocontribError, match="no file in it is a log of lm-eval"):
        import_responses(LOGS / "evalscope", tmp_path / "run", asked, condition="audio", tool="lm-eval")
    with pytest.raises(UsageError, match="has its own"):
        import_responses(LOGS, tmp_path / "run", asked, tool="lm-eval", mapping={"reply": "x"})


def test_an_item_of_another_set_is_no_answer_to_ours(asked: Any, tmp_path: Path) -> None:
    """Not even where the number of its row is an item's id."""
    row = {"doc_id": 0, "doc": {"id": "rain", "question": "Which bird?", "choices": ["owl", "wren"]}, "target": "A",
           "arguments": {"gen_args_0": {"arg_0": "Which bird?\nA. owl\nB. wren\nAnswer:", "arg_1": {}}},
           "resps": [["A"]], "filtered_resps": ["A"], "filter": "none", "metrics": []}  # fmt: skip
    (tmp_path / "samples_x_1.jsonl").write_text(json.dumps(row))
    with pytest.raises(AudiocontribError, match="no item with this id, question and options: 'Which bird"):
        import_responses(tmp_path, tmp_path / "run", asked, model="m", condition="audio")


def test_an_order_that_only_the_prompt_shows_is_taken_or_refused(asked: Any, tmp_path: Path) -> None:
    """Letters mean the options as they were shown; where that cannot be told the row is refused."""
    shown = ["Which instrument plays?\nA. piano\nB. violin\nC. flute\nD. trumpet\nAnswer:",
             "Who is speaking? Choose from ['a woman', 'a man'] by number.",
             "What is falling? Choose from ['rain', 'snow', 'hail']."]  # fmt: skip
    rows = [{"doc_id": n, "target": "A", "filtered_resps": "A", "doc_hash": "0", "accuracy": 1.0, "input": text}
            for n, text in enumerate(shown)]  # fmt: skip
    (tmp_path / "1_samples_x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = import_responses(tmp_path, tmp_path / "run", asked, model="m", condition="audio")
    found = dict(done.run.query("select item_id, choice from responses").values.tolist())
    assert found == {"items/keys": 1, "items/rain": 0}
    [line] = done.problems
    assert "items/voice: the log shows the options in an order of its own" in line


@pytest.mark.slow
def test_conditions_of_others_have_their_own_place(asked: Any, tmp_path: Path) -> None:
    said = {"audio": 0, "silence:matched": 1, "mask20": 0, "mask40": 2, "caption": 1}
    rows = [
        {"item_id": item.id, "model": "m", "condition": name, "choice": place % len(item.choices)}
        for item in asked
        for name, place in said.items()
    ]
    (tmp_path / "dose.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = ["import", str(tmp_path / "dose.jsonl"), "--dataset", str(HERE / "items.jsonl"), "--format", "json"]
    run = str(tmp_path / "run")
    done = CliRunner().invoke(main, [*base, "--run", run, "--condition-map", "caption=text"])
    assert done.exit_code == 0, done.output
    assert "kept by name: other:mask20 (6), other:mask40 (6)" in done.stderr
    shown = {row["condition"]: row["n"] for row in map(json.loads, done.stdout.splitlines())}
    assert shown == dict.fromkeys(("audio", "silence:matched", "text", "other:mask20", "other:mask40"), 6)
    again = CliRunner().invoke(main, [*base, "--run", run, "--condition-map", "caption=text"])
    assert "0 answers taken, 30 were there" in again.stderr
    told = CliRunner().invoke(main, ["contribution", "--run", run, "--condition", "other:mask20", "--format", "json"])
    assert told.exit_code == 0, told.output
    wrong = CliRunner().invoke(main, [*base, "--run", run, "--condition-map", "caption=txt"])
    assert wrong.exit_code == 2
    assert "no condition is called 'txt'" in wrong.output
    asking = CliRunner().invoke(main, ["score", "--dataset", str(HERE / "items.jsonl"), "--condition", "other:mask20"])
    assert asking.exit_code == 2


def test_public_answers_are_taken_whole(tmp_path: Path) -> None:
    """In the shape in which answers to SAKURA and TACOS are published: empty choices stay in the denominator."""
    rows = [{"id": f"sakura_animal_{n}_single", "question": f"Which is it in {n}?", "choices": ["sheep", "cat", "hen"],
             "answer": "cat", "audio_path": f"cat{n}.wav"} for n in range(100)]  # fmt: skip
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    right = {"audio": 80, "mask20": 70, "mask80": 50, "silence:matched": 20}
    said = [
        {"item_id": row["id"], "model": "Q (reasoning)", "condition": condition, "their_accuracy": 1.0, "raw": "…",
         "choice": "B" if n < count else "" if n >= 82 else "A"}
        for condition, count in right.items() for n, row in enumerate(rows)
    ]  # fmt: skip
    answers.write_text("".join(json.dumps(row) + "\n" for row in said))
    done = import_responses(answers, tmp_path / "run", ac.load_items(questions))
    assert (done.added, done.problems) == (400, ())
    found = {row["condition"]: (row["n"], row["right"]) for row in ac.accuracy(done.run).to_pylist()}
    assert found["silence:matched"] == (100, 20)  # not 20 of the 82 that name an option
    assert found["other:mask20"] == (100, 70)
    assert found["other:mask80"] == (100, 50)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["id", "input", "output", "choices", "metadata"])
@pytest.mark.parametrize("value", [None, 7])
def test_a_log_that_is_made_otherwise_is_taken_rightly_or_refused(
    asked: Any, tmp_path: Path, name: str, value: Any
) -> None:
    [path] = (LOGS / "inspect_ai_shuffled").glob("*.json")
    log = json.loads(path.read_text())
    right = {(r.item_id, r.choice) for r in taken(asked, path, tmp_path / "right").run.query(
        "select item_id, choice from responses").itertuples()}  # fmt: skip
    for sample in log["samples"]:
        sample[name] = value
        if value is None:
            del sample[name]
    (tmp_path / "log.json").write_text(json.dumps(log))
    with suppress(AudiocontribError):
        done = import_responses(tmp_path / "log.json", tmp_path / "run", asked, condition="audio")
        found = done.run.query("select item_id, choice from responses where outcome = 'answered'")
        assert {(r.item_id, r.choice) for r in found.itertuples()} <= right


def test_two_evaluations_in_one_file_are_not_one(asked: Any, tmp_path: Path) -> None:
    [path] = (LOGS / "lm-eval-generated").glob("samples*.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    other = [row | {"resps": [["Z", "Z"]]} for row in rows]
    (tmp_path / path.name).write_text("".join(json.dumps(row) + "\n" for row in [*rows, *other]))
    done = import_responses(tmp_path / path.name, tmp_path / "run", asked, model="m", condition="audio")
    assert (done.added, len(done.problems)) == (12, len(other))
    assert "which has other replies" in done.problems[0]
