"""`audiocontrib contribution` as a user meets it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.planted import ask, questions
from helpers.store_tools import manifest

from audiocontrib.cli import main
from audiocontrib.cli.contribution import TABLES
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.store import Run

CONDITIONS = ("audio", "silence", "text", "noise", "swap")


def start(folder: Path, conditions: tuple[str, ...] = CONDITIONS, n: int = 48) -> Path:
    """A run of three mocks in all cyclic orders."""
    items = questions(n, k=[2, 4], per_clip=2)
    run = Run.create_or_resume(folder, manifest(conditions=list(conditions)), items)
    mocks = [MockModel(Planted(skill=0.7, leak=0.4, seed=seed), f"m{seed}") for seed in range(3)]
    run.append(ask(items, mocks, conditions, cyclic=True))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return start(tmp_path_factory.mktemp("runs") / "first")


def call(run: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["contribution", "--run", str(run), *map(str, arguments)])


def rows(out: Result) -> list[dict[str, str]]:
    assert out.exit_code == 0, out.output
    return list(csv.DictReader(io.StringIO(out.stdout)))


@pytest.mark.slow
def test_by_default_it_measures_saves_and_sums_up(run: Path) -> None:
    out = call(run)
    assert out.exit_code == 0, out.output
    heading, *lines = out.stdout.splitlines()
    assert heading.split("  ")[0] == "question type"
    assert heading.count("silence") == 1
    assert [line.split()[0] for line in lines] == ["all", "music", "sound"]
    assert max(map(len, out.stdout.splitlines())) <= 100
    wide = call(run, "--wide").stdout
    assert all(word in wide for word in ("bits total", "accuracy silence", "least contribution"))
    assert "note: no model was asked under options" in out.stderr
    assert "saved 48 items" in out.stderr
    saved = Run.open(run).contributions
    assert len(saved) == 48
    assert {"score", "unsolved", "bits_content", "bits_total_se", "p_answerable", "q_value"} <= set(saved.columns)


@pytest.mark.slow
def test_the_groups_can_be_chosen(run: Path) -> None:
    found = rows(call(run, "--by", "k", "--format", "csv"))
    assert [(row["k"], row["n"]) for row in found] == [("", "48"), ("2", "24"), ("4", "24")]
    absent = call(run, "--by", "extra.absent", "--format", "json")
    assert absent.exit_code == 2
    assert "no item has the field extra.absent" in absent.stderr


def test_intervals_stand_behind_their_value(run: Path) -> None:
    told = call(run, "--table", "summary", "--wide").stdout.splitlines()
    [line] = [line for line in told if line.startswith("contribution ") and "[" in line]
    value, low, high = (float(word.strip("[],")) for word in line.split()[1:])
    assert low < value < high


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_printed_alone(run: Path, name: str) -> None:
    out = call(run, "--table", name, "--format", "csv")
    assert out.exit_code == 0, out.output
    assert len(out.stdout.splitlines()[0].split(",")) > 3
    if name in ("ledger", "summary", "calibration"):
        sizes = {"ledger": 3 * 48, "summary": 1, "calibration": 3 * len(CONDITIONS)}
        assert len(rows(out)) == sizes[name]


def test_a_table_alone_saves_nothing(tmp_path: Path) -> None:
    folder = start(tmp_path / "run", ("audio", "silence"), n=12)
    assert call(folder, "--table", "unsolved").exit_code == 0
    assert not (folder / "contributions.parquet").exists()
    assert call(folder).exit_code == 0
    assert (folder / "contributions.parquet").exists()


@pytest.mark.slow
def test_a_second_run_of_the_same_questions(run: Path, tmp_path: Path) -> None:
    again = start(tmp_path / "again")
    assert rows(call(run, "--rerun", again, "--format", "csv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--by", "answer"), "summary by answer: it can be by dataset"),
        (("--by", "k", "--table", "ledger"), "the table ledger has no groups: leave --by out"),
        (("--rerun", "x", "--table", "ledger"), "--rerun prints a table of its own"),
        (("--rerun", "nowhere"), "nowhere is no run"),
        (("--table", "luck"), "'luck' is not one of 'summary'"),
    ],
)
def test_wrong_questions(run: Path, arguments: tuple[str, ...], message: str) -> None:
    out = call(run, *arguments)
    assert out.exit_code == 2
    assert message in out.output


def test_a_condition_that_was_not_asked(run: Path) -> None:
    out = call(run, "--condition", "silence:matched")
    assert out.exit_code == 2
    assert out.stderr.strip().startswith(
        "error: the run holds no answers under 'silence:matched'; did you mean 'silence'"
    )


def test_help_names_every_table() -> None:
    out = CliRunner().invoke(main, ["contribution", "--help"])
    assert all(about in out.stdout for about, _ in TABLES.values())
