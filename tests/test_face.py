"""The face of the package: a verb for every command, typed, documented, and strict about words."""

from __future__ import annotations

import inspect
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.documented import DOCS

import audiocontrib as ac
from audiocontrib.cli import COMMANDS
from audiocontrib.errors import AudiocontribError

VERBS = {
    "audit": ["audit"],
    "card": ["card"],
    "certify": ["certify"],
    "contribution": ["measure", "contributions", "summary", "unsolved"],
    "datasets": ["list_datasets", "describe"],
    "demo": ["demo", "demo_real"],
    "doctor": ["doctor"],
    "evaluate": ["evaluate", "compare", "compare_scorers", "beside_published"],
    "export": ["export"],
    "import": ["import_responses"],
    "reread": ("reread", "judge", "judgements", "judged_accuracy"),
    "marks": ["marks", "add_mark", "marked", "read_marks", "write_marks"],
    "models": ["list_models"],
    "plot": ["plot"],
    "plugins": ["installed_plugins", "load_plugin"],
    "query": ["query"],
    "push": ["push"],
    "report": ["report"],
    "results": ["write_results"],
    "score": ["score"],
    "show": ["show"],
    "split": ["split"],
    "train": ["train", "plan_training"],
    "validate": ["validate"],
    "verify": ["verify"],
    "view": ["write_bundle"],
    "weak-to-strong": ["weak_to_strong"],
}
"""Command -> the functions that do its work."""
PAGE = DOCS / "reference" / "python.md"
FUNCTIONS = [name for name in ac.__all__ if inspect.isfunction(getattr(ac, name))]


