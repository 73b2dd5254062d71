"""One checked way into every measure: an unknown word is one line that lists what there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import duckdb
import pytest
from helpers.planted import ask, questions, views

import audiocontrib.contribution
from audiocontrib.contribution import Scope, accuracy, contributions
from audiocontrib.contribution.scope import CheckedScope
from audiocontrib.contribution.unsolved import unsolved
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation import evaluate
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.splits import split
from audiocontrib.splits.sensitivity import sensitivity

CONDITIONS = ["audio", "silence", "text"]


def measures() -> dict[str, Callable[..., Any]]:
    """Every public function of the package that takes a scope."""
    found = {"split": split, "sensitivity": sensitivity}
    for module in iter_modules(audiocontrib.contribution.__path__):
        for name, thing in vars(import_module(f"audiocontrib.contribution.{module.name}")).items():
            if (
                inspect.isfunction(thing)
                and not name.startswith("_")
                and "scope" in inspect.signature(thing).parameters
            ):
                parameters = list(inspect.signature(thing).parameters.values())
                if parameters[0].name == "run" and name != "scoped":
                    found[name] = thing
    return found


MEASURES = measures()
NEEDS = {"rerun_floor": lambda con: {"other": con}}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    items = questions(12)
    models = [MockModel(Planted(skill=0.8, leak=0.3, seed=i), f"m{i}") for i in range(3)]
    return views(items, ask(items, models, CONDITIONS))


def test_the_measures_are_found() -> None:
    assert {
        "accuracy",
        "contributions",
        "votes",
        "ledger",
        "unsolved",
        "contest",
        "nulls",
        "summary",
    } <= MEASURES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("field", "word", "says"),
    [
        ("condition", "silense", "did you mean 'silence'"),
        ("audio", "adio", "did you mean 'audio'"),
        ("method", "likelyhood", "likelihood"),
        ("method", "generate", "it holds those by method: likelihood"),
        ("models", "m7", "it holds those of: m0, m1, m2"),
        ("models", ["m0", "nobody"], "'nobody'"),
        ("models", [], "no model"),
        ("prompt", "audiomcq-card", "prompt"),
        ("nonsense", True, "nonsense"),
    ],
)
def test_an_unknown_word_is_one_line(
    con: duckdb.DuckDBPyConnection, name: str, field: str, word: object, says: str
) -> None:
    more = NEEDS.get(name, lambda con: {})(con)
    with pytest.raises(UsageError) as error:
        MEASURES[name](con, **{field: word}, **more)
    assert "\n" not in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize("name", MEASURES)
def test_the_rest_is_by_keyword(con: duckdb.DuckDBPyConnection, name: str) -> None:
    with pytest.raises(TypeError):
        MEASURES[name](con, "silence")


@pytest.mark.parametrize("name", MEASURES)
def test_what_is_no_run_is_said(name: str) -> None:
    with pytest.raises(UsageError, match="neither a run nor a connection"):
        MEASURES[name]("runs/first", **NEEDS.get(name, lambda con: {})("runs/first"))


def test_a_scope_or_its_fields(con: duckdb.DuckDBPyConnection) -> None:
    from_text = Scope(condition="text", models=["m1", "m0"])
    assert contributions(con, scope=from_text).equals(contributions(con, condition="text", models=["m0", "m1"]))
    assert set(accuracy(con, scope=from_text)["model"].to_pylist()) == {"m0", "m1"}
    assert set(accuracy(con)["model"].to_pylist()) == {"m0", "m1", "m2"}  # the connection is as it was
    with pytest.raises(UsageError, match="one of the two"):
        contributions(con, scope=from_text, condition="text")


def test_a_scope_is_checked_once(con: duckdb.DuckDBPyConnection) -> None:
    checked = Scope(models="m2").check(con)
    assert isinstance(checked, CheckedScope)
    assert checked.models == ("m2",)


def test_a_condition_given_where_the_audio_belongs(con: duckdb.DuckDBPyConnection) -> None:
    """The second argument meant another thing in each measure; now there is none."""
    assert unsolved(con).equals(unsolved(con, condition="silence", audio="audio"))


def test_unsolved_items_cannot_be_left_out_unseen() -> None:
    items = questions(6)
    con = views(items, ask(items, [MockModel(Planted(leak=1.0), "m")], ["silence"]))
    with pytest.raises(AudiocontribError, match="unsolved items cannot be left out: no model was asked under 'audio'"):
        split(con, leave_out="unsolved")


def test_a_run_without_a_default_condition_says_so_or_is_null() -> None:
    items = questions(6)
    con = views(items, ask(items, [MockModel(Planted(), "m")], ["audio"]))
    assert contributions(con)["score"].null_count == 6
    with pytest.raises(AudiocontribError, match="no answers under 'silence'"):
        split(con)
    with pytest.raises(UsageError, match="is no run"):
        evaluate(["runs/first"])
