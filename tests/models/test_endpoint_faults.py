"""What goes wrong between us and a server: every fault ends in right answers, or in a failed row that says why."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.endpoint_fixtures import one_server, without_fault  # noqa: F401
from helpers.endpoint_server import KEY, SERVED, Able, Fault, Handler, Refusal, Server, chat, served_model, serving
from test_endpoint import load, requests

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.models import Generated, Scored
from audiocontrib.store import Run

ASKED = requests("text")


def answer(handler: Handler, body: dict[str, Any]) -> str:
    return json.dumps(chat(handler.server.model, handler.server.able, body))


def slow(handler: Handler, body: dict[str, Any]) -> bool:
    time.sleep(6.0)
    return False


def busy(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(429, {"error": {"message": "Rate limit reached"}}, retry_after="0.3")
    return True


def broken(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(503, "<html>upstream is\n gone</html>", content_type="text/html")
    return True


def truncated(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(200, answer(handler, body)[:-30])
    return True


def page(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(200, "<html>Welcome</html>", content_type="text/html")
    return True


def empty(handler: Handler, body: dict[str, Any]) -> bool:
    handler.send(200, {"choices": []})
    return True


def cut(handler: Handler, body: dict[str, Any]) -> bool:
    """Fewer bytes than the header promises, and then nothing."""
    raw = answer(handler, body).encode()
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw[:-30])
    handler.wfile.flush()
    handler.drop()
    return True


def dropped(handler: Handler, body: dict[str, Any]) -> bool:
    handler.drop()
    return True


FAULTS: dict[str, tuple[Fault, str]] = {
    "slow": (slow, "no answer within 4 s"),
    "busy": (busy, "the server says 429: Rate limit reached"),
    "broken": (broken, "the server says 503: .*upstream is gone"),
    "truncated": (truncated, "makes no sense"),
    "page": (page, "makes no sense"),
    "empty": (empty, "makes no sense"),
    "cut": (cut, "the connection failed"),
    "dropped": (dropped, "the connection failed"),
}


class Now:
    """A fault for the first ``times`` chat requests about each text, or for all that ``hits`` says."""

    def __init__(self, fault: Fault, times: int = 1, hits: str = "") -> None:
        self.fault, self.times, self.hits = fault, times, hits
        self.counts: dict[str, int] = {}

    def __call__(self, handler: Handler, body: dict[str, Any]) -> bool:
        text = json.dumps(body["messages"][1:])
        with handler.server.seen.lock:
            self.counts[text] = self.counts.get(text, 0) + 1
        return self.hits in text and self.counts[text] <= self.times and self.fault(handler, body)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_leaves_no_trace(server: Server, name: str) -> None:
    model = load(server, retries=2, timeout=4 if name == "slow" else 20)
    server.fault = Now(FAULTS[name][0])
    start = time.monotonic()
    assert model.generate(ASKED, 2) == served_model().generate(ASKED, 2)
    assert max(server.fault.counts.values()) == 2
    if name == "busy":
        assert time.monotonic() - start > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_is_the_failure_of_its_own_request(server: Server, name: str) -> None:
    fault, message = FAULTS[name]
    model = load(server, retries=0, timeout=4 if name == "slow" else 20)
    server.fault = Now(fault, 99, ASKED[1].prompt.options[1])
    expected = served_model().likelihood(ASKED)
    for mine, local, number in zip(model.likelihood(ASKED), expected, range(3), strict=True):
        if number == 1:
            assert isinstance(mine, AudiocontribError)
            assert re.search(message, str(mine)), mine
            assert "\n" not in str(mine)
            assert f"endpoint {SERVED} at {server.url}: " in str(mine)
        else:
            assert isinstance(mine, Scored)
            np.testing.assert_allclose(mine.logprobs, local.logprobs, atol=1e-4)


def test_what_a_server_refuses_is_not_asked_again(server: Server) -> None:
    def refuses(handler: Handler, body: dict[str, Any]) -> bool:
        raise Refusal(400, "This prompt is too long.")

    model = load(server)
    server.fault = Now(refuses, 99)
    failed = model.generate(ASKED[:1])[0]
    assert "the server says 400: This prompt is too long." in str(failed)
    assert list(server.fault.counts.values()) == [1]


def test_a_reply_that_is_kept_back_is_no_answer(server: Server) -> None:
    def filters(handler: Handler, body: dict[str, Any]) -> bool:
        data = json.loads(answer(handler, body))
        data["choices"][0] |= {"finish_reason": "content_filter", "message": {"role": "assistant", "content": None}}
        handler.send(200, data)
        return True

    model = load(server)
    server.fault = Now(filters, 99, QUESTION)
    assert [type(a) for a in model.generate(ASKED, 2)] == [AudiocontribError, Generated, Generated]


QUESTION = "Which sound is heard?"


def cli(run: Path, model: str, *more: str) -> Result:
    return CliRunner().invoke(
        main,
        ["score", "--dataset", "demo", "--seed", "3", "--limit", "4", "--model", model, "--run", str(run), "--quiet",
         "--condition", "text", "--condition", "audio", *more],
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_a_server_that_dies_halfway_and_comes_back(tmp_path: Path, method: str) -> None:
    answered = 0

    def dies(handler: Handler, body: dict[str, Any]) -> bool:
        nonlocal answered
        with handler.server.seen.lock:
            answered += 1
            if answered > (60 if method == "likelihood" else 20):
                handler.server.die()
        if handler.server.dead:
            handler.drop()
        return handler.server.dead

    mine, local = tmp_path / "mine", tmp_path / "local"
    with serving(fault=dies) as server:
        port = server.server_port
        model = f"endpoint:{SERVED}@{server.url},concurrency=4,retries=1"
        first = cli(mine, model, "--method", method)
    assert first.exit_code == 1, first.output
    before = Run.open(mine).responses
    failed = int((before["outcome"] == "failed").sum())
    assert 0 < failed < len(before)
    assert f"{failed} questions failed (the same command asks them again)" in first.output
    assert "nothing answers there; start the server" in first.output
    assert "Traceback" not in first.output
    with serving(port=port) as server:
        again = cli(mine, model, "--method", method)
        asked = sum(body["messages"][1]["content"] != LONG for body in server.seen.bodies if "messages" in body)
    assert again.exit_code == 0, again.output
    assert cli(local, "tiny-qwen2.5-omni", "--method", method, "--device", "cpu").exit_code == 0
    key = ["item_id", "condition", "order"]
    a, b = (Run.open(run).responses.sort_values(key).reset_index(drop=True) for run in (mine, local))
    same = [*key, "outcome", "choice", "reply", "audio_sha256", "prompt_sha256"]
    assert a[same].equals(b[same])
    if method == "likelihood":
        for x, y in zip(a["option_logprob"], b["option_logprob"], strict=True):
            np.testing.assert_allclose(x, y, atol=1e-4)
    else:  # what was answered before is not asked again; the probes at load come on top
        assert failed <= asked <= failed + 12


LONG = "Count from one to one hundred, in words."


@pytest.mark.slow
def test_a_server_that_is_gone_is_not_waited_for_by_every_question(tmp_path: Path) -> None:
    items = ac.load_items("demo", seed=3, limit=300)
    with serving() as server:
        model = load(server, retries=1)
    start = time.monotonic()
    with pytest.raises(
        AudiocontribError, match=r"questions all failed, .*nothing answers there.*; 300 are left, and the same"
    ):
        ac.score(items, [model], ["text"], method="generate", orders="given", run=tmp_path / "r", progress=False)
    assert time.monotonic() - start < 20


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises; what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("held", [0.0, 0.3], ids=["while it waits", "before it waits"])
def test_an_interruption_ends_what_is_under_way(server: Server, monkeypatch: pytest.MonkeyPatch, held: float) -> None:
    starts = asyncio.run_coroutine_threadsafe

    def held_up(*args: Any) -> Any:  # as on a busy machine: the server is asked before the start has returned
        started = starts(*args)
        time.sleep(held)
        return started

    def interrupts(handler: Handler, body: dict[str, Any]) -> bool:
        assert threading.main_thread().ident
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.5)
        return False

    model = load(server, concurrency=1)
    server.fault = Now(interrupts)
    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", held_up)
    with pytest.raises(KeyboardInterrupt):
        model.generate(ASKED, 2)
    assert not asyncio.all_tasks(model.client._loop)
    server.fault = None
    assert model.generate(ASKED, 2) == served_model().generate(ASKED, 2)


@pytest.mark.slow
def test_the_key_comes_from_the_environment_and_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def echoes(handler: Handler, body: dict[str, Any]) -> bool:
        raise Refusal(400, f"it was {handler.headers['authorization']}")

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(Able(key=KEY)) as server:
        model = f"endpoint:{SERVED}@{server.url},retries=0"
        unset = cli(tmp_path / "r", model)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-another-0123456789")
        wrong = cli(tmp_path / "r", model)
        assert (unset.exit_code, wrong.exit_code) == (1, 1)
        assert "the server wants a key, and $OPENAI_API_KEY is not set" in unset.output
        assert "the server wants a key, and $OPENAI_API_KEY is not accepted" in wrong.output
        assert "sk-" not in unset.output + wrong.output
        assert not (tmp_path / "r").exists()
        monkeypatch.setenv("MY_KEY", KEY)
        fine = cli(tmp_path / "r", model + ",key=MY_KEY")
        assert fine.exit_code == 0, fine.output
        loaded = load(server, key="MY_KEY", retries=0)
        server.fault = Now(echoes, 99, "Please choose")
        debugged = cli(tmp_path / "r2", model + ",key=MY_KEY", "--method", "generate")
        failed = loaded.generate(ASKED)[0]
    assert debugged.exit_code == 1
    assert "Bearer ***" in str(failed)
    assert "Bearer ***" in debugged.output
    shown = [
        debugged.output,
        fine.output,
        str(failed),
        repr(loaded.found),
        repr(loaded.address),
        str(loaded.fingerprint()),
    ]
    assert KEY not in "".join(shown)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    con = Run.open(tmp_path / "r2").query("select error from responses where error is not null")
    assert len(con)
    assert not con["error"].str.contains(KEY).any()


def test_a_key_in_the_traceback_of_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--debug`` prints chains of errors: none of them holds the key."""
    import traceback

    def echoes(handler: Handler, body: dict[str, Any]) -> bool:
        raise Refusal(403, f"it was {handler.headers['authorization']}")

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(Able(key=KEY), fault=echoes) as server, pytest.raises(AudiocontribError) as caught:
        load(server)
    assert KEY not in "".join(traceback.format_exception(caught.value))
