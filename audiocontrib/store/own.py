"""Whose run it is: one that came from elsewhere reads its own folder, and the folder that the user names.

A run says where its audio is. In a run of one's own that is the folder that one named when it was asked; in a run that
was received it may be any: with ``/`` and ``etc/passwd`` in its items, an export would copy what nobody meant to give.
So a run that is made here is marked with a key that lies in the user's own folder, and only there.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from audiocontrib.audio.paths import is_inside
from audiocontrib.errors import AudiocontribError, UsageError

OF_PROCESS = secrets.token_bytes(32)
"""The key where none can be kept."""
MARK = "made_here"
"""The key of run.json: by which user the folder of the audio was named."""


def stated_root(manifest: Mapping[str, Any]) -> str | None:
    """The folder of the audio as run.json has it."""
    root = origin_of(manifest).get("audio_root")
    return root if isinstance(root, str) else None


def origin_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """What run.json says of where the items were read."""
    found = manifest.get("origin") or manifest["identity"].get("dataset")
    return found if isinstance(found, Mapping) else {}


def mark(manifest: Mapping[str, Any]) -> str:
    """The mark of a run whose audio folder this user named."""
    about = f"{stated_root(manifest)}\n{manifest.get('created_at')}"
    return hmac.new(_key(), about.encode(errors="replace"), "sha256").hexdigest()[:32]


def made_here(manifest: Mapping[str, Any]) -> bool:
    """Whether this user named the folder of the audio when the run was asked."""
    kept = manifest.get(MARK)
    return isinstance(kept, str) and hmac.compare_digest(kept.encode(errors="replace"), mark(manifest).encode())


def audio_root(run: Path, manifest: Mapping[str, Any], named: str | None) -> str | None:
    """The folder that clips are read from: the one that was named, or that of a run of one's own, or the run's."""
    if named is not None or made_here(manifest):
        return named if named is not None else stated_root(manifest)
    with suppress(OSError, ValueError, RuntimeError):  # a NUL, a name too long, a loop of links
        inside = (run / (stated_root(manifest) or "")).resolve()
        if is_inside(inside, run.resolve()) and os.path.exists(inside):
            return str(inside)
    return str(run.absolute())


def given_root(path: str | os.PathLike[str] | None) -> str | None:
    """A folder, .zip or .tar of audio as a user names it, absolute. UsageError if there is none."""
    if path is None:
        return None
    if not os.path.isdir(path) and not (os.path.isfile(path) and str(path).lower().endswith((".zip", ".tar"))):
        raise UsageError(f"{path}: there is no such folder, .zip or .tar of audio", argument="audio_root")
    return os.path.abspath(path)


def check_own(path: Path, folder: Path) -> Path:
    """A path in a run's folder, as it is. AudiocontribError if links lead out of the folder."""
    if not is_inside(path.resolve(), folder.resolve()):
        raise AudiocontribError(f"{path} is a link that leads out of {folder}; put the file itself there")
    return path


def _key() -> bytes:
    """32 bytes that only this user can read, made at first use; those of this process where no file can be kept."""
    with suppress(OSError, RuntimeError):  # RuntimeError: nobody has a home here
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "audiocontrib"
        path = folder / "key"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            new = folder / f".key.{secrets.token_hex(8)}"
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            with suppress(FileExistsError):
                os.link(new, path)  # of several processes, one is the first
            new.unlink()
        held = path.read_bytes()
        if len(held) == len(OF_PROCESS):
            return held
    return OF_PROCESS
