"""The data card of a split says where it comes from, what it is worth, and how to make it again."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import scipy
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.items import Items, make_item
from audiocontrib.number_text import percent
from audiocontrib.provenance import run_steps
from audiocontrib.report.card import card
from audiocontrib.shell import shell_lines
from audiocontrib.splits import RULES
from audiocontrib.store import Run
from audiocontrib.store.splits import write_split

MODELS = [f"mock:name=m{n},skill=0.9,leak=0.4,seed={n}" for n in range(3)]
EVIL = r"a|b \| <script>alert(1)</script> [x](javascript:1) {{ 7 * 7 }} *em* __strong__ `code` <http://x.y>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run") / "demo"
    words = ["score", "--dataset", "demo", "--limit", "40", "--run", str(folder), "--quiet", "--condition", "silence",
             "--condition", "audio", "--condition", "text", *[w for m in MODELS for w in ("--model", m)]]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return Run.open(folder)


def split(run: Run, rule: str, **asked: object) -> None:
    ac.split(run, rule=rule, **asked).save(run.split_folder(rule))  # type: ignore[arg-type]


def part(text: str, heading: str) -> str:
    """What stands under a heading of a card."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def commands(text: str) -> list[str]:
    return part(text, "How to make it again").split("```")[1].strip().splitlines()


@pytest.mark.slow
def test_it_says_what_the_split_says(run: Run) -> None:
    split(run, "fdr")
    text = card(run, split="fdr")
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["size_categories"] == ["n<1K"]
    assert header["configs"] == [{"config_name": "default", "data_files": "split.parquet"}]
    assert "audio-contribution" in header["tags"]
    table = pq.read_table(run.split_folder("fdr") / "split.parquet")
    counts = {name: table["split"].to_pylist().count(name) for name in ("strong", "weak", "undecided")}
    assert f"| all | 40 | {counts['strong']} | {counts['weak']} | {counts['undecided']} |" in part(text, "Size")
    kinds = run.query("select question_type, count(*) as n from items group by 1")
    for kind, n in zip(kinds.question_type, kinds.n, strict=True):
        assert f"| {kind} | {n} |" in part(text, "Size")
    assert "The rule's own finding, leak share: " in part(text, "Error bounds")
    assert "None yet" in part(text, "Certificate")
    assert "0 more were set aside" in part(text, "Origin")
    assert "user: [audio]{question} Please choose the answer" in part(text, "How they were asked")
    assert "every item came out in the same part" in part(text, "Error bounds")


@pytest.mark.slow
def test_the_models_are_named_with_what_they_got_right(run: Run) -> None:
    split(run, "votes", models=["m0", "m1"])
    lines = part(card(run, split="votes"), "Models asked").splitlines()
    right = run.query("select avg(correct::int) as a from responses where model = 'm2' and condition = 'silence'").a[0]
    [own] = [line for line in lines if line.startswith("| m2 |")]
    assert any(line.startswith("| m0 (counts) |") for line in lines)
    # the vote over the orders is near the single answers, and both are not near the accuracy with the audio
    at = [cell.strip() for cell in lines[1].split("|")].index("silence")
    assert abs(float(re.findall(r"([\d.]+)% \(", own.split("|")[at])[0]) / 100 - right) < 0.2


def test_what_guessing_alone_would_call_weak_is_the_exact_binomial(run: Run) -> None:
    split(run, "votes")
    sizes = run.query("select len(choices) as k from items").k
    luck = np.mean([scipy.stats.binom.sf(1, 3, 1 / k) for k in sizes])
    assert f"If every model guessed, {percent(luck)} of the items" in part(card(run, split="votes"), "Error bounds")


