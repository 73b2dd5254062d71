"""Reward functions of one's own: from a file, a plugin or a notebook; understood, or refused in one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.lazy import lazy
from helpers.training_tools import TINY, demo_rows, grpo, two, weights

from audiocontrib import plugins
from audiocontrib.api.train import changed_recipe
from audiocontrib.cli import main
from audiocontrib.cli.plugin_options import plugins_by_part
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sources import load_items
from audiocontrib.training import RewardInput, TrainingRecipe, reward, reward_files, train_grpo
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.output.training_record import read_record
from audiocontrib.training.recipe import SFT
from audiocontrib.training.reward_files import load_rewards, reward_sources
from audiocontrib.training.reward_functions import BUILT_IN, REWARDS, check_function, rated
from audiocontrib.training.reward_input import reward_input
from audiocontrib.training.reward_trial import try_rewards

torch = lazy("torch")
pq = lazy("pyarrow.parquet")
arguments = lazy("audiocontrib.training.trainers.arguments")
grpo_module = lazy("audiocontrib.training.trainers.grpo")

GOOD = """
def brief(asked):
    return 1 / (1 + len(asked.reply.split()))
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    held = dict(REWARDS), dict(REWARDS.origins)
    for name in ("_modules", "_files"):
        monkeypatch.setattr(reward_files, name, {})
    monkeypatch.setattr(plugins, "_loaded", {})
    for name in list(REWARDS.origins):  # other tests of this process may have filed theirs
        del REWARDS[name], REWARDS.origins[name]
    yield
    REWARDS.clear()
    REWARDS.update(held[0])
    REWARDS.origins.clear()
    REWARDS.origins.update(held[1])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.py"
    path.write_text(GOOD)
    return path


def asked_of(reply: str = "<answer>x</answer>", **more: Any) -> RewardInput:
    return RewardInput("a/1", "Which?", ("x", "y"), 0, reply, **more)


def test_a_file_is_run_once_and_gives_several(tmp_path: Path) -> None:
    path = tmp_path / "my.py"
    path.write_text(f"{GOOD}\nimport pathlib\nwith open({str(tmp_path / 'runs')!r}, 'a') as f: f.write('x')\n"
                    "def loud(asked):\n    return asked.heard == 'audio'\n")  # fmt: skip
    assert load_rewards([f"{path}:brief=0.5", f"{path}:loud"]) == {"brief": 0.5, "loud": None}
    assert load_rewards([f"{path}:brief=-2"]) == {"brief": -2.0}
    assert (tmp_path / "runs").read_text() == "x"
    assert rated("loud", REWARDS["loud"], asked_of()) == 1.0  # a truth value is 1 or 0
    path.write_text(GOOD.replace("1 /", "2 /"))  # mended: the new code counts, and what is gone is gone
    load_rewards([f"{path}:brief"])
    assert rated("brief", REWARDS["brief"], asked_of("one")) == 1.0
    assert "loud" not in REWARDS


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("", ":brief", "it has no 'brief'"),
        (GOOD, ":breif", "did you mean 'brief'"),
        (GOOD, "", "name its function after a colon; there are: brief"),
        (GOOD, ":", "name its function after a colon"),
        (GOOD, ":brief=much", "its weight is 'much', but must be a number"),
        (GOOD, ":brief=nan", "its weight is 'nan'"),
        (GOOD, ":brief=", "its weight is ''"),
        ("x = 1 / 0", ":x", "my.py:1: ZeroDivisionError"),
        ("def f(:", ":f", "my.py:1: SyntaxError"),
        ("raise SystemExit", ":f", "it ends the program"),
        ("def accuracy(asked):\n    return 1", ":accuracy", "is called as a reward of audiocontrib's own"),
        ("def std(asked):\n    return 1", ":std", "is called as a column of the metrics"),
        ("def näh(asked):\n    return 1", ":näh", "a reward's name is of letters"),
        ("def f(a, b):\n    return 1", ":f", r"my.py:1: the reward f takes \(a, b\)"),
        ("def f():\n    return 1", ":f", r"takes \(\)"),
        ("def f(*, asked):\n    return 1", ":f", r"takes \(\*, asked\)"),
        ("async def f(asked):\n    return 1", ":f", "is async"),
        ("def f(asked):\n    yield 1", ":f", "is a generator"),
        ("class f:\n    pass", ":f", "is the class f"),
        ("f = 3", ":f", "the reward f is 3"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(tmp_path: Path, text: str, name: str, says: str) -> None:
    path = tmp_path / "my.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=says) as told:
        load_rewards([f"{path}{name}"])
    assert "\n" not in str(told.value)


def test_names_are_one_each(mine: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(GOOD)
    copy = tmp_path / "copy.py"
    copy.write_text(GOOD)
    load_rewards([f"{mine}:brief"])
    assert load_rewards([f"{copy}:brief"]) == {"brief": None}  # the same code
    other.write_text(f"{GOOD}\n")
    with pytest.raises(UsageError, match=r"other.py:2: reward 'brief' is there already \(first at my.py:2\)"):
        load_rewards([f"{mine}:brief", f"{other}:brief"])
    with pytest.raises(UsageError, match="named twice"):
        load_rewards([f"{mine}:brief", f"{mine}:brief=2"])
    with pytest.raises(UsageError, match="there is no such file"):
        load_rewards([f"{tmp_path}/none.py:brief"])
    for name in (*BUILT_IN, "std", "a b", "", "1x", None):
        with pytest.raises(UsageError):
            reward(name)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="registered twice"):
        reward("brief")(lambda asked: 1.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "gives None"),
        (float("nan"), "gives nan"),
        (float("inf"), "gives inf"),
        (10**400, "gives a number of too many digits"),
        (1e39, "gives 1e"),  # more than float32 holds
        ("1", "gives str '1'"),
        ([1.0], r"gives list \[1.0\]"),
        (np.ones(3), "gives ndarray"),
        (1j, "gives complex"),
        (lambda: 1, "gives function"),
    ],
)
def test_what_is_no_number_is_refused(given: Any, says: str) -> None:
    with pytest.raises(AudiocontribError, match=f"the reward mine {says}.*a/1") as told:
        rated("mine", lambda asked: given, asked_of())
    assert "\n" not in str(told.value)
    assert Path(__file__).name in str(told.value)


