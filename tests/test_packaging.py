"""What is installed from a wheel, outside the checkout: nothing is missing, and the demo runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from helpers import ROOT

pytestmark = pytest.mark.slow
KEPT = ("audiocontrib", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE")

TRY = """
import sys
from click.testing import CliRunner
import audiocontrib
from audiocontrib.cli import main
assert audiocontrib.__file__.startswith(sys.argv[1]), audiocontrib.__file__
assert len(audiocontrib.load_items("real-sounds", limit=3)) == 3
for line in (
    "demo --limit 12 --run runs/demo",
    "report --run runs/demo --out page.html",
    "card --run runs/demo --split paper --out card.md",
):
    done = CliRunner().invoke(main, line.split())
    assert done.exit_code == 0, done.output
"""


def work(command: list[str | Path], **more: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Sdist and wheel, the wheel made from the sdist, as `python -m build` makes both; from a copy of the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in KEPT:
        kept = ROOT / name
        if kept.is_dir():
            shutil.copytree(kept, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(kept, source / name)
    work([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source])
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


def test_both_hold_every_file_of_the_package(built: tuple[Path, Path]) -> None:
    """Code, the tiny models, the real recordings, templates, presets: what lies in the package's folder."""
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "audiocontrib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(wanted) > 200
    with tarfile.open(built[0]) as sdist, ZipFile(built[1]) as wheel:
        in_sdist = {name.partition("/")[2] for name in sdist.getnames()}
        in_wheel = set(wheel.namelist())
    assert sorted(wanted - in_sdist) == []
    assert sorted(wanted - in_wheel) == []
    assert sorted(name for name in in_wheel - wanted if ".dist-info/" not in name) == []
    assert {"README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "pyproject.toml"} <= in_sdist
    assert not [name for name in in_sdist if name.startswith(("tests/", "docs/"))]  # they need the whole checkout


def test_the_wheel_runs_elsewhere(built: tuple[Path, Path], tmp_path: Path) -> None:
    """With the libraries of this environment; its editable install comes behind the folder of the wheel."""
    site = tmp_path / "site"
    work([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, built[1]])
    there = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(site)}}
    assert work([site / "bin" / "audiocontrib", "--version"], **there).strip()
    work([sys.executable, "-c", TRY, site], **there)
    assert "paper" in (tmp_path / "card.md").read_text(encoding="utf-8")
    assert (tmp_path / "page.html").stat().st_size > 100_000
