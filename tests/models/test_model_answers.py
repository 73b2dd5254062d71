"""What a model gives back is checked: what is not as it should be is a failed row with the reason, never a choice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models import Generated, Model, Request, Scored, load_model
from audiocontrib.models.check import check_answers
from audiocontrib.store import Run

torch = lazy("torch")


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", limit=3)


class Given(Model):
    """Answers with whatever a function makes of a batch."""

    def __init__(self, answers: Callable[[Sequence[Request]], Any]) -> None:
        self.answers = answers

    def fingerprint(self) -> dict[str, Any]:
        return {"class": "given"}

    def likelihood(self, requests: Sequence[Request]) -> Any:
        return self.answers(requests)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Any:
        return self.answers(requests)


def right(request: Request) -> Scored:
    k = len(request.prompt.options)
    return Scored(tuple(-1.0 - place for place in range(k)), (2,) * k, 7, "a dog")


def asked(items: Items, model: Model, folder: Path, method: str = "likelihood") -> Run:
    return ac.score(items, [model], ["text"], method=method, run=folder, progress=False)


def raises(error: BaseException) -> Any:
    raise error


def changed(**fields: Any) -> Callable[[Sequence[Request]], Any]:
    return lambda requests: [replace(right(r), **fields) for r in requests]


def logprobs(make: Callable[[int], Any]) -> Callable[[Sequence[Request]], Any]:
    return lambda requests: [replace(right(r), logprobs=make(len(r.prompt.options))) for r in requests]


SCORES: dict[str, tuple[Callable[[Sequence[Request]], Any], str]] = {
    "None": (lambda requests: None, "likelihood gave None"),
    "number": (lambda requests: 0.5, "gave a float"),
    "text": (lambda requests: "A" * len(requests), "gave a str"),
    "generator": (lambda requests: (right(r) for r in requests), "gave a generator"),
    "dict": (lambda requests: {r.item.id: right(r) for r in requests}, "gave a dict"),
    "array": (lambda requests: np.zeros((len(requests), 4)), "gave a ndarray"),
    "too few": (lambda requests: [], "0 answers to 1 requests"),
    "too many": (lambda requests: [right(r) for r in requests] * 2, "2 answers to 1 requests"),
    "Nones": (lambda requests: [None] * len(requests), "gave None in the place of a Scored"),
    "choices": (lambda requests: [9] * len(requests), "gave an int in the place of a Scored"),
    "replies": (lambda requests: [Generated("a")] * len(requests), "gave a Generated in the place of a Scored"),
    "one too few": (logprobs(lambda k: (-1.0,) * (k - 1)), r"logprobs has \d numbers for \d options"),
    "one too many": (logprobs(lambda k: (-1.0,) * (k + 1)), r"logprobs has \d numbers for \d options"),
    "none at all": (logprobs(lambda k: ()), "logprobs has 0 numbers"),
    "no numbers": (logprobs(lambda k: None), "logprobs is None"),
    "a generator of numbers": (logprobs(lambda k: (-1.0 for _ in range(k))), "logprobs is a generator"),
    "texts": (logprobs(lambda k: ("-1",) * k), "logprobs holds a str"),
    "truth values": (logprobs(lambda k: (False,) * k), "logprobs holds a bool"),
    "tensors": (logprobs(lambda k: tuple(-torch.ones(k))), "logprobs holds a Tensor"),
    "columns": (logprobs(lambda k: -np.ones((k, 1))), "logprobs holds a ndarray"),
    "NaN": (logprobs(lambda k: (float("nan"),) * k), "not finite"),
    "one NaN": (logprobs(lambda k: (-1.0,) * (k - 1) + (float("nan"),)), "not finite"),
    "infinity": (logprobs(lambda k: (float("-inf"),) * k), "not finite"),
    "probabilities": (logprobs(lambda k: (1 / k,) * k), r"log-probability is 0\.\d+.*is it a probability"),
    "tokens of another question": (changed(tokens=(1,)), "tokens has 1 numbers"),
    "no tokens": (changed(tokens=None), "tokens is None"),
    "prompt_tokens": (changed(prompt_tokens="many"), "prompt_tokens is 'many'"),
    "part of a token": (changed(prompt_tokens=1.5), "prompt_tokens is 1.5"),
    "evidence": (changed(evidence=["dog"]), "evidence is a list"),
    "tokens of 0": (lambda rs: [replace(right(r), tokens=(0,) * len(r.prompt.options)) for r in rs], "at least 1"),
    "an exception": (
        lambda requests: raises(ValueError("no such thing")),
        r"^test_model_answers.py:\d+: ValueError: no such thing",
    ),
    "exceptions": (lambda requests: [KeyError("x")] * len(requests), "KeyError"),
    "the end": (lambda requests: raises(SystemExit(3)), "ends the program"),
}
REPLIES: dict[str, tuple[Callable[[Sequence[Request]], Any], str]] = {
    "a list of texts": (lambda requests: ["a"] * len(requests), "gave a str in the place of a Generated"),
    "None": (lambda requests: [Generated(None)] * len(requests), "the reply is None"),  # type: ignore[arg-type]
    "bytes": (lambda requests: [Generated(b"a")] * len(requests), "the reply is a bytes"),  # type: ignore[arg-type]
    "half a character": (lambda requests: [Generated("\ud800")] * len(requests), "surrogates"),
    "scores": (lambda requests: [right(r) for r in requests], "gave a Scored in the place of a Generated"),
    "its evidence": (lambda requests: [Generated("a", evidence=3)] * len(requests), "evidence is an int"),  # type: ignore[arg-type]
    "an exception": (lambda requests: raises(RuntimeError("\ud800")), "RuntimeError"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SCORES)
def test_scores_that_are_none_are_failures(kind: str, items: Items, tmp_path: Path) -> None:
    answers, part = SCORES[kind]
    assert_failed(asked(items, Given(answers), tmp_path), part, items)


@pytest.mark.parametrize("kind", REPLIES)
def test_replies_that_are_none_are_failures(kind: str, items: Items, tmp_path: Path) -> None:
    answers, part = REPLIES[kind]
    assert_failed(asked(items, Given(answers), tmp_path, "generate"), part, items)


def assert_failed(run: Run, part: str, items: Items) -> None:
    rows = run.responses
    assert len(rows) == sum(len(item.choices) for item in items)
    assert set(rows["outcome"]) == {"failed"}
    for column in ("choice", "posterior", "correct", "option_logprob", "reply"):
        assert rows[column].isna().all()
    assert rows["error"].str.contains(part).all(), set(rows["error"])
    assert not rows["error"].str.contains("\n").any()


def test_a_choice_beyond_the_options_is_no_choice(items: Items, tmp_path: Path) -> None:
    said = ["<answer>the ninth option</answer>", "(Z)", "9", "<answer></answer>", ""]
    model = Given(lambda requests: [Generated(said[n % len(said)]) for n in range(len(requests))])
    rows = asked(items, model, tmp_path, "generate").responses
    assert rows["choice"].isna().all()
    assert set(rows["outcome"]) == {"unparsed"}


def test_numbers_of_numpy_and_rounding_are_understood(items: Items, tmp_path: Path) -> None:
    kinds: list[Callable[[int], Any]] = [
        lambda k: -np.arange(1.0, k + 1), lambda k: list(-np.arange(1, k + 1, dtype=np.float32)),
        lambda k: tuple(range(-1, -k - 1, -1)), lambda k: [1e-9, *range(-1, -k, -1)],
    ]  # fmt: skip
    for number, make in enumerate(kinds):
        tokens = lambda k: np.ones(k, dtype=np.int64)  # noqa: E731
        model = Given(lambda rs, make=make, tokens=tokens: [
            Scored(make(len(r.prompt.options)), tokens(len(r.prompt.options)), np.int64(3)) for r in rs
        ])  # type: ignore[misc]  # fmt: skip
        rows = asked(items, model, tmp_path / str(number)).responses
        assert set(rows["outcome"]) == {"answered"}
        assert (rows[rows["order"] == 0]["choice"] == 0).all()


def test_what_is_right_comes_out_as_it_went_in() -> None:
    request = next(iter([r for r in batch() if r.prompt]))
    scored = Scored((-0.1, -1e300, -5e-324, -3.3), (1, 2, 3, 4), 5, "e")
    assert check_answers("m", "likelihood", [request], [scored]) == [scored]


def batch() -> list[Request]:
    from audiocontrib.conditions import condition
    from audiocontrib.prompts import make_prompt

    item = next(iter(ac.load_items("demo", limit=1)))
    return [Request(item, condition("text"), 0, make_prompt("q", ("a", "b", "c", "d"), has_audio=False), None)]


def test_one_bad_answer_spoils_no_other(items: Items, tmp_path: Path) -> None:
    def answers(requests: Sequence[Request]) -> Any:
        return [right(r) if r.order else None for r in requests]

    rows = asked(items, Given(answers), tmp_path).responses
    assert set(rows[rows["order"] == 0]["outcome"]) == {"failed"}
    assert set(rows[rows["order"] > 0]["outcome"]) == {"answered"}


def test_a_batch_of_the_wrong_length_is_asked_one_by_one(items: Items, tmp_path: Path) -> None:
    rows = asked(items, Given(lambda requests: [right(requests[0])]), tmp_path).responses
    assert set(rows["outcome"]) == {"answered"}  # with one request there is no doubt which answer is whose


@pytest.mark.slow
def test_failed_questions_are_told_in_one_line_with_model_and_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.py").write_text("def answer(prompt, audio):\n    return prompt.no_such_thing\n")
    (tmp_path / "nan.py").write_text("def answer(prompt, audio):\n    return 3.5\n")
    monkeypatch.chdir(tmp_path)
    for name, reason in (
        ("bad", "bad.py:2: AttributeError: 'str' object has no attribute 'no_such_thing'"),
        ("nan", "answer: the reply is a float, and must be a text"),
    ):
        words = ["score", "--dataset", "demo", "--limit", "3", "--model", f"{name}.py:answer", "--method", "generate",
                 "--condition", "text", "--quiet", "--run", name]  # fmt: skip
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 1
        first = sorted(item.id for item in ac.load_items("demo", limit=3))[0]
        count = len(ac.open_run(name).responses)
        assert f"failed {count} times: {reason} (e.g. answer on {first} under text)\n" in done.stderr
        again = CliRunner().invoke(main, words)  # they are asked again
        assert f"failed {count} times" in again.stderr


# the methods that may be left out


@dataclass(frozen=True)
class Frozen(Model):
    """All that is needed, as a frozen value."""

    top: int = 1

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        return [Generated(r.prompt.completion(r.prompt.options[0])) for r in requests]


class Derived(Frozen):
    """A class of a class."""


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    model = Frozen()
    assert (model.name, sorted(model.capabilities), model.max_seconds) == ("Frozen", ["audio", "generate"], None)
    assert (model.concurrency, dict(model.refusals), model.summary(), model.count_tokens([])) == (1, {}, "", None)
    assert model.prepare([]) == []
    model.keep_evidence(tmp_path)
    model.close()
    assert Derived().name == "Derived"
    told = Frozen(top=2).fingerprint()
    assert told["arguments"] == {"top": 2}
    assert {key for key in told if told[key] != Frozen(3).fingerprint()[key]} == {"arguments"}
    assert Derived().fingerprint()["class"] == "Derived"
    assert load_model("mock").identity() == load_model("mock").fingerprint()


def test_a_model_that_cannot_be_told_from_another_says_so(items: Items, tmp_path: Path) -> None:
    class Holding(Frozen):
        def __init__(self, net: object) -> None:
            super().__init__()

    with pytest.raises(UsageError, match="write its method fingerprint") as caught:
        asked(items, Holding(object()), tmp_path / "r", "generate")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r").exists()


class Preparing(Given):
    """Prepares requests as a function says, and answers with what it finds in them."""

    def __init__(self, make: Callable[[Request], Any]) -> None:
        super().__init__(lambda requests: [Generated(str(r.ready)) for r in requests])
        self.make = make
        self.threads: set[int] = set()

    def prepare(self, requests: Sequence[Request]) -> Any:
        self.threads.add(threading.get_ident())
        return [self.make(request) for request in requests]


def test_requests_are_prepared_in_another_thread(items: Items, tmp_path: Path) -> None:
    model = Preparing(lambda r: replace(r, ready=f"{r.item.id} {r.order}"))
    rows = asked(items, model, tmp_path, "generate").responses
    assert (rows["reply"] == rows["item_id"] + " " + rows["order"].astype(str)).all()
    assert threading.get_ident() not in model.threads


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda r: raises(ValueError("unreadable")), "ValueError: unreadable"),
        (lambda r: None, "prepare gave"),
        (lambda r: replace(r, order=r.order + 1), "prepare gave other requests"),
        (lambda r: replace(r, prompt=replace(r.prompt, user="other")), "prepare gave other requests"),
    ],
)
def test_what_cannot_be_prepared_is_a_failure_with_its_reason(
    make: Callable[[Request], Any], part: str, items: Items, tmp_path: Path
) -> None:
    assert_failed(asked(items, Preparing(make), tmp_path, "generate"), part, items)


def test_what_is_prepared_at_the_second_attempt_is_answered(items: Items, tmp_path: Path) -> None:
    seen: set[tuple[str, int]] = set()

    def make(request: Request) -> Request:
        key = request.item.id, request.order
        if key not in seen:
            seen.add(key)
            raise MemoryError
        return replace(request, ready="¤")

    rows = asked(items, Preparing(make), tmp_path, "generate").responses
    assert set(rows["outcome"]) == {"unparsed"}  # it was asked


def test_what_score_loaded_is_closed_and_what_it_was_given_is_not(
    items: Items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiocontrib.models.mock import MockModel

    closed: list[str] = []
    monkeypatch.setattr(MockModel, "close", lambda self: closed.append(self.name))
    given = load_model("mock:name=given")
    ac.score(items, [given, "mock:name=loaded"], ["text"], run=tmp_path / "r", progress=False)
    assert closed == ["loaded"]
    with pytest.raises(AudiocontribError, match="asked otherwise"):
        ac.score(items, ["mock:name=other"], ["text"], method="generate", run=tmp_path / "r", progress=False)
    assert closed == ["loaded", "other"]
