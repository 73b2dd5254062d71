"""benchmarks/scale.py: every command is measured, what was measured is kept, and a fault is no figure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from helpers.lazy import lazy

sys.path.append(str(ROOT / "benchmarks"))
scale = lazy("scale")


@pytest.mark.slow
def test_commands_are_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scale.py", "--items", "300", "--out", str(tmp_path)])
    scale.main()
    told = json.loads((tmp_path / "scale.json").read_text(encoding="utf-8"))
    assert {key.split()[1] for key in told} == set(scale.COMMANDS)
    assert {key: one["said"] for key, one in told.items() if one["exit"] not in (0, 1)} == {}
    assert all(one["seconds"] > 0.1 and one["gb"] > 0.02 for one in told.values())
    assert (tmp_path / "300-now" / "exported").is_dir()
    table = capsys.readouterr().out
    monkeypatch.setattr(scale, "run_program", lambda *given: 1 / 0)  # nothing is run again
    scale.main()
    assert capsys.readouterr().out == table
    assert table.count("| `") == len(scale.COMMANDS)


def test_a_fault_is_no_figure() -> None:
    assert scale.shown({"exit": 2, "seconds": 1.0, "gb": 1.0, "said": ["error: no | file"]}) == [
        "exit 2",
        "error: no / file",
    ]
    assert scale.shown({"exit": 1, "seconds": 1.04, "gb": 0.5, "said": ["3 findings"]}) == ["1.0", "0.50"]
    assert scale.shown(None) == ["", ""]


@pytest.mark.parametrize("wrong", [["--items", "0"], ["--commands", "describ"], ["--before", "nowhere"]])
def test_what_cannot_be_measured_is_refused(wrong: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["scale.py", "--out", str(tmp_path), *wrong])
    with pytest.raises(SystemExit, match="2"):
        scale.main()
