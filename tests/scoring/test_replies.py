"""Replies in a run: what was thought aloud stands apart, how they ended decides what counts, and broken ones fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.items import Items, make_item
from audiocontrib.models import Generated, Model, Request
from audiocontrib.models.endpoint.reply import ChatReply

local_models = lazy("audiocontrib.models.local")

OPTIONS = ("guitar", "piano", "violin", "drum")


class Says(Model):
    name = "says"
    capabilities = frozenset({"generate"})

    def __init__(self, *replies: Generated) -> None:
        self._replies = replies

    def fingerprint(self) -> dict[str, Any]:
        return {"replies": len(self._replies)}

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated]:
        return [self._replies[int(r.item.id.rpartition("q")[2])] for r in requests]


def rows(tmp_path: Path, *replies: Generated) -> list[dict[str, Any]]:
    items = Items(
        [
            make_item(dataset="t", own_id=f"q{n}", question="Which?", choices=OPTIONS, answer="piano", audio=None)
            for n in range(len(replies))
        ]
    )
    run = ac.score(
        items, [Says(*replies)], conditions=["text"], method="generate", orders="given", run=tmp_path / "run"
    )
    return run.table("select * from responses order by item_id").to_pylist()


def test_a_thought_is_kept_apart_from_the_reply(tmp_path: Path) -> None:
    first, second, third = rows(
        tmp_path,
        Generated("[THINK]guitar?[/THINK]The answer is piano.", finish="stop"),
        Generated("piano", thought="a guitar, perhaps", thought_tokens=4),
        Generated("<think>The answer is guitar"),
    )
    assert (first["reply"], first["thought"], first["finish"]) == ("The answer is piano.", "guitar?", "stop")
    assert (second["thought"], second["thought_tokens"], second["choice"]) == ("a guitar, perhaps", 4, 1)
    assert (third["reply"], third["outcome"], third["thought"]) == ("", "unparsed", "The answer is guitar")


def test_how_a_reply_ended_decides_what_counts(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        Generated("The answer is piano", finish="length"),
        Generated("<answer>piano</answer> bec", finish="length"),
        Generated("<answer>piano", finish="stop"),
        Generated("pia", finish="error"),
        Generated("", finish="filter"),
    )
    assert [r["outcome"] for r in found] == ["unparsed", "answered", "answered", "failed", "failed"]
    assert [r["finish"] for r in found] == ["length", "length", "stop", "error", "filter"]
    assert "broken off" in found[3]["error"]


def test_an_ending_of_no_known_kind_is_told(tmp_path: Path) -> None:
    [row] = rows(tmp_path, Generated("piano", finish="tired"))
    assert row["error"] == "says: finish is 'tired', and must be one of stop, length, filter, error, other, or None"


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("content_filter", "filter"),
        ("abort", "error"),
        (None, None),
    ],
)
def test_a_server_says_how_a_reply_ended_and_what_was_thought(said: str | None, finish: str | None) -> None:
    message = {"content": "piano", "reasoning_content": "guitar?"}
    usage = {"completion_tokens_details": {"reasoning_tokens": 7}}
    reply = ChatReply.read({"choices": [{"message": message, "finish_reason": said}], "usage": usage})
    assert (reply.text, reply.thought, reply.thought_tokens, reply.finish) == ("piano", "guitar?", 7, finish)


WORDS = ["<|im_end|>", "[THINK]", "[/THINK]", "guitar?", "piano", "<think>", "user", "</think>"]


def local(**more: Any) -> Any:
    """As much of a local model as turns tokens into a reply; markers are special tokens, as in Magistral."""

    def decode(ids: list[int], skip_special_tokens: bool) -> str:
        return "".join(WORDS[i] for i in ids if not (skip_special_tokens and i in (0, 1, 2)))

    def tokenize(text: str, **_: Any) -> Any:
        return SimpleNamespace(input_ids=list(text.split()))

    class Tokenizer:
        all_special_tokens = ("<|im_end|>", "[THINK]", "[/THINK]")

        def __init__(self) -> None:
            self.decode = decode

        __call__ = staticmethod(tokenize)

    model = SimpleNamespace(tokenizer=Tokenizer(), **more)
    model._plain = lambda text: local_models.LocalModel._plain(model, text)
    return model


@pytest.mark.parametrize(
    ("ids", "prompt", "expected"),
    [
        ([4], [6], Generated("piano", 9, finish="stop")),
        ([4, 4, 4, 4], [6], Generated("pianopianopianopiano", 9, finish="length")),
        ([1, 3, 2], [6], Generated("", 9, finish="stop", thought="guitar?", thought_tokens=1)),
        ([1, 3, 2, 4, 0][:4], [6], Generated("piano", 9, finish="length", thought="guitar?", thought_tokens=1)),
        ([1, 3], [6], Generated("", 9, finish="stop", thought="guitar?", thought_tokens=1)),
        ([3, 7, 4], [6, 5], Generated("piano", 9, finish="stop", thought="guitar?", thought_tokens=1)),
        ([3, 3], [6, 5], Generated("", 9, finish="stop", thought="guitar?guitar?", thought_tokens=1)),
    ],
)
def test_a_local_thought_is_found_by_its_special_tokens(ids: list[int], prompt: list[int], expected: Generated) -> None:
    assert local_models.LocalModel._spoken(local(), ids, prompt, 4, 9) == expected
