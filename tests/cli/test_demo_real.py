"""The demo on real recordings: its tables, splits and reasons, with a cascade whose hearing is planted."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.cascade_parts import FakeTagger, missing_weights, save_reader, sound
from helpers.lazy import lazy
from helpers.sounds import encoded

from audiocontrib.audio import Sound
from audiocontrib.audit.baselines import baselines
from audiocontrib.cli import main
from audiocontrib.cli.demo_real import tell_demo
from audiocontrib.contribution import accuracy
from audiocontrib.demo import RealDemo, demo_real
from audiocontrib.demo.real import SPLITS
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.models import load_model
from audiocontrib.models.cascade.parts import ENV
from audiocontrib.models.cascade.recipe import CascadeRecipe, Gate, TaggerConfig
from audiocontrib.models.cascade.recipe import ReaderConfig as ReaderPart
from audiocontrib.number_text import accuracy_text, share_between
from audiocontrib.report.plots import accuracy_by_group, interval
from audiocontrib.sources import load_items

if TYPE_CHECKING:
    from audiocontrib.models.cascade.cascade import Cascade

cascade = lazy("audiocontrib.models.cascade.cascade")
listen = lazy("audiocontrib.models.cascade.listen")
load = lazy("audiocontrib.models.load")
read = lazy("audiocontrib.models.cascade.read")

pytestmark = pytest.mark.slow  # a cascade answers 54 questions for them
KINDS = {"animal": ("dog", "owl", "cow"), "event": ("siren", "rain"), "pitch": ("rising", "falling", "even", "none")}
PER_KIND = 18


def questions(folder: Path, per_kind: int = PER_KIND) -> Items:
    made = []
    for number in range(per_kind * len(KINDS)):
        kind = list(KINDS)[number % len(KINDS)]
        choices = list(KINDS[kind])
        (folder / f"{number // 2}.wav").write_bytes(encoded(sound(number // 2).samples, subtype="FLOAT"))
        made.append(
            make_item(
                dataset="toy", own_id=str(number), question=f"Which {kind}?", choices=choices,
                answer=choices[number % len(choices)], question_type=kind,
                audio=Clip(path=f"{number // 2}.wav", root=str(folder)),
            )
        )  # fmt: skip
    return Items(made, origin={"name": "toy"})


class Ears(FakeTagger):
    def scores(self, sound: Sound) -> np.ndarray:
        """A class that the sound's hash decides: evidence differs from clip to clip."""
        return np.eye(len(self.labels), dtype=np.float32)[[int(sound.sha256, 16) % len(self.labels)]]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Items:
    return questions(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Cascade:
    folder = tmp_path_factory.mktemp("parts")
    save_reader(folder / "reader")
    lm = load.load_checkpoint(folder / "reader", name="c", device="cpu")
    part = ReaderPart(weights="r", phrasing="plain", score="token")
    listener = listen.Listener(Ears(), TaggerConfig(weights="t"), None, Gate())
    return cascade.Cascade(
        CascadeRecipe(name="toy-cascade", reader=part),
        listener,
        read.Reader("c", lm.net, lm.tokenizer, lm.fingerprint()),
    )


@pytest.fixture(scope="module")
def done(items: Items, model: Cascade, tmp_path_factory: pytest.TempPathFactory) -> RealDemo:
    return demo_real(items=items, model=model, run=tmp_path_factory.mktemp("real") / "run", shown=5, progress=False)


def test_every_category_has_its_accuracies_and_its_best_constant(done: RealDemo, items: Items) -> None:
    assert done.summary["question_type"].to_pylist() == [None, "animal", "event", "pitch"]
    assert done.summary["n"].to_pylist() == [54, 18, 18, 18]
    right = Counter(
        (item.question_type, row["condition"])
        for row in done.run.query("select item_id, condition, correct from responses").to_dict("records")
        for item in items
        if item.id == row["item_id"] and row["correct"]
    )
    for row in done.accuracy.to_pylist():
        kind = row["question_type"]
        wanted = sum(right[k, row["condition"]] for k in KINDS if kind in (None, k))
        assert row["right"] == wanted, row
    for kind, choices in KINDS.items():
        golds = Counter(item.answer for item in items if item.question_type == kind)
        assert done.constants[kind][1] >= max(golds.values()) / PER_KIND - 1e-9 >= 1 / len(choices) - 1e-9
    table = baselines(items.table).to_pylist()
    assert done.constants[None][1] == max(r["accuracy"] for r in table if r["strategy"] != "uniform chance")


def test_weak_items_are_those_of_the_published_rule(done: RealDemo) -> None:
    votes, group = done.splits[0], done.splits[1]
    assert (votes.rule, group.rule) == ("votes", "group")
    weak = {r["item_id"] for r in votes.table.to_pylist() if r["split"] == "weak"}
    right = done.run.query("select item_id from responses where condition = 'silence' and correct")["item_id"]
    assert weak == set(right)
    assert {one.item.id for one in done.weak} <= weak
    assert len(done.weak) == min(5, len(weak))
    p_gold = {row["item_id"]: row["p_silence"] for row in votes.scores.to_pylist()}
    questions = {row["item_id"]: row["question"] for row in done.run.query("select * from items").to_dict("records")}
    best = {q: max(p_gold[i] for i in weak if questions[i] == q) for q in {questions[i] for i in weak}}
    firsts = done.weak[: len(best)]  # one for each question, before any question comes again
    assert [one.p_silence for one in firsts] == sorted(best.values(), reverse=True)
    assert {one.item.question for one in firsts} == set(best)
    reasons = {r["item_id"]: r["reason"] for r in group.table.to_pylist()}
    assert all(one.reason == reasons[one.item.id] for one in done.weak)
    assert [one.rule for one in done.splits] == list(SPLITS)
    assert all(done.run.split_folder(name).exists() for name in SPLITS.values())


def test_with_few_items_the_rule_that_reads_texts_is_left_out(model: Cascade, tmp_path: Path) -> None:
    few = demo_real(items=questions(tmp_path, per_kind=4), model=model, run=tmp_path / "run", progress=False)
    assert "audit" not in {one.rule for one in few.splits}
    assert "audit: there are too few items for a classifier of their texts" in few.notes


def test_what_is_printed(done: RealDemo, capsys: pytest.CaptureFixture[str]) -> None:
    tell_demo(done)
    said = capsys.readouterr().out
    rows = {line.split()[0]: line for line in said.splitlines() if line[:6].strip() in ("all", *KINDS)}
    assert set(rows) == {"all", *KINDS}
    [silent] = [r for r in done.accuracy.to_pylist() if (r["question_type"], r["condition"]) == ("pitch", "silence")]
    assert share_between(silent["accuracy"], *interval(silent)) in rows["pitch"]
    for number, weak in enumerate(done.weak, 1):
        assert f"{number:>2}. {weak.item.question} → {weak.item.choices[weak.item.answer]} (not: " in said
        assert weak.reason in said.replace("\n", " ")
    assert all(path.stat().st_size > 10_000 for path in done.plots)


def test_where_there_are_too_few_the_value_stands_alone_and_counts_are_printed() -> None:
    row = {"accuracy": 0.75, "right": 6, "n": 8, "low": None, "high": None}
    assert interval(row) == (0.75, 0.75)
    assert accuracy_text(row) == "6 of 8"
    assert accuracy_text(row | {"low": 0.6, "high": 0.9}) == "75% (60%–90%)"


def test_the_plot_has_a_row_for_each_group(done: RealDemo) -> None:
    with done.run.connect() as con:
        [axes] = accuracy_by_group(accuracy(con, by=["question_type"]), "question_type").axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert sorted(labels) == ["animal (18)", "event (18)", "pitch (18)"]
    assert len(axes.containers) == 3


def test_what_cannot_be_is_one_line(items: Items, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seeded = CliRunner().invoke(main, ["demo", "--real", "--seed", "3"])
    assert seeded.exit_code == 2
    assert "error: --seed is for made-up clips: real recordings have none; leave it out" in seeded.stderr
    monkeypatch.setenv(ENV, str(tmp_path))
    monkeypatch.setattr(import_module("audiocontrib.demo.real"), "load_items", lambda *_, **__: items)
    partless = CliRunner().invoke(main, ["demo", "--real", "--run", str(tmp_path / "run")])
    assert partless.exit_code == 1
    [line] = [line for line in partless.stderr.splitlines() if line.startswith("error:")]
    assert line.startswith("error: part whisper-base is neither in ")
    assert "run: python recipes/offline_weights/assemble.py" in line


@pytest.mark.weights
@pytest.mark.skipif(bool(missing_weights()), reason=missing_weights())
def test_the_real_parts_hear_animals_and_no_pitch(tmp_path: Path) -> None:
    chosen = [item for item in load_items("real-sounds") if item.question_type in ("animal", "pitch")]
    model = load_model("cascade-small", device="cpu")
    done = demo_real(
        items=Items(chosen, origin={"name": "real-sounds"}), model=model, run=tmp_path / "run", progress=False
    )
    adds = {row["question_type"]: row["contribution_low"] for row in done.summary.to_pylist()}
    assert adds["animal"] > 0
    assert adds["pitch"] < 0
