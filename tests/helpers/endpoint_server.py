"""A small OpenAI-compatible server around a tiny model, for tests, with faults to order.

It answers by plain full forwards of the network (no shared prefix, nothing of the code under test but the chat
template and the processor), in the formats of vLLM.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import soundfile

from audiocontrib.audio import RATE, Sound, make_sound
from audiocontrib.models import load_model
from audiocontrib.prompts import Prompt
from helpers.lazy import lazy

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

lalm = lazy("audiocontrib.models.lalm")
torch = lazy("torch")

SERVED = "org/tiny:omni"
KEY = "sk-very-secret-0123456789"


class Refusal(Exception):
    """A request that the server answers with a status of its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Able:
    """What the server can do; all that vLLM can, unless told otherwise."""

    audio: bool = True
    text: bool = True
    url_only: bool = False
    sixteen_bit_only: bool = False
    deaf: bool = False
    """Takes audio and drops it silently."""
    prompt_logprobs: bool = True
    named_logprobs: bool = True
    polite: bool = False
    """Answers {} on paths that it does not know."""
    goes_on: bool = True
    """Continues the assistant's turn; else it is closed, silently."""
    top: int = 20
    limit: tuple[str, ...] = ("max_completion_tokens", "max_tokens")
    """Words for the bound that it knows; others are ignored."""
    strict: bool = False
    """Refuses words that OpenAI does not know."""
    usage: bool = True
    key: str | None = None
    lists: bool = True
    """Has the model in its list."""
    replies_as: str | None = None
    """The name in its replies, if not the one that was asked for."""
    streams: bool = True
    """Knows replies in pieces."""
    whole: bool = True
    """Knows replies that are not in pieces."""
    salts: bool = True
    """Knows ``cache_salt``; else it is refused."""
    stale: str = ""
    """``unsalted``: tells of a prompt's tokens what it told for the last one with the same salt; ``always``: or not."""


Fault = Callable[["Handler", dict[str, Any]], bool]
"""Given a chat request before it is answered; true if it has been dealt with."""


