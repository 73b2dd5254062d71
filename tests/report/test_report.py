"""The report: one page that opens from disk, asks nothing of the network, and keeps every text a text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from helpers.chromium import opened_chromium

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.contribution import accuracy, contributions
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation import evaluate
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.number_text import audio_adds, signed
from audiocontrib.report import item_sample, page
from audiocontrib.report.item_sample import script_json
from audiocontrib.report.run_summary import gather
from audiocontrib.store import Run

EVIL = [
    "<script>window.hurt = 1</script>",
    '"><img src=x onerror="window.hurt = 2">',
    "</script><script>window.hurt = 3</script>",
    "{{ 7 * 7 }} $x_1^2$ <!-- ",
]
MODELS = ["mock:name=alpha,skill=0.9,leak=0.4,seed=1", "mock:name=beta,skill=0.8,leak=0.4,seed=2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Demo items with hostile texts among them, two models, a split, replies and an audit."""
    demo = ac.load_items("demo", seed=4, limit=40)
    evil = [
        make_item(
            dataset="demo", own_id=f"evil-{n}", question=f"{text} Which?", choices=["a", text, "c"], answer=text,
            audio=demo[n].audio, question_type=text if n == 0 else "sound",
        )
        for n, text in enumerate(EVIL)
    ]  # fmt: skip
    items = Items([*demo, *evil], (), demo.origin)
    run = ac.score(
        items, MODELS, ["audio", "silence", "text"], orders="given", run=tmp_path_factory.mktemp("run") / "demo",
        progress=False,
    )  # fmt: skip
    ac.split(run, rule="votes").save(run.split_folder("votes"))
    done = CliRunner().invoke(main, ["audit", "--run", str(run.path), "--quiet"])
    assert done.exit_code == 0, done.output
    return run


@pytest.fixture(scope="module")
def written(run: Run) -> Path:
    return page.report(run)


def embedded(text: str) -> dict[str, Any]:
    """The data of a page: items and clips."""
    found: dict[str, Any] = json.loads(text.split('id="data">')[1].split("</script>")[0])
    return found


@pytest.mark.slow
def test_every_part_is_there_and_nothing_is_fetched(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    for section in ("answer", "asked", "accuracy", "map", "splits", "agreement", "calibration", "audit", "items"):
        assert f'id="{section}"' in text
        assert f'href="#{section}"' in text
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "https://" not in text
    assert len(text) < 5_000_000
    assert "built-in method" not in text
    assert "All 44 items" in text
    assert str(written.parent.parent) not in text  # it can be mailed: whose disk it was made on is nobody's business


@pytest.mark.slow
def test_it_opens_with_what_the_audio_adds(run: Run, written: Path) -> None:
    """As `evaluate` has it, with the sentence that follows; then by type."""
    text = written.read_text(encoding="utf-8")
    assert text.index('id="answer"') < text.index('id="asked"')
    facts = gather(run)
    rows = {(row["model"], row["condition"]): row for row in evaluate(run).to_pylist()}
    assert {one.model for one in facts.first} == {model for model, _ in rows}
    for one in facts.first:
        with_audio, without = rows[one.model, "audio"], rows[one.model, facts.condition]
        assert one.adds == signed(*(without[f"contribution{end}"] for end in ("", "_low", "_high")))
        assert one.answers_with == f"{with_audio['right']} / {with_audio['wrong']} / {with_audio['abstained']}"
        assert one.sentence == audio_adds(without["contribution_low"], without["contribution_high"])
        assert f"<b>{one.model}</b>: {one.sentence}." in text.replace("&#39;", "'")
    assert {one.part for one in facts.by_type} == set(run.table("select question_type from items")[0].to_pylist())


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.4, "the audio helps: at least 0.10"), (-0.2, 0.3, "cannot be told from 0; at most 0.30"),
     (-0.4, -0.1, "worse than without"), (None, None, "too few clips")],
)  # fmt: skip
def test_the_sentence_follows_from_the_interval(low: float | None, high: float | None, said: str) -> None:
    assert said in audio_adds(low, high)


@pytest.mark.slow
@pytest.mark.parametrize("text", EVIL)
def test_texts_from_data_cannot_become_markup(written: Path, text: str) -> None:
    whole = written.read_text(encoding="utf-8")
    assert text not in whole
    assert any(text in row["question"] for row in embedded(whole)["items"])


@pytest.mark.slow
def test_every_figure_has_ids_of_its_own(written: Path) -> None:
    found = re.findall(r'\bid="([^"]+)"', written.read_text(encoding="utf-8").split('id="data"')[0])
    assert len(found) == len(set(found))


def test_json_in_a_script_ends_nowhere_else() -> None:
    value = {"a": ["</script>", "<!--", "&amp;", "\u2028"]}
    text = script_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


