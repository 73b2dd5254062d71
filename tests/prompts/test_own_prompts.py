"""A prompt of one's own: read from a file, checked, asked with, and kept whole in run.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.families import FAMILIES
from audiocontrib.prompts import (
    LISTS,
    PROMPTS,
    SYSTEM,
    PromptTemplate,
    make_prompt,
    prompt_of,
    prompt_record,
    read_prompt,
    register_prompt,
)
from audiocontrib.training.model_card.usage import usage
from audiocontrib.training.rows import training_rows

OWN = """
name: lettered
system: You listen.
user: |
  Question: {question}
  {options}
  Answer as {"json": 1} in <answer> </answer>.
options: letters
without_question: "{options}\\nWhich? <answer> </answer>"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN)
    return path


@pytest.fixture(scope="module")
def items() -> Any:
    return ac.load_items("demo", seed=3, limit=4)


def test_a_file(own: Path) -> None:
    made = read_prompt(own)
    asked = make_prompt("Who {question} {options} {0} %s?", ("{question}", "a 'b' \"c\""), has_audio=True, prompt=made)
    assert asked.system == "You listen."
    assert asked.user == (
        "Question: Who {question} {options} {0} %s?\nA. {question}\nB. a 'b' \"c\"\n"
        'Answer as {"json": 1} in <answer> </answer>.'
    )
    hidden = make_prompt(None, ("x", "y"), has_audio=True, prompt=made)
    assert hidden.user == "A. x\nB. y\nWhich? <answer> </answer>"


