"""Does an objective make a model listen where the text offers a shortcut? On a planted task and a half-trained model.

    python benchmarks/listening_objectives.py --out objectives              every arm, five seeds
    python benchmarks/listening_objectives.py --out objectives --tables     only read what is there

Every question needs the audio. In training a mark stands behind the right option of most of them; of the held-out
questions half have no mark, and in the others it stands behind a wrong option. Plain SFT and GRPO and each objective
train on the same rows, with the same steps and seeds. Every finished arm is kept: the same command goes on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from half_trained import half_trained

from audiocontrib import load_items, score
from audiocontrib.evaluation.correctness import rights
from audiocontrib.hashing import seeded
from audiocontrib.items import Item, Items
from audiocontrib.models.load import load_checkpoint
from audiocontrib.statistics import Heard, gain, listening_change, relative_gain
from audiocontrib.store import Run
from audiocontrib.training import GRPO, SFT, TrainingRows, train_grpo, train_sft

TRAINING_SEED, HELD_OUT_SEED = 31, 32
WITHOUT = "silence:matched"
MODEL, DONE = "arm", "done"
MARK = "{} *"
PLAIN = {"sft": "SFT", "grpo": "GRPO"}


@dataclass(frozen=True)
class Arm:
    """What is trained: a stage and what is set in it beside the plain one."""

    stage: str
    changes: Mapping[str, Any]


ARMS = {
    "SFT": Arm("sft", {}),
    "RT-OPD": Arm("sft", {"distil": 0.25, "distil_tokens": 16}),
    "GRPO": Arm("grpo", {}),
    "masked-audio KL": Arm("grpo", {"masked_kl": 0.02, "masked_entropy": 0.05}),
    "masked-audio KL, 10 x": Arm("grpo", {"masked_kl": 0.2, "masked_entropy": 0.05}),
    "silent replies": Arm("grpo", {"silent_replies": 2, "abstain_option": "nothing is heard"}),
    "curriculum": Arm("grpo", {"curriculum": 5}),
    "redraws": Arm("grpo", {"redraws": 2}),
}


@dataclass(frozen=True)
class Plan:
    """What all processes have to know."""

    out: Path
    items: int
    held_out: int
    betrayed: float
    """Share of the questions to train on whose right option is marked."""
    sft_steps: int
    grpo_steps: int
    every: int
    """Steps between two points of the curve."""
    base_steps: int

    def folder(self, name: str, seed: int) -> Path:
        """Where an arm's models and answers are."""
        return self.out / f"{name.replace(', ', '-').replace(' ', '-').lower()}-{seed}"


def questions(seed: int, count: int) -> list[Item]:
    """Questions of the demo that cannot be answered without the audio."""
    found = [item for item in load_items("demo", seed=seed, limit=2 * count) if item.extra["needs_audio"]]
    return found[:count]


def marked(item: Item, place: int | None) -> Item:
    """The question with one option marked, or none."""
    shown = [MARK.format(text) if i == place else text for i, text in enumerate(item.choices)]
    return replace(item, choices=tuple(shown))


def to_train_on(plan: Plan) -> Items:
    """Most of the texts betray their answer."""
    items = questions(TRAINING_SEED, plan.items)
    betrayed = [seeded("betrayed", item.id).random() < plan.betrayed for item in items]
    return Items([marked(item, item.answer if said else None) for item, said in zip(items, betrayed, strict=True)])


def held_out(plan: Plan) -> Items:
    """None betrays it: in every other one a wrong option is marked, in the others none."""
    made = []
    for place, item in enumerate(questions(HELD_OUT_SEED, plan.held_out)):
        others = [i for i in range(len(item.choices)) if i != item.answer]
        wrong = others[int(seeded("wrong", item.id).integers(len(others)))]
        made.append(marked(item, wrong if place % 2 else None))
    return Items(made)


def settings(arm: Arm, plan: Plan, seed: int) -> SFT | GRPO:
    """Of the stage, as the tiny recipes have it."""
    shared = {"part": "all", "copies": 4, "learning_rate": 3e-4, "seed": seed, "keep": 99, "save_every": plan.every}
    if arm.stage == "sft":
        return SFT(**shared | {"batch": 8, "steps": plan.sft_steps} | dict(arm.changes))
    given = {"batch": 16, "generations": 8, "new_tokens": 16, "temperature": 1.0, "top_k": 0, "steps": plan.grpo_steps}
    return GRPO(**shared | given | dict(arm.changes))


