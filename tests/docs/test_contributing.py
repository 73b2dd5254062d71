"""CONTRIBUTING.md, the hooks and the workflow say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from helpers import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 120


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:audiocontrib|tests|docs|data_cards|\.ci)(?:/[\w./-]*)?)`", TEXT)))
)
def test_what_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_package_of_ours_has_its_row() -> None:
    rest = {"demo", "answers", "audit", "validation", "provenance"}  # the page need not name every part
    packages = {path.parent.name for path in (ROOT / "audiocontrib").glob("*/__init__.py")}
    assert sorted(name for name in packages - rest if f"`audiocontrib/{name}" not in TEXT) == []


def test_commands_for_tests_know_their_markers() -> None:
    markers = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert markers == {"slow", "weights"}
    assert all(f"`{marker}`" in TEXT for marker in markers)


def test_hooks_are_checks_of_the_ci_with_tools_of_the_environment() -> None:
    hooks = [
        hook
        for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
        for hook in repo["hooks"]
        if repo["repo"] == "local"
    ]
    assert {hook["id"] for hook in hooks} == {"ruff-check", "ruff-format", "mypy", "lint-imports", "docs"}
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        first = hook["entry"].split()[0]
        assert f".venv/bin/{first}" in CI
        assert all((ROOT / word).is_file() for word in hook["entry"].split() if word.startswith("tests/"))


def test_the_workflow_runs_the_ci_on_every_python_that_is_promised() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    promised = {line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)}
    assert set(jobs["linux"]["strategy"]["matrix"]["python"]) == promised
    (step,) = (step for step in jobs["linux"]["steps"] if step.get("run") == ".ci/run")
    assert step["env"]["PYTHON"] == "python${{ matrix.python }}"
    assert "${PYTHON:-python3}" in CI
    assert jobs["macos"]["steps"][-1]["run"] == 'pytest -n 2 -m "not slow"'
    assert 'pytest -n 2 -m "not slow"' in TEXT


def test_the_ci_can_be_started() -> None:
    assert Path(ROOT / ".ci" / "run").stat().st_mode & 0o111
