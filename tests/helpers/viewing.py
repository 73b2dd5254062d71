"""A run to look at, with hostile texts in it, and a client that has the token."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

import audiocontrib as ac
from audiocontrib.items import Items, make_item
from audiocontrib.store import Run
from audiocontrib.view.app import make_app
from audiocontrib.view.security import Door
from audiocontrib.view.shelf import Shelf

EVIL = ["<script>window.hurt = 1</script>", '"><img src=x onerror="window.hurt = 2">', "'; drop table items; --"]
MODELS = ["mock:name=alpha,skill=0.9,leak=0.4,seed=1", "mock:name=beta,skill=0.7,leak=0.3,seed=2"]
CONDITIONS = ["audio", "silence", "text", "swap", "mask:50"]
PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"


def make_run(folder: Path, n: int = 24) -> Run:
    """Demo items and three with hostile texts, two models, a saved split."""
    demo = ac.load_items("demo", seed=4, limit=n)
    evil = [
        make_item(
            dataset="demo", own_id=f"evil-{i}", question=f"{text} Which?", choices=["a", text, "c"], answer=text,
            audio=demo[i].audio, question_type=text,
        )
        for i, text in enumerate(EVIL)
    ]  # fmt: skip
    items = Items([*demo, *evil], (), demo.origin)
    run = ac.score(items, MODELS, CONDITIONS, orders="given", run=folder, progress=False)
    ac.split(run, rule="votes").save(run.split_folder("votes"))
    return run


def client(*places: Path, by: str = "", token: bool = True) -> TestClient:
    """A browser at the door of a viewer, which was given the token or not."""
    door = Door(make_app(Shelf(places), by), PORT)
    made = TestClient(door, base_url=HERE, follow_redirects=False)
    if token:
        assert made.get(door.address).status_code == 303
    return made
