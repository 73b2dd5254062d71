"""benchmarks/gpu.py at its smallest, on a CPU: every part gives its figures, and wrong scores are an exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers.lazy import lazy

sys.path.append(str(ROOT / "benchmarks"))
torch = lazy("torch")
gpu, parts_of = lazy("gpu"), lazy("gpu_parts")
local = lazy("audiocontrib.models.local")

pytestmark = pytest.mark.slow
SMALL = ["--sizes", "tiny", "--device", "cpu", "--questions", "8", "--lengths", "4", "--rows", "2", "--minutes", "60"]


def test_every_part_gives_its_figures(tmp_path: Path) -> None:
    assert gpu.main([*SMALL, "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert not told["faults"]
    missing = [row for row in told["rows"] if row["value"] is None]
    assert not missing
    assert all(np.isfinite(row["value"]) for row in told["rows"])
    parts = {row["part"] for row in told["rows"]}
    assert parts >= {*parts_of.CASES, "model", "replies, audio", "replies, text", "doctor", "SFT, 4 rows"}
    steps = {(row["part"], row["what"]) for row in told["rows"] if row["what"].endswith("a step")}
    assert len(steps) == 4
    assert (tmp_path / "gpu.png").stat().st_size > 10_000


def test_scores_that_differ_are_an_exit_and_the_rest_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    likelihood = local.LocalModel.likelihood

    def wrong(self: object, requests: list[object]) -> list[object]:
        return [replace(one, logprobs=(one.logprobs[0] + 0.5, *one.logprobs[1:])) for one in likelihood(self, requests)]

    def seen(model: object) -> object:
        found = checked(model)
        monkeypatch.setattr(local.LocalModel, "likelihood", wrong)
        return found

    checked = parts_of.self_check
    monkeypatch.setattr(parts_of, "self_check", seen)
    monkeypatch.setattr(gpu, "train", lambda *given: None)
    monkeypatch.setattr(gpu, "reply", lambda *given: 1 / 0)
    assert gpu.main([*SMALL, "--out", str(tmp_path)]) == 1
    told = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert any("scores differ by 0.5" in fault for fault in told["faults"])
    [failed] = [row for row in told["rows"] if row["part"] == "replies" and row["value"] is None]
    assert "ZeroDivisionError" in failed["note"]
    assert any(row["part"] == "doctor" for row in told["rows"])


def test_what_there_is_no_time_for_is_named(tmp_path: Path) -> None:
    record = parts_of.Record(tmp_path / "gpu.json", 0.0)
    record.part("7b", "replies", 10, lambda: 1 / 0)
    assert record.rows[0]["value"] is None
    assert "no time was left" in record.rows[0]["note"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--sizes", "70b"],
        ["--sizes", "tiny", "--device", "cuda"],
        [*SMALL, "--lengths", "16,x"],
        [*SMALL, "--lengths", ""],
        [*SMALL, "--rows", "0"],
        [*SMALL, "--questions", "-1"],
        [*SMALL, "--minutes", "0"],
    ],
)
def test_what_cannot_be_run_is_refused(wrong: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="2"):
        gpu.main([*wrong, "--out", str(tmp_path)])
