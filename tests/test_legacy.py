"""What an older program wrote is read: a run with two splits and a certificate, and a folder of a training.

tests/data/legacy was made by the release before run.json had a format (commit 86585b1), with the commands that
its run.json and training.json hold. Nothing in it was edited; of the training, the weights were left out.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers import ROOT

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.store import Run

DATA = ROOT / "tests" / "data" / "legacy"
ITEM = "demo/demo/sound/2-2"

VIEWS = {
    "items": (
        4,
        "item_id dataset question choices answer audio clip_id question_type source_dataset split notes extra",
    ),
    "quarantine": (0, "dataset item_id file line field reason"),
    "responses": (
        108,
        "item_id dataset model condition order method outcome choice correct posterior option_logprob option_tokens "
        "reply error evidence partner_id audio_sha256 audio_seconds prompt_sha256 prompt_tokens seconds created_at "
        "request_key resume_key",
    ),
    "contributions": (
        4,
        "item_id models votes_right models_right missing score right_with_audio unsolved p_audio p_silence p_text "
        "contribution",
    ),
    "audit": (0, "item_id"),
    "splits": (8, "item_id split score reason unsolved name"),
}
"""Rows and columns of each view, as the older program showed them."""
ACCURACY = {
    ("heldout", "audio"): 1, ("heldout", "silence"): 1, ("heldout", "text"): 0.75,
    ("ma", "audio"): 1, ("ma", "silence"): 0.75, ("ma", "text"): 0.5,
    ("mb", "audio"): 1, ("mb", "silence"): 1, ("mb", "text"): 0.75,
}  # fmt: skip
"""What the older program printed."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy in another place than where it was made, which is the working directory."""
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    return ac.open_run(folder / "runs" / "old")


def call(line: str) -> str:
    """What a command prints to stdout and stderr; it must work."""
    done = CliRunner().invoke(main, line.split())
    assert done.exit_code == 0, done.output
    return str(done.output)


def rows(line: str) -> list[dict[str, Any]]:
    return [json.loads(each) for each in call(f"{line} --format json").splitlines() if each.startswith("{")]


@pytest.mark.parametrize("view", VIEWS)
def test_views_keep_rows_and_columns(view: str, run: Run) -> None:
    count, columns = VIEWS[view]
    found = run.query(f"from {view}")
    assert len(found) == count
    assert [name for name in columns.split() if name not in found.columns] == []


def test_items_come_with_their_clips(run: Run) -> None:
    items = run.load_items()
    assert len(items) == 4
    assert all(item.audio is not None and item.audio.data for item in items)
    assert items[2].id == ITEM
    assert items[2].choices[items[2].answer] == "drum"


def test_measures_give_the_numbers_that_they_gave(folder: Path) -> None:
    assert {(row["model"], row["condition"]): row["accuracy"] for row in rows("evaluate --run runs/old")} == ACCURACY
    whole = rows("contribution --run runs/old")[0]
    told = {name: whole[name] for name in ("n", "clips", "unsolved", "contribution", "bits_text", "bits_audio")}
    was = {"n": 4, "clips": 2, "unsolved": 0, "contribution": 0.1351351351, "bits_text": 0.3054124644,
           "bits_audio": 1.1197413091}  # fmt: skip
    assert told == pytest.approx(was)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parts"), [("votes-0.5", {"weak": 3, "strong": 1}), ("fdr-0.9", {"undecided": 4})])
def test_splits_are_found_and_made_again_alike(name: str, parts: dict[str, int], run: Run, folder: Path) -> None:
    stored = run.query(f"select item_id, split, reason from splits where name = '{name}' order by 1")
    assert stored["split"].value_counts().to_dict() == parts
    rule, threshold = name.split("-")
    before = " --decoys all" if rule == "fdr" else ""  # there was no choice then
    call(f"split --run runs/old --rule {rule} --threshold {threshold} --model ma --model mb --name again{before}")
    again = run.query("select item_id, split, reason from splits where name = 'again' order by 1")
    assert again.equals(stored)


