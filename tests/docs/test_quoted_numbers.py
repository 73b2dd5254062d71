"""What README and pages quote of the demo is what its commands print on the tiny models' answers, number by number."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import ROOT
from helpers.demo_run import demo_run
from helpers.documented import blocks

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.demo import verdict
from audiocontrib.splits.sensitivity import sensitivity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One's own copy of the run: commands save splits in it."""
    return shutil.copytree(demo_run(tmp_path_factory), tmp_path_factory.mktemp("quoted") / "runs" / "demo")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What `audiocontrib demo` prints, with the kept answers in place of asking."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(import_module("audiocontrib.demo.planted"), "score", lambda *_, **__: ac.open_run(folder))
        done = CliRunner().invoke(main, ["demo", "--run", str(folder)])
    assert done.exit_code == 0, done.output
    return words(done.stdout)


def words(text: str) -> str:
    return " ".join(text.split())


def page(name: str) -> str:
    return words((ROOT / name).read_text(encoding="utf-8"))


def outputs(name: str) -> Iterator[str]:
    """The blocks of a page that show what the demo prints."""
    for _, block in blocks(ROOT / name):
        if "need the audio (" in block:
            yield words(block)


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_what_the_demo_prints_is_quoted_as_it_is(name: str, printed: str) -> None:
    [block] = outputs(name)
    assert block in printed


@pytest.fixture(scope="module")
def run(folder: Path) -> ac.Run:
    return ac.open_run(folder)


@pytest.fixture(scope="module")
def truth(run: ac.Run) -> dict[str, bool]:
    return {item.id: bool(item.extra["needs_audio"]) for item in run.load_items()}


def test_the_tutorial_quotes_the_published_split(run: ac.Run, truth: dict[str, bool]) -> None:
    made = ac.split(run, rule="votes", threshold=0.5)
    weak = made.part("weak")["item_id"].to_pylist()
    lucky = sum(truth[item] for item in weak)
    luck = made.summary().to_pylist()[0]["guessing_weak_share"]
    text = page("docs/tutorial.md")
    assert f"{len(truth)} questions about made-up clips" in text
    assert (
        f"It calls {len(weak)} of {len(truth)} items weak. Only {len(weak) - lucky} are: {lucky} items need their "
        f"audio and were guessed. The column `weak by guessing` says what to expect from guessing alone: {luck:.0%}"
    ).replace("%", " %") in text
    unclear = len(ac.split(run, rule="fdr").part("undecided"))
    assert f"of about {round(unclear, -1)} items that it cannot tell" in text
    assert f"Of the {len(weak)} questions that the published rule calls weak, {lucky} need the audio" in page(
        "README.md"
    )
    assert f"says of {unclear} questions that it cannot tell" in page("README.md")


def test_the_tutorial_quotes_one_question(folder: Path) -> None:
    text = page("docs/tutorial.md")
    assert 'All three hear the buzzer; all three say "ticking" when they cannot hear' in text
    shown = ac.show(ac.open_run(folder), "demo/sound/0-17")
    said = {(row["condition"], shown.item.choices[row["choice"]]) for row in shown.answers.to_pylist()}
    assert said == {("audio", "buzzer"), ("silence", "ticking"), ("text", "ticking")}


def test_the_tutorial_quotes_bits(run: ac.Run) -> None:
    rows = ac.summary(run, by="question_type").to_pylist()
    audio, text = (max(rows, key=lambda row: row[name]) for name in ("bits_audio", "leak_share"))
    assert (
        f"{audio['question_type'].capitalize()} questions gain most from the audio here ({audio['bits_audio']:.2f} "
        f"bits), and {text['question_type']} questions betray most in their text (a leak share of "
        f"{text['leak_share']:.0%})"
    ) in page("docs/tutorial.md")


def test_the_tutorial_quotes_the_certificates(run: ac.Run) -> None:
    made = ac.certify(run, split="paper", rotate=True, save=False)
    assert "Here all three are significantly *below* chance" in page("docs/tutorial.md")
    assert [one.over_filtered for one in made] == [True] * 3


def test_the_page_on_thresholds_counts_splits(run: ac.Run) -> None:
    rows = sensitivity(run).to_pylist()
    thresholds = [row for row in rows if row["varies"] in (None, "threshold")]
    assert {7: "seven", 3: "three"}[len(thresholds)] + " rows of three models are three splits" in page(
        "docs/how-to/choosing-a-threshold.md"
    )
    assert len({(row["weak"], row["strong"]) for row in thresholds}) == 3


def test_the_page_on_measurement_holds_the_rules_against_the_truth(run: ac.Run, truth: dict[str, bool]) -> None:
    made = {rule: ac.split(run, rule=rule) for rule in ("votes", "group", "posterior", "fdr")}
    found = {rule: verdict(one, truth) for rule, one in made.items()}
    votes, group, posterior, fdr = (
        f"{two(one.truly_weak / one.weak)} and {two(one.truly_weak / one.leaks)} for `{rule}`"
        for rule, one in found.items()
    )
    text, false, weak = page("docs/measurement.md"), found["fdr"].false_discovery, found["fdr"].weak
    assert (
        f"(240 questions, {found['fdr'].leaks} of which the text answers; three tiny models): precision and recall of "
        f"weak are {votes}, {group}, {posterior} (with its warning), {fdr}, whose realised false-discovery rate is "
        f"{two(1 - found['fdr'].truly_weak / weak)} (95 %: {two(false.low)} to {two(false.high)}) at a "
        f"target of .10 (its own upper band for this set: {two(made['fdr'].findings['false_at_most'])})"
    ) in text
    assert f"on the demo's three models it is {made['fdr'].findings['shared_preferences']:.2f}" in text


def two(share: float) -> str:
    return f"{share:.2f}".removeprefix("0")