def test_a_text_file_is_the_users_text(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("\ufeff{question} One of {options}.\n", encoding="utf-8")
    made = read_prompt(tmp_path / "short.txt")
    assert (made.name, made.system) == ("short", SYSTEM)
    assert made.user_text("Who?", ("a", "b")) == "Who? One of ['a', 'b']."
    assert made.user_text(None, ("a", "b")) == "One of ['a', 'b']."


@pytest.mark.parametrize("name", list(LISTS))
@pytest.mark.parametrize("options", [("it's", 'a "b"'), ("{x}", "%s"), tuple(f"option {i:02}" for i in range(27))])
def test_every_list_holds_every_option_once(name: str, options: tuple[str, ...]) -> None:
    text = PromptTemplate(name="p", user="{question} {options}", options=name).user_text("Q", options)
    assert all(text.count(option) == 1 for option in options)


def test_letters_go_on_after_z() -> None:
    assert LISTS["letters"](["x"] * 28).splitlines()[24:] == ["Y. x", "Z. x", "AA. x", "AB. x"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it holds no fields"),
        ("- a", "it holds no fields"),
        ("user: [", "it is no YAML"),
        ("{" * 2000, "it is no YAML"),
        ("name: x", "user is missing"),
        ("user: 7", "user is 7, but must be text"),
        ("user: null", "user is None, but must be text"),
        ("user: hello", "user must hold {question} once, and holds it 0 times"),
        ("user: '{question}'", "user must hold {options} once, and holds it 0 times"),
        ("user: '{question} {question} {options}'", "user must hold {question} once, and holds it 2 times"),
        ("user: '{question} {choices}'", "user holds {choices}, which nothing is filled into"),
        ("user: '{Question} {options}'", "user holds {Question}, which"),
        ("user: '{audio}{question} {options}'", "user holds {audio}, which"),
        ("user: '{{question}} {{ options }}'", "one brace on each side"),
        ("user: '{question} {options}'\nsystem: 'On {question}'", "system holds {question}, which"),
        ("user: '{question} {options}'\nsystem: ''", "system is empty"),
        ("user: '{question} {options}'\nsystem: [a]", "system is ['a'], but must be text"),
        ("user: '{question} {options}'\nname: 7", "name is 7, but must be text"),
        ("user: '{question} {options}'\nname: a/b", "name is 'a/b', but must be of"),
        ("user: '{question} {options}'\nname: ''", "name is '', but must be of"),
        ("user: '{question} {options}'\nname: audiomcq", "which another prompt is called"),
        ("user: '{question} {options}'\noptions: letter", "did you mean 'letters'?"),
        ("user: '{question} {options}'\nsytem: x", "there is no field 'sytem'; a prompt has: name, user, system"),
        ("user: '{question} {options}'\nwithout_question: '{question} {options}'", "without_question holds {question}"),
        ("user: '{question} {options}'\nwithout_question: which?", "without_question must hold {options} once"),
        ("user: !!python/object/apply:os.system ['true']", "it is no YAML"),
    ],
)
def test_a_file_at_fault_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_prompt(path)
    assert says in str(error.value)
    assert str(error.value).startswith(f"prompt {path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("audiomqc", "did you mean 'audiomcq'?"),
        ("none.yaml", "none.yaml: it cannot be read"),
        ("folder/mine.md", "ends in .yaml or .txt"),
        (7, "7 is no prompt"),
        (None, "None is no prompt"),
        (PromptTemplate, "is no prompt"),
    ],
)
def test_what_is_no_prompt(items: Any, tmp_path: Path, name: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ac.score(items, ["mock"], prompt=name, run=tmp_path / "r", progress=False)


def test_the_question_must_be_hidden_in_a_known_way(items: Any, tmp_path: Path) -> None:
    later = PromptTemplate(name="later", user="Here is one. {question} {options}")
    ac.score(items, ["mock"], ["audio"], prompt=later, run=tmp_path / "r", progress=False)
    with pytest.raises(UsageError, match="it must say in without_question"):
        ac.score(items, ["mock"], ["audio", "options"], prompt=later, run=tmp_path / "r", progress=False)


def test_a_run_keeps_its_prompt_whole(items: Any, own: Path, tmp_path: Path) -> None:
    run = ac.score(items, ["mock"], prompt=own, run=tmp_path / "r", progress=False)
    own.unlink()
    kept = ac.open_run(run.path).manifest["identity"]["prompt"]
    made = prompt_of(kept, "the run")
    assert isinstance(made, PromptTemplate)
    assert (made.name, made.options) == ("lettered", "letters")
    assert prompt_record(made) == kept
    # the same, asked on without the file; another text under the same name is refused, and it is said what changed
    ac.score(items, ["mock:name=other"], prompt=made, run=run.path, progress=False)
    changed = PromptTemplate(name="lettered", user=made.user, options="lines", without_question=made.without_question)
    with pytest.raises(AudiocontribError, match=r"prompt\.options: letters -> lines"):
        ac.score(items, ["mock"], prompt=changed, run=run.path, progress=False)


def test_the_packages_own_are_kept_as_ever(items: Any, tmp_path: Path) -> None:
    run = ac.score(items, ["mock"], run=tmp_path / "r", progress=False)
    assert run.manifest["identity"]["prompt"] == {
        "name": "audiomcq",
        "sha256": make_prompt("{question}", ("{o1}", "{o2}"), has_audio=True).sha256,
    }


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (7, "cannot be read"),
        ({}, "cannot be read"),
        ({"name": 7}, "cannot be read"),
        ({"name": "theirs", "sha256": "0"}, "'theirs', which is not known here; load its plugin first"),
        ({"name": "audiomcq", "sha256": "0"}, "is not the one that was asked with"),
        ({"name": "own", "sha256": "0", "user": "{question} {options}"}, "is not the one that was asked with"),
        ({"name": "own", "sha256": "0", "user": "{x}"}, "nothing is filled into"),
        ({"name": "own", "sha256": "0", "user": ["a"]}, "must be text"),
    ],
)
def test_a_record_at_fault(record: Any, says: str) -> None:
    with pytest.raises(AudiocontribError, match=says) as error:
        prompt_of(record, "runs/theirs")
    assert str(error.value).startswith("runs/theirs")


@pytest.fixture
def registered() -> Iterator[Any]:
    held = dict(PROMPTS)
    yield PROMPTS.register
    PROMPTS.clear()
    PROMPTS.update(held)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda question, options: f"{question}", "every option must appear 1 times, but appears 0"),
        (lambda question, options: f"{options}", "the question must appear 1 times, but appears 0"),
        (lambda question, options: f"{question} {options} {options[0]}", "every option must appear 1 times"),
        (lambda question, options: None, "gave NoneType, not text"),
        (lambda question, options: question + 1, "test_own_prompts.py:.*TypeError"),
        (lambda question: question, "TypeError"),
    ],
)
def test_a_registered_function_is_checked(
    items: Any, tmp_path: Path, registered: Any, function: Any, says: str
) -> None:
    registered("function")(function)
    with pytest.raises(AudiocontribError, match=says) as error:
        ac.score(items, ["mock"], prompt="function", run=tmp_path / "r", progress=False)
    assert "\n" not in str(error.value)