def test_a_share_of_the_items_is_never_below_nothing(tmp_path: Path) -> None:
    """Where decoys beat the gold the estimate lies below 0: the card says what the share is at most."""
    made = ac.load_items("demo", seed=0, limit=40)
    # the gold is second everywhere
    weights = {item.id: [2 if n == item.answer else 3 if n == (item.answer + 1) % len(item.choices) else 1
                         for n in range(len(item.choices))] for item in made}  # fmt: skip
    rows = [{"item_id": item, "model": m, "condition": "silence", "posterior": [w / sum(own) for w in own]}
            for item, own in weights.items() for m in "ab"]  # fmt: skip
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ac.import_responses(tmp_path / "answers.jsonl", tmp_path / "r", made)
    again = Run.open(tmp_path / "r")
    split(again, "votes")
    bounds = part(card(again, split="votes"), "Error bounds")
    assert not re.search(r"-\d", bounds)
    assert re.search(r"the share of the items that the text answers cannot be told from 0; at most \d+", bounds)


def test_a_split_that_the_answers_no_longer_make_says_so(run: Run) -> None:
    split(run, "votes", models=["m0"])
    path = run.split_folder("votes") / "split.parquet"
    saved = run.split("votes")
    other = pc.if_else(pc.equal(saved.table["split"], "weak"), "strong", "weak")
    write_split(path.parent, saved.table.set_column(1, "split", other), saved.settings)
    assert "40 items would now be placed otherwise; split again" in part(card(run, split="votes"), "Error bounds")


ASKED: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in RULES if name not in ("adf", "audit")),
    ("votes", {"threshold": 2 / 3, "condition": "text", "models": ["m1", "m2"], "leave_out": ["unsolved"]}),
    ("fdr", {"fdr": 0.3, "balanced": True}),
    ("group", {"least": 3}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "asked"), ASKED)
def test_its_commands_make_the_same_split_again(run: Run, rule: str, asked: dict[str, Any]) -> None:
    split(run, rule, **asked)
    path = run.split_folder(rule) / "split.parquet"
    before = pq.read_table(path)
    score, made = commands(card(run, split=rule))
    assert score.startswith("audiocontrib score --dataset demo ")
    path.unlink()
    done = CliRunner().invoke(main, shlex.split(made)[1:])
    assert done.exit_code == 0, done.output
    after = pq.read_table(path)
    assert after.equals(before)
    assert json.loads(after.schema.metadata[b"audiocontrib"]) == json.loads(before.schema.metadata[b"audiocontrib"])


def test_the_command_that_was_typed_is_given_back_word_by_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    split(run, "votes")
    first = ["/usr/bin/audiocontrib", "score", "--dataset", "demo", "--run", "runs/it's here"]
    more = [*first, "--model", "b\n```\n# evil"]
    old = {name: value for name, value in run.manifest.items() if name != "step"}  # as audiocontrib 0.1 wrote it
    again = Run(run.path, old | {"earlier": [{"command": first}], "command": more})
    block = part(card(again, split="votes"), "How to make it again")
    fence, text = re.findall(r"(?s)(`{4,})\n(.*)\n\1", block)[0]
    assert len(fence) == 4
    assert shlex.split(text)[: 2 * len(first) + 2] == ["audiocontrib", *first[1:], "audiocontrib", *more[1:]]


