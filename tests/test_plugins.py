"""Plugins: code that the user names, loaded once, and one line where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from audiocontrib import plugins
from audiocontrib.cli import main
from audiocontrib.conditions import CONDITIONS
from audiocontrib.errors import AudiocontribError

BEEP = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from audiocontrib.audio import make_sound
from audiocontrib.conditions import Condition, register_condition

@register_condition
@dataclass(frozen=True, slots=True)
class Beep(Condition):
    name: ClassVar[str] = "plugin-beep"
    hears_own_clip: ClassVar[bool] = False

    def hear(self, clip, item_id):
        return make_sound(np.sin(np.arange(16_000) * 0.3))
"""


@pytest.fixture
def beep(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(BEEP)
    return path


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_loaded", {})
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    CONDITIONS.pop("plugin-beep", None)


def test_a_file_is_loaded_once(beep: Path) -> None:
    plugins.load_plugin(beep)
    plugins.load_plugin(str(beep))
    assert plugins.loaded_plugins() == (str(beep.resolve()),)
    assert CONDITIONS["plugin-beep"].hears_own_clip is False


@pytest.mark.parametrize("where", ["before", "after", "joined", "environment"])
def test_from_the_command_line(beep: Path, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    score = ["score", "--dataset", "demo", "--limit", "4", "--model", "mock", "--condition", "plugin-beep"]
    score += ["--run", str(tmp_path / "r")]
    if where == "environment":
        monkeypatch.setenv(plugins.VARIABLE, str(beep))
    given = {"before": ["--plugin", str(beep), *score], "after": [*score, "--plugin", str(beep)],
             "joined": [*score, f"--plugin={beep}"], "environment": score}[where]  # fmt: skip
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.stderr
    assert "plugin-beep" in done.stdout


@pytest.mark.slow
def test_other_processes_load_the_same(beep: Path, tmp_path: Path) -> None:
    words = ["score", "--dataset", "demo", "--limit", "4", "--model", "mock", "--condition", "plugin-beep", "--plugin"]
    words += [str(beep), "--run", str(tmp_path / "r"), "--devices", "cpu", "--devices", "cpu"]
    done = subprocess.run([sys.executable, "-m", "audiocontrib", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:", "mine.py:1: SyntaxError"),
        ("x = 1\n1 / 0", "mine.py:2: ZeroDivisionError"),
        ("import nothing_of_this_name", "mine.py:1: ModuleNotFoundError"),
        ("raise SystemExit(3)", "mine.py:1: SystemExit: 3"),
        ("from audiocontrib.conditions import NoSuch", "mine.py:1: ImportError"),
        (BEEP.replace("hears_own_clip: ClassVar[bool] = False", ""), "must say hears_own_clip"),
        (BEEP.replace('"plugin-beep"', '"silence"'), "'silence' is registered twice"),
        (BEEP.replace('"plugin-beep"', '"a:b"'), "needs a name"),
        ("# coding: nonsense\nx = 1", "SyntaxError"),
        ("\x00", "mine.py"),
    ],
)
def test_a_file_at_fault_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    done = CliRunner().invoke(main, ["plugins", "--plugin", str(path)])
    assert done.exit_code in (1, 2)
    assert done.stderr.startswith("error: plugin ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [("none.py", "there is no such file"), ("nobody", "those installed: "), ("", "no Python file")],
)
def test_what_is_not_there(name: str, says: str) -> None:
    with pytest.raises(AudiocontribError, match=says):
        plugins.load_plugin(name)


def test_installed_plugins_are_listed_and_loaded_by_name_only(tmp_path: Path, beep: Path) -> None:
    """A real distribution on the path, as pip installs it."""
    about = tmp_path / "site" / "beeps-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: beeps\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{plugins.GROUP}]\nbeeps = beeps_plugin\n")
    (tmp_path / "site" / "beeps_plugin.py").write_text(BEEP + "\nprint('loaded')\n")
    paths = [str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "audiocontrib", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)

    listed = call("plugins", "--format", "json")
    assert "beeps" in listed.stdout
    assert "loaded'" not in listed.stdout
    assert not listed.stdout.startswith("loaded")
    named = call("plugins", "--format", "json", "--plugin", "beeps")
    assert named.stdout.startswith("loaded")


def test_an_option_without_a_value() -> None:
    done = CliRunner().invoke(main, ["plugins", "--plugin"])
    assert done.exit_code == 2
    assert "requires an argument" in done.stderr