def test_a_registered_function_must_know_a_hidden_question(items: Any, tmp_path: Path, registered: Any) -> None:
    registered("function")(lambda question, options: f"{question or 'Which-question-is-this?'} {options}")
    with pytest.raises(AudiocontribError, match="where the question is hidden, the question must appear 0 times"):
        ac.score(items, ["mock"], ["options"], prompt="function", run=tmp_path / "r", progress=False)


def test_a_registered_template_is_kept_whole(items: Any, tmp_path: Path, registered: Any) -> None:
    register_prompt(PromptTemplate(name="plugin", user="{question} {options}"))
    run = ac.score(items, ["mock"], prompt="plugin", run=tmp_path / "r", progress=False)
    del PROMPTS["plugin"]
    assert prompt_of(run.manifest["identity"]["prompt"], "r") == PromptTemplate(
        name="plugin", user="{question} {options}"
    )


def test_from_the_command_line(own: Path, tmp_path: Path) -> None:
    words = ["score", "--dataset", "demo", "--limit", "4", "--model", "mock", "--quiet", "--run", str(tmp_path / "r")]
    done = CliRunner().invoke(main, [*words, "--prompt", str(own)])
    assert (done.exit_code, "note:" in done.stderr) == (0, False), done.stderr
    told = json.loads((tmp_path / "r/run.json").read_text())["identity"]["prompt"]
    assert told["user"].startswith("Question: {question}")
    plain = tmp_path / "plain.txt"
    plain.write_text("{question} {options}")
    done = CliRunner().invoke(main, [*words[:-1], str(tmp_path / "other"), "--prompt", str(plain)])
    assert "note: the prompt plain does not ask for <answer> </answer>" in done.stderr
    refused = CliRunner().invoke(main, [*words, "--prompt", str(plain)])
    assert refused.exit_code == 1
    assert "identity" not in refused.stderr
    assert "prompt.name: lettered -> plain" in refused.stderr


@pytest.mark.parametrize("options", list(LISTS))
@pytest.mark.parametrize("family", ["qwen2_5_omni", "audioflamingo3", "granite_speech"])
def test_the_script_of_a_model_card_asks_the_same(options: str, family: str) -> None:
    text = 'One "q": {question}\n\tof \\n {} {"a": 1}\n{options}\u2028 end.'
    prompt = PromptTemplate(name="own", system='It\'s "so" {}.\n', user=text, options=options)
    known = FAMILIES[family]
    names: dict[str, Any] = {"question": "{options} or {question}?", "options": ["it's", 'a "b"', "{x}"]}
    script = usage(known, "Model", 30.0, prompt)
    first = next(i for i, line in enumerate(script) if line.startswith(("listed =", "user =")))
    exec("\n".join(script[first : script.index("turns = [")]), names)
    asked = make_prompt(names["question"], names["options"], has_audio=True, prompt=prompt)
    assert names["user"] == (asked.user if known.system else f"{asked.system}\n{asked.user}")
    for line in script:
        if '"role": "system"' in line:
            assert eval(line.strip().rstrip(","))["content"] == asked.system


def test_training_rows_have_the_prompt_of_their_run(items: Any, own: Path, tmp_path: Path) -> None:
    run = ac.score(items, ["mock"], prompt=own, run=tmp_path / "r", progress=False)
    own.unlink()
    rows = training_rows(run)
    assert rows[0].prompt.system == "You listen."
    assert rows[0].prompt.user.startswith("Question: ")
    assert rows.notes == ()
    other = training_rows(run, prompt="audiomcq")
    assert other[0].prompt.system == SYSTEM
    assert "rows are written with audiomcq, as you say" in other.notes[0]
    assert rows.digest != other.digest
