"""What a server may say: read as what it is, or refused in words; nothing is guessed, and the key is nowhere."""

from __future__ import annotations

import base64
import html
import json
import math
import time
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from helpers.endpoint_server import KEY, in_pieces

from audiocontrib.models.endpoint.address import Address
from audiocontrib.models.endpoint.body import body_value, events, strict_json
from audiocontrib.models.endpoint.masking import key_mask
from audiocontrib.models.endpoint.names import other_name, served_entry
from audiocontrib.models.endpoint.reply import ChatReply
from audiocontrib.models.endpoint.spot import EVERY, Pair, SpotChecks, wrong
from audiocontrib.models.endpoint.stream import whole_reply
from audiocontrib.responses import FINISHES


def completion(
    message: dict[str, Any] | None = None, choice: dict[str, Any] | None = None, **whole: Any
) -> dict[str, Any]:
    said = {"role": "assistant", "content": "<answer>bell</answer>"} | (message or {})
    told = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": None} | (choice or {})
    usage = {"prompt_tokens": 12, "completion_tokens": 5}
    return {"object": "chat.completion", "model": "m", "choices": [told], "usage": usage} | whole


def first(*told: tuple[str, Any]) -> dict[str, Any]:
    tokens = [{"token": token, "logprob": value} for token, value in told]
    return {"logprobs": {"content": [tokens[0] | {"top_logprobs": tokens}]}}


def part(kind: str, text: Any = "x", name: str = "") -> dict[str, Any]:
    return {"type": kind, name or kind: text}


