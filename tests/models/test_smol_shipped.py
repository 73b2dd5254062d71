"""smol-audio as it ships: base and adapter load, prove themselves, and listen to clips that were never taught."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.cascade_parts import missing_weights

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.items import Items
from audiocontrib.models import MODELS, SMOL
from audiocontrib.sources import load_items

WHY = missing_weights("smol-audio-base")


def test_the_adapter_is_small_and_known_by_name() -> None:
    assert "smol-audio" in MODELS
    assert {path.name for path in SMOL.iterdir()} == {"adapter_config.json", "adapter_model.safetensors", "held.json"}
    assert sum(path.stat().st_size for path in SMOL.iterdir()) <= 12 * 2**20


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.skipif(bool(WHY), reason=WHY)
def test_it_hears_digits(tmp_path: Path) -> None:
    chosen = [item for item in load_items("real-sounds") if item.question_type == "digits"][:16]
    run = ac.score(
        Items(chosen, origin={"name": "real-sounds"}), ["smol-audio"], ["audio", "silence"], orders="given",
        run=tmp_path / "run", progress=False,
    )  # fmt: skip
    heard, silent = sorted(ac.accuracy(run).to_pylist(), key=lambda row: row["condition"])
    assert heard["low"] > silent["high"]
    assert silent["low"] < silent["chance"] < silent["high"]


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.skipif(bool(WHY), reason=WHY)
def test_the_doctor_finds_nothing_wrong() -> None:
    done = CliRunner().invoke(main, ["doctor", "--model", "smol-audio"])
    assert done.exit_code == 0, done.output
    assert "smol-audio: nothing is wrong" in done.output
