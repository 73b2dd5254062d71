"""The viewer in a real browser: quiet, alone, by keyboard; a run that grows, marks, sounds; and a bundle."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from helpers.chromium import opened_chromium
from helpers.shared import made_once
from helpers.store_tools import items, manifest, response
from helpers.viewing import EVIL, make_run

import audiocontrib as ac
from audiocontrib.store import Run
from audiocontrib.view.app import make_app
from audiocontrib.view.bundle import write_bundle
from audiocontrib.view.security import Door
from audiocontrib.view.serve import _listening, _private_link
from audiocontrib.view.shelf import Shelf

ROWS = "#browser tr.item"
pytestmark = pytest.mark.slow


@contextmanager
def served(*places: Path) -> Iterator[Door]:
    at, shelf = _listening(0), Shelf(places)
    door = Door(make_app(shelf, "ann"), at.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(door, log_level="warning", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [at]}, daemon=True)
    thread.start()
    yield door
    server.should_exit = True
    thread.join(10)
    at.close()
    shelf.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ac.open_run(made_once(tmp_path_factory, "viewed", lambda folder: make_run(folder / "r")) / "r")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_chromium() as opened:
        yield opened


@contextmanager
def tab_of(browser: Any, width: int = 1280) -> Iterator[Any]:
    """A tab that must stay quiet and ask nobody else."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = context.new_page()
    said: list[str] = []
    hosts: set[str] = set()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda asked: hosts.add(asked.url.split("/")[2]))
    yield tab
    assert said == []
    assert len({host for host in hosts if host}) == 1
    assert tab.evaluate("window.hurt") is None
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_items_are_found_heard_marked_and_the_address_keeps_it(
    browser: Any, run: Run, tmp_path: Path, width: int
) -> None:
    own = Path(shutil.copytree(run.path, tmp_path / "r"))
    with served(own) as door, tab_of(browser, width) as tab:
        tab.goto(door.address)
        tab.wait_for_selector(ROWS)
        assert "token" not in tab.url
        assert tab.locator(ROWS).count() == 27
        assert tab.locator("#sentences li").count() == 2
        tab.keyboard.press("/")
        tab.keyboard.type("onerror")
        tab.wait_for_function("() => document.querySelector('#count').textContent === '1 of 27'")
        tab.locator(f"{ROWS} button").focus()
        tab.keyboard.press("Enter")
        tab.wait_for_selector("tr.detail .sounds")
        assert EVIL[1] in tab.locator("tr.detail").inner_text()
        tab.get_by_role("button", name="swap", exact=True).click()
        tab.wait_for_selector(".wave canvas, .wave > div", state="attached")
        tab.wait_for_function("() => document.querySelector('.sounds [role=status]').textContent.includes('hash')")
        tab.evaluate("document.querySelector('.sounds audio').play()")
        tab.wait_for_function("() => document.querySelector('.sounds audio').currentTime > 0.02")
        tab.locator(".mark select").first.select_option("wrong key")
        tab.locator(".mark select").last.select_option("0")
        tab.locator(".mark input").fill(EVIL[0])
        tab.locator(".mark button").click()
        tab.wait_for_selector("#mark-list td")
        address = tab.url
        tab.keyboard.press("Escape")
        assert tab.locator("tr.detail").count() == 0
        tab.goto("about:blank")
        tab.goto(address)
        tab.wait_for_selector("tr.detail .sounds")
        assert tab.locator("#find").input_value() == "onerror"
        assert EVIL[0] in tab.locator("#mark-list").inner_text()
    [mark] = ac.marks(ac.open_run(own)).to_pylist()
    assert (mark["kind"], mark["answer"], mark["note"], mark["by"]) == ("wrong key", 0, EVIL[0], "ann")


def test_two_models_side_by_side_and_sql(browser: Any, run: Run) -> None:
    with served(run.path) as door, tab_of(browser) as tab:
        tab.goto(door.address)
        tab.wait_for_selector(ROWS)
        tab.locator("select[name=other]").select_option("beta")
        tab.wait_for_selector("#compared table")
        numbers = [int(cell.split()[0]) for cell in tab.locator("#compared tbody td").all_inner_texts()]
        assert sum(numbers) == 27
        tab.locator("select[name=differs]").select_option("right only here")
        tab.wait_for_function(f"() => document.querySelectorAll('{ROWS}').length === {numbers[0]}")
        tab.locator("#sql-text").fill("select '<img src=x onerror=window.hurt=3>' as a")
        tab.keyboard.press("Control+Enter")
        tab.wait_for_selector("#sql-rows td")
        assert "<img src=x" in tab.locator("#sql-rows td").inner_text()


def test_a_run_grows_on_the_page(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.view.counting.REST", 0)
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(4))
    run.append([response(0)])
    with served(tmp_path) as door, tab_of(browser) as tab:
        tab.goto(door.address)
        tab.wait_for_function("() => document.querySelector('#live').textContent === '1 answers'")
        right = (
            "() => [...document.querySelectorAll('td.votes')].filter((cell) => cell.textContent.includes('✓')).length"
        )
        tab.wait_for_function(f"{right} === 1")
        run.append([response(n) for n in (1, 2)])
        tab.wait_for_function("() => document.querySelector('#live').textContent === '3 answers'", timeout=15_000)
        tab.wait_for_function(f"{right} === 3", timeout=15_000)


def test_the_file_that_opens_it_and_a_stranger(browser: Any, run: Run, tmp_path: Path) -> None:
    with served(run.path) as door:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(_private_link(tmp_path, door.address))
        tab.wait_for_selector(ROWS)
        assert "token" not in tab.url
        assert context.new_page().goto(tab.url).status == 200
        assert browser.new_context().new_page().goto(tab.url).status == 403
        context.close()


def test_a_bundle_from_any_static_server(browser: Any, run: Run, tmp_path: Path) -> None:
    write_bundle([run.path], tmp_path / "at" / "site", clips=True)
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=tmp_path / "at")) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with tab_of(browser) as tab:
            tab.goto(f"http://127.0.0.1:{web.server_port}/site/#find=onerror")
            tab.wait_for_selector(ROWS)
            assert tab.locator("#count").inner_text() == "1 of 27"
            tab.locator(f"{ROWS} button").click()
            tab.get_by_role("button", name="audio", exact=True).click()
            tab.wait_for_function("() => document.querySelector('.sounds [role=status]').textContent.includes('copy')")
            assert tab.locator("#marks, #sql, .mark").locator("visible=true").count() == 0
            tab.locator("#clear").click()
            tab.locator("select[name=changed]").select_option("right only with the audio")
            tab.wait_for_function("() => !document.querySelector('#count').textContent.startsWith('1 of')")
            with served(run.path) as door:
                live = browser.new_context().new_page()
                live.goto(door.address)
                live.goto(f"{door.address.split('?')[0]}#changed=right+only+with+the+audio")
                live.wait_for_function("() => document.querySelector('#count').textContent.match(/^[0-9]+ of 27$/)")
                assert live.locator("#count").inner_text() == tab.locator("#count").inner_text()
        web.shutdown()
