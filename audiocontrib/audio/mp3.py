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
