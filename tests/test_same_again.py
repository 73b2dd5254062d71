"""Parts of one's own that give something else each time are noticed, and refused in one line; steady ones are not."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import audiocontrib as ac
from audiocontrib.audio import RATE, Sound, make_sound
from audiocontrib.conditions import CONDITIONS, Condition, register_condition
from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import seeded
from audiocontrib.prompts import PROMPTS
from audiocontrib.sources import SOURCES, Fields, Source, register_source

COUNT = itertools.count()
BUFFER = np.zeros(RATE, dtype=np.float32)
RANDOM = np.random.default_rng()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    held = [(registry, dict(registry)) for registry in (CONDITIONS, SOURCES, PROMPTS)]
    yield
    for registry, things in held:
        registry.clear()
        registry.update(things)  # type: ignore[arg-type]


def one_line(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(AudiocontribError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


def condition(hear: Callable[[Sound | None, str], Any]) -> None:
    @register_condition
    @dataclass(frozen=True, slots=True)
    class Own(Condition):
        name: ClassVar[str] = "own-sound"
        hears_own_clip: ClassVar[bool] = False

        def hear(self, clip: Sound | None, item_id: str) -> Any:
            return hear(clip, item_id)


def grown(clip: Sound | None, item_id: str) -> Sound:
    BUFFER[next(COUNT)] = 1.0
    return make_sound(BUFFER[:])


def ask(tmp_path: Path, **words: Any) -> Any:
    asked = {"conditions": ["own-sound"], "run": tmp_path / "run", "progress": False}
    return ac.score(ac.load_items("demo", limit=4), "mock", **asked | words)


@pytest.mark.parametrize(
    "hear",
    [
        lambda clip, item_id: make_sound(RANDOM.normal(size=RATE).astype(np.float32) / 9),
        lambda clip, item_id: make_sound(clip.samples[: RATE + next(COUNT)]),
        lambda clip, item_id: make_sound(np.full(RATE, next(COUNT) / 1e4, np.float32)),
        lambda clip, item_id: make_sound(RANDOM.permutation(clip.samples)),
        grown,
        lambda clip, item_id: Sound(np.zeros(RATE, np.float32), "0" * 64),
        lambda clip, item_id: make_sound(np.zeros(RATE)) if next(COUNT) % 2 else None,
    ],
)
def test_a_condition_that_plays_something_else_each_time(hear: Any, tmp_path: Path) -> None:
    next(COUNT)
    condition(hear)
    one_line(
        lambda: ask(tmp_path), "condition 'own-sound' gives? ?(another sound each time|gave NoneType)|gave NoneType"
    )


def test_a_condition_that_draws_by_seed_and_item(tmp_path: Path) -> None:
    condition(lambda clip, item_id: make_sound(seeded(3, item_id).normal(size=RATE) / 9))
    run = ask(tmp_path)
    assert (run.responses.outcome == "answered").all()


def test_a_condition_that_borrows_from_another_each_time(tmp_path: Path) -> None:
    @register_condition
    @dataclass(frozen=True, slots=True)
    class Lent(Condition):
        name: ClassVar[str] = "own-loan"
        hears_own_clip: ClassVar[bool] = False
        borrows_clip: ClassVar[bool] = True

        def partners(self, items: Any) -> Any:
            def find(item: Any) -> Any:
                others = [one for one in items if one.clip_id != item.clip_id]
                return others[next(COUNT) % len(others)]

            return find

    asked = {"items": ac.load_items("demo", limit=12), "models": "mock", "conditions": ["own-loan"]}
    one_line(
        lambda: ac.score(**asked, run=tmp_path / "r", progress=False), "partner of demo/.* is another one each time"
    )


@pytest.mark.parametrize(
    "fields",
    [
        lambda row: {"own_id": uuid.uuid4().hex},
        lambda row: {"own_id": str(next(COUNT))},
        lambda row: {"question": f"{row['q']} {next(COUNT)}"},
        lambda row: {"choices": RANDOM.permutation(list("abcdefghij")).tolist()},
        lambda row: {"clip_id": uuid.uuid4().hex},
    ],
)
def test_a_data_set_that_reads_a_row_otherwise_each_time(fields: Any, tmp_path: Path) -> None:
    usual = {"choices": list("abcdefghij"), "answer": "a", "audio": "x.wav"}
    source = Source(
        name="own-set",
        about="x",
        fields=lambda row: Fields(**usual | {"question": row["q"], "own_id": row["q"]} | fields(row)),
    )
    register_source(source)
    (tmp_path / "x.jsonl").write_text('{"q": "what?"}\n{"q": "who?"}\n')
    one_line(
        lambda: ac.load_items("own-set", data=tmp_path / "x.jsonl"), "own-set makes another question of the same row"
    )


@pytest.mark.parametrize("steady", [True, False])
def test_a_data_set_that_is_made_on_the_spot(steady: bool) -> None:
    def make(seed: int, limit: int | None) -> Iterator[dict[str, Any]]:
        for number in range(limit or 3):
            yield {"q": f"{number} of {seed if steady else next(COUNT)}"}

    def fields(row: Any) -> Fields:
        return Fields(question=row["q"], choices=["a", "b"], answer="a", audio="x.wav", own_id=row["q"])

    register_source(Source(name="own-set", about="x", fields=fields, make=make))
    if steady:
        assert len(ac.load_items("own-set", limit=2)) == 2
    else:
        one_line(lambda: ac.load_items("own-set", limit=2), "own-set .* makes other rows each time with the same seed")


def test_a_prompt_that_says_something_else_each_time(tmp_path: Path) -> None:
    PROMPTS.register("own-prompt")(lambda question, options: f"{next(COUNT)}: {question} {' | '.join(options)}")
    asked = {"conditions": ["text"], "prompt": "own-prompt"}
    one_line(lambda: ask(tmp_path, **asked), "prompt 'own-prompt' gives another text each time")