@pytest.mark.parametrize("given", [1, 1.0, True, np.float32(1), np.int64(1), np.bool_(True), np.array(1.0)])
def test_what_is_a_number_is_taken(given: Any) -> None:
    assert rated("mine", lambda asked: given, asked_of()) == 1.0
    assert isinstance(rated("mine", lambda asked: given, asked_of()), float)


def test_a_failing_function_is_named_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def bad(asked: RewardInput) -> float:
        print("said")
        raise KeyError("thought")

    def ends(asked: RewardInput) -> float:
        sys.exit("bye")

    def interrupted(asked: RewardInput) -> float:
        raise KeyboardInterrupt

    line = bad.__code__.co_firstlineno + 2
    with pytest.raises(AudiocontribError, match=f"{Path(__file__).name}:{line}: KeyError: 'thought'"):
        rated("bad", bad, asked_of())
    assert capsys.readouterr() == ("", "said\n")  # stdout is for tables
    with pytest.raises(AudiocontribError, match="SystemExit: bye"):
        rated("ends", ends, asked_of())
    with pytest.raises(KeyboardInterrupt):
        rated("interrupted", interrupted, asked_of())


def test_what_a_function_is_given_is_frozen_and_read_as_in_evaluation() -> None:
    item = load_items("demo", seed=3, limit=1)[0]
    asked = reward_input(item, ("a dog", "rain"), 1, "<think>a dog?</think><answer>rain</answer>", silent=False)
    assert (asked.choice, asked.thought, asked.said) == (1, "a dog?", "<answer>rain</answer>")
    assert (asked.heard, asked.clip) == ("audio", item.audio)
    assert asked.extra == dict(item.extra)
    with pytest.raises(TypeError):
        asked.extra["new"] = 1  # type: ignore[index]
    with pytest.raises(AttributeError):
        asked.reply = "else"  # type: ignore[misc]
    for value in asked.extra.values():
        if isinstance(value, list):
            value.append("mine")
    assert item.extra == load_items("demo", seed=3, limit=1)[0].extra
    deaf = reward_input(item, ("a dog", "rain"), 1, "<answer>rain", silent=True, ended=False)
    assert (deaf.heard, deaf.clip, deaf.choice) == ("silence", None, None)


