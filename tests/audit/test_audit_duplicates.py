"""Questions and clips that are there twice: planted pairs are found with their kind, others are left alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import soxr
from helpers.audited import innocent, table
from hypothesis import given
from hypothesis import strategies as st

from audiocontrib.audit import Settings, run_checks
from audiocontrib.audit.duplicates import near_pairs
from audiocontrib.audit.fingerprint import fingerprint, same_recordings, spectrogram
from audiocontrib.audit.shingles import jaccard, normalise, shingles

RATE = 16_000
OPTIONS = ["a small dog barking", "heavy rain on a roof", "someone playing the guitar", "a passing train"]
QUESTION = "Which of these sounds can be heard near the beginning of the recording?"


def kinds(items: pa.Table, **settings: Any) -> dict[tuple[str, str], str]:
    pairs = run_checks(items, ["duplicates"], Settings(**settings)).pairs.to_pylist()
    return {(p["item_a"], p["item_b"]): p["kind"] for p in pairs}


def test_kinds_of_pairs() -> None:
    asked = [QUESTION, QUESTION.upper(), QUESTION, QUESTION.replace("near", "at"), "What is the key of this piece?"]
    choices = [OPTIONS, OPTIONS, OPTIONS[::-1], OPTIONS, OPTIONS]
    items = table(asked, choices, [0, 0, 3, 0, 0], per_clip=2)
    assert kinds(items) == {
        ("toy/00000", "toy/00001"): "same text, same clip",
        ("toy/00000", "toy/00002"): "same text, other clip",
        ("toy/00000", "toy/00003"): "near text, other clip",
    }
    severity = {r["check"]: r["severity"] for r in run_checks(items, ["duplicates"]).findings.to_pylist()}
    assert severity["same text, same clip"] == "alarm"
    assert severity["same text, other clip"] == "note"  # a template
    assert severity["same text, other set"] == "ok"


def test_other_sets_are_searched_but_not_against_each_other() -> None:
    ours, theirs = table([QUESTION], [OPTIONS], [0]), innocent(20)
    bench = table([QUESTION, QUESTION], [OPTIONS, OPTIONS], [0, 0])
    bench = bench.set_column(0, "item_id", pa.array(["bench/1", "bench/2"]))
    found = kinds(ours, against={"bench": bench, "theirs": theirs})
    assert found == {("toy/00000", "bench/1"): "same text, other set", ("toy/00000", "bench/2"): "same text, other set"}


def test_unlike_questions_are_no_pairs() -> None:
    assert kinds(innocent(500)) == {}


def test_large_groups_are_chained_not_paired_all_with_all() -> None:
    keys = [(normalise(QUESTION), *sorted([*OPTIONS[:3], f"a passing train number {i}"])) for i in range(60)]
    pairs = {(a, b) for a, b, _ in near_pairs(keys)}
    reached = {0} | {b for a, b in pairs}
    assert reached == set(range(60))
    assert len(pairs) < 60 * 59 / 4


words = st.lists(st.text(alphabet="abcdé ", min_size=0, max_size=12).map(normalise), min_size=1, max_size=5)


def pieces(texts: list[str]) -> set[str]:
    padded = [f" {text} ".ljust(5) for text in texts]
    return {text[i : i + 5] for text in padded for i in range(len(text) - 4)}


@given(st.lists(words, min_size=1, max_size=4))
def test_shingles_are_those_of_each_text_alone(items: list[list[str]]) -> None:
    """Against the plain way: the set of five-character pieces of every padded text."""
    hashes, offsets = shingles(items)
    for own, part in zip(items, np.split(hashes, offsets[1:-1]), strict=True):
        assert len(part) == len(pieces(own))
        assert (np.diff(part.astype(object)) > 0).all()


@given(words, words)
def test_jaccard_is_the_share_of_common_pieces(a: list[str], b: list[str]) -> None:
    hashes, offsets = shingles([a, b])
    one, other = pieces(a), pieces(b)
    assert jaccard(*np.split(hashes, offsets[1:-1])) == pytest.approx(len(one & other) / len(one | other))


def clip(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Overlapping notes with overtones, over a little noise."""
    r, n = np.random.default_rng(seed), int(seconds * RATE)
    x = r.normal(size=n) * 0.003
    for start in np.arange(0, seconds - 0.3, 0.15):
        t, first = np.arange(int(0.3 * RATE)) / RATE, int(start * RATE)
        note = sum(r.uniform(0.2, 1) / h * np.sin(2 * np.pi * h * r.uniform(100, 900) * t) for h in range(1, 6))
        x[first : first + len(t)] += np.hanning(len(t)) * note
    return (0.5 * x / np.abs(x).max()).astype(np.float32)


