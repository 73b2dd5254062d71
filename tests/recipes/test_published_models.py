"""The recipe that evaluates the published models runs, on stand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

import audiocontrib as ac


@pytest.mark.slow
def test_the_recipe_of_the_published_models_runs(tmp_path: Path) -> None:
    given = {"DATASET": "demo", "MODELS": "mock", "OPTIONS": "--limit 4 --quiet", "RUN": str(tmp_path / "r")}
    env = os.environ | given | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = ROOT / "recipes/published_models/mmau.sh"
    done = subprocess.run(["bash", str(script)], env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = ac.open_run(tmp_path / "r")
    asked = set(run.responses[["condition", "method"]].itertuples(index=False, name=None))
    assert asked == {(condition, "generate") for condition in ("audio", "silence", "text")}
    assert len(run.responses) == 3 * sum(len(item.choices) for item in run.load_items())


def test_published_checkpoints_are_listed_by_name() -> None:
    listed = {row["name"]: row for row in ac.list_models().to_pylist()}
    for name in ("inclusionAI/AudioMCQ-Weak-To-Strong", "inclusionAI/AudioMCQ-Mixed-To-Strong"):
        assert listed[name]["kind"] == "published"
        assert name in (ROOT / "docs/models.md").read_text(encoding="utf-8")
        assert name in (ROOT / "recipes/published_models/mmau.sh").read_text(encoding="utf-8")
