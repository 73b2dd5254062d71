"""Configurations: what YAML and command lines may hold, and the line that says what is wrong."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import ROOT
from pydantic import Field

from audiocontrib.cli import main
from audiocontrib.config import Name, accepted_by, assignments, build, changed, config, one_or_several, options, stated
from audiocontrib.config import read_fields as read
from audiocontrib.errors import UsageError
from audiocontrib.splits import RULES, rule
from audiocontrib.splits.recipe import SplitRecipe, read_split_recipe
from audiocontrib.splits.settings import check_settings, settings_of
from audiocontrib.training import SFT, TrainingRecipe


def _even(number: int) -> int:
    if number % 2:
        raise UsageError(f"{number} is odd")
    return number


@config
class Inner:
    whole: int = 0
    number: float = 0.0
    truth: bool = False


@config
class Outer:
    word: Literal["cosine", "linear"] = "cosine"
    name: Name = "n"
    inner: Inner = Inner()
    several: tuple[Inner, ...] = ()
    words: Annotated[tuple[str, ...], one_or_several] = ()
    either: Annotated[int, Field(ge=1)] | Literal["weak"] | None = None
    table: Mapping[str, bool] | float = 0.0
    even: Annotated[int, accepted_by(_even)] = 0

    def __post_init__(self) -> None:
        if self.word == "linear" and self.either == 7:
            raise ValueError("linear and 7 do not go together")


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("3", 3), ("1e3", 1000), (" 3 ", 3), ("1_000", 1000), ("010", 10), ("0x10", 16), ("-2", -2), ("3.0", 3),
        (3.0, 3), (np.int64(3), 3), (np.float32(3), 3), (Fraction(6, 2), 3), (Decimal("3"), 3),
        ("9007199254740993", 9007199254740993),
    ],
)  # fmt: skip
def test_whole_numbers_as_people_write_them(given: Any, number: int) -> None:
    made = build(Inner, {"whole": given}, "f").whole
    assert (made, type(made)) == (number, int)


@pytest.mark.parametrize(
    "given",
    [True, False, "true", 1.5, "1.5", "1e-3", float("nan"), "nan", "inf", "1e999999999", "three", "", None, [], {},
     "1:30", "1,000", "0b2", "--1", np.bool_(True), "9" * 5000, 1j, b"3"],
)  # fmt: skip
def test_what_is_no_whole_number(given: Any) -> None:
    with pytest.raises(UsageError, match=r"^f: whole is .*, but must be a whole number$") as caught:
        build(Inner, {"whole": given}, "f")
    assert len(str(caught.value)) < 120


def test_a_whole_number_of_more_than_64_bits() -> None:
    for given in (10**30, "1e30", 2**63, -(2**63) - 1):
        with pytest.raises(UsageError, match=r"^f: whole is .*, but must be below 2\*\*63 in size$"):
            build(Inner, {"whole": given}, "f")
    assert Inner(whole=2**63 - 1).whole == 2**63 - 1


@pytest.mark.parametrize(
    ("given", "number"),
    [("1e-6", 1e-6), ("1.e-6", 1e-6), (".5", 0.5), ("2/3", 2 / 3), (2, 2.0), (Fraction(2, 3), 2 / 3), ("1_0.5", 10.5),
     (np.float32(0.5), 0.5), ("-3", -3.0)],
)  # fmt: skip
def test_numbers_as_people_write_them(given: Any, number: float) -> None:
    made = build(Inner, {"number": given}, "f").number
    assert (made, type(made)) == (number, float)


@pytest.mark.parametrize(
    "given", [True, "yes", float("nan"), ".nan", "-inf", "1e999", 10**400, "0,5", "5%", "2/0", "1/2/3", "", None, [1]]
)
def test_what_is_no_number(given: Any) -> None:
    with pytest.raises(UsageError, match=r"^f: number is .*, but must be a number$"):
        build(Inner, {"number": given}, "f")


def test_truth_values() -> None:
    for given in (True, "true", "Yes", "on", "1", np.bool_(True)):
        assert build(Inner, {"truth": given}, "f").truth is True
    for given in (False, "false", "NO", "off", "0"):
        assert build(Inner, {"truth": given}, "f").truth is False
    for given in (1, 0, 1.0, "maybe", "", None, "2", []):
        with pytest.raises(UsageError, match=r"^f: truth is .*, but must be true or false$"):
            build(Inner, {"truth": given}, "f")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"word": "cosin"}, "word is 'cosin', but must be 'cosine' or 'linear'; did you mean 'cosine'?"),
        ({"wrod": "cosine"}, "there is no field 'wrod'; did you mean 'word'?"),
        ({"x": 1, "word": "no"}, "there is no field 'x'; there are: word, name, inner, several, words, either, "),
        ({"name": " "}, "name is ' ', but must be a text that is not blank"),
        ({"inner": {"whole": "x"}}, "inner.whole is 'x', but must be a whole number"),
        ({"inner": {"hole": 1}}, "there is no field 'inner.hole'; did you mean 'whole'?"),
        ({"inner": 3}, "inner is 3, but must be fields and values (such as whole: …)"),
        ({"several": [{}, {"whole": True}]}, "several[1].whole is true, but must be a whole number"),
        ({"several": {"whole": 1}}, "several is {'whole': 1}, but must be a list (each fields and values (such as"),
        ({"words": ["a", 2]}, "words[1] is 2, but must be a text"),
        ({"words": 2}, "words is 2, but must be a text, or a list of these"),
        ({"either": "wek"}, "either is 'wek', but must be a whole number of at least 1, 'weak' or null; did you mean"),
        ({"either": 0}, "either is 0, but must be a whole number of at least 1, 'weak' or null"),
        ({"table": {"a": 1}}, "table is {'a': 1}, but must be names and values (each true or false) or a number"),
        ({"even": 3}, "even: 3 is odd"),
        ({"word": "linear", "either": 7}, "linear and 7 do not go together"),
        ({"name": "\n" * 500}, "name is "),
        ({1: 2}, "there is no field '1'; there are: word"),
        ({"": 2}, "there is no field ''; there are: word"),
        ({"name": None}, "name is null, but must be a text that is not blank"),
        ("word", "it is 'word', but must be fields and values (such as word: …)"),
        ([], "it is [], but must be fields and values (such as word: …)"),
        (None, "it is empty, but must be fields and values (such as word: …)"),
    ],
)
def test_what_is_wrong_is_one_line(values: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(Outer, values, "here")
    assert str(caught.value).startswith(f"here: {said}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_configuration_is_a_frozen_dataclass_that_is_checked_whenever_it_is_made() -> None:
    made = Outer(words="a", either=3)  # type: ignore[arg-type]
    assert made.words == ("a",)
    assert asdict(made)["inner"] == {"whole": 0, "number": 0.0, "truth": False}
    assert stated(Outer, asdict(made)) == {"words": ("a",), "either": 3, "inner": asdict(Inner())}
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made
    with pytest.raises(FrozenInstanceError):
        made.word = "linear"  # type: ignore[misc]
    with pytest.raises(UsageError, match="^Outer: either is 0, but must be"):  # noqa: RUF043
        replace(made, either=0)
    with pytest.raises(UsageError, match="^--set: linear and 7 do not go together"):  # noqa: RUF043
        changed(made, {"word": "linear", "either": "7"}, "--set")
    assert changed(made, {"either": "7"}, "--set") == replace(made, either=7)


def test_what_stands_in_a_file_is_text(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(
        "a: 1e-6\nb: 010\nc: no\nd: 2024-01-01\ne: null\nf:\ng: '3'\nh: [1, on]\ni: &x {y: 1:30}\nj: {<<: *x, z: !!int 3}"  # noqa: E501
    )
    assert read(file) == {
        "a": "1e-6", "b": "010", "c": "no", "d": "2024-01-01", "e": None, "f": None, "g": "3", "h": ["1", "on"],
        "i": {"y": "1:30"}, "j": {"y": "1:30", "z": "3"},
    }  # fmt: skip
    file.write_bytes(b"\xef\xbb\xbfa: b\r\n")
    assert read(file) == {"a": "b"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: the recipe cannot be read: the field 'a' stands there twice"),
        (b"s:\n  q: 1\n  'q': 2\n", "line 3: the recipe cannot be read: the field 'q' stands there twice"),
        (b"a: 1\n---\nb: 2\n", "line 2: the recipe cannot be read: expected a single document in the stream, but found"),  # noqa: E501
        (b"a: !!python/object:os.system x\n", "line 1: the recipe cannot be read: the tag !!python/object:os.system is"),  # noqa: E501
        (b"a: !!python/object/apply:os.system [x]\n", "line 1: the recipe cannot be read: the tag !!python/object/apply"),  # noqa: E501
        (b"a:\n- !!binary aGk=\n", "line 2: the recipe cannot be read: the tag !!binary is not allowed"),
        (b"a: !own x\n", "line 1: the recipe cannot be read: the tag !own is not allowed"),
        (b"a: [1\n", "line 2: the recipe cannot be read: while parsing a flow sequence, expected"),
        (b"a:\n\tb: 1\n", "line 2: the recipe cannot be read: while scanning for the next token, found character"),
        (b"a: *b\n", "line 1: the recipe cannot be read: found undefined alias 'b'"),
        (b"? [a]\n: 1\n", "line 1: the recipe cannot be read: while constructing a mapping, found unhashable key"),
        (b"a: 1\nb: \xff\n", "line 2: the recipe cannot be read: it is not text in UTF-8"),
        ("a: 1".encode("utf-16"), "line 1: the recipe cannot be read: it is not text in UTF-8"),
        (b"a: \x00", "the recipe cannot be read: unacceptable character"),
        (b"[" * 5000, "the recipe cannot be read: it is nested too deeply"),
        (b"#" * 2_000_000, "the recipe cannot be read: it is larger than a megabyte"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_yaml_is_one_line(tmp_path: Path, held: bytes, said: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(held)
    with pytest.raises(UsageError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}: {said}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml", tmp_path / "a\0b", tmp_path / ("x" * 5000)):
        with pytest.raises(UsageError, match="the plan cannot be read: ") as caught:
            read(path, "plan")
        assert "\n" not in str(caught.value)


def test_a_text_that_is_repeated_a_billion_times_is_told_in_a_line(tmp_path: Path) -> None:
    levels = [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    (tmp_path / "f.yaml").write_text("\n".join(["a: &a [x]", *levels]))
    held = read(tmp_path / "f.yaml")
    with pytest.raises(UsageError, match=r"^f: whole is \[\[\["):
        build(Inner, {"whole": held["j"]}, "f")


def test_fields_in_a_line() -> None:
    given = ["a=1", "b=[x, 2]", 'c="SmolLM"', "d=null", "e=", "f=x=y", " g = true ", "a=2", "h={x: 1}"]
    assert assignments(given, "--set", "x=1") == {
        "a": "2", "b": ["x", "2"], "c": "SmolLM", "d": None, "e": None, "f": "x=y", "g": "true", "h": {"x": "1"},
    }  # fmt: skip
    for text, said in (
        ("a", "--set: 'a' is not FIELD=VALUE, as in x=1"), ("=1", "--set: '=1' is not FIELD=VALUE, as in x=1"),
        ("a=[1", "--set: a is '[1', but must be a text, or a list as in YAML"),
        ("a=[!!python/name:os.system x]", "--set: a is '[!!python"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            assignments([text], "--set", "x=1")
        assert str(caught.value).startswith(said)
    assert options("a=1, b = x ,,", "mock") == {"a": "1", "b": "x"}
    for text, said in (("a", "mock: 'a' has no value; "), ("a=1,a=2", "mock: the field 'a' stands there twice")):
        with pytest.raises(UsageError, match=f"^{said}"):
            options(text, "mock")


# split recipes


def split_recipe(folder: Path, text: str) -> SplitRecipe:
    (folder / "r.yaml").write_text(text)
    return read_split_recipe(folder / "r.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("audio: adio\nleave_out: unsolved", "audio: no condition is called 'adio'; did you mean 'audio'?"),
        ("audio: silence", "audio: under 'silence' the item's own clip is not heard; name a condition with the audio"),
        ("condition: audio", "condition and audio are both 'audio': one of them must be without the audio"),
        ("audio: swap", "audio: under 'swap' the item's own clip is not heard; name a condition with the audio"),
        ("condition: silense", "condition: no condition is called 'silense'; did you mean 'silence'?"),
        ("condition: silence:soon", "condition: condition 'silence:soon': 'soon' is not seconds, or 'matched'"),
        ("rule: vote", "rule: no split rule is called 'vote'; did you mean 'votes'?"),
        ("method: likelyhood", "method is 'likelyhood', but must be 'likelihood', 'generate', 'think-likelihood' or null"),  # noqa: E501
        ("leave_out: unsolvd", "leave_out is 'unsolvd', but must be 'unsolved', or a list of these; did you mean"),
        ("leave_out: [unsolvd]", "leave_out[0] is 'unsolvd', but must be 'unsolved'; did you mean 'unsolved'?"),
        ("threshold: 1.5", "threshold is 1.5, but must be a number between 0 and 1 or null"),
        ("threshold: nan", "threshold is nan, but must be a number between 0 and 1 or null"),
        ("models: []", "models is [], but must be a text that is not blank, or a list of these"),
        ("fdr: 0.1", "there is no field 'fdr'; there are: rule, threshold, "),
        ("rule: group\nsettings: {leest: 3}", "settings: rule group: there is no field 'leest'; did you mean 'least'?"),
        ("rule: group\nsettings: {least: 1}", "settings: rule group: least is 1, but must be a whole number of at least 2"),  # noqa: E501
        ("rule: adf\nsettings: {perplexity_condition: tekst}", "settings: rule adf: perplexity_condition: no condition"),  # noqa: E501
        ("rule: audit\nsettings: {score: text}", "settings: rule audit: score is 'text', but must be 'text_both', "),
        ("", "it is empty, but must be fields and values (such as rule: …)"),
    ],
)  # fmt: skip
def test_a_word_that_no_rule_or_condition_knows_is_refused_when_the_recipe_is_read(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        split_recipe(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'r.yaml'}: {said}")


def test_a_split_recipe_is_the_arguments_of_a_split(tmp_path: Path) -> None:
    text = "rule: group\nthreshold: 2/3\ncondition: silence:30\nmodels: m0\nleave_out: unsolved\nmethod:\nsettings: {least: 1e1}"  # noqa: E501
    made = split_recipe(tmp_path, text)
    assert made == SplitRecipe(
        rule="group", threshold=2 / 3, models=("m0",), leave_out=("unsolved",), settings={"least": 10}
    )
    assert made.arguments() == {
        "rule": "group", "threshold": 2 / 3, "condition": "silence", "audio": "audio", "models": ("m0",),
        "leave_out": ("unsolved",), "without_marked": (), "corrected_keys": False, "least": 10,
    }  # fmt: skip
    assert made.with_values({"least": "12", "threshold": "0.5"}, "--set").arguments()["least"] == 12
    with pytest.raises(UsageError, match="^--set: rule fdr: there is no field 'least'; there are: fdr"):  # noqa: RUF043
        made.with_values({"rule": "fdr"}, "--set")
    with pytest.raises(UsageError, match="^--set: rule group: there is no field 'settings'"):  # noqa: RUF043
        made.with_values({"settings": {}}, "--set")


def test_a_rule_of_ones_own_has_its_arguments_as_settings() -> None:
    try:

        @rule("own", 0.5, "a rule of a test")
        def own(asked: Any, *, least: int = 3, share: Annotated[float, Field(gt=0)] = 0.5, plain=True) -> Any:  # type: ignore[no-untyped-def]
            return asked, least, share, plain

        assert settings_of("own") == {"least": 3, "share": 0.5, "plain": True}
        assert check_settings("own", {"least": "4", "plain": "no"}) == {"least": 4, "plain": False}
        for wrong, said in (
            ({"least": True}, "least is true, but must be a whole number"),
            ({"share": 0}, "share is 0, but must be a number above 0"),
            ({"plain": "so"}, "plain is 'so', but must be true or false"),
            ({"asked": 1}, "there is no field 'asked'; there are: least, share, plain"),
        ):
            with pytest.raises(UsageError, match=f"^rule own: {said}"):
                check_settings("own", wrong)
    finally:
        RULES.pop("own", None)


def test_set_on_the_command_line_names_itself(tmp_path: Path) -> None:
    recipe = ROOT / "recipes/training/tiny/weak_to_strong.yaml"
    for change, said in (
        ("batch=four", "--set: batch is 'four', but must be a whole number above 0"),
        ("batch=4.5", "--set: batch is 4.5, but must be a whole number above 0"),
        ("btach=4", "--set: there is no field 'btach'; did you mean 'batch'?"),
        ("schedule=linaer", "--set: schedule is 'linaer', but must be 'cosine', 'linear' or 'constant'; did you mean"),
        ("checkpointing=maybe", "--set: checkpointing is 'maybe', but must be true or false"),
        ("batch", "--set: 'batch' is not FIELD=VALUE, as in --set batch=4"),
    ):
        done = CliRunner().invoke(main, ["train", "sft", "--training-recipe", str(recipe), "--set", change])
        assert (done.exit_code, done.stderr.startswith(f"error: {said}")) == (2, True), done.stderr


# what earlier versions wrote

WRITTEN = """{"about": "two tiny steps", "model": "tiny-qwen2.5-omni", "sft": {"part": "weak", "items": null, "copies": 1,
"seed": 0, "learning_rate": 0.0001, "schedule": "cosine", "warmup": 0.05, "weight_decay": 0.0, "clip": 1.0, "batch": 2,
"accumulate": 1, "epochs": null, "steps": 2, "tune": "full", "rank": 8, "alpha": 16, "checkpointing": true,
"seconds": 30.0, "workers": 0, "save_every": 1, "keep": 2}, "grpo": null, "disjoint": "item"}"""  # noqa: E501
"""The recipe in a training.json of version 0.1."""


def test_the_recipe_of_an_old_training_is_read_and_written_as_it_was() -> None:
    held = json.loads(WRITTEN)
    made = build(TrainingRecipe, held, "training.json")
    written = json.loads(json.dumps(asdict(made)))
    later = written["sft"].keys() - held["sft"].keys()
    assert written == held | {"sft": held["sft"] | {name: written["sft"][name] for name in later}}
    assert not later & stated(SFT, asdict(made.sft)).keys()  # fields of today are as usual
    assert build(SFT, held["sft"], "training.json") == made.sft
    assert stated(SFT, held["sft"]) == {
        "part": "weak", "copies": 1, "learning_rate": 1e-4, "batch": 2, "steps": 2, "save_every": 1,
    }  # fmt: skip


def test_the_package_and_its_help_do_not_wait_for_pydantic() -> None:
    code = (
        "import sys, audiocontrib; from audiocontrib.cli import main; from click.testing import CliRunner; "
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0; "
        "assert CliRunner().invoke(main, ['split', '--help']).exit_code == 0; print('pydantic' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