def test_it_is_tried_before_the_first_step() -> None:
    rows = demo_rows(12)
    tried: list[str] = []

    def counts(asked: RewardInput) -> float:
        tried.append(asked.item_id)
        return float(len(asked.reply))

    assert try_rewards({"counts": counts}, rows, silent=False) is None
    assert len(set(tried)) == 12

    def fails_on_one(asked: RewardInput) -> float:
        return 1 / (asked.item_id != rows[7].item.id)

    with pytest.raises(UsageError, match=f"fails on a reply to {rows[7].item.id}"):
        try_rewards({"one": fails_on_one}, rows, silent=False)
    with pytest.raises(UsageError, match="IndexError"):  # a reply may be empty
        try_rewards({"first": lambda asked: float(asked.reply.split()[0] == "x")}, rows, silent=False)
    with pytest.raises(UsageError, match="gives None"):  # in silence alone
        try_rewards({"deaf": lambda asked: 1.0 if asked.heard == "audio" else None}, rows, silent=True)  # type: ignore
    assert try_rewards({"deaf": lambda asked: 1.0 if asked.heard == "audio" else None}, rows, silent=False) is None  # type: ignore
    with pytest.raises(UsageError, match="another number each time"):
        try_rewards({"dice": lambda asked: float(np.random.default_rng().random())}, rows, silent=False)


def test_a_slow_function_is_tried_on_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.training.reward_trial.SECONDS", 0.0)
    assert "tried on 8 of 12 items" in str(try_rewards({"one": lambda asked: 1.0}, demo_rows(12), silent=False))


def test_a_recipe_names_rewards_and_loads_none(mine: Path) -> None:
    recipe = TrainingRecipe(about="x", model=TINY, grpo=grpo(own_rewards={"brief": 0.5}))
    with pytest.raises(UsageError, match="own_rewards names 'brief', which is not known here"):
        changed_recipe(recipe, "grpo", {})
    asked = changed_recipe(recipe, "grpo", {}, rewards=[f"{mine}:brief"])
    assert asked.grpo is not None
    assert asked.grpo.own_rewards == {"brief": 0.5}
    assert changed_recipe(recipe, "grpo", {}, rewards=["brief=3"]).grpo.own_rewards == {"brief": 3.0}  # type: ignore
    bare = TrainingRecipe(about="x", model=TINY, sft=SFT(part="all", learning_rate=1, batch=1, steps=2), grpo=grpo())
    assert changed_recipe(bare, "grpo", {}, rewards=["brief"]).grpo.own_rewards == {"brief": 1.0}  # type: ignore
    with pytest.raises(UsageError, match="rewards are of grpo"):
        changed_recipe(bare, "sft", {}, rewards=["brief"])
    assert grpo(own_rewards={}) == grpo()
    assert changed_recipe(bare, "grpo", {}, rewards="brief").grpo == grpo(own_rewards={"brief": 1})  # type: ignore
    for wrong in ({"accuracy": 1}, {"a b": 1}, {"x": "inf"}, {"x": "much"}, {"x": None}, "brief", ["brief"]):
        with pytest.raises(UsageError, match="own_rewards"):
            grpo(own_rewards=wrong)


def test_a_plugin_registers_one(tmp_path: Path) -> None:
    path = tmp_path / "parts.py"
    path.write_text("from audiocontrib.training import reward\n@reward('brief')\ndef short(asked):\n    return 1\n")
    plugins.load_plugin(path)
    assert load_rewards(["brief=2"]) == {"brief": 2.0}
    [source] = reward_sources(["brief"])
    assert (source.file, source.plugin) == (None, str(path))
    assert load_rewards([f"{path}:short"]) == {"brief": None}  # the same function, by its registered name
    done = CliRunner().invoke(main, ["plugins", "--plugin", str(path), "--format", "json"])
    assert json.loads(done.stdout)["parts"] == "reward brief"


def test_an_installed_plugin_is_loaded_by_the_name_of_its_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.plugins.installed_plugins", lambda: {"brief": "parts"})
    assert plugins_by_part(["train", "grpo", "--reward", "brief=0.5"]) == ["brief"]
    assert plugins_by_part(["train", "grpo", "--reward=brief=0.5"]) == ["brief"]
    assert plugins_by_part(["train", "grpo", "--reward", "my.py:brief"]) == []