def test_every_command_has_a_verb() -> None:
    assert set(VERBS) == set(COMMANDS)
    for verbs in VERBS.values():
        for verb in verbs:
            assert callable(getattr(ac, verb)), verb


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_verb_is_documented_and_typed(name: str) -> None:
    verb = getattr(ac, name)
    assert re.search(r"Example:\n\s+>>> ", inspect.getdoc(verb) or ""), "no example"
    signature = inspect.signature(verb)
    assert signature.return_annotation is not inspect.Signature.empty
    assert not [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
    placed = [
        p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY and p.kind is not p.VAR_KEYWORD
    ]
    assert len(placed) <= (3 if name in ("score", "import_responses", "add_mark") else 2)
    first = next(iter(signature.parameters.values()), None)
    if (
        "run" in signature.parameters
        and first is not None
        and first.name == "run"
        and name not in ("demo", "demo_real")
    ):
        assert first.kind is first.POSITIONAL_ONLY


@pytest.mark.parametrize("name", [name for name in ac.__all__ if not inspect.ismodule(getattr(ac, name))])
def test_every_name_is_on_the_page(name: str) -> None:
    assert getattr(ac, name).__doc__
    assert re.search(
        rf"^\.\. auto(function|class):: audiocontrib\.{name}$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_page_names_nothing_else() -> None:
    named = re.findall(
        r"^\.\. auto(?:function|class):: audiocontrib\.(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(named) == sorted(name for name in ac.__all__ if not inspect.ismodule(getattr(ac, name)))


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_import_is_quick() -> None:
    heavy = {"torch", "transformers", "pandas", "pydantic", "numpy", "pyarrow", "duckdb", "datasets", "click"}
    assert python(f"import sys, audiocontrib; print({heavy} & set(sys.modules))") == "set()"


def test_version_errors_and_names_that_are_not_there() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", ac.__version__)
    assert issubclass(ac.errors.UsageError, ac.errors.AudiocontribError)
    assert {"score", "errors", "Item"} <= set(dir(ac))
    with pytest.raises(AttributeError, match="scores"):
        ac.scores  # type: ignore[attr-defined]  # noqa: B018
    assert (Path(ac.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("scor", "score"), ("Score", "score"), ("splitt", "split"), ("load_item", "load_items"), ("item", "Item"),
        ("open", None), ("evalute", "evaluate"), ("contribtions", "contributions"), ("exports", "export"),
        ("certfy", "certify"), ("zzz", None),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_told_the_one_that_is_meant(name: str, meant: str | None) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(ac, name)
    line = str(caught.value)
    assert f"no attribute {name!r}" in line
    assert "\n" not in line
    assert meant is None or line.endswith(f"; did you mean {meant!r}?")
    assert not hasattr(ac, name)


@pytest.mark.slow
def test_a_verb_stays_a_verb_when_the_module_of_its_name_is_imported() -> None:
    names = ["report", "audit", "export", "weak_to_strong", "demo", "reread", "judge"]
    code = (
        "import audiocontrib.report.page, audiocontrib.audit, audiocontrib.export, audiocontrib.weak_to_strong, "
        "audiocontrib.demo, audiocontrib.reread, audiocontrib.judge; import audiocontrib as ac; "
        f"print([getattr(ac, n).__class__.__name__ for n in {names}])"
    )
    assert python(code) == str(["function"] * len(names))


# every verb is tried with words that there are not


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ac.Run:
    models = [f"mock:skill=0.{9 - n},leak=0.4,seed={n}" for n in range(3)]
    items, folder = ac.load_items("demo", limit=12), tmp_path_factory.mktemp("face") / "run"
    made = ac.score(items, models, ["audio", "silence", "text"], names=["a", "b", "c"], run=folder, progress=False)
    ac.split(made, models=["a", "b"]).save(made.split_folder("votes"))
    return made


Call = tuple[tuple[Any, ...], dict[str, Any]]
FREE = {
    "add_mark": {"note", "by"},
    # whatever they are, they are right: names and places to be made
    "score": {"run", "names", "devices"},
    "plot": {"out"},
    "report": {"out"},
    "export": {"out"},
    "load_items": {"name", "revision"},
    "train": {"out", "device"},
    "plan_training": {"out", "model"},
    "import_responses": {"model"},
    "load_model": {"name", "revision", "gguf_file", "device", "dtype", "attention"},
    "weak_to_strong": {"out"},
    "push": {"endpoint", "token"},
    "write_results": {"out"},
    "demo": {"run"},
    "demo_real": {"run", "model"},
}
"""Arguments that may be any text; or that only the model that is loaded knows."""


def calls(run: ac.Run, folder: Path) -> dict[str, Call]:
    """A good call of every verb."""
    items = run.load_items()
    recipe = Path(__file__).parents[1] / "recipes/training/tiny/weak_to_strong.yaml"
    answers = folder / "answers.jsonl"
    answers.write_text("")
    stage = {"stage": "sft", "split": "votes"}
    return {
        **{name: ((run,), {}) for name in ("accuracy", "contributions", "measure", "summary", "unsolved", "evaluate")},
        "beside_published": ((run,), {}),
        "add_mark": ((run, items[0].id, "wrong key"), {}),
        "marks": ((run,), {}),
        "marked": ((run,), {}),
        "read_marks": ((run, answers), {}),
        "write_marks": ((run, folder / "marks.csv"), {}),
        "audit": ((items,), {"checks": ["surface"]}),
        "card": ((run,), {"split": "votes"}),
        "certify": ((run,), {"split": "votes", "model": "c", "condition": "text", "save": False}),
        "compare": ((run, run), {"model": "a", "baseline_model": "b"}),
        "compare_scorers": ((run,), {"scorer": "mmau"}),
        "condition": (("silence",), {}),
        "demo": ((), {"run": folder / "demo", "seed": "none", "limit": "none"}),  # nobody waits for it
        "demo_real": ((), {"run": folder / "real", "limit": 0}),
        "describe": ((answers,), {}),
        "doctor": (("mock",), {}),
        "export": ((run,), stage | {"out": folder / "out", "format": "jsonl", "part": "all", "progress": False}),
        **{name: ((run,), {}) for name in ("judgements", "judged_accuracy", "reread")},
        "judge": ((run,), {"model": "mock", "progress": False}),
        "import_responses": ((answers, folder / "theirs"), {"items": items}),
        "installed_plugins": ((), {}),
        "list_datasets": ((), {}),
        "list_models": ((), {}),
        "load_items": (("demo",), {"limit": 2}),
        "load_model": (("mock",), {}),
        "load_plugin": (("mine.py",), {}),
        "open_run": ((run.path,), {}),
        "plan_training": ((run, "sft"), {"recipe": recipe, "split": "votes"}),
        "push": ((run, "me/set"), {"split": "votes"}),
        "query": ((run,), {"sql": "from items"}),
        "plot": ((run, "accuracy"), {"out": folder / "f.svg"}),
        "report": ((run,), {"out": folder / "r.html", "items": 2}),
        "score": ((items[:1], "mock"), {"run": folder / "scored", "conditions": "text", "progress": False}),
        "show": ((run,), {}),
        "split": ((run,), {}),
        "train": ((run, "sft"), {"recipe": recipe, "split": "votes", "out": folder / "trained", "progress": False}),
        "validate": ((items,), {}),
        "verify": ((run.path,), {}),
        "write_results": ((run, "model-index"), {"out": folder / "index.yaml", "model": "a"}),
        "write_bundle": (([run.path], folder / "site"), {"most": 2}),
        "weak_to_strong": ((folder / "none.yaml", folder / "out"), {}),
    }


@pytest.fixture(scope="module")
def good(run: ac.Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """A good call of every verb, made once: with a wrong word it is refused, and nothing is written."""
    return calls(run, tmp_path_factory.mktemp("calls"))


def test_every_verb_is_tried(good: dict[str, Call]) -> None:
    assert set(good) == set(FUNCTIONS)


def refused(call: Callable[[], Any]) -> str:
    """The one line by which a call is refused."""
    with pytest.raises((AudiocontribError, TypeError)) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    return line


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_unknown_keyword_is_refused(name: str, good: dict[str, Call]) -> None:
    args, given = good[name]
    assert "wonder" in refused(lambda: getattr(ac, name)(*args, **given, wonder="zzz"))


WORDS = [
    (name, word.name)
    for name in FUNCTIONS
    for word in inspect.signature(getattr(ac, name)).parameters.values()
    if re.search(r"\bstr\b", str(word.annotation).replace("Callable[[str], None]", ""))
    and word.kind is word.KEYWORD_ONLY
    and word.name not in FREE.get(name, ())
]
SCOPE = [
    (name, word)
    for name in FUNCTIONS
    if "words" in inspect.signature(getattr(ac, name)).parameters
    for word in ("condition", "audio", "method", "models", "prompt")
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "word"), WORDS + SCOPE)
def test_an_unknown_word_is_refused_in_one_line(name: str, word: str, good: dict[str, Call]) -> None:
    args, given = good[name]
    line = refused(lambda: getattr(ac, name)(*args, **given | {word: "zzz"}))
    assert "zzz" in line or word in line


NUMBERS = [
    (name, word.name, str(word.annotation))
    for name in FUNCTIONS
    for word in inspect.signature(getattr(ac, name)).parameters.values()
    if re.search(r"\b(int|float|Fraction)\b", str(word.annotation)) and word.kind is not word.VAR_KEYWORD
]


def test_the_walk_over_numbers_finds_them() -> None:
    assert {("load_items", "limit"), ("split", "threshold"), ("export", "copies")} <= {one[:2] for one in NUMBERS}


WRONG = (math.nan, math.inf, -1, -0.5, 10**400, "x", True, 2.5, [1])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "word", "kind"), NUMBERS)
def test_a_number_that_is_none_is_refused(
    name: str, word: str, kind: str, good: dict[str, Call], tmp_path: Path
) -> None:
    args, words = ((), {"run": tmp_path / "run"}) if name.startswith("demo") else good[name]
    for given in WRONG:
        if given == 2.5 and "float" in kind and word != "threshold":
            continue  # a good number
        line = refused(lambda wrong=given: getattr(ac, name)(*args, **words | {word: wrong}))
        assert word in line, (given, line)


@pytest.mark.parametrize("level", [math.nan, 2, -0.1, "x", None])
def test_a_confidence_level_is_a_share(level: Any) -> None:
    assert "level" in refused(lambda: ac.statistics.wilson(1, 3, level=level))
    assert "level" in refused(lambda: ac.statistics.mean_by_clip([0, 1] * 10, range(20)).interval(level))


@pytest.mark.parametrize(
    "name",
    [name for name in FUNCTIONS if next(iter(inspect.signature(getattr(ac, name)).parameters), "") in ("run", "runs")],
)
@pytest.mark.parametrize("given", ["runs/first", None, 7])
def test_what_is_no_run_is_refused_with_the_way_to_open_one(name: str, given: Any, good: dict[str, Call]) -> None:
    args, words = good[name]
    if name in ("demo", "demo_real"):
        pytest.skip("makes its run")
    line = refused(lambda: getattr(ac, name)(given, *args[1:], **words))
    assert "run" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda run: ac.split(run, condition="audio"), "condition is 'audio', with the item's own audio"),
        (lambda run: ac.split(run, audio="silence"), "audio is 'silence', without the item's own audio"),
        (lambda run: ac.contributions(run, condition="audio"), "condition is 'audio'"),
        (lambda run: ac.measure(run, audio="text"), "audio is 'text'"),
        (lambda run: ac.summary(run, condition="audio"), "condition is 'audio'"),
        (lambda run: ac.certify(run, split="votes", model="c", condition="audio", save=False), "condition is 'audio'"),
        (lambda run: ac.certify(run, split="votes", model=["a"], save=False), "name of one model"),
        (lambda run: ac.measure(run, models=3), "models is 3"),
        (lambda run: ac.split(run, models={"a": 1}), "models is {'a': 1}"),
        (lambda run: ac.card(run, split=3), "split is 3"),
        (lambda run: ac.export(run, stage="sft", split=3, out="x"), "split is 3"),
        (lambda run: ac.accuracy(run, by="extra.nonsense"), "no item has the field extra.nonsense; there are: extra."),
        (lambda run: ac.summary(run, by="extra.nonsense"), "no item has the field extra.nonsense"),
        (lambda run: ac.load_items("demo", limit="3"), "limit is '3', but must be a whole number"),
        (lambda run: ac.open_run(""), "'' is no folder of a run"),
        (lambda run: ac.query(run, "select avg(item_id) from items"), "types 'avg(VARCHAR)'.; the views are: items"),
        (lambda run: ac.query(run, "select sum(choices) from items"), "types 'sum(VARCHAR[])'.; the views are: items"),
        (lambda run: ac.query(run, "from respones"), 'Did you mean "responses"?; the views are'),
        (lambda run: ac.split(run, leave_out=3), "leave_out is 3, but is a list of some of: unsolved"),
        (lambda run: ac.split(run, leave_out={"unsolved": 1}), "leave_out is {'unsolved': 1}"),
        (lambda run: ac.split(run, rule="adf", silent_right=99), "silent_right is 99, but only 3 models count"),
        (lambda run: ac.condition("swap:1.5"), "'1.5' is not a seed, which is a whole number"),
        (lambda run: ac.load_items("demo", revision="x"), "demo is made on the spot; it takes no revision"),
        (lambda run: ac.load_items([{"question": "q"}], name=3), "name is 3, but is a text"),
        (lambda run: ac.export(run, stage="sft", out=3), "out is 3, but must be the path"),
        (lambda run: ac.export(run, stage="sft", out="x", recipe=5), "recipe is 5, but must be the path"),
        (lambda run: ac.report(run, out=3), "out is 3, but must be the path"),
        (lambda run: ac.evaluate(run, by=3), "accuracy by 3: it can be by"),
        (lambda run: ac.summary(run, by=["k"]), "it can be by"),
        (lambda run: ac.load_items([{}]), "there are no columns at all"),
        (
            lambda run: ac.split(run, rule="audit"),
            "make one first, with `audiocontrib audit` on this run or ac.audit(run)",
        ),
        (lambda run: ac.export(run, stage="sft", out="x", disjoint="x"), "disjoint is 'x', but must be 'clip', 'item'"),
        (lambda run: ac.export(run, stage="sft", out="x", part="weka"), "did you mean 'weak'?"),
    ],
)
def test_what_would_be_wrong_and_silent_is_refused(call: Any, said: str, run: ac.Run) -> None:
    assert said in refused(lambda: call(run))


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("run.json", "{}", "does not hold an object with the run's identity"),
        ("run.json", "{", "is damaged"),
        ("items.parquet", None, "holds no items.parquet"),
    ],
)
def test_a_run_that_lacks_a_part_is_refused(
    file: str, text: str | None, said: str, run: ac.Run, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(run.path, tmp_path / "broken"))
    if text is None:
        (broken / file).unlink()
    else:
        (broken / file).write_text(text)
    assert said in refused(lambda: ac.split(ac.open_run(broken)))


def test_a_run_without_answers_has_nothing_to_evaluate(run: ac.Run, tmp_path: Path) -> None:
    empty = Path(shutil.copytree(run.path, tmp_path / "empty"))
    for part in (empty / "responses").iterdir():
        part.unlink()
    assert "hold no answers" in refused(lambda: ac.evaluate(ac.open_run(empty)))
