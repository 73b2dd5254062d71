"""The registry of data sets, each read in its published layout, and load_items itself."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers.layouts import LAYOUTS, audiomcq_row, mmau_row

from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, item_from_row
from audiocontrib.sources import SOURCES, load_items


def dump(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def published(name: str, folder: Path) -> Items:
    return load_items(name, data=LAYOUTS[name](folder))


def jsonl(folder: Path) -> Items:
    rows = {"a": {"q": "Which?", "choices": ["x", "y"], "answer": "A", "audio": "a.wav"}}
    return load_items("jsonl", data=dump(folder / "my.json", rows), mapping={"question": "q"}, answer_as="letter")


def demo(folder: Path) -> Items:
    return load_items("demo", seed=3, limit=5)


SAMPLES: dict[str, Callable[[Path], Items]] = {
    "jsonl": jsonl,
    "demo": demo,
    **{name: partial(published, name) for name in LAYOUTS},
}
WITHOUT_KEY = {"adqa-bench"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_reads_its_published_layout(name: str, tmp_path: Path) -> None:
    assert name in SAMPLES, "a new source needs a sample of its layout in tests/helpers/layouts.py"
    source, items = SOURCES[name], SAMPLES[name](tmp_path)
    assert source.name == name
    assert source.about
    assert "\n" not in source.about
    assert len(items) > 0
    assert items.quarantined == ()
    assert len({item.id for item in items}) == len(items)
    assert json.loads(json.dumps(items.origin)) == items.origin
    assert items.origin["name"] == items[0].dataset
    assert [item_from_row(row, items.origin.get("audio_root")) for row in items.table.to_pylist()] == list(items)
    assert all((item.answer is None) == (name in WITHOUT_KEY) and item.clip_id and item.audio for item in items)


def test_no_layout_is_left_without_its_source() -> None:
    assert set(LAYOUTS) <= set(SOURCES)


def test_audiomcq_keeps_identity_labels_and_unknown_columns(tmp_path: Path) -> None:
    items = published("audiomcq", tmp_path)
    own = ["AudioCaps/sound/0", "Clotho/sound/0", "Tacos/temporal/0"]
    assert [item.id for item in items] == [f"audiomcq/{o}" for o in own]
    assert [item.extra["audio-contribution"] for item in items] == ["strong", "strong", "weak"]
    assert items[0].extra["structured_cot"] == "<stage1>sound</stage1>"
    assert items[0].clip_id == "AudioCaps/sample_0.wav"
    assert items[0].audio is not None
    assert items[0].audio.root == str(tmp_path)
    assert (items[2].question_type, items[1].source_dataset) == ("temporal", "Clotho")


def test_audiomcq_reads_a_single_file_with_one_chain_of_thought(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(audiomcq_row("Tacos", "temporal", "7", gemini_cot="…") | {"audio-contribution": None}))
    (item,) = load_items("audiomcq", data=path)
    assert item.extra["gemini_cot"] == "…"
    assert item.audio is not None
    assert item.audio.root == str(tmp_path)


def test_mmau_paths_types_and_notes(tmp_path: Path) -> None:
    items = published("mmau", tmp_path)
    first, listed, collapsed = items
    assert first.id == "mmau/a"
    assert first.clip_id == "test-mini-audios/a.wav"
    assert (first.question_type, first.source_dataset, first.split) == ("sound", "AudioSet", "test-mini")
    assert dict(first.extra) == {
        "category": "Reasoning",
        "sub-category": "Acoustic Source Inference",
        "difficulty": "medium",
    }
    assert listed.extra["category"] == ["Reasoning"]
    assert collapsed.choices == ("Man", "Child")
    assert collapsed.notes


def test_mmau_without_ids_is_known_by_its_content(tmp_path: Path) -> None:
    rows = [{k: v for k, v in mmau_row(own).items() if k != "id"} for own in "ab"]
    forward = load_items("mmau", data=dump(tmp_path / "a.json", rows))
    backward = load_items("mmau", data=dump(tmp_path / "b.json", rows[::-1]))
    assert [item.id for item in forward] == [item.id for item in backward][::-1]
    assert all(item.id.startswith("mmau/sha256:") for item in forward)


def test_mmau_test_has_no_key_and_test_mini_has(tmp_path: Path) -> None:
    without = {k: v for k, v in mmau_row("a", split="test").items() if k != "answer"}
    rows = [
        without,
        mmau_row("b", split="test", answer=""),
        mmau_row("c", answer=""),
        mmau_row("d", split="test"),
    ]
    items = load_items("mmau", data=dump(tmp_path / "a.json", rows))
    assert [(item.id, item.answer) for item in items] == [("mmau/a", None), ("mmau/b", None), ("mmau/d", 0)]
    assert [(bad.item_id, bad.reason) for bad in items.quarantined] == [("mmau/c", "is empty")]


def test_a_foreign_layout_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.json", [{"question_text": "?", "multi_choice": ["a", "b"]}])
    for name in ("mmau", "audiomcq"):
        with pytest.raises(
            UsageError,
            match=rf"there are: question_text, multi_choice.*layout of {name}\?.*read as jsonl, with a mapping",
        ):
            load_items(name, data=path)


def test_limit_counts_items_not_rows(tmp_path: Path) -> None:
    rows = [mmau_row("a", answer="?"), mmau_row("b"), mmau_row("c"), mmau_row("d", answer="?")]
    items = load_items("mmau", data=dump(tmp_path / "a.json", rows), limit=2)
    assert [item.id for item in items] == ["mmau/b", "mmau/c"]
    assert len(items.quarantined) == 1


def test_origin_says_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    path = dump(tmp_path / "my.json", [mmau_row("a")])
    items = load_items("mmau", data=path, revision="v2", audio_root=tmp_path / "clips")
    assert items[0].id == "mmau@v2/a"
    assert items.origin == {
        "name": "mmau",
        "path": str(path),
        "revision": "v2",
        "audio_root": str(tmp_path / "clips"),
        "sha256": {str(path): hashlib.sha256(path.read_bytes()).hexdigest()},
    }


def test_an_absolute_path_inside_the_root_becomes_relative(tmp_path: Path) -> None:
    path = dump(tmp_path / "my.json", [mmau_row("a", audio_id=str(tmp_path / "x" / "a.wav"))])
    (item,) = load_items("mmau", data=path)
    assert item.clip_id == "x/a.wav"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("audiomqc", {}, "no data set is called 'audiomqc'; did you mean 'audiomcq'"),
        ("mmau", {}, "mmau is read from a file or folder: say which"),
        ("mmau", {"data": "x.json", "mapping": {"id": "n"}}, "mmau knows its own columns"),
        ("mmau", {"data": "x.json", "answer_as": "letter"}, "mmau knows its own columns"),
        ("none.jsonl", {}, "none.jsonl: there is no such file or folder"),
        ("jsonl", {}, "say which"),
    ],
)
def test_wrong_questions(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AudiocontribError, match=message):
        load_items(name, **options)


@pytest.mark.slow
def test_without_a_network_the_message_names_the_local_way(tmp_path: Path) -> None:
    script = (
        "from audiocontrib.errors import AudiocontribError\n"
        "from audiocontrib.sources import load_items\n"
        "try:\n    load_items('audiomcq')\nexcept AudiocontribError as error:\n    print(error)\n"
    )
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("inclusionAI/AudioMCQ: the hub cannot be reached and no copy is in its cache")
    assert done.stdout.rstrip().endswith("name the folder of a local copy")
    assert done.stdout.count("\n") == 1


def test_importing_sources_loads_no_heavy_library() -> None:
    heavy = "{'datasets', 'pandas', 'torch', 'librosa'}"
    script = f"import sys, audiocontrib.sources; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.skipif("demo" not in SOURCES, reason="the demo set is not registered")
def test_the_demo_set_is_made_from_its_seed() -> None:
    items, again, other = (
        load_items("demo", seed=3, limit=5),
        load_items("demo", seed=3, limit=5),
        load_items("demo", seed=4),
    )
    assert list(items) == list(again)
    assert items[0].question != other[0].question or items[0].audio != other[0].audio
    assert items.origin["seed"] == 3
    assert items[0].audio is not None
    assert decode(items[0].audio).seconds > 0.1
    with pytest.raises(UsageError, match="takes no data"):
        load_items("demo", data="x.json")
