"""Old names of options and variables: they go on with one line, give what the new ones give, and never with both."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from helpers.documented import commands

from audiocontrib.cli import main
from audiocontrib.cli.renames import GONE, RenamedOption
from audiocontrib.deprecation import RenamedWarning

VALUES = {
    ("validate", "--clips"): "present",
    ("export", "--clip-paths"): "relative",
    ("export", "--copy-clips"): "copy",
    ("export", "--embed-clips"): "embed",
    ("export", "--for"): "jsonl",
    ("contribution", "--audio-condition"): "noise",
}
"""What stands behind the old name, where not any text does."""
REQUIRED = {
    "score": ["--dataset", "demo", "--model", "mock"],
    "import": ["answers.jsonl", "--run", "r"],
    "validate": ["--dataset", "demo"],
    "doctor": ["--model", "mock"],
    "export": ["--stage", "sft", "--for", "jsonl", "--out", "o"],
    "train": ["sft", "--training-recipe", "r.yaml"],
}
"""What else a command needs."""
SINCE = {
    *((name, "--split", "--subset") for name in ("score", "import", "validate", "audit", "doctor")),
    ("score", "--plan", "--dry-run"),
    ("train", "--plan", "--dry-run"),
    ("train", "--recipe", "--training-recipe"),
    ("export", "--recipe", "--training-recipe"),
    ("split", "--recipe", "--split-recipe"),
    ("weak-to-strong", "--recipe", "--plan"),
    ("validate", "--audio", "--clips"),
    ("contribution", "--audio", "--audio-condition"),
    ("export", "--format", "--for"),
    *(("export", "--audio", new) for new in ("--clip-paths", "--copy-clips", "--embed-clips")),
}
"""Command, old name and new name of each option that goes by both until the release GONE."""
NOTE = re.compile(rf"note: .+ is called .+ now; the old name goes on until {re.escape(GONE)}")


def found() -> Iterator[tuple[str, click.Command, RenamedOption]]:
    for name, command in commands():
        yield from ((name, command, one) for one in command.params if isinstance(one, RenamedOption))


RENAMED = [pytest.param(*each, id=f"{each[0]} {each[2].opts[0]}") for each in found()]


def test_every_renamed_option_is_known() -> None:
    assert {(name, one.old, one.opts[0]) for name, _, one in found()} == SINCE


def words(name: str, option: RenamedOption) -> tuple[list[str], list[str]]:
    """What is typed under the old name and under the new one."""
    value = VALUES.get((name, option.opts[0]), "x.yaml")
    if option.translate is not None:
        return [option.old, value], [option.opts[0], *([] if option.is_flag else [value])]
    behind = [] if option.is_flag else [value]
    return [option.old, *behind], [option.opts[0], *behind]


def needed(name: str, option: RenamedOption) -> list[str]:
    """What else is typed, without the option itself."""
    given = REQUIRED.get(name, [])
    if option.opts[0] in given:
        place = given.index(option.opts[0])
        return given[:place] + given[place + 2 :]
    return given


def parsed(name: str, command: click.Command, given: list[str], prefix: str | None = None) -> dict[str, Any]:
    return command.make_context(name, list(given), auto_envvar_prefix=prefix).params


@pytest.mark.parametrize(("name", "command", "option"), RENAMED)
def test_the_old_name_is_read_as_the_new_one(name: str, command: click.Command, option: RenamedOption) -> None:
    (old, new), rest = words(name, option), needed(name, option)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted = parsed(name, command, rest + new)
    with pytest.warns(RenamedWarning, match=f"{old[0]}.* is called {new[0]}.* now") as told:
        assert parsed(name, command, rest + old) == wanted
    assert len(told) == 1


@pytest.mark.parametrize(("name", "command", "option"), RENAMED)
def test_both_names_at_once_are_refused_in_one_line(name: str, command: click.Command, option: RenamedOption) -> None:
    (old, new), rest = words(name, option), needed(name, option)
    for both in (new + old, old + new):
        done = CliRunner().invoke(main, [*name.split(), *rest, *both])
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.strip() == (
            f"error: {new[0]} and {old[0]}, its old name, are both given; leave {old[0]} out"
        )


@pytest.mark.parametrize(("name", "command", "option"), RENAMED)
def test_the_old_variable_is_read_as_the_new_one(
    name: str, command: click.Command, option: RenamedOption, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest, prefix = needed(name, option), f"AUDIOCONTRIB_{name.replace('-', '_').upper()}"
    old = f"{prefix}_{option.old.lstrip('-').replace('-', '_').upper()}"
    value = "1" if option.is_flag and option.translate is None else VALUES.get((name, option.opts[0]), "x.yaml")
    new = str(option.envvar)
    assert new == f"{prefix}_{option.opts[0].lstrip('-').replace('-', '_').upper()}"
    with monkeypatch.context() as patch:
        patch.setenv(new, "1" if option.is_flag else value)
        wanted = parsed(name, command, rest, prefix)
    assert wanted[str(option.name)] is True or str(wanted[str(option.name)]) == value
    monkeypatch.setenv(old, value)
    assert parsed(name, command, rest, prefix) == wanted


def call(*given: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in given], env=env)


def test_variables_are_called_as_their_options_and_the_former_names_go_on() -> None:
    asked = ("validate", "--dataset", "demo", "--limit", "3", "--clips", "no")
    new = call(*asked, env={"AUDIOCONTRIB_VALIDATE_FORMAT": "json"})
    old = call(*asked, env={"AUDIOCONTRIB_VALIDATE_FORM": "json"})
    assert json.loads(new.stdout) == json.loads(old.stdout)
    assert not NOTE.search(new.stderr)
    assert "note: AUDIOCONTRIB_VALIDATE_FORM is called AUDIOCONTRIB_VALIDATE_FORMAT now; the old" in old.stderr
    both = call(*asked, env={"AUDIOCONTRIB_VALIDATE_FORM": "json", "AUDIOCONTRIB_VALIDATE_FORMAT": "csv"})
    assert (both.exit_code, both.stdout) == (2, "")
    assert both.stderr.startswith("error: AUDIOCONTRIB_VALIDATE_FORMAT and AUDIOCONTRIB_VALIDATE_FORM, its old name, ")


def test_a_command_within_a_command_has_variables_too(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("question,choice_a,choice_b,answer\na,x,y,x\n")
    for name in ("FORMAT", "FORM"):
        done = call("datasets", "describe", tmp_path / "my.csv", env={f"AUDIOCONTRIB_DATASETS_DESCRIBE_{name}": "json"})
        assert json.loads(done.stdout)
        assert bool(NOTE.search(done.stderr)) == (name == "FORM")


def test_no_variable_has_two_meanings() -> None:
    for name, command in commands():
        prefix = f"AUDIOCONTRIB_{name.replace('-', '_').replace(' ', '_').upper()}"
        options = [one for one in command.params if isinstance(one, click.Option)]
        read = Counter(
            each for one in options for each in {str(one.envvar), f"{prefix}_{str(one.name).upper()}"}
        ) + Counter({f"{prefix}_{old[2:].upper()}" for old in {o.old for o in options if isinstance(o, RenamedOption)}})
        new = {str(one.envvar) for one in options}
        assert not [each for each in new if read[each] > 1], name


def test_old_names_are_in_no_help_text() -> None:
    for name, _, option in found():
        shown = call(*name.split(), "--help").stdout
        assert option.opts[0] in shown
        assert not re.search(rf"(?<![\w-]){option.old}(?![\w-])", shown), (name, option.old)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a split."""
    path = tmp_path_factory.mktemp("runs") / "r"
    asked = ["--model", "mock:name=a,leak=0.5", "--model", "mock:name=b,seed=1,leak=0.5"]
    done = call("score", "--dataset", "demo", "--limit", 12, *asked, "--run", path, "--quiet")
    assert done.exit_code == 0, done.output
    assert call("split", "--run", path, "--threshold", "0.5", "--name", "s").exit_code == 0
    return path


