"""What is wrong with a command line is one line with the word that is meant; every command is read by the same rule."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from helpers.documented import commands

from audiocontrib.cli import main

OPTIONS = [
    (name, option)
    for name, command in commands()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_flag and option.name != "help"
]
NUMBERS = [
    (name, one) for name, one in OPTIONS if isinstance(one.type, click.types.IntParamType | click.types.FloatParamType)
]


def line(*words: str) -> str:
    """The one line by which a command line is refused; exit code 2."""
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    [said] = done.stderr.splitlines()
    assert said.startswith("error: ")
    return said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scor"], "no command is called 'scor'; did you mean 'score'?"),
        (["weak_to_strong"], "did you mean 'weak-to-strong'?"),
        (["xyz"], "no command is called 'xyz'; there are: demo, score, "),
        (["datasets", "descr"], "did you mean 'describe'?"),
        (["score", "--modle", "x"], "score: no option is called '--modle'; did you mean '--model'?"),
        (["score", "--cond", "x"], "did you mean '--condition'?"),
        (["score", "--zzz", "x"], "no option is called '--zzz'; "),
        (["score", "-x"], "score --help shows what there is"),
        (["--run", "x", "show"], "no option is called '--run' here; those of a command stand behind its name"),
        (["--debg", "show"], "did you mean '--debug'?"),
        (["score", "--dataset", "demo"], "score: the option --model is missing"),
        (["export", "--for", "swift", "--out", "x"], "the option --stage is missing; one of sft, grpo"),
        (["query"], "the argument SQL is missing"),
        (["train"], "the argument STAGE is missing; one of sft, grpo"),
        (["train", "sfd"], "STAGE: 'sfd' is not one of 'sft', 'grpo'; did you mean 'sft'?"),
        (["export", "--stage", "sf"], "--stage: 'sf' is not one of 'sft', 'grpo'; did you mean 'sft'?"),
        (["score", "--method", "likelyhood"], "did you mean 'likelihood'?"),
        (["show", "a", "b"], "got unexpected extra argument (b)"),
        (["score", "--data"], "score: option '--data' requires an argument"),
        (["--plugin"], "requires an argument"),
        (["split", "--threshold", "x"], "--threshold: 'x' is not a valid float"),
        (["export", "--copies", "1.5"], "--copies: '1.5' is not a valid integer"),
        (["score", "--actors", "0"], "--actors: 0 is not in the range"),
    ],
)
def test_a_usage_error_is_one_line(words: list[str], said: str) -> None:
    assert said in line(*words)


def test_a_command_without_a_word_shows_its_help() -> None:
    assert "Commands:" in CliRunner().invoke(main, []).output


@pytest.mark.slow
@pytest.mark.parametrize(("name", "option"), [one for one in OPTIONS if not one[1].multiple])
def test_an_option_that_is_taken_once_is_not_given_twice(name: str, option: click.Option) -> None:
    value = option.type.choices[0] if isinstance(option.type, click.Choice) else "1"
    said = line(*name.split(), option.opts[0], value, option.opts[0], value)
    assert f"{option.opts[0]} is given 2 times, but is taken once" in said


def test_an_option_by_its_old_name_is_not_given_twice_either() -> None:
    assert "--format is given 2 times" in line("export", "--format", "swift", "--format", "trl")


def test_one_that_is_repeatable_may_be(tmp_path: Path) -> None:
    data = ["score", "--dataset", "demo", "--limit", "2", "--model", "mock", "--run", str(tmp_path / "r"), "--quiet"]
    done = CliRunner().invoke(main, [*data, "--condition", "text", "--condition", "silence"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_a_number_is_one(name: str, option: click.Option) -> None:
    """And a whole number has 64 bits."""
    whole = isinstance(option.type, click.types.IntParamType)
    for value in ("nan", "inf", "-inf", "1e400", "x", "", "0x", *[str(10**30)] * whole):
        assert f"{option.opts[0]}: " in line(*name.split(), option.opts[0], value), value
