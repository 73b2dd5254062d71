"""One run filled by several processes holds what one process would have written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers.lazy import lazy, needs

import audiocontrib as ac
from audiocontrib.audio import stamp
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.scoring import plan, prefetch
from audiocontrib.scoring.plan import Shard
from audiocontrib.store import Run

pd = lazy("pandas")

TINY = "tiny-qwen2.5-omni"
CONDITIONS = ["audio", "silence:matched", "text"]
KEY = ["item_id", "model", "condition", "order"]


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", seed=5, limit=12)


@pytest.fixture(scope="module")
def alone(items: Items, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ac.score(items, [TINY], CONDITIONS, run=tmp_path_factory.mktemp("alone") / "r", progress=False)


def assert_same(run: Run, expected: Run) -> None:
    """Each question once, the same keys and choices, log-probabilities within 1e-4."""
    a, b = (r.responses.sort_values(KEY).reset_index(drop=True) for r in (run, expected))
    same = [*KEY, "outcome", "choice", "correct", "request_key", "resume_key", "audio_sha256", "option_tokens"]
    pd.testing.assert_frame_equal(a[same], b[same])
    for x, y in zip(a["option_logprob"], b["option_logprob"], strict=True):
        np.testing.assert_allclose(x, y, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_three_shards(items: Items, alone: Run, tmp_path: Path) -> None:
    for shard in ("1/3", "2/3", "3/3"):
        run = ac.score(items, [TINY], CONDITIONS, run=tmp_path / "r", shard=shard, progress=False)
    assert_same(run, alone)


@pytest.mark.slow
def test_killed_and_resumed_with_another_number_of_shards(items: Items, alone: Run, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "audiocontrib", "score", "--dataset", "demo", "--seed", "5", "--limit", "12",
        "--model", TINY, "--run", str(tmp_path / "r"),
        "--quiet", "--save-every", "0", "--shard", "1/2", "--device", "cpu",
        *[part for c in CONDITIONS for part in ("--condition", c)],
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and not list(tmp_path.glob("r/responses/*.parquet")):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()
    held = len(Run.open(tmp_path / "r").responses)
    assert 0 < held < len(alone.responses) / 2
    for shard in ("3/3", "1/3", "2/3"):
        run = ac.score(items, [TINY], CONDITIONS, run=tmp_path / "r", shard=shard, progress=False)
    assert_same(run, alone)


@pytest.mark.slow
def test_a_process_for_each_device(items: Items, alone: Run, tmp_path: Path) -> None:
    run = ac.score(items, [TINY], CONDITIONS, run=tmp_path / "r", devices=["cpu", "cpu"], progress=False)
    assert_same(run, alone)


@pytest.mark.slow
def test_a_process_that_dies_leaves_what_it_answered(
    items: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiocontrib.scoring.parallel import on_devices

    with pytest.raises(AudiocontribError, match=r"ended from outside .* the same command goes on"):
        on_devices(partial(_dies, os.getpid()), Shard(), ["cpu", "cpu"], {})


def _dies(parent: int, **given: object) -> None:
    assert os.getpid() != parent
    os.kill(os.getpid(), signal.SIGKILL)


def test_shards_are_parts_of_the_recordings() -> None:
    clips = [f"clip-{n}.wav" for n in range(500)]
    for of in (1, 2, 3, 7):
        owners = [[i for i in range(1, of + 1) if Shard(i, of).holds(clip)] for clip in clips]
        assert all(len(found) == 1 for found in owners)
        sizes = np.bincount([found[0] for found in owners])[1:]
        assert sizes.min() > 500 / of / 1.5
    pieces = Shard(2, 3).split(4)
    assert len(pieces) == 4
    for clip in clips:
        assert Shard(2, 3).holds(clip) == (sum(p.holds(clip) for p in pieces) == 1)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""])
def test_what_is_no_shard_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="write i/n"):
        Shard.parse(text)


def test_models_that_are_objects_stay_in_their_process(items: Items, tmp_path: Path) -> None:
    model = ac.load_model("mock")
    with pytest.raises(UsageError, match="give their names"):
        ac.score(items, [model], ["text"], run=tmp_path / "r", devices=["cpu", "cpu"], progress=False)
    with pytest.raises(UsageError, match="no engine is called 'spark'"):
        ac.score(items, ["mock"], ["text"], run=tmp_path / "r", engine="spark", progress=False)


def test_resume_decodes_nothing(items: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = _as_files(items, tmp_path)
    first = ac.score(files, ["mock"], ["audio", "swap", "silence"], run=tmp_path / "r", progress=False).responses

    def never(clip: Clip) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(prefetch, "decode", never)
    again = ac.score(files, ["mock"], ["audio", "swap", "silence"], run=tmp_path / "r", progress=False)
    assert len(again.responses) == len(first)
    assert again.quarantined_ids() == set()


def test_a_touched_file_is_heard_again_and_not_asked_again(items: Items, tmp_path: Path) -> None:
    files = _as_files(items, tmp_path)
    ac.score(files, ["mock"], ["audio"], run=tmp_path / "r", progress=False)
    parts = sorted(tmp_path.glob("r/responses/*"))
    for path in tmp_path.glob("*.wav"):
        os.utime(path, (1, 1))
    ac.score(files, ["mock"], ["audio"], run=tmp_path / "r", progress=False)
    assert sorted(tmp_path.glob("r/responses/*")) == parts


def test_a_changed_recording_is_asked_about_again(items: Items, tmp_path: Path) -> None:
    files = _as_files(items, tmp_path)
    before = ac.score(files, ["mock"], ["audio"], run=tmp_path / "r", progress=False).responses
    changed, other = files[0], next(i for i in files if i.clip_id != files[0].clip_id)
    assert changed.audio is not None
    assert other.audio is not None
    (tmp_path / str(changed.audio.path)).write_bytes((tmp_path / str(other.audio.path)).read_bytes())
    after = ac.score(files, ["mock"], ["audio"], run=tmp_path / "r", progress=False).responses
    asked = sum(len(i.choices) for i in files if i.clip_id == changed.clip_id)
    assert len(after) == len(before) + asked


def _as_files(items: Items, folder: Path) -> Items:
    from dataclasses import replace

    kept, names = [], {}
    for item in items:
        name = names.setdefault(item.clip_id, f"{len(names)}.wav")
        assert item.audio is not None
        (folder / name).write_bytes(item.audio.data or b"")
        kept.append(replace(item, audio=Clip(name, str(folder))))
    return Items(kept, (), items.origin)


def test_the_stamp_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    first = stamp(Clip("a.wav", str(tmp_path)))
    assert first == stamp(Clip("a.wav", str(tmp_path)))
    path.write_bytes(b"two!")
    assert stamp(Clip("a.wav", str(tmp_path))) != first
    assert stamp(Clip("gone.wav", str(tmp_path))) is None
    assert stamp(Clip("../../etc/passwd", str(tmp_path))) is None
    assert stamp(Clip(data=b"one")) != stamp(Clip(data=b"two"))


def test_items_on_one_recording_come_together(items: Items) -> None:
    groups = list(plan.by_clip(items, Shard()))
    assert [g[0].clip_id for g in groups] == list(dict.fromkeys(i.clip_id for i in items))
    assert sorted(i.id for g in groups for i in g) == sorted(i.id for i in items)
    assert plan.options_of(items, Shard()) == [len(i.choices) for i in items]
    shards = [Shard(i, 3) for i in (1, 2, 3)]
    assert sum(len(plan.options_of(items, s)) for s in shards) == len(items)


RECIPES = ROOT / "recipes" / "cluster"


def with_script(name: str, folder: Path, **given: str) -> Run:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = os.environ | given | {"PATH": path, "RUN": str(folder / "r")}
    done = subprocess.run(["bash", str(RECIPES / name)], env=env, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Run.open(folder / "r")


@pytest.mark.slow
def test_the_script_for_slurm_scores_a_run(tmp_path: Path) -> None:
    given = {"DATASET": "demo", "MODEL": "mock", "OPTIONS": "--limit 6 --condition text --quiet"}
    for task in "12":
        run = with_script("slurm_array.sh", tmp_path, SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="2", **given)
    assert len(run.responses) == sum(len(i.choices) for i in ac.load_items("demo", limit=6))


@pytest.mark.slow
@needs("ray")
def test_the_script_for_ray_scores_a_run_with_two_actors(alone: Run, tmp_path: Path) -> None:
    options = ["--seed 5 --limit 12 --quiet --device cpu", *(f"--condition {c}" for c in CONDITIONS)]
    given = {"DATASET": "demo", "MODEL": TINY, "ACTORS": "2", "OPTIONS": " ".join(options)}
    # no workers but the two that are asked for
    lean = {"RAY_prestart_worker_first_driver": "0", "RAY_enable_worker_prestart": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    assert_same(with_script("ray.sh", tmp_path, **given, **lean), alone)


def test_a_slurm_script_outside_an_array_says_so(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
    command = ["bash", str(RECIPES / "slurm_array.sh")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert "sbatch --array=1-N" in done.stderr
