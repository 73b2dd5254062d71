"""Weak-to-Strong against other ways to spend the same steps, on two tiny models and the demo set, and on smol-audio.

    python benchmarks/weak_to_strong.py --out arms              every arm, on both tiny models
    python benchmarks/weak_to_strong.py --out arms --tables     only read what is there, as Markdown
    python benchmarks/weak_to_strong.py --out arms --base smol-audio --data DATA --steps 20

*half-trained*: a tiny Qwen2.5-Omni at a fraction of its usual steps, so that there is something left to learn, with
five seeds. *forgetful*: the same with noise on its weights: it knew what the weak questions ask and has partly lost
it, so that SFT on weak could wake it; three seeds. The three tiny models that ship answer a demo set under silence,
which is split by the published rule and by decoys (top-two); rows of GRPO share no question with those of SFT. Base
and arms answer other questions with the audio, under silence and from the text alone. *smol-audio*: its questions
are those of recipes/smol_audio/make.py, half of which betray the answer; it and cascade-small rate them. Every
finished arm is kept: the same command after a kill goes on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from arms import CHOSEN, CONDITIONS, Answers, accuracies, differences, figure, markdown
from starts import STARTS, Given, Start

from audiocontrib import score, split
from audiocontrib.evaluation.correctness import rights
from audiocontrib.items import Items
from audiocontrib.models import load_model
from audiocontrib.statistics import smallest_by_design
from audiocontrib.store import Run
from audiocontrib.training import GRPO, SFT, TrainingRecipe, read_training_recipe, stage_rows, train_grpo, train_sft

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "recipes" / "training" / "tiny"
MODEL = "arm"
DONE = "done"


@dataclass(frozen=True)
class Arm:
    """A way to spend the steps: what the first and what the second stage train on."""

    name: str
    recipe: str
    """File in recipes/training/tiny."""
    split: str = "fdr"
    stages: tuple[str, ...] = ("sft", "grpo")
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of the last stage, beside what the recipe says."""

    def folder(self, seed: int) -> str:
        """Where its models and answers are."""
        return f"{self.name.replace(', ', '-').replace(' ', '-').lower()}-{seed}"


ARMS = (
    Arm("SFT-weak", "weak_to_strong", stages=("sft",)),
    Arm(CHOSEN, "weak_to_strong"),
    Arm("Weak-to-Strong, published split", "weak_to_strong", split="votes"),
    Arm("Mixed-to-Strong", "mixed_to_strong"),
    Arm("all-SFT", "sft_all", stages=("sft",)),
    Arm("all-GRPO", "grpo_all", stages=("grpo",)),
    Arm("RT-OPD", "sft_all", stages=("sft",), changes={"part": "strong", "distil": 0.25, "distil_tokens": 16}),
    Arm("masked-audio KL", "weak_to_strong", changes={"masked_kl": 0.02, "masked_entropy": 0.05}),
)


@dataclass(frozen=True)
class Plan:
    """What all processes have to know."""

    name: str
    """Of the start."""
    given: Given
    steps: int
    """Optimiser steps of every arm; half of them in each stage, where there are two."""
    chosen: tuple[str, ...] = ()
    """Names of arms; empty: all."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What is trained."""
        return tuple(arm for arm in ARMS if not self.chosen or arm.name in self.chosen)

    @property
    def out(self) -> Path:
        """Folder of this start's arms."""
        return self.given.folder

    @property
    def start(self) -> Start:
        """The model that every arm starts from, and its questions."""
        return STARTS[self.name]


def data(plan: Plan) -> Path:
    """The run of the raters on what is trained on, with its two splits."""
    items = plan.start.questions(plan.given, False)
    run = score(items, plan.start.raters, ["silence"], run=plan.out / "data", progress=False)
    for rule, settings in (("votes", {"threshold": 0.5}), ("fdr", {"decoys": "top-two"})):
        if not run.split_folder(rule).exists():
            split(run, rule=rule, **settings).save(run.split_folder(rule))
    return run.path


def held_out(plan: Plan) -> Items:
    """Other questions, on other clips."""
    return plan.start.questions(plan.given, True)


