"""score's own arguments: understood, or refused in one line before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.scoring.plan import Shard

pd = lazy("pandas")


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", limit=4)


def asked(items: Any, folder: Any, **options: Any) -> ac.Run:
    return ac.score(items, **{"models": ["mock"], "conditions": ["text"], "run": folder, "progress": False} | options)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"method": "likelyhood"}, "no method is called 'likelyhood'; there are: likelihood, generate"),
        ({"method": 3}, "no method is called 3"),
        ({"orders": "cylic"}, "no scheme of option orders is called 'cylic'; did you mean 'cyclic'?"),
        ({"orders": "all"}, "there are: cyclic, given"),
        ({"orders": ["cyclic"]}, "no scheme of option orders is called ['cyclic']"),
        ({"prompt": "audiomqc"}, "no prompt is called 'audiomqc'; did you mean 'audiomcq'?"),
        ({"prompt": None}, "None is no prompt"),
        ({"conditions": "silense"}, "no condition is called 'silense'; did you mean 'silence'?"),
        ({"conditions": ["audio", "silense"]}, "did you mean 'silence'?"),
        ({"conditions": "audio,text"}, "no condition is called 'audio,text'"),
        ({"conditions": []}, "name at least one condition"),
        ({"conditions": None}, "conditions is None, but is the name of a condition, or a list"),
        ({"conditions": 3}, "conditions is 3"),
        ({"conditions": {"audio": 1}}, "conditions is {'audio': 1}"),
        ({"conditions": [None]}, "None is no condition"),
        ({"conditions": "clip:2-1"}, "condition 'clip:2-1': the fragment must be"),
        ({"models": "mok"}, "no model is called 'mok'; did you mean 'mock'?"),
        ({"models": ["mock", "tiny-qwen"]}, "no model is called 'tiny-qwen'"),
        ({"models": 3}, "3"),
        ({"models": None}, "None"),
        ({"models": []}, "name at least one model"),
        ({"models": ["mock", "mock"]}, "each model once"),
        ({"models": "mock", "names": ["a", "b"]}, "2 names for 1 models"),
        ({"engine": "rey"}, "no engine is called 'rey'; there are: local, ray"),
        ({"engine": None}, "no engine is called None"),
        ({"shard": "0/2"}, "'0/2' is no shard; write i/n"),
        ({"shard": "3/2"}, "'3/2' is no shard"),
        ({"shard": (1, 2)}, "shard is (1, 2), but is written i/n"),
        ({"shard": 1}, "shard is 1"),
        ({"devices": 0}, "devices is 0, but is a list of devices"),
        ({"devices": [0, 1]}, "devices is [0, 1]"),
        ({"actors": 0}, "actors is 0, but must be a whole number of at least 1"),
        ({"actors": 1.5}, "actors is 1.5"),
        ({"save_every": -1}, "save_every is -1, but must be a number of at least 0"),
        ({"save_every": float("nan")}, "save_every is nan"),
        ({"save_every": "5"}, "save_every is '5'"),
        ({"model_options": "device"}, "model_options is 'device', but is a mapping"),
        ({"run": ""}, "run is '', but is the folder of a run"),
        ({"run": None}, "run is None"),
        ({"run": 3}, "run is 3"),
        ({"run": __file__}, "is a file; a run is a folder"),
    ],
)
def test_a_word_that_there_is_not_is_one_line_and_nothing_is_asked(
    items: Items, tmp_path: Path, options: dict[str, Any], line: str
) -> None:
    run = tmp_path / "run"
    with pytest.raises(UsageError) as caught:
        asked(items, run, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not run.exists()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("demo", "'demo' holds no items: load_items makes them"),
        (None, "None holds no items"),
        ([], "there are no items to ask"),
        ([{"question": "?"}], "element 1 is a dict, not an Item"),
        (pd.DataFrame({"question": ["?"]}), "element 1 is a str, not an Item"),
    ],
)
def test_what_is_no_item_is_one_line(tmp_path: Path, given: Any, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(given, tmp_path / "run")
    assert line in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_where_every_row_is_quarantined_it_is_said_why(tmp_path: Path) -> None:
    row = {"question": "Which?", "choices": ["a", "b"], "answer": "c", "audio": "a.wav"}
    items = ac.load_items([row, row | {"answer": "d"}], audio_root=tmp_path)
    with pytest.raises(AudiocontribError) as caught:
        asked(items, tmp_path / "run")
    assert str(caught.value).startswith(
        "no item is left to ask: all 2 rows are quarantined, the first as rows:1: answer: 'c' is not one of the choices"
    )
    assert not (tmp_path / "run").exists()


def test_a_slice_a_list_a_tuple_and_one_item_are_scored(items: Items, tmp_path: Path) -> None:
    for number, given in enumerate((items[:2], list(items)[:2], tuple(items)[:2], iter(items[:2]))):
        run = asked(given, tmp_path / str(number))
        assert list(run.items["item_id"]) == [items[0].id, items[1].id]
        assert set(run.responses["item_id"]) == {items[0].id, items[1].id}
    assert len(asked(items[0], tmp_path / "one").items) == 1


def test_items_made_by_hand_are_heard_and_found_again(tmp_path: Path) -> None:
    clips = ac.load_items("demo", limit=2)
    folder = tmp_path / "clips"
    folder.mkdir()
    made = []
    for number, item in enumerate(clips):
        assert item.audio is not None
        assert item.audio.data is not None
        (folder / f"{number}.wav").write_bytes(item.audio.data)
        made.append(
            ac.Item(
                f"my/{number}", "my", item.question, item.choices, item.answer, ac.Clip(f"{number}.wav", str(folder))
            )
        )
    run = asked(made, tmp_path / "run", conditions=["audio"])
    assert run.responses["audio_sha256"].notna().all()
    assert [item.audio and item.audio.root for item in run.load_items()] == [str(folder)] * 2
    assert run.load_items()[0] == made[0]
    # asked again from the run: nothing is left to do
    count = len(run.responses)
    assert len(asked(run.load_items(), run, conditions=["audio"]).responses) == count  # type: ignore[arg-type]


def test_a_slice_grows_into_the_whole(items: Items, tmp_path: Path) -> None:
    asked(items[:2], tmp_path / "run")
    run = asked(items, tmp_path / "run", conditions="silence")
    assert len(run.items) == 4
    assert set(run.responses["condition"]) == {"text", "silence"}


def test_a_model_by_its_name_or_as_it_is(items: Items, tmp_path: Path) -> None:
    by_name = asked(items[:1], tmp_path / "a", models="mock")
    loaded = asked(items[:1], tmp_path / "b", models=ac.load_model("mock"))
    assert set(by_name.responses["model"]) == set(loaded.responses["model"]) == {"mock"}


def test_one_condition_a_condition_and_the_parts_of_a_run(items: Items, tmp_path: Path) -> None:
    run = asked(items, tmp_path / "a", conditions=ac.condition("text"), shard=Shard(1, 1), devices="", save_every=0)
    assert set(run.responses["condition"]) == {"text"}
    assert len(asked(items, run, conditions=("text", "text", ac.condition("text"))).responses) == len(run.responses)