def test_saved_splits_say_how_they_were_made(run: Run) -> None:
    assert [split.name for split in run.splits()] == ["fdr-0.9", "votes-0.5"]
    votes = run.split("votes-0.5")
    assert (votes.rule, votes.threshold, votes.raters) == ("votes", 0.5, ("ma", "mb"))
    assert [one["model"] for one in votes.certificates] == ["heldout"]
    assert votes.part("strong")["item_id"].to_pylist() == ["demo/demo/sound/2-1"]
    assert "not identified" in run.split("fdr-0.9").warnings[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("show --run runs/old", ["ma, mb, heldout", "answers: 108", "votes-0.5", "fdr-0.9"]),
        (f"show --run runs/old {ITEM}", ["Which sound is heard?", "siren", "heldout"]),
        ("card --run runs/old --split votes-0.5", ["votes-0.5", "demo", "heldout"]),
        ("card --run runs/old --split fdr-0.9", ["fdr-0.9"]),
        ("certify --run runs/old --split votes-0.5 --model heldout", ["heldout", "text"]),
        ("evaluate --run runs/old --split votes-0.5", ["strong", "weak"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_commands_read_it(line: str, words: list[str]) -> None:
    told = call(line)
    assert [word for word in words if word not in told] == []


@pytest.mark.slow
def test_the_report_has_it_all(folder: Path) -> None:
    call("report --run runs/old --split votes-0.5")
    page = (folder / "runs/old/report.html").read_text(encoding="utf-8")
    assert [word for word in ("votes-0.5", "fdr-0.9", "heldout", ITEM, "data:audio") if word not in page] == []


@pytest.mark.parametrize(("stage", "rows"), [("sft", 3), ("grpo --disjoint none", 1)])
def test_rows_are_exported(stage: str, rows: int, folder: Path) -> None:
    call(
        f"export --stage {stage} --format jsonl --audio copy --run runs/old --split votes-0.5 --out exported --copies 1"
    )
    (made,) = (folder / "exported").glob("*.jsonl")
    assert made.read_text(encoding="utf-8").count("\n") == rows
    assert list((folder / "exported").rglob("*.flac"))


def test_asking_goes_on(run: Run, folder: Path) -> None:
    """The models are known again by what run.json says of them: nothing is asked twice, and a new one is added."""
    kept = sorted(path.name for path in (folder / "runs/old/responses").iterdir())
    asked = "score --dataset demo --seed 2 --limit 4 --run runs/old --quiet --condition audio --condition silence"
    call(f"{asked} --model mock:skill=0.9,leak=0.5,name=ma,seed=1")
    assert sorted(path.name for path in (folder / "runs/old/responses").iterdir()) == kept
    call(f"{asked} --model mock:name=new")
    assert run.query("select count(distinct item_id) n from responses where model = 'new'")["n"].item() == 4


def test_a_training_is_read(folder: Path) -> None:
    metrics = rows("query from'sft/metrics.parquet' --file sft")
    assert [row["step"] for row in metrics] == [1, 2]
    assert metrics[1]["loss"] == pytest.approx(0.0002565, rel=1e-3)


def test_the_stages_of_a_trained_model_are_known(folder: Path) -> None:
    from audiocontrib.training.model_card.card import write_card
    from audiocontrib.training.output.training_record import stages_of

    before = (folder / "sft/model/README.md").read_text(encoding="utf-8")
    after = write_card(folder / "sft/model", stages_of(folder / "sft/model")).read_text(encoding="utf-8")
    facts = ("| Split | votes-0.5 |", "| Raters | ma, mb |", "| Rows | 3:", "| Steps | 2 |", "| Items | 3 |")
    assert [fact for fact in facts if not (fact in before and fact in after)] == []


def test_what_an_old_model_card_tells_to_import_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards lie on the hub for years."""
    lines = re.findall(r"^from (audiocontrib\S*) import (\w+)", (DATA / "sft/model/README.md").read_text(), re.M)
    assert lines
    for module, name in lines:
        monkeypatch.delitem(sys.modules, module, raising=False)
        with pytest.warns(FutureWarning, match=f"{module} is called"):
            assert isinstance(getattr(importlib.import_module(module), name), type)


TRAIN = "train sft --recipe recipe.yaml --run runs/old --split votes-0.5 --out sft --quiet"


def test_a_training_is_known_to_be_done(folder: Path) -> None:
    """The same recipe on the same rows is the same training: it is not refused as another one, nor done again."""
    before = (folder / "sft/training.json").read_text(encoding="utf-8")
    call(TRAIN)
    assert (folder / "sft/training.json").read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_a_training_without_its_model_is_done_again(folder: Path) -> None:
    shutil.rmtree(folder / "sft/model")
    call(TRAIN)
    assert (folder / "sft/model/model.safetensors").is_file()
    (stage,) = json.loads((folder / "sft/training.json").read_text(encoding="utf-8"))["stages"]
    assert stage["steps"] == 2