def recipe(arm: Arm, plan: Plan, seed: int) -> TrainingRecipe:
    """The arm's recipe with this seed, from the half-trained model, at the plan's number of steps."""
    read = read_training_recipe(RECIPES / f"{arm.recipe}.yaml")
    steps = plan.steps // len(arm.stages)

    def stage(name: str) -> SFT | GRPO | None:
        settings = getattr(read, name)
        if name not in arm.stages or settings is None:
            return settings if name == "sft" else None
        changes = dict(plan.start.changes.get(name, {})) | (dict(arm.changes) if name == arm.stages[-1] else {})
        return replace(
            settings, **{"steps": steps, "epochs": None, "seed": seed, "batch": min(settings.batch, 32)} | changes
        )

    return replace(read, model=plan.start.model(plan.given), sft=stage("sft"), grpo=stage("grpo"))


def carry_out(arm: Arm, plan: Plan, seed: int) -> None:
    """Train an arm with a seed and let it answer the held-out questions; DONE then holds the processor's seconds."""
    folder = plan.out / arm.folder(seed)
    if not (folder / DONE).exists():
        wanted = recipe(arm, plan, seed)
        model = wanted.model
        for stage in arm.stages:
            rows = stage_rows(wanted, stage, plan.out / "data", arm.split)
            train = train_sft if stage == "sft" else train_grpo
            model = str(train(wanted.stage(stage), rows, model, folder / stage, progress=False).model)
        answer(plan, model, folder)
        for stage in arm.stages:
            shutil.rmtree(folder / stage / "checkpoints", ignore_errors=True)
        (folder / DONE).write_text(str(time.process_time()))


def answer(plan: Plan, model: str | Path, folder: Path) -> None:
    """A model's answers to the held-out questions."""
    if not (folder / "held-out" / "run.json").exists():  # killed before it was a run
        shutil.rmtree(folder / "held-out", ignore_errors=True)
    score(
        held_out(plan),
        [load_model(model, name=MODEL)],
        CONDITIONS,
        orders="given",
        run=folder / "held-out",
        progress=False,
    )


def work(plan: Plan, seeds: int, jobs: int) -> None:
    """Everything that is not done yet, ``jobs`` arms at a time."""
    plan.out.mkdir(parents=True, exist_ok=True)
    started = time.time()

    def say(text: str) -> None:
        print(f"{time.time() - started:5.0f} s  {text}", flush=True)

    start = plan.start.model(plan.given)
    say(f"{plan.name}: the model is there")
    say(design(plan, seeds))
    data(plan)
    answer(plan, start, plan.out / "base-answers")
    score(held_out(plan), plan.start.raters, ["silence"], run=plan.out / "held-out-rated", progress=False)
    say("questions are answered by the raters and by the base")
    with ThreadPoolExecutor(jobs) as pool:
        todo = {pool.submit(alone, arm, plan, seed): (arm, seed) for seed in range(seeds) for arm in plan.arms}
        for future in as_completed(todo):
            arm, seed = todo[future]
            say(f"{arm.name}, seed {seed}: {future.result():.0f} s of processor time")


def design(plan: Plan, seeds: int) -> str:
    """What so many held-out questions can show, whatever they will say."""
    clips = len({item.clip_id for item in held_out(plan)})
    accuracy, added = (100 * smallest_by_design(clips, share) for share in (0.5, 1.0))
    return (
        f"{len(held_out(plan))} held-out questions about {clips} clips, {seeds} seeds: a change of accuracy shows from "
        f"{accuracy:.1f} points on, one of what the audio adds from {added:.1f} on (power 80 %, one test at .05, half "
        "of the answers changed); the spread of the seeds and the correction for several comparisons come on top"
    )


def alone(arm: Arm, plan: Plan, seed: int) -> float:
    """An arm in a process of its own, with one thread: models so small gain nothing from more."""
    process = get_context("spawn").Process(target=carry_out, args=(arm, plan, seed))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{arm.name}, seed {seed}, failed; the same command goes on")
    return float((plan.out / arm.folder(seed) / DONE).read_text())


