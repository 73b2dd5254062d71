"""What a notebook shows: texts stay texts, sizes are bounded, and clips can be played."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import audiocontrib as ac
from audiocontrib.items import Items
from audiocontrib.items.view import PLAYERS, ROOM, SHOWN
from audiocontrib.notebook import LONGEST, arrow_html, escaped, html_table

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>x</h1>",
    '"><audio src="http://evil/x.wav" autoplay>',
    "&lt;b&gt;",
    "'); drop table items; --",
    "\x00\x1b[31m",
    "a\nb\tc",
    "\u202eabc",
    "<!-- -->",
    "javascript:alert(1)",
)
OWN_TAGS = {"div", "b", "br", "table", "thead", "tbody", "tr", "th", "td", "audio"}


class Page(HTMLParser):
    """The tags, their attributes and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(value: Any) -> Page:
    shown = Page(value if isinstance(value, str) else value._repr_html_())
    assert {tag for tag, _ in shown.tags} <= OWN_TAGS
    for tag, attributes in shown.tags:
        allowed = {"audio": {"controls", "preload", "src"}, "div": {"class"}}.get(tag, set())
        assert set(attributes) <= allowed
        assert (attributes.get("src") or "data:audio/ogg;base64,").startswith("data:audio/ogg;base64,")
    return shown


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", limit=14)


@pytest.fixture(scope="module")
def run(items: Items, tmp_path_factory: pytest.TempPathFactory) -> ac.Run:
    folder = tmp_path_factory.mktemp("shown") / "run"
    made = ac.score(items, ["mock:seed=1"], ["audio", "silence"], names=["<b>bold</b>"], run=folder, progress=False)
    ac.split(made).save(made.split_folder("votes"))
    return made


def hostile(text: str) -> ac.Item:
    return ac.Item(
        id=f"x/{text}", dataset=text, question=text, choices=(text, "other"), answer=0,
        audio=ac.Clip(f"{text[:20]}.wav"), clip_id=text, question_type=text, notes=(text,), extra={text: text},
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_stays_a_text(text: str) -> None:
    item = hostile(text)
    bad = ac.load_items([{"question": text, "choices": [text], "answer": text, "audio": text}], name=text)
    for value in (Items([item], (), {"name": text}), bad):
        assert text in "".join(page(value).texts) or repr(text)[1:-1] in "".join(page(value).texts)
    table = pa.table({text: [text], "list": [[text]], "number": [0.123456]})
    assert "".join(page(arrow_html(table)).texts).count(text) >= 2


def test_formulas_in_texts_are_left_alone(items: Items, run: ac.Run) -> None:
    for value in (items, run, run.split("votes"), ac.split(run), ac.show(run)):
        assert page(value).tags[0][1]["class"] == "tex2jax_ignore mathjax_ignore"


def test_half_a_character_can_be_sent_to_the_browser() -> None:
    assert escaped("a\ud800b").encode() == b"a?b"


def test_the_first_clips_can_be_played_and_the_view_is_small(items: Items) -> None:
    text = items._repr_html_()
    assert text.count("<audio ") == PLAYERS
    assert len(text) < ROOM + 100_000
    shown = page(items)
    assert f"… and {len(items) - SHOWN} more" in shown.texts
    gold = items[0].choices[items[0].answer or 0]
    assert f"<b>{gold}</b>" in text


@pytest.mark.slow
def test_a_view_is_bounded_whatever_is_in_it(tmp_path: Path) -> None:
    long = "x" * 100_000
    noise = np.random.default_rng(0).standard_normal(16_000 * 120).clip(-1, 1).astype("float32")
    rows = [
        {"question": long + str(n), "choices": [f"{long}{k}" for k in range(26)], "answer": long + "0",
         "audio": {"array": noise, "sampling_rate": 16_000}}
        for n in range(20)
    ]  # fmt: skip
    items = ac.load_items(
        rows + [{"question": "", "choices": [], "answer": "", "audio": long}] * 500, audio_root=tmp_path
    )
    text = items._repr_html_()
    assert len(text) < ROOM + 27 * SHOWN * (LONGEST + 20) + 100_000
    assert "… and 490 more quarantined" in page(items).texts


@pytest.mark.parametrize(
    "clip", [None, ac.Clip("none.wav"), ac.Clip("../../etc/passwd", "/tmp"), ac.Clip(data=b"no sound")]
)
def test_a_clip_that_cannot_be_heard_is_named(items: Items, clip: ac.Clip | None) -> None:
    shown = Items([replace(items[0], audio=clip)])
    assert "<audio" not in shown._repr_html_()
    assert str(clip or "–") in page(shown).texts


def test_runs_splits_and_overviews(run: ac.Run, items: Items) -> None:
    assert repr(run) == f"Run({str(run.path)!r}: demo, 1 models under audio, silence)"
    assert repr(items) == "Items('demo': 14 items, 0 quarantined)"
    saved, made = run.split("votes"), ac.split(run)
    counts = re.search(r"\d+ weak, \d+ strong, \d+ undecided", repr(saved))
    assert counts
    assert repr(saved) == f"SavedSplit('votes': {counts[0]})"
    assert repr(made) == f"Split(votes at 0.5: {counts[0]})"
    assert {repr(saved), "<b>bold</b>"} <= set(page(run).texts)
    assert "not certified" in page(saved).texts
    assert any("models ['<b>bold</b>']" in text for text in page(saved).texts)
    page(made)
    seen = ac.show(run)
    assert "models: <b>bold</b>" in page(seen).texts
    assert (
        str(seen).splitlines()[0] == f"demo: 14 items on {len({item.clip_id for item in items})} clips, 0 quarantined"
    )
    one = ac.show(run, items[0].id)
    assert len(one.answers) == len(items[0].choices) * 2
    assert one._repr_html_().count("<audio ") == 1
    assert items[0].question in str(one)


def test_a_damaged_run_is_told_in_its_view(items: Items, tmp_path: Path) -> None:
    run = ac.score(items[:1], "mock", "text", run=tmp_path / "run", progress=False)
    [part] = (run.path / "responses").glob("*.parquet")
    part.write_bytes(b"broken")
    assert any("is damaged" in text for text in page(run).texts)


def test_arrow_tables_are_cut_and_values_are_short() -> None:
    table = pa.table({"n": range(1000), "x": [None, float("nan"), *[0.123456789] * 998]})
    shown = page(arrow_html(table, 60))
    assert "… and 940 more rows" in shown.texts
    assert {"–", "0.1235"} <= set(shown.texts)
    assert "<td>True</td>" in html_table(["a"], [[True]])


def test_arrow_tables_are_shown_as_tables_in_ipython() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    from audiocontrib.notebook import show_arrow_tables

    shell = InteractiveShell.instance()
    try:
        show_arrow_tables()
        data, _ = shell.display_formatter.format(pa.table({"a": ["<i>x</i>"]}))
        assert "&lt;i&gt;x&lt;/i&gt;" in data["text/html"]
        show_arrow_tables()  # once more changes nothing
    finally:
        InteractiveShell.clear_instance()
