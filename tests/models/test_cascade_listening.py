"""What a cascade's listening parts find: the gate, the words, what is kept, and how features are made."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from helpers.cascade_parts import (
    CLASSES,
    FakeRecogniser,
    FakeTagger,
    save_spectrogram_tagger,
    save_tagger,
    save_whisper,
    sound,
)
from helpers.lazy import lazy

from audiocontrib.audio import RATE, make_sound, silence
from audiocontrib.errors import UsageError
from audiocontrib.models.cascade.evidence import NOTHING, SoundFindings
from audiocontrib.models.cascade.evidence_cache import Keep
from audiocontrib.models.cascade.recipe import Gate, TaggerConfig
from audiocontrib.models.cascade.tag import Classifier, log_mel, patches

librosa = lazy("librosa")
listen = lazy("audiocontrib.models.cascade.listen")
recognise = lazy("audiocontrib.models.cascade.recognise")

NAMING = TaggerConfig(weights="t", ignore=("Silence", "Animal"))
VOICES = Gate(voices=("Speech",))


def test_silence_asks_no_part_and_holds_nothing() -> None:
    tagger, recogniser = FakeTagger([{"Speech": 1.0}]), FakeRecogniser(recognise.Speech("you", "English", 0.0))
    listener = listen.Listener(tagger, NAMING, recogniser, VOICES)
    quiet = make_sound(np.full(RATE, 0.003, dtype=np.float32))
    assert listen.peak_dbfs(quiet) == pytest.approx(-50.46, abs=0.01)
    for unheard in (silence(30), quiet):
        assert listener.listen(unheard) == SoundFindings()
        assert listener.listen(unheard).text == NOTHING
    assert (tagger.asked, recogniser.asked) == (0, 0)
    assert listener.listen(make_sound(np.full(RATE, 0.004, dtype=np.float32))).words == "you"


@pytest.mark.parametrize(("voice", "asked"), [(0.19, 0), (0.21, 1)])
def test_the_recogniser_is_asked_only_where_a_voice_is_heard(voice: float, asked: int) -> None:
    tagger, recogniser = FakeTagger([{"Dog": 0.9}, {"Speech": voice}]), FakeRecogniser()
    found = listen.Listener(tagger, NAMING, recogniser, VOICES).listen(sound())
    assert recogniser.asked == asked
    assert found.words == ("hello" if asked else "")
    assert found.sounds[0] == "Dog"


@pytest.mark.parametrize(
    ("naming", "gate", "said"),
    [
        (NAMING, Gate(voices=("Speach",)), "gate.voices: the tagger knows no sound 'Speach'; near: 'Speech'"),
        (TaggerConfig(weights="t", ignore=("silense",)), VOICES, "tagger.ignore: the tagger knows no sound 'silense'"),
    ],
)
def test_a_sound_that_the_tagger_does_not_know_is_refused(naming: TaggerConfig, gate: Gate, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        listen.Listener(FakeTagger(), naming, FakeRecogniser(), gate)


@pytest.mark.parametrize(("nobody", "words"), [(0.59, "hello"), (0.61, "")])
def test_words_that_the_recogniser_doubts_are_dropped(nobody: float, words: str) -> None:
    found = listen.Listener(None, None, FakeRecogniser(recognise.Speech("hello", "English", nobody)), Gate()).listen(
        sound()
    )
    assert (found.words, found.language) == (words, "English" if words else "")


def test_sounds_are_named_by_their_best_window_and_in_order_of_time() -> None:
    tagger = FakeTagger([{"Animal": 0.99, "Dog": 0.5}, {"Siren": 0.95, "Dog": 0.2}, {"Dog": 0.05}, {"Dog": 0.4}])
    found = listen.Listener(tagger, NAMING, None, Gate()).listen(sound())
    assert found == SoundFindings(("Siren", "Dog"), ("Dog", "Siren", "", "Dog"))
    assert found.text == "Sounds: siren, dog.\nIn order: dog, then siren, then dog."


def test_evidence_in_words() -> None:
    assert SoundFindings().text == NOTHING
    assert SoundFindings(sounds=("Dog",), course=("Dog", "Dog")).text == "Sounds: dog."
    spoken = SoundFindings(words="bonjour", language="French")
    assert spoken.text == 'Language: French.\nSpeech: "bonjour"'


def test_what_was_found_is_kept_by_the_parts_that_found_it(tmp_path: Path) -> None:
    found = SoundFindings(("Dog", "a “quoted”\nname"), ("Dog", ""), "héllo", "French")
    keep = Keep("a" * 64)
    keep.put("1", found)  # before a folder is named
    keep.open(tmp_path)
    keep.put("2", SoundFindings())
    again, other = Keep("a" * 64), Keep("b" * 64)
    again.open(tmp_path)
    other.open(tmp_path)
    assert (again.get("1"), again.get("2"), again.get("3")) == (found, SoundFindings(), None)
    assert other.get("1") is None


def test_a_line_that_was_cut_off_is_listened_to_again(tmp_path: Path) -> None:
    keep = Keep("a" * 64)
    keep.open(tmp_path)
    keep.put("1", SoundFindings(("Dog",)))
    keep.put("2", SoundFindings(("Siren",)))
    [file] = tmp_path.rglob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-9] + b'\n[1]\n{"sha256": "3"}\n')
    again = Keep("a" * 64)
    again.open(tmp_path)
    assert (again.get("1"), again.get("2"), again.get("3")) == (SoundFindings(("Dog",)), None, None)


def _put(folder: Path, number: int) -> None:
    keep = Keep("a" * 64)
    keep.open(folder)
    for i in range(20):
        keep.put(f"{number}-{i}", SoundFindings((f"{number}",)))


def test_processes_keep_side_by_side(tmp_path: Path) -> None:
    workers = [get_context("fork").Process(target=_put, args=(tmp_path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    keep = Keep("a" * 64)
    keep.open(tmp_path)
    assert all(keep.get(f"{n}-{i}") == SoundFindings((f"{n}",)) for n in range(3) for i in range(20))


@pytest.mark.slow
def test_log_mel_is_yamnets() -> None:
    """Against librosa's spectrogram: 25 ms Hann windows padded to 512, magnitudes, HTK mel, no centring."""
    samples = sound(3, seconds=1.3).samples
    made = log_mel(samples)
    stft = [np.abs(np.fft.rfft(samples[a : a + 400] * np.hanning(401)[:400], 512)) for a in range(0, 20_800 - 399, 160)]
    mel = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=64, fmin=125, fmax=7500, htk=True, norm=None)
    assert made.shape == (128, 64)
    assert np.allclose(made, np.log(np.array(stft) @ mel.T + 1e-3), atol=1e-4)
    assert np.allclose(log_mel(np.zeros(10, dtype=np.float32)), np.log(1e-3))