def read(plan: Plan, seeds: int) -> Answers:
    """All answers of the seeds that every arm is done with, and the parts: by the published rule, and as planted."""
    rated = Run.open(plan.out / "held-out-rated")
    made = split(rated, rule="votes", threshold=0.5).table.to_pandas().set_index("item_id")["split"]
    found = {"base": [_rights(plan.out / "base-answers")]}
    whole = [seed for seed in range(seeds) if all((plan.out / arm.folder(seed) / DONE).exists() for arm in plan.arms)]
    for arm in plan.arms:
        found[arm.name] = [_rights(plan.out / arm.folder(seed)) for seed in whole]
    first = found["base"][0]
    needs = {item.id: plan.start.needs_audio(item) for item in held_out(plan)}
    by_rule = made.reindex(first.item_id).to_numpy()
    truth = np.array([needs[item_id] for item_id in first.item_id])
    right = {
        name: {c: np.stack([one.cells[MODEL, c] for one in several]) for c in CONDITIONS}
        for name, several in found.items()
        if several
    }
    parts = {
        "all": np.ones(len(truth), bool), "strong": by_rule == "strong", "weak": by_rule == "weak",
        "needs the audio": truth, "text betrays it": ~truth,
    }  # fmt: skip
    return Answers(right, parts, np.unique(first.clip_id, return_inverse=True)[1])


def _rights(folder: Path):
    return rights(Run.open(folder / "held-out"))


def report(plan: Plan, seeds: int) -> None:
    """Print both tables as Markdown; write them as CSV, and the figure."""
    found = read(plan, seeds)
    shown, changes = accuracies(found), differences(found)
    shown.to_csv(plan.out / "accuracies.csv", index=False)
    changes.to_csv(plan.out / "differences.csv", index=False)
    sizes = {part: int(inside.sum()) for part, inside in found.parts.items()}
    print(f"\nheld-out items: {sizes}; {len(np.unique(found.clips))} clips\n")
    for parts in (("strong", "weak"), ("needs the audio", "text betrays it"), ("all",)):
        own = shown[shown.part.isin(parts)]
        print(
            markdown(own, "arm", ["part", "condition"], lambda r: f"{r.accuracy:.3f} ({r.low:.3f}–{r.high:.3f})"), "\n"
        )
    changes["pair"] = changes.arm + " – " + changes.against
    cell = lambda r: f"{r.difference:+.3f} ({r.low:+.3f}…{r.high:+.3f}){' *' if r.beyond_noise else ''}"  # noqa: E731
    print(markdown(changes, "pair", ["measure"], cell), "\n\n* beyond noise: Holm's p below .05 within the measure")
    figure(shown).savefig(plan.out / "arms.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for everything")
    parser.add_argument("--base", nargs="+", choices=STARTS, default=list(STARTS)[:2], help="one after the other")
    parser.add_argument("--data", type=Path, help="of smol-audio: a folder that its make.py made")
    parser.add_argument("--arms", nargs="+", choices=[arm.name for arm in ARMS], help="these alone")
    parser.add_argument("--seeds", type=int, help="instead of each model's own")
    parser.add_argument("--jobs", type=int, default=1, help="arms that are trained at a time")
    parser.add_argument("--steps", type=int, default=40, help="optimiser steps of every arm")
    parser.add_argument("--items", type=int, default=1600, help="questions to train on")
    parser.add_argument("--held-out", type=int, default=600, help="questions to compare on")
    parser.add_argument("--base-steps", type=int, default=350, help="steps of the half-trained model (it takes 1,200)")
    parser.add_argument("--tables", action="store_true", help="only read what is there")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in given.base:
        made = Given(given.out.resolve() / name, given.items, given.held_out, given.base_steps, given.data)
        plan, seeds = Plan(name, made, given.steps, tuple(given.arms or ())), given.seeds or STARTS[name].seeds
        if not given.tables:
            work(plan, seeds, given.jobs)
        print(f"\n## {name}: {design(plan, seeds)}")
        report(plan, seeds)


if __name__ == "__main__":
    main()
