"""Servers that never end, send too much, stream, say who they are, repeat the key, or tell what is stale."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.endpoint_fixtures import one_server, without_fault  # noqa: F401
from helpers.endpoint_server import KEY, SERVED, Able, Handler, Server, chat, in_pieces, served_model, serving
from test_endpoint import load, requests
from test_endpoint_faults import ASKED, Now, answer

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import Generated, Scored
from audiocontrib.models.endpoint import spot
from audiocontrib.store import Run

BOUND = 4.0
"""Seconds that a request may take; the machine of the tests may be busy."""


def begin(handler: Handler, *headers: tuple[str, str], media: str = "application/json") -> None:
    handler.send_response(200)
    for name, value in (("content-type", media), *headers):
        handler.send_header(name, value)
    handler.end_headers()


def drips(handler: Handler, data: bytes) -> bool:
    """A byte each half second, for as long as anybody listens."""
    handler.close_connection = True
    try:
        while True:
            for place in range(len(data)):
                handler.wfile.write(data[place : place + 1])
                handler.wfile.flush()
                time.sleep(0.5)
    except OSError:
        return True


def drips_a_body(handler: Handler, body: dict[str, Any]) -> bool:
    begin(handler, ("content-length", "100000"))
    return drips(handler, answer(handler, body).encode())


def drips_chunks(handler: Handler, body: dict[str, Any]) -> bool:
    begin(handler, ("transfer-encoding", "chunked"))
    return drips(handler, b"1\r\n{\r\n")


def drips_a_stream(handler: Handler, body: dict[str, Any]) -> bool:
    begin(handler, media="text/event-stream")
    return drips(handler, b": still at work\n\n")


def drips_headers(handler: Handler, body: dict[str, Any]) -> bool:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    return drips(handler, b"x-wait: yes\r\n")


def drips_a_refusal(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send_response(400)
    handler.send_header("content-length", "100000")
    handler.end_headers()
    return drips(handler, b"no ")


def stops_halfway(handler: Handler, body: dict[str, Any]) -> bool:
    raw = answer(handler, body).encode()
    begin(handler, ("content-length", str(len(raw))))
    handler.wfile.write(raw[:-30])
    handler.wfile.flush()
    time.sleep(2 * BOUND)
    handler.close_connection = True
    return True


def in_chunks(handler: Handler, pieces: Any) -> bool:
    """A body whose length nobody says beforehand."""
    begin(handler, ("transfer-encoding", "chunked"))
    handler.close_connection = True
    try:
        for piece in pieces:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")
    except OSError:
        pass
    return True


def endless(handler: Handler, body: dict[str, Any]) -> bool:
    return in_chunks(handler, iter(lambda: b" " * 65_536, b""))


def too_large(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(200, answer(handler, body) + " " * 10_000_000)
    return True


def too_large_a_refusal(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(400, "no " * 5_000_000)
    return True


def packed(handler: Handler, body: dict[str, Any]) -> bool:
    """10 kB that are 10 MB."""
    raw = gzip.compress(b" " * 10_000_000)
    begin(handler, ("content-encoding", "gzip"), ("content-length", str(len(raw))))
    handler.wfile.write(raw)
    return True


def sends_elsewhere(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(307, {}, location="http://127.0.0.1:9/elsewhere")
    return True


def with_message(**message: Any) -> Callable[[Handler, dict[str, Any]], bool]:
    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        data = json.loads(answer(handler, body))
        data["choices"][0]["message"] |= message
        handler.send(200, data)
        return True

    return fault


def changed(**values: Any) -> Callable[[Handler, dict[str, Any]], bool]:
    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        handler.send(200, json.loads(answer(handler, body)) | values)
        return True

    return fault


def stream_that_ends(handler: Handler, body: dict[str, Any]) -> bool:
    """After some pieces, as a proxy ends it whose server has died."""
    pieces = in_pieces(json.loads(answer(handler, body)), body).split("\n\n")
    handler.send(200, "\n\n".join(pieces[:3]) + "\n\n", content_type="text/event-stream")
    return True


def nested(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(200, "[" * 200_000)
    return True


LATE = f"no answer within {BOUND:g} s"
FAULTS: dict[str, tuple[Callable[[Handler, dict[str, Any]], bool], str]] = {
    "drips a body": (drips_a_body, LATE),
    "drips chunks": (drips_chunks, LATE),
    "drips a stream": (drips_a_stream, LATE),
    "drips headers": (drips_headers, LATE),
    "drips a refusal": (drips_a_refusal, LATE),
    "stops halfway": (stops_halfway, LATE),
    "endless": (endless, "the reply is larger than 8 MB; megabytes=… sets"),
    "too large": (too_large, "the reply is larger than 8 MB"),
    "too large a refusal": (too_large_a_refusal, "the reply is larger than 8 MB"),
    "packed": (packed, r"the reply is packed \(gzip\)"),
    "sends elsewhere": (sends_elsewhere, r"it sends elsewhere \(307, http://127.0.0.1:9/elsewhere\)"),
    "nested": (nested, "the JSON is nested too deeply"),
    "a stream that ends": (stream_that_ends, "the stream ended before the reply did"),
    "another model": (changed(model="org/other"), "came under the name 'org/other', not under 'org/tiny:omni'"),
    "two replies": (changed(choices=[{"message": {"content": "a"}}] * 2), "at most 1 item"),
    "an error as a reply": (changed(choices=None, error={"message": "overloaded"}), "it is an error: .*overloaded"),
    "a list of texts": (with_message(content=["a"]), "a part of the kind None"),
    "a picture": (with_message(content=[{"type": "image_url"}]), "a part of the kind 'image_url'"),
    "a number": (with_message(content=7), "of the type int"),
    "calls a tool": (with_message(tool_calls=[{"id": "1"}]), "the model called a tool instead of answering"),
    "speaks": (with_message(content=None, audio={"id": "1"}), "the reply is spoken"),
    "more than was asked for": (changed(usage={"completion_tokens": 99}), "has 99 tokens, and at most 2 were asked"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_its_own_row_in_one_line_within_its_bound(server: Server, name: str) -> None:
    fault, message = FAULTS[name]
    bound = BOUND if message == LATE else 60
    model = load(server, retries=0, timeout=bound, likelihood="forced")
    server.fault = Now(fault, 99, ASKED[1].prompt.options[1])
    start = time.monotonic()
    answers = model.generate(ASKED, 2)
    assert time.monotonic() - start < bound + 30
    expected = served_model().generate(ASKED, 2)
    assert [answers[0], answers[2]] == [expected[0], expected[2]]
    assert isinstance(answers[1], AudiocontribError)
    assert re.search(message, str(answers[1])), answers[1]
    assert "\n" not in str(answers[1])
    assert len(str(answers[1])) < 1000


@pytest.mark.parametrize("name", ["a list of texts", "nested", pytest.param("drips a body", marks=pytest.mark.slow)])
def test_attempts_are_bounded_in_all(server: Server, name: str) -> None:
    """Those of the openai package and our own together."""
    model = load(server, retries=2, timeout=BOUND if "drips" in name else 60, likelihood="forced")
    server.fault = fault = Now(FAULTS[name][0], 99, ASKED[1].prompt.options[1])
    assert isinstance(model.generate(ASKED, 2)[1], AudiocontribError)
    assert max(fault.counts.values()) == 3


def test_faults_of_both_kinds_share_the_attempts(server: Server) -> None:
    count = 0

    def both(handler: Handler, body: dict[str, Any]) -> bool:
        nonlocal count
        count += 1
        if count % 2:
            handler.send(503, {})
        else:
            handler.send(200, {})
        return True

    model = load(server, retries=3, likelihood="forced")
    server.fault = both
    assert isinstance(model.generate(ASKED[:1], 2)[0], AudiocontribError)
    assert count == 4


@pytest.mark.slow
def test_a_wait_between_bytes_has_a_bound_of_its_own(server: Server) -> None:
    model = load(server, retries=0, timeout=120, idle=BOUND, likelihood="forced")
    server.fault = Now(stops_halfway, 99, ASKED[1].prompt.options[1])
    start = time.monotonic()
    assert "no byte came for 4 s; idle=… sets it" in str(model.generate(ASKED, 2)[1])
    assert time.monotonic() - start < 60


@pytest.mark.slow
@pytest.mark.parametrize("retries", [0, 1])
def test_a_second_reply_on_a_connection_is_no_answer_to_the_next_question(server: Server, retries: int) -> None:
    def both(handler: Handler, body: dict[str, Any]) -> bool:
        raw = answer(handler, body).encode()
        forged = raw.replace(b'"content": "', b'"content": "forged ')
        head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
        handler.wfile.write(b"".join(head.format(len(one)).encode() + one for one in (raw, forged)))
        return True

    model = load(server, retries=retries, concurrency=1, likelihood="forced")
    server.fault = Now(both, 1, ASKED[0].prompt.options[1])
    answers, expected = model.generate(ASKED, 2), served_model().generate(ASKED, 2)
    assert answers[1:] == expected[1:]
    assert answers[0] == expected[0] if retries else "more came than one reply" in str(answers[0])


def test_a_larger_reply_is_read_where_that_is_asked_for(server: Server) -> None:
    model = load(server, retries=0, megabytes=12, likelihood="forced")
    server.fault = Now(too_large, 99)
    assert model.generate(ASKED[:1], 2) == served_model().generate(ASKED[:1], 2)


@pytest.mark.slow
@pytest.mark.parametrize("able", [Able(), Able(whole=False), Able(usage=False)], ids=["both", "only so", "uncounted"])
def test_replies_in_pieces_are_the_same(able: Able) -> None:
    asked = requests("audio") if able.usage else requests("text")
    with serving(able) as server:
        model = load(server, stream="yes")
        assert model.generate(asked, 24) == [
            reply if able.usage else Generated(reply.text, finish=reply.finish)
            for reply in served_model().generate(asked, 24)
            if isinstance(reply, Generated)
        ]
        assert all(body["stream"] for body in server.seen.bodies if "messages" in body)
        if able.usage:
            scored = model.likelihood(asked)
            assert model.found.way == "forced"  # of a prompt, nothing is told in pieces
            for mine, local in zip(scored, served_model().likelihood(asked), strict=True):
                assert isinstance(mine, Scored)
                np.testing.assert_allclose(mine.logprobs, local.logprobs, atol=1e-4)


def test_a_server_that_demands_pieces_says_so() -> None:
    with serving(Able(whole=False)) as server, pytest.raises(AudiocontribError, match="stream=yes asks for replies"):
        load(server)
    with serving(Able(streams=False)) as server, pytest.raises(AudiocontribError, match="stream is not supported"):
        load(server, stream="yes")


def test_pieces_that_nobody_asked_for_are_read_all_the_same(server: Server) -> None:
    def streams(handler: Handler, body: dict[str, Any]) -> bool:
        handler.send(200, in_pieces(json.loads(answer(handler, body)), body), content_type="text/event-stream")
        return True

    model = load(server, likelihood="forced")
    server.fault = streams
    [reply], [local] = model.generate(ASKED[:1], 24), served_model().generate(ASKED[:1], 24)
    assert isinstance(reply, Generated)
    assert isinstance(local, Generated)
    assert (reply.text, reply.finish) == (local.text, local.finish)


@pytest.mark.slow
def test_who_answers_is_checked_and_part_of_the_identity(tmp_path: Path) -> None:
    with serving(Able(replies_as="org/tiny:omni@main", lists=False)) as server:
        with pytest.raises(UsageError, match="no model is called 'org/tiny:omni'; there are: none; listed=no"):
            load(server)
        with pytest.raises(AudiocontribError, match=r"came under the name 'org/tiny:omni@main'.*answers_as=org/tin"):
            load(server, listed="no")
        model = load(server, listed="no", answers_as="org/tiny:omni@main")
        assert model.generate(ASKED, 2) == served_model().generate(ASKED, 2)
        told = model.fingerprint()
        assert (told["model"], told["answers_as"], told["server"]) == (SERVED, "org/tiny:omni@main", {})
        run = ac.score(_items(1), [model], ["text"], run=tmp_path / "r", method="generate", orders="given",
                       progress=False)  # fmt: skip
    with serving() as server, pytest.raises(AudiocontribError, match="answers_as: org/tiny:omni@main -> org/tiny:omni"):
        ac.score(_items(1), [load(server)], ["text"], run=run.path, method="generate", orders="given", progress=False)


def test_a_run_of_an_older_program_goes_on_if_that_is_accepted(server: Server, tmp_path: Path) -> None:
    model = load(server, likelihood="forced")
    how: dict[str, Any] = {"method": "generate", "orders": "given", "progress": False, "run": tmp_path / "r"}
    ac.score(_items(1), [model], ["text"], **how)
    path = tmp_path / "r" / "run.json"
    manifest = json.loads(path.read_text())
    del manifest["identity"]["models"][SERVED]["answers_as"], manifest["sha256"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(AudiocontribError, match="older program, which kept nothing of its answers_as"):
        ac.score(_items(1), [model], ["text"], **how)
    ac.score(_items(1), [model], ["text"], accept_identity=True, **how)


def _items(limit: int) -> Any:
    return ac.load_items("demo", seed=3, limit=limit)


@pytest.mark.slow
def test_a_key_that_a_server_repeats_is_stored_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coded = base64.b64encode(f"Bearer {KEY}".encode()).decode()

    def repeats(handler: Handler, body: dict[str, Any]) -> bool:
        message = {"content": f"{KEY[:14]} <answer>bell</answer> {coded}", "reasoning_content": f"my key is {KEY}"}
        return with_message(**message)(handler, body)

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(Able(key=KEY, prompt_logprobs=False)) as server:
        model = load(server)
        server.fault = repeats
        run = ac.score(_items(2), [model], ["text"], run=tmp_path / "r", method="generate", progress=False)
    row = run.responses.iloc[0]
    assert re.fullmatch(r"\*\*\* <answer>bell</answer> \S{0,10}\*\*\*\S{0,3}", row["reply"])
    assert row["thought"] == "my key is ***"
    for path in tmp_path.rglob("*"):
        held = b"" if path.is_dir() else path.read_bytes()
        assert not [part for part in (KEY, KEY[:14], coded[10:30]) if part.encode() in held]


def test_a_key_in_the_list_of_models_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SERVED)  # as bad as can be: the server lists what is also the key
    with serving() as server:
        told = load(server, likelihood="forced").fingerprint()
    assert told["server"]["id"] == "***"


def test_a_key_in_any_fault_is_masked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = load(server, retries=0, likelihood="forced")
    faults = [
        changed(model=KEY),
        changed(choices=None, error={"message": f"not {KEY[:20]}"}),
        with_message(content=[{"type": KEY}]),
        with_message(role=f"x{KEY}"),
        lambda handler, body: bool(handler.send(302, {}, location=f"http://x/?key={KEY}") or True),
        lambda handler, body: bool(handler.send(400, {"detail": [{"key": KEY.encode().hex()}]}) or True),
        lambda handler, body: bool(handler.send(200, f"data: {KEY}\n\n", content_type="text/event-stream") or True),
        lambda handler, body: bool(handler.send(200, {KEY: 1}, content_encoding=KEY) or True),
    ]
    for fault in faults:
        server.fault = fault
        said = str(model.generate(ASKED[:1], 2)[0])
        assert "endpoint" in said
        assert not [part for part in (KEY[i : i + 8] for i in range(len(KEY) - 7)) if part in said.lower()], said
        assert KEY.encode().hex()[:16] not in said


@pytest.mark.parametrize("key", ["sk-secret-0123\n", "sk secret", "sk-sécret-0123", " sk-secret", "sk-secret\t"])
def test_a_key_that_no_header_can_hold_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UsageError, match=r"\$OPENAI_API_KEY holds blanks, line ends or other") as caught:
        ac.load_model("endpoint:m@http://127.0.0.1:9/v1")
    assert "secret" not in str(caught.value)


def test_prompts_alone_are_salted_each_otherwise(server: Server) -> None:
    server.seen.bodies.clear()
    model = load(server, likelihood="prompt_logprobs")
    model.likelihood(ASKED)
    model.generate(ASKED, 2)
    salts = [body.get("cache_salt") for body in server.seen.bodies if "prompt_logprobs" in body]
    assert len(salts) > 10
    assert None not in salts
    assert len(set(salts)) == len(salts)
    assert not [b for b in server.seen.bodies if "cache_salt" in b and "prompt_logprobs" not in b]


def test_what_is_stale_without_a_salt_is_right_with_one() -> None:
    with serving(Able(stale="unsalted")) as server:
        answers = load(server, likelihood="prompt_logprobs").likelihood(ASKED)
    for mine, local in zip(answers, served_model().likelihood(ASKED), strict=True):
        assert isinstance(mine, Scored)
        np.testing.assert_allclose(mine.logprobs, local.logprobs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "able", [Able(stale="always"), Able(stale="unsalted", salts=False)], ids=["always", "no salts"]
)
def test_what_is_stale_is_found_out_before_anything_is_asked(able: Able) -> None:
    with serving(able) as server:
        model = load(server)
        assert model.found.way == "forced"
        assert "its cache may be stale" in model.found.refusals["prompt_logprobs"]
        with pytest.raises(AudiocontribError, match=r"likelihood=prompt_logprobs is not to be had: .*may be stale"):
            load(server, likelihood="prompt_logprobs")


@pytest.mark.slow
def test_a_server_that_takes_no_salt_is_asked_without() -> None:
    with serving(Able(salts=False)) as server:
        model = load(server, likelihood="prompt_logprobs")
        [mine], [local] = model.likelihood(ASKED[:1]), served_model().likelihood(ASKED[:1])
        forced = load(server, likelihood="forced").likelihood(ASKED[:1])[0]
    assert isinstance(mine, Scored)
    assert isinstance(forced, Scored)
    np.testing.assert_allclose(mine.logprobs, local.logprobs, atol=1e-4)
    np.testing.assert_allclose(forced.logprobs, local.logprobs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["prompt_logprobs", "forced"])
def test_what_becomes_wrong_under_way_is_found_by_asking_again(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spot, "EVERY", 1)
    with serving() as server:
        model = load(server, likelihood=way)
        assert model.summary() == ""
        assert all(isinstance(one, Scored) for one in model.likelihood(ASKED))
        assert re.fullmatch(r"1 questions asked again, off by at most \S+ nats", model.summary())
        assert model._spots.largest < 1e-4
        server.fault = _wrong_by_turns()
        answers = model.likelihood(ASKED)
        assert all(isinstance(one, AudiocontribError) for one in answers)
        assert "its cache may be stale" in str(answers[0])
        assert "questions before these may be wrong, too" in str(answers[0])
        server.fault = None
        assert all(isinstance(one, Scored) for one in model.likelihood(ASKED))


def _wrong_by_turns() -> Callable[[Handler, dict[str, Any]], bool]:
    """Log-probabilities that differ each time that they are asked for."""
    asked = 0

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        nonlocal asked
        data = chat(handler.server.model, handler.server.able, body)
        with handler.server.seen.lock:
            asked += 1
            off = 0.9 * asked
        for entry in data["prompt_logprobs"] or ():
            for value in (entry or {}).values():
                value["logprob"] -= off
        for place in (data["choices"][0]["logprobs"] or {}).get("content") or ():
            for token in (place, *place["top_logprobs"]):
                token["logprob"] -= off
        handler.send(200, data)
        return True

    return fault


@pytest.mark.slow
def test_a_prompt_is_checked_by_replies_too() -> None:
    """Where each prompt is as stale as the last one, asking again tells nothing."""

    def off(handler: Handler, body: dict[str, Any]) -> bool:
        data = chat(handler.server.model, handler.server.able, body)
        for entry in data["prompt_logprobs"] or ():
            for value in (entry or {}).values():
                value["logprob"] -= 0.9
        handler.send(200, data)
        return True

    with serving(fault=off) as server:
        model = load(server)
    assert model.found.way == "forced"
    assert "its cache may be stale" in model.found.refusals["prompt_logprobs"]


def test_a_check_that_cannot_be_made_loses_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(server, likelihood="prompt_logprobs", retries=0)

    def salted_twice(handler: Handler, body: dict[str, Any]) -> bool:
        if body.get("logprobs"):  # asked for by the check alone
            handler.send(503, {})
        return bool(body.get("logprobs"))

    server.fault = salted_twice
    assert all(isinstance(one, Scored) for one in model.likelihood(ASKED))
    assert model.summary() == ""


@pytest.mark.slow
def test_a_run_says_what_its_checks_found(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = f"endpoint:{SERVED}@{server.url},likelihood=forced"
    ac.score(_items(1), [model], ["text"], run=tmp_path / "r", orders="given")
    assert "1 questions asked again, off by at most" in capsys.readouterr().err
    assert len(Run.open(tmp_path / "r").responses) == 1