def carry_out(name: str, plan: Plan, seed: int) -> None:
    """Train an arm with a seed, and let each of its checkpoints answer; DONE then holds the processor's seconds."""
    folder, arm = plan.folder(name, seed), ARMS[name]
    started = time.process_time()
    said = settings(arm, plan, seed)
    rows = TrainingRows(to_train_on(plan), said.copies, seed, extra_option=getattr(said, "abstain_option", None))
    train = train_sft if arm.stage == "sft" else train_grpo
    trained = train(said, rows, str(plan.out / "base"), folder / "trained", progress=False)
    seconds = time.process_time() - started
    for step in range(plan.every, trained.steps, plan.every):
        answer(plan, folder / f"trained/checkpoints/checkpoint-{step}", folder / f"answers-{step}")
    answer(plan, trained.model, folder / f"answers-{trained.steps}")
    shutil.rmtree(folder / "trained" / "checkpoints", ignore_errors=True)
    (folder / DONE).write_text(f"{seconds:.1f}")


def answer(plan: Plan, model: Path, out: Path) -> None:
    """A model's answers to the held-out questions, with the audio and in silence of the clip's length."""
    if not (out / "run.json").exists():  # killed before it was a run
        shutil.rmtree(out, ignore_errors=True)
    asked = load_checkpoint(model, name=MODEL)
    score(held_out(plan), [asked], ("audio", WITHOUT), orders="given", run=out, progress=False)


def work(plan: Plan, seeds: int, arms: list[str]) -> None:
    """Everything that is not done yet, each arm in a process of its own with one thread."""
    plan.out.mkdir(parents=True, exist_ok=True)
    half_trained(plan.out / "base", plan.base_steps)
    answer(plan, plan.out / "base", plan.out / "answers-base")
    for seed in range(seeds):
        for name in arms:
            folder = plan.folder(name, seed)
            if not (folder / DONE).exists():
                process = get_context("spawn").Process(target=carry_out, args=(name, plan, seed))
                process.start()
                process.join()
                if process.exitcode:
                    raise SystemExit(f"{name}, seed {seed}, failed; the same command goes on")
                print(f"{name}, seed {seed}: {(folder / DONE).read_text()} s of processor time to train", flush=True)


def heard(folder: Path, items: list[Item]) -> tuple[Heard, np.ndarray]:
    """Who was right, in the order of these items; and the clips."""
    found = rights(Run.open(folder))
    places = {item_id: place for place, item_id in enumerate(found.item_id)}
    order = np.array([places[item.id] for item in items])
    audio, without = (found.cells[MODEL, c][order].astype(bool) for c in ("audio", WITHOUT))
    none = np.zeros(len(order), bool)
    chance = np.array([1 / len(item.choices) for item in items])
    return Heard(audio, without, none, none, chance), np.unique(found.clip_id[order], return_inverse=True)[1]


def scales(told: Heard) -> tuple[float, float]:
    """What the audio adds: in points, and of what the text leaves open."""
    return float(gain(told.sides()).mean()), float(relative_gain(told.sides()).mean())


COLUMNS = {
    "misled": "audio, misled", "audio": "audio, no mark", "silence": "silence, no mark", "gain": "A - S",
    "relative": "(A - S) / (1 - S)",
}  # fmt: skip


def measured(folder: Path, items: list[Item]) -> dict[str, float]:
    """COLUMNS of one model. The scales are of questions without a mark: a misleading one lowers S too."""
    told, misled = heard(folder, items[::2])[0], heard(folder, items[1::2])[0]
    right = (misled.right_audio, told.right_audio, told.right_without)
    return dict(zip(COLUMNS, (*(float(one.mean()) for one in right), *scales(told)), strict=True))


def results(plan: Plan, seeds: int) -> pd.DataFrame:
    """A row for each arm, seed and step."""
    items, rows = list(held_out(plan)), []
    for name, arm in ARMS.items():
        for seed in range(seeds):
            if (plan.folder(name, seed) / DONE).exists():
                for folder in plan.folder(name, seed).glob("answers-*"):
                    told = {"arm": name, "stage": arm.stage, "seed": seed, "step": int(folder.name.split("-")[1])}
                    rows.append(told | measured(folder, items))
    return pd.DataFrame(rows)


