"""Training, all that needs no network: recipes, rows, rewards, pass rates, metrics, checkpoints."""

from __future__ import annotations

import errno
import json
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers import ROOT
from helpers.store_tools import item, manifest, response

from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.store import Run
from audiocontrib.store.views import SPLIT_SCHEMA
from audiocontrib.training import GRPO, SFT, TrainingRecipe, read_training_recipe, stage_rows, training_rows
from audiocontrib.training.output.checkpoints import (
    LISTED,
    is_whole,
    last_whole,
    mark_complete,
    remove_old,
    remove_torn,
    writing,
)
from audiocontrib.training.output.metrics import COLUMNS, METRICS_SCHEMA, metrics_table
from audiocontrib.training.rewards import abstaining_reward, accuracy_reward, format_reward
from audiocontrib.training.rows.pass_rates import pass_rates
from audiocontrib.training.stage_settings import Stage

RECIPES = ROOT / "recipes" / "training"
PUBLISHED = sorted(RECIPES.glob("omni/*.yaml"))
TINY = sorted(RECIPES.glob("tiny/*.yaml"))
LISTENING = sorted(RECIPES.glob("listening/*.yaml"))
OPTIONS = ("a dog", "a cat", "a cow")


def a_run(folder: Path, n: int = 10, weak: int = 4, **about: Any) -> Run:
    """A run of n items, two on each clip, of which the first are weak; its split is called s."""
    made = [replace(item(i, **about), clip_id=f"clip {i // 2}") for i in range(n)]
    run = Run.create_or_resume(folder, manifest(), Items(made))
    save_split(run, {one.id: "weak" if i < weak else "strong" for i, one in enumerate(made)})
    return run


def save_split(run: Run, parts: dict[str, str], name: str = "s") -> None:
    held = [
        {"item_id": i, "split": part, "score": 0.0 if part == "weak" else 0.5, "reason": "", "unsolved": False}
        for i, part in parts.items()
    ]
    folder = run.split_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(held, schema=SPLIT_SCHEMA), folder / "split.parquet")


def recipe(**changes: Any) -> TrainingRecipe:
    given: dict[str, Any] = {
        "about": "test", "model": "m",
        "sft": SFT(part="weak", learning_rate=1e-4, batch=2, steps=3),
        "grpo": GRPO(part="strong", learning_rate=1e-4, batch=8, steps=3),
    }  # fmt: skip
    return TrainingRecipe(**given | changes)


# recipes