def test_identity_holds_the_source(mine: Path) -> None:
    from audiocontrib.models import load_model

    model, rows = load_model(TINY), demo_rows(4)
    load_rewards([f"{mine}:brief"])
    told = [arguments.identity("grpo", grpo(own_rewards={"brief": 1}), rows, model)]
    mine.write_text(GOOD + "\n")
    load_rewards([f"{mine}:brief"])
    told.append(arguments.identity("grpo", grpo(own_rewards={"brief": 1}), rows, model))
    assert told[0]["rewards"] != told[1]["rewards"]
    assert "rewards" not in arguments.identity("grpo", grpo(), rows, model)
    assert "own_rewards" not in arguments.identity("grpo", grpo(), rows, model)["settings"]
    REWARDS["typed"] = eval("lambda asked: 1.0", {"__name__": "typed_in"})
    with pytest.raises(UsageError, match="the code of the reward typed cannot be read"):
        reward_sources(["typed"])


def test_metrics_have_a_column_for_each() -> None:
    log = [{"step": 1, "loss": 0.1, "rewards/accuracy/mean": 0.5, "rewards/brief/mean": 0.25, "rewards/brief/std": 0.1}]
    table = metrics_table([*log, {"step": 2, "loss": 0.1}])
    assert table["reward_brief"].to_pylist() == [0.25, None]
    assert [name for name in table.column_names if name.startswith("reward_")] == ["reward_std", "reward_brief"]


def test_fractions_are_no_surprise() -> None:
    with pytest.raises(AudiocontribError, match="gives Fraction"):
        rated("mine", lambda asked: Fraction(1, 2), asked_of())  # type: ignore[arg-type,return-value]
    check_function(len, "of_c")


@pytest.mark.slow
def test_it_rewards_each_reply_by_what_it_heard(tmp_path: Path) -> None:
    """The reward is the weighted sum, also of the replies to silence, and reaches the advantages."""
    seen: list[RewardInput] = []

    @reward("longer")
    def longer(asked: RewardInput) -> float:
        seen.append(asked)
        return len(asked.reply) / 100

    settings = grpo(own_rewards={"longer": 0.5}, silent_replies=2, steps=1, warmup=0, batch=8, generations=4)
    rows = demo_rows(8)
    out = train_grpo(settings, rows, TINY, tmp_path / "out", progress=False)
    asked = seen[-8:]
    assert [one.heard for one in asked] == ["audio", "audio", "silence", "silence"] * 2
    [step] = pq.read_table(out.metrics).to_pylist()
    mean = sum(len(one.reply) for one in asked) / 800
    assert step["reward_longer"] == pytest.approx(mean)
    both = sum(2.0 * (one.choice == one.gold) for one in asked if one.heard == "audio") / 8
    assert step["reward"] == pytest.approx(
        both + 0.5 * step["format"] + 2.0 * step["abstained"] / 2 + 0.5 * mean, abs=1e-5
    )
    card = (out.model / "README.md").read_text()
    assert "longer 0.5 (own code, SHA-256" in card
    with pytest.raises(UsageError, match="another training"):
        train_grpo(grpo(own_rewards={"longer": 1.5}, steps=1, warmup=0), rows, TINY, tmp_path / "out", progress=False)


@pytest.mark.slow
def test_what_a_function_leaves_changed_changes_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges seed generators when they are asked, turn gradients off, and go elsewhere for their files."""
    monkeypatch.chdir(tmp_path)
    made = []

    @reward("judged")
    def judged(asked: RewardInput) -> float:
        if made:
            torch.manual_seed(0)
            np.random.seed(0)
            torch.set_grad_enabled(False)
            os.chdir("/")
        return len(asked.reply) / 7

    for out in ("quiet", "loud"):
        made.append(train_grpo(grpo(own_rewards={"judged": 1}, steps=2), demo_rows(8), TINY, out, progress=False))
    ours, theirs = (weights(one.model) for one in made)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_what_was_learned_is_kept_when_a_function_fails(tmp_path: Path) -> None:
    calls = {"left": 0}

    @reward("flaky")
    def flaky(asked: RewardInput) -> float:
        calls["left"] -= 1
        if calls["left"] == 0:
            raise ConnectionError("the judge is gone")
        return float(len(asked.reply))

    rows, settings = demo_rows(12), grpo(own_rewards={"flaky": 0.1}, steps=4, save_every=100)
    straight = train_grpo(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "out"
    tried = 12 * 2 + 8 * 2  # before the first step; the first eight twice
    calls["left"] = tried + 8 * 2 + 3  # in the third generation
    with pytest.raises(AudiocontribError, match=r"the judge is gone.*checkpoint-2 is whole") as told:
        train_grpo(settings, rows, TINY, out, progress=False)
    assert "\n" not in str(told.value)
    again = train_grpo(settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)  # as if nothing had happened
    first, second = (pq.read_table(one.metrics).to_pylist() for one in (straight, again))
    assert [one["tokens"] for one in first] == [one["tokens"] for one in second]
    assert [one["reward_flaky"] for one in first] == [one["reward_flaky"] for one in second]


def train_with_own(out: str, fails: bool) -> None:
    """In one of two processes: the second one's function fails in the second step."""

    @reward("length")
    def length(asked: RewardInput) -> float:
        if fails and os.environ["RANK"] == "1" and os.path.exists(f"{out}/metrics.parquet"):
            raise ValueError("only here")
        return float(len(asked.reply))

    settings = grpo(own_rewards={"length": 0.1}, steps=3, batch=4, save_every=1)
    try:
        train_grpo(settings, demo_rows(12), TINY, out, progress=False)
    except AudiocontribError as error:
        Path(f"{out}-{os.environ['RANK']}.txt").write_text(str(error))


