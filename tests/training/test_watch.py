"""Watching, all that trains nothing: settings, which items are held out, the curve, its best step and its end."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import ROOT
from helpers.lazy import lazy, needs
from helpers.store_tools import item, manifest
from helpers.training_tools import demo_rows, sft
from test_training import recipe, save_split

from audiocontrib.config import build
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.store import Run
from audiocontrib.training import GRPO, SFT, TrainingRows, stage_rows
from audiocontrib.training.model_card.card import recipe_values
from audiocontrib.training.output.checkpoints import checkpoints, mark_complete, remove_old
from audiocontrib.training.watch.held_out import ALL, HeldOut, draw
from audiocontrib.training.watch.record import MOST_LINES, WatchedCurve, curve_in_words, curve_lines, recorded
from audiocontrib.training.watch.settings import Watch
from audiocontrib.training.watch.table import COLUMNS, WATCHED_SCHEMA, best_step, is_over, logged, read_watched

arguments = lazy("audiocontrib.training.trainers.arguments")
watcher = lazy("audiocontrib.training.watch.watcher")
rows_encoding = lazy("audiocontrib.training.encoding.row_encoder")
soundfile = lazy("soundfile")
unusable = lazy("audiocontrib.training.encoding.unusable")


def held_of(items: Items) -> HeldOut:
    return HeldOut(items, dict.fromkeys([one.id for one in items], ALL))


# settings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "the field 'watch.items' is missing"),
        ({"items": 9, "every": 2}, "watch.items is 9, but must be a whole number of at least 10"),
        ({"items": 20, "every": 0}, "watch.every is 0"),
        ({"items": 20, "every": 7}, "watch.every is 7, but there are 6 steps"),
        ({"items": 20, "every": 2, "patience": 2}, "watch.patience is 2, but they are asked 3 times"),
        ({"items": 20, "patience": 2}, "the field 'watch.every' is missing"),
        ({"items": 20, "every": 2, "without": "text"}, "without is text, but accuracy"),
        ({"items": 20, "every": 2, "by": "gian"}, "did you mean 'gain'?"),
        ({"items": 20, "every": 2, "without": "noise", "by": "gain"}, "watch.without is 'noise'"),
        ({"items": 20, "evry": 2}, "there is no field 'watch.evry'"),
        ({"items": "all", "every": 2}, "watch.items is 'all'"),
        ({"items": 20, "every": 2, "seed": -1}, "watch.seed is -1"),
        (3, "watch is 3, but must be fields and values"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_one_line(given: Any, told: str) -> None:
    values = {"part": "all", "learning_rate": 1e-3, "batch": 2, "steps": 6, "watch": given}
    with pytest.raises(UsageError) as refused:
        build(SFT, values, "r.yaml: sft")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_askings_are_counted_with_those_before_and_after() -> None:
    watch = Watch(items=10, every=4)
    assert [watch.askings(steps) for steps in (4, 5, 8)] == [2, 3, 3]


@needs("trl")
def test_a_training_that_is_not_watched_is_the_one_of_before() -> None:
    from audiocontrib.models import load_model

    model, rows = load_model("tiny-qwen2.5-omni"), demo_rows(4)
    plain = arguments.identity("sft", sft(), rows, model)
    assert "watch" not in plain["settings"]
    assert "watched" not in plain
    watch = Watch(items=10, every=2)
    held = held_of(demo_rows(12).items)
    seen = arguments.identity("sft", sft(watch=watch), replace(rows, watched=held), model)
    assert json.loads(json.dumps(seen["settings"]["watch"])) == asdict(watch)
    assert seen["rows"] == plain["rows"]
    assert seen["watched"] != arguments.identity(
        "sft", sft(watch=watch), replace(rows, watched=held_of(demo_rows(11).items)), model
    )["watched"]  # fmt: skip


def test_the_page_has_every_field_and_column_as_the_code_has_it() -> None:
    told = (ROOT / "docs" / "watching.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line.split("|")[-2].strip() for line in told.splitlines() if "|" in line}
    assert {one.name for one in fields(Watch)} <= rows.keys()
    assert {name: rows.get(name) for name in COLUMNS} == {name: said for name, (_, said) in COLUMNS.items()}


# which items


def some(n: int = 60, each: int = 2) -> Items:
    return Items([replace(item(i), clip_id=f"clip {i // each}") for i in range(n)])


def parts(items: Items, strong: int = 20, undecided: int = 4) -> dict[str, str]:
    ids = [one.id for one in items]
    named = ["strong"] * strong + ["undecided"] * undecided + ["weak"] * (len(ids) - strong - undecided)
    return dict(zip(ids, named, strict=True))


def test_every_part_has_its_share_and_whole_clips_are_taken() -> None:
    items = some()
    named = parts(items)
    held = draw(Watch(items=15, every=1), items, named, "r")
    assert Counter(held.parts.values()) == {"weak": 9, "strong": 5, "undecided": 1}
    assert len(held.clips) < 12  # of 15 items, two on each clip
    assert draw(Watch(items=15, every=1), items, named, "r").digest == held.digest
    assert draw(Watch(items=15, every=1, seed=1), items, named, "r").digest != held.digest
    assert str(held) == f"15 items (5 strong, 1 undecided, 9 weak) on {len(held.clips)} clips"


def test_a_small_part_is_watched_too() -> None:
    items = some()
    held = draw(Watch(items=10, every=1), items, parts(items, strong=58, undecided=1), "r")
    assert Counter(held.parts.values()) == {"weak": 1, "strong": 8, "undecided": 1}


def test_more_items_than_there_are_is_refused() -> None:
    items = some(20)
    with pytest.raises(UsageError, match=r"r, split s: watch\.items is 20, but there are 20 items"):
        draw(Watch(items=20, every=1), items, dict.fromkeys([one.id for one in items], ALL), "r, split s")


def a_run(folder: Path, n: int = 60) -> Run:
    items = some(n)
    clip = Clip("a.wav", str(folder))
    items = Items([replace(one, audio=clip) for one in items])
    run = Run.create_or_resume(folder, manifest(), items)
    save_split(run, parts(items))
    return run


def watching(**changes: Any) -> dict[str, Any]:
    watch = Watch(items=12, every=1)
    kinds = {
        "sft": SFT(part="weak", learning_rate=1e-4, batch=2, steps=3, watch=watch),
        "grpo": GRPO(part="strong", learning_rate=1e-4, batch=8, steps=3),
    }
    return kinds | changes


@pytest.mark.parametrize("disjoint", ["item", "clip"])
def test_no_stage_trains_on_what_one_of_them_watches(disjoint: str, tmp_path: Path) -> None:
    run = a_run(tmp_path)
    other = Watch(items=10, every=1, seed=3)
    kind = GRPO(part="strong", learning_rate=1e-4, batch=8, steps=3, watch=other)
    both = recipe(**watching(grpo=kind), disjoint=disjoint)
    first, second = (stage_rows(both, stage, run, "s") for stage in ("sft", "grpo"))
    assert first.watched
    assert second.watched
    seen = first.watched.clips | second.watched.clips
    assert len(seen) > len(first.watched.clips)
    for rows in (first, second):
        assert not seen & {one.clip_id for one in rows.items}
        assert any("are watched, and trained on by no stage" in note for note in rows.notes)
        assert any("left out: they, or others on their recordings, are watched" in note for note in rows.notes)
    alone = stage_rows(recipe(**watching()), "grpo", run, "s")
    assert alone.watched is None
    assert [one.digest for one in alone.watched_elsewhere] == [first.watched.digest]
    assert [one.digest for one in first.watched_elsewhere] == [second.watched.digest]
    assert not first.watched.clips & {one.clip_id for one in alone.items}


def test_nothing_left_to_train_on_is_said(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    most = SFT(part="strong", learning_rate=1e-4, batch=2, steps=3, watch=Watch(items=59, every=1))
    with pytest.raises(AudiocontribError, match=r"no item is left to train on; .* are watched"):
        stage_rows(recipe(sft=most, grpo=None), "sft", run, "s")


def test_rows_made_by_hand_are_held_against_what_is_watched() -> None:
    rows, watch = demo_rows(12), Watch(items=10, every=1)
    with pytest.raises(UsageError, match="the rows hold nothing to watch"):
        watcher.check_watched(watch, rows)
    few = replace(rows, watched=held_of(Items(list(rows.items)[:9])))
    with pytest.raises(UsageError, match="9 items are too few to watch"):
        watcher.check_watched(watch, few)
    held = held_of(rows.items)
    with pytest.raises(UsageError, match="watched recordings are trained on too"):
        watcher.check_watched(watch, replace(rows, watched=held))
    watcher.check_watched(None, rows)


@needs("trl")
def test_a_row_with_the_sound_of_a_watched_item_is_left_out(tmp_path: Path) -> None:
    from audiocontrib.audio import RATE, decode

    rows = demo_rows(14)
    first, *others = rows.items
    soundfile.write(tmp_path / "copy.wav", decode(first.audio).samples, RATE, subtype="FLOAT")
    twin = replace(first, id="demo/twin", audio=Clip("copy.wav", str(tmp_path)), clip_id="another")
    lost = replace(others[0], id="demo/lost", audio=Clip("gone.wav", str(tmp_path)), clip_id="lost")
    held = HeldOut(Items([first, lost]), {first.id: ALL, lost.id: ALL})
    kept = [one for one in others if one.clip_id != first.clip_id]
    given = TrainingRows(Items([twin, replace(twin, id="demo/second"), *kept]), watched=held)
    model = rows_encoding.load_for_training("tiny-qwen2.5-omni", sft())
    found = unusable.unwatchable(given, rows_encoding.RowEncoder(model, 30.0), None)
    assert found.pop("demo/lost").startswith("its clip cannot be heard")
    assert found == dict.fromkeys(["demo/twin", "demo/second"], f"it has the sound of the watched {first.id}")


@needs("trl")
def test_so_is_one_with_the_sound_of_what_another_stage_watches() -> None:
    """SFT that is not watched would else read what GRPO is watched by after it."""
    first, *others = demo_rows(24).items
    twin = replace(first, id="demo/twin", clip_id="twin")
    held = held_of(Items([first, *others[:11]]))
    rows = TrainingRows(Items([twin, *others[11:]]), watched_elsewhere=(held,))
    model = rows_encoding.load_for_training("tiny-qwen2.5-omni", sft())
    found = unusable.unwatchable(rows, rows_encoding.RowEncoder(model, 30.0), None)
    assert found["demo/twin"] == f"it has the sound of the watched {first.id}"
    left, _ = unusable.without_unusable(rows, found, sft())
    assert "demo/twin" not in [one.id for one in left.items]


def test_too_few_that_can_be_asked_are_refused() -> None:
    items = demo_rows(12).items
    held = held_of(items)
    ids = [one.id for one in items]
    assert len(held.without(ids[:2]).items) == 10
    with pytest.raises(AudiocontribError, match="of 12 items to watch, 9 can be asked"):
        held.without(ids[:3])


@pytest.mark.parametrize(("lacking", "changes"), [("gold answer", {"answer": None}), ("clip", {"audio": None})])
def test_an_item_that_tells_nothing_cannot_be_watched(lacking: str, changes: dict[str, Any]) -> None:
    first, *others = demo_rows(12).items
    with pytest.raises(UsageError, match=f"the item {first.id} has no {lacking}, and cannot be watched"):
        held_of(Items([replace(first, **changes), *others]))
    with pytest.raises(UsageError, match="has no part"):
        HeldOut(Items([first]), {})


def stage_before(**changes: Any) -> Any:
    from audiocontrib.provenance import DataSource, Provenance
    from audiocontrib.training.output.stage_record import StageRecord, StartModel

    origin = Provenance(data=DataSource(), run="runs/d", split="s")
    model = StartModel(model_type="m", model_class="M", weights_sha256="")
    given = {"stage": "sft", "start": "m", "model": model, "settings": sft(), "items": 1, "rows": 1, "copies": 1}
    return StageRecord(**given | {"provenance": origin} | changes)


def test_a_model_that_may_have_read_what_is_watched_is_refused_or_noted() -> None:
    from audiocontrib.training.watch.before import check_before

    watch = Watch(items=12, every=1)
    watched = GRPO(part="strong", learning_rate=1e-4, batch=8, steps=3, watch=watch)
    origin = stage_before().provenance
    rows = replace(demo_rows(12), provenance=origin)
    apart, beside = stage_before(recipe=recipe(grpo=watched)), stage_before(recipe=recipe())
    assert check_before([apart], "grpo", watch, rows) == ()
    assert check_before([beside], "grpo", None, rows) == ()
    for one in (beside, stage_before(), replace(apart, provenance=replace(origin, split="t"))):
        with pytest.raises(UsageError, match=r"trained before \(sft\) on runs/d, by a recipe that does not keep"):
            check_before([one], "grpo", watch, rows)
    with pytest.raises(UsageError):
        check_before([apart], "grpo", replace(watch, seed=1), rows)
    for other in (replace(beside, provenance=replace(origin, run="other")), replace(beside, provenance=None)):
        [note] = check_before([other], "grpo", watch, rows)
        assert "whether sft before had watched items too cannot be told" in note


# the curve


def table(values: dict[int, float | None], measure: str = "accuracy", condition: str = "audio") -> pa.Table:
    rows = [
        {"step": step, "part": part, "measure": measure, "condition": condition, "n": 10, "value": value}
        for step, value in values.items()
        for part in ("all", "weak")
    ]
    rows += [{"step": step, "part": "all", "measure": "accuracy", "condition": "text", "value": 1.0} for step in values]
    return pa.Table.from_pylist(rows, schema=WATCHED_SCHEMA)


def test_the_best_step_is_the_first_of_the_highest_and_never_the_start() -> None:
    watch = Watch(items=10, every=1)
    assert best_step(table({0: 0.9, 2: 0.5, 4: 0.7, 6: 0.7}), watch) == 4
    assert best_step(table({0: 0.9}), watch) is None
    gain = Watch(items=10, every=1, by="gain", without="text")
    assert best_step(table({0: 0.9, 2: None, 4: 0.1}, "gain", "text"), gain) == 4
    assert best_step(table({0: 0.9, 2: None}, "gain", "text"), gain) is None
    assert best_step(table({2: 0.1}, "gain", "silence"), gain) is None


@pytest.mark.parametrize(
    ("values", "over"),
    [
        ([0.5], False),
        ([0.5, 0.5], False),
        ([0.5, 0.4, 0.5], True),
        ([0.5, 0.4, 0.6], False),
        ([0.5, 0.4, 0.6, 0.6, 0.2], True),
        ([None, None], False),
        ([None, None, None], True),
    ],
)
def test_it_is_over_after_so_many_that_are_no_better(values: list[float | None], over: bool) -> None:
    curve = {0: 0.9} | {2 * place: value for place, value in enumerate(values, 1)}
    assert is_over(table(curve), Watch(items=10, every=2, patience=2)) is over
    assert not is_over(table(curve), Watch(items=10, every=2))


def test_a_damaged_table_or_another_one_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "watched.parquet"
    with pytest.raises(AudiocontribError, match="cannot be read"):
        read_watched(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(AudiocontribError, match="cannot be read"):
        read_watched(path)
    pq.write_table(pa.table({"step": [1]}), path)
    with pytest.raises(AudiocontribError, match="no table of watched items: it has no column part"):
        read_watched(path)
    pq.write_table(table({0: 0.1}).append_column("more", pa.array([1, 2, 3])), path)
    assert read_watched(path).schema == WATCHED_SCHEMA
    pq.write_table(pa.table({name: ["x"] for name in COLUMNS}), path)
    with pytest.raises(AudiocontribError, match="cannot be read"):
        read_watched(path)


def test_trackers_are_told_numbers_of_all_items_alone() -> None:
    rows = table({3: 0.25}).to_pylist()
    rows[0] |= {"low": 0.1, "high": 0.4}
    rows += table({3: None}, "relative_gain", "silence").to_pylist()
    assert logged(rows) == {
        "watch/audio": 0.25, "watch/audio_low": 0.1, "watch/audio_high": 0.4, "watch/text": 1.0,
    }  # fmt: skip


def test_a_long_curve_is_thinned_in_the_card_and_the_best_is_there() -> None:
    steps = range(0, 1000, 2)
    held = WatchedCurve(
        items=("a",), clips=1, curve=tuple({"step": step, "watch/audio": 0.5} for step in steps), best=778
    )  # fmt: skip
    shown = [line[0] for line in curve_lines(held, "silence")]
    assert len(shown) in (MOST_LINES, MOST_LINES + 1)
    assert {"0", "998", "778"} <= set(shown)
    assert curve_lines(replace(held, curve=held.curve[:3]), "silence")[1][:5] == ["2", "50%", "–", "–", "– / – / –"]


def test_a_best_step_that_is_not_known_was_not_taken() -> None:
    watch = Watch(items=10, every=2, by="gain", keep_best=True)
    assert not recorded(table({0: 0.6, 2: None}, "gain", "silence"), watch, ["a"], 1, ended=False).taken
    assert recorded(table({0: 0.6, 2: 0.5}, "gain", "silence"), watch, ["a"], 1, ended=False).taken


def test_the_card_says_what_the_best_step_is_best_by() -> None:
    watch = Watch(items=10, every=2, by="gain", without="text", patience=1, keep_best=True)
    held = recorded(table({0: 0.6, 2: 0.5, 4: 0.4}, "gain", "text"), watch, ["a", "b"], 2, ended=True)
    assert (held.best, held.taken, len(held.curve)) == (2, True, 3)
    said = " ".join(curve_in_words(watch, held, 4))
    for words in (
        "2 held-out items on 2 clips, asked 3 times: method generate",
        "Best by what the audio adds over text, A - S: step 2, and it was higher still before training.",
        "Training was ended at step 4: patience 1, and no later step was better.",
        "The model has the weights of step 2. It was chosen by these items",
    ):
        assert words in said
    assert "not known" in curve_in_words(watch, replace(held, best=None), 4)[-1]


def test_the_best_checkpoint_is_not_removed(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        (tmp_path / f"checkpoint-{step}").mkdir()
        mark_complete(tmp_path / f"checkpoint-{step}")
    remove_old(tmp_path, 2, 2)
    assert [path.name[-1] for path in checkpoints(tmp_path)] == ["2", "4", "5"]
    remove_old(tmp_path, 2)
    assert [path.name[-1] for path in checkpoints(tmp_path)] == ["4", "5"]


def test_a_recipe_that_watches_is_written_and_read_again() -> None:
    from audiocontrib.training import TrainingRecipe

    made = recipe(**watching())
    again = build(TrainingRecipe, json.loads(json.dumps(recipe_values(made))), "r")
    assert again == made


@needs("trl")
def test_randomness_and_modes_are_as_they_were() -> None:
    import random

    import torch

    from audiocontrib.training.watch.asking import untouched

    net = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(2, 2))
    net[1].eval()
    net.training = True
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    told = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with untouched(net):
        assert [module.training for module in net.modules()] == [False] * 3
        random.random(), np.random.random(), torch.rand(3)
    assert [module.training for module in net.modules()] == [True, True, False]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == told[:2]
    assert torch.equal(torch.get_rng_state(), told[2])


@needs("trl")
def test_sharded_weights_are_refused() -> None:
    from types import SimpleNamespace as Made

    plain = Watch(items=10, every=1)
    state = Made(deepspeed_plugin=Made(zero_stage=3))
    sharded = Made(is_fsdp_enabled=True, is_deepspeed_enabled=False)
    spread = Made(is_fsdp_enabled=False, is_deepspeed_enabled=True, accelerator=Made(state=state))
    for one in (sharded, spread):
        with pytest.raises(UsageError, match="weights are sharded"):
            watcher.check_watchable(one, plain)
    state.deepspeed_plugin.zero_stage = 2
    watcher.check_watchable(spread, plain)
    with pytest.raises(UsageError, match=r"leave watch\.keep_best out"):
        watcher.check_watchable(spread, replace(plain, keep_best=True))
