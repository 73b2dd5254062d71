"""A condition of one's own works everywhere, and one that is at fault is one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import audiocontrib as ac
from audiocontrib.audio import Sound, make_sound
from audiocontrib.conditions import CONDITIONS, Condition, is_null, register_condition
from audiocontrib.conditions.partners import Partners
from audiocontrib.contribution.ledger import ledger
from audiocontrib.contribution.null_conditions import nulls
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Item
from audiocontrib.report.page import report


@dataclass(frozen=True, slots=True)
class Beep(Condition):
    """A second of a tone, the same for every item."""

    name: ClassVar[str] = "beep"
    hears_own_clip: ClassVar[bool] = False

    @property
    def needs_clip(self) -> bool:
        return False

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:
        return make_sound(np.sin(np.arange(16_000) * 0.3))


@dataclass(frozen=True, slots=True)
class Next(Condition):
    """The clip of the next item of the set."""

    name: ClassVar[str] = "next"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True

    def partners(self, items: Sequence[Item]) -> Partners:
        ids = [item.id for item in items]
        return lambda item: items[(ids.index(item.id) + 1) % len(ids)]


@pytest.fixture(autouse=True)
def own() -> Iterator[None]:
    register_condition(Beep)
    register_condition(Next)
    yield
    del CONDITIONS["beep"], CONDITIONS["next"]


@pytest.fixture(scope="module")
def items() -> Any:
    return ac.load_items("demo", seed=3, limit=12)


def test_it_works_everywhere(items: Any, tmp_path: Path) -> None:
    run = ac.score(items, ["mock:skill=1,leak=0"], ["audio", "beep", "next"], run=tmp_path / "r", progress=False)
    counts = "avg(correct::int) as right, count(partner_id) as partners, count(distinct audio_sha256) as sounds"
    found = run.query(f"select condition, {counts} from responses group by 1").set_index("condition")
    assert found.loc["audio", "right"] == 1.0
    assert found.loc["beep", "right"] < 0.8  # a beep is not the clip
    assert found.loc["beep", "sounds"] == 1
    assert found.loc["next", "partners"] > 0
    assert set(nulls(run)["first"].to_pylist()) == {"beep"}
    assert set(nulls(run)["second"].to_pylist()) == {"next"}
    assert ledger(run, condition="beep").items["bits_presence"].null_count == 12  # text was not asked
    scores = ac.contributions(run, condition="beep")
    assert scores["p_condition"].null_count == 0
    assert ac.split(run, condition="beep").settings["condition"] == "beep"
    assert "beep" in report(run, tmp_path / "report.html").read_text()


def test_a_run_of_anothers_plugin_can_be_read(items: Any, tmp_path: Path) -> None:
    run = ac.score(items, ["mock"], ["audio", "beep"], run=tmp_path / "r", progress=False)
    try:
        del CONDITIONS["beep"]
        assert not is_null("beep")
        assert len(nulls(run)) == 0
        assert set(ac.accuracy(run)["condition"].to_pylist()) == {"audio", "beep"}
        assert len(ac.split(run, condition="beep").table) == 12
    finally:
        CONDITIONS["beep"] = Beep


class Plain:
    name = "plain"


def made(**members: Any) -> type[Condition]:
    """A frozen condition class with these members."""
    given = {"__annotations__": {name: "ClassVar" for name in members if not callable(members[name])}, **members}
    return dataclass(frozen=True)(type("Own", (Condition,), {"__module__": __name__, **given}))


@pytest.mark.parametrize(
    ("cls", "says"),
    [
        (Plain, "no subclass of Condition"),
        (made(hears_own_clip=False), "needs a name"),
        (made(name="a:b", hears_own_clip=False), "needs a name"),
        (made(name="", hears_own_clip=False), "needs a name"),
        (made(name=7, hears_own_clip=False), "needs a name"),
        (made(name="own"), "must say hears_own_clip"),
        (made(name="own", hears_own_clip="no"), "must say hears_own_clip"),
        (made(name="own", hears_own_clip=True, borrows_clip=True), "borrows a clip"),
        (made(name="own", hears_own_clip=False, borrows_clip=True, has_audio=False), "borrows a clip"),
        (type("Own", (Condition,), {"name": "own", "hears_own_clip": False}), ""),
        (made(name="silence", hears_own_clip=False), "registered twice"),
    ],
)
def test_a_class_at_fault(cls: Any, says: str) -> None:
    if not says:
        pytest.skip("inherits a frozen dataclass, which is enough")
    with pytest.raises((UsageError, ValueError), match=says):
        register_condition(cls)


@pytest.mark.parametrize(
    ("hear", "says"),
    [
        (lambda self, clip, item_id: None, "gave NoneType, not a Sound"),
        (lambda self, clip, item_id: np.zeros(16_000), "gave ndarray, not a Sound"),
        (lambda self, clip, item_id: make_sound(np.zeros((2, 100))), r"shape \(2, 100\)"),
        (lambda self, clip, item_id: make_sound(np.zeros(0)), r"shape \(0,\)"),
        (lambda self, clip, item_id: make_sound(np.full(100, np.nan)), "not finite"),
        (lambda self, clip, item_id: 1 / 0, "ZeroDivisionError"),
        (lambda self: None, "TypeError"),
    ],
)
def test_what_it_plays_is_checked(items: Any, tmp_path: Path, hear: Any, says: str) -> None:
    register_condition(made(name="own", hears_own_clip=False, hear=hear))
    try:
        with pytest.raises(AudiocontribError, match=says) as error:
            ac.score(items, ["mock"], ["own"], run=tmp_path / "r", progress=False)
        assert "\n" not in str(error.value)
    finally:
        del CONDITIONS["own"]
