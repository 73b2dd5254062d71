"""Clip: where a recording is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clip:
    """Where the samples of a recording are: a file within ``root``, or its encoded bytes."""

    path: str | None = None
    """Path as the data set gives it, in its shortest form, relative to ``root``; may not leave ``root``."""
    root: str | None = None
    """Folder the path is relative to; None when only the bytes are used."""
    data: bytes | None = field(default=None, repr=False)
    """The encoded file itself (WAV, FLAC, MP3, …), where the data set carries it inside a row."""
    start: float | None = None
    """Seconds into the recording at which the clip begins; None: where it begins."""
    end: float | None = None
    """Seconds into the recording at which the clip ends; None: where it ends."""

    @property
    def segment(self) -> str:
        """The part of the recording as a media fragment, ``#t=1.5,3``; empty where it is all of it."""
        if self.start is None and self.end is None:
            return ""
        return f"#t={self.start or 0:.9g}" + ("" if self.end is None else f",{self.end:.9g}")

    def __str__(self) -> str:
        return (self.path or f"{len(self.data or b'')} bytes of audio") + self.segment