@pytest.mark.slow
def test_two_processes_reward_the_same_and_stop_together(tmp_path: Path) -> None:
    assert two(train_with_own, str(tmp_path / "good"), False) == [0, 0]
    steps = pq.read_table(tmp_path / "good" / "metrics.parquet").to_pylist()
    assert all(one["reward_length"] > 1 for one in steps)
    assert two(train_with_own, str(tmp_path / "bad"), True) == [0, 0]
    told = [(tmp_path / f"bad-{rank}.txt").read_text() for rank in (0, 1)]
    assert told[0] == told[1]
    assert "only here" in told[0]


@pytest.mark.slow
def test_from_the_command_line(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import audiocontrib as ac

    monkeypatch.chdir(tmp_path)
    run = ac.score(load_items("demo", seed=3, limit=8), ["mock"], run="r", progress=False)
    ac.split(run, threshold=0.5).save(run.split_folder("all"))
    Path("recipe.yaml").write_text(
        f"about: x\nmodel: {TINY}\ngrpo: {{part: all, learning_rate: 1e-3, batch: 8, steps: 2, generations: 4, "
        "new_tokens: 8, copies: 1}\n"
    )
    line = ["train", "grpo", "--training-recipe", "recipe.yaml", "--run", "r", "--out", "out", "--quiet"]
    done = CliRunner().invoke(main, [*line, "--reward", "my.py:brief=0.5"])
    assert done.exit_code == 0, done.stderr
    card = Path("out/model/README.md").read_text()
    assert "--reward my.py:brief" in card
    assert read_record(Path("out")).stages[-1].rewards[0].file == "my.py:brief"
    for words, says in (
        (["--reward", "my.py:none"], "it has no 'none'"),
        (["--set", "own_rewards={nobody: 1}"], "own_rewards names 'nobody'"),
        (["--reward", "nobody"], "'nobody', which is not known here"),
    ):
        failed = CliRunner().invoke(main, [*line, *words])
        assert (failed.exit_code, len(failed.stderr.splitlines())) == (2, 1), failed.stderr
        assert says in failed.stderr


@pytest.mark.slow
def test_a_plan_tries_its_rewards_before_anything_is_asked(tmp_path: Path) -> None:
    from test_weak_to_strong import plan

    from audiocontrib.weak_to_strong import weak_to_strong

    stage = {"part": "strong", "learning_rate": 1e-4, "steps": 2, "copies": 1, "batch": 8, "generations": 4}
    path, out = plan(tmp_path, {"grpo": stage | {"own_rewards": {"planned": 1}}}), tmp_path / "out"
    with pytest.raises(UsageError, match="own_rewards names 'planned', which is not known here"):
        weak_to_strong(path, out, progress=False)

    @reward("planned")
    def planned(asked: RewardInput) -> float:
        raise LookupError("no such field")

    with pytest.raises(UsageError, match="the reward planned fails on a reply to demo/"):
        weak_to_strong(path, out, progress=False)
    path = plan(tmp_path, {"grpo": stage | {"own_rewards": {"planned": 1}}}, trainer="ms-swift")
    with pytest.raises(UsageError, match="own_rewards of grpo is not carried over to ms-swift"):
        weak_to_strong(path, out, progress=False)
    assert not (out / "run").exists()
