"""What stands for a clip in a row: its path, the path of a copy, or the encoded file itself."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from audiocontrib.audio import RATE, decode, wav_bytes
from audiocontrib.audio.paths import locate, open_clip
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.export.base import Audio
from audiocontrib.items import Clip, Item
from audiocontrib.store.files import cannot_write

COPIES = "audio"
"""Folder of copied clips, within the export."""
KINDS = {
    rb"RIFF|RF64": ".wav",
    rb"fLaC": ".flac",
    rb"OggS": ".ogg",
    rb"....ftyp": ".m4a",
    rb"\x1aE\xdf\xa3": ".webm",
    rb"ID3|\xff[\xe0-\xff]": ".mp3",
}
"""How an encoded file begins -> the ending that its name gets where it had none."""


class Clips:
    """Clips by the way rows refer to them; each is looked up, or copied, once."""

    def __init__(self, audio: Audio, out: Path, embed: Callable[[bytes], Any] | None) -> None:
        """
        Args:
            out: folder in which copies are made.
            embed: an encoded file as it stands in a row; for ``audio="embed"`` only.
        """
        self._audio, self._out, self._embed = audio, out, embed
        self._known: dict[str, str] = {}

    def __call__(self, item: Item) -> Any:
        """What stands for the item's clip.

        Raises:
            UsageError: a trainer could not open it where it is; it has to be copied.
            AudiocontribError: it cannot be read, is outside its folder, or the copy cannot be written.
        """
        clip = item.audio
        if clip is None:
            raise AudiocontribError(f"{item.id} names no clip")
        part = str(clip) if clip.segment else ""
        if part in self._known:
            return self._known[part]
        if part and self._audio in ("embed", "copy"):
            clip = Clip(data=wav_bytes(decode(clip).samples, RATE))
        elif part:
            raise UsageError(
                f"{part}: the clip is a part of its recording, which no trainer cuts; let the export copy clips",
                argument="copy_clips",
            )
        if self._audio == "embed":
            assert self._embed is not None
            _check_sound(clip)
            with open_clip(clip) as file:
                return self._embed(file.read())
        # not the id of the clip: a data set may give one id to several files
        name = _plain(clip) if clip.data is None else hashlib.sha256(clip.data).hexdigest()[:20]
        if name not in self._known:
            self._known[name] = self._copied(clip, name) if self._audio == "copy" else self._path(clip, name)
        if part:
            self._known[part] = self._known[name]
        return self._known[name]

    def _path(self, clip: Clip, name: str) -> str:
        inside = "the run itself" if clip.data is not None else "an archive" if locate(clip)[1] is not None else None
        if inside:
            raise UsageError(
                f"{clip}: the clip is inside {inside}, where no trainer finds it; let the export copy clips",
                argument="copy_clips",
            )
        # not the file that links lead to: in the hub's cache that has no ending
        return name if self._audio == "relative" else str(Path(clip.root or ".").absolute() / name)

    def _copied(self, clip: Clip, name: str) -> str:
        _check_sound(clip)
        with open_clip(clip) as file:
            head = file.read(8)
            file.seek(0)
            if not PurePosixPath(name).suffix:
                name += next((ending for start, ending in KINDS.items() if re.match(start, head, re.DOTALL)), "")
            target = self._out / COPIES / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as copy:
                    shutil.copyfileobj(file, copy, 1 << 20)
            except OSError as error:
                raise cannot_write(target, error) from error
        return f"{COPIES}/{name}"


def _check_sound(clip: Clip) -> None:
    """BadAudio unless a file decodes as sound: an export is given to others, and no other file belongs in it."""
    decode(clip)


def _plain(clip: Clip) -> str:
    """The clip's path within its folder; AudiocontribError if it is none."""
    path = PurePosixPath(clip.path or "")
    if path.is_absolute() or ".." in path.parts:
        raise AudiocontribError(f"{clip}: leads out of the audio folder {clip.root}")
    return str(path)
