"""A bundle: a folder that any static server serves, without a call to anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner
from helpers.shared import made_once
from helpers.viewing import EVIL, make_run

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.store import Run
from audiocontrib.view.bundle import write_bundle


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ac.open_run(made_once(tmp_path_factory, "viewed", lambda folder: make_run(folder / "r")) / "r")


@pytest.mark.slow
def test_a_bundle_holds_the_run_and_nothing_of_the_machine(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = CliRunner().invoke(main, ["view", str(run.path), "--bundle", str(out), "--clips"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out / "index.html")
    held = json.loads((out / "data" / "list.json").read_text())
    assert len(held["rows"]) == 27
    shown = [item for path in sorted((out / "data" / "items").iterdir()) for item in json.loads(path.read_text())]
    assert [item["id"] for item in shown] == [row["id"] for row in held["rows"]]
    assert EVIL[1] in {item["choices"][1] for item in shown}
    clips = {sound["file"] for item in shown for sound in item["sounds"]}
    assert clips == {f"clips/{path.name}" for path in (out / "clips").iterdir()}
    assert soundfile.info(out / min(clips)).samplerate == 16_000
    whole = "".join(path.read_text() for path in out.rglob("*") if path.suffix in (".html", ".json"))
    assert str(tmp_path) not in whole
    assert str(run.path.parent) not in whole
    page = (out / "index.html").read_text()
    assert 'src="/' not in page
    assert 'href="/' not in page
    assert "nonce" not in page
    again = CliRunner().invoke(main, ["view", str(run.path), "--bundle", str(out), "--items", "9"])
    assert again.exit_code == 0, again.output
    assert "9 of 27 items, 0 clips" in again.stderr
    assert not (out / "clips").exists()


def test_a_folder_with_other_things_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for wrong in (tmp_path, tmp_path / "mine.txt", run.path):
        with pytest.raises(UsageError, match=r"holds other things|is a file"):
            write_bundle([run.path], wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_bundle_is_of_one_run(tmp_path: Path) -> None:
    from helpers.store_tools import start

    for name in "ab":
        start(tmp_path / name)
    with pytest.raises(UsageError, match="one run; name it, one of: a, b"):
        write_bundle([tmp_path], tmp_path / "site")
    done = CliRunner().invoke(main, ["view", str(tmp_path), "--clips"])
    assert (done.exit_code, "belongs to --bundle" in done.output) == (2, True)
