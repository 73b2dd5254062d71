"""Does it listen more? In worlds whose truth is planted, and where models abstain."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers import ROOT

from audiocontrib.statistics import Heard, gain, listening_change, relative_gain

sys.path.append(str(ROOT / "benchmarks"))
import listening as benchmark


def heard(audio: str, silence: str, k: int = 4) -> Heard:
    """From letters: r right, w wrong, a abstained."""
    a, s = np.array(list(audio)), np.array(list(silence))
    return Heard(a == "r", s == "r", a == "a", s == "a", np.full(len(a), 1 / k))


def test_abstentions_are_credited_and_bounded() -> None:
    one = heard("rrwrw", "raawa")
    values = {name: gain(one.sides(name)).tolist() for name in one.treatments}
    assert values["credited"] == [0, 0.75, -0.25, 1, -0.25]
    assert values["wrong"] == [0, 1, 0, 1, 0]
    assert values["as good"] == [0, 0, 0, 1, 0]
    assert one.bounds(gain) == (0.2, 0.4)
    assert heard("rw", "wr").treatments == ("credited",)


def test_an_abstention_with_the_audio_is_as_good_as_its_other_answers() -> None:
    one = heard("rrwa" * 5, "wwwr" * 5)
    assert one.sides("as good")[0].mean() == pytest.approx(2 / 3)
    assert one.sides("credited")[0].mean() == pytest.approx((2 + 0.25) / 4)
    assert gain(heard("aaaa", "aaaa").sides("as good")).tolist() == [0] * 4


def test_the_relative_gain_and_its_error_by_hand() -> None:
    random = np.random.default_rng(0)
    audio, silence = random.random(400) < 0.7, random.random(400) < 0.3
    values = relative_gain((audio * 1.0, silence * 1.0))
    a, s = audio.mean(), silence.mean()
    assert values.mean() == pytest.approx((a - s) / (1 - s))
    drawn = random.integers(0, 400, (2000, 400))
    means = audio[drawn].mean(1), silence[drawn].mean(1)
    bootstrap = ((means[0] - means[1]) / (1 - means[1])).std()
    assert values.std() / 20 == pytest.approx(bootstrap, rel=0.1)
    assert np.isnan(relative_gain((np.ones(3), np.ones(3)))).all()


@pytest.mark.parametrize("silence", ["a" * 100, "aw" * 50, "ra" * 50, "rw" * 50])
def test_the_same_answers_with_the_audio_are_no_change_in_hearing(silence: str) -> None:
    before, now = heard("rrwr" * 25, "rwww" * 25), heard("rrwr" * 25, silence)
    for one, other in ((now, before), (before, now)):
        found = listening_change(one, other, np.arange(100))
        assert found.verdict.split("; ")[0] == "no change in hearing"


@pytest.mark.parametrize("flips", [0, 3, 10])
def test_declining_in_silence_is_never_listening(flips: int) -> None:
    """The later model answers as before, but for a few items; without the audio it declines."""
    random = np.random.default_rng(flips)
    audio = np.where(random.random(400) < 0.8, "r", "w")
    other = np.where(np.arange(400) < flips, "r", audio)
    silence = np.where(random.random(400) < 0.3, "r", "w")
    for declines in (0.2, 0.6, 1.0):
        quiet = np.where(random.random(400) < declines, "a", silence)
        found = listening_change(heard("".join(other), "".join(quiet)), heard("".join(audio), "".join(silence)),
                                 np.arange(400))  # fmt: skip
        assert "listens" not in found.verdict
        assert "it declines more often" in found.verdict


def test_declining_with_the_audio_is_not_listening_less() -> None:
    random = np.random.default_rng(1)
    audio, silence = (np.where(random.random(600) < p, "r", "w") for p in (0.8, 0.3))
    quiet = np.where(random.random(600) < 0.5, "a", audio)
    found = listening_change(heard("".join(quiet), "".join(silence)), heard("".join(audio), "".join(silence)),
                             np.arange(600))  # fmt: skip
    assert found.verdict == "no change in hearing shown; it declines more often"


def test_few_clips_tell_nothing() -> None:
    found = listening_change(heard("rrrr" * 5, "wwww" * 5), heard("wwww" * 5, "wwww" * 5), np.arange(20) // 5)
    assert found.verdict.startswith("cannot be told")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "verdict", "least", "most"),
    [
        ("text learned", "text changed", 0.9, 1),
        ("text forgotten", "text changed", 0.9, 1),
        ("nothing changed", "verdict more", 0, 0.05),
        ("nothing changed", "verdict less", 0, 0.05),
        ("hears more, text learned", "relative more", 0.85, 1),
        ("hears more", "verdict more", 0.65, 1),
        ("declines in silence", "verdict more", 0, 0),
    ],
)
def test_planted_worlds(world: str, verdict: str, least: float, most: float) -> None:
    """150 runs of 1,000 items; the benchmark has 1,000 (docs/measurement.md)."""
    share = benchmark.shares(world, 1000, 150).get(verdict, 0.0)
    error = 2 * np.sqrt(0.25 / 150 if least not in (0, 0.9) else 0.05 * 0.95 / 150)
    assert least - error <= share <= most + error
