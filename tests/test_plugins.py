"""Plugins: code that the user names, loaded once, and one line where it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from audiocontrib import plugins
from audiocontrib.cli import main, plugin_options
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
    assert list(plugins.loaded_plugins()) == [str(beep.resolve())]
    assert CONDITIONS["plugin-beep"].hears_own_clip is False


@pytest.mark.slow
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
    words += [str(beep), "--run", str(tmp_path / "r"), "--devices", "cpu,cpu"]
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
        ("x = 1", "it registers nothing"),
        ("", "it registers nothing"),
        ("raise Exception('two\\nlines')", "mine.py:1: Exception: two lines"),
        ("def f():\n    f()\nf()", "RecursionError"),
    ],
)
def test_a_file_at_fault_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    done = CliRunner().invoke(main, ["plugins", "--plugin", str(path)])
    assert done.exit_code == 2
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


@pytest.mark.slow
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
    row = {"plugin": "beeps", "module": "beeps_plugin", "loaded": False, "parts": ""}
    assert (json.loads(listed.stdout), listed.stderr) == (row, "")
    named = call("plugins", "--format", "json", "--plugin", "beeps")
    row |= {"loaded": True, "parts": "condition plugin-beep"}
    assert (json.loads(named.stdout), named.stderr) == (row, "loaded\n")  # what it prints is kept out of tables


def test_an_installed_plugin_is_loaded_by_the_name_of_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "installed_plugins", lambda: {"plugin-beep": "beeps", "votes": "bad", "table": "bad"})
    by_part = plugin_options.plugins_by_part
    assert by_part(["score", "--condition", "plugin-beep:3"]) == ["plugin-beep"]
    assert by_part(["score", "--condition=plugin-beep", "--limit", "3"]) == ["plugin-beep"]
    assert by_part(["export", "--for", "plugin-beep"]) == ["plugin-beep"]
    assert by_part(["export", "--format", "table"]) == ["table"]
    for line in (
        ["split", "--rule", "votes"],  # a part that is there already
        ["query", "--format", "table"],  # how a table is printed
        ["show", "plugin-beep"],  # no name of a part
        ["score", "--dataset", "./plugin-beep"],  # a path
        ["score", "--run", "plugin-beep", "--condition"],
    ):
        assert by_part(line) == [], line


def test_a_file_that_failed_or_changed_is_loaded_anew(tmp_path: Path, beep: Path) -> None:
    beep.write_text(BEEP + "\n1 / 0\n")
    with pytest.raises(AudiocontribError, match=r"mine.py:\d+: ZeroDivisionError"):
        plugins.load_plugin(beep)
    assert "plugin-beep" not in CONDITIONS  # nothing of a file that failed stays
    beep.write_text(BEEP)
    plugins.load_plugin(beep)
    assert CONDITIONS["plugin-beep"].hears_own_clip is False
    beep.write_text(BEEP.replace("bool] = False", "bool] = True"))
    plugins.load_plugin(beep)
    assert CONDITIONS["plugin-beep"].hears_own_clip is True
    other = tmp_path / "other.py"
    other.write_text(BEEP)
    with pytest.raises(AudiocontribError, match=r"other.py:8: .*registered twice \(first at mine.py:8\)"):
        plugins.load_plugin(other)
    assert CONDITIONS["plugin-beep"].hears_own_clip is True


def test_a_file_beside_it_can_be_imported(tmp_path: Path, beep: Path) -> None:
    (tmp_path / "plugin_helper.py").write_text("HEARS = False\n")
    beep.write_text(
        BEEP.replace("bool] = False", "bool] = plugin_helper.HEARS").replace(
            "import numpy", "import plugin_helper\nimport numpy", 1
        )
    )
    plugins.load_plugin(beep)
    assert CONDITIONS["plugin-beep"].hears_own_clip is False


def test_an_option_without_a_value() -> None:
    done = CliRunner().invoke(main, ["plugins", "--plugin"])
    assert done.exit_code == 2
    assert "requires an argument" in done.stderr
