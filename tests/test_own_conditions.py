"""A condition of one's own works everywhere, and one that is at fault is one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.audio import Sound, make_sound
from audiocontrib.cli import main
from audiocontrib.conditions import CONDITIONS, Audio, Condition, condition, is_null, register_condition
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
    """The clip of the next recording of the set."""

    name: ClassVar[str] = "next"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True

    def partners(self, items: Sequence[Item]) -> Partners:
        first = {item.clip_id: item for item in items}
        clips = list(first)
        return lambda item: first[clips[(clips.index(item.clip_id) + 1) % len(clips)]]


@pytest.fixture(autouse=True)
def own() -> Iterator[None]:
    register_condition(Beep)
    register_condition(Next)
    yield
    del CONDITIONS["beep"], CONDITIONS["next"]


@pytest.fixture(scope="module")
def items() -> Any:
    return ac.load_items("demo", seed=3, limit=12)


@pytest.mark.slow
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
    assert "beep" in report(run, out=tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_a_run_of_anothers_plugin_can_be_read(items: Any, tmp_path: Path) -> None:
    run = ac.score(items, ["mock"], ["audio", "beep"], run=tmp_path / "r", progress=False)
    try:
        del CONDITIONS["beep"]
        assert not is_null("beep")
        assert len(nulls(run)) == 0
        note = "the condition beep is not known here"
        assert any(note in said for said in ledger(run).notes)
        told = CliRunner().invoke(main, ["contribution", "--run", str(run.path), "--table", "nulls"])
        assert (told.exit_code, note in told.stderr) == (0, True)
        assert CliRunner().invoke(main, ["report", "--run", str(run.path)]).exit_code == 0
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


def plays(self: Any, clip: Any, item_id: str) -> Sound:
    return make_sound(np.zeros(16_000))


@pytest.mark.parametrize(
    ("cls", "says"),
    [
        (Plain, "no subclass of Condition"),
        ("beep", "no subclass of Condition"),
        (made(hears_own_clip=False), "needs a name"),
        (made(name="a:b", hears_own_clip=False), "needs a name"),
        (made(name="a b", hears_own_clip=False), "needs a name"),
        (made(name="", hears_own_clip=False), "needs a name"),
        (made(name=7, hears_own_clip=False), "needs a name"),
        (made(name="own"), "must say hears_own_clip"),
        (made(name="own", hears_own_clip="no"), "must say hears_own_clip"),
        (made(name="own", hears_own_clip=False, has_audio="no"), "has_audio is 'no', but is True or False"),
        (made(name="own", hears_own_clip=True, has_audio=False), "cannot be heard under it"),
        (made(name="own", hears_own_clip=True, borrows_clip=True), "borrows a clip"),
        (made(name="own", hears_own_clip=False, borrows_clip=True, has_audio=False), "borrows a clip"),
        # it would count as hearing the clip, because the class above does
        (
            dataclass(frozen=True)(type("Own", (Audio,), {"name": "own", "hear": plays})),
            "must say hears_own_clip itself",
        ),
        (made(name="silence", hears_own_clip=False), "registered twice"),
        (made(name="beep", hears_own_clip=False), "registered twice"),
    ],
)
def test_a_class_at_fault(cls: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        register_condition(cls)
    assert "\n" not in str(error.value)


def test_a_class_that_is_not_frozen_is_refused_by_python() -> None:
    with pytest.raises(TypeError, match="non-frozen"):
        dataclass(type("Own", (Condition,), {"name": "own", "hears_own_clip": False}))


@pytest.fixture
def registered() -> Iterator[Any]:
    """Registers a class made of members, for this test alone."""

    def register(**members: Any) -> type[Condition]:
        return register_condition(made(**{"name": "own", "hears_own_clip": False} | members))

    yield register
    CONDITIONS.pop("own", None)


@dataclass(frozen=True, slots=True)
class Tone(Condition):
    """Written without its frequency: read again, it is another one."""

    name: ClassVar[str] = "own"
    hears_own_clip: ClassVar[bool] = False
    hertz: float = 440.0

    @classmethod
    def parse(cls, parameter: str | None) -> Tone:
        return cls(float(parameter or 440))


@pytest.mark.parametrize(
    ("members", "written", "says"),
    [
        ({}, "own:3", "it takes no parameter"),
        ({"parse": classmethod(lambda cls, parameter: None)}, "own", "gave NoneType, not a condition"),
        ({"parse": classmethod(lambda cls, parameter: {}["x"])}, "own", "test_own_conditions.py:.*KeyError"),
        ({"parse": classmethod(lambda cls: cls())}, "own", "TypeError"),
        ({"parse": classmethod(lambda cls, parameter: Beep())}, "own", "which is read as"),
        ({"spec": property(lambda self: None)}, "own", "its spec is None"),
        ({"spec": property(lambda self: "other")}, "own", "its spec is 'other'"),
        ({"spec": property(lambda self: "own:a\nb")}, "own", "its spec is"),
        ({"spec": property(lambda self: 1 / 0)}, "own", "test_own_conditions.py:.*ZeroDivisionError"),
    ],
)
def test_how_it_is_written_is_checked(registered: Any, members: Any, written: str, says: str) -> None:
    registered(**members)
    if says == "which is read as":
        assert condition(written) == Beep()  # another name for it
        return
    with pytest.raises(UsageError, match=says) as error:
        condition(written)
    assert "\n" not in str(error.value)


def test_a_parameter_that_is_not_written_is_refused() -> None:
    register_condition(Tone)
    try:
        assert condition("own") == Tone()
        for given in ("own:330", Tone(330.0)):
            with pytest.raises(UsageError, match="which is read as"):
                condition(given)
    finally:
        del CONDITIONS["own"]


def test_a_value_of_a_class_that_is_not_registered_is_refused() -> None:
    with pytest.raises(UsageError, match="Tone is not registered"):
        condition(Tone())


@pytest.mark.parametrize(
    ("hear", "says"),
    [
        (lambda self, clip, item_id: None, "gave NoneType, not a Sound"),
        (lambda self, clip, item_id: np.zeros(16_000), "gave ndarray, not a Sound"),
        (lambda self, clip, item_id: make_sound(np.zeros((2, 100))), r"shape \(2, 100\)"),
        (lambda self, clip, item_id: make_sound(np.zeros(0)), r"shape \(0,\)"),
        (lambda self, clip, item_id: make_sound(np.full(100, np.nan)), "not finite"),
        (lambda self, clip, item_id: Sound(np.zeros(100), "0"), "float64, not float32"),  # type: ignore[arg-type]
        (lambda self, clip, item_id: make_sound(["a"]), "test_own_conditions.py:.*ValueError"),  # type: ignore[arg-type]
        (lambda self, clip, item_id: 1 / 0, "hear.. fails on demo/.*: test_own_conditions.py:.*ZeroDivisionError"),
        (lambda self: None, "TypeError"),
    ],
)
def test_what_it_plays_is_checked(items: Any, tmp_path: Path, registered: Any, hear: Any, says: str) -> None:
    registered(hear=hear)
    with pytest.raises(AudiocontribError, match=says) as error:
        ac.score(items, ["mock"], ["own"], run=tmp_path / "r", progress=False)
    assert "\n" not in str(error.value)


def test_a_sound_without_audio_is_refused(items: Any, tmp_path: Path, registered: Any) -> None:
    registered(has_audio=False, hear=plays)
    with pytest.raises(AudiocontribError, match="has_audio = False"):
        ac.score(items, ["mock"], ["own"], run=tmp_path / "r", progress=False)


@pytest.mark.parametrize(
    ("partners", "says"),
    [
        (lambda self, items: None, "gave NoneType, not a function"),
        (lambda self, items: 1 / 0, "test_own_conditions.py:.*ZeroDivisionError"),
        (lambda self, items: lambda item: item, "the item's own clip"),
        (lambda self, items: lambda item: item.id, "str, not an item"),
        (lambda self, items: lambda item: {}[item.id], "partners.. fails on demo/.*KeyError"),
        (lambda self, items: lambda item: replace(item, audio=None), "has no clip"),
    ],
)
def test_whose_clip_it_borrows_is_checked(
    items: Any, tmp_path: Path, registered: Any, partners: Any, says: str
) -> None:
    registered(borrows_clip=True, partners=partners)
    with pytest.raises(AudiocontribError, match=says) as error:
        ac.score(items, ["mock"], ["own"], run=tmp_path / "r", progress=False)
    assert "\n" not in str(error.value)


def test_by_default_it_borrows_as_swap_does(items: Any, tmp_path: Path, registered: Any) -> None:
    registered(borrows_clip=True)
    run = ac.score(items, ["mock"], ["swap", "own"], run=tmp_path / "r", progress=False)
    pairs = "select count(distinct partner_id) as n from responses group by item_id"
    assert set(run.query(pairs)["n"]) <= {0, 1}
