"""Scoring end to end on mock models: what is asked, resumed, refused, quarantined, and kept after a kill."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.lazy import lazy
from helpers.processes import command_process

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.models.base import Generated, Request, Scored
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.prompts import rotate
from audiocontrib.store import Run

pd = lazy("pandas")

MOCK = MockModel(Planted(skill=0.9, leak_from="needs_audio", seed=1), "mock")
KEY = ["item_id", "model", "condition", "order"]
ANSWERS = [
    *KEY,
    "outcome",
    "choice",
    "correct",
    "option_logprob",
    "posterior",
    "reply",
    "audio_sha256",
    "prompt_sha256",
]


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", seed=3, limit=24)


def table(run: Run) -> pd.DataFrame:
    frame = run.responses.sort_values(KEY).reset_index(drop=True)
    return frame[[*ANSWERS, "request_key"]]


def test_every_item_is_asked_under_every_condition_and_order(items: Items, tmp_path: Path) -> None:
    run = ac.score(items, [MOCK], ["audio", "silence", "text"], run=tmp_path / "r", progress=False)
    frame = table(run)
    assert len(frame) == 3 * sum(len(item.choices) for item in items)
    assert not frame.duplicated(KEY).any()
    assert set(frame["outcome"]) == {"answered"}
    heard = frame.groupby("condition")["audio_sha256"].agg(lambda column: column.notna().mean())
    assert dict(heard) == {"audio": 1.0, "silence": 1.0, "text": 0.0}
    assert frame[frame["condition"] == "silence"]["audio_sha256"].nunique() == 1
    assert frame["posterior"].map(sum).map(lambda total: abs(total - 1) < 1e-9).all()
    assert (run.query("select count(*) as n from items")["n"] == len(items)).all()


def test_given_order_asks_once(items: Items, tmp_path: Path) -> None:
    run = ac.score(items, [MOCK], ["text"], orders="given", run=tmp_path / "r", progress=False)
    assert len(run.responses) == len(items)
    assert set(run.responses["order"]) == {0}


class PicksText(MockModel):
    """Prefers the option whose text comes first in the alphabet, wherever it stands."""

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        ranked = [sorted(r.prompt.options) for r in requests]
        return [
            Scored(
                tuple(-1.0 - names.index(o) for o in r.prompt.options),
                tuple(len(o) for o in r.prompt.options),
            )
            for r, names in zip(requests, ranked, strict=True)
        ]

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        return [Generated(f"({'ABCDEF'[r.prompt.options.index(min(r.prompt.options))]})") for r in requests]


@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_choices_are_stored_in_the_items_own_order(items: Items, tmp_path: Path, method: str) -> None:
    run = ac.score(items, [PicksText(Planted(), "abc")], ["text"], method=method, run=tmp_path / "r", progress=False)
    by_id = {item.id: item for item in items}
    for row in run.responses.itertuples():
        item = by_id[row.item_id]
        assert item.choices[row.choice] == min(item.choices)
        assert row.correct == (row.choice == item.answer)
        if method == "likelihood":
            assert list(row.option_tokens) == [len(choice) for choice in item.choices]
            assert row.option_logprob[row.choice] == -1.0


def test_the_same_command_asks_nothing_twice(items: Items, tmp_path: Path) -> None:
    first = table(ac.score(items, [MOCK], ["text"], run=tmp_path / "r", progress=False))

    class Mute(MockModel):
        def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
            raise AssertionError("asked again")

    again = ac.score(items, [Mute(MOCK.planted, "mock")], ["text"], run=tmp_path / "r", progress=False)
    pd.testing.assert_frame_equal(first, table(again))


def test_failed_questions_are_asked_again_and_only_those(items: Items, tmp_path: Path) -> None:
    flaky = MockModel(replace(MOCK.planted, fail=0.3, fail_always=True), "mock")
    broken = ac.score(items, [flaky], ["text"], run=tmp_path / "r", progress=False)
    failed = broken.responses[broken.responses["outcome"] == "failed"]
    assert 0 < len(failed) < len(broken.responses)
    assert failed["choice"].isna().all()
    assert failed["correct"].isna().all()
    assert failed["error"].str.contains("RuntimeError").all()
    mended = ac.score(items, [MOCK], ["text"], run=tmp_path / "r", progress=False)
    plain = ac.score(items, [MOCK], ["text"], run=tmp_path / "plain", progress=False)
    pd.testing.assert_frame_equal(table(mended), table(plain))


def test_a_log_probability_that_is_not_finite_is_a_failure(items: Items, tmp_path: Path) -> None:
    class Nan(MockModel):
        def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
            return [Scored((float("nan"),) * len(r.prompt.options), (1,) * len(r.prompt.options)) for r in requests]

    run = ac.score(items, [Nan(Planted(), "nan")], ["text"], run=tmp_path / "r", progress=False)
    assert set(run.responses["outcome"]) == {"failed"}


def test_a_run_may_grow_but_a_changed_model_or_prompt_is_refused(items: Items, tmp_path: Path) -> None:
    run = tmp_path / "r"
    ac.score(items, [MOCK], ["text"], run=run, progress=False)
    other = MockModel(Planted(skill=0.5), "other")
    grown = ac.score(items, [MOCK, other], ["text", "silence"], run=run, progress=False)
    assert len(grown.responses) == 4 * sum(len(item.choices) for item in items)
    with pytest.raises(AudiocontribError, match=r"models\.mock\.skill: 0\.9 -> 0\.5"):
        ac.score(items, [MockModel(Planted(skill=0.5), "mock")], ["text"], run=run, progress=False)
    with pytest.raises(AudiocontribError, match=r"prompt\.name: audiomcq -> audiomcq-card"):
        ac.score(items, [MOCK], ["text"], run=run, prompt="audiomcq-card", progress=False)
    assert len(Run.open(run).responses) == len(grown.responses)


def test_swap_records_the_partner_and_plays_its_clip(items: Items, tmp_path: Path) -> None:
    run = ac.score(items, [MOCK], ["audio", "swap"], orders="given", run=tmp_path / "r", progress=False)
    frame = run.responses
    own = frame[frame["condition"] == "audio"].set_index("item_id")
    swapped = frame[frame["condition"] == "swap"]
    assert len(swapped) > 0
    assert own["partner_id"].isna().all()
    for row in swapped.itertuples():
        assert row.audio_sha256 == own.loc[row.partner_id, "audio_sha256"]
        assert row.audio_sha256 != own.loc[row.item_id, "audio_sha256"]


def test_items_whose_clip_cannot_be_heard_are_quarantined_and_heal(items: Items, tmp_path: Path) -> None:
    bad = items[0].clip_id
    lost = Items(
        [replace(i, audio=Clip("gone.wav", root=str(tmp_path))) if i.clip_id == bad else i for i in items],
        (),
        items.origin,
    )
    run = ac.score(lost, [MOCK], ["audio", "text"], run=tmp_path / "r", progress=False)
    gone = {i.id for i in lost if i.clip_id == bad}
    assert run.quarantined_ids() == gone
    assert not gone & set(run.responses["item_id"])
    assert run.query("select reason from quarantine")["reason"].str.contains("no such file").all()
    # under text alone nothing needs the clip
    text = ac.score(lost, [MOCK], ["text"], run=tmp_path / "t", progress=False)
    assert gone <= set(text.responses["item_id"])
    # the file is there again: the same command asks what was left out
    assert items[0].audio is not None
    (tmp_path / "gone.wav").write_bytes(items[0].audio.data or b"")
    healed = ac.score(lost, [MOCK], ["audio", "text"], run=tmp_path / "r", progress=False)
    assert healed.quarantined_ids() == set()
    assert gone <= set(healed.responses["item_id"])


def test_an_item_without_a_partner_loses_swap_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alike = ac.load_items("demo", seed=3, limit=40)
    alike = Items(
        [i for i in alike if i.extra["family"] == "pitch"], (), alike.origin
    )  # low, middle, high: few strangers
    run = ac.score(alike, [MOCK], ["audio", "swap"], orders="given", run=tmp_path / "r", progress=False)
    counts = run.responses["condition"].value_counts()
    assert counts["audio"] == len(alike)
    assert counts.get("swap", 0) < len(alike)
    assert not run.quarantined_ids()
    assert "questions that borrow a clip or an option are left out" in caplog.text


def test_a_clip_longer_than_the_model_hears_is_cut_and_said_so(
    items: Items, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = MockModel(Planted(), "short")
    short.max_seconds = 0.5
    run = ac.score(items, [short], ["audio"], orders="given", run=tmp_path / "r", progress=False)
    assert (run.responses["audio_seconds"] == 0.5).all()
    assert "longer than the 0.5 s that short hears, and were cut" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [{"method": "guess"}, {"orders": "random"}, {"prompt": "none"}, {"conditions": ["sillence"]}, {"conditions": []},
     {"models": []}, {"models": [MOCK, MOCK]}, {"models": ["no-such-model"]}],
)  # fmt: skip
def test_wrong_questions_are_one_line(items: Items, tmp_path: Path, wrong: dict) -> None:
    settings = {"models": [MOCK], "conditions": ["text"], "run": tmp_path / "r", "progress": False} | wrong
    with pytest.raises(UsageError) as caught:
        ac.score(items, **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r").exists()


def test_rotations_hold_every_option_once_in_every_place() -> None:
    shown = [rotate(("a", "b", "c"), order) for order in range(3)]
    assert shown == [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_kill_9_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"What is heard in {n}?",
            "choices": ["a dog", "a cat", "rain"],
            "answer": "rain",
            "audio": f"{n}.wav",
        }
        for n in range(160)
    ]
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def command(run: str) -> list[str]:
        return [
            "score", "--dataset", str(tmp_path / "set.jsonl"),
            "--model", "mock:skill=0.8,leak=0.3,seed=4,seconds=0.01", "--condition", "text",
            "--run", str(tmp_path / run), "--quiet", "--save-every", "0",
        ]  # fmt: skip

    def parts() -> int:
        return len(list((tmp_path / "killed" / "responses").glob("*.parquet")))

    moments = random.Random(0)
    killed = 0
    for _ in range(8):
        before = parts()
        process = command_process(command("killed"))
        while parts() == before and process.is_alive():  # until it is well under way
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed == 8
    for run in ("killed", "whole"):
        done = CliRunner().invoke(main, command(run))
        assert done.exit_code == 0, done.output
    whole, mended = (table(Run.open(tmp_path / name)) for name in ("whole", "killed"))
    assert len(whole) == 480
    assert not mended.duplicated("request_key").any()
    pd.testing.assert_frame_equal(whole, mended)


@pytest.mark.slow
def test_a_run_in_progress_can_be_queried(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    command = [
        sys.executable, "-m", "audiocontrib", "score", "--dataset", "demo", "--limit", "200", "--condition", "text",
        "--model", "mock:seconds=0.02,leak=0.5", "--run", run, "--quiet", "--save-every", "0",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        sql = "select condition, avg(correct::int) as share, count(*) as n from responses group by 1"
        for _ in range(120):
            time.sleep(0.25)
            asked = CliRunner().invoke(main, ["query", "--run", run, sql, "--format", "json"])
            if asked.exit_code == 0 and asked.stdout:
                break
        assert asked.exit_code == 0, asked.output
        seen = json.loads(asked.stdout)
        assert seen["condition"] == "text"
        assert seen["n"] > 0
        assert process.poll() is None, "the run was over before it was queried"
    finally:
        process.kill()
        process.wait()


def test_one_model_under_two_names_is_asked_under_both(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=3)
    run = ac.score(items, ["mock:name=a", "mock:name=b"], ["text"], run=tmp_path / "run", progress=False)
    counts = run.query("select model, count(*) as n from responses group by 1 order by 1")
    assert counts.n.tolist() == [sum(len(item.choices) for item in items)] * 2
