"""Models behind a server: the same answers as from the model in this process, by whatever the server can do."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.endpoint_fixtures import one_server  # noqa: F401
from helpers.endpoint_server import SERVED, Able, Handler, Server, chat, served_model, serving
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.audio import Sound, make_sound, silence
from audiocontrib.conditions import condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import seeded
from audiocontrib.items import Clip, Item
from audiocontrib.models import Generated, Request, Scored, load_model
from audiocontrib.models.endpoint.address import Address
from audiocontrib.prompts import make_prompt
from audiocontrib.scoring import make_asking

if TYPE_CHECKING:
    from audiocontrib.models.endpoint.model import EndpointModel

endpoint_model = lazy("audiocontrib.models.endpoint.model")
letters = lazy("audiocontrib.models.endpoint.letters")

QUESTIONS = [
    ("Which sound is heard?", ("bell", "hiss", "whistle")),
    ("In which order, Ünïcode?", ("bell, then hiss", "a longer option that shares no word", "24.4 s")),
    ("Which of these?", ("the", "then", "these", "theremin")),
]


def noise(name: str, seconds: float) -> Sound:
    return make_sound((0.2 * seeded(name).standard_normal(round(seconds * 16000))).astype(np.float32))


CASES: dict[str, list[Sound | None]] = {
    "audio": [noise("a", 1.3), noise("b", 0.731)],
    "silence": [silence(3.0)],
    "text": [None],
    "options": [None],
}


def requests(spec: str, questions: Any = QUESTIONS) -> list[Request]:
    how, made = condition(spec), []
    for number, (question, choices) in enumerate(questions):
        item = Item(f"t/{number}", "t", question, choices, 0, Clip("x.wav"), f"c{number}")
        prompt = make_prompt(question if how.shows_question else None, choices, order=1, has_audio=how.has_audio)
        made.append(Request(item, how, 1, prompt, CASES[spec][number % len(CASES[spec])]))
    return made


def load(server: Server, **options: Any) -> EndpointModel:
    given = "".join(f",{key}={value}" for key, value in options.items())
    model = load_model(f"endpoint:{SERVED}@{server.url}{given}", device=None, dtype=None, trust_remote_code=False)
    assert isinstance(model, endpoint_model.EndpointModel)
    return model


@pytest.fixture(scope="module")
def models(server: Server) -> dict[str, EndpointModel]:
    return {way: load(server, likelihood=way) for way in ("prompt_logprobs", "forced")}


@pytest.mark.slow
@pytest.mark.parametrize("spec", CASES)
@pytest.mark.parametrize("way", ["prompt_logprobs", "forced"])
def test_likelihoods_are_those_of_the_local_model(models: dict[str, EndpointModel], way: str, spec: str) -> None:
    asked = requests(spec, QUESTIONS[:1] if spec == "silence" else QUESTIONS)
    expected = served_model().likelihood(asked)
    for mine, local in zip(models[way].likelihood(asked), expected, strict=True):
        assert isinstance(mine, Scored), mine
        np.testing.assert_allclose(mine.logprobs, local.logprobs, atol=1e-4, rtol=0)
        assert (mine.tokens, mine.prompt_tokens) == (local.tokens, local.prompt_tokens)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["audio", "text"])
def test_replies_are_those_of_the_local_model(models: dict[str, EndpointModel], spec: str) -> None:
    asked = requests(spec)
    assert models["forced"].generate(asked, 24) == served_model().generate(asked, 24)
    assert models["forced"].generate(asked, 2) == served_model().generate(asked, 2)


@pytest.mark.slow
def test_what_may_change_an_answer_is_in_the_fingerprint(server: Server, models: dict[str, EndpointModel]) -> None:
    exact = models["prompt_logprobs"]
    assert exact.fingerprint() == {
        "class": "endpoint",
        "model": SERVED,
        "answers_as": SERVED,
        "server": {"id": SERVED, "object": "model", "owned_by": "tests", "root": "tiny"},
        "audio": "input_audio, float",
        "greedy": {"temperature": 0, "repetition_penalty": 1.0},
        "likelihood": "prompt_logprobs",
    }
    assert models["forced"].fingerprint() == exact.fingerprint() | {"likelihood": "forced"}
    with serving() as elsewhere:  # the same model on another port is the same model
        again = load(elsewhere)
    assert again.fingerprint() == exact.fingerprint()
    assert again.name == SERVED
    assert again.capabilities == {"audio", "generate", "likelihood", "sampling"}
    assert set(load(server, likelihood="letters").fingerprint()) == {*exact.fingerprint(), "letters_sha256"}


def test_a_prefix_that_reads_as_other_tokens_fails_alone(models: dict[str, EndpointModel]) -> None:
    asked = requests("text", [("Which?", ("🎻", "drum")), QUESTIONS[0]])
    failed, fine = models["forced"].likelihood(asked)
    assert isinstance(failed, AudiocontribError)
    assert "not read as the tokens" in str(failed)
    local = served_model().likelihood(asked)
    assert isinstance(fine, Scored)
    np.testing.assert_allclose(fine.logprobs, local[1].logprobs, atol=1e-4)
    exact = models["prompt_logprobs"].likelihood(asked[:1])[0]
    assert isinstance(exact, Scored)
    np.testing.assert_allclose(exact.logprobs, local[0].logprobs, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("able", "capabilities", "facts", "refused"),
    [
        (Able(prompt_logprobs=False), "audio generate likelihood", {"likelihood": "forced"}, {"prompt_logprobs"}),
        (Able(prompt_logprobs=False, named_logprobs=False), "audio generate", {}, {"prompt_logprobs", "forced"}),
        (Able(goes_on=False), "audio generate", {"likelihood": None}, {"prompt_logprobs", "forced"}),
        (Able(audio=False), "generate likelihood", {"audio": None}, {"audio"}),
        (Able(deaf=True), "generate likelihood", {"audio": None}, {"audio"}),
        (Able(text=False), "audio generate likelihood", {}, {"text"}),
        (Able(url_only=True), "audio generate likelihood", {"audio": "audio_url, float"}, set()),
        (Able(sixteen_bit_only=True), "audio generate likelihood", {"audio": "input_audio, 16 bit"}, set()),
        (
            Able(strict=True, prompt_logprobs=False, named_logprobs=False),
            "audio generate",
            {"greedy": {"temperature": 0}},
            {"prompt_logprobs", "forced"},
        ),
        (Able(usage=False), "generate", {"audio": None}, {"audio", "prompt_logprobs", "forced"}),
    ],
)
def test_what_a_server_can_do_is_found_out(
    able: Able, capabilities: str, facts: dict[str, Any], refused: set[str]
) -> None:
    with serving(able) as server:
        model = load(server)
    assert model.capabilities == {*capabilities.split(), "sampling"}
    assert facts.items() <= model.fingerprint().items()
    assert model.found.refusals.keys() == refused
    assert all(reason and "\n" not in reason for reason in model.found.refusals.values())


def test_an_answer_that_makes_no_sense_is_no_ability() -> None:
    with serving(Able(prompt_logprobs=False, named_logprobs=False, polite=True)) as server:
        model = load(server, retries=0)
    assert model.capabilities == {"audio", "generate", "sampling"}
    assert "makes no sense (KeyError: 'tokens')" in model.found.refusals["forced"]


def test_a_bound_that_is_ignored_is_written_otherwise() -> None:
    with serving(Able(limit=("max_tokens",))) as server:
        model = load(server)
        [reply] = model.generate(requests("text")[:1], 3)
    assert model.found.dialect.limit == "max_tokens"
    assert isinstance(reply, Generated)
    assert len(served_model().tokenizer(reply.text).input_ids) <= 3
    with serving(Able(limit=())) as server, pytest.raises(AudiocontribError, match="keeps to no bound"):
        load(server)


@pytest.mark.slow
def test_other_ways_to_send_a_clip_are_heard_alike() -> None:
    asked = requests("audio")
    with serving(Able(url_only=True)) as server:
        by_url = load(server).likelihood(asked)
    with serving(Able(sixteen_bit_only=True)) as server:
        rounded = load(server).likelihood(asked)
    for url, bits, local in zip(by_url, rounded, served_model().likelihood(asked), strict=True):
        assert isinstance(url, Scored)
        assert isinstance(bits, Scored)
        np.testing.assert_allclose(url.logprobs, local.logprobs, atol=1e-4)
        np.testing.assert_allclose(bits.logprobs, local.logprobs, atol=0.05)  # rounded to 16 bits, and so not the same


def test_what_it_cannot_do_is_refused_before_anything_is_asked(tmp_path: Any) -> None:
    with serving(Able(deaf=True, prompt_logprobs=False, named_logprobs=False)) as server:
        model = load(server)
        with pytest.raises(UsageError, match="cannot be asked by likelihood; it can: generate"):
            make_asking(["text"], "likelihood", "given", "audiomcq").check(model)
        with pytest.raises(UsageError, match="reads text only"):
            make_asking(["audio"], "generate", "given", "audiomcq").check(model)
        with pytest.raises(AudiocontribError, match=r"gives no likelihood: .*no more tokens.*prompt_logprobs.*404"):
            model.likelihood(requests("text"))
        with pytest.raises(AudiocontribError, match=r"likelihood=forced is not to be had: .* 404"):
            load(server, likelihood="forced")


def _says(first: dict[str, float]) -> Any:
    """A fault: replies whose first token is distributed so, where letters are asked for."""

    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        if not body.get("logprobs"):
            return False
        data = chat(handler.server.model, handler.server.able, body)
        entries = [{"token": token, "logprob": value} for token, value in first.items()]
        data["choices"][0]["logprobs"] = {"content": [entries[0] | {"top_logprobs": entries}]}
        handler.send(200, data)
        return True

    return fault


def test_letters_are_scored_where_they_are_asked_for() -> None:
    told = {"A": -0.5, " A": -2.0, "C": -3.0, "B": -1.5, "the": -6.0}
    asked = requests("text", [QUESTIONS[0], QUESTIONS[2]])
    with serving(Able(strict=True, prompt_logprobs=False, named_logprobs=False), _says(told)) as server:
        model = load(server, likelihood="letters")
        scored, short = model.likelihood(asked)
        read = server.seen.bodies[-1]["messages"][1]["content"]
    assert isinstance(scored, Scored)
    np.testing.assert_allclose(scored.logprobs, (math.log(math.exp(-0.5) + math.exp(-2.0)), -1.5, -3.0))
    assert scored.tokens == (1, 1, 1)
    # the second question has four options, and nothing is known of D but a bound
    assert isinstance(short, AudiocontribError)
    assert "the letter D is not among the 5 likeliest tokens: log p is below -6.00" in str(short)
    assert read in {letters.lettered(request.prompt).user for request in asked}
    assert letters.lettered(asked[0].prompt).user == (
        "Which sound is heard?\nChoose one of these options:\nA. hiss\nB. whistle\nC. bell\n"
        "Answer with the letter of the option only."
    )


def test_requests_under_way_are_bounded(server: Server) -> None:
    model = load(server, concurrency=3)
    server.seen.most = 0
    model.likelihood(requests("text"))
    assert 2 <= server.seen.most <= 3


def test_it_works_where_a_loop_is_running_already(models: dict[str, EndpointModel]) -> None:
    async def notebook() -> Any:
        return models["forced"].generate(requests("text")[:1], 2)

    assert asyncio.run(notebook()) == served_model().generate(requests("text")[:1], 2)


@pytest.mark.slow
def test_a_run_asks_it_as_it_asks_any_model(server: Server, tmp_path: Any) -> None:
    items = ac.load_items("demo", seed=3, limit=3)
    name = f"endpoint:{SERVED}@{server.url},name=served,seconds=0.5"
    run = ac.score(items, [name], ["audio", "text"], run=tmp_path / "r", progress=False)
    local = ac.score(
        items, ["tiny-qwen2.5-omni"], ["text"], run=tmp_path / "l", progress=False, model_options={"device": "cpu"}
    )
    answers = run.responses
    assert set(answers["outcome"]) == {"answered"}
    assert answers[answers["condition"] == "audio"]["audio_seconds"].max() == 0.5
    key = ["item_id", "order"]
    mine = answers[answers["condition"] == "text"].sort_values(key)
    for a, b in zip(mine["option_logprob"], local.responses.sort_values(key)["option_logprob"], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my-model", "write MODEL@URL"),
        ("my-model@localhost:8000", "write MODEL@URL"),
        ("@http://localhost/v1", "write MODEL@URL"),
        ("m@http://localhost/v1,concurrency", "write MODEL@URL"),
        ("m@http://user:sk-secret@localhost/v1", "no user, password or query"),
        ("m@http://localhost/v1?key=sk-secret", "no user, password or query"),
        ("m@http://localhost/v1,speed=3", "there is no field 'speed'; there are: name, key, concurrency"),
        ("m@http://localhost/v1,concurrency=0", "concurrency must be a whole number above 0"),
        ("m@http://localhost/v1,timeout=soon", "timeout must be a number above 0"),
        ("m@http://localhost/v1,retries=-1", "retries must be a whole number of at least 0"),
        (
            "m@http://localhost/v1,likelihood=best",
            "likelihood must be 'auto', 'prompt_logprobs', 'forced' or 'letters'",
        ),
        ("m@http://localhost/v1,key=sk-secret", "key must be the name of a variable"),
        ("m@http://[secret/v1", "the address must be http://HOST:PORT/PATH"),
        ("m@http://localhost:99999/v1", "the address must be http://HOST:PORT/PATH"),
        ("m@http:///v1", "the address must be http://HOST:PORT/PATH"),
        ("m@http://localhost/v1,retries=1,retries=2", "the field 'retries' stands there twice"),
        ("m@http://localhost/v1,model=other", "there is no field 'model'"),
        ("m@http://localhost/v1,key=SK_SECRET_UNSET", "names a variable of the environment, and it is not set"),
    ],
)
def test_a_wrong_address_is_one_line_without_secrets(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_model(f"endpoint:{text}")
    assert "secret" not in str(caught.value).lower()


def test_addresses() -> None:
    read = Address.parse("org/a@b:7b@https://host:8000/api/v1/,concurrency=64,timeout=9.5,name=b,likelihood=forced")
    assert read == Address(
        model="org/a@b:7b", url="https://host:8000/api/v1", name="b", concurrency=64, timeout=9.5, likelihood="forced"
    )
    with pytest.raises(UsageError, match="name model and server"):
        load_model("endpoint")


def test_a_server_that_is_not_there_or_has_no_such_model(server: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(AudiocontribError, match=f"m at http://127.0.0.1:{port}/v1: nothing answers there; start"):
            load_model(f"endpoint:m@http://127.0.0.1:{port}/v1,retries=0")
    with pytest.raises(UsageError, match=f"no model is called 'other'; there are: {SERVED}"):
        load_model(f"endpoint:other@{server.url}")
    with pytest.raises(AudiocontribError, match="makes no sense"):
        load_model(f"endpoint:other@{server.url.removesuffix('/v1')},retries=0")
