"""The figures of a report, one by one into files."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.report import figures as module
from audiocontrib.report.figures import FIGURES, figures
from audiocontrib.report.run_summary import gather

STARTS = {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ac.Run:
    """What every figure needs: doses, conflicts, likelihoods, two models, a split."""
    made = ac.score(
        ac.load_items("demo", seed=4, limit=30), [f"mock:name=a_{n}$^x,skill=0.7,seed={n}" for n in (1, 2)],
        ["audio", "silence", "mask:40", "snr:0", "conflict"], orders="given",
        run=tmp_path_factory.mktemp("run") / "r", progress=False,
    )  # fmt: skip
    ac.split(made, rule="votes").save(made.split_folder("votes"))
    return made


def plot(run: ac.Run, name: str, out: Path) -> Result:
    return CliRunner().invoke(main, ["plot", name, "--run", str(run.path), "--out", str(out)])


@pytest.mark.slow
def test_every_figure_of_the_report_is_written(run: ac.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = gather(run)
    monkeypatch.setattr(module, "gather", lambda run, split: facts)
    assert list(figures(facts)) == list(FIGURES)
    for number, name in enumerate(FIGURES):
        ending = list(STARTS)[number % 3]
        out = tmp_path / "deep" / f"{name}.{ending.upper()}"
        done = plot(run, name, out)
        assert done.exit_code == 0, done.output
        assert out.read_bytes().startswith(STARTS[ending])
    out = tmp_path / "accuracy.svg"
    assert plot(run, "accuracy", out).exit_code == 0
    assert "a_1$^x" in out.read_text(encoding="utf-8")  # a name is no formula


def test_the_help_lists_every_figure() -> None:
    told = CliRunner().invoke(main, ["plot", "--help"]).output.split("Figures:")[1].split("Examples:")[0]
    lines = [line.split(maxsplit=1) for line in told.strip().splitlines()]
    assert [tuple(line) for line in lines] == [(name, one.about) for name, one in FIGURES.items()]


def test_what_cannot_be_drawn_is_one_line(run: ac.Run, tmp_path: Path) -> None:
    wrong = plot(run, "acuracy", tmp_path / "a.pdf")
    assert (wrong.exit_code, wrong.stderr) == (2, "error: no figure is called 'acuracy'; did you mean 'accuracy'?\n")
    for name in ("a.jpg", "a"):
        ending = plot(run, "accuracy", tmp_path / name)
        assert ending.exit_code == 2
        assert ending.stderr.endswith("a figure is written as .pdf, .png, .svg (--out)\n")
    bare = ac.score(ac.load_items("demo", limit=4), ["mock"], ["audio"], run=tmp_path / "bare", progress=False)
    for name in FIGURES:
        if name not in ("accuracy", "calibration"):
            done = plot(bare, name, tmp_path / "a.pdf")
            assert done.exit_code == 1
            assert f"has nothing to show in the figure {name}: it needs {FIGURES[name].needs}" in done.stderr
            assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("a*"))
