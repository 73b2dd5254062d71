"""Conditions: written and read back, seeded, and what is heard under each."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from audiocontrib.audio import RATE, make_sound
from audiocontrib.conditions import CONDITIONS, condition, partners_by_gold
from audiocontrib.errors import BadAudio, UsageError
from audiocontrib.items import Clip, Item

SPECS = [
    "audio", "silence", "silence:matched", "silence:5", "text", "noise", "noise:-40", "swap", "swap:3",
    "reverse", "clip:0-2.5", "options", "noquestion",
]  # fmt: skip
CLIP = make_sound(np.linspace(-0.5, 0.5, 3 * RATE))


def test_every_registered_condition_is_walked() -> None:
    assert {spec.split(":")[0] for spec in SPECS} == set(CONDITIONS)


@pytest.mark.parametrize("spec", SPECS)
def test_a_condition_is_what_it_is_written_as(spec: str) -> None:
    made = condition(spec)
    assert made.spec == spec == str(made)
    assert condition(made.spec) == made
    assert hash(condition(spec)) == hash(made)
    assert condition(made) is made


@pytest.mark.parametrize("spec", SPECS)
def test_the_same_item_hears_the_same_samples(spec: str) -> None:
    made = condition(spec)
    one, other = (made.hear(CLIP, "item/1") for _ in range(2))
    assert (one is None) == (not made.has_audio)
    if one is not None and other is not None:
        assert one.sha256 == other.sha256 == hashlib.sha256(one.samples.tobytes()).hexdigest()
        assert one.samples.dtype == np.float32
        assert not one.samples.flags.writeable


def test_what_is_heard() -> None:
    def hear(spec: str) -> np.ndarray:
        sound = condition(spec).hear(CLIP, "item/1")
        assert sound is not None
        return sound.samples

    assert (hear("audio") == CLIP.samples).all()
    assert (hear("noquestion") == CLIP.samples).all()
    assert len(hear("silence")) == 30 * RATE
    assert not hear("silence").any()
    assert len(hear("silence:matched")) == len(CLIP.samples)
    assert len(hear("silence:5")) == 5 * RATE
    assert (hear("reverse") == CLIP.samples[::-1]).all()
    assert (hear("clip:1-2") == CLIP.samples[RATE : 2 * RATE]).all()
    assert len(hear("clip:2.5-9")) == RATE // 2


@pytest.mark.parametrize("dbfs", [-40.0, -20.0, -6.0])
def test_noise_has_its_level_and_differs_by_item(dbfs: float) -> None:
    noise = condition(f"noise:{dbfs}")
    one, other = noise.hear(CLIP, "item/1"), noise.hear(CLIP, "item/2")
    assert one is not None
    assert other is not None
    level = 20 * np.log10(np.sqrt(np.mean(one.samples.astype(float) ** 2)))
    assert level == pytest.approx(dbfs, abs=0.1)
    assert one.sha256 != other.sha256


def test_the_samples_of_noise_are_fixed() -> None:
    # a change here means that answers under noise can no longer be compared with those of other versions
    sound = condition("noise").hear(make_sound(np.zeros(4000)), "x")
    assert sound is not None
    assert sound.sha256 == "c6d09f417dc75ab509568d787f8c9e469f142ac71813cf7f0105989c748c0731"


@pytest.mark.parametrize(
    "bad",
    ["", "sillence", "silence:", "silence:x", "silence:-1", "silence:nan", "noise:3", "text:1", "clip", "clip:2",
     "clip:2-1", "clip:1-1.01", "clip:a-b", "swap:x", "audio:1"],
)  # fmt: skip
def test_a_wrong_condition_is_one_clear_line(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        condition(bad)
    assert "\n" not in str(caught.value)


def test_a_fragment_beyond_the_clip_is_bad_audio() -> None:
    with pytest.raises(BadAudio, match="nothing of the clip"):
        condition("clip:5-6").hear(CLIP, "x")


def items(golds: list[tuple[str, str]]) -> list[Item]:
    """Items given as (clip, gold), each with the options gold and 'other'."""
    return [
        Item(f"i{n}", "d", "q?", (gold, "other"), 0, Clip(f"{clip}.wav"), clip) for n, (clip, gold) in enumerate(golds)
    ]


def test_swap_partners_are_other_clips_without_this_items_options() -> None:
    pool = items([(f"c{n % 20}", f"gold {n % 7}") for n in range(60)])
    partner = partners_by_gold(pool, seed=3)
    golds: dict[str, set[str]] = {}
    for item in pool:
        golds.setdefault(item.clip_id, set()).add(item.choices[0])
    chosen = [(item, partner(item)) for item in pool]
    assert any(found is not None for _, found in chosen)
    for item, found in chosen:
        if found is not None:
            assert found.clip_id != item.clip_id
            assert not golds[found.clip_id] & set(item.choices)
    assert chosen == [(item, partners_by_gold(pool, seed=3)(item)) for item in pool]
    assert [p for _, p in chosen] != [partners_by_gold(pool, seed=4)(item) for item in pool]


def test_swap_does_not_depend_on_the_order_of_the_items() -> None:
    pool = items([(f"c{n}", f"gold {n % 5}") for n in range(30)])
    forwards, backwards = partners_by_gold(pool), partners_by_gold(pool[::-1])
    assert [forwards(i) for i in pool] == [backwards(i) for i in pool]


def test_without_another_gold_there_is_no_partner() -> None:
    assert partners_by_gold(items([("a", "Gold"), ("b", "gold ")]))(items([("a", "gold")])[0]) is None
