"""A server is asked for drawn replies with temperature, top_p and seed; what it does not take is said."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.endpoint_server import SERVED, Handler, Refusal, serving
from helpers.planted import questions

import audiocontrib as ac
from audiocontrib.models import load_model
from audiocontrib.scoring.sampling import Sampling

DRAWN = Sampling(repeats=2, temperature=0.6, top_p=0.9, seed=5)


def refusing(*words: str) -> Any:
    def fault(handler: Handler, body: dict[str, Any]) -> bool:
        if found := set(words) & set(body):
            raise Refusal(400, f"Unrecognized request argument supplied: {min(found)}")
        return False

    return fault


def score(server: Any, folder: Any, **how: Any) -> ac.Run:
    model = load_model(f"endpoint:{SERVED}@{server.url},retries=0")
    model.name = "served"
    server.seen.bodies.clear()
    how = {"method": "generate", "orders": "given", "progress": True, "sampling": DRAWN} | how
    return ac.score(questions(2), model, "text", run=folder, **how)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refused", "sent", "said"),
    [
        ((), {"seed", "top_k", "min_p"}, ""),
        (("top_k",), {"seed"}, "its server takes no min_p, top_k"),
        (("seed",), set(), "takes no min_p, seed, top_k; without a seed, the same replies cannot be had again"),
    ],
)
def test_what_a_server_takes_is_sent(
    refused: tuple[str, ...], sent: set[str], said: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        server.fault = refusing(*refused)
        run = score(server, tmp_path / "r")
        taken = [body for body in server.seen.bodies if not set(refused) & set(body)]
    assert run.query("select count(*) as n from responses where outcome <> 'failed'")["n"].tolist() == [4]
    assert len(taken) == 4
    for body in taken:
        assert (body["temperature"], body["top_p"]) == (0.6, 0.9)
        assert {"seed", "top_k", "min_p"} & set(body) == sent
    assert len({body.get("seed") for body in taken}) == (4 if "seed" in sent else 1)
    shown = capsys.readouterr().err
    assert (said in shown) if said else ("takes no" not in shown)


def test_greedy_requests_are_as_they_were(tmp_path: Any) -> None:
    with serving() as server:
        score(server, tmp_path / "r", sampling=Sampling())
        bodies = list(server.seen.bodies)
    assert len(bodies) == 2
    assert all(body["temperature"] == 0 and not {"seed", "top_p", "top_k"} & set(body) for body in bodies)


def test_a_server_that_draws_nothing_fails_in_a_line(tmp_path: Any) -> None:
    with serving() as server:
        server.fault = refusing("top_p")
        run = score(server, tmp_path / "r")
    assert set(run.responses["outcome"]) == {"failed"}
    assert all("top_p" in error and "\n" not in error for error in run.responses["error"])
