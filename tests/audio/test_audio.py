"""Decoding: what comes out of a clip, and one line for every clip that cannot be heard."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from helpers.sounds import encoded, resampled, tone

from audiocontrib.audio import MAX_SECONDS, RATE, decode, make_sound, probe, silence
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip


def with_sizes(raw: bytes, riff: int | None, data: int) -> bytes:
    """A WAV whose header claims other sizes than its own."""
    at = raw.index(b"data") + 4
    raw = raw[:at] + struct.pack("<I", data) + raw[at + 4 :]
    return raw if riff is None else raw[:4] + struct.pack("<I", riff) + raw[8:]


WAV = encoded(tone())


def test_a_16_khz_wav_comes_out_as_its_own_samples() -> None:
    sound = decode(Clip(data=encoded(tone(), subtype="FLOAT")))
    np.testing.assert_array_equal(sound.samples, tone())
    assert sound.samples.dtype == np.float32
    assert not sound.samples.flags.writeable
    assert sound.seconds == 1.0


@pytest.mark.parametrize("form", ["FLAC", "MP3", "OGG", "AIFF", "WAVEX"])
def test_other_formats(form: str) -> None:
    sound = decode(Clip(data=encoded(tone(), form=form)))
    assert len(sound.samples) == RATE
    assert np.abs(sound.samples - tone()).max() < 0.05


def test_stereo_is_mixed_by_the_mean() -> None:
    left, right = tone(), np.zeros(RATE, np.float32)
    sound = decode(Clip(data=encoded(np.stack([left, right], axis=1), subtype="FLOAT")))
    np.testing.assert_allclose(sound.samples, left / 2, atol=1e-7)


LIBROSAS = {
    (8_000, 1): [-0.25501177, -0.16987774, 0.13250554, 0.08701513, -0.14808549],
    (44_100, 2): [-0.00888206, 0.01304516, -0.03876618, 0.02021390, 0.03394033],
}
"""Five samples of ``librosa.resample`` 0.11 (soxr_hq), whose import compiles for half a minute."""


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_resampling_is_librosas_own(rate: int, channels: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(rate).normal(0, 0.1, (rate // 2, channels)).astype(np.float32)
    (tmp_path / "a.wav").write_bytes(encoded(noise, rate, subtype="FLOAT"))
    sound = decode(Clip(path="a.wav", root=str(tmp_path)))
    np.testing.assert_array_equal(sound.samples, resampled(noise, rate))
    assert sound.seconds == pytest.approx(0.5, abs=1e-3)
    if (rate, channels) in LIBROSAS:
        told = sound.samples[[0, 1, 1000, 4321, -1]]
        np.testing.assert_allclose(told, LIBROSAS[rate, channels], atol=1e-6)


@pytest.mark.parametrize("frames", [10_007, 300_001, 2 * 2**18])
def test_blocks_leave_no_seams(frames: int) -> None:
    noise = np.random.default_rng(frames).normal(0, 0.1, (frames, 2)).astype(np.float32)
    np.testing.assert_array_equal(
        decode(Clip(data=encoded(noise, 44_100, subtype="FLOAT"))).samples, resampled(noise, 44_100)
    )


def test_the_hash_is_that_of_the_samples() -> None:
    whole = (tone() * 32767).astype(np.int16)  # how a writer rounds is not what is tested here
    as_wav, as_flac = (decode(Clip(data=encoded(whole, form=form))) for form in ("WAV", "FLAC"))
    assert as_wav == as_flac
    assert as_wav.sha256 != decode(Clip(data=encoded(tone() / 2))).sha256
    assert make_sound(np.zeros(RATE)) == silence(1.0)


@pytest.mark.parametrize(
    ("riff", "size"),
    [
        (None, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x7FFFF024, 0x7FFFF000),
        (0, 0),
        (36, 0),
        (0xFFFFFFFF, 0),
    ],
)
def test_a_streamed_wav_is_read_to_its_end(riff: int | None, size: int) -> None:
    assert decode(Clip(data=with_sizes(WAV, riff, size))) == decode(Clip(data=WAV))


def test_a_wav_that_python_streamed_is_read_to_its_end() -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: object) -> int:
            raise OSError("a pipe cannot seek")

        def tell(self) -> int:
            raise OSError("a pipe cannot tell")

    pipe = Pipe()
    file = wave.open(pipe, "wb")  # noqa: SIM115  closing it would try to mend the header
    file.setparams((1, 2, RATE, 0, "NONE", ""))
    file.writeframesraw((tone() * 32767).astype("<i2").tobytes())
    assert decode(Clip(data=pipe.getvalue())).seconds == 1.0
    file._file = None  # type: ignore[attr-defined]


def test_what_follows_an_empty_data_chunk_is_not_taken_for_samples() -> None:
    empty = encoded(tone(0))
    tagged = empty + b"LIST" + struct.pack("<I", 8000) + b"\1" * 8000
    with pytest.raises(BadAudio, match="too short"):
        decode(Clip(data=with_sizes(tagged, len(tagged) - 8, 0)))


def streamed_flac() -> bytes:
    """A FLAC whose STREAMINFO (RFC 9639, 8.2) leaves the 36 bits of the total number of samples at zero."""
    raw = bytearray(encoded(tone(), form="FLAC"))
    raw[21] &= 0xF0
    raw[22:26] = bytes(4)
    return bytes(raw)


def cut(form: str, subtype: str | None = None) -> bytes:
    raw = encoded(tone(4), form=form, subtype=subtype)
    return raw[: len(raw) // 2]


def with_rate(rate: int) -> bytes:
    return WAV[:24] + struct.pack("<I", rate) + WAV[28:]


BROKEN = {
    "empty": (b"", "the file is empty"),
    "no audio": (b"hello, this is text " * 100, "cannot be decoded: Format not recognised"),
    "cut wav": (WAV[:-1000], "truncated: 32000 bytes of samples promised, 31000 found"),
    "cut by one byte": (WAV[:-1], "truncated: 32000 bytes of samples promised, 31999 found"),
    "header only": (WAV[:44], "truncated: 32000 bytes of samples promised, 0 found"),
    "cut in the header": (WAV[:30], "truncated: a WAV header without samples"),
    "cut flac": (encoded(tone(), form="FLAC")[:-500], "cannot be decoded"),
    "cut mp3": (encoded(tone(4), form="MP3")[:-2000], "truncated"),
    "cut ogg": (encoded(tone(), form="OGG")[:2000], "truncated: its last Ogg page"),
    "cut opus": (cut("OGG", "OPUS"), "truncated: its last Ogg page is cut"),
    "cut aiff": (cut("AIFF"), "truncated: 128008 bytes of samples promised"),
    "cut float aiff": (cut("AIFF", "FLOAT"), "truncated: 256008 bytes of samples promised"),
    "cut au": (cut("AU"), "truncated: 128000 bytes of samples promised, 63988 found"),
    "cut mu-law": (cut("WAV", "ULAW"), "truncated: 64000 bytes of samples promised"),
    "rf64": (encoded(tone(), form="RF64"), "is RF64, in which a file that was cut short goes unnoticed"),
    "w64": (encoded(tone(), form="W64"), "is W64, in which"),
    "caf": (encoded(tone(), form="CAF"), "is CAF, in which"),
    "nist": (encoded(tone(), form="NIST"), "is NIST, in which"),
    "thousands of chunks": (WAV[:12] + b"junk\0\0\0\0" * 2000 + WAV[12:], "a WAV header without samples"),
    "3 samples a second": (with_rate(3), "says 3 samples a second, which no sound has"),
    "streamed flac": (streamed_flac(), "does not say how long it is"),
    "no samples": (encoded(tone(0)), "too short"),
    "too short": (encoded(tone(0.05)), "0.050 s is too short; 0.1 s are needed"),
    "too short at another rate": (encoded(tone(0.09, 44_100), 44_100), "0.090 s is too short"),
    "NaN": (encoded(np.where(np.arange(RATE) == 5, np.nan, tone()), subtype="FLOAT"), "not finite"),
    "infinite": (encoded(np.where(np.arange(RATE) == 5, np.inf, tone()), subtype="FLOAT"), "not finite"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_clip_that_cannot_be_heard(name: str, tmp_path: Path) -> None:
    raw, reason = BROKEN[name]
    (tmp_path / "a.wav").write_bytes(raw)
    with pytest.raises(BadAudio) as caught:
        decode(Clip(path="a.wav", root=str(tmp_path)))
    assert str(caught.value).startswith("a.wav: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["empty", "no audio", "cut wav", "cut aiff", "cut opus", "rf64", "too short", "3 samples a second"]
)
def test_what_the_header_betrays_is_said_without_decoding(name: str) -> None:
    messages = []
    for hear in (decode, probe):
        with pytest.raises(BadAudio) as caught:
            hear(Clip(data=BROKEN[name][0]))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("form", "subtype", "said"),
    [
        ("WAV", "ULAW", "WAV ULAW"),
        ("FLAC", "PCM_24", "FLAC PCM_24"),
        ("OGG", "OPUS", "OGG OPUS"),
        ("AIFF", None, "AIFF PCM_16"),
        ("MP3", None, "MP3 MPEG_LAYER_III"),
        ("AU", None, "AU PCM_16"),
    ],
)
def test_a_header_is_read_without_decoding(form: str, subtype: str | None, said: str) -> None:
    raw = encoded(np.stack([tone(1.5, 48_000)] * 2, axis=1), 48_000, form, subtype)
    about = probe(Clip(data=raw))
    assert (about.seconds, about.rate, about.channels, about.format) == (1.5, 48_000, 2, said)


def test_a_clip_that_is_too_long_is_refused_before_it_is_decoded() -> None:
    raw = bytearray(encoded(tone(), form="FLAC"))
    raw[22:26] = struct.pack(">I", (MAX_SECONDS + 1) * RATE)  # STREAMINFO's number of samples
    for hear in (decode, probe):
        with pytest.raises(BadAudio, match=r"3,601 s is too long; at most 3,600 s are read"):
            hear(Clip(data=bytes(raw)))


def test_a_header_that_says_less_than_there_is_does_not_get_past_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.audio.decoding.MAX_SECONDS", 20)
    for size in (0, 0xFFFFFFFF):
        with pytest.raises(BadAudio, match=r"21 s is too long; at most 20 s are read"):
            decode(Clip(data=with_sizes(encoded(tone(21)), size, size)))


def test_the_same_fault_reads_the_same_every_time() -> None:
    messages = set()
    for _ in range(2):
        with pytest.raises(BadAudio) as caught:
            decode(Clip(data=b"nothing to hear" * 99))
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "0x" not in messages.pop()


def test_missing_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(BadAudio, match=r"none\.wav: no such file in .*is that the folder of the audio"):
        decode(Clip(path="none.wav", root=str(tmp_path)))
    with pytest.raises(BadAudio, match="cannot be read"):
        decode(Clip(path="folder.wav", root=str(tmp_path)))


def test_paths_stay_inside_their_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside.wav"
    (root / "sub").mkdir(parents=True)
    outside.write_bytes(WAV)
    (root / "in.wav").write_bytes(WAV)
    (root / "link_in.wav").symlink_to(root / "in.wav")
    (root / "link_out.wav").symlink_to(outside)
    (root / "loop.wav").symlink_to(root / "loop.wav")
    for path in ("in.wav", "./sub/../in.wav", "link_in.wav", str(root / "in.wav")):
        assert decode(Clip(path=path, root=str(root))).seconds == 1.0
    for path in ("../outside.wav", "sub/../../outside.wav", "link_out.wav", str(outside)):
        with pytest.raises(BadAudio, match="leads out of the audio folder"):
            decode(Clip(path=path, root=str(root)))
    for path in ("loop.wav", "nul\0.wav", "long" * 100):
        with pytest.raises(BadAudio):
            decode(Clip(path=path, root=str(root)))


def test_a_root_that_is_a_link_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.wav").write_bytes(WAV)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert decode(Clip(path="a.wav", root=str(tmp_path / "link"))).seconds == 1.0
