"""What is said below the command line names things, not options; the command line adds the option that is meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import audiocontrib
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError

PACKAGE = Path(audiocontrib.__file__).parent
COMMANDS_IN_TEXTS = {
    "shell.py": "steps as the commands that do them",
    **dict.fromkeys(
        (f"export/formats/{name}.py" for name in ("nemo_rl", "r1_aqa", "swift_launch", "trl")),
        "the script that starts that trainer",
    ),
    "sources/describe.py": "the command that reads a file of one's own",
    **{f"importing/tools/{name}.py": "an option of that tool" for name in ("lighteval", "lm_eval", "lmms_eval")},
}
"""Modules that write whole commands, for people to type."""
OPTION = re.compile(r"(?<![\w-])--[a-z]|\s--$")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


@pytest.mark.slow
def test_no_text_below_the_command_line_names_an_option() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "cli" not in path.parts and str(path.relative_to(PACKAGE)) not in COMMANDS_IN_TEXTS
        for line, text in texts(path)
        if OPTION.search(text) and "pip install" not in text
    ]
    assert not found


def test_modules_that_write_commands_are_there() -> None:
    assert not [name for name in COMMANDS_IN_TEXTS if not (PACKAGE / name).exists()]


@pytest.mark.slow
def test_nothing_below_the_command_line_prints() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "cli" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["validate", "--dataset", "demo", "--audio-root", "nowhere"], "(--audio-root)"),
        (["validate", "--dataset", "mmau"], "(--data)"),
        (["validate", "--dataset", "my.csv", "--map", "question=q"], "(--map)"),
        (["validate", "--dataset", "my.csv", "--map", "audio=-", "--subset", "test"], "(--subset)"),
        (["validate", "--dataset", "my.csv", "--data", "other.csv"], "(--data)"),
        (["show"], "(--run)"),
        (["contribution", "--run", "nowhere"], ""),
    ],
)
def test_the_command_line_says_which_option_is_meant(
    given: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.csv").write_text('question,choices,answer,split\na,"x,y",x,train\n')
    done = CliRunner().invoke(main, [*given, "--quiet"] if given[0] == "validate" else given)
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.endswith(said)
    assert line.count("--") == bool(said)


def test_an_error_keeps_its_message_and_says_its_argument() -> None:
    error = UsageError("no such folder", argument="audio_root")
    assert (str(error), error.argument, error.args) == ("no such folder", "audio_root", ("no such folder",))
    assert AudiocontribError("x").argument is None
