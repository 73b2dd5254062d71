"""Tables for people: the columns that decide, in the width of a terminal, with no number cut."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

import audiocontrib as ac
from audiocontrib.audit.base import FINDING_SCHEMA
from audiocontrib.cli import main
from audiocontrib.cli.columns import share
from audiocontrib.cli.latex import latex_lines, latex_text
from audiocontrib.cli.table_text import TextTable, lines
from audiocontrib.cli.views import VIEWS
from audiocontrib.contribution import accuracy
from audiocontrib.evaluation.benchmarks import EVALUATION_SCHEMA
from audiocontrib.evaluation.changes import CHANGE_SCHEMA
from audiocontrib.evaluation.judged import JUDGED_SCHEMA
from audiocontrib.evaluation.published import PUBLISHED_SCHEMA
from audiocontrib.evaluation.scorers import COMPARISON_SCHEMA
from audiocontrib.number_text import as_words, at_most, percent, share_or_bound, signed
from audiocontrib.report.overview import show
from audiocontrib.splits.sensitivity import sensitivity

MODELS = [f"some-lab/an-audio-language-model-with-a-long-name-{n}-Instruct" for n in range(20)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ac.Run:
    items = ac.load_items("demo", seed=0, limit=20)
    names = [f"mock:name={name.replace('/', '--')},seed={n}" for n, name in enumerate(MODELS[:3])]
    folder = tmp_path_factory.mktemp("runs") / "r"
    return ac.score(items, names, ["audio", "silence"], run=folder, progress=False)


def held(run: ac.Run, view: str) -> list[str]:
    """The columns of the table that a view is of."""
    schemas = {"benchmarks": EVALUATION_SCHEMA, "changes": CHANGE_SCHEMA, "scorers": COMPARISON_SCHEMA,
               "published": PUBLISHED_SCHEMA, "judged": JUDGED_SCHEMA, "findings": FINDING_SCHEMA}  # fmt: skip
    if view in schemas:
        return list(schemas[view].names)
    if view == "accuracy":
        with run.views() as con:
            return list(accuracy(con).column_names)
    made = {
        "parts": lambda: ac.split(run).summary(None),
        "marks": lambda: ac.marks(run),
        "sensitivity": lambda: sensitivity(run),
        "answers": lambda: show(run, run.table("select item_id from items")["item_id"][0].as_py()).answers,
    }
    if view in made:
        return list(made[view]().column_names)
    from audiocontrib.cli.contribution import TABLES, TableOptions
    from audiocontrib.contribution.scope import Scope

    return list(TABLES[view][1](run, TableOptions(None, 0.02, Scope(), None)).column_names)


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_columns_that_its_table_has(view: str, run: ac.Run) -> None:
    columns = VIEWS[view].columns
    assert {name for one in columns for name in one.needs} <= set(held(run, view))
    beside = [one for one in columns if one.kind != "below" and one.where == "always"]
    assert len(beside) <= 8
    assert len({one.heading for one in columns}) == len(columns)


def tables(seed: int) -> TextTable:
    draw = Random(seed)
    models = draw.sample(MODELS, draw.randint(1, 20))
    kinds = [draw.choice(["share", "gain", "count", "float", "words"]) for _ in range(draw.randint(1, 12))]

    def cell(kind: str) -> str:
        low, value, high = sorted(draw.uniform(-0.2, 1.2) for _ in range(3))
        row = {"x": value, "low": low, "high": high}
        return {
            "share": share("x", "low", "high").cell(row),
            "gain": signed(value, low, high),
            "count": as_words(draw.randint(0, 10**7)),
            "float": as_words(draw.uniform(-1e6, 1e6)),
            "words": " ".join(
                draw.choices(["what", "demo/demo/sound/0-17", "a", "日本語の質問"], k=draw.randint(0, 9))
            ),
        }[kind]

    headings = ("model", *(f"{kind} of {n}" for n, kind in enumerate(kinds)))
    rows = tuple((model, *map(cell, kinds)) for model in models)
    return TextTable(headings, rows, (False, *(kind != "words" for kind in kinds)), frozenset({0}))


@pytest.mark.parametrize("seed", range(30))
def test_every_table_fits_and_no_number_is_cut(seed: int) -> None:
    """Up to 20 models of long names, up to 13 columns."""
    table = tables(seed)
    for width in (80, 120):
        drawn = list(lines(table, width))
        assert max(map(cell_len, drawn)) <= width
        words = " ".join(drawn).split()
        for row in table.rows:
            numbers = [word for cell, number in zip(row, table.numbers, strict=True) if number for word in cell.split()]
            assert set(numbers) <= set(words)
        assert {row[0] for row in table.rows} <= set(words)
    assert len(list(lines(table, None))) == len(table.rows) + 1


def test_the_eye_gets_what_decides_and_wide_has_all(run: ac.Run) -> None:
    told = CliRunner().invoke(main, ["evaluate", "--run", str(run.path)])
    assert told.exit_code == 0, told.output
    heading = told.stdout.splitlines()[0].split("  ")
    assert "minimum" not in told.stdout
    assert "interval" not in " ".join(heading)
    wide = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--wide"])
    first = wide.stdout.splitlines()[0]
    assert all(name.replace("_", " ") in first for name in EVALUATION_SCHEMA.names)


def test_columns_are_chosen_by_name(run: ac.Run) -> None:
    chosen = ["evaluate", "--run", str(run.path), "--columns", "model,condition,accuracy"]
    assert CliRunner().invoke(main, [*chosen, "--format", "csv"]).stdout.splitlines()[0] == "model,condition,accuracy"
    wrong = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--columns", "model,acuracy"])
    assert wrong.exit_code == 2
    assert "no column 'acuracy'" in wrong.stderr


def test_a_table_for_a_paper_has_a_caption(run: ac.Run) -> None:
    told = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--format", "latex"]).stdout
    rows = [line for line in told.splitlines() if line.endswith(r" \\")]
    assert {line.count(" & ") for line in rows} == {rows[0].count(" & ")}
    assert rows[0].count(" & ") <= 7
    assert r"\caption{demo: n = 20 questions; 95 \% intervals by clip" in told
    assert "; asked by likelihood; constant: the best strategy" in told
    assert r"\begin{tabular}{llr" in told
    assert [line.split(" & ")[0] for line in rows[1:]] == ["M1", "M1", "M2", "M2", "M3", "M3"]
    assert all(f"M{n}: some-{{}}" not in told and f"M{n}: some" in told for n in (1, 2, 3))


SIGNS = "_ & % # $ ^ ~ \\ { } < > | -- –"


def unescaped(text: str) -> str:
    """What LaTeX prints of a text."""
    for name, sign in (("textasciitilde", "~"), ("textasciicircum", "^"), ("textbackslash", "\\"), ("textless", "<"),
                       ("textgreater", ">"), ("textbar", "|")):  # fmt: skip
        text = text.replace(rf"\{name}{{}}", f"\0{ord(sign)};")
    for sign in "&%$#_{}":
        text = text.replace(rf"\{sign}", f"\0{ord(sign)};")
    text = re.sub(r"-\{\}(?=-)", "-", text.replace("--", "–"))
    assert not set(text) & set("&%$#_{}~^\\")
    return re.sub(r"\0(\d+);", lambda found: chr(int(found[1])), text)


def test_signs_of_latex_are_printed_as_they_are() -> None:
    assert unescaped(latex_text(SIGNS)) == SIGNS
    assert unescaped(latex_text("a---b")) == "a---b"


def test_numbers_of_a_paper_are_aligned_at_the_point() -> None:
    """Every digit, blank or not, has one width: points of a column have as many to their right."""
    cells = ("98% (94%–99.1%)", "5% (0%–12%)", "–", "100% (95%–100%)")
    table = TextTable(("model", "accuracy", "adds"), tuple((f"m{n}", cell, f"{10**n / 10:+.2f} [-0.10,0.3{n}]")
                      for n, cell in enumerate(cells)), (False, True, True))  # fmt: skip
    rows = [line.removesuffix(r" \\").split(" & ") for line in latex_lines(table, "") if line.startswith("m")][1:]
    for column in (1, 2):
        shown = [re.sub(r"\\phantom\{(.*?)\}", r"\1", row[column]) for row in rows]
        widths = {len(cell.replace("\\", "").replace("$", "")) for cell in shown if cell != "--"}
        assert len(widths) == 1, shown


@pytest.mark.parametrize("right", [0, 1, 19, 20])
def test_no_bound_of_a_share_lies_outside_what_can_be(right: int, tmp_path: Path) -> None:
    """All right, all wrong, one of twenty: in the table's own figures and in those of a paper."""
    items = list(ac.load_items("demo", seed=0, limit=20))
    chosen = [(item.answer + (n >= right)) % len(item.choices) for n, item in enumerate(items)]
    rows = [{"item_id": item.id, "model": "m", "condition": c, "choice": choice}
            for item, choice in zip(items, chosen, strict=True) for c in ("audio", "silence")]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ac.import_responses(tmp_path / "a.jsonl", tmp_path / "r", ac.load_items("demo", seed=0, limit=20))
    made = ac.evaluate(ac.open_run(tmp_path / "r"))
    for row in made.to_pylist():
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1
        assert all(0 <= row[name] <= 1 for name in ("chance", "constant", "credited"))
    told = CliRunner().invoke(main, ["evaluate", "--run", str(tmp_path / "r"), "--format", "latex"]).stdout
    shares = [float(share) for line in told.splitlines() if line.startswith("m ")
              for share in re.findall(r"((?<!-)-?[\d.]+)\\%", line.replace("--", " "))]  # fmt: skip
    assert len(shares) >= 8
    assert all(0 <= share <= 100 for share in shares)