@pytest.mark.slow
def test_a_large_run_is_sampled_by_stratum(run: Run, tmp_path: Path) -> None:
    path = page.report(run, out=tmp_path / "deep" / "small.html", items=9)
    whole = path.read_text(encoding="utf-8")
    assert "A sample of 9 of 44 items" in whole
    rows = embedded(whole)["items"]
    assert len(rows) == 9
    strata = {(row["type"], row["split"]) for row in rows}
    assert len(strata) >= 7


@pytest.mark.slow
def test_long_texts_make_the_sample_smaller(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_sample, "TEXTS", 12_000)
    whole = page.report(run, out=tmp_path / "r.html").read_text(encoding="utf-8")
    shown = len(embedded(whole)["items"])
    assert 2 < shown < 44
    assert f"A sample of {shown} of 44 items" in whole


@pytest.mark.slow
def test_a_clip_is_embedded_once_and_linked_where_there_is_no_room(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two questions on one file with a name that looks like an address, one on a clip that is gone."""
    (tmp_path / "clips" / "javascript:").mkdir(parents=True)
    name = "javascript:/a #?.wav"
    soundfile.write(tmp_path / "clips" / name, np.zeros(1600), 16_000)
    root = str(tmp_path / "clips")
    made = [
        make_item(dataset="d", own_id=str(n), question=f"{n}?", choices=["a", "b"], answer="a", audio=Clip(path, root))
        for n, path in enumerate([name, name, "gone.wav"])
    ]
    kept = ac.score(
        Items(made, (), {"name": "d", "audio_root": root}), [MODELS[0]], ["text"], run=tmp_path / "r", progress=False
    )
    data = embedded(page.report(kept).read_text(encoding="utf-8"))
    assert [(clip, source[:22]) for clip, source in data["clips"].items()] == [
        (made[0].clip_id, "data:audio/ogg;base64,")
    ]
    assert [row["clip"] for row in data["items"]].count(made[0].clip_id) == 2
    monkeypatch.setattr(item_sample, "EMBEDDED", 0)
    path = page.report(kept, out=tmp_path / "elsewhere" / "r.html")
    linked = embedded(path.read_text(encoding="utf-8"))["clips"]
    assert linked == {made[0].clip_id: "../clips/javascript%3A/a%20%23%3F.wav"}


def test_a_clip_outside_its_folder_is_not_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audiocontrib.report.item_sample import _link

    (tmp_path / "clips").mkdir()
    soundfile.write(tmp_path / "out.wav", np.zeros(160), 16_000)
    (tmp_path / "clips" / "in.wav").symlink_to(tmp_path / "out.wav")
    assert _link(Clip("in.wav", str(tmp_path / "clips")), tmp_path) is None


@pytest.mark.slow
def test_a_run_without_a_split_or_posteriors(tmp_path: Path) -> None:
    run = ac.score(
        ac.load_items("demo", limit=8), [MODELS[0]], ["audio"], method="generate", run=tmp_path / "r", progress=False
    )
    whole = page.render_report(run, tmp_path)
    assert 'id="splits"' not in whole
    assert 'id="calibration"' not in whole
    assert embedded(whole)["items"][0]["answers"][0]["replies"][0]["text"].startswith("<answer>")


@pytest.mark.slow
def test_without_silence_the_map_is_of_the_text_alone(tmp_path: Path) -> None:
    run = ac.score(ac.load_items("demo", limit=8), [MODELS[0]], ["audio", "text"], run=tmp_path / "r", progress=False)
    whole = page.render_report(run, tmp_path)
    assert "mean p(gold) from the text alone" in whole
    assert "under silence" not in whole


@pytest.mark.slow
def test_a_split_is_shown_with_its_certificate_and_what_hangs_on_its_choices(run: Run) -> None:
    ac.split(run, rule="votes", models=["alpha"]).save(run.split_folder("alone"))
    done = CliRunner().invoke(main, ["certify", "--run", str(run.path), "--split", "alone", "--model", "beta"])
    assert done.exit_code == 0, done.output
    whole = page.render_report(run, run.path, "alone")
    assert "beta is right on" in whole
    assert "What hangs on the choices made for alone" in whole
    assert "votes, threshold 0.5 (ringed)" in whole
    assert "without alpha" in page.render_report(run, run.path, "votes")


def test_a_split_that_is_not_there(run: Run) -> None:
    with pytest.raises(UsageError, match=r"has no split 'mine'; there are: .*votes"):
        page.report(run, split="mine")


def test_a_damaged_certificate_is_one_line(run: Run, tmp_path: Path) -> None:
    copy = Run.open(shutil.copytree(run.path, tmp_path / "run"))
    (copy.split_folder("votes") / "certificate.json").write_text("[{")
    with pytest.raises(AudiocontribError, match=r"certificate.json is damaged .*; certify the split again"):
        page.report(copy, split="votes")


@pytest.mark.slow
def test_the_command(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    done = CliRunner().invoke(main, ["report", "--run", str(run.path), "--out", str(out)])
    assert done.exit_code == 0
    assert done.stdout.strip() == str(out)
    assert out.exists()


def test_a_run_without_answers_has_no_report(tmp_path: Path) -> None:
    from helpers.store_tools import start

    with pytest.raises(AudiocontribError, match="holds no answers yet"):
        page.report(start(tmp_path / "r"))


@pytest.mark.slow
def test_one_reading_of_the_answers_says_what_two_would(tmp_path: Path) -> None:
    run = ac.score(
        ac.load_items("demo", limit=12),
        MODELS,
        ["audio", "silence", "noise", "options"],
        run=tmp_path / "r",
        progress=False,
    )
    facts = gather(run)
    with run.connect() as con:
        assert facts.accuracy.equals(accuracy(con))
        assert facts.scores.drop(["question_type"]).equals(contributions(con))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_chromium() as opened:
        yield opened


@pytest.fixture(params=[(1280, 900, "light"), (390, 844, "dark")], ids=["desktop", "phone"])
def opened(browser: Any, written: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab = context.new_page()
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda asked: tab.asked.append(asked.url))
    tab.goto(written.as_uri())
    yield tab
    context.close()


@pytest.mark.slow
def test_in_a_browser_it_is_quiet_and_alone(opened: Any, written: Path) -> None:
    opened.wait_for_timeout(200)
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("data:", written.as_uri()))] == []
    assert opened.evaluate("window.hurt") is None
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_without_javascript_tables_and_figures_are_there(browser: Any, written: Path) -> None:
    """And in print what is folded away on a screen."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(written.as_uri())
    assert "The list of items needs JavaScript" in tab.locator("main").inner_text()
    assert tab.locator("#answer table tbody tr").count() == 2
    for section in ("accuracy", "splits", "map", "agreement", "calibration"):
        assert tab.locator(f"#{section} svg").first.is_visible()
    folded = tab.locator("#splits details").last.locator("table")
    assert not folded.is_visible()
    tab.emulate_media(media="print")
    assert folded.is_visible()
    assert not tab.locator("nav").is_visible()
    context.close()


@pytest.mark.slow
def test_an_address_is_a_text(opened: Any, written: Path) -> None:
    """What somebody else has written into a link."""
    for hostile in ("item=%3Cimg src%3Dx onerror%3D%22window.hurt%3D4%22%3E", "split=%ZZ&sort=constructor&page=-3",
                    "find=%3Cscript%3E&type=nothing", "sort=__proto__&page=99&model=x"):  # fmt: skip
        opened.goto(f"{written.as_uri()}#{hostile}")
        opened.reload()
        opened.locator("#count", has_text="of 44").wait_for()
    assert opened.evaluate("window.hurt") is None
    assert opened.evaluate("document.querySelectorAll('#items img').length") == 0
    assert opened.said == []


@pytest.mark.slow
def test_items_sort_filter_and_play(opened: Any) -> None:
    rows = opened.locator("#browser tbody tr.item")
    assert rows.count() == 44
    scores = "[...document.querySelectorAll('#browser tbody tr.item')].map(row => row.children[3].textContent)"
    opened.get_by_role("button", name="score (votes)").click()
    down = opened.evaluate(scores)
    assert down == sorted(down, reverse=True)
    opened.get_by_role("button", name="score (votes)").click()
    assert opened.evaluate(scores) == sorted(down)
    assert opened.locator("th[aria-sort=ascending]").inner_text().startswith("score")
    opened.locator("#by-split").select_option("weak")
    weak = rows.count()
    assert 0 < weak < 44
    opened.locator("#by-split").select_option("")
    opened.locator("#find").fill("onerror which")
    opened.locator("#count", has_text="1 of 44").wait_for()
    assert rows.count() == 1
    rows.first.locator("button").focus()
    opened.keyboard.press("Enter")
    detail = opened.locator("#browser tr.detail")
    assert EVIL[1] in detail.inner_text()
    assert opened.evaluate("document.querySelectorAll('#browser img').length") == 0
    opened.evaluate("document.querySelector('audio').play()")
    for _ in range(100):  # wait_for_function would evaluate a string, which the page's own policy forbids
        if (heard := opened.evaluate("document.querySelector('audio').currentTime")) > 0.05:
            break
        opened.wait_for_timeout(100)
    assert heard > 0.05
    assert opened.evaluate("window.hurt") is None
    assert opened.said == []


def results(run: Run, model: str) -> dict[str, dict[str, bool]]:
    """Item -> condition -> whether the model's vote is right."""
    found: dict[str, dict[str, bool]] = {}
    for row in votes(run).to_pylist():
        if row["model"] == model:
            found.setdefault(row["item_id"], {})[row["condition"]] = bool(row["correct"])
    return found


@pytest.mark.slow
def test_items_are_filtered_by_what_models_answered(opened: Any, run: Run) -> None:
    """By model, by right or wrong, by what the audio changed: the same items as the votes say."""
    right = results(run, "alpha")
    rows, clear = opened.locator("#browser tbody tr.item"), opened.locator("#clear")
    opened.locator("#by-model").select_option("alpha")
    opened.locator("#by-condition").select_option("silence")
    opened.locator("#by-result").select_option("wrong")
    wrong = {item for item, by in right.items() if not by["silence"]}
    assert set(opened.evaluate(IDS)) == wrong
    clear.click()
    assert rows.count() == 44
    opened.locator("#by-model").select_option("alpha")
    for chosen, audio, silence in (("right only with the audio", True, False), ("right neither way", False, False)):
        opened.locator("#by-changed").select_option(chosen)
        same = {item for item, by in right.items() if (by["audio"], by["silence"]) == (audio, silence)}
        assert set(opened.evaluate(IDS)) == same


IDS = "[...document.querySelectorAll('#browser tr.item')].map(row => row.dataset.id)"


@pytest.mark.slow
def test_an_address_opens_an_item_and_keeps_the_filters(opened: Any, written: Path, run: Run) -> None:
    opened.locator("#by-split").select_option("weak")
    opened.locator("#browser tr.item button").nth(1).click()
    item = opened.locator("#browser tr.item").nth(1).get_attribute("data-id")
    assert "split=weak" in opened.url
    other = opened.context.new_page()
    other.goto(opened.url)
    other.locator("#browser tr.detail").wait_for()
    assert other.locator("#by-split").input_value() == "weak"
    assert other.locator("#browser tr.detail code").inner_text() == item
    strong = next(row["item_id"] for row in run.split("votes").table.to_pylist() if row["split"] == "strong")
    other.goto(f"{written.as_uri()}#split=weak&item={strong}")  # it is among those that are left out: it stands first
    other.reload()
    other.locator("#browser tr.detail").wait_for()
    assert other.locator("#browser tr.item").first.get_attribute("data-id") == strong
    assert other.locator("#browser tr.detail a").get_attribute("href").endswith(f"#item={strong.replace('/', '%2F')}")
    other.goto(f"{written.as_uri()}#item=nobody")
    other.reload()
    other.locator("#count", has_text="no item nobody here").wait_for()


@pytest.mark.slow
def test_the_keyboard_moves_opens_and_closes(opened: Any) -> None:
    here = "document.activeElement.closest('tr.item')?.dataset.id"
    ids = opened.evaluate(IDS)
    opened.locator("#browser tr.item button").first.focus()
    for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 43), ("Home", 0)):
        opened.keyboard.press(key)
        assert opened.evaluate(here) == ids[place]
    opened.keyboard.press("Enter")
    opened.locator("#browser tr.detail").wait_for()
    opened.keyboard.press("ArrowDown")
    assert opened.evaluate(here) == ids[1]
    opened.keyboard.press("ArrowUp")
    opened.keyboard.press("Escape")
    assert opened.locator("#browser tr.detail").count() == 0
    opened.keyboard.press("/")
    assert opened.evaluate("document.activeElement.id") == "find"
    assert opened.said == []


