"""A model of one's own: a class, an object or a function in a file or from Python; each from the command line on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.models import Generated, Model, Request, load_model, model_list
from audiocontrib.models.own import is_own, refuse_own
from audiocontrib.store import Run
from audiocontrib.training import read_training_recipe

row_encoder = lazy("audiocontrib.training.encoding.row_encoder")

CLASS = '''
import math

from audiocontrib.models import Generated, Model, Scored


class Longest(Model):
    """Prefers the longest option."""

    def likelihood(self, requests):
        return [self.scored(request.prompt.options) for request in requests]

    def generate(self, requests, max_new_tokens=128):
        return [Generated(f"<answer>{max(r.prompt.options, key=len)}</answer>") for r in requests]

    def scored(self, options):
        total = math.log(sum(math.exp(len(o)) for o in options))
        return Scored(tuple(len(o) - total for o in options), (1,) * len(options))
'''
FUNCTION = '''
import helper_beside


def answer(prompt, audio):
    """Names the first option that the prompt lists; silent where nothing is heard."""
    assert isinstance(prompt, str)
    options = prompt.split("options: ['")[1].split("']")[0].split("', '")
    return helper_beside.tag(options[0 if audio is None else -1])
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a file of each kind."""
    (tmp_path / "my.py").write_text(CLASS)
    (tmp_path / "calls.py").write_text(FUNCTION)
    (tmp_path / "helper_beside.py").write_text("def tag(text):\n    return f'<answer>{text}</answer>'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def score(*more: object, run: str = "runs/own", method: str = "generate") -> Result:
    words = ["score", "--dataset", "demo", "--limit", 8, "--method", method, "--run", run, "--quiet", "--condition"]
    return CliRunner().invoke(main, [str(word) for word in (*words, "text", "--condition", "audio", *more)])


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


def refused(result: Result, *parts: str) -> str:
    """The one line of an error that nobody would call unexpected."""
    assert result.exit_code == 2, result.output
    [line] = [one for one in result.stderr.splitlines() if one.startswith("error: ")]
    assert all(part in line for part in parts), line
    assert "(unexpected; " not in line
    assert result.stderr.strip().splitlines() == [line]
    return line


# the doors


@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_a_class_in_a_file(place: Path, method: str) -> None:
    done(score("--model", "my.py:Longest", method=method))
    rows = ac.open_run("runs/own").responses
    assert set(rows["model"]) == {"Longest"}
    assert set(rows["outcome"]) == {"answered"}
    choices = {item.id: item.choices for item in ac.load_items("demo", limit=8)}
    assert all(len(choices[r.item_id][r.choice]) == max(map(len, choices[r.item_id])) for r in rows.itertuples())


def test_a_function_in_a_file_is_asked_by_generate_only(place: Path) -> None:
    done(score("--model", "calls.py:answer"))
    rows = ac.open_run("runs/own").responses
    assert set(rows["model"]) == {"answer"}
    first = rows[(rows["order"] == 0) & (rows["condition"] == "text")]
    assert set(first["choice"]) == {0}
    heard = rows[(rows["order"] == 0) & (rows["condition"] == "audio")]
    choices = {item.id: item.choices for item in ac.load_items("demo", limit=8)}
    assert all(r.choice == len(choices[r.item_id]) - 1 for r in heard.itertuples())
    refused(score("--model", "calls.py:answer", run="runs/x", method="likelihood"), "answer", "it can: generate")
    assert not Path("runs/x").exists()


def test_a_function_hears_samples_of_its_own(place: Path, tmp_path: Path) -> None:
    heard: list[Any] = []

    def listener(prompt: str, audio: Any) -> str:
        if audio is not None:
            heard.append((audio.dtype, audio.ndim, len(audio) / 16_000, float(np.abs(audio).max())))
            audio *= 0
        return "?"

    run = ac.score(ac.load_items("demo", limit=4), [listener], ["audio"], run="r", method="generate", progress=False)
    rows = run.responses
    assert {(kind, ndim) for kind, ndim, *_ in heard} == {(np.dtype("float32"), 1)}
    assert sorted(seconds for *_, seconds, _ in heard) == sorted(rows["audio_seconds"])
    assert all(peak > 0 for *_, peak in heard)  # the next order does not hear what one has changed
    assert set(rows["outcome"]) == {"unparsed"}


def test_an_object_in_a_file(place: Path) -> None:
    (place / "made.py").write_text(
        CLASS.replace(
            "class Longest(Model):", "class Longest(Model):\n    def __init__(self, top):\n        self.t = top"
        )
        + "\nfive, six = Longest(5), Longest(6)\n"
    )
    done(score("--model", "made.py:five", "--name", "a"))
    assert ac.open_run("runs/own").manifest["identity"]["models"]["a"]["arguments"] == {"0": 5}
    assert load_model("made.py:six").identity() != load_model("made.py:five").identity()


@pytest.mark.slow
def test_the_same_command_asks_nothing_twice_and_an_edited_file_is_refused(place: Path) -> None:
    for model in ("my.py:Longest", "calls.py:answer"):
        run = f"runs/{model[:2]}"
        done(score("--model", model, run=run))
        before = Run.open(run).responses
        done(score("--model", model, run=run))
        assert len(Run.open(run).responses) == len(before)
        assert len(list(Path(run, "responses").glob("*.parquet"))) == 1
        file = place / model.partition(":")[0]
        file.write_text(file.read_text() + "\n# edited\n")
        result = score("--model", model, run=run)
        assert result.exit_code == 1
        assert f"models.{model.partition(':')[2]}.file_sha256: " in result.stderr
        assert len(result.stderr.strip().splitlines()) == 2  # the headline, and one change
        assert len(Run.open(run).responses) == len(before)


def test_a_fingerprint_of_ones_own_does_not_hide_an_edited_file(place: Path) -> None:
    text = CLASS + "\n    def fingerprint(self):\n        return {'version': 1}\n"
    (place / "my.py").write_text(text)
    done(score("--model", "my.py:Longest"))
    (place / "my.py").write_text(text.replace("max(r", "min(r"))
    assert "file_sha256" in score("--model", "my.py:Longest").stderr


def test_another_class_of_the_same_file_is_another_model(place: Path) -> None:
    (place / "my.py").write_text(CLASS + "\n\nclass Other(Longest):\n    name = 'Longest'\n")
    done(score("--model", "my.py:Longest"))
    assert "models.Longest.class: Longest -> Other" in score("--model", "my.py:Other").stderr


@pytest.mark.slow
def test_names_under_which_answers_are_stored(place: Path) -> None:
    done(score("--model", "my.py:Longest", "--name", "null model"))
    done(score("--model", "mock:name=x", "--name", "m", "--model", "calls.py:answer", "--name", "first"))
    assert set(ac.open_run("runs/own").responses["model"]) == {"null model", "m", "first"}
    refused(score("--model", "mock", "--model", "my.py:Longest", "--name", "a"), "1 names for 2 models")
    refused(score("--model", "mock", "--name", "a", "--name", "b"), "2 names for 1 models")
    refused(score("--model", "mock", "--model", "my.py:Longest", "--name", "a", "--name", "a"), "each model once")
    refused(score("--model", "mock", "--name", " "), "must be a text of one line")
    refused(score("--model", "my.py:Longest", "--name", "a\nb"), "must be a text of one line")
    out = done(score("--model", "my.py:Longest", "--name", "planned", "--dry-run", method="likelihood")).stdout
    assert "planned" in out


def test_two_that_call_themselves_the_same_need_names(place: Path) -> None:
    (place / "other.py").write_text(CLASS)
    line = refused(score("--model", "my.py:Longest", "--model", "other.py:Longest"), "two models are called Longest")
    assert "give each a name" in line
    done(score("--model", "my.py:Longest", "--model", "other.py:Longest", "--name", "a", "--name", "b"))


@pytest.mark.slow
def test_several_processes_load_it_themselves(place: Path) -> None:
    run = ac.score(
        ac.load_items("demo", limit=6), "my.py:Longest", ["text"], names="mine", run="r", devices=["cpu", "cpu"],
        progress=False,
    )  # fmt: skip
    assert set(run.responses["model"]) == {"mine"}


def test_from_python(place: Path) -> None:
    model = load_model("my.py:Longest", name="mine")
    assert (model.name, sorted(model.capabilities)) == ("mine", ["audio", "generate", "likelihood"])
    items = ac.load_items("demo", limit=4)
    run = ac.score(items, model, ["text"], run="r", progress=False)  # one needs no list
    assert set(run.responses["model"]) == {"mine"}
    run = ac.score(items, "mock:name=alone", ["text"], run="s", progress=False)
    assert set(run.responses["model"]) == {"alone"}
    with pytest.warns(FutureWarning, match=r"load_model\(name=…\)"):
        assert load_model(name="mock").name == "mock"


# what is no model is refused in one line, with the file and the line of it


FILES = {
    "syntax.py": "x = 1\n\ndef broken(:\n    pass\n",
    "raises.py": "import json\n\n\njson.loads('{')\n",
    "imports.py": "\nimport no_such_module_anywhere\n",
    "deep.py": "import syntax\n",
    "exits.py": "import sys\n\nsys.exit(3)\n",
    "latin.py": b"x = '\xe9'\n",
    "nul.py": b"x = 1\n\x00\n",
    "kinds.py": """
from audiocontrib.models import Model

number = 7


class Plain:
    pass


class Needs(Model):
    def __init__(self, folder, top=3):
        pass

    def generate(self, requests, max_new_tokens=128):
        return []


class Breaks(Needs):
    def __init__(self):
        self.x = {}["x"]


class Nothing(Model):
    pass


class Short(Model):
    def generate(self, requests):
        return []


class Later(Model):
    async def likelihood(self, requests):
        return []


class Claims(Model):
    capabilities = frozenset({"likelihood"})


class Sees(Needs):
    capabilities = frozenset({"generate", "vision"})

    def __init__(self):
        pass


class Listed(Sees):
    capabilities = ["generate"]


class Nameless(Sees):
    capabilities = frozenset({"generate"})
    name = "a\\nb"


class Endless(Nameless):
    name = "endless"
    max_seconds = "30"


class Idle(Nameless):
    name = "idle"
    concurrency = 0


class Untold(Nameless):
    name = "untold"

    def fingerprint(self):
        return {"weights": {1, 2}}


class Mute(Nameless):
    name = "mute"

    def fingerprint(self):
        return None


def one(prompt):
    return prompt


async def later(prompt, audio):
    return prompt


shout = lambda prompt, audio: prompt
""",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("gone.py:Longest", ["gone.py", "there is no such file"]),
        ("folder.py:Longest", ["folder.py"]),
        ("my.py", ["my.py", "after a colon", "Longest"]),
        ("my.py:", ["after a colon", "Longest"]),
        ("my.py:Longst", ["my.py", "did you mean 'Longest'?"]),
        ("my.py:Short.est", ["'Short.est'", "Longest"]),
        ("syntax.py:broken", ["syntax.py:3", "SyntaxError"]),
        ("raises.py:x", ["raises.py:4", "JSONDecodeError"]),
        ("imports.py:x", ["imports.py:2", "ModuleNotFoundError", "no_such_module_anywhere"]),
        ("deep.py:x", ["syntax.py:3", "SyntaxError"]),
        ("exits.py:x", ["exits.py", "__main__"]),
        ("latin.py:x", ["latin.py", "SyntaxError"]),
        ("nul.py:x", ["nul.py", "null bytes"]),
        ("kinds.py:number", ["kinds.py", "number is 7"]),
        ("kinds.py:Plain", ["kinds.py:7", "no subclass of audiocontrib.models.Model"]),
        ("kinds.py:Model", ["kinds.py", "no subclass"]),
        ("kinds.py:Needs", ["kinds.py:11", "needs folder", "mine = Needs("]),
        ("kinds.py:Breaks", ["kinds.py:21", "KeyError"]),
        ("kinds.py:Nothing", ["Nothing answers nothing", "likelihood", "generate"]),
        ("kinds.py:Short", ["Short.generate", "(requests, max_new_tokens)"]),
        ("kinds.py:Later", ["Later.likelihood is async"]),
        ("kinds.py:Claims", ["capable of likelihood", "no such method"]),
        ("kinds.py:Sees", ["capabilities", "vision"]),
        ("kinds.py:Listed", ["capabilities", "must be a set"]),
        ("kinds.py:Nameless", ["a text of one line"]),
        ("kinds.py:Endless", ["max_seconds is '30'"]),
        ("kinds.py:Idle", ["concurrency is 0"]),
        ("kinds.py:Untold", ["fingerprint", "JSON"]),
        ("kinds.py:Mute", ["fingerprint", "JSON"]),
        ("kinds.py:one", ["kinds.py", "(prompt, audio)", "(prompt)"]),
        ("kinds.py:later", ["kinds.py", "async"]),
        ("sub/none.py:x", ["sub/none.py"]),
        ("", ["names no model"]),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(place: Path, model: str, parts: list[str]) -> None:
    for name, text in FILES.items():
        (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (place / "folder.py").mkdir()
    refused(score("--model", model, method="likelihood" if "Later" in model else "generate"), *parts)
    assert not Path("runs").exists()


def test_what_it_prints_is_not_among_the_tables(place: Path) -> None:
    text = "print('loading')\n\n\ndef answer(prompt, audio):\n    print('thinking')\n    return ''\n"
    (place / "loud.py").write_text(text)
    out = done(score("--model", "loud.py:answer", "--format", "json"))
    assert [json.loads(line)["model"] for line in out.stdout.splitlines()] == ["answer"] * 2
    assert {"loading", "thinking"} <= set(out.stderr.splitlines())


def test_a_lambda_in_a_file_has_the_name_that_it_is_called_by(place: Path) -> None:
    (place / "kinds.py").write_text(FILES["kinds.py"])
    assert load_model("kinds.py:shout").name == "shout"


@pytest.mark.parametrize(
    ("models", "part"),
    [
        (3, "3 is no model"), (None, "None is no model"), ([], "at least one"), ([None], "is no model"),
        (["mock", 7], "7 is no model"), (b"mock", "is no model"), ({"mock": 1}, "is no model"), (Model, "is a class"),
        ([Model()], "answers nothing"), ([lambda prompt, audio: ""], "no name"), ([print], "is no model"),
        ([np.zeros((9, 9))], "is no model"), (["mock", "mock"], "each model once"), ([""], "names no model"),
        ([dict], "is a class"),
    ],
)  # fmt: skip
def test_what_is_passed_as_a_model_is_one(models: Any, part: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=part) as caught:
        ac.score(ac.load_items("demo", limit=2), models, ["text"], run=tmp_path / "r", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r").exists()


def test_a_folder_may_be_a_path(tmp_path: Path) -> None:
    assert model_list(tmp_path / "model") == [(str(tmp_path / "model"), None)]
    assert model_list(["mock", tmp_path], ["a", "b"]) == [("mock", "a"), (str(tmp_path), "b")]


# code is loaded when the user names it, and never because a file does


@pytest.mark.parametrize("model", ["my.py:Longest", "./my.py:Longest", "C:\\x\\my.py:Longest", "my.py", "a/b.py:c"])
def test_code_is_known_by_its_name(model: str) -> None:
    assert is_own(model)
    with pytest.raises(UsageError, match="is code") as caught:
        refuse_own(["mock", model], "the plan p.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "model",
    ["mock:name=my.py:x", "endpoint:my.py:x@http://h:1/v1", "cascade:my.yaml", "org/name", "./model", "model.python:x"],
)
def test_what_is_no_code_is_not_taken_for_it(model: str) -> None:
    assert not is_own(model)


def test_a_plan_a_training_and_a_cascade_that_name_code_are_refused(place: Path) -> None:
    (place / "my.py").write_text("open('ran', 'w').close()\n" + CLASS)
    plan = {
        "about": "a", "training": "training.yaml", "raters": ["mock", "my.py:Longest"],
        "data": {"dataset": "demo", "limit": 4}, "held_out": {"dataset": "demo", "seed": 1, "limit": 4},
    }  # fmt: skip
    stage = {"part": "weak", "learning_rate": 1e-4, "batch": 2, "steps": 1, "warmup": 0}
    Path("training.yaml").write_text(yaml.safe_dump({"about": "a", "model": "mock", "sft": stage}))
    Path("plan.yaml").write_text(yaml.safe_dump(plan))
    refused(CliRunner().invoke(main, ["weak-to-strong", "--plan", "plan.yaml", "--out", "o"]), "my.py:Longest", "code")
    Path("training.yaml").write_text(yaml.safe_dump({"about": "a", "model": "my.py:Longest", "sft": stage}))
    Path("plan.yaml").write_text(yaml.safe_dump(plan | {"raters": ["mock"]}))
    refused(CliRunner().invoke(main, ["weak-to-strong", "--plan", "plan.yaml", "--out", "o"]), "my.py:Longest", "code")
    with pytest.raises(UsageError, match=r"my.py:Longest is code, which cannot be trained"):
        row_encoder.load_for_training("my.py:Longest", read_training_recipe(Path("training.yaml")).sft)
    parts = {"reader": {"weights": "r"}, "recogniser": {"weights": "my.py:Longest"}}
    Path("c.yaml").write_text(yaml.safe_dump({"name": "c", **parts}))
    refused(score("--model", "cascade:c.yaml"), "my.py:Longest", "code")
    assert not Path("ran").exists()


@pytest.mark.slow
def test_a_run_does_not_load_the_code_that_it_names(place: Path) -> None:
    done(score("--model", "my.py:Longest", "--condition", "silence", method="likelihood"))
    (place / "my.py").write_text("open('ran', 'w').close()\n")
    for words in ("show --run runs/own", "split --run runs/own --threshold 0.5", "evaluate --run runs/own",
                  "card --run runs/own", "report --run runs/own"):  # fmt: skip
        done(CliRunner().invoke(main, words.split()))
    assert not Path("ran").exists()


# before there was the base class


class Unbased:
    name = "old"
    capabilities = frozenset({"generate"})
    max_seconds = None

    def fingerprint(self) -> dict[str, Any]:
        return {"class": "old", "version": 1}

    def likelihood(self, requests: list[Request]) -> list[Any]:
        raise NotImplementedError

    def generate(self, requests: list[Request], max_new_tokens: int = 128) -> list[Generated]:
        return [Generated(r.prompt.completion(r.prompt.options[0])) for r in requests]


def test_a_model_without_the_base_class_goes_on_with_a_line(tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match=r"class Unbased\(audiocontrib.models.Model\)"):
        run = ac.score(ac.load_items("demo", limit=3), [Unbased()], ["text"], run=tmp_path / "r", method="generate",
                       progress=False)  # fmt: skip
    assert set(run.responses["outcome"]) == {"answered"}
    assert run.manifest["identity"]["models"] == {"old": {"class": "old", "version": 1}}  # a run of before goes on


def test_the_list_of_models_says_how_to_name_ones_own() -> None:
    rows = [json.loads(line) for line in CliRunner().invoke(main, ["models", "--format", "json"]).stdout.splitlines()]
    [own] = [row for row in rows if row["kind"] == "your own"]
    assert own["name"] == "my.py:NAME"
    page = own["about"].split("(")[1].rstrip(")")
    assert (Path(__file__).parents[2] / page).is_file()