def test_shares_are_clipped_to_what_can_be_and_differences_are_not() -> None:
    assert (percent(1.026), percent(-0.3), percent(0.0001), percent(0.9999)) == ("100%", "0%", "<0.1%", ">99.9%")
    assert (at_most(0.0427), at_most(0.101), at_most(1.3), at_most(-1)) == ("4.3%", "11%", "100%", "0.0%")
    assert share_or_bound(-0.3, -0.5, 0.12) == "cannot be told from 0; at most 12%"
    assert share_or_bound(0.3, 0.1, 0.5, "CR2 t") == "30% (10%–50%; CR2 t)"
    assert signed(-0.306, -0.5, 1.2) == "-0.31 [-0.50,1.20]"
    few = {"accuracy": 7 / 9, "low": None, "high": None, "right": 7, "n": 9}
    assert share("accuracy", "low", "high").cell(few) == "7 of 9"
    assert as_words({"4": 0.16666, "b": None}) == "4: 0.167, b: –"


def test_a_table_without_rows_has_its_heading() -> None:
    assert list(lines(TextTable(("a", "b"), (), (True, False)), 80)) == ["a  b"]


def test_empty_tables_are_printed(run: ac.Run) -> None:
    made = CliRunner().invoke(main, ["contribution", "--run", str(run.path), "--table", "conflict"])
    assert made.exit_code == 0, made.output
