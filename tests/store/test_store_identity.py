"""A run goes on, grows, or is refused with what changed: answers are never mixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.store_tools import bad, item, items, manifest, response, start

from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Items
from audiocontrib.store import Run


def files(run: Run) -> dict[str, bytes]:
    return {str(p.relative_to(run.path)): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}


def refusal(run: Run, given: dict[str, Any], what: Items) -> list[str]:
    """The lines of the refusal; the run is as it was."""
    before = files(run)
    with pytest.raises(AudiocontribError) as caught:
        Run.create_or_resume(run.path, given, what)
    assert files(run) == before
    headline, *lines = str(caught.value).split("\n  ")
    assert "never mixed: name another run, or go back to the old setting" in headline
    return lines


def test_the_same_start_again_changes_nothing(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    run.append([response(0)])
    before = files(run)
    again = start(tmp_path / "r")
    assert again.manifest == run.manifest == Run.open(tmp_path / "r").manifest
    assert "key-0" in again.answered()
    assert len(again.answered()) == 1
    assert files(run) == before


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"prompt__sha256": "5" * 64},
            f"prompt.sha256: {manifest()['identity']['prompt']['sha256'][:48]}… -> {'5' * 48}…",
        ),
        ({"models__tiny__weights_sha256": "w"}, f"models.tiny.weights_sha256: 3fa{'0' * 45}… -> w"),
        ({"models__tiny__dtype": None}, "models.tiny.dtype: 'float32' -> (none)"),
        ({"models__tiny__template": "x"}, "models.tiny.template: (none) -> 'x'"),
        ({"dataset__revision": "r2"}, "dataset.revision: r1 -> r2"),
        ({"max_new_tokens": 64}, "max_new_tokens: (none) -> 64"),
    ],
)
def test_a_change_is_refused_with_its_name(tmp_path: Path, change: dict[str, Any], line: str) -> None:
    assert refusal(start(tmp_path / "r"), manifest(**change), items()) == [line]


def test_long_texts_are_shown_where_they_part(tmp_path: Path) -> None:
    old, new = ("\n".join(["system"] * 50 + [end] + ["user"] * 50) for end in ("yes", "no"))
    run = Run.create_or_resume(tmp_path / "r", manifest(models__tiny__template=old), items())
    (line,) = refusal(run, manifest(models__tiny__template=new), items())
    assert "\\nyes\\n" in line
    assert "\\nno\\n" in line
    assert "\n" not in line
    assert len(line) < 150


def test_a_changed_item_is_refused_with_its_name(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    changed = Items([item(0), item(1, question="Is it loud?", answer="dog"), item(9)], [bad(4)])
    assert refusal(run, manifest(), changed) == [
        "items.toy/1.question: What is heard in 1? -> Is it loud?",
        "items.toy/1.answer: 1 -> 0",
    ]


def test_a_long_diff_is_cut(tmp_path: Path) -> None:
    run = start(tmp_path / "r", n=50)
    lines = refusal(run, manifest(), Items([item(i, question="?") for i in range(50)]))
    assert len(lines) == 21
    assert lines[-1] == "and 30 more"


def test_models_conditions_and_items_may_be_added(tmp_path: Path) -> None:
    run = start(tmp_path / "r", n=3)
    more = manifest(models={"other": {"weights_sha256": "o"}}, conditions=["text", "audio"])
    grown = Run.create_or_resume(run.path, more, Items([item(4), item(2)], [bad(7)]))
    assert list(grown.manifest["identity"]["models"]) == ["tiny", "other"]
    assert grown.manifest["identity"]["conditions"] == ["audio", "silence", "text"]
    assert [i.id for i in grown.load_items()] == ["toy/0", "toy/1", "toy/2", "toy/4"]
    assert grown.quarantined_ids() == {"toy/7"}
    # a start with less of it, another limit, takes nothing away
    less = Run.create_or_resume(run.path, manifest(), items(1))
    assert less.manifest["identity"] == grown.manifest["identity"]
    assert len(less.load_items()) == 4
    assert refusal(less, manifest(models={"other": {"weights_sha256": "p"}}), items(1)) == [
        "models.other.weights_sha256: o -> p"
    ]


def test_conditions_may_be_a_mapping_whose_members_are_fixed(tmp_path: Path) -> None:
    run = Run.create_or_resume(tmp_path / "r", manifest(conditions={"noise": {"dbfs": -40}}), items())
    grown = Run.create_or_resume(run.path, manifest(conditions={"text": {}}), items())
    assert grown.manifest["identity"]["conditions"] == {"noise": {"dbfs": -40}, "text": {}}
    changed = manifest(conditions={"noise": {"dbfs": -30}})
    assert refusal(grown, changed, items()) == ["conditions.noise.dbfs: -40 -> -30"]


def test_versions_and_commands_are_kept_and_not_compared(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    later = Run.create_or_resume(run.path, manifest() | {"versions": {"audiocontrib": "2"}}, items())
    assert later.manifest["created_at"] == run.manifest["created_at"]
    assert later.manifest["versions"] == {"audiocontrib": "2"}
    assert [e["versions"] for e in later.manifest["earlier"]] == [{"audiocontrib": "1"}]
    # to and fro between two of them keeps each once
    back = Run.create_or_resume(run.path, manifest(), items())
    assert [e["versions"] for e in back.manifest["earlier"]] == [{"audiocontrib": "2"}]
