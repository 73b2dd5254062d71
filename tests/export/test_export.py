"""Export: which rows, how they name their clips, what the manifest says, and what goes wrong in one line."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path
from shutil import rmtree
from typing import Any

import pyarrow as pa
import pytest
import soundfile
from click.testing import CliRunner
from helpers import ROOT
from helpers.exporting import SPLIT, item, lines, make_run
from helpers.sounds import encoded, tone

from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.export import FORMATS, export, make
from audiocontrib.export import manifest as manifests
from audiocontrib.export.choice import choose
from audiocontrib.export.clips import Clips
from audiocontrib.items import Clip, Items, ItemTable, item_from_row
from audiocontrib.prompts import PromptTemplate, find_prompt, make_prompt, prompt_record
from audiocontrib.store import Run
from audiocontrib.training import TrainingRows, read_training_recipe, stage_rows


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


def rows_of(run: Run, stage: Any, out: Path, **more: Any) -> list[dict[str, Any]]:
    export(run, split=SPLIT, stage=stage, out=out, format="jsonl", progress=False, **more)
    return lines(out / f"{stage}.jsonl")


def test_every_question_four_times_in_other_orders_with_where_it_is_from(run: Run, tmp_path: Path) -> None:
    rows = rows_of(run, "sft", tmp_path / "out")
    assert [row["item_id"] for row in rows] == [f"toy/{n}" for n in (0, 2, 4, 6, 9) for _ in range(4)]
    assert len({row["id"] for row in rows}) == 20
    assert len({tuple(row["options"]) for row in rows}) > 10
    for row in rows:
        assert row["options"][row["gold"]] == "it's rain"
        assert row["target"] == "<answer>it's rain</answer>"
        assert (row["part"], row["score"], row["rule"], row["weight"]) == ("weak", 0.0, "votes", 1.0)
    parents = {row["item_id"]: row["audio-contribution"] for row in rows}
    assert parents["toy/9"] == "strong"  # what the published set says, though our split says weak
    assert parents["toy/0"] == ""


def test_the_prompt_is_that_of_scoring(run: Run, tmp_path: Path) -> None:
    for row in rows_of(run, "sft", tmp_path / "out", part="all"):
        asked = make_prompt(row["question"], row["options"], has_audio=True)
        assert (row["system"], row["prompt"]) == (asked.system, asked.user)


def test_rows_are_fixed_by_the_seed(run: Run, tmp_path: Path) -> None:
    first = rows_of(run, "sft", tmp_path / "a")
    assert rows_of(run, "sft", tmp_path / "b", seed=0) == first
    assert rows_of(run, "sft", tmp_path / "c", seed=1) != first
    assert rows_of(run, "sft", tmp_path / "d", copies=2) == [row for row in first if row["id"][-1] in "01"]


@pytest.mark.parametrize("order", [("sft", "grpo"), ("grpo", "sft")])
def test_the_stages_share_no_question_in_whatever_order(order: tuple[str, str], run: Run, tmp_path: Path) -> None:
    rows = {stage: rows_of(run, stage, tmp_path / stage) for stage in order}
    items = {stage: {row["item_id"] for row in rows[stage]} for stage in order}
    assert items["sft"]
    assert items["grpo"]
    assert not items["sft"] & items["grpo"]
    assert "toy/1" in items["grpo"]  # its recording is also that of toy/0


@pytest.mark.parametrize("order", [("sft", "grpo"), ("grpo", "sft")])
def test_the_stages_share_no_clip_where_that_is_asked(order: tuple[str, str], run: Run, tmp_path: Path) -> None:
    rows = {stage: rows_of(run, stage, tmp_path / stage, disjoint="clip") for stage in order}
    clips = {stage: {row["clip_id"] for row in rows[stage]} for stage in order}
    assert clips["sft"]
    assert clips["grpo"]
    assert not clips["sft"] & clips["grpo"]
    assert "toy/1" not in {row["item_id"] for row in rows["grpo"]}  # its recording is also that of toy/0


def test_how_far_apart_they_are_kept_can_be_said(run: Run, tmp_path: Path) -> None:
    def ids(**more: Any) -> set[str]:
        return {row["item_id"][4:] for row in rows_of(run, "grpo", tmp_path / "-".join(more.values()), **more)}

    assert ids(disjoint="clip") == {"3", "5", "7"}
    assert ids(disjoint="item") == {"1", "3", "5", "7"}
    assert ids(disjoint="none", part="all") == set("0123456789")
    assert ids(disjoint="item", part="all") == {"1", "3", "5", "7", "8"}


RECIPE = """
about: a test
model: tiny-qwen2.5-omni
sft: {part: all, items: 4, copies: 2, seed: 3, learning_rate: 1.0e-4, batch: 2, steps: 1}
grpo: {part: strong, copies: 3, seed: 5, learning_rate: 1.0e-4, batch: 8, steps: 1%s}
"""


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_recipe_gives_the_rows_that_it_trains_on(stage: Any, run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE % "")
    rows = rows_of(run, stage, tmp_path / "out", recipe=recipe)
    trained = stage_rows(read_training_recipe(recipe), stage, run, SPLIT)
    assert [(row["prompt"], row["target"]) for row in rows] == [(row.prompt.user, row.target) for row in trained]


def test_an_option_to_abstain_is_shown_and_never_gold(run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE % ", abstain_option: nothing of it")
    for row in rows_of(run, "grpo", tmp_path / "out", recipe=recipe):
        assert "nothing of it" in row["options"]
        assert row["options"][row["gold"]] == "it's rain"


def test_of_a_run_without_a_split_all_items_are_exported(run: Run, tmp_path: Path) -> None:
    rmtree(run.split_folder(SPLIT))
    export(run, split=None, stage="sft", out=tmp_path / "out", format="jsonl", part="all", copies=1, progress=False)
    rows = lines(tmp_path / "out/sft.jsonl")
    assert len(rows) == 10
    assert {(row["part"], row["score"], row["rule"]) for row in rows} == {(None, None, "")}


# how rows name their clips


def test_absolute_and_relative_paths(run: Run, tmp_path: Path) -> None:
    whole = rows_of(run, "sft", tmp_path / "a")
    assert whole[0]["audio"] == str(tmp_path / "clips/in/0.wav")
    for row, short in zip(whole, rows_of(run, "sft", tmp_path / "b", audio="relative"), strict=True):
        assert tmp_path / "clips" / short["audio"] == Path(row["audio"])
        assert Path(row["audio"]).is_file()
    assert json.loads((tmp_path / "b/manifest.json").read_text())["audio_root"] == str(tmp_path / "clips")


def test_copies_are_made_once_and_named_within_the_folder(run: Run, tmp_path: Path) -> None:
    rows = rows_of(run, "sft", tmp_path / "out", audio="copy")
    copied = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out/audio").rglob("*.wav")}
    assert copied == {row["audio"] for row in rows}
    assert (tmp_path / "out/audio/in/0.wav").read_bytes() == (tmp_path / "clips/in/0.wav").read_bytes()


@pytest.mark.parametrize("name", ["swift", "jsonl"])
def test_embedded_clips_are_the_files(name: str, run: Run, tmp_path: Path) -> None:
    export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format=name, audio="embed", progress=False)
    row = lines(tmp_path / "out/sft.jsonl")[0]
    said = row["audio"] if name == "jsonl" else row["audios"][0]
    assert base64.b64decode(said.partition(",")[2]) == (tmp_path / "clips/in/0.wav").read_bytes()


def in_archives(tmp_path: Path) -> Run:
    """A run whose first clip is in a zip, and the others in its own table: FLAC without an ending to its name, MP3."""
    (tmp_path / "clips").mkdir()
    with zipfile.ZipFile(tmp_path / "clips/some.zip", "w") as file:
        file.writestr("a.wav", encoded(tone()))
    clips = [
        Clip(path="some.zip/a.wav", root=str(tmp_path / "clips")),
        Clip(data=encoded(tone(), form="FLAC")),
        Clip(path="audio", data=encoded(tone(), form="MP3")),
    ]
    return make_run(tmp_path, [item(n, None, audio=clip) for n, clip in enumerate(clips)], ["weak"] * 3)


@pytest.mark.parametrize("audio", ["absolute", "relative"])
def test_clips_in_archives_must_be_copied(audio: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a.wav: the clip is inside an archive.*let the export copy clips"):
        rows_of(in_archives(tmp_path), "sft", tmp_path / "out", audio=audio)
    assert not (tmp_path / "out").exists()
    assert not [*tmp_path.glob(".out*")]


def test_copies_from_archives_have_names_that_a_trainer_knows(tmp_path: Path) -> None:
    rows = rows_of(in_archives(tmp_path), "sft", tmp_path / "out", audio="copy", copies=1)
    assert [Path(row["audio"]).suffix for row in rows] == [".wav", ".flac", ".mp3"]
    for row, form in zip(rows, ["WAV", "FLAC", "MP3"], strict=True):
        assert soundfile.info(tmp_path / "out" / row["audio"]).format == form
    assert rows[0]["audio"] == "audio/some.zip/a.wav"


def test_no_path_leaves_the_audio_folder(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "secret.wav", tone(), 16000)
    for number, path in enumerate(["../../secret.wav", str(tmp_path / "secret.wav"), "link.wav"]):
        place = tmp_path / str(number)
        (place / "clips").mkdir(parents=True)
        (place / "clips/link.wav").symlink_to(tmp_path / "secret.wav")
        run = make_run(place, [item(0, None, audio=Clip(path=path, root=str(place / "clips")))], ["weak"])
        for audio in ("absolute", "relative", "copy", "embed"):
            with pytest.raises(AudiocontribError, match="out of the audio folder"):
                rows_of(run, "sft", place / "out", audio=audio)


def test_one_id_for_several_files_is_several_clips(tmp_path: Path) -> None:
    held = [item(n, None, audio=Clip(data=encoded(tone(n + 1))), clip_id="same") for n in range(2)]
    run = make_run(tmp_path, held, ["weak"] * 2)
    rows = rows_of(run, "sft", tmp_path / "out", audio="copy", copies=1)
    assert [soundfile.info(tmp_path / "out" / row["audio"]).duration for row in rows] == [1, 2]


# the manifest


def test_the_manifest_names_every_file_and_the_split(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows_of(run, "grpo", out, audio="copy", copies=2, seed=7)
    held = json.loads((out / "manifest.json").read_text())
    there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {"manifest.json"}
    assert held["files"].keys() == there
    for name, facts in held["files"].items():
        data = (out / name).read_bytes()
        assert facts == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    asked = held["request"]
    file = run.split_folder(SPLIT) / "split.parquet"
    assert asked["split"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (asked["split"]["rule"], asked["split"]["threshold"]) == ("votes", 0.5)
    assert (held["items"], held["rows"]) == (4, 8)
    chosen = asked["rows"]
    assert (asked["stage"], chosen["part"], chosen["copies"], chosen["seed"]) == ("grpo", "strong", 2, 7)
    assert chosen["apart_from"]["part"] == "weak"
    assert asked["run"]["dataset"] == {"name": "toy", "revision": "r1"}
    assert asked["audiocontrib"]


def test_the_same_again_is_done_already_and_another_is_refused(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = export(run, split=SPLIT, stage="sft", out=out, format="jsonl", progress=False)
    before = (out / "manifest.json").read_bytes()
    again = export(run, split=SPLIT, stage="sft", out=out, format="jsonl", progress=False)
    assert (first.fresh, again.fresh) == (True, False)
    assert (again.rows, again.items, again.notes) == (first.rows, first.items, first.notes)
    assert (out / "manifest.json").read_bytes() == before
    with pytest.raises(UsageError, match=r"holds another export \(rows differ\)"):
        export(run, split=SPLIT, stage="sft", out=out, format="jsonl", seed=1, progress=False)
    (out / "sft.jsonl").write_text("{}\n")
    with pytest.raises(AudiocontribError, match=r"sft\.jsonl is gone, or is not as it was"):
        export(run, split=SPLIT, stage="sft", out=out, format="jsonl", progress=False)


def test_what_a_killed_export_left_is_removed_when_it_is_old(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    left = tmp_path / ".out.abc.tmp"
    left.mkdir()
    rows_of(run, "sft", tmp_path / "out")
    assert left.exists()  # it may belong to one that is at work
    monkeypatch.setattr(manifests, "ABANDONED_SECONDS", -1.0)
    rows_of(run, "grpo", tmp_path / "out2")
    rows_of(run, "grpo", tmp_path / "new" / "out")
    assert left.exists()  # of another folder
    (tmp_path / "out").rename(tmp_path / "moved")
    rows_of(run, "sft", tmp_path / "out")
    assert not left.exists()


# what goes wrong


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "swft"}, "no export format is called 'swft'; did you mean 'swift'"),
        ({"format": "llamafactory"}, "llamafactory has no grpo with audio, only sft"),
        ({"audio": "embed", "format": "trl"}, "trl cannot refer to clips as embed; they can: absolute, relative, copy"),
        ({"copies": 0}, "copies is 0, but must be a whole number above 0"),
        ({"seed": -1}, "seed is -1, but must be a whole number of at least 0"),
        ({"split": "other"}, "has no split 'other'; there are: votes-0.5"),
        ({"recipe": "r.yaml", "copies": 2}, "r.yaml says part, copies, seed and disjoint"),
    ],
)
def test_a_wrong_question_is_one_line(options: dict[str, Any], said: str, run: Run, tmp_path: Path) -> None:
    split = options.pop("split", SPLIT)
    with pytest.raises(UsageError, match=said) as error:
        export(run, split=split, stage="grpo", out=tmp_path / "out", **{"format": "jsonl", "progress": False} | options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    rows_of(run, "sft", out)  # empty: may be used
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("mine", "file", "clips"):
        with pytest.raises(UsageError, match="is not empty, and holds no export"):
            rows_of(run, "sft", tmp_path / name)
    assert (tmp_path / "mine/notes.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("stage", "parts", "said"),
    [
        ("sft", ["strong"] * 10, r"no item is weak \(it holds 10 strong\)"),
        ("grpo", ["weak"] * 10, r"no item is strong \(it holds 10 weak\)"),
        (
            "grpo",
            ["strong"] + ["weak"] * 9,
            "no item is left to train on; 1 of 1 strong items were left out",
        ),
    ],
)
def test_a_part_that_is_empty(stage: Any, parts: list[str], said: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, parts=parts)
    with pytest.raises(AudiocontribError, match=said):
        rows_of(run, stage, tmp_path / "out", disjoint="clip")
    assert not (tmp_path / "out").exists()


def test_a_clip_that_vanished(run: Run, tmp_path: Path) -> None:
    (tmp_path / "clips/in/1.wav").unlink()
    with pytest.raises(AudiocontribError, match=r"in/1\.wav: the clip of toy/2 is not there"):
        rows_of(run, "sft", tmp_path / "out")


def test_items_without_a_key_are_left_out_and_named(tmp_path: Path) -> None:
    held = [item(0, tmp_path / "clips"), item(2, tmp_path / "clips", answer=None, has_key=False)]
    run = make_run(tmp_path, held, ["weak", "weak"])
    made = export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", progress=False)
    assert made.items == 1
    assert made.notes == ("1 items have no gold answer that a reply can name, e.g. toy/2: left out",)


def test_items_whose_text_a_trainer_would_take_for_a_clip_are_left_out(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    held = [item(0, root), item(2, root, question="What does <audio> mean?")]
    held.append(item(3, root, choices=["<video>", "it's rain"]))
    run = make_run(tmp_path, held, ["weak"] * 3)
    made = export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="swift", progress=False)
    assert {row["item_id"] for row in lines(tmp_path / "out/sft.jsonl")} == {"toy/0"}
    assert made.notes[0].startswith("2 items hold one of the tags <audio> <image> <video> ")
    assert made.notes[0].endswith(" in their text, e.g. toy/2: left out")
    assert export(run, split=SPLIT, stage="sft", out=tmp_path / "all", format="jsonl", progress=False).items == 3
    only = make_run(tmp_path / "only", held[1:], ["weak"] * 2)
    with pytest.raises(AudiocontribError, match="no item is left to export"):
        export(only, split=SPLIT, stage="sft", out=tmp_path / "none", format="swift", progress=False)


def test_rows_have_the_prompt_of_their_run(tmp_path: Path) -> None:
    own = PromptTemplate(name="own", system="Listen.", user="{options}\n{question}", options="letters")
    run = make_run(tmp_path, prompt=prompt_record(own))
    made = export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", progress=False)
    assert made.notes == ()
    for row in lines(tmp_path / "out/sft.jsonl"):
        asked = make_prompt(row["question"], row["options"], has_audio=True, prompt=own)
        assert (row["system"], row["prompt"]) == (asked.system, asked.user)
    assert json.loads((made.folder / "manifest.json").read_text())["request"]["prompt"] == prompt_record(own)
    card = make_run(tmp_path / "card", prompt=prompt_record(find_prompt("audiomcq-card")))
    export(card, split=SPLIT, stage="sft", out=tmp_path / "third", format="jsonl", progress=False)
    assert "[''" in lines(tmp_path / "third/sft.jsonl")[0]["prompt"]
    # the same run, with another prompt in the same folder: refused, as it is another export
    with pytest.raises(AudiocontribError):
        export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", prompt="audiomcq", progress=False)


def test_another_prompt_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path, prompt=prompt_record(find_prompt("audiomcq-card")))
    made = export(
        run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", prompt="audiomcq", progress=False
    )
    assert made.notes == (
        "the run was asked with the prompt audiomcq-card; rows are written with audiomcq, as you say",
    )
    same = export(
        run, split=SPLIT, stage="sft", out=tmp_path / "same", format="jsonl", prompt="audiomcq-card", progress=False
    )
    assert same.notes == ()
    imported = make_run(tmp_path / "imported", prompt=None)
    told = export(imported, split=SPLIT, stage="sft", out=tmp_path / "other", format="jsonl", progress=False).notes
    assert told == ("the run does not say which prompt was asked with; rows are written with audiomcq",)
    assert (
        export(
            imported, split=SPLIT, stage="sft", out=tmp_path / "last", format="jsonl", prompt="audiomcq", progress=False
        ).notes
        == ()
    )


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"name": "theirs", "sha256": "0"}, "load its plugin first"),
        ({"name": "audiomcq", "sha256": "0"}, "is not the one that was asked with"),
        ({"name": "own", "sha256": "0", "user": "{question} {options}"}, "is not the one that was asked with"),
    ],
)
def test_a_prompt_that_is_not_known_here_is_refused(tmp_path: Path, record: Any, says: str) -> None:
    run = make_run(tmp_path, prompt=record)
    with pytest.raises(AudiocontribError, match=says):
        export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", progress=False)
    made = export(
        run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", prompt="audiomcq-card", progress=False
    )
    assert f"asked with the prompt {record['name']};" in made.notes[0]


def test_sft_on_another_part_tells_what_grpo_is_held_apart_from(run: Run, tmp_path: Path) -> None:
    made = export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="jsonl", part="all", progress=False)
    assert "GRPO rows are held apart from an SFT on weak, not on all" in made.notes[0]


def test_replies_to_silence_cannot_be_exported(run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE % ", silent_replies: 2")
    with pytest.raises(UsageError, match="silent_replies is 2, but only `audiocontrib train grpo`"):
        rows_of(run, "grpo", tmp_path / "out", recipe=recipe)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_full_disk_leaves_nothing(name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = FORMATS[name].stages[0]

    def full(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AudiocontribError, match="disk full while writing") as error:
        export(run, split=SPLIT, stage=stage, out=tmp_path / "out", format=name, progress=False)
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir() if "out" in p.name] == []


@pytest.mark.slow
def test_items_are_made_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ten = make_run(tmp_path).load_items().table
    held = ItemTable(pa.concat_tables([ten] * 1000).to_batches(), str(tmp_path / "clips"))
    alive = []
    made = "audiocontrib.items.table.item_from_row"
    monkeypatch.setattr(made, lambda row, root: alive.append(0) or item_from_row(row, root))
    said = pa.table({"part": ["weak"] * 10_000, "score": [0.0] * 10_000})
    settings = choose("sft").stage("sft")
    given = make._examples(TrainingRows(Items(held), 4), said, "votes", Clips("absolute", tmp_path, None), settings)
    counted = {}
    for number, _ in enumerate(given):
        if number % 10_000 == 0:
            counted[number] = len(alive)
    assert all(there <= number // 4 + 4096 for number, there in counted.items()), counted  # four copies of each


# the command


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["export", *arguments, "--quiet"])


def test_the_command_exports_and_says_how_much(run: Run, tmp_path: Path) -> None:
    asked = ["--stage", "sft", "--for", "swift", "--run", str(run.path), "--out", str(tmp_path / "out")]
    done = invoke(*asked)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"exported: 5 items, 20 rows in {tmp_path / 'out'}\n"
    assert invoke(*asked).stderr.startswith("exported before, and as it was: 5 items")
    refused = invoke(*asked, "--copies", "2")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1


def test_the_help_lists_every_format() -> None:
    text = CliRunner().invoke(main, ["export", "--help"]).stdout
    listed = text.partition("Trainers:")[2].partition("Examples:")[0].split("\n")
    assert {line.split()[0] for line in listed if line.strip()} == set(FORMATS)


def test_the_page_says_of_every_format_how_it_was_checked() -> None:
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    for name, chosen in FORMATS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` | ")]
        _, _, stages, files, checked, _ = [cell.strip() for cell in row.split("|")]
        assert stages == ", ".join(stage.upper() for stage in chosen.stages)
        assert all(chosen.file.format(stage=stage) in files for stage in chosen.stages)
        assert checked
