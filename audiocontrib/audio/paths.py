"""From a clip to an open file: inside its root, and, where its path runs through one, inside an archive."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

from audiocontrib.audio.archives import ARCHIVES, PACKED, BadMember, NoMember, has_member, read_member
from audiocontrib.audio.clip import Clip
from audiocontrib.errors import BadAudio, MissingAudio


def open_clip(clip: Clip) -> BinaryIO:
    """The encoded file of a clip, to be read and sought in. A plain file is not read yet; the rest is in memory.

    Raises:
        BadAudio: it is missing, outside its root, empty, or cannot be read.
    """
    if clip.data is not None:
        return _not_empty(clip, io.BytesIO(clip.data))
    file, member = locate(clip)
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for without end
            raise BadAudio(f"{clip}: cannot be read: it is a folder or a device, not a file")
        if member is not None:
            return _not_empty(clip, io.BytesIO(read_member(file, member)))
        return _not_empty(clip, file.open("rb"))
    except FileNotFoundError:
        raise MissingAudio(
            f"{clip}: no such file in {clip.root or '.'}; is that the folder of the audio?", argument="audio_root"
        ) from None
    except OSError as error:
        raise BadAudio(f"{clip}: cannot be read: {error.strerror or error}") from error
    except NoMember as error:
        raise MissingAudio(f"{clip}: {error}") from error
    except BadMember as error:
        raise BadAudio(f"{clip}: {error}") from error


def exists(clip: Clip) -> bool:
    """Whether there is a file, or one in an archive, under the clip's name; no recording is opened."""
    if clip.data is not None or os.path.isfile(os.path.join(clip.root or ".", clip.path or "")):
        return True
    if not any(kind in (clip.path or "").lower() or kind in (clip.root or "").lower() for kind in _KINDS):
        return False  # to follow links for it takes most of the time
    try:
        file, member = locate(clip)
        return member is not None and has_member(file, member)
    except (BadAudio, BadMember, OSError, zipfile.BadZipFile):
        return False


def stamp(clip: Clip) -> str | None:
    """Tells a recording from a changed one without decoding it: size and time of its file, or hash of its bytes.

    None where there is no file to be found.
    """
    if clip.data is not None:
        return hashlib.sha256(clip.data).hexdigest() + clip.segment
    try:
        file, member = locate(clip)
        about = file.stat()
    except (BadAudio, OSError):
        return None
    return f"{about.st_size}-{about.st_mtime_ns}-{member or ''}{clip.segment}"


def locate(clip: Clip) -> tuple[Path, str | None]:
    """The file of a clip, and the name within it where it is an archive; symbolic links were followed to check it.

    Raises:
        BadAudio: the file is outside the clip's root, or the path runs through an archive that is not read in place.
    """
    try:
        folder = Path(clip.root or ".").absolute()
        whole = folder / (clip.path or "")
        archive = next((p for p in reversed(whole.parents) if p.name.lower().endswith(_KINDS) and p.is_file()), None)
        root, file = folder.resolve(), (archive or whole).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long, a NUL inside
        raise BadAudio(f"{clip}: is no path that can be followed: {error}") from error
    if not is_inside(file, root):
        raise BadAudio(f"{clip}: leads out of the audio folder {root}")
    if archive is None:
        return file, None
    if archive.name.lower().endswith(PACKED):
        raise BadAudio(f"{clip}: {archive.name} is compressed as a whole; unpack it, or decompress it to a plain .tar")
    # in the hub's cache only the link has a name that ends in .zip
    return archive, whole.relative_to(archive).as_posix()


_KINDS = (*ARCHIVES, *PACKED)


def is_inside(file: Path, root: Path) -> bool:
    """Whether a file is in a folder; in the hub's cache the files of snapshots/<commit> are links into ../../blobs."""
    commit = next((p for p in (root, *root.parents) if p.parent.name == "snapshots"), None)
    return file.is_relative_to(root) or (commit is not None and file.parent == commit.parents[1] / "blobs")


def _not_empty(clip: Clip, file: BinaryIO) -> BinaryIO:
    if file.seek(0, io.SEEK_END) == 0:
        file.close()
        raise BadAudio(f"{clip}: the file is empty")
    file.seek(0)
    return file
