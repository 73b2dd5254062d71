"""An item checks itself: what could not be asked or scored is refused where it is made, in one line."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import audiocontrib as ac
from audiocontrib.errors import BadItem, UsageError
from audiocontrib.items import Clip, Item, Items, as_items, item_from_row, item_row


def made(**changes: Any) -> Item:
    fields: dict[str, Any] = {
        "id": "set/7",
        "dataset": "set",
        "question": "Which animal?",
        "choices": ("dog", "cat", "cow"),
        "answer": 1,
        "audio": Clip("a.wav", "/clips"),
    }
    return ac.Item(**fields | changes)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"answer": 7}, "answer", "index 7 is outside the 3 choices"),
    ({"answer": 3}, "answer", "outside the 3"),
    ({"answer": -1}, "answer", "outside the 3"),
    ({"answer": True}, "answer", "True is not the index"),
    ({"answer": np.True_}, "answer", "is not the index"),
    ({"answer": 1.0}, "answer", "1.0 is not the index"),
    ({"answer": "cat"}, "answer", "'cat' is not the index"),
    ({"answer": "B"}, "answer", "'B' is not the index"),
    ({"answer": float("nan")}, "answer", "nan is not the index"),
    ({"answer": [1]}, "answer", "[1] is not the index"),
    ({"choices": ("dog", "cat", "dog")}, "choices", "'dog' is there more than once"),
    ({"choices": ("dog",), "answer": 0}, "choices", "there are 1"),
    ({"choices": (), "answer": None}, "choices", "there are 0"),
    ({"choices": tuple(map(str, range(27)))}, "choices", "at most 26"),
    ({"choices": "dog, cat"}, "choices", "is a str"),
    ({"choices": {"dog", "cat"}}, "choices", "is a set"),
    ({"choices": {"a": "dog", "b": "cat"}}, "choices", "is a dict"),
    ({"choices": None}, "choices", "is a NoneType"),
    ({"choices": 7}, "choices", "is a int"),
    ({"choices": ("dog", " ")}, "choices", "option 2 is empty"),
    ({"choices": ("dog", None)}, "choices", "option 2 is None"),
    ({"choices": ("dog", 2)}, "choices", "option 2 is 2"),
    ({"choices": ("dog", b"cat")}, "choices", "option 2 is b'cat'"),
    ({"choices": ("dog", "\ud800")}, "choices", "surrogate"),
    ({"question": ""}, "question", "is empty"),
    ({"question": " \n"}, "question", "is empty"),
    ({"question": None}, "question", "is empty"),
    ({"question": 5}, "question", "is 5, not a text"),
    ({"question": "\udc00?"}, "question", "surrogate"),
    ({"id": ""}, "id", "is empty"),
    ({"id": 7}, "id", "is 7, not a text"),
    ({"dataset": None}, "dataset", "is empty"),
    ({"clip_id": 3}, "clip_id", "is 3"),
    ({"split": None}, "split", "is empty"),
    ({"question_type": ["sound"]}, "question_type", "not a text"),
    ({"source_dataset": 1.5}, "source_dataset", "not a text"),
    ({"audio": "a.wav"}, "audio", "write Clip"),
    ({"audio": b"RIFF"}, "audio", "write Clip"),
    ({"audio": Clip()}, "audio", "is empty"),
    ({"audio": Clip("")}, "audio", "is empty"),
    ({"audio": Clip(data=b"")}, "audio", "is empty"),
    ({"audio": Clip(7)}, "audio", "path is a int"),  # type: ignore[arg-type]
    ({"audio": Clip("a.wav", 7)}, "audio", "root is a int"),  # type: ignore[arg-type]
    ({"audio": Clip(data="RIFF")}, "audio", "data is a str"),  # type: ignore[arg-type]
    ({"audio": Clip("\ud800.wav")}, "audio", "surrogate"),
    ({"notes": "a note"}, "notes", "is a str"),
    ({"notes": (1,)}, "notes", "is 1, not a text"),
    ({"extra": None}, "extra", "is a NoneType"),
    ({"extra": [1]}, "extra", "is a list"),
    ({"audio": None, "extra": "x"}, "extra", "is a str"),
]


@pytest.mark.parametrize(("changes", "field", "reason"), BAD)
def test_what_could_not_be_asked_is_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(BadItem) as caught:
        made(**changes)
    assert caught.value.field == field
    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)
    with pytest.raises(BadItem):
        replace(made(), **changes)  # no way round it


def test_what_means_the_same_is_taken() -> None:
    plain = made()
    assert made(choices=["dog", "cat", "cow"]) == plain
    for answer in (np.int64(1), np.uint8(1)):
        item = made(answer=answer)
        assert item == plain
        assert type(item.answer) is int
    assert made(notes=["seen"]).notes == ("seen",)
    assert made(answer=None).answer is None
    assert made(extra=OrderedDict(level=1)).extra == {"level": 1}
    assert made(question="Què?", choices=("gos", "güell")).question == "Què?"
    for clip in (None, Clip(data=b"RIFF"), Clip("é.wav"), Clip("a.wav", data=b"RIFF")):
        assert made(audio=clip).audio == clip


def test_a_clip_without_a_name_of_its_own() -> None:
    assert made().clip_id == "a.wav"
    assert made(audio=None).clip_id == made(audio=Clip(data=b"x")).clip_id == "set/7"
    assert made(clip_id="shared").clip_id == "shared"


def test_what_is_stored_is_read_whatever_older_versions_took() -> None:
    row = item_row(made()) | {"choices": ["dog"], "answer": 7, "question": ""}
    item = item_from_row(row, "/clips")
    assert (item.choices, item.answer, item.question) == (("dog",), 7, "")
    assert item_from_row(item_row(made()), "/clips") == made()


def test_items_of_whatever_holds_items() -> None:
    one, other = made(), made(id="set/8", audio=Clip("b.wav", "/clips"))
    for given in (
        [one, other],
        (one, other),
        Items([one, other]),
        iter([one, other]),
        {one.id: one, "x": other}.values(),
    ):
        items = as_items(given)
        assert list(items) == [one, other]
        assert items.origin["audio_root"] == "/clips"
    assert as_items([one, other]).origin["name"] == "set"
    assert list(as_items(one)) == [one]
    whole = Items([one, other], (), {"name": "set", "audio_root": "/clips"})
    assert as_items(whole) is whole


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("demo", "'demo' holds no items: load_items makes them"),
        (7, "7 holds no items"),
        (None, "None holds no items"),
        ([{"question": "?"}], "element 1 is a dict, not an Item: load_items makes items of rows"),
        ([made(), "x"], "element 2 is a str"),
        ([made(), made()], "1 ids are there more than once, e.g. 'set/7'"),
        ([made(), made(id="b", audio=Clip("b.wav", "/other"))], "the clips lie in 2 folders, e.g. /clips and /other"),
    ],
)
def test_what_holds_no_items_is_refused(given: Any, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_items(given)
    assert line in str(caught.value)


def test_a_slice_is_items_of_the_same_origin() -> None:
    items = ac.load_items("demo", limit=5)
    some = items[1:3]
    assert isinstance(some, Items)
    assert [item.id for item in some] == [items[1].id, items[2].id]
    assert some.origin == items.origin | {"slices": ["1:3:1"]}
    assert some[:1].origin["slices"] == ["1:3:1", "0:1:1"]
    assert len(items[9:]) == 0
    assert items[::-1][0] == items[4] == items[-1]
    assert some.table.num_rows == 2


def test_a_name_that_is_no_utf8_has_a_hash() -> None:
    from audiocontrib.hashing import stable_hash

    assert stable_hash(["\ud800"]) != stable_hash(["\ud801"])
    assert stable_hash(["é"]) == hashlib.sha256('["é"]'.encode()).hexdigest()
