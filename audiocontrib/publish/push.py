"""Pushing a folder to the hub: looked at first, sent only when that is said."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.publish.folder import model_files, split_files

if TYPE_CHECKING:
    from audiocontrib.store import Run


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was, or would be, sent."""

    repo: str
    kind: str
    """``dataset`` or ``model``."""
    files: tuple[tuple[str, int], ...]
    """Names with their sizes in bytes."""
    url: str | None
    """Of the commit; None where nothing was sent."""


def push(
    what: Run | str | Path,
    /,
    repo: str,
    *,
    split: str | None = None,
    send: bool = False,
    public: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
) -> Pushed:
    """Publish a run's split as a data set, or a training's model, on the hub.

    A data set holds the split with its questions (no recordings), card, provenance and Croissant metadata.

    Args:
        what: a run, for its split; or the folder of a training.
        repo: ``owner/name``.
        split: name of the split; None: the only one.
        send: nothing leaves the machine without it.
        public: whether a repository that is made is public; one that is there stays as it is.
        endpoint, token: of the hub; None: as huggingface_hub is set up.

    Raises:
        UsageError: the name of the repository is none.
        AudiocontribError: there is nothing to publish, or the hub refuses it.

    Example:
        >>> ac.push(ac.open_run("runs/demo"), "me/demo-split", split="votes-0.5").files
    """
    if repo.count("/") != 1:
        raise UsageError(f"{repo!r} is no repository: write owner/name")
    if isinstance(what, str | Path):
        if split is not None:
            raise UsageError("a split is of a run, and a training's folder is given")
        return _sent(model_files(Path(what)), repo, "model", send, public, endpoint, token)
    with tempfile.TemporaryDirectory() as folder:
        url = f"{endpoint or 'https://huggingface.co'}/datasets/{repo}"
        split_files(what, split, Path(folder), url)
        return _sent(Path(folder), repo, "dataset", send, public, endpoint, token)


def _sent(
    folder: Path, repo: str, kind: str, send: bool, public: bool, endpoint: str | None, token: str | None
) -> Pushed:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = tuple((path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths)
    if not send:
        return Pushed(repo, kind, files, None)
    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo, repo_type=kind, private=not public, exist_ok=True)
        done = api.upload_folder(repo_id=repo, repo_type=kind, folder_path=folder, commit_message="By audiocontrib")
    except (HfHubHTTPError, HFValidationError, httpx2.HTTPError, OSError) as error:
        raise AudiocontribError(f"the hub does not take {repo}: {str(error).splitlines()[0]}") from error
    return Pushed(repo, kind, files, str(done.commit_url))
