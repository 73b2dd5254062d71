"""The hub, as far as can be seen without a network: what huggingface_hub is asked for, and how its cache is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from helpers.manifests import lines, row, write
from helpers.sounds import encoded, tone
from huggingface_hub import errors

from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError
from audiocontrib.sources import load_items
from audiocontrib.sources.hub import snapshot

COMMIT = "cb33687ce4dc3dace4e203a2dd584fa46ae312da"


def cached(cache: Path) -> Path:
    """A data set with its audio beside the manifest, as snapshot_download leaves it in its cache."""
    repo = cache / "datasets--owner--name"
    files = {"data.jsonl": lines(row(1, audio_path="AudioCaps/1.wav")).encode(), "AudioCaps/1.wav": encoded(tone())}
    for number, (name, content) in enumerate(files.items()):
        write(repo / "blobs" / str(number), content)
        link = repo / "snapshots" / COMMIT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(repo / "blobs" / str(number))
    write(repo / "refs" / "main", COMMIT)
    return repo / "snapshots" / COMMIT


def test_a_snapshot_is_a_folder_and_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def snapshot_download(hub: str, **options: Any) -> str:
        asked.append({"hub": hub, **options})
        return str(cached(tmp_path / str(len(asked))))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    found = snapshot("owner/name")
    assert found.revision == COMMIT
    (item,) = load_items(str(found.folder))
    assert item.audio is not None
    assert item.audio.path == "AudioCaps/1.wav"
    assert decode(item.audio).seconds == 1.0
    snapshot("owner/name", "v1", "datasets")
    assert asked == [
        {"hub": "owner/name", "repo_type": "dataset", "revision": None, "allow_patterns": None},
        {"hub": "owner/name", "repo_type": "dataset", "revision": "v1", "allow_patterns": "datasets/**"},
    ]


@pytest.mark.parametrize("revision", [None, "v1", COMMIT])
def test_a_known_data_set_is_loaded_from_the_hub(
    revision: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = cached(tmp_path)
    good = row(1, source_dataset="AudioCaps", question_type="sound", audio_path="AudioCaps/1.wav", id="1")
    write(folder / "datasets" / "part.jsonl", lines(good, good | {"id": "2", "answer": "?"}))
    asked: list[tuple[str, str | None, str | None]] = []

    def snapshot_download(hub: str, repo_type: str, revision: str | None, allow_patterns: str | None) -> str:
        asked.append((hub, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    items = load_items("audiomcq", revision=revision)
    assert asked == [("inclusionAI/AudioMCQ", revision, "datasets/**")]
    named = "audiomcq@v1" if revision == "v1" else "audiomcq"  # a commit is no part of the ids
    assert [item.id for item in items] == [f"{named}/AudioCaps/sound/1"]
    assert str(items.quarantined[0]).startswith(f"{folder}/datasets/part.jsonl:2: answer: ")
    assert (items.origin["hub"], items.origin["revision"]) == ("inclusionAI/AudioMCQ", COMMIT)
    assert items[0].audio is not None
    assert decode(items[0].audio).seconds == 1.0


def test_offline_the_cache_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By huggingface_hub itself: conftest sets HF_HUB_OFFLINE."""
    folder = cached(tmp_path)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for revision in (None, "main", COMMIT):
        found = snapshot("owner/name", revision)
        assert (found.folder.resolve(), found.revision) == (folder.resolve(), COMMIT)
    with pytest.raises(
        AudiocontribError, match=r"^owner/other at revision 'v2': the hub cannot be reached and no copy"
    ):
        snapshot("owner/other", "v2")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.OfflineModeIsEnabled("off"), "owner/name: the hub cannot be reached and no copy is in its cache"),
        (errors.LocalEntryNotFoundError("two\nlines"), "owner/name: the hub cannot be reached and no copy"),
        (ConnectionError("down"), "owner/name: the hub cannot be reached and no copy is in its cache"),
        (
            errors.HFValidationError("bad\nname"),
            "owner/name: cannot be loaded from the hub (HFValidationError: bad name)",
        ),
        (OSError("No space left"), "owner/name: cannot be loaded from the hub (OSError: No space left)"),
    ],
)
def test_a_hub_that_says_no_is_one_line(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(AudiocontribError) as caught:
        snapshot("owner/name")
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith(("name the folder of a local copy", "is read where its folder is named"))
    assert "\n" not in str(caught.value)
    assert "\n" not in str(caught.value)
