"""The experiment of benchmarks/weak_to_strong.py: its figures, its intervals, and that it goes on after a kill."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers.lazy import lazy

from audiocontrib.errors import AudiocontribError

pd = lazy("pandas")

BENCHMARKS = ROOT / "benchmarks"
sys.path.append(str(BENCHMARKS))
experiment, arms, starts = lazy("weak_to_strong"), lazy("arms"), lazy("starts")


def answers(rng: np.random.Generator, better: float, seeds: int = 3, items: int = 400) -> arms.Answers:
    """Base at .5 with audio, one arm at .5 + ``better``; a seed moves an arm by chance, a clip both."""
    clips = np.arange(items) // 2
    ease = np.repeat(rng.normal(0, 0.1, items // 2), 2)

    def right(level: float, seeds: int) -> np.ndarray:
        moved = level + rng.normal(0, 0.02, (seeds, 1)) * (seeds > 1) + ease
        return (rng.random((seeds, items)) < moved).astype(float)

    def cells(level: float, seeds: int) -> dict[str, np.ndarray]:
        return {c: right(level if c == "audio" else 0.3, seeds) for c in arms.CONDITIONS}

    found = {"base": cells(0.5, 1), "Weak-to-Strong": cells(0.5 + better, seeds), "all-SFT": cells(0.5, seeds)}
    half = np.arange(items) % 4 < 2
    parts = {"all": half | ~half, "strong": half, "weak": ~half, "needs the audio": half, "text betrays it": ~half}
    return arms.Answers(found, parts, clips)


def test_tables_hold_the_means_of_the_answers() -> None:
    found = answers(np.random.default_rng(0), better=0.2)
    shown = arms.accuracies(found)
    for row in shown.itertuples():
        cells = found.right[row.arm]
        values = cells["audio"] - cells["silence"] if row.condition == "audio - silence" else cells[row.condition]
        wanted = pd.DataFrame(values[:, found.parts[row.part]].T).mean().mean()
        assert row.accuracy == pytest.approx(wanted)
        assert row.low <= row.accuracy <= row.high
        assert row.seeds == len(values)
    changes = arms.differences(found).set_index(["measure", "arm", "against"])
    level = shown.set_index(["arm", "part", "condition"]).accuracy
    got = changes.loc["audio, strong", "Weak-to-Strong", "base"]
    assert got.difference == pytest.approx(
        level["Weak-to-Strong", "strong", "audio"] - level["base", "strong", "audio"]
    )
    assert got.beyond_noise
    assert not changes.loc["audio, strong", "all-SFT", "base"].beyond_noise
    assert set(changes.reset_index().query("arm == 'Weak-to-Strong'").against) == {"base", "all-SFT"}


@pytest.mark.slow
def test_intervals_cover_and_noise_is_rarely_called_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arms, "MEASURES", {"audio, all": ("audio", "all")})
    rng = np.random.default_rng(1)
    covered, alarms, repeats = 0, 0, 30
    for _ in range(repeats):
        found = answers(rng, better=0.0, items=200)
        difference = found.right["Weak-to-Strong"]["audio"] - found.right["base"]["audio"]
        _, low, high, _ = arms.mean(difference, found.clips)
        covered += low <= 0 <= high
        alarms += bool(arms.differences(found).beyond_noise.any())
    assert covered / repeats > 0.93
    assert alarms / repeats < 0.08


def test_answers_that_are_all_right_have_an_interval_all_the_same() -> None:
    ones = {c: np.ones((1, 40)) for c in arms.CONDITIONS}
    parts = {"all": np.ones(40, bool)}
    row = arms.accuracies(arms.Answers({"base": ones}, parts, np.arange(40) // 2)).iloc[0]
    assert row.accuracy == row.high == 1
    assert row.low == pytest.approx(0.839, abs=0.001)  # Wilson's for 20 of 20


@pytest.mark.parametrize("start", ["half-trained", "smol-audio"])
def test_every_arm_takes_the_same_steps_with_its_own_seed(start: str, tmp_path: Path) -> None:
    (tmp_path / "half-trained-model").mkdir()
    plan = experiment.Plan(start, starts.Given(tmp_path / start, 1, 1), steps=100)
    changed = plan.start.changes.get("grpo", {})
    for arm in experiment.ARMS:
        recipe = experiment.recipe(arm, plan, seed=2)
        stages = [stage for stage in (recipe.sft, recipe.grpo) if stage is not None]
        assert [s is not None for s in (recipe.sft, recipe.grpo)] == [name in arm.stages for name in ("sft", "grpo")]
        assert sum(stage.steps for stage in stages) == 100
        assert {stage.seed for stage in stages} == {2}
        assert recipe.model == (start if start == "smol-audio" else str(tmp_path / start / "base"))
        if recipe.grpo:
            assert changed.items() <= {name: getattr(recipe.grpo, name) for name in changed}.items()
        if arm.changes:
            assert arm.changes.items() <= {name: getattr(stages[-1], name) for name in arm.changes}.items()
    assert len({arm.folder(0) for arm in experiment.ARMS}) == len(experiment.ARMS)


@pytest.mark.slow
def test_an_arm_is_trained_asked_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "half-trained"
    plan = experiment.Plan("half-trained", starts.Given(out, items=24, held_out=10, base_steps=1), 2, ("all-SFT",))
    shipped = BENCHMARKS.parent / "audiocontrib" / "models" / "tiny" / "tiny-qwen2.5-omni"
    shutil.copytree(shipped, tmp_path / "half-trained-model")
    [arm] = plan.arms
    out.mkdir()
    assert plan.start.model(plan.given) == str(out / "base")
    assert "a change of accuracy shows from" in experiment.design(plan, 5)
    experiment.data(plan)
    experiment.answer(plan, out / "base", out / "base-answers")
    experiment.score(
        experiment.held_out(plan), plan.start.raters, ["silence"], run=out / "held-out-rated", progress=False
    )

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(experiment, "answer", killed)
        with pytest.raises(KeyboardInterrupt):
            experiment.carry_out(arm, plan, 0)
    trained = out / arm.folder(0) / "sft" / "model" / "model.safetensors"
    before = trained.stat().st_mtime_ns
    experiment.carry_out(arm, plan, 0)
    assert trained.stat().st_mtime_ns == before
    monkeypatch.setattr(experiment, "train_sft", killed)
    experiment.carry_out(arm, plan, 0)  # nothing is left to do
    found = experiment.read(plan, seeds=3)
    assert {name: cells["text"].shape for name, cells in found.right.items()} == {"base": (1, 10), "all-SFT": (1, 10)}
    assert (found.parts["needs the audio"] ^ found.parts["text betrays it"]).all()
    experiment.report(plan, seeds=3)
    assert (out / "arms.png").stat().st_size > 10_000


def test_half_of_smol_audio_s_questions_betray_the_answer_and_no_clip_is_on_both_sides(tmp_path: Path) -> None:
    rows = [
        {"source_dataset": "smol-audio", "id": f"{n}-{leak}", "question_type": "word", "audio_path": f"clips/{n}.wav",
         "question": "Which word is said?", "choices": ["cat", "dog"], "answer": "dog", "leak": leak, "held_out": ""}
        for n in range(90) for leak in ("", "told")
    ]  # fmt: skip
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = experiment.Plan("smol-audio", starts.Given(tmp_path / "out", 60, 20, smol=tmp_path), steps=2)
    parts = [plan.start.questions(plan.given, held_out) for held_out in (False, True)]
    for items, count in zip(parts, (60, 20), strict=True):
        assert len(items) == count
        assert sum(map(plan.start.needs_audio, items)) == count / 2
    assert not {item.audio for item in parts[0]} & {item.audio for item in parts[1]}
    nowhere = experiment.Plan("smol-audio", starts.Given(tmp_path / "out", 60, 20, smol=tmp_path / "no"), steps=2)
    with pytest.raises(AudiocontribError, match=r"holds no train\.jsonl; run recipes/smol_audio/make\.py first"):
        experiment.held_out(nowhere)