@pytest.mark.parametrize("path", PUBLISHED + TINY + LISTENING, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_recipes_that_ship_can_be_read(path: Path) -> None:
    assert read_training_recipe(path).about


def test_published_recipes_have_the_published_numbers() -> None:
    arms = {path.stem: read_training_recipe(path) for path in PUBLISHED if path.stem != "paper"}
    steps = {n: (r.sft and r.sft.steps, r.grpo and r.grpo.steps) for n, r in arms.items()}
    assert steps == {
        "weak_to_strong": (750, 100), "mixed_to_strong": (1000, 500), "mixed_to_mixed": (1000, 400),
        "sft_all": (2000, None), "grpo_all": (None, 1200),
    }  # fmt: skip
    first = arms["weak_to_strong"]
    assert first.sft
    assert first.grpo
    assert (first.sft.part, first.grpo.part) == ("weak", "strong")
    assert (first.sft.learning_rate, first.sft.batch, first.sft.warmup, first.sft.copies) == (1e-6, 20, 0.05, 4)
    grpo = first.grpo
    assert (grpo.generations, grpo.temperature, grpo.top_k, grpo.beta, grpo.new_tokens) == (8, 1.5, 4, 0.001, 128)
    assert (grpo.accuracy, grpo.format, grpo.learning_rate) == (2.0, 0.5, 1e-6)
    assert {path.stem for path in TINY} == set(arms)
    for stage in filter(None, (arm.grpo for arm in arms.values())):  # nothing that is ours is on
        assert (stage.pass_audio, stage.pass_silent, stage.weigh, stage.silent_replies) == (None, None, False, 0)


def test_every_listening_objective_has_its_recipe() -> None:
    """With the numbers of its source, where it has one; in every other recipe it is off."""
    held = {path.stem: read_training_recipe(path) for path in LISTENING}
    first = held["rt_opd"].sft
    assert first
    assert (first.distil, first.distil_alpha, first.distil_on, first.distil_gate) == (0.25, 1.0, "reply", "right")
    assert (first.distil_without, first.distil_teacher, first.distil_tokens) == ("text", "start", 96)
    assert (first.distil_temperature, first.distil_top_k, first.distil_top_p) == (1.0, 64, 0.95)
    assert (first.rank, first.alpha, first.weight_decay, first.steps, first.learning_rate) == (
        64,
        128,
        0.01,
        626,
        2.5e-5,
    )
    told = {name: recipe.grpo for name, recipe in held.items() if recipe.grpo}
    masked = told["masked_audio"]
    assert (masked.masked_kl, masked.masked_percent, masked.masked_entropy, masked.beta) == (0.02, 60, 0.05, 0.01)
    assert (told["silent_replies"].silent_replies, told["curriculum"].curriculum, told["redraws"].redraws) == (
        4,
        10,
        10,
    )
    named = {"rt_opd": "distil", "masked_audio": "masked_kl"} | {
        n: n for n in ("silent_replies", "curriculum", "redraws")
    }
    assert set(held) == set(named)
    recipes = [*map(read_training_recipe, PUBLISHED + TINY), *held.values()]
    for field in named.values():
        on = [one.about for one in recipes for stage in (one.sft, one.grpo) if stage and getattr(stage, field, 0)]
        assert len(on) == 1, (field, on)


def test_every_field_is_described() -> None:
    told = (ROOT / "docs" / "training.md").read_text()
    for kind in (TrainingRecipe, Stage, SFT, GRPO):
        for one in fields(kind):
            assert f"`{one.name}`" in told, one.name
    for name in COLUMNS:
        assert f"`{name}`" in told, name


STAGE = "{part: weak, learning_rate: 1.0e-4, batch: 8, steps: 3"
RATE = "about: a\nmodel: m\nsft: {part: weak, batch: 8, steps: 3, learning_rate: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "it is ['a'], but must be fields and values (such as about: …)"),
        ("about: [", "the recipe cannot be read"),
        ("about: a\nmodel: m", "give sft, grpo or both"),
        ("about: a\nmodel: m\nsft: {}", "the field 'sft.part' is missing; it must be 'weak', 'strong' or 'all'"),
        ("model: m\nsft: " + STAGE + "}", "the field 'about' is missing"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", lr: 1}", "there is no field 'sft.lr'; there are: part, items"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", copies: two}", "sft.copies is 'two', but must be a whole number"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", copies: 0}", "copies is 0, but must be a whole number above 0"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", copies: true}", "copies is true, but must be a whole number"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", schedule: step}", "schedule is 'step', but must be 'cosine', 'linear' or 'constant'"),  # noqa: E501
        ("about: a\nmodel: m\nsft: " + STAGE + ", items: most}", "items is 'most', but must be a whole number above 0, 'weak' or null"),  # noqa: E501
        ("about: a\nmodel: m\nsft: " + STAGE + ", epochs: 1}", "sft: give either epochs or steps"),
        ("about: a\nmodel: m\nsft: " + STAGE + ", warmup: 1}", "warmup is 1, but must be a number of at least 0 and below 1"),  # noqa: E501
        (RATE + "0}", "learning_rate is 0, but must be a number above 0"),
        (RATE + ".nan}", "learning_rate is .nan, but must be a number above"),
        (RATE + ".inf}", "learning_rate is .inf, but must be a number above"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", generations: 1}", "generations is 1, but must be a whole number of at least 2"),  # noqa: E501
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", generations: 3}", "must be a multiple of generations (3)"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", temperature: 0}", "temperature is 0, but must be a number above 0"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", beta: -1}", "beta is -1, but must be a number of at least 0"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", top_p: 2}", "top_p is 2, but must be a number above 0 and up to 1"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", silent_replies: 8}", "some of 8 replies must hear"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", silent_replies: 7}", "silent_replies is 7 of 8: there must be two"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", silent_replies: 1}", "silent_replies is 1 of 8: there must be two"),
        ("about: a\nmodel: m\ngrpo: " + STAGE + ", pass_audio: [0]}", "pass_audio is ['0'], but must be a list of 2 (each a number between -1 and 2"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_training_recipe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_training_recipe(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="has no stage grpo"):
        recipe(grpo=None).stage("grpo")


# rows


def test_rows_of_a_part_in_random_orders(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r")
    made = training_rows(run, "s", "weak", copies=4)
    assert len(made) == 16
    assert [row.item.id for row in made[:5]] == ["toy/0"] * 4 + ["toy/1"]
    for row in made:
        assert row.prompt.options[row.gold] == "cat"
        assert row.target == "<answer>cat</answer>"
        assert sorted(row.prompt.options) == ["car", "cat", "dog"]
        assert row.prompt.has_audio
    assert made[-1] == made[15]
    with pytest.raises(IndexError):
        made[16]
    assert [r.prompt for r in training_rows(run, "s", "weak", copies=4)] == [r.prompt for r in made]
    orders = {row.prompt.options for row in training_rows(run, "s", "weak", copies=4, seed=1)}
    assert len(orders) > 3
    assert made.digest != training_rows(run, "s", "weak", copies=4, seed=1).digest
    assert training_rows(run, run.split_folder("s"), "strong").items[0].id == "toy/4"
    assert len(training_rows(run)) == 10


def test_gold_places_are_even(tmp_path: Path) -> None:
    places = Counter(row.gold for row in training_rows(a_run(tmp_path / "r", 100), copies=9))
    assert all(250 < places[place] < 350 for place in range(3))


def test_a_draw_by_chance(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", 40)
    drawn = [one.id for one in training_rows(run, items=10).items]
    assert len(drawn) == 10
    assert drawn == [one.id for one in training_rows(run, items=10).items]
    assert drawn != [one.id for one in training_rows(run, items=10, seed=1).items]
    assert len(training_rows(run, items=100)) == 40


def test_stages_share_no_question_and_no_clip_if_asked(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", 10, weak=5)  # clip 2 has a weak and a strong item
    first, second = (stage_rows(recipe(), stage, run, "s") for stage in ("sft", "grpo"))
    assert [one.id for one in first.items] == [f"toy/{i}" for i in range(5)]
    assert [one.id for one in second.items] == [f"toy/{i}" for i in range(5, 10)]
    assert second.notes == ("1 of 5 items are other questions about recordings that SFT has too",)
    second = stage_rows(recipe(disjoint="clip"), "grpo", run, "s")
    assert [one.id for one in second.items] == [f"toy/{i}" for i in range(6, 10)]
    assert second.notes == (
        "1 of 5 strong items were left out: the other stage has their recordings; apart by question "
        "(disjoint: item) they would stay",
    )
    mixed = recipe(
        sft=SFT(part="all", items="weak", learning_rate=1e-4, batch=2, steps=3, copies=2),
        grpo=GRPO(part="all", learning_rate=1e-4, batch=8, steps=3),
        disjoint="item",
    )
    first, second = (stage_rows(mixed, stage, run, "s") for stage in ("sft", "grpo"))
    assert len(first.items) == len(second.items) == 5
    assert {one.id for one in first.items} | {one.id for one in second.items} == {f"toy/{i}" for i in range(10)}
    assert len(first) == 10
    assert "5 of 10 items were left out: the other stage has them" in second.notes
    with pytest.raises(UsageError, match="items is 'weak', but no split was named"):
        stage_rows(mixed, "sft", run, None)


def test_the_same_question_under_another_id_is_the_same_question(tmp_path: Path) -> None:
    made = [replace(item(i), clip_id="one clip", question=f"q {i % 3}") for i in range(6)]
    run = Run.create_or_resume(tmp_path / "r", manifest(), Items(made))
    save_split(run, {one.id: "weak" if i < 2 else "strong" for i, one in enumerate(made)})
    assert [one.question for one in stage_rows(recipe(), "grpo", run, "s").items] == ["q 2", "q 2"]


@pytest.mark.parametrize(
    ("parts", "part", "said"),
    [
        ({}, "all", "the split is empty"),
        ({}, "weak", "no item is weak (it holds nothing)"),
        ({"toy/0": "strong", "toy/1": "strong"}, "weak", "no item is weak (it holds 2 strong)"),
        ({"toy/0": "weak", "toy/1": "undecided"}, "strong", "no item is strong (it holds 1 undecided, 1 weak)"),
    ],
)  # fmt: skip
def test_an_empty_split_and_one_of_one_class(tmp_path: Path, parts: dict[str, str], part: Any, said: str) -> None:
    run = a_run(tmp_path / "r")
    save_split(run, parts, "t")
    with pytest.raises(AudiocontribError) as caught:
        training_rows(run, "t", part)
    assert said in str(caught.value)
    assert "choose another rule or threshold" in str(caught.value)


def test_no_such_split(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r")
    with pytest.raises(UsageError, match="has no split 't'; there are: s"):
        training_rows(run, "t")
    with pytest.raises(UsageError, match="part weak needs a split"):
        training_rows(run, None, "weak")


def test_a_gold_answer_that_no_reply_can_name_is_left_out(tmp_path: Path) -> None:
    run = a_run(tmp_path / "same", choices=["Cat.", "cat", "dog"])
    with pytest.raises(AudiocontribError, match=r"left to train on; 10 items have no gold answer that a reply"):
        training_rows(run, "s")
    held = [item(0), item(1, choices=["cat", '"cat"', "dog"]), item(2, answer=None, has_key=False)]
    run = Run.create_or_resume(tmp_path / "some", manifest(), Items(held))
    made = training_rows(run)
    assert [one.id for one in made.items] == ["toy/0"]
    assert made.notes == ("2 items have no gold answer that a reply can name, e.g. toy/1: left out",)


def test_quarantined_items_are_left_out(tmp_path: Path) -> None:
    from helpers.store_tools import bad

    run = a_run(tmp_path / "r")
    run.quarantine([bad(3)])
    assert "toy/3" not in {one.id for one in training_rows(run).items}


def test_a_vanished_clip(tmp_path: Path) -> None:
    (tmp_path / "0.wav").write_bytes(b"x")
    here, gone = (replace(item(i), audio=Clip(f"{i}.wav", str(tmp_path))) for i in (0, 1))
    run = Run.create_or_resume(
        tmp_path / "r", manifest() | {"origin": {"audio_root": str(tmp_path)}}, Items([here, gone])
    )
    with pytest.raises(AudiocontribError, match=r"^1\.wav: the clip of toy/1 is not there; bring the files back"):
        training_rows(run).check_clips()
    (tmp_path / "1.wav").write_bytes(b"x")
    training_rows(run).check_clips()


# pass rates


def answered(run: Run, audio: list[float], silence: list[float], model: str = "tiny") -> None:
    """One answer to each item under each condition, with this posterior of the gold option (place 1 of 3)."""
    told = []
    for condition, posteriors in (("audio", audio), ("silence", silence)):
        for i, p in enumerate(posteriors):
            rest = (1 - p) / 2
            told.append(
                response(
                    i, model=model, condition=condition, posterior=(rest, p, rest), correct=p > rest,
                    request_key=f"{model} {condition} {i}",
                )
            )  # fmt: skip
    run.append(told)


def grpo(**changes: Any) -> TrainingRecipe:
    return recipe(sft=None, grpo=GRPO(part="all", learning_rate=1e-4, batch=8, steps=3, copies=1, **changes))


def test_pass_rates_and_filters(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", 4)
    answered(run, [0.0, 0.4, 0.9, 1.0], [0.9, 0.8, 0.2, 0.1])
    assert pass_rates(run, "audio", None) == pytest.approx({"toy/0": 0.0, "toy/1": 0.4, "toy/2": 0.9, "toy/3": 1.0})
    made = stage_rows(grpo(pass_audio=(0.0, 1.0)), "grpo", run, "s")
    assert [one.id for one in made.items] == ["toy/1", "toy/2"]
    assert made.notes == ("2 of 4 items were left out by their pass rates",)
    made = stage_rows(grpo(pass_audio=(0, 1), pass_silent=(-1, 0.5)), "grpo", run, "s")
    assert [one.id for one in made.items] == ["toy/2"]
    with pytest.raises(AudiocontribError, match="no item is left by pass_audio and pass_silent; widen them"):
        stage_rows(grpo(pass_audio=(0.5, 0.6)), "grpo", run, "s")
    assert len(stage_rows(grpo(), "grpo", run, "s").items) == 4  # off by default


def test_pass_rates_of_written_replies_and_several_raters(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", 1)
    run.append(
        [response(0, posterior=None, order=o, correct=o > 0, method="generate", request_key=str(o)) for o in range(4)]
    )
    assert pass_rates(run, "audio", None) == {"toy/0": 0.75}
    answered(run, [0.5], [0.5], model="other")
    with pytest.raises(UsageError, match="answers of several models; name the rater: other, tiny"):
        pass_rates(run, "audio", None)
    assert pass_rates(run, "audio", "other") == {"toy/0": 0.5}
    with pytest.raises(AudiocontribError, match="holds no answers of nobody under 'audio'"):
        pass_rates(run, "audio", "nobody")
    with pytest.raises(AudiocontribError, match="holds no answers of any model under 'noise'"):
        pass_rates(run, "noise", None)


def test_weights_are_the_variance_of_the_reward_times_the_need_to_listen(tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", 4, weak=2)  # scores 0, 0, 0.5, 0.5
    answered(run, [0.5, 0.5, 0.5, 0.9], [0.1] * 4)
    weights = stage_rows(grpo(weigh=True), "grpo", run, "s").weights
    raw = {"toy/0": 0.0, "toy/1": 0.0, "toy/2": 0.25 * 0.5, "toy/3": 0.09 * 0.5}
    mean = sum(raw.values()) / 4
    assert weights == pytest.approx({name: value / mean for name, value in raw.items()})
    assert stage_rows(grpo(weigh=True), "grpo", run, "s")[2].weight == pytest.approx(raw["toy/2"] / mean)
    with pytest.raises(UsageError, match="weigh needs the scores of a split"):
        stage_rows(grpo(weigh=True), "grpo", run, None)
    run = a_run(tmp_path / "sure", 2, weak=2)
    answered(run, [0.5, 0.5], [0.1] * 2)
    with pytest.raises(AudiocontribError, match=r"all weights p\(1-p\)c are 0"):
        stage_rows(grpo(weigh=True), "grpo", run, "s")
    run = a_run(tmp_path / "short", 2, weak=0)
    answered(run, [0.5], [0.1])
    with pytest.raises(AudiocontribError, match="toy/1 has no pass rate to weigh it by"):
        stage_rows(grpo(weigh=True), "grpo", run, "s")


# rewards


@pytest.mark.parametrize(
    ("reply", "accuracy", "form"),
    [
        ("<answer>a cat</answer>", 1, 1),
        ("<answer>A cat.</answer>", 1, 1),
        ("<answer>a dog</answer>", 0, 1),
        ("<answer>a horse</answer>", 0, 1),
        (" <answer>a cat</answer>", 1, 0),
        ("<answer>a cat</answer>\n", 1, 0),
        ("<answer>a cat</answer><answer>a cat</answer>", 1, 0),
        ("<answer>a dog</answer><answer>a cat</answer>", 0, 0),
        ("<answer><answer>a cat</answer>", 1, 0),
        ("<think>hm</think><answer>a cat</answer>", 1, 0),
        ("<answer>a cat or a dog</answer>", 0, 1),
        ("<answer>a < b > c</answer>", 0, 1),
        ("<answer>a cat<|im_end|></answer>", 1, 0),
        ("<answer>a <b>cat</b></answer>", 1, 0),
        ("<answer></answer>", 0, 0),
        ("a cat", 1, 0),
        ("", 0, 0),
    ],
)
def test_rewards(reply: str, accuracy: float, form: float) -> None:
    assert (accuracy_reward(reply, OPTIONS, 1), format_reward(reply)) == (accuracy, form)


def test_abstaining() -> None:
    assert abstaining_reward("I cannot hear any audio.", OPTIONS, None) == 1
    quiet, more = "I cannot hear any audio.", (*OPTIONS, "no telling")
    assert accuracy_reward(quiet, OPTIONS, 1) == 0
    assert accuracy_reward(quiet, OPTIONS, 1, credited=True) == 1 / len(OPTIONS)
    for credited, earned in ((True, 1 / len(OPTIONS)), (False, 0)):
        told = accuracy_reward("<answer>no telling</answer>", more, 1, credited=credited, abstain_option="no telling")
        assert told == earned
    assert accuracy_reward("gibberish", OPTIONS, 1, credited=True) == 0
    assert abstaining_reward("<answer>a cat</answer>", OPTIONS, None) == 0
    assert abstaining_reward("gibberish", OPTIONS, None) == 0
    assert abstaining_reward("<answer>no telling</answer>", (*OPTIONS, "no telling"), "no telling") == 1
    assert abstaining_reward("<answer>a cow</answer>", (*OPTIONS, "no telling"), "no telling") == 0


# metrics and checkpoints


def test_metrics_are_read_by_duckdb(tmp_path: Path) -> None:
    log = [
        {"step": 1, "loss": 0.5, "kl": 0.1, "x": 3},
        {"step": 2, "loss": 0.25},
        {"step": 2, "train_runtime": 9.0},
    ]
    table = metrics_table(log)
    assert table.schema == METRICS_SCHEMA
    pq.write_table(table, tmp_path / "m.parquet")
    assert duckdb.sql(f"select step, loss, kl from '{tmp_path}/m.parquet' order by step").fetchall() == [
        (1, 0.5, 0.1),
        (2, 0.25, None),
    ]


def a_checkpoint(folder: Path, step: int) -> Path:
    place = folder / f"checkpoint-{step}"
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "state.json").write_bytes(b"{}")
    mark_complete(place)
    return place


def test_torn_checkpoints_are_seen_and_passed_over(tmp_path: Path) -> None:
    first, second, third, fourth = (a_checkpoint(tmp_path, step) for step in (2, 4, 6, 10))
    assert last_whole(tmp_path) == fourth
    (fourth / LISTED).unlink()  # killed before the end
    (third / "model.safetensors").write_bytes(b"weig")  # cut short
    assert not is_whole(fourth)
    assert not is_whole(third)
    assert last_whole(tmp_path) == second
    (second / "state.json").unlink()
    assert last_whole(tmp_path) == first
    remove_torn(tmp_path)
    assert list(tmp_path.iterdir()) == [first]
    (first / LISTED).write_text("{")
    assert last_whole(tmp_path) is None
    assert last_whole(tmp_path / "none") is None


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    for step in (2, 4, 10, 6):
        a_checkpoint(tmp_path, step)
    remove_old(tmp_path, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-6", "checkpoint-10"}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:672] PytorchStreamWriter failed: file write failed"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_is_told_in_a_line_and_removed(tmp_path: Path, error: Exception) -> None:
    whole, place = a_checkpoint(tmp_path, 2), tmp_path / "checkpoint-4"
    place.mkdir()
    with pytest.raises(AudiocontribError) as caught, writing(place):
        raise error
    assert str(caught.value) == (
        f"{place} could not be written: disk full; checkpoint-2 is whole: free space and give the same command again"
    )
    assert not place.exists()
    assert is_whole(whole)
    with pytest.raises(ZeroDivisionError), writing(place):  # what is no matter of the disk stays as it is
        raise ZeroDivisionError
    with pytest.raises(AudiocontribError, match="Permission denied"), writing(place):
        raise PermissionError(errno.EACCES, "Permission denied")


# the command, as far as it needs no network


def a_recipe(folder: Path, **changes: Any) -> Path:
    path = folder / "arm.yaml"
    stage = {"part": "weak", "learning_rate": 1e-4, "batch": 8, "steps": 3}
    path.write_text(
        json.dumps({"about": "a", "model": "m", "sft": stage, "grpo": stage | {"part": "strong"}} | changes)
    )
    return path


def told(*args: Any) -> tuple[int, str]:
    made = CliRunner().invoke(main, ["train", *map(str, args)])
    return made.exit_code, made.stderr


def test_usage_errors_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run, given = a_run(tmp_path / "r").path, a_recipe(tmp_path)
    assert told("sft", "--training-recipe", given, "--run", run, "--set", "learning_rate=0") == (
        2, "error: --set: learning_rate is 0, but must be a number above 0\n",
    )  # fmt: skip
    assert told("sft", "--training-recipe", given, "--run", run, "--set", "lr=1")[0] == 2
    assert told("sft", "--training-recipe", given, "--run", run, "--set", "lr")[1].startswith(
        "error: --set: 'lr' is not FIELD=VALUE, as in --set batch=4"
    )
    assert told("grpo", "--training-recipe", given, "--run", run) == (
        2, "error: trained/arm/sft/model is not there: train sft first, or name the model to start from\n",
    )  # fmt: skip
    code, said = told("sft", "--training-recipe", given, "--run", run, "--model", "tiny-qwen2.5-omny")
    assert (code, "tiny-qwen2.5-omni" in said) == (2, True)
    save_split(Run.open(run), {"toy/0": "weak"}, "t")
    assert "has several splits; name one of: s, t" in told("sft", "--training-recipe", given, "--run", run)[1]
    assert told("dpo", "--training-recipe", given)[0] == 2