@pytest.mark.slow
def test_an_item_of_imported_answers_shows_them(tmp_path: Path, browser: Any) -> None:
    """Choices alone, without posterior or reply; one is missing."""
    made = [
        make_item(dataset="toy", own_id=str(n), question=f"{n}?", choices=["x", "y"], answer="x", audio=None)
        for n in range(4)
    ]
    rows = [
        {"item_id": item.id, "model": m, "condition": c, "choice": int(c != "audio")}
        for item in made for m in "ab" for c in ("audio", "silence") if (item.id, m, c) != (made[0].id, "b", "audio")
    ]  # fmt: skip
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ac.import_responses(tmp_path / "answers.jsonl", tmp_path / "r", Items(made, (), {"name": "toy"}))
    tab = browser.new_page()
    tab.goto(f"{page.report(Run.open(tmp_path / 'r')).as_uri()}#item={made[0].id}")
    tab.locator("#browser tr.detail").wait_for()
    told = [line.split("\t") for line in tab.locator(".one-item tbody").all_inner_texts()]
    assert [" ".join(" ".join(line).split()) for line in told] == [
        "a audio ✓ right A x 1 of 1 1 0 silence ✗ wrong B y 0 of 1 0 1", "b silence ✗ wrong B y 0 of 1 0 1",
    ]  # fmt: skip
    tab.close()
