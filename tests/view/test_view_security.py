"""Who may ask a viewer: nobody but the browser with the token, by the printed address, from the page itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.store_tools import start
from helpers.viewing import HERE, PORT, client
from starlette.websockets import WebSocketDisconnect

import audiocontrib as ac

READS = ["/", "/static/view.js", "/api/runs", "/api/run?run=toy", "/api/items?run=toy", "/api/marks?run=toy", "/report"]
OWN = {"origin": HERE, "content-type": "application/json"}
SQL = {"run": "toy", "sql": "select 1 as a"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    start(tmp_path / "toy")
    return tmp_path


def test_the_token_becomes_a_cookie_and_leaves_the_address(folder: Path) -> None:
    tab = client(folder, token=False)
    address = tab.app.address  # type: ignore[attr-defined]
    answer = tab.get(f"{address}&run=toy")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?run=toy")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert tab.get("/?run=toy").status_code == 200
    assert len(address.split("token=")[1]) >= 32


@pytest.mark.parametrize("path", READS)
def test_nothing_without_the_token(folder: Path, path: str) -> None:
    tab = client(folder, token=False)
    assert tab.get(path).status_code == 403
    assert tab.get("/?token=guessed").status_code == 403
    assert tab.get("/?token=").status_code == 403
    assert tab.get(path, headers={"cookie": f"audiocontrib_{PORT}=guessed"}).status_code == 403
    assert tab.post("/api/sql", json=SQL, headers=OWN).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "localhost:1", f"[::1]:{PORT}", ""]
)
def test_another_host_is_refused_even_with_the_token(folder: Path, host: str) -> None:
    tab = client(folder)
    assert tab.get("/api/runs", headers={"host": host}).status_code == 400
    token = tab.app.token  # type: ignore[attr-defined]
    assert tab.get(f"/?token={token}", headers={"host": host}).status_code in (400, 403)


def test_localhost_is_this_machine_too(folder: Path) -> None:
    tab = client(folder)
    cookie = "; ".join(f"{name}={value}" for name, value in tab.cookies.items())
    assert tab.get("/api/runs", headers={"host": f"localhost:{PORT}", "cookie": cookie}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": f"http://127.0.0.1:{PORT + 1}"}, 403),
        ({"origin": f"https://127.0.0.1:{PORT}"}, 403),
        (OWN | {"sec-fetch-site": "cross-site"}, 403),
        (OWN | {"sec-fetch-site": "same-site"}, 403),
        (OWN | {"content-type": "text/plain"}, 415),
        (OWN | {"content-type": "application/x-www-form-urlencoded"}, 415),
        (OWN | {"content-type": ""}, 415),
        (OWN, 200),
        (OWN | {"sec-fetch-site": "same-origin"}, 200),
    ],
)  # fmt: skip
def test_only_the_page_itself_changes_something(folder: Path, headers: dict[str, str], status: int) -> None:
    body = b'{"run": "toy", "item": "toy/1", "kind": "fine"}'
    answer = client(folder).post("/api/mark", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert len(ac.marks(ac.open_run(folder / "toy"))) == (status == 200)


def test_nothing_changes_by_get_and_nothing_large_is_read(folder: Path) -> None:
    tab = client(folder)
    assert tab.get("/api/mark?run=toy&item=toy/1&kind=fine").status_code == 405
    assert tab.put("/api/mark", json={}, headers=OWN).status_code == 405
    assert tab.options("/api/mark", headers={"origin": "http://evil.example"}).status_code == 405
    assert tab.post("/api/sql", content=b"{" + b" " * 70_000 + b"}", headers=OWN).status_code == 413
    assert tab.post("/api/sql", content=b"[1]", headers=OWN).json() == {"error": "what is sent must be a JSON object"}
    assert tab.post("/api/sql", content=b"[" * 50_000, headers=OWN).status_code == 400


def test_other_sites_pages_may_not_embed_what_it_serves(folder: Path) -> None:
    """A page of another port is the same site to a cookie."""
    tab = client(folder)
    for site in ("cross-site", "same-site"):
        assert tab.get("/api/runs", headers={"sec-fetch-site": site}).status_code == 403
    with pytest.raises(WebSocketDisconnect) as closed, tab.websocket_connect("/api/runs"):
        pass
    assert closed.value.code == 1008


def test_every_answer_says_what_a_browser_may_do(folder: Path) -> None:
    tab = client(folder)
    for path in ("/", "/api/runs", "/static/view.js", "/static/none.js", "/nowhere"):
        told = tab.get(path).headers
        policy = told["content-security-policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert told["x-content-type-options"] == "nosniff"
        assert told["cache-control"] == "no-store"
        assert not [name for name in told if name.startswith("access-control")]
    assert "<script>" not in tab.get("/").text


TRICKS = ["..", "../toy", "toy/../toy", "/etc", "%2e%2e", "toy\0", "", "toy/", "file:toy", "*", "TOY", "~"]


@pytest.mark.parametrize("name", TRICKS)
def test_names_are_never_paths(folder: Path, name: str) -> None:
    tab = client(folder)
    for path in ("/api/run", "/api/items", "/api/item", "/api/sound", "/api/marks", "/report", "/api/state"):
        answer = tab.get(path, params={"run": name, "item": "toy/1", "condition": "audio"})
        assert answer.status_code == 400, path
        assert "there is no run" in answer.json()["error"]
    assert tab.post("/api/sql", json=SQL | {"run": name}, headers=OWN).status_code == 400
    for file in ("..%2fapp.py", "%2e%2e/app.py", "index.html", "vendor", "../security.py"):
        assert tab.get(f"/static/{file}").status_code in (404, 400)
