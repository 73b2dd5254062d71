"""Data sets on the Hugging Face hub: a copy of the repository at one commit, read as a local folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiocontrib.errors import AudiocontribError, one_line


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A data set's repository in the hub's cache."""

    folder: Path
    """Manifests and audio as they are published; links into the cache's own files."""
    revision: str
    """The commit, also where a branch or nothing was asked for: what run.json should say."""


def snapshot(hub: str, revision: str | None = None, folder: str = "") -> Snapshot:
    """The repository ``hub`` at ``revision``; downloaded where the cache lacks it, unless HF_HUB_OFFLINE is set.

    Args:
        hub: ``owner/name``.
        revision: commit, tag or branch; None: the main branch as it is now, or as it is in the cache when offline.
        folder: take only this folder of the repository.

    Raises:
        AudiocontribError: it cannot be reached and no copy is in the cache, or it cannot be loaded.
    """
    from huggingface_hub import errors, snapshot_download

    at = f" at revision {revision!r}" if revision else ""
    patterns = f"{folder}/**" if folder else None
    try:
        where = Path(snapshot_download(hub, repo_type="dataset", revision=revision, allow_patterns=patterns))
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError) as error:
        raise AudiocontribError(
            f"{hub}{at}: the hub cannot be reached and no copy is in its cache ({one_line(error)}); "
            "without a network name the folder of a local copy",
            argument="data",
        ) from error
    except (OSError, ValueError) as error:  # the hub says no: HfHubHTTPError is an OSError
        raise AudiocontribError(
            f"{hub}{at}: cannot be loaded from the hub ({one_line(error)}); "
            "a copy that was downloaded by other means is read where its folder is named",
            argument="data",
        ) from error
    return Snapshot(where, where.name)
