"""Steps as commands: every line is held against the options of the command line, and none of them says more."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import click
import pytest

from audiocontrib.cli import main
from audiocontrib.provenance import (
    AuditStep,
    CertifyStep,
    CommandStep,
    DataSource,
    ImportStep,
    ScoreStep,
    SplitSettings,
    SplitStep,
    TrainStep,
    WeakToStrongStep,
)
from audiocontrib.shell import shell_lines

OWN = DataSource(name="own", path="own.csv", audio_root="clips", mapping={"question": "q", "choices": "a,b"},
                 answer_as="letter", limit=3)  # fmt: skip
SCORE = ScoreStep(
    data=DataSource(name="mmau", path="mmau.json", audio_root="clips", revision="v1", split="test", seed=1, limit=9),
    models=("a", "b c"), conditions=("audio", "text"), method="generate", orders="given", prompt="audiomcq",
    run="runs/it's here", shard="1/2", engine="ray", devices=("cuda:0", "cuda:1"), actors=3,
    model_options={"device": "cpu", "dtype": "float32", "attention": "sdpa", "trust_remote_code": True},
)  # fmt: skip
SPLIT = SplitSettings(rule="fdr", threshold=0.9, condition="text", method="likelihood", models=("a", "b"),
                      leave_out=("unsolved",), more={"fdr": 0.3, "balanced": True})  # fmt: skip
STEPS: list[Any] = [
    SCORE,
    replace(SCORE, data=OWN),
    replace(SCORE, data=replace(OWN, path=None, hub="me/mine")),
    ImportStep(answers="a.jsonl", data=OWN, run="r", model="m", condition="text", columns={"reply": "out"}),
    AuditStep(run="r"),
    SplitStep(run="r", name="s", settings=SPLIT),
    CertifyStep(run="r", split="s", model=None, condition="text"),
    CertifyStep(run="r", split="s", model="m", condition="text"),
    TrainStep(stage="grpo", recipe="x.yaml", run="r", split="s", start="m", out="o"),
    WeakToStrongStep(plan="p.yaml"),
    CommandStep(words=("demo", "--limit", "20")),
]


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command of a line, and the values of its parameters; as click reads it, without doing it."""
    program, name, *words = shlex.split(line)
    assert program == "audiocontrib"
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    return name, command.make_context(name, words, parent=context).params


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.step)
def test_every_option_is_one_of_the_command_line(step: Any) -> None:
    [line] = shell_lines([step])
    assert "\n" not in line
    parsed(line)


def test_what_was_asked_for_is_what_the_command_reads() -> None:
    name, read = parsed(*shell_lines([replace(SCORE, names=("one", "two"))]))
    assert (name, read["names"]) == ("score", ("one", "two"))
    assert (read["dataset"], str(read["data"]), str(read["audio_root"])) == ("mmau", "mmau.json", "clips")
    assert (read["revision"], read["split"], read["seed"], read["limit"]) == ("v1", "test", 1, 9)
    assert (read["models"], read["conditions"]) == (("a", "b c"), ("audio", "text"))
    assert (read["method"], read["orders"], read["prompt"]) == ("generate", "given", "audiomcq")
    assert (str(read["folder"]), read["shard"]) == ("runs/it's here", "1/2")
    assert (read["engine"], read["devices"], read["actors"]) == ("ray", "cuda:0,cuda:1", 3)
    assert (read["device"], read["dtype"], read["attention"]) == ("cpu", "float32", "sdpa")
    assert read["trust_remote_code"] is True


def test_a_data_set_of_ones_own_is_named_by_its_file() -> None:
    _, read = parsed(*shell_lines([replace(SCORE, data=OWN)]))
    assert (read["dataset"], read["data"], read["answer_as"]) == ("own.csv", None, "letter")
    assert read["mapping"] == ("question=q", "choices=a,b")


def test_a_split_is_asked_for_in_full() -> None:
    _, read = parsed(*shell_lines([SplitStep(run="r", name="s", settings=SPLIT)]))
    assert (read["rule"], read["threshold"], read["condition"]) == ("fdr", 0.9, "text")
    assert (read["models"], read["leave_out"]) == (("a", "b"), ("unsolved",))
    assert read["more"] == ("fdr=0.3", "balanced=true")


def test_several_devices_are_started_by_accelerate() -> None:
    [line] = shell_lines([TrainStep(stage="sft", recipe="x", run="r", split=None, start="m", out="o", devices=8)])
    assert line.startswith("accelerate launch --num_processes 8 -m audiocontrib train sft ")


def test_what_a_command_cannot_say_is_said_before_it() -> None:
    step = replace(SCORE, made_in_python=("b c",), model_options={"gguf_file": "x.gguf"})
    first, second, command = shell_lines([step])
    assert first == "# models that were made in Python, which no command can name: b c"
    assert second == '# and with options of the model that no command has: {"gguf_file": "x.gguf"}'
    parsed(command)
    remark, command = shell_lines([replace(SCORE, data=DataSource())])
    assert "the questions were made in Python" in remark
    assert parsed(command)[1]["dataset"] == "DATA"
    remark, command = shell_lines([ImportStep(answers=None, data=OWN, run="r")])
    assert remark.startswith("# ")
    assert parsed(command)[0] == "import"


@pytest.mark.parametrize("name", ["a\nrm -rf ~", "a\r\nb", "a\x0bb", "a\u2028b", "a\x85b"])
def test_no_name_ends_a_remark(name: str) -> None:
    step = replace(SCORE, models=(name,), made_in_python=(name,), model_options={name: name})
    *remarks, _command = shell_lines([step])
    assert len(remarks) == 2
    assert all(remark.startswith("# ") and len(remark.splitlines()) == 1 for remark in remarks)


def test_a_plugin_is_named_as_one_would_type_it() -> None:
    [line] = shell_lines([replace(SCORE, plugins=("my part.py", "installed"))])
    assert line.endswith(" --trust-remote-code")
    assert " --plugin 'my part.py' --plugin installed " in line  # it may stand anywhere in the line


def test_a_step_that_is_done_twice_is_one_line() -> None:
    assert len(shell_lines([AuditStep(run="r"), AuditStep(run="r")])) == 1
