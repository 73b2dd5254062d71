"""A judge reads what the reader leaves unparsed, in columns of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation.judged import NONE
from audiocontrib.items import Items, make_item
from audiocontrib.models import Generated, Model, Request, Scored

OPTIONS = ("guitar", "piano", "violin")
REPLIES = (
    "The answer is piano.",  # read; no judge is asked
    "Ivory keys are struck by hammers, a pianolike sound",  # piano, the gold
    "It has six strings that are plucked, guitarist music",  # guitar
    "I like music, whatever it is that one plays",  # none
)


class Says(Model):
    name = "says"
    capabilities = frozenset({"generate"})

    def fingerprint(self) -> dict[str, Any]:
        return {"version": 1}

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated]:
        return [Generated(REPLIES[int(r.item.id.rpartition("q")[2])]) for r in requests]


class Judge(Model):
    """Finds an instrument in the reply; where it follows the place, it takes what is shown first."""

    name = "careful/judge"
    capabilities = frozenset({"likelihood"})
    follows_place = False

    def fingerprint(self) -> dict[str, Any]:
        return {"version": 1, "follows_place": self.follows_place}

    def likelihood(self, requests: Sequence[Request]) -> Sequence[Scored]:
        return [Scored(self._scores(r), tuple(1 for _ in r.prompt.options)) for r in requests]

    def _scores(self, request: Request) -> tuple[float, ...]:
        shown = request.prompt.options
        if self.follows_place:
            return tuple(-float(place) - 1 for place in range(len(shown)))
        reply = request.item.question.rpartition("Reply: ")[2]
        named = next((option for option in OPTIONS if option in reply), NONE)
        return tuple(-0.1 if option == named else -5.0 for option in shown)


@pytest.fixture
def run(tmp_path: Path) -> ac.Run:
    items = Items(
        [
            make_item(dataset="t", own_id=f"q{n}", question="Which?", choices=OPTIONS, answer="piano", audio=None)
            for n in range(len(REPLIES))
        ]
    )
    return ac.score(items, Says(), "text", method="generate", orders="cyclic", run=tmp_path / "run", progress=False)


def test_a_judge_reads_only_what_is_unparsed_and_changes_no_outcome(run: ac.Run) -> None:
    before = run.responses
    assert set(before.loc[before["outcome"] == "unparsed", "item_id"]) == {"t/q1", "t/q2", "t/q3"}
    read = ac.judge(run, model=Judge(), progress=False).to_pylist()
    assert {(row["item_id"], row["judged_choice"], row["judged_correct"]) for row in read} == {
        ("t/q1", 1, True),
        ("t/q2", 0, False),
        ("t/q3", None, False),
    }
    assert len(read) == 3 * len(OPTIONS)  # each in every order in which it was asked
    assert {row["judge"] for row in read} == {"careful/judge"}
    assert run.responses.equals(before)
    [row] = ac.judged_accuracy(run).to_pylist()
    assert (row["n"], row["unparsed"], row["asked"], row["read"]) == (12, 9, 9, 6)
    assert (row["accuracy"], row["accuracy_judged"], row["change"]) == (0.25, 0.5, 0.25)
    assert ac.judgements(run).num_rows == 9  # kept


def test_a_judge_that_follows_the_place_has_read_nothing(run: ac.Run) -> None:
    follower = Judge()
    follower.follows_place = True
    follower.name = "first"
    assert {row["judged_choice"] for row in ac.judge(run, model=follower, progress=False).to_pylist()} == {None}
    assert ac.judged_accuracy(run).to_pylist()[0]["change"] == 0


@pytest.mark.slow
def test_several_judges_stand_side_by_side(run: ac.Run) -> None:
    other = Judge()
    other.name = "another"
    for one in (Judge(), other):
        ac.judge(run, model=one, progress=False)
    assert [row["judge"] for row in ac.judged_accuracy(run).to_pylist()] == ["another", "careful/judge"]


def test_what_cannot_be_judged_is_one_line(run: ac.Run, tmp_path: Path) -> None:
    with pytest.raises(AudiocontribError, match="no judge has read"):
        ac.judged_accuracy(run)
    with pytest.raises(UsageError, match="nobody"):
        ac.judge(run, model="nobody", progress=False)
    whole = ac.score(run.load_items()[:1], Says(), "text", method="generate", run=tmp_path / "read", progress=False)
    with pytest.raises(AudiocontribError, match="nothing to judge"):
        ac.judge(whole, model=Judge(), progress=False)


def test_the_command(run: ac.Run) -> None:
    asked = CliRunner().invoke(
        main, ["reread", "--run", str(run.path), "--judge", "mock:name=j,leak=0", "--format", "json"]
    )
    assert asked.exit_code == 0, asked.output
    [row] = [json.loads(line) for line in asked.stdout.splitlines()]
    assert (row["judge"], row["unparsed"], row["asked"]) == ("j", 9, 9)
    assert "no outcome was changed" in asked.stderr
    shown = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--scorer", "judge", "--format", "json"])
    assert [json.loads(line) for line in shown.stdout.splitlines()] == [row]
    both = CliRunner().invoke(main, ["reread", "--run", str(run.path), "--judge", "mock", "--dry-run"])
    assert both.exit_code == 2
