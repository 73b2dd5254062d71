"""The paper's recipe, its plan and its rewards."""

from __future__ import annotations

import re

import pytest
import yaml
from helpers import ROOT

from audiocontrib.training import read_training_recipe
from audiocontrib.training.published_rewards import published_accuracy, published_format
from audiocontrib.weak_to_strong import read_plan

RECIPES = ROOT / "recipes"


def test_the_paper_recipe_says_what_the_authors_scripts_say() -> None:
    """Their options, and ms-swift's defaults of then; where the paper's tables differ they are said behind."""
    paper = read_training_recipe(RECIPES / "training/omni/paper.yaml")
    assert paper.sft
    assert paper.grpo
    usual = {"weight_decay": 0.1, "betas": (0.9, 0.95), "clip": 1.0, "seed": 42, "accumulate": 1, "tune": "full"}
    usual |= {"learning_rate": 1e-6, "schedule": "cosine", "copies": 4, "epochs": None}
    sft = {"batch": 20, "schedule_epochs": 2.0, "warmup": 0.05, "save_every": 250, "part": "weak", "steps": 750}
    grpo = {
        "batch": 8, "save_every": 100, "part": "strong", "steps": 100, "generations": 8, "iterations": 1, "beta": 0.001,
        "temperature": 1.5, "top_k": 4, "top_p": 0.9, "new_tokens": 128, "accuracy": 2.0, "format": 0.5,
        "epsilon": 0.2, "loss": "grpo", "scale_rewards": "group", "use_bias_correction_kl": False,
        "rewards": "published", "warmup": 0.05, "schedule_steps": 1000,  # the script has 0.01 and 2,000
    }  # fmt: skip
    for stage, published in ((paper.sft, usual | sft), (paper.grpo, usual | grpo)):
        assert {name: getattr(stage, name) for name in published} == published
    assert (paper.disjoint, paper.sft.items, paper.grpo.items) == ("item", None, None)


@pytest.mark.parametrize(
    ("reply", "accuracy", "form"),
    [
        ("<answer>Dog</answer>", 1, 1),
        (" <answer> dog </answer>\n", 1, 1),
        ("dog", 1, 0),  # without a tag all of the reply is the answer
        ("The answer is dog.", 0, 0),
        ("I hear it. <answer>dog</answer>", 1, 0),
        ("<ANSWER>dog</ANSWER>", 1, 0),
        ("<answer>cat</answer><answer>dog</answer>", 0, 0),  # the first tag counts
        ("<answer>dog</answer><answer>dog</answer>", 1, 0),
        ("<answer>a dog</answer>", 0, 1),
        ("<answer></answer>", 0, 1),
        ("", 0, 0),
    ],
)
def test_published_rewards(reply: str, accuracy: int, form: int) -> None:
    assert published_accuracy(reply, "<answer>dog</answer>") == accuracy
    assert published_format(reply) == form


def test_its_page_names_every_field_and_the_values_that_differ_from_ours() -> None:
    told = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    held = yaml.safe_load((RECIPES / "training/omni/paper.yaml").read_text(encoding="utf-8"))
    named = {name for cell in re.findall(r"^\| ([^|]+) \|", told, re.M) for name in re.findall(r"`(\w+)`", cell)}
    at_hand = {"about", "model", "sft", "grpo", "part", "workers", "save_every", "accumulate"}
    assert set(held) | set(held["sft"]) | set(held["grpo"]) <= named | at_hand


def test_its_plan_names_the_judges_and_leads_to_its_training() -> None:
    plan, recipe = read_plan(RECIPES / "weak_to_strong/paper.yaml")
    assert [re.sub(r".*[:/](\w+-[\w-]+)(@.*)?$", r"\1", name) for name in plan.raters] == [
        "r1-aqa", "audio-flamingo-2", "kimi-audio",
    ]  # fmt: skip
    assert (plan.rule, plan.threshold, plan.condition, plan.orders) == ("votes", 0.5, "silence", "given")
    assert read_training_recipe(recipe) == read_training_recipe(RECIPES / "training/omni/paper.yaml")