def told(done: Result) -> str:
    """What is said, without the line on the old name."""
    lines = done.stderr.splitlines()
    assert len([line for line in lines if NOTE.fullmatch(line)]) <= 1
    return "\n".join(line for line in lines if not NOTE.fullmatch(line) and "reading" not in line)


@pytest.mark.slow
def test_old_and_new_words_give_the_same_output(run: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("rule: votes\nthreshold: 0.5\n")
    same = (
        (("validate", "--dataset", "demo", "--limit", 5, "--quiet"), ("--audio", "decode"), ("--clips", "decode")),
        (("validate", "--dataset", "demo", "--limit", 5, "--quiet"), ("--split", "no"), ("--subset", "no")),
        (("split", "--run", run, "--name", "again"), ("--recipe", recipe), ("--split-recipe", recipe)),
        (("contribution", "--run", run), ("--audio", "audio"), ("--audio-condition", "audio")),
        (("contribution", "--run", run), ("--audio", "noise"), ("--audio-condition", "noise")),
        (("weak-to-strong",), ("--recipe", "none.yaml"), ("--plan", "none.yaml")),
        (("train", "sft", "--run", run), ("--recipe", "none.yaml"), ("--training-recipe", "none.yaml")),
    )
    for asked, old, new in same:
        one, other = call(*asked, *old), call(*asked, *new)
        assert (one.exit_code, one.stdout, told(one)) == (other.exit_code, other.stdout, told(other))
        assert NOTE.search(one.stderr)
        assert not NOTE.search(other.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("--audio", "copy"), ("--copy-clips",)),
        (("--audio=embed",), ("--embed-clips",)),
        (("--audio", "absolute"), ("--clip-paths", "absolute")),
    ],
)
def test_an_export_by_the_old_words_is_the_same_folder(
    run: Path, tmp_path: Path, old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    """Made by the new words, found there by the old ones: an export of another kind would be refused."""
    asked = ("export", "--stage", "sft", "--run", run, "--part", "all", "--out", tmp_path / "o", "--quiet")
    made, again = call(*asked, "--for", "jsonl", *new), call(*asked, "--format", "jsonl", *old)
    assert made.exit_code == again.exit_code, (made.output, again.output)
    if made.exit_code == 0:
        assert "exported before, and as it was" in again.stderr
        assert len(NOTE.findall(again.stderr)) == 2


def test_clips_are_referred_to_in_one_way(run: Path, tmp_path: Path) -> None:
    asked = ("export", "--stage", "sft", "--run", run, "--for", "jsonl", "--out", tmp_path / "o")
    for two in (
        ("--copy-clips", "--embed-clips"),
        ("--clip-paths", "relative", "--copy-clips"),
        ("--audio", "copy", "--embed-clips"),
    ):
        done = call(*asked, *two)
        assert done.exit_code == 2
        assert "rows refer to clips in one way: give one of --clip-paths, --copy-clips and --embed-clips" in done.stderr
        assert not (tmp_path / "o").exists()
    unknown = call(*asked, "--audio", "loud")
    assert "'loud' is not one of" in unknown.stderr