@pytest.mark.parametrize(("frames", "starts"), [(96, [0]), (97, [0, 1]), (144, [0, 48]), (200, [0, 48, 96, 104])])
def test_patches_cover_the_whole_sound(frames: int, starts: list[int]) -> None:
    numbered = np.arange(frames, dtype=np.float32)[:, None] * np.ones(64, dtype=np.float32)
    made = patches(numbered)
    assert [int(patch[0, 0]) for patch in made] == starts
    assert all(patch.shape == (96, 64) for patch in made)


@pytest.mark.slow
def test_any_audio_classifier_tags(tmp_path: Path) -> None:
    save_tagger(tmp_path / "t")
    tagger = Classifier(tmp_path / "t", TaggerConfig(weights="t", window=1.0, hop=0.5), "cpu")
    scores = tagger.scores(sound(seconds=2.2))
    assert tagger.labels == CLASSES
    assert scores.shape == (4, len(CLASSES))  # at 0, 0.5, 1.0 and, for the end, 1.2 s
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert tagger.scores(sound(seconds=0.2)).shape == (1, len(CLASSES))
    part = sound(seconds=2.2).samples[8000:24000]
    assert np.allclose(tagger.scores(make_sound(part))[0], scores[1], atol=1e-5)


def test_an_audioset_classifier_names_several_sounds_at_once(tmp_path: Path) -> None:
    save_spectrogram_tagger(tmp_path / "t")
    tagger = Classifier(tmp_path / "t", TaggerConfig(weights="t", window=10, hop=5), "cpu")
    scores = tagger.scores(sound(seconds=12))
    assert scores.shape == (2, len(CLASSES))
    assert ((scores > 0) & (scores < 1)).all()
    assert not np.allclose(scores.sum(axis=1), 1, atol=0.1)


@pytest.mark.slow
def test_whisper_windows_are_joined_and_bounded(tmp_path: Path) -> None:
    save_whisper(tmp_path / "w")
    recogniser = recognise.WhisperRecogniser(tmp_path / "w", "cpu")
    short = recogniser.recognise(sound(seconds=1))
    assert short.language in ("English", "French")
    assert 0 < short.nobody < 1
    assert 0 < len(short.words) <= 20  # one byte a token: 10 + 10 a second
    long = recogniser.recognise(sound(seconds=31))
    first = recogniser.recognise(make_sound(sound(seconds=31).samples[: 30 * RATE]))
    assert long.words.startswith(first.words)
    assert len(long.words) > len(first.words)
    assert long.nobody <= first.nobody
