"""The wanted reply: templates, what fills them, and the form that is rewarded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, sft

import audiocontrib as ac
from audiocontrib.answers import parse
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.prompts import PromptTemplate
from audiocontrib.store import Run
from audiocontrib.training import TrainingRecipe, TrainingRows, stage_rows
from audiocontrib.training.output.training_record import read_record
from audiocontrib.training.rewards import FORM, format_reward
from audiocontrib.training.target import GOLD, form_of, target_text, unfitting

row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
unusable_rows = lazy("audiocontrib.training.encoding.unusable")

THOUGHT = "<think>{thought}</think><answer>{gold}</answer>"
THINKS = PromptTemplate(
    name="thinks", user="{question} Options: {options}. Think in <think> </think>, then <answer> </answer>."
)


def with_thoughts(rows: TrainingRows, **fields: Any) -> TrainingRows:
    """The rows, their items with further fields; a function is called with the place of the item."""
    items = [
        replace(item, extra={**item.extra, **{k: v(i) if callable(v) else v for k, v in fields.items()}})
        for i, item in enumerate(rows.items)
    ]
    return replace(rows, items=Items(items))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{gold}", "must hold <answer>{gold}</answer> once"),
        ("<answer>{gold}</answer><answer>{gold}</answer>", "once"),
        ("<think>{gold}</think><answer>{gold}</answer>", "once"),
        ("<answer>x</answer><answer>{gold}</answer>", "no other answer tag"),
        ("<answer>{gold}</answer> since {thought}", "something follows"),
        ("{{thought}}<answer>{gold}</answer>", "it holds {{"),
        ("{a}{b}<answer>{gold}</answer>", "side by side"),
        ("<think>{thought</think><answer>{gold}</answer>", "a '{' stands alone"),
        ("<think>thought}</think><answer>{gold}</answer>", "a '}' stands alone"),
        ("<think>{}</think><answer>{gold}</answer>", "a '{' stands alone"),
        ("<answer >{thought}</answer><answer>{gold}</answer>", "no other answer tag"),
        ("", "must hold"),
        (3, "target"),
    ],
)
def test_a_template_is_held_to_its_rules(template: Any, says: str) -> None:
    with pytest.raises(UsageError, match=r"target.*") as told:
        sft(target=template)
    assert says in str(told.value)


def test_fields_are_filled_once_and_never_read_as_places() -> None:
    assert target_text(GOLD, "a {thought}", {}) == "<answer>a {thought}</answer>"
    assert target_text(THOUGHT, "rain", {"thought": "drops {gold}, 3 < 4"}) == (
        "<think>drops {gold}, 3 < 4</think><answer>rain</answer>"
    )
    assert target_text("{n} drops. <answer>{gold}</answer>", "rain", {"n": 3}) == "3 drops. <answer>rain</answer>"
    for name in ("audio-contribution", "question type", "extra.thought", "0"):  # whatever a column may be called
        assert target_text(f"{{{name}}} <answer>{{gold}}</answer>", "rain", {name: "x"}) == "x <answer>rain</answer>"
    assert sft(target=f"{THOUGHT}\n").target == THOUGHT  # YAML's | ends with a line feed


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({}, "no field 'thought'"),
        ({"thought": None}, "no field 'thought'"),
        ({"thought": "  \n"}, "is blank"),
        ({"thought": ["a"]}, "is no text"),
        ({"thought": True}, "is no text"),
        ({"thought": float("nan")}, "is no text: nan"),
        ({"thought": float("inf")}, "is no text: inf"),
        ({"thought": "a\ud800"}, r"is no text: 'a\\ud800'"),
        ({"thought": "\u200b"}, "is blank"),
        ({"thought": "so </think> it is"}, "a tag of its own"),
        ({"thought": "<answer>a dog</answer>"}, "a tag of its own"),
        ({"thought": "<|im_end|>"}, "a tag of its own"),
    ],
)
def test_an_item_that_cannot_fill_it(extra: dict[str, Any], says: str) -> None:
    with pytest.raises(AudiocontribError, match=says):
        target_text(THOUGHT, "rain", extra)


def test_the_form_is_that_of_the_target() -> None:
    form = form_of(THOUGHT)
    for reply, right in (
        ("<think>I hear drops.\nSo:</think><answer>rain</answer>", 1.0),
        ("<answer>rain</answer>", 0.0),
        ("<think></think><answer>rain</answer>", 0.0),
        ("<think> \n</think><answer>rain</answer>", 0.0),
        ("<think>a</think> <answer>rain</answer>", 0.0),
        ("<think>a</think><answer>rain</answer>.", 0.0),
        ("<think>a<think>b</think><answer>rain</answer>", 0.0),
        ("<think>a</think><answer></answer>", 0.0),
        ("<think>a<|im_end|></think><answer>rain</answer>", 0.0),
    ):
        assert format_reward(reply, form) == right, reply
    for reply in ("<answer>x</answer>", "<answer>a < b</answer>", "<answer></answer>", " <answer>x</answer>"):
        assert bool(form_of(GOLD).fullmatch(reply)) == bool(FORM.fullmatch(reply))  # the same form, said in two ways
    filled = target_text(THOUGHT, "rain", {"thought": "Is it a dog? No."})
    assert format_reward(filled, form) == 1.0
    assert parse(filled, ["a dog", "rain"]).choice == 1


def test_a_prompt_that_asks_for_a_thought_needs_a_form_that_allows_it(tmp_path: Path) -> None:
    assert unfitting(GOLD, THINKS) is not None
    assert unfitting(THOUGHT, THINKS) is None
    assert unfitting(THOUGHT, demo_rows(2).prompt) is None
    run = scored(tmp_path)
    recipe = TrainingRecipe(about="x", model=TINY, sft=sft(), grpo=grpo(part="all"))
    with pytest.raises(UsageError, match=r"asks for <think>.*would punish what is asked for"):
        stage_rows(replace(recipe, sft=None), "grpo", run, None, prompt=THINKS)
    for fits in ({"target": THOUGHT}, {"format": 0}):
        stage_rows(replace(recipe, sft=None, grpo=grpo(**fits)), "grpo", run, None, prompt=THINKS)
    assert "training teaches to leave it out" in str(stage_rows(recipe, "sft", run, None, prompt=THINKS).notes)
    with pytest.raises(UsageError, match="published rewards know no target"):
        grpo(rewards="published", target=THOUGHT)


def test_a_stage_names_its_prompt(tmp_path: Path) -> None:
    run = scored(tmp_path)
    file = tmp_path / "own.yaml"
    file.write_text("user: '{question} / {options} / <answer> </answer>'\n")
    for named, name in (("audiomcq-card", "audiomcq-card"), (str(file), "own"), (None, "audiomcq")):
        recipe = TrainingRecipe(about="x", model=TINY, sft=sft(prompt=named))
        rows = stage_rows(recipe, "sft", run, None)
        assert rows.prompt.name == name
        assert (rows.provenance.prompt if rows.provenance else None) == (None if named is None else name)
    assert stage_rows(recipe, "sft", run, None, prompt="audiomcq-card").prompt.name == "audiomcq-card"
    for wrong in ("nobody", str(tmp_path / "none.yaml")):
        with pytest.raises(UsageError):
            stage_rows(TrainingRecipe(about="x", model=TINY, sft=sft(prompt=wrong)), "sft", run, None)


def scored(folder: Path) -> Run:
    return ac.score(ac.load_items("demo", seed=3, limit=8), ["mock"], run=folder / "r", progress=False)


def test_rows_and_their_hash(tmp_path: Path) -> None:
    rows = demo_rows(4)
    thoughtful = replace(with_thoughts(rows, thought="a"), target=THOUGHT)
    assert thoughtful[0].target.startswith("<think>a</think><answer>")
    assert replace(rows, target=None).digest == rows.digest
    others = [replace(thoughtful, target=None), replace(with_thoughts(rows, thought="b"), target=THOUGHT)]
    assert len({thoughtful.digest, *(one.digest for one in others)}) == 3
    with pytest.raises(AudiocontribError, match=f"{rows[0].item.id}: its extra has no field 'thought'"):
        _ = replace(rows, target=THOUGHT)[0].target


def test_items_without_the_field_are_bad_rows() -> None:
    model = row_encoder.load_for_training(TINY, sft())
    rows = with_thoughts(demo_rows(4), thought=lambda i: [None, "", "<|AUDIO|>", "It rings."][i])
    found = unusable_rows.unusable(replace(rows, target=THOUGHT), row_encoder.RowEncoder(model, 30.0), None, 0)
    ids = [item.id for item in rows.items]
    assert list(found) == ids[:3]
    assert "no field 'thought'" in found[ids[0]]
    assert "blank" in found[ids[1]]
    assert "tag of its own" in found[ids[2]]


@pytest.mark.parametrize("stage", ["sft", "grpo"])
@pytest.mark.parametrize("token", ["<|im_end|>", "<|AUDIO|>", "<|endoftext|>"])
def test_a_target_that_would_end_the_reply_is_refused(stage: str, token: str, tmp_path: Path) -> None:
    target = f"{token}{{thought}}{GOLD}"
    rows = with_thoughts(demo_rows(8), thought="It rings.")
    taken = replace(rows, target=target) if stage == "sft" else rows
    with pytest.raises(UsageError, match=f"target: it holds the model's control token {re.escape(token)}"):
        TRAIN[stage]((sft if stage == "sft" else grpo)(target=target), taken, TINY, tmp_path / "out", progress=False)


def test_rows_that_show_something_else_than_the_settings_say(tmp_path: Path) -> None:
    rows = demo_rows(8)
    for stage, settings in (("sft", sft(target=THOUGHT)), ("grpo", grpo(abstain_option="none of these"))):
        with pytest.raises(UsageError, match=r"of the settings is '.*', of the rows none"):
            TRAIN[stage](settings, rows, TINY, tmp_path / "out", progress=False)
    with pytest.raises(UsageError, match="target of the settings is none, of the rows '<think>"):
        TRAIN["sft"](sft(), replace(rows, target=THOUGHT), TINY, tmp_path / "out", progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_training_with_a_target(stage: str, tmp_path: Path) -> None:
    """SFT learns the whole target; GRPO rewards its form, and asks no field of the items."""
    short = "It rings."
    rows = with_thoughts(demo_rows(8), thought=lambda i: None if i == 2 else short)
    settings = (sft if stage == "sft" else grpo)(target=THOUGHT, steps=2)
    taken = replace(rows, target=THOUGHT) if stage == "sft" else rows
    out = tmp_path / "out"
    done = TRAIN[stage](settings, taken, TINY, out, progress=False)
    assert len(read_record(out).left_out or {}) == (1 if stage == "sft" else 0)
    card = (done.model / "README.md").read_text()
    assert "`<think>{thought}</think><answer>option</answer>`" in card
    with pytest.raises(UsageError, match="another training"):
        TRAIN[stage]((sft if stage == "sft" else grpo)(steps=2), rows, TINY, out, progress=False)
