"""The data card of a split says where it comes from, what it is worth, and how to make it again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.items import Items, make_item
from audiocontrib.report.card import card
from audiocontrib.splits import RULES
from audiocontrib.store import Run

MODELS = [f"mock:name=m{n},skill=0.9,leak=0.4,seed={n}" for n in range(3)]
EVIL = "a|b <script>alert(1)</script> [x](javascript:1) {{ 7 * 7 }}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run") / "demo"
    words = ["score", "--dataset", "demo", "--limit", "40", "--run", str(folder), "--quiet", "--condition", "silence",
             "--condition", "audio", "--condition", "text", *[w for m in MODELS for w in ("--model", m)]]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return Run.open(folder)


def split(run: Run, rule: str, **asked: object) -> None:
    ac.split(run, rule=rule, **asked).save(run.split_folder(rule))  # type: ignore[arg-type]


def test_it_says_what_the_split_says(run: Run) -> None:
    split(run, "fdr")
    text = card(run, "fdr")
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["size_categories"] == ["n<1K"]
    assert "audio-contribution" in header["tags"]
    for heading in (
        "Origin",
        "How it was made",
        "Size",
        "Error bounds",
        "Certificate",
        "Known limits",
        "How to make it again",
    ):
        assert f"\n## {heading}\n" in text
    table = pq.read_table(run.split_folder("fdr") / "split.parquet")
    counts = {part: table["split"].to_pylist().count(part) for part in ("strong", "weak", "undecided")}
    assert f"| all | 40 | {counts['strong']} | {counts['weak']} | {counts['undecided']} |" in text
    assert "leak share: " in text
    assert "None yet. audiocontrib certify --split fdr" in text
    assert "0 more were set aside" in text


@pytest.mark.parametrize("rule", [name for name in RULES if name not in ("adf", "audit")])
def test_its_commands_make_the_same_split_again(run: Run, rule: str) -> None:
    split(run, rule)
    path = run.split_folder(rule) / "split.parquet"
    before = pq.read_table(path)
    line = next(line for line in card(run, rule).splitlines() if line.startswith("    audiocontrib split"))
    path.unlink()
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    assert pq.read_table(path).equals(before)


def test_a_certificate_is_in_it(run: Run) -> None:
    split(run, "votes", models=["m0", "m1"])
    done = CliRunner().invoke(main, ["certify", "--run", str(run.path), "--split", "votes", "--model", "m2"])
    assert done.exit_code == 0, done.output
    text = card(run, "votes").split("## Certificate")[1].split("##")[0]
    assert "m2 is right on" in text
    split(run, "votes")


def test_texts_of_the_data_are_no_markup(tmp_path: Path) -> None:
    made = [
        make_item(dataset=EVIL.replace("/", ""), own_id=str(n), question="?", choices=["a", "b"], answer="a",
                  audio=None, question_type=EVIL)
        for n in range(6)
    ]  # fmt: skip
    run = ac.score(Items(made, (), {"name": EVIL}), ["mock"], ["text"], run=tmp_path / "r", progress=False)
    ac.split(run, rule="votes", condition="text").save(run.split_folder("votes"))
    text = card(run, "votes")
    # indented lines are code, where nothing is markup
    body = "\n".join(line for line in text.split("---\n", 2)[2].splitlines() if not line.startswith("    "))
    assert "<script>" not in body
    assert "[x](" not in body
    assert r"a\|b &lt;script" in body
    yaml.safe_load(text.split("---\n")[1])


def test_the_command(run: Run, tmp_path: Path) -> None:
    split(run, "votes")
    out = tmp_path / "deep" / "card.md"
    done = CliRunner().invoke(main, ["card", "--run", str(run.path), "--split", "votes", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text() == card(run, "votes")
    done = CliRunner().invoke(main, ["card", "--run", str(run.path), "--split", "none"])
    assert done.exit_code == 2
    assert "has no split called 'none'; it has: " in done.stderr


def test_which_split_is_meant(tmp_path: Path) -> None:
    run = ac.score(ac.load_items("demo", limit=6), ["mock"], ["silence"], run=tmp_path / "r", progress=False)
    done = CliRunner().invoke(main, ["card", "--run", str(run.path)])
    assert done.exit_code == 2
    assert "the run has none yet" in done.stderr
    with pytest.raises(UsageError, match="it has: none"):
        card(run, "votes")
    split(run, "votes")
    done = CliRunner().invoke(main, ["card", "--run", str(run.path)])
    assert done.exit_code == 0
    assert done.stdout.startswith("---\n")