def table(plan: Plan, found: pd.DataFrame, start: Mapping[str, float]) -> str:
    """Means over the seeds at the last step, and in how many seeds an arm listens more than the plain one."""
    heads = ["", *COLUMNS.values(), "misled less", "more on both scales", "by the verdict"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines.append(f"| before | {' | '.join(f'{start[name]:.2f}' for name in COLUMNS)} | | | |")
    last = found[found.step == found.groupby(["arm", "seed"]).step.transform("max")]
    for name, own in last.groupby("arm", sort=False):
        cells = [f"{own[one].mean():.2f} ± {own[one].std(ddof=1):.2f}" for one in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} | {' | '.join(_shares(str(name), last, plan))} |")
    return "\n".join(lines) + f"\n\n± is the standard deviation of {last.seed.nunique()} seeds"


def _shares(name: str, last: pd.DataFrame, plan: Plan) -> list[str]:
    plain, items = PLAIN[ARMS[name].stage], list(held_out(plan))[::2]
    if name == plain:
        return ["", "", ""]
    both = last[last.arm == name].merge(last[last.arm == plain], on="seed", suffixes=("", "_plain"))
    more = (both.gain > both.gain_plain) & (both.relative > both.relative_plain)
    verdicts = 0
    for one in both.itertuples():
        now, clips = heard(plan.folder(name, one.seed) / f"answers-{one.step}", items)
        before, _ = heard(plan.folder(plain, one.seed) / f"answers-{one.step_plain}", items)
        verdicts += listening_change(now, before, clips).verdict.startswith("listens more")
    return [f"{int(count)} of {len(both)}" for count in ((both.misled > both.misled_plain).sum(), more.sum(), verdicts)]


def figure(found: pd.DataFrame, start: Mapping[str, float]):
    """How often the mark misleads, and what the audio adds, while training; bands reach from seed to seed."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(9, 8), layout="constrained")
    for row, scale in enumerate(("misled", "gain", "relative")):
        for column, stage in enumerate(PLAIN):
            axes = made.add_subplot(3, 2, 2 * row + column + 1)
            for name, own in found[found.stage == stage].groupby("arm", sort=False):
                by_step = own.groupby("step")[scale]
                steps, means = [0, *by_step.mean().index], [start[scale], *by_step.mean()]
                [line] = axes.plot(steps, means, marker="o", label=name, lw=2.5 if name in PLAIN.values() else 1.5)
                ends = ([start[scale], *one] for one in (by_step.min(), by_step.max()))
                axes.fill_between(steps, *ends, alpha=0.12, color=line.get_color())
            axes.set(xlabel="step", ylabel=COLUMNS[scale])
            axes.grid(alpha=0.3)
            if not row:
                axes.legend(fontsize=8)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for everything")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="which of them")
    parser.add_argument("--items", type=int, default=400, help="questions to train on")
    parser.add_argument("--held-out", type=int, default=240, help="questions to compare on")
    parser.add_argument("--betrayed", type=float, default=0.8, help="share of the former that the mark betrays")
    parser.add_argument("--sft-steps", type=int, default=30)
    parser.add_argument("--grpo-steps", type=int, default=20)
    parser.add_argument("--every", type=int, default=10, help="steps between two points of the curve")
    parser.add_argument("--base-steps", type=int, default=350, help="steps of the half-trained model (it takes 1,200)")
    parser.add_argument("--tables", action="store_true", help="only read what is there")
    given = parser.parse_args()
    plan = Plan(given.out.resolve(), given.items, given.held_out, given.betrayed, given.sft_steps, given.grpo_steps,
                given.every, given.base_steps)  # fmt: skip
    if not given.tables:
        os.environ["OMP_NUM_THREADS"] = "1"
        work(plan, given.seeds, given.arms)
    found, start = results(plan, given.seeds), measured(plan.out / "answers-base", list(held_out(plan)))
    found.to_csv(plan.out / "curves.csv", index=False)
    figure(found, start).savefig(plan.out / "objectives.png", dpi=120)
    print(table(plan, found, start))


if __name__ == "__main__":
    main()
