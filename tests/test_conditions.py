"""Conditions: written and read back, seeded, and what is heard under each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from audiocontrib.audio import RATE, Sound, make_sound
from audiocontrib.conditions import CONDITIONS, condition, is_null, partners_by_gold
from audiocontrib.errors import BadAudio, UsageError
from audiocontrib.items import Clip, Item

SPECS = [
    "audio", "silence", "silence:matched", "silence:5", "text", "noise", "noise:-40", "swap", "swap:3",
    "reverse", "clip:0-2.5", "options", "noquestion", "mask:40", "mask:12.5", "snr:5", "snr:-10", "swap-mask:40",
    "swap-snr:5", "conflict", "conflict:2", "foreign",
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
     "mask", "mask:0", "mask:100", "snr", "snr:x", "snr:nan", "conflict:x",
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


def heard(spec: str, clip: Sound = CLIP) -> np.ndarray:
    sound = condition(spec).hear(clip, "item/1")
    assert sound is not None
    return sound.samples


def test_masks_are_nested_and_as_long_as_they_say() -> None:
    clip = make_sound(np.ones(3 * RATE + 7))
    masked = {percent: heard(f"mask:{percent}", clip) == 0 for percent in (1, 20, 33.3, 40, 99)}
    for percent, own in masked.items():
        assert own.sum() == round(len(own) * percent / 100)
    for less, more in pairwise(masked.values()):
        assert (more | ~less).all()
    other = condition("mask:20").hear(clip, "item/2")
    assert other is not None
    assert ((other.samples == 0) != masked[20]).any()


def test_noise_lies_below_the_clip_by_what_is_said_and_is_the_same_at_every_level() -> None:
    quiet = make_sound(0.01 * np.sin(np.arange(2 * RATE) * 0.3))
    noises = [heard(f"snr:{d}", quiet) - quiet.samples for d in (20, 0, -10)]
    rms = [np.sqrt((one.astype(float) ** 2).mean()) for one in (quiet.samples, *noises)]
    assert [20 * np.log10(rms[0] / r) for r in rms[1:]] == pytest.approx([20, 0, -10], abs=0.1)
    assert noises[1] / noises[0] == pytest.approx(np.full(len(noises[0]), 10), rel=0.05)
    loud = heard("snr:-20")
    assert np.abs(loud).max() == 1
    with pytest.raises(BadAudio, match="the clip is silent"):
        heard("snr:0", make_sound(np.zeros(RATE)))


def test_controls_borrow_the_clip_of_swap_and_are_no_nulls() -> None:
    items = [Item(f"d/{i}", "d", "Which?", ("a", "b", "c", "d"), i % 2, Clip(f"{i}.wav"), f"{i}.wav") for i in range(4)]
    items += [Item("d/9", "d", "Who?", ("x", "y"), 0, Clip("9.wav"), "9.wav")]
    swap = condition("swap").partners(items)
    for spec in ("swap-mask:40", "swap-snr:5"):
        control = condition(spec)
        assert [control.partners(items)(item) for item in items] == [swap(item) for item in items]
        assert control.dose == condition(spec.removeprefix("swap-")).dose
        assert not is_null(spec)
    assert is_null("swap")
    assert not is_null("conflict")
    assert (heard("swap-mask:40") == heard("mask:40")).all()


def test_a_conflict_says_exactly_one_other_option() -> None:
    def item(name: str, clip: str, gold: int, question: str = "Which?", kind: str = "animal", choices="cat dog cow"):
        return Item(f"d/{name}", "d", question, tuple(choices.split()), gold, Clip(clip), clip, question_type=kind)

    mine = item("1", "1.wav", 0)
    says_dog = item("2", "2.wav", 1)
    paraphrased = item("3", "3.wav", 2, question="What animal?")
    both = [item("4", "4.wav", 1), item("5", "4.wav", 2)]  # two options are golds on this clip
    foreign = item("6", "6.wav", 0, kind="count", question="How many?", choices="dog two")  # asks something else
    for others, expected in (
        ([says_dog], says_dog), ([paraphrased], paraphrased), ([paraphrased, says_dog], says_dog),
        (both, None), ([foreign], None), ([item("7", "7.wav", 0)], None), ([item("8", "1.wav", 1)], None),
    ):  # fmt: skip
        assert condition("conflict").partners([mine, *others])(mine) == expected
    keyless = replace(mine, answer=None)
    assert condition("conflict").partners([keyless, says_dog])(keyless) is None
