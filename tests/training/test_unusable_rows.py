"""Rows that cannot be trained on: found before the first step, named, and left out or refused."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, sft, weights

from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Clip, Item, Items
from audiocontrib.training import TrainingRows, train_sft
from audiocontrib.training.output.training_record import read_record

soundfile = lazy("soundfile")
np = lazy("numpy")
torch = lazy("torch")
row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
wanted = lazy("audiocontrib.training.encoding.wanted")
unusable_rows = lazy("audiocontrib.training.encoding.unusable")

pytestmark = needs("trl")


def clip(seconds: float, cut: int | None = None) -> Clip:
    """A clip of noise, of which the last bytes may be missing."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).standard_normal(round(16_000 * seconds)) * 0.1
    soundfile.write(file, noise.astype("float32"), 16_000, format="WAV")
    return Clip(data=file.getvalue()[:cut])


def spoilt(item: Item) -> dict[str, tuple[Item, str]]:
    """What is wrong -> the item with it, and what is said."""
    wrong, gold = 1 - item.answer, item.answer

    def options(place: int, text: str) -> tuple[str, ...]:
        return tuple(text if i == place else one for i, one in enumerate(item.choices[:2]))

    control = "its text holds the model's control token "
    given: dict[str, tuple[dict[str, Any], str]] = {
        "question": ({"question": "Is <|AUDIO|> a dog?"}, control + "<|AUDIO|>"),
        "turn": ({"question": "A dog?<|im_end|>\n<|im_start|>assistant"}, control + "<|im_end|>"),
        "vision": ({"question": "Is <|IMAGE|> a dog?"}, control + "<|IMAGE|>"),
        "begin": ({"question": "Is <|audio_bos|> a dog?"}, control + "<|audio_bos|>"),
        "option": ({"choices": options(wrong, "<|AUDIO|>")}, control + "<|AUDIO|>"),
        "gold": ({"choices": options(gold, "a <|endoftext|>")}, control + "<|endoftext|>"),
        "long": ({"question": "which " * 40_000}, "it takes "),
        "truncated": ({"audio": clip(1.0, cut=9_000), "clip_id": "t"}, "its clip cannot be heard: "),
        "no sound": ({"audio": Clip(data=b"RIFF, it says"), "clip_id": "n"}, "its clip cannot be heard: "),
        "short": ({"audio": clip(0.01), "clip_id": "s"}, "its clip cannot be heard: "),
        "not finite": ({"audio": not_finite(), "clip_id": "f"}, "its clip cannot be heard: "),
        "no clip": ({"audio": None, "clip_id": "0"}, "it names no clip"),
    }
    return {
        name: (
            replace(item, id=f"bad/{name}", **{"question": f"q {name}", "choices": item.choices[:2]} | changes),
            said,
        )
        for name, (changes, said) in given.items()
    }


def not_finite() -> Clip:
    file = io.BytesIO()
    soundfile.write(file, np.full(16_000, np.nan, "float32"), 16_000, format="WAV", subtype="FLOAT")
    return Clip(data=file.getvalue())


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return demo_rows(8)


def mixed(rows: TrainingRows, bad: list[Item]) -> TrainingRows:
    return replace(rows, items=Items([*bad[:2], *rows.items, *bad[2:]]))


def test_each_is_found_with_what_is_wrong(rows: TrainingRows) -> None:
    bad = spoilt(next(item for item in rows.items if item.answer < 2))
    model = row_encoder.load_for_training(TINY, sft())
    found = unusable_rows.unusable(
        mixed(rows, [item for item, _ in bad.values()]), row_encoder.RowEncoder(model, 30.0), 32_768, 0
    )
    assert list(found) == [item.id for item, _ in bad.values()]
    for item, said in bad.values():
        assert found[item.id].startswith(said)
        assert "\n" not in found[item.id]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_they_are_left_out_before_the_first_step(
    stage: str, rows: TrainingRows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [item for item, _ in spoilt(next(item for item in rows.items if item.answer < 2)).values() if item.audio]
    settings = sft(steps=2) if stage == "sft" else grpo(steps=2)
    given, out = mixed(rows, bad), tmp_path / "o"
    trained = TRAIN[stage](settings, given, TINY, out, progress=False)
    assert f"{len(bad)} of {len(given.items)} items cannot be trained on, e.g. {bad[0].id}: " in capsys.readouterr().err
    record = read_record(out)
    assert set(record.left_out or ()) == {item.id for item in bad}
    assert record.stages[-1].items == len(rows.items)
    assert any("cannot be trained on" in note for note in record.stages[-1].notes)
    alone = TRAIN[stage](settings, rows, TINY, tmp_path / "alone", progress=False)
    ours, theirs = weights(trained.model), weights(alone.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert TRAIN[stage](settings, given, TINY, out, progress=False) == trained


def test_a_clip_that_is_cut_to_nothing_is_found(rows: TrainingRows) -> None:
    """What is heard is what is left of it; with no token of sound the model would learn from the text alone."""
    model = row_encoder.load_for_training(TINY, sft())
    found = unusable_rows.unusable(rows, row_encoder.RowEncoder(model, 0.001), None, 0)
    assert list(found) == [item.id for item in rows.items]
    assert set(found.values()) == {"its clip is cut to 0.001 s, too short for the model"}
    assert not unusable_rows.unusable(rows, row_encoder.RowEncoder(model, 0.5), None, 0)


def test_an_option_that_abstains_is_no_second_one(rows: TrainingRows) -> None:
    there = rows.items[0].choices[0]
    model = row_encoder.load_for_training(TINY, grpo())
    given = replace(rows, extra_option=there.upper())
    found = unusable_rows.unusable(given, row_encoder.RowEncoder(model, 30.0), None, 0)
    both = [item.id for item in rows.items if there in item.choices]
    assert found == dict.fromkeys(both, f"it has the option {there.upper()!r}, which abstain_option adds")


def test_it_is_said_when_the_wanted_reply_is_cut(rows: TrainingRows) -> None:
    encoder = row_encoder.RowEncoder(row_encoder.load_for_training(TINY, grpo()), 30.0)
    needed = [len(encoder.target(row)) for row in rows]
    few, most = min(needed), max(needed)
    assert few < most
    said = (
        f"s is {few}, but the wanted replies of {sum(one > few for one in needed)} of 8 items are longer, up to {most}"
    )
    for short in (grpo(new_tokens=few), sft(distil=0.1, distil_tokens=few)):
        assert said in str(wanted.cut_targets(short, rows, encoder))
    gate = sft(distil=0.1, distil_tokens=1, distil_gate="all")
    for enough in (grpo(new_tokens=most), sft(distil=0.1, distil_tokens=most), sft(), gate):
        assert wanted.cut_targets(enough, rows, encoder) is None


def test_they_can_be_refused(rows: TrainingRows, tmp_path: Path) -> None:
    bad, said = spoilt(next(item for item in rows.items if item.answer < 2))["question"]
    for _ in range(2):
        with pytest.raises(AudiocontribError) as caught:
            train_sft(sft(bad_rows="stop"), mixed(rows, [bad]), TINY, tmp_path / "o", progress=False)
        assert str(caught.value).startswith(f"1 of 9 items cannot be trained on, e.g. {bad.id}: {said}; ")
    with pytest.raises(AudiocontribError, match=r"1 of 1 items cannot be trained on, .*; no item is left"):
        train_sft(sft(), replace(rows, items=Items([bad])), TINY, tmp_path / "o2", progress=False)
    assert not list((tmp_path / "o").glob("checkpoints/*"))
