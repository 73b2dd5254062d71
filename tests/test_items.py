"""Items: validation, identity, and the way through Arrow and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocontrib.errors import BadItem
from audiocontrib.items import (
    ITEM_SCHEMA,
    QUARANTINE_SCHEMA,
    ROWS_AT_ONCE,
    Clip,
    Item,
    Items,
    ItemTable,
    Quarantined,
    item_from_row,
    item_row,
    make_item,
)


def made(**changes: Any) -> Item:
    fields: dict[str, Any] = {
        "dataset": "set",
        "own_id": "7",
        "question": "Which animal?",
        "choices": ["dog", "cat", "cow"],
        "answer": "cat",
        "audio": Clip(path="a.wav", root="/clips"),
    }
    return make_item(**fields | changes)


def test_a_good_row() -> None:
    item = made(question_type="sound", extra={"level": 3})
    assert (item.id, item.answer, item.clip_id, item.notes) == ("set/7", 1, "a.wav", ())
    assert item.choices == ("dog", "cat", "cow")
    assert made(revision="v2").id == "set@v2/7"


@pytest.mark.parametrize(
    ("answer_as", "answer", "index"),
    [
        ("text", "cow", 2),
        ("letter", "B", 1),
        ("letter", " (c). ", 2),
        ("index", 0, 0),
        ("index", "2", 2),
        ("index", 1.0, 1),
    ],
)
def test_ways_to_give_the_answer(answer_as: str, answer: Any, index: int) -> None:
    assert made(answer_as=answer_as, answer=answer).answer == index


BAD = [
    ({"question": " "}, "question", "is empty"),
    ({"question": None}, "question", "is empty"),
    ({"choices": "dog, cat"}, "choices", "is a str, not a list"),
    ({"choices": None}, "choices", "is a NoneType, not a list"),
    ({"choices": ["dog"]}, "choices", "there are 1; at least 2"),
    ({"choices": [str(n) for n in range(27)], "answer": "3"}, "choices", "there are 27; at most 26"),
    ({"choices": ["dog", "cat", " "]}, "choices", "option 3 is empty"),
    ({"choices": ["dog", 5]}, "choices", "option 2 is 5, not a text"),
    ({"choices": ["cat", "cat"]}, "choices", "all 2 are 'cat'"),
    ({"answer": "horse"}, "answer", "'horse' is not one of the choices"),
    ({"answer": "Cats"}, "answer", "'Cats' is not one of the choices"),
    ({"answer": "CAT", "choices": ["Cat", "cat", "dog"]}, "answer", "'CAT' is not one of the choices"),
    ({"answer": "(B) dog"}, "answer", "'(B) dog' is the label of one option and the text of another"),
    ({"answer": ["dog", "cat"]}, "answer", "holds 2 golds"),
    ({"answer": 0, "answer_as": "number"}, "answer", "outside the 3 choices"),
    ({"answer": "3.5", "answer_as": "number"}, "answer", "'3.5' is not a number"),
    ({"answer": None}, "answer", "is empty"),
    ({"answer": ""}, "answer", "is empty"),
    ({"answer": "D", "answer_as": "letter"}, "answer", "outside the 3 choices"),
    ({"answer": "AB", "answer_as": "letter"}, "answer", "outside the 3 choices"),
    ({"answer": 3, "answer_as": "index"}, "answer", "outside the 3 choices"),
    ({"answer": -1, "answer_as": "index"}, "answer", "outside the 3 choices"),
    ({"answer": 1.5, "answer_as": "index"}, "answer", "1.5 is not an index"),
    ({"answer": True, "answer_as": "index"}, "answer", "True is not an index"),
    ({"answer": float("inf"), "answer_as": "index"}, "answer", "inf is not an index"),
    ({"answer": float("nan"), "answer_as": "index"}, "answer", "nan is not an index"),
    ({"answer": "two", "answer_as": "index"}, "answer", "'two' is not an index"),
]


@pytest.mark.parametrize(("changes", "field", "reason"), BAD)
def test_bad_rows(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(BadItem) as caught:
        made(**changes)
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_identical_choices_are_collapsed_and_noted() -> None:
    item = made(choices=["dog", "cat", "dog", "cow"], answer="cow")
    assert item.choices == ("dog", "cat", "cow")
    assert item.answer == 2
    assert item.notes == ("identical choices collapsed: 'dog'",)
    assert item.extra == {"published_choices": ["dog", "cat", "dog", "cow"]}
    assert made().extra == {}
    assert made(choices=["dog", "cat", "dog", "cow"], answer=3, answer_as="index").answer == 2
    assert made(choices=["cat", "dog", "cat"], answer="C", answer_as="letter").answer == 0


def test_26_choices_are_asked_and_27_with_a_twin_too() -> None:
    many = [str(n) for n in range(26)]
    assert len(made(choices=many, answer="25").choices) == 26
    assert len(made(choices=[*many, "3"], answer="25").choices) == 26


def test_without_a_key_the_answer_is_not_looked_at() -> None:
    assert made(has_key=False, answer=None).answer is None


def test_an_id_from_the_content_is_stable_and_tells_items_apart() -> None:
    items = [
        made(own_id=None),
        made(own_id=None, question="Which bird?"),
        made(own_id=None, choices=["cat", "dog", "cow"]),
        made(own_id=None, answer="dog"),
        made(own_id=None, audio=Clip(path="b.wav")),
        made(own_id=None, audio=Clip(data=b"one")),
        made(own_id=None, audio=Clip(data=b"two")),
    ]
    assert len({item.id for item in items}) == len(items)
    assert items[0].id == made(own_id=None).id == "set/sha256:3fe61605bb39686edb38"


def test_embedded_clips_are_told_apart_by_their_bytes() -> None:
    one, other, again = (made(audio=Clip(path="audio.wav", data=data)) for data in (b"1", b"2", b"1"))
    assert one.clip_id == again.clip_id != other.clip_id
    assert made(audio=None).clip_id == "set/7"


def test_the_way_through_arrow_and_back() -> None:
    items = [
        made(extra={"category": ["a", "b"], "audio-contribution": "weak"}, split="test"),
        made(own_id="8", audio=Clip(path="b.wav", data=b"RIFF"), has_key=False, choices=["x", "y", "x"]),
        made(own_id="9", audio=None),
    ]
    table = Items(items).table
    assert table.schema == ITEM_SCHEMA
    assert [item_from_row(row, "/clips") for row in table.to_pylist()] == items


def test_bytes_are_stored_only_where_no_file_holds_them() -> None:
    assert item_row(made(audio=Clip(path="a.wav", root="/clips", data=b"x")))["audio"]["bytes"] is None
    assert item_row(made(audio=Clip(path="a.wav", data=b"x")))["audio"]["bytes"] == b"x"


def test_quarantine_says_file_line_field_reason_and_item() -> None:
    bad = Quarantined("set", "a.jsonl", 3, "answer", "is empty", "set/1")
    assert str(bad) == "a.jsonl:3: answer: is empty (set/1)"
    assert str(Quarantined("set", "a.wav", None, "audio", "is empty")) == "a.wav: audio: is empty"
    table = Items([], [bad]).quarantine
    assert table.schema == QUARANTINE_SCHEMA
    assert table.to_pylist()[0]["line"] == 3


def test_a_table_of_items_is_a_sequence_like_the_list() -> None:
    """Items in more than one chunk of Arrow, one of them not packed yet."""
    plain = [made(own_id=str(n), audio=Clip(path=f"{n}.wav", root="/clips")) for n in range(ROWS_AT_ONCE + 3)]
    packed = ItemTable(root="/clips")
    for item in plain:
        packed.append(item)
    items = Items(packed)
    assert len(items) == len(plain)
    assert list(items) == list(items) == plain
    last = ROWS_AT_ONCE + 2
    assert [items[place] for place in (0, ROWS_AT_ONCE, -1, -last - 1)] == [plain[n] for n in (0, last - 2, last, 0)]
    for cut in (slice(2, 5), slice(ROWS_AT_ONCE - 1, None), slice(None, -1, 1000), slice(5, 2), slice(3, 0, -1)):
        assert list(items[cut]) == list(plain[cut])
        assert isinstance(items[cut], Items)
    for place in (last + 1, -last - 2):
        with pytest.raises(IndexError):
            items[place]
    assert plain[5] in items
    assert items.table.equals(Items(plain).table)
    packed.append(made(own_id="new"))
    assert (len(items), items[-1].id, items.table.num_rows) == (last + 2, "set/new", last + 2)


def test_a_table_of_items_keeps_bytes_and_the_common_root() -> None:
    within, beside = made(audio=Clip(path="a.wav", data=b"RIFF")), made(own_id="8", audio=Clip("b.wav", "/clips"))
    packed = ItemTable(root="/clips")
    for item in (within, beside, made(own_id="9", audio=None)):
        packed.append(item)
    assert [item.audio for item in packed] == [within.audio, beside.audio, None]
    assert list(ItemTable(packed.table.to_batches(), "/clips")) == list(packed)


def test_no_items_make_an_empty_table() -> None:
    assert Items(ItemTable()).table.equals(Items([]).table)
    assert Items(ItemTable()).table.schema == ITEM_SCHEMA
    assert list(ItemTable()) == []


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(), st.lists, max_leaves=5
)


@given(ANY, st.lists(ANY, max_size=5) | ANY, ANY, st.sampled_from(["text", "letter", "index"]))
def test_any_row_is_a_valid_item_or_a_bad_one(question: Any, choices: Any, answer: Any, answer_as: str) -> None:
    try:
        item = made(question=question, choices=choices, answer=answer, answer_as=answer_as)
    except BadItem:
        return
    assert len(item.choices) == len(set(item.choices)) >= 2
    assert item.answer is not None
    assert item.choices[item.answer] in choices
