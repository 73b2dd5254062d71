"""The plan of a run: exact counts, tokens before and after sharing, time from a trial."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.scoring import make_asking
from audiocontrib.scoring.estimate import SAMPLE, estimate_scoring
from audiocontrib.scoring.plan import Shard


@pytest.mark.slow
def test_requests_are_exact_and_tokens_count_what_is_shared() -> None:
    items = ac.load_items("demo", seed=2, limit=12)
    asking = make_asking(["audio", "silence", "text"], "likelihood", "cyclic", "audiomcq")
    model = ac.load_model("tiny-qwen2.5-omni", device="cpu")
    assert len({i.clip_id for i in items}) <= SAMPLE
    rows = {row["condition"]: row for row in estimate_scoring(items, model, asking).to_pylist()}
    asked = sum(len(i.choices) for i in items)
    assert {row["requests"] for row in rows.values()} == {asked}
    for row in rows.values():
        assert 0 < row["new_tokens"] < row["prompt_tokens"] / 3
        assert row["seconds"] > 0
    # silence of 30 s is 750 audio tokens before every option, and none of them is new
    assert rows["silence"]["prompt_tokens"] > rows["text"]["prompt_tokens"] + 750 * asked
    assert rows["silence"]["new_tokens"] < 1.5 * rows["text"]["new_tokens"]
    halves = [estimate_scoring(items, model, asking, Shard(i, 2)).column("requests")[0].as_py() for i in (1, 2)]
    assert sum(halves) == asked


def test_a_model_that_tells_no_tokens() -> None:
    items = ac.load_items("demo", seed=2, limit=30)
    asking = make_asking(["text"], "likelihood", "given", "audiomcq")
    [row] = estimate_scoring(items, ac.load_model("mock:seconds=0.002"), asking).to_pylist()
    assert row["prompt_tokens"] is None
    assert row["requests"] == 30
    assert 0.03 < row["seconds"] < 3


def test_the_command_prints_a_plan_and_keeps_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(
        main, ["score", "--dataset", "demo", "--limit", "8", "--model", "mock", "--dry-run", "--format", "json"]
    )
    assert said.exit_code == 0, said.output
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    assert [row["condition"] for row in rows] == ["audio", "silence"]
    assert "nothing was kept" in said.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_that_only_fails_is_given_up(tmp_path) -> None:
    items = ac.load_items("demo", seed=2, limit=200)
    with pytest.raises(
        AudiocontribError, match=r"the last \d+ questions all failed, e\.g\. RuntimeError.* [\d,]+ are left"
    ) as caught:
        ac.score(items, ["mock:fail=1,fail_always=1"], ["text"], run=tmp_path / "r", progress=False)
    run = ac.open_run(tmp_path / "r")
    failed = len(run.responses)
    assert f" {sum(len(i.choices) for i in items):,} are left" in str(caught.value)
    assert 200 <= failed < 600
    healed = ac.score(items, ["mock"], ["text"], run=tmp_path / "r", progress=False)
    assert set(healed.responses["outcome"]) == {"answered"}