TEXT = {"type": "text", "text": "<answer>bell</answer>"}
READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a text": (completion(), {"text": "<answer>bell</answer>", "finish": "stop", "prompt_tokens": 12, "tokens": 5}),
    "parts": (completion({"content": [TEXT]}), {"text": "<answer>bell</answer>", "thought": None}),
    "parts in pieces": (completion({"content": [part("text", "a"), part("output_text", "b", "text")]}), {"text": "ab"}),
    "no parts": (completion({"content": []}), {"text": ""}),
    "nothing": (completion({"content": None}), {"text": "", "thought": None}),
    "a refusal": (completion({"content": None, "refusal": "I will not."}), {"text": "I will not."}),
    "a refusing part": (completion({"content": [part("refusal", "I will not.")]}), {"text": "I will not."}),
    "reasoning_content": (completion({"reasoning_content": "hm"}), {"text": "<answer>bell</answer>", "thought": "hm"}),
    "reasoning": (completion({"reasoning": "hm"}), {"thought": "hm"}),
    "thinking": (completion({"thinking": "hm"}), {"text": "<answer>bell</answer>", "thought": "hm"}),
    "both alike": (completion({"reasoning": "hm", "reasoning_content": "hm"}), {"thought": "hm"}),
    "both": (completion({"reasoning": "b", "reasoning_content": "a"}), {"thought": "a\nb"}),
    "a thinking part": (completion({"content": [part("thinking", "hm"), TEXT]}), {"thought": "hm"}),
    "thinking in parts": (completion({"content": [part("thinking", [part("text", "hm")]), TEXT]}), {"thought": "hm"}),
    "a thought alone": (completion({"content": None, "reasoning": "hm"}, {"finish_reason": "length"}),
                        {"text": "", "thought": "hm", "finish": "length"}),
    "no usage": (completion(usage=None), {"prompt_tokens": None, "tokens": None}),
    "thought tokens": (completion(usage={"completion_tokens_details": {"reasoning_tokens": 7}}), {"thought_tokens": 7}),
    "no name": (completion(model=""), {"model": None}),
    "a name": (completion(), {"model": "m"}),
    "minus infinity": (completion(choice=first(("a", -0.1), ("b", -9999.0))),
                       {"first": (("a", -0.1), ("b", -math.inf))}),
    "a tool": (completion({"tool_calls": [{"id": "1"}]}, {"finish_reason": "tool_calls"}), {"calls": True}),
    "a function": (completion({"function_call": {"name": "f"}}), {"calls": True}),
    "no tool": (completion({"tool_calls": []}), {"calls": False}),
    "a prompt": (completion(prompt_logprobs=[None, {"7": {"logprob": -1.5}}]), {"prompt_logprobs": (None, (7, -1.5))}),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_understood(name: str) -> None:
    data, expected = READ[name]
    reply = ChatReply.read(strict_json(json.dumps(data)))
    assert {field: getattr(reply, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("word", "finish"),
    [("stop", "stop"), ("eos", "stop"), ("end_turn", "stop"), ("length", "length"), ("MAX_TOKENS", "length"),
     ("content_filter", "filter"), ("SAFETY", "filter"), ("sensitive", "filter"), ("error", "error"),
     ("abort", "error"), ("tool_calls", "other"), ("pause_turn", "other"), ("no such word", "other"), (None, None)],
)  # fmt: skip
def test_how_it_ended(word: str | None, finish: str | None) -> None:
    assert ChatReply.read(completion(choice={"finish_reason": word})).finish == finish
    assert finish is None or finish in FINISHES


SENSELESS: dict[str, tuple[Any, str]] = {
    "a list": ([], "the whole: "),
    "a text": ("hello", "the whole: "),
    "nothing": (None, "the whole: "),
    "no choices": ({"object": "chat.completion"}, "choices: Field required"),
    "empty choices": (completion(choices=[]), "choices: List should have at least 1 item"),
    "two choices": (completion(choices=completion()["choices"] * 2), "choices: List should have at most 1 item"),
    "another number": (completion(choice={"index": 3}), "the one reply has the number 3"),
    "no message": (completion(choice={"message": None}), "choices.0.message: "),
    "an error": ({"error": {"code": 429, "message": "too many"}}, "it is an error: .*too many"),
    "a reply and an error": (completion(error={"message": "half"}), "it is an error: .*half"),
    "a reply and a refusal": (completion({"refusal": "I will not."}), "both answers and refuses"),
    "a user's message": (completion({"role": "user"}), "not the model's, but of the role 'user'"),
    "a number": (completion({"content": 7}), "of the type int, and no text"),
    "a truth value": (completion({"content": True}), "of the type bool, and no text"),
    "an object": (completion({"content": {"text": "bell"}}), "of the type dict, and no text"),
    "texts in a list": (completion({"content": ["<answer>bell</answer>"]}), "a part of the kind None"),
    "a picture": (completion({"content": [TEXT, part("image_url")]}), "a part of the kind 'image_url'"),
    "a sound": (completion({"content": [part("output_audio")]}), "a part of the kind 'output_audio'"),
    "a part without kind": (completion({"content": [{"text": "bell"}]}), "a part of the kind None"),
    "a part without text": (completion({"content": [{"type": "text"}]}), "of the kind 'text' holds no text"),
    "a part that holds a number": (completion({"content": [part("text", 7)]}), "of the kind 'text' holds no text"),
    "a list in a text": (completion({"content": [part("text", ["x"])]}), "of the kind 'text' holds no text"),
    "a picture in a thought": (completion({"content": [part("thinking", [part("image_url")])]}), "kind 'image_url'"),
    "a thought that is a number": (completion({"reasoning": 7}), "of the type int, and no text"),
    "a spoken reply": (completion({"content": None, "audio": {"id": "1"}}), "the reply is spoken"),
    "a refusal that is a list": (completion({"refusal": ["no"]}), "refusal: Input should be a valid string"),
    "a finish that is a number": (completion(choice={"finish_reason": 1}), "finish_reason: Input should be a valid"),
    "a log-probability above 0": (completion(choice=first(("a", 0.5))), "a log-probability is 0.5, and none can be"),
    "a probability": (completion(choice=first(("a", 0.9), ("b", 0.1))), "none can be above 0"),
    "no number": (completion(choice=first(("a", "-0.1"))), "logprob: Input should be a valid number"),
    "null": (completion(choice=first(("a", None))), "logprob: Input should be a valid number"),
    "a truth value as a number": (completion(choice=first(("a", False))), "logprob: Input should be a valid number"),
    "all certain": (completion(choice=first(("a", 0.0), ("b", 0.0))), "the probabilities of 2 tokens add up to 2"),
    "too likely": (completion(choice=first(("a", -0.1), ("b", -0.1))), "add up to 1.81"),
    "a token that is a number": (completion(choice=first((7, -0.1))), "token: Input should be a valid string"),  # type: ignore[arg-type]
    "a prompt above 0": (completion(prompt_logprobs=[{"7": {"logprob": 2.0}}]), "none can be above 0"),
    "two tokens in a place": (completion(prompt_logprobs=[{"7": {"logprob": -1.0}, "8": {"logprob": -2.0}}]),
                              "2 tokens are told"),
    "a token without id": (completion(prompt_logprobs=[{"x": {"logprob": -1.0}}]), "invalid literal"),
    "tokens below 0": (completion(usage={"prompt_tokens": -1}), "usage.prompt_tokens: .*greater than or equal to 0"),
    "half a token": (completion(usage={"prompt_tokens": 1.5}), "usage.prompt_tokens: Input should be a valid integer"),
    "tokens as text": (completion(usage={"completion_tokens": "5"}), "usage.completion_tokens: Input should be"),
    "tokens as truth": (completion(usage={"prompt_tokens": True}), "usage.prompt_tokens: Input should be a valid"),
    "too many tokens": (completion(usage={"prompt_tokens": 2**40}), "usage.prompt_tokens: .*less than"),
    "a name that is a list": (completion(model=["m"]), "model: Input should be a valid string"),
}  # fmt: skip


@pytest.mark.parametrize("name", SENSELESS)
def test_what_is_not_understood_is_refused_in_words(name: str) -> None:
    data, message = SENSELESS[name]
    with pytest.raises(ValueError, match=message) as caught:
        ChatReply.read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": -Infinity}', "-Infinity is no JSON"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": 1} trailing', "Extra data"),
        (b'{"a": 1', "delimiter"),
        (b"", "Expecting value"),
        (b'{"a": "\xff"}', "can't decode byte"),
        (b"9" * 10_000, "limit"),
    ],
)
def test_what_is_no_json(raw: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        body_value(raw, "application/json")


def test_a_number_that_is_too_large_is_no_log_probability() -> None:
    raw = json.dumps(completion(choice=first(("a", -1.5)))).replace("-1.5", "-1e999")
    with pytest.raises(ValueError, match="logprob: Input should be a finite number"):
        ChatReply.read(strict_json(raw))


@pytest.mark.parametrize("name", ["a text", "no usage", "minus infinity"])
def test_a_stream_is_read_as_the_same_reply(name: str) -> None:
    data = READ[name][0]
    raw = in_pieces(data, {"stream_options": {"include_usage": True}}).encode()
    streamed = body_value(raw, "text/event-stream; charset=utf-8")
    assert ChatReply.read(streamed) == ChatReply.read(data)
    for ends in (b"\r\n", b"\r"):
        assert body_value(raw.replace(b"\r\n", b"\n").replace(b"\n", ends), "text/event-stream") == streamed


def chunk(delta: dict[str, Any], finish: str | None = None, **whole: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | whole


def test_pieces_are_put_together() -> None:
    chunks = [
        chunk({"role": "assistant", "reasoning_content": "h"}),
        chunk({"reasoning_content": "m"}),
        {"model": "", "choices": []},
        chunk({"content": "be"}),
        chunk({"content": None}),
        chunk({"content": "ll"}, "stop"),
        {"model": "m", "choices": [], "usage": {"prompt_tokens": 3}},
    ]
    reply = ChatReply.read(whole_reply(chunks))
    assert (reply.text, reply.thought, reply.finish, reply.prompt_tokens) == ("bell", "hm", "stop", 3)
    parts = [chunk({"content": [part("thinking", "hm")]}), chunk({"content": "bell"}, "stop")]
    reply = ChatReply.read(whole_reply(parts))
    assert (reply.text, reply.thought) == ("bell", "hm")
    calls = [chunk({"tool_calls": [{"index": 0}]}), chunk({}, "tool_calls")]
    assert ChatReply.read(whole_reply(calls)).calls


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([], "ended before the reply did"),
        ([chunk({"content": "be"})], "ended before the reply did"),
        ([chunk({"content": "be"}), {"error": {"message": "out of memory"}}], "stands an error: .*out of memory"),
        ([chunk({"content": "be"}, error="gone")], "stands an error: gone"),
        ([chunk({"content": "be"}, "stop"), chunk({"content": "ll"})], "goes on after the reply has ended"),
        ([chunk({"content": "be"}, "stop"), chunk({"reasoning": "ll"})], "goes on after the reply has ended"),
        ([chunk({}, "length"), chunk({}, "stop")], "two values for finish_reason"),
        ([chunk({"content": "be"}), chunk({}, "stop", model="n")], "two values for model"),
        ([{"model": "m", "choices": [{"index": 1, "delta": {"content": "x"}}]}], "several replies"),
        ([{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}], "no piece of a chat reply"),
        ([{"choices": [{"text": "x"}]}, chunk({}, "stop")], "no piece of a chat reply"),
    ],
)
def test_a_stream_that_is_no_whole_reply(chunks: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        whole_reply(chunks)


@pytest.mark.parametrize("value", [[], "x", 7, None, {"choices": 7}, {"choices": [7]}, {"choices": [{"delta": 7}]}])
def test_a_stream_of_other_things(value: Any) -> None:
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
        ChatReply.read(whole_reply([value]))


@pytest.mark.slow
def test_events() -> None:
    raw = b'event: x\ndata: {"a":\ndata: 1}\n\n: comment\n\ndata:2\r\n\r\ndata: [DONE]\n\ndata: 3\n\n'
    assert list(events(raw)) == [{"a": 1}, 2]
    assert list(events(b"data: 1")) == [1]
    with pytest.raises(ValueError, match="Expecting"):
        list(events(b"data: {\n\n"))
    start = time.perf_counter()
    assert list(events(b"data: 1\n" + b"x\n" * 1_000_000 + b"\n")) == [1]
    assert list(events(b"\n" * 1_000_000)) == []
    assert time.perf_counter() - start < 20


WRITTEN = {
    "whole": KEY,
    "upper case": KEY.upper(),
    "its beginning": KEY[:12],
    "its end": KEY[-9:],
    "its middle": KEY[5:16],
    "in a header": f"Bearer {KEY}",
    "in JSON": json.dumps(f"{KEY}\n"),
    "escaped": "".join(f"\\u{ord(c):04x}" for c in KEY),
    "in a URL": quote_plus(f"key={KEY}"),
    "percent": "".join(f"%{ord(c):02X}" for c in KEY),
    "hexadecimal": KEY.encode().hex(),
    "bytes": "".join(f"\\x{ord(c):02x}" for c in KEY),
    "HTML": "".join(f"&#{ord(c)};" for c in KEY),
    "HTML, hexadecimal": "".join(f"&#x{ord(c):X};" for c in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 of user and key": base64.b64encode(f"me:{KEY}".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(f"x{KEY}??>".encode()).decode(),
    "in lines": "\n".join(KEY[i : i + 10] for i in range(0, len(KEY), 10)),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_key_is_masked_however_it_is_written(name: str) -> None:
    written = WRITTEN[name]
    masked = key_mask(KEY)(f"it was {written}, and that is wrong")
    assert masked.startswith("it was ")
    assert masked.endswith(", and that is wrong")
    assert "***" in masked
    left = masked.removeprefix("it was ").removesuffix(", and that is wrong")
    size = 13 if "base64" in name else 8
    assert not [left[i : i + size] for i in range(len(left) - size + 1) if left[i : i + size] in written]


@pytest.mark.parametrize("key", ["sk-a/b+c=d&e\"f'g<h>", "0123456789", "aaaaaaaaaaaa", "x" * 300])
@pytest.mark.parametrize("write", [str, quote, quote_plus, html.escape, json.dumps], ids=lambda f: f.__name__)
def test_keys_with_other_characters(key: str, write: Any) -> None:
    masked = key_mask(key)(f"<{write(key)}>")
    assert len(masked) < 12
    assert "***" in masked


def test_what_is_no_key_stays() -> None:
    mask = key_mask(KEY)
    for text in ("", "sk-", "a reply <answer>bell</answer>", "very-sec", "0123456", "Ünïcode İ ß 🎻"):
        if text not in ("very-sec",):
            assert mask(text) == text
    assert key_mask(None)(KEY) == KEY
    assert mask(f"it is {KEY[4:14]}", sent=f"Which key is {KEY[4:14]}?") == f"it is {KEY[4:14]}"
    assert mask(f"İ {KEY}") == "İ ***"  # whose lower case is longer


def test_a_short_key_is_masked_as_a_word() -> None:
    mask = key_mask("bell")
    assert mask("bell, bells, Bell; 'bell'") == "***, bells, Bell; '***'"
    assert mask("<answer>bell</answer>", sent="Choose: ['bell', 'hiss']") == "<answer>bell</answer>"


def test_the_key_is_masked_inside_values() -> None:
    given = {"a": [KEY, {"b": f"x {KEY}"}, 3, None, True], KEY: 1}
    assert key_mask(KEY).inside(given) == {"a": ["***", {"b": "x ***"}, 3, None, True], "***": 1}


def test_masking_is_linear() -> None:
    mask = key_mask("ab" * 40)
    for text in ("ab" * 200_000, "abababa-" * 50_000, "x" * 400_000):
        start = time.perf_counter()
        mask(text)
        assert time.perf_counter() - start < 15
    assert mask("ab" * 1000) == "***"


def address(**options: Any) -> Address:
    return Address(**{"model": "m", "url": "http://localhost/v1", "name": "m"} | options)


@pytest.mark.parametrize(
    ("options", "replying", "right"),
    [
        ({}, "m", True),
        ({}, None, True),
        ({}, "M", False),
        ({}, "m-2024-12-17", False),
        ({}, "other", False),
        ({"answers_as": "m@main"}, "m@main", True),
        ({"answers_as": "m@main"}, "m", False),
        ({"answers_as": "m@main"}, None, False),
    ],
)
def test_the_name_in_a_reply(options: dict[str, Any], replying: str | None, right: bool) -> None:
    said = other_name(address(**options), replying)
    assert (said is None) == right
    if said:
        assert "if that is the same model, write answers_as=" in said
        assert "\n" not in said


def test_the_name_in_the_list() -> None:
    entry = {"id": "m", "created": 1, "permission": [], "root": "r"}
    assert served_entry(address(), {"m": entry}) == {"id": "m", "root": "r"}
    with pytest.raises(LookupError, match="no model is called 'm'; there are: n; listed=no"):
        served_entry(address(), {"n": {}})
    with pytest.raises(LookupError, match="there are: none"):
        served_entry(address(), {})
    with pytest.raises(LookupError, match="…"):
        served_entry(address(), {f"n{i}": {} for i in range(99)})


def test_pairs_that_are_too_far_apart() -> None:
    assert wrong([]) is None
    assert wrong([Pair(-1.0, -1.1), Pair(-9.0, -9.4, 4), Pair(-math.inf, -math.inf)]) is None
    said = wrong([Pair(-1.0, -1.1), Pair(-1.0, -3.0)])
    assert said is not None
    assert "gives -1 and, asked again, -3" in said
    assert wrong([Pair(-1.0, -math.inf)])
    assert wrong([Pair(-1.0, math.nan)])
    assert wrong([Pair(-9.0, -9.6, 4)])


def test_one_question_of_many_is_asked_again() -> None:
    checks, due = SpotChecks(), []
    assert str(checks) == ""
    for batch in range(40):
        if checks.count(16):
            due.append(batch)
            checks.note([Pair(-1.0, -1.001)])
    assert due[0] == 0
    assert len(due) in (40 * 16 // EVERY, 40 * 16 // EVERY + 1)
    assert str(checks) == f"{len(due)} questions asked again, off by at most 0.001 nats"