@pytest.mark.slow
def test_a_certificate_is_in_it(run: Run) -> None:
    split(run, "votes", models=["m0", "m1"])
    words = ["certify", "--run", str(run.path), "--split", "votes", "--model", "m2"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    text = card(run, split="votes")
    assert "m2 is right on" in part(text, "Certificate")
    assert commands(text)[-1] == shlex.join(["audiocontrib", *words, "--condition", "text"])
    done = CliRunner().invoke(main, [*words[:-2], "--rotate"])
    assert done.exit_code == 0, done.output
    assert "--rotate" in commands(card(run, split="votes"))[-1]


def test_texts_of_the_data_are_no_markup(tmp_path: Path) -> None:
    made = [
        make_item(dataset=EVIL.replace("/", ""), own_id=str(n), question="?", choices=["a", "b"], answer="a",
                  audio=None, question_type=EVIL if n else "other")
        for n in range(6)
    ]  # fmt: skip
    run = ac.score(Items(made, (), {"name": EVIL}), ["mock"], ["text"], run=tmp_path / "r", progress=False)
    ac.split(run, rule="votes", condition="text").save(run.split_folder("votes"))
    text = card(run, split="votes")
    # in a fenced block nothing is markup
    body = re.sub(r"(?s)^(```+)\n.*?\n\1$", "", text.split("---\n", 2)[2], flags=re.MULTILINE)
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(body)
    assert "alert(1)" in html
    assert "<script" not in html
    assert "<a " not in html
    assert "<em>" not in html
    assert "<strong>" not in html
    assert EVIL in unescape(html)
    yaml.safe_load(text.split("---\n")[1])


def test_a_run_filled_by_another_tool_has_a_card(tmp_path: Path) -> None:
    made = [
        make_item(dataset="toy", own_id=str(n), question=f"{n}?", choices=["x", "y"], answer="x", audio=None)
        for n in range(4)
    ]
    rows = [{"item_id": i.id, "model": m, "condition": "silence", "choice": 0} for i in made for m in "ab"]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    ac.import_responses(tmp_path / "answers.jsonl", tmp_path / "r", Items(made, (), {"name": "toy"}))
    run = Run.open(tmp_path / "r")
    split(run, "votes")
    text = card(run, split="votes")
    assert "option orders: imported" in text
    assert "user: [audio]" not in text
    assert "| all | 4 | 0 | 4 | 0 | 0 |" in text


@pytest.mark.slow
def test_the_command(run: Run, tmp_path: Path) -> None:
    split(run, "votes")
    out = tmp_path / "deep" / "card.md"
    done = CliRunner().invoke(main, ["card", "--run", str(run.path), "--split", "votes", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text() == card(run, split="votes")
    done = CliRunner().invoke(main, ["card", "--run", str(run.path), "--split", "none"])
    assert done.exit_code == 2
    assert "has no split 'none'; there are: " in done.stderr


def test_which_split_is_meant(tmp_path: Path) -> None:
    run = ac.score(ac.load_items("demo", limit=6), ["mock"], ["silence"], run=tmp_path / "r", progress=False)
    done = CliRunner().invoke(main, ["card", "--run", str(run.path)])
    assert done.exit_code == 2
    assert "has no split yet; split it first" in done.stderr
    with pytest.raises(UsageError, match="no split was made yet"):
        card(run, split="votes")
    split(run, "votes")
    done = CliRunner().invoke(main, ["card", "--run", str(run.path)])
    assert done.exit_code == 0
    assert done.stdout.startswith("---\n")


def test_a_run_filled_from_python_names_the_data_that_it_read(tmp_path: Path) -> None:
    made = ac.load_items("demo", seed=3, limit=4)
    run = ac.score(made, ["mock"], ["text"], run=tmp_path / "demo", progress=False)
    [line] = shell_lines(run_steps(run))
    _, *words = shlex.split(line.replace(str(run.path), str(tmp_path / "again")))
    done = CliRunner().invoke(main, [*words, "--quiet"])
    assert done.exit_code == 0, done.output
    assert set(Run.open(tmp_path / "again").items.item_id) == {item.id for item in made}

    rows = [{"id": n, "q": f"{n}?", "options": ["x", "y"], "gold": "B"} for n in range(3)]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    mapping = {"question": "q", "choices": "options", "answer": "gold", "audio": "-"}
    own = ac.load_items("jsonl", data=tmp_path / "own.jsonl", mapping=mapping, answer_as="letter")
    run = ac.score(own, ["mock"], ["text"], run=tmp_path / "own", progress=False)
    [line] = shell_lines(run_steps(run))
    _, *words = shlex.split(line.replace(f"--run {run.path}", f"--run {tmp_path / 'more'}"))
    done = CliRunner().invoke(main, [*words, "--quiet"])
    assert done.exit_code == 0, done.output
    assert list(Run.open(tmp_path / "more").items.answer) == [1, 1, 1]
