"""What is known of an MP3's length: libsndfile guesses where the file does not say, and stops where it guessed."""

from __future__ import annotations

from typing import BinaryIO, Literal

LENGTH_TAGS = (b"Xing", b"Info")
"""In the first frame of files that say how many frames they have."""
KBITS = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
"""Bit rates of layer III by their index: MPEG-2 and 2.5, MPEG-1 (ISO 13818-3, 2.4.2.3 and ISO 11172-3, 2.4.2.3)."""
RATES = (44_100, 48_000, 32_000)
"""Samples a second of MPEG-1 by their index; MPEG-2 has half of them, 2.5 a quarter."""


def length_of(file: BinaryIO) -> Literal["said", "sized", "unknown"]:
    """Whether a length is ``said`` by the header, follows from the ``size``, or is ``unknown`` until it is decoded.

    An MP3 of layer III at a constant bit rate, without a tag, is ``sized``: its end may be missing unnoticed. At a
    variable rate, without a tag, it is ``unknown``. All other files are taken to say it. The file is left at its start.
    """
    file.seek(0)
    head = file.read(10)
    at = 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:]))) if head[:3] == b"ID3" else 0
    file.seek(at)
    first = file.read(64)
    rates: set[int] = set()
    if not any(tag in first for tag in LENGTH_TAGS):
        while len(rates) < 2 and (frame := _frame(first)):
            rates.add(frame[0])
            at += frame[1]
            file.seek(at)
            first = file.read(4)
    file.seek(0)
    return "unknown" if len(rates) > 1 else "sized" if rates else "said"


def frames_and_promise(data: bytes) -> tuple[int, int | None]:
    """Layer III frames of sound in a file, behind tags too, and how many its first frame says; None: it does not."""
    frames, promised, at = 0, None, 0
    while at < len(data):
        frame = _frame(data[at : at + 4])
        if frame is None:
            at = behind_tag(data, at)
            continue
        head = data[at : at + 64]
        tag = next((tag for tag in LENGTH_TAGS if tag in head), None)
        if tag is None:
            frames += 1
        elif promised is None and frames == 0:
            place = at + head.index(tag)
            if data[place + 7] & 1:
                promised = int.from_bytes(data[place + 8 : place + 12], "big")
        at += frame[1]
    return frames, promised


def behind_tag(data: bytes, at: int) -> int:
    """Where to look next for a frame: behind a tag, or where three frames follow on one another."""
    if data.startswith(b"ID3", at):
        return at + 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(data[at + 6 : at + 10])))
    if data.startswith(b"TAG", at):
        return at + 128
    while (at := data.find(b"\xff", at + 1)) >= 0:
        behind = at
        for _ in range(3):
            frame = _frame(data[behind : behind + 4])
            if frame is None:
                break
            behind += frame[1]
        else:
            return at
    return len(data)


def _frame(head: bytes) -> tuple[int, int] | None:
    """Bit rate (kbit/s) and bytes of the layer III frame that begins here; None if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate = head[1] >> 3 & 3, head[2] >> 2 & 3  # versions: 3 is MPEG-1, 2 is MPEG-2, 0 is 2.5
    bits, padding = head[2] >> 4, head[2] >> 1 & 1
    if version == 1 or rate == 3 or bits in (0, 15):
        return None
    kbits = KBITS[version == 3][bits]
    hertz = RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return kbits, (144_000 if version == 3 else 72_000) * kbits // hertz + padding