def wav(x: np.ndarray, form: str = "WAV", subtype: str = "PCM_16", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    whole = subtype == "PCM_16"  # so that WAV and FLAC round alike
    soundfile.write(file, (x * 32767).astype(np.int16) if whole else x, rate, format=form, subtype=subtype)
    return file.getvalue()


def coded(x: np.ndarray, form: str, subtype: str) -> np.ndarray:
    return soundfile.read(io.BytesIO(wav(x, form, subtype)), dtype="float32")[0]


def telephone(x: np.ndarray) -> np.ndarray:
    return soxr.resample(soxr.resample(x, RATE, 8000), 8000, RATE)


def test_the_spectrogram_is_librosas() -> None:
    """Values of ``librosa.stft`` 0.11 (n_fft=1024, hop_length=256), whose import compiles for half a minute."""
    made = spectrogram(np.random.default_rng(5).normal(0, 0.1, 40_003).astype(np.float32))
    assert made.shape == (513, 157)
    told = [made[place] for place in ((20, 0), (20, 1), (100, 77), (217, 156))]
    np.testing.assert_allclose(told, [1.5614030, 1.1944869, 2.1367865, 1.6739341], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda x: coded(x, "MP3", "MPEG_LAYER_III"),
        lambda x: coded(x, "OGG", "OPUS"),
        telephone,
        lambda x: x * 0.05,
        lambda x: x[RATE // 2 + 11 :],
    ],
    ids=["mp3", "opus", "8 kHz", "gain", "trim"],
)
def test_a_changed_clip_is_known_again_and_others_are_not(change: Callable[[np.ndarray], np.ndarray]) -> None:
    clips = [clip(i) for i in range(8)]
    pairs = same_recordings([fingerprint(x) for x in [*clips, *map(change, clips)]])
    assert [(a, b) for a, b, _ in pairs] == [(i, i + 8) for i in range(8)]


def with_audio(clips: list[bytes], names: list[str]) -> pa.Table:
    items = innocent(len(clips))
    audio = pa.array(
        [{"path": n, "bytes": c} for n, c in zip(names, clips, strict=True)], items.schema.field("audio").type
    )
    return items.set_column(items.schema.get_field_index("audio"), "audio", audio)


def test_listening_finds_faults_and_equal_clips() -> None:
    x = clip(1)
    clipped = np.clip(x * 40, -1, 1)
    items = with_audio(
        [
            *(wav(x), wav(x, "FLAC"), wav(x, "OGG", "OPUS"), wav(clip(2)), wav(x * 0), wav(clipped)),
            *(b"RIFF", wav(x[:800]), wav(x)),
        ],
        [f"{i}.wav" for i in range(9)],
    )
    seen = run_checks(items, ["sounds"], Settings(listen=True))
    found = {row["check"]: row for row in seen.findings.to_pylist()}
    assert found["clip cannot be heard"]["value"] == pytest.approx(2 / 9)
    assert "toy/00006" in found["clip cannot be heard"]["detail"]
    assert "toy/00004" in found["clip is silent"]["detail"]
    assert "toy/00005" in found["clip is clipped"]["detail"]
    pairs = {(p["item_a"][-1], p["item_b"][-1]): p["kind"] for p in seen.pairs.to_pylist()}
    assert pairs["0", "8"] == "same file, within the set"
    assert pairs["0", "1"] == "same samples, within the set"
    assert pairs["0", "2"] == "same recording, within the set"
    assert not any("3" in pair for pair in pairs)
    assert run_checks(items, ["sounds"]).findings.to_pylist() == []  # clips are decoded only where that is asked for


def test_a_clip_at_8_khz_in_a_file_at_16_is_told() -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    items = with_audio([wav(noise, subtype="FLOAT"), wav(telephone(noise), subtype="FLOAT")], ["a.wav", "b.wav"])
    found = run_checks(items, ["sounds"], Settings(listen=True)).findings.to_pylist()
    [row] = [r for r in found if "4 kHz" in r["check"]]
    assert row["detail"] == "1 clips, e.g. toy/00001"


def test_clips_of_one_video_are_told_without_audio() -> None:
    ours = with_audio([b""] * 3, ["AudioCaps/9HUZjSJnUAA_30.wav", "x/1.wav", "x/dog_in_a_park.wav"])
    theirs = with_audio([b""] * 3, ["clips/Y9HUZjSJnUAA.flac", "y/1.wav", "y/Dog_in_a_park.mp3"])
    seen = run_checks(ours, ["names"], Settings(against={"bench": theirs}))
    assert {(p["item_a"], p["item_b"]) for p in seen.pairs.to_pylist()} == {
        ("toy/00000", "toy/00000"),
        ("toy/00002", "toy/00002"),
    }
    assert seen.worst == "alarm"