@dataclass
class Seen:
    """What has happened so far."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    now: int = 0
    most: int = 0
    told: dict[str | None, list[Any]] = field(default_factory=dict)
    """What was told last of the tokens of a prompt, by salt."""
    lock: Any = field(default_factory=threading.Lock)


class Server(ThreadingHTTPServer):
    """Serves until it is closed; ``fault`` may be changed at any time."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, able: Able, fault: Fault | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.able, self.fault, self.seen, self.dead = able, fault, Seen(), False
        self.model = served_model()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def die(self) -> None:
        """Close the door and drop who is inside, as a killed process does."""
        self.dead = True
        self.socket.close()
        threading.Thread(target=self.shutdown, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""


@lru_cache(maxsize=1)
def served_model() -> AudioLanguageModel:
    model = load_model("tiny-qwen2.5-omni", device="cpu")
    assert isinstance(model, lalm.AudioLanguageModel)
    return model


@contextmanager
def serving(able: Able | None = None, fault: Fault | None = None, port: int = 0) -> Iterator[Server]:
    server = Server(port, able or Able(), fault)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if not server.dead:
            server.shutdown()
        server.dead = True  # for the connections that are kept open
        server.server_close()
        until = time.monotonic() + 5
        while server.seen.now and time.monotonic() < until:  # a thread that computes when Python ends aborts it
            time.sleep(0.02)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *about: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        if self._let_in():
            cards = [{"id": SERVED, "object": "model", "owned_by": "tests", "root": "tiny", "created": time.time_ns()}]
            cards = cards if self.server.able.lists else []
            self.send(200, {"object": "list", "data": cards} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        seen = self.server.seen
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self._let_in():
            return
        with seen.lock:
            seen.bodies.append(body)
            seen.now += 1
            seen.most = max(seen.most, seen.now)
        try:
            if self.path == "/v1/chat/completions":
                if self.server.fault is None or not self.server.fault(self, body):
                    self.answer(body)
            else:
                self.send(200, texts(self.server.model, self.server.able, self.path, body))
        except Refusal as refusal:
            self.send(refusal.status, {"error": {"message": str(refusal), "code": refusal.status}})
        finally:
            with seen.lock:
                seen.now -= 1

    def answer(self, body: dict[str, Any]) -> None:
        """The reply, whole or in pieces."""
        able = self.server.able
        if body.get("stream") and not able.streams:
            raise Refusal(400, "stream is not supported")
        if not body.get("stream") and not able.whole:
            raise Refusal(400, "This model only supports streaming: set stream to true.")
        if "cache_salt" in body and not able.salts:
            raise Refusal(400, "Unrecognized request argument supplied: cache_salt")
        data = chat(self.server.model, able, body)
        if able.stale and data["prompt_logprobs"]:
            salt = body.get("cache_salt") if able.stale == "unsalted" else None
            with self.server.seen.lock:
                before = self.server.seen.told.setdefault(salt, data["prompt_logprobs"])
                self.server.seen.told[salt] = data["prompt_logprobs"]
            data["prompt_logprobs"] = stale(before, data["prompt_logprobs"])
        if body.get("stream"):
            self.send(200, in_pieces(data, body), content_type="text/event-stream; charset=utf-8")
        else:
            self.send(200, data)

    def send(self, status: int, data: Any, **headers: str) -> None:
        """Answer with JSON, or with text as it is; a server that has died sends nothing."""
        if self.server.dead:
            return self.drop()
        raw = (data if isinstance(data, str) else json.dumps(data)).encode()
        self.send_response(status)
        given = {"content-type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
        for name, value in given.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
        return None

    def drop(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _let_in(self) -> bool:
        key = self.server.able.key
        given = self.headers.get("authorization", "")
        if key is None or given == f"Bearer {key}":
            return True
        self.send(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
        return False


def stale(before: list[Any], told: list[Any]) -> list[Any]:
    """The tokens of one prompt with the values that were told of another, as vLLM's issue 42019 has it."""
    made = [told[0]]
    for here, there in zip(told[1:], [*before[1:], *told[len(before) :]], strict=False):
        [(token, value)] = here.items()
        made.append({token: value | {"logprob": next(iter(there.values()))["logprob"]}})
    return made


def in_pieces(data: dict[str, Any], body: dict[str, Any]) -> str:
    """A chat completion as a stream of events, a few characters each."""
    [choice] = data["choices"]
    text = choice["message"]["content"]
    head = {"object": "chat.completion.chunk", "model": data["model"]}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[place : place + 3]} for place in range(0, len(text), 3)]
    pieces: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    pieces[0]["logprobs"] = choice["logprobs"]
    pieces.append({"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]})
    chunks = [head | {"choices": [piece]} for piece in pieces]
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append(head | {"choices": [], "usage": data.get("usage")})
    return ": a comment\r\n\r\n" + "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def texts(model: AudioLanguageModel, able: Able, path: str, body: dict[str, Any]) -> dict[str, Any]:
    if not able.named_logprobs:
        if able.polite:
            return {}
        raise Refusal(404, "Not Found")
    if path == "/tokenize":
        return {"tokens": model.tokenizer(body["prompt"], add_special_tokens=body["add_special_tokens"]).input_ids}
    if path == "/detokenize":
        return {"prompt": model.tokenizer.decode(body["tokens"])}
    raise Refusal(404, "Not Found")


def chat(model: AudioLanguageModel, able: Able, body: dict[str, Any]) -> dict[str, Any]:
    if able.strict and (unknown := set(body) - OPENAI):
        raise Refusal(400, f"Unrecognized request argument supplied: {', '.join(sorted(unknown))}")
    ids, sound = read_messages(model, able, body)
    of_prompt: list[Any] | None = None
    if body.get("prompt_logprobs") is not None and able.prompt_logprobs:
        values, _ = told(model, ids, sound)
        of_prompt = [None] + [
            {str(token): {"logprob": value, "rank": 1, "decoded_token": "?"}}
            for token, value in zip(ids[1:], values, strict=True)
        ]
    bound = next((body[word] for word in able.limit if word in body), 4)
    reply, first = greedy(model, ids, sound, bound)
    content = None
    if body.get("logprobs"):
        content = [named(model, able, first, body)]
    stopped = bool(reply) and reply[-1] in model.stop
    made = {
        "object": "chat.completion",
        "model": able.replies_as or body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": model.tokenizer.decode(reply, skip_special_tokens=True)},
                "finish_reason": "stop" if stopped else "length",
                "logprobs": content and {"content": content},
            }
        ],
        "prompt_logprobs": of_prompt,
    }
    if able.usage:
        made["usage"] = {"prompt_tokens": len(ids), "completion_tokens": len(reply), "total_tokens": len(ids + reply)}
    return made


OPENAI = {"model", "messages", "temperature", "max_completion_tokens", "logprobs", "top_logprobs", "stream"}


def read_messages(model: AudioLanguageModel, able: Able, body: dict[str, Any]) -> tuple[list[int], Sound | None]:
    """The tokens of a chat, and what is heard."""
    system, user, *rest = body["messages"]
    parts = user["content"] if isinstance(user["content"], list) else [{"type": "text", "text": user["content"]}]
    sound = None
    for part in parts[:-1]:
        sound = read_audio(able, part)
    if sound is None and not able.text:
        raise Refusal(400, "This model requires that either input content or output modality contain audio.")
    if able.deaf:
        sound = None
    prompt = Prompt(system["content"], parts[-1]["text"], sound is not None, ())
    ids, _ = model.encode(prompt, sound)
    if rest:
        ids = ids + model.tokenizer(rest[0]["content"], add_special_tokens=False).input_ids
        if not (able.goes_on and body.get("continue_final_message") and not body.get("add_generation_prompt", True)):
            end = "<|im_end|>\n<|im_start|>assistant\n"
            ids = ids + model.tokenizer(end, add_special_tokens=False).input_ids
    return ids, sound


def read_audio(able: Able, part: dict[str, Any]) -> Sound:
    if not able.audio:
        raise Refusal(400, "At most 0 audio(s) may be provided in one prompt.")
    if part["type"] == "input_audio":
        if able.url_only:
            raise Refusal(400, "Unknown part type: input_audio")
        data = part["input_audio"]["data"]
    else:
        data = part["audio_url"]["url"].removeprefix("data:audio/wav;base64,")
    file = io.BytesIO(base64.b64decode(data, validate=True))
    if able.sixteen_bit_only and soundfile.info(file).subtype != "PCM_16":
        raise Refusal(400, "Unsupported WAV encoding")
    file.seek(0)
    samples, rate = soundfile.read(file, dtype="float32")
    assert rate == RATE
    return make_sound(samples)


MODEL_LOCK = threading.Lock()
TOLD: dict[tuple[tuple[int, ...], str], tuple[list[float], torch.Tensor]] = {}
"""What the model said of a prompt: many tests ask the same, of servers that can do other things."""


def told(model: AudioLanguageModel, ids: list[int], sound: Sound | None) -> tuple[list[float], torch.Tensor]:
    """By a full forward: the log-probability of each token but the first, and the distribution behind the last."""
    key = (tuple(ids), sound.sha256 if sound else "")
    with MODEL_LOCK:
        if key not in TOLD:
            values = _forward(model, ids, sound)
            own = values[:-1].gather(1, torch.tensor(ids[1:], dtype=torch.long)[:, None])[:, 0]
            TOLD[key] = own.tolist(), values[-1].clone()
        return TOLD[key]


def _forward(model: AudioLanguageModel, ids: list[int], sound: Sound | None) -> torch.Tensor:
    heard = Prompt("", "x", True, ())
    features = model.features(heard, sound) if sound is not None else {}
    given = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    with torch.inference_mode():
        return model.net(**given, **features, use_cache=False).logits[0].float().log_softmax(-1)


def greedy(
    model: AudioLanguageModel, ids: list[int], sound: Sound | None, bound: int
) -> tuple[list[int], torch.Tensor]:
    """Token by token, each by a full forward; and the distribution of the first."""
    reply: list[int] = []
    first = None
    while len(reply) < bound and not (reply and reply[-1] in model.stop):
        _, last = told(model, ids + reply, sound)
        first = last if first is None else first
        reply.append(int(last.argmax()))
    assert first is not None
    return reply, first


def named(model: AudioLanguageModel, able: Able, first: torch.Tensor, body: dict[str, Any]) -> dict[str, Any]:
    """An entry of ``logprobs.content``: the first token, with the likeliest ones or those that were named."""
    wanted = body.get("logprob_token_ids") if able.named_logprobs else None
    chosen = int(first.argmax())
    ids = [chosen, *wanted] if wanted else first.topk(min(able.top, body["top_logprobs"])).indices.tolist()

    def entry(token: int) -> dict[str, Any]:
        text = f"token_id:{token}" if body.get("return_tokens_as_token_ids") else model.tokenizer.decode([token])
        return {"token": text, "logprob": max(first[token].item(), -9999.0), "bytes": None}

    return entry(chosen) | {"top_logprobs": [entry(token) for token in ids]}
