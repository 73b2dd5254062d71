"""Sampled replies: rows of their own, the same whatever the batch and after a kill; refused where there are none."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers.lazy import lazy
from helpers.planted import questions

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.base import Generated, Model, Request
from audiocontrib.provenance import run_steps
from audiocontrib.scoring.sampling import Sampling
from audiocontrib.shell import command_words

if TYPE_CHECKING:
    from torch import Tensor

pd = lazy("pandas")
torch = lazy("torch")
sampling = lazy("audiocontrib.models.sampling")

FIVE = Sampling(repeats=5, temperature=0.9, seed=7)
KEY = ["item_id", "model", "condition", "order", "repeat"]


@pytest.fixture(scope="module")
def items() -> Items:
    return questions(12)


def replies(run: ac.Run) -> Any:
    return run.responses.sort_values(KEY).reset_index(drop=True)[[*KEY, "reply", "choice", "correct", "request_key"]]


def test_each_repeat_is_a_row_of_its_own(items: Items, tmp_path: Path) -> None:
    run = ac.score(items, "mock:skill=0", "text", method="generate", sampling=FIVE, run=tmp_path / "r", progress=False)
    found = replies(run)
    assert len(found) == 5 * 4 * 12
    assert not found.duplicated(KEY).any()
    assert not found.duplicated("request_key").any()
    assert (found.groupby(["item_id", "order"])["reply"].nunique() > 1).mean() > 0.5
    assert run.manifest["identity"]["sampling"] == {"temperature": 0.9, "top_p": 1.0, "seed": 7}
    assert "5 to each question" in str(ac.show(run))
    assert ac.show(run).left == 0


def test_more_repeats_are_added_and_the_others_stay(items: Items, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"method": "generate", "progress": False, "orders": "given"}
    few = Sampling(repeats=2, temperature=0.9, seed=7)
    run = ac.score(items, "mock:skill=0", "text", sampling=few, run=tmp_path / "r", **asked)
    before = replies(run)
    run = ac.score(items, "mock:skill=0", "text", sampling=FIVE, run=tmp_path / "r", **asked)
    after = replies(run)
    assert len(after) == 60
    pd.testing.assert_frame_equal(before, after[after["repeat"] < 2].reset_index(drop=True))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Sampling(repeats=5, temperature=0.8, seed=7), r"sampling\.temperature: 0\.9 -> 0\.8"),
        (Sampling(repeats=5, temperature=0.9, seed=8), r"sampling\.seed: 7 -> 8"),
        (Sampling(repeats=5, temperature=0.9, seed=7, top_p=0.5), r"sampling\.top_p: 1\.0 -> 0\.5"),
        (Sampling(), r"sampling\.temperature: 0\.9 -> \(none\)"),
    ],
)
def test_another_way_of_drawing_is_another_run(items: Items, tmp_path: Path, other: Sampling, says: str) -> None:
    asked: dict[str, Any] = {"method": "generate", "progress": False, "orders": "given", "run": tmp_path / "r"}
    ac.score(items[:2], "mock", "text", sampling=FIVE, **asked)
    with pytest.raises(AudiocontribError, match=says):
        ac.score(items[:2], "mock", "text", sampling=other, **asked)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"repeats": 5}, "greedy replies are all the same"),
        ({"top_p": 0.9}, "greedy replies are not drawn"),
        ({"repeats": 0, "temperature": 1}, "repeats is 0"),
        ({"repeats": 2.0, "temperature": 1}, "repeats is 2.0"),
        ({"repeats": True, "temperature": 1}, "repeats is True"),
        ({"repeats": 10_001, "temperature": 1}, "10,000"),
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 1e-300}, "temperature is 1e-300, but is 0 or a number from 1e-06"),
        ({"temperature": "1"}, "temperature is '1'"),
        ({"temperature": 1, "top_p": 0}, "top_p is 0"),
        ({"temperature": 1, "top_p": 1.1}, "top_p is 1.1"),
        ({"temperature": 1, "seed": -1}, "seed is -1"),
        ({"temperature": 1, "seed": 0.5}, "seed is 0.5"),
    ],
)
def test_settings_without_sense_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as error:
        Sampling(**given)
    assert says in str(error.value)


class Greedy(Model):
    """A model that knows nothing of drawing."""

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        return [Generated(r.prompt.completion(r.prompt.options[0])) for r in requests]


def piano(prompt: str, audio: Any) -> str:
    return "piano"


@pytest.mark.parametrize("model", [Greedy(), piano])
def test_a_model_that_cannot_draw_is_refused_before_it_is_asked(items: Items, tmp_path: Path, model: Any) -> None:
    with pytest.raises(UsageError, match="draws no replies at a temperature"):
        ac.score(items, model, "text", method="generate", sampling=FIVE, run=tmp_path / "r", progress=False)
    assert not (tmp_path / "r").exists()


def test_likelihoods_are_not_drawn(items: Items, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="likelihoods are not drawn"):
        ac.score(items, "mock", "text", sampling=FIVE, run=tmp_path / "r", progress=False)


def test_a_model_of_ones_own_is_told_how_to_draw(items: Items, tmp_path: Path) -> None:
    class Drawn(Greedy):
        capabilities = frozenset({"generate", "sampling"})

        def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
            return [Generated(f"{r.repeat} {r.draw.temperature} {r.draw.seed}") for r in requests if r.draw]

    one = Sampling(repeats=3, temperature=0.5)
    asked: dict[str, Any] = {"method": "generate", "sampling": one, "progress": False}
    run = ac.score(items[:3], Drawn(), "text", run=tmp_path / "r", **asked)
    told = [reply.split() for reply in run.responses["reply"]]
    assert {repeat for repeat, *_ in told} == {"0", "1", "2"}
    assert {temperature for _, temperature, _ in told} == {"0.5"}
    assert len({seed for *_, seed in told}) == 36
    assert all(0 <= int(seed) < 2**31 for *_, seed in told)


def logits(rows: int, width: int = 50) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(0)) * 3


def dice(count: int, **how: Any) -> list[Any]:
    from audiocontrib.models.base import ReplyDraw

    return [sampling.Dice(ReplyDraw(**{"temperature": 1.0, "seed": seed, **how}), "model") for seed in range(count)]


@pytest.mark.slow
def test_tokens_are_drawn_from_the_distribution() -> None:
    """Frequencies against softmax(logits / t), cut by top_p, by a chi-square of its own."""
    one = logits(1, 6)
    for how in ({}, {"temperature": 0.5}, {"temperature": 2.0, "top_p": 0.7}):
        rolled = sampling.draw_tokens(one.expand(20_000, -1), dice(20_000, **how))
        p = (one[0].double() / how.get("temperature", 1.0)).softmax(-1)
        order = p.argsort(descending=True)
        kept = order[(p[order].cumsum(0) - p[order]) < how.get("top_p", 1.0)]
        wanted = torch.zeros(6, dtype=torch.double)
        wanted[kept] = p[kept] / p[kept].sum()
        counts = torch.bincount(torch.tensor(rolled), minlength=6)
        assert set(counts.nonzero()[:, 0].tolist()) <= set(kept.tolist())
        chi = (((counts - 20_000 * wanted) ** 2)[kept] / (20_000 * wanted[kept])).sum()
        assert chi < 25  # 5 degrees of freedom: p < 0.0002 above


def test_a_row_is_drawn_alike_in_every_batch() -> None:
    rows = logits(8)
    together = [sampling.draw_tokens(rows, hand) for hand in [dice(8)] for _ in range(20)]
    single = [(rows[row : row + 1], [one]) for row, one in enumerate(dice(8))]
    alone = [[sampling.draw_tokens(row, hand)[0] for _ in range(20)] for row, hand in single]
    assert [list(column) for column in zip(*together, strict=True)] == alone
    greedy = sampling.draw_tokens(rows, [None] * 8)
    assert greedy == rows.argmax(-1).tolist()
    mixed = sampling.draw_tokens(rows, [None, *dice(8)[1:]])
    assert mixed[0] == greedy[0]
    assert mixed[1:] == together[0][1:]


@pytest.mark.parametrize("top_p", [1e-6, 0.01])
def test_the_likeliest_token_is_always_kept(top_p: float) -> None:
    rows = logits(16)
    assert sampling.draw_tokens(rows, dice(16, top_p=top_p, temperature=0.1)) == rows.argmax(-1).tolist()


def test_the_least_temperature_draws_the_likeliest_token() -> None:
    rows = logits(16) * 100
    least = Sampling(temperature=1e-6).temperature
    assert sampling.draw_tokens(rows, dice(16, temperature=least)) == rows.argmax(-1).tolist()


@pytest.mark.slow
def test_a_local_model_draws_the_same_in_any_batch(tmp_path: Path) -> None:
    """Alone, all together, and in turn; by the tiny model, with a sound and without."""
    asked = ac.load_items("demo", seed=1, limit=4)
    often: dict[str, Any] = {"method": "generate", "orders": "given", "progress": False}
    drawn = Sampling(repeats=3, temperature=1.0, seed=3)
    conditions = ["audio", "text"]
    whole = ac.score(asked, "tiny-qwen2.5-omni", conditions, sampling=drawn, run=tmp_path / "a", **often)
    for shard in ("3/3", "1/3", "2/3"):
        ac.score(asked, "tiny-qwen2.5-omni", conditions, sampling=drawn, run=tmp_path / "b", shard=shard, **often)
    first = replies(whole)
    pd.testing.assert_frame_equal(first, replies(ac.open_run(tmp_path / "b")))
    assert first.groupby(["item_id", "condition"])["reply"].nunique().max() > 1


def test_a_run_without_the_column_is_repeat_0(items: Items, tmp_path: Path) -> None:
    """Parts of older programs lack it; a newer part beside them does not."""
    asked: dict[str, Any] = {"method": "generate", "orders": "given", "progress": False}
    run = ac.score(items[:6], "mock", "text", run=tmp_path / "r", **asked)
    [part] = (run.path / "responses").glob("*.parquet")
    pq.write_table(pq.read_table(part).drop_columns(["repeat"]), part)
    assert run.query("select distinct repeat from responses")["repeat"].tolist() == [0]
    run = ac.score(items, "mock", "text", run=run, **asked)
    found = run.query("select repeat, count(*) as n from responses group by 1")
    assert found.to_dict("list") == {"repeat": [0], "n": [12]}


@pytest.mark.slow
def test_five_repeats_killed_and_resumed_hold_no_row_twice(tmp_path: Path) -> None:
    def command(run: str) -> list[str]:
        return [
            sys.executable, "-m", "audiocontrib", "score", "--dataset", "demo", "--limit", "40", "--seed", "5",
            "--model", "mock:skill=0.5,seconds=0.004", "--condition", "text", "--method", "generate",
            "--repeats", "5", "--temperature", "0.8", "--run", str(tmp_path / run), "--quiet", "--save-every", "0",
        ]  # fmt: skip

    process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "killed" / "responses").glob("*.parquet")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = len(ac.open_run(tmp_path / "killed").responses)
    for run in ("killed", "whole"):
        done = CliRunner().invoke(main, command(run)[3:])
        assert done.exit_code == 0, done.output
    killed, whole = (replies(ac.open_run(tmp_path / run)) for run in ("killed", "whole"))
    assert 0 < kept < len(whole)
    assert not killed.duplicated(KEY).any()
    pd.testing.assert_frame_equal(killed, whole)


def test_the_command_line(tmp_path: Path) -> None:
    base = ["score", "--dataset", "demo", "--limit", "3", "--model", "mock", "--condition", "text", "--quiet",
            "--run", str(tmp_path / "r"), "--orders", "given"]  # fmt: skip
    generate = [*base, "--method", "generate"]
    refused = CliRunner().invoke(main, [*generate, "--repeats", "3"])
    assert refused.exit_code == 2
    assert "greedy replies are all the same" in refused.output
    assert "--temperature" in refused.output
    refused = CliRunner().invoke(main, [*base, "--repeats", "3", "--temperature", "1"])
    assert refused.exit_code == 2
    done = CliRunner().invoke(main, [*generate, "--repeats", "3", "--temperature", "1", "--seed", "4"])
    assert done.exit_code == 0, done.output
    run = ac.open_run(tmp_path / "r")
    assert run.manifest["identity"]["sampling"]["seed"] == 4
    assert len(run.responses) == 9
    assert "one counts: repeat 0 alone" in done.output
    drawn = ["--repeats", "3", "--temperature", "1"]
    planned = CliRunner().invoke(main, [*generate, *drawn, "--dry-run", "--format", "json"])
    assert '"requests":9' in planned.output
    table = CliRunner().invoke(main, ["contribution", "--run", str(tmp_path / "r"), "--table", "repeats"])
    assert table.exit_code == 0, table.output
    assert "floor" in table.output


def test_a_mock_that_thinks(tmp_path: Path) -> None:
    """Its accuracy with the audio rises with the length allowed; a cut thought has no answer."""
    items = questions(60)
    asked: dict[str, Any] = {"method": "generate", "orders": "given", "progress": False}
    model = "mock:skill=1,thought=100"
    run = ac.score(items, model, "text", sampling=Sampling(think_tokens=(0, 32, 128)), run=tmp_path / "r", **asked)
    found = run.query(
        "select think_tokens, avg(thought_tokens) as t, count(*) as n from responses group by 1 order by 1"
    )
    assert found.to_dict("list") == {"think_tokens": [0, 32, 128], "t": [0.0, 32.0, 100.0], "n": [60] * 3}
    cut = ac.score(items, model, "text", sampling=Sampling(max_new_tokens=50), run=tmp_path / "cut", **asked).responses
    assert set(cut["outcome"]) == {"unparsed"}
    assert set(cut["finish"]) == {"length"}
    whole = ac.score(items, model, "text", run=tmp_path / "whole", **asked)
    assert set(whole.responses["outcome"]) == {"answered"}
    assert whole.manifest["identity"]["models"]["mock"]["max_new_tokens"] == 228
    assert all(thought.split() == ["hm"] * 100 for thought in whole.responses["thought"])


def test_the_words_of_the_command_line(tmp_path: Path) -> None:
    from audiocontrib.cli.counted import METHODS as TYPED
    from audiocontrib.responses import METHODS

    assert TYPED == METHODS
    base = ["score", "--dataset", "demo", "--limit", "3", "--model", "mock:thought=9", "--condition", "text", "--quiet",
            "--run", str(tmp_path / "r"), "--orders", "given", "--method", "generate"]  # fmt: skip
    for bad in ("8,,9", "x", "-1", "1.5"):
        assert CliRunner().invoke(main, [*base, "--think-tokens", bad]).exit_code == 2
    refused = CliRunner().invoke(main, [*base, "--thinking", "on"])
    assert refused.exit_code == 2
    assert "only a checkpoint's chat template has a switch" in refused.output
    done = CliRunner().invoke(main, [*base, "--think-tokens", "0, 8"])
    assert done.exit_code == 0, done.output
    assert "one counts: thoughts up to 8 tokens" in done.output
    table = CliRunner().invoke(main, ["contribution", "--run", str(tmp_path / "r"), "--table", "thinking"])
    assert table.exit_code == 0, table.output
    [step] = run_steps(ac.open_run(tmp_path / "r"))
    assert command_words(step)[-4:] == ["--think-tokens", "0,8", "--run", str(tmp_path / "r")]


@pytest.mark.slow
def test_every_command_that_measures_takes_one_repeat(tmp_path: Path) -> None:
    """And refuses one that there is not."""
    folder = str(tmp_path / "r")
    ac.score(
        ac.load_items("demo", seed=0, limit=12), ["mock:name=a", "mock:name=b,leak=0.5,seed=2"], ["audio", "text"],
        method="generate", orders="given", sampling=Sampling(repeats=3, temperature=0.9), run=folder, progress=False,
    )  # fmt: skip
    split = ["split", "--run", folder, "--condition", "text", "--model", "a", "--name", "m"]
    commands = (
        split,
        ["certify", "--run", folder, "--split", "m", "--model", "b"],
        ["evaluate", "--run", folder],
        ["evaluate", "--run", folder, "--scorer", "mmau"],
        ["evaluate", "--run", folder, "--baseline", folder, "--model", "a", "--baseline-model", "b"],
        ["contribution", "--run", folder, "--condition", "text"],
    )
    for words in commands:
        told = {}
        for repeat in ("1", "majority", "7"):
            done = CliRunner().invoke(main, [*words, "--repeat", repeat, "--format", "csv"])
            told[repeat] = done.exit_code
            assert "unexpected" not in done.output
        assert told == {"1": 0, "majority": 2 if "mmau" in words else 0, "7": 2}, words
