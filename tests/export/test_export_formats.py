"""Formats: each is read back, by the trainer's own loader where that installs beside this package.

TRL and Hugging Face `datasets` do. JSON and Parquet of the others are read by ``datasets.load_dataset``, as all of
these trainers do but R1-AQA, and held against the row formats that their documentation and sources describe; ms-swift,
NeMo RL, verl, LLaMA-Factory and R1-AQA are not installed here, and were not run by these tests.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from helpers.exporting import SPLIT, lines, make_run

from audiocontrib.audio import decode
from audiocontrib.export import FORMATS, Stage, export
from audiocontrib.export.base import EXTRA
from audiocontrib.items import Clip
from audiocontrib.prompts import make_prompt
from audiocontrib.store import Run
from audiocontrib.training import TrainingRows
from audiocontrib.training.rows import training_rows

CASES = [(name, stage) for name in sorted(FORMATS) for stage in FORMATS[name].stages]


class Read(NamedTuple):
    """What a trainer would make of a row."""

    system: str | None
    """None: the trainer has it from its configuration."""
    user: str
    target: str
    audio: Any


def of_messages(row: dict[str, Any], target: str | None = None) -> Read:
    """Chat messages with a tag where the clip is."""
    messages = row.get("messages") or row["prompt"]
    assert [set(message) for message in messages] == [{"role", "content"}] * len(messages)
    system, user, *reply = messages
    assert (system["role"], user["role"]) == ("system", "user")
    tags = re.findall("<audio>|<image>|<video>", user["content"])
    assert tags == ["<audio>"] * len(row["audios"]) == ["<audio>"]
    if target is None:
        assert [message["role"] for message in reply] == ["assistant"]
        target = reply[0]["content"]
    else:
        assert not reply
    return Read(system["content"], user["content"].removeprefix("<audio>"), target, row["audios"][0])


def swift(row: dict[str, Any], stage: Stage) -> Read:
    if stage == "grpo":
        assert row["solution"] == f"<answer>{row['options'][row['gold']]}</answer>"
    return of_messages(row, row.get("solution"))


def llamafactory(row: dict[str, Any], stage: Stage) -> Read:
    return of_messages(row)


def verl(row: dict[str, Any], stage: Stage) -> Read:
    """The columns of verl's data preparation, ``<audio>`` split as ``<image>`` is in its RLHFDataset."""
    about = row["extra_info"]
    assert isinstance(row["data_source"], str)
    assert row["ability"] == "audio_mcq"
    assert row["reward_model"]["style"] == "rule"
    assert {"split", "index", "part", "score", "rule", "weight", "audio_contribution"} <= set(about)
    assert row["reward_model"]["ground_truth"] == f"<answer>{about['options'][about['gold']]}</answer>"
    return of_messages(row, row["reward_model"]["ground_truth"])


def nemo_rl(row: dict[str, Any], stage: Stage) -> Read:
    """General conversations, or AudioMCQDataset: it keeps "strong" rows only where there is such a column, and
    renders this template."""
    assert "audio-contribution" not in row
    if stage == "sft":
        user, reply = row["conversations"]
        assert (user["from"], reply["from"]) == ("user", "assistant")
        assert user["value"].startswith("<sound>")
        assert Path(row["sound"][0]).name.count(".") == 1  # it splits the name there
        return Read(None, user["value"].removeprefix("<sound>"), reply["value"], row["sound"][0])
    template = (
        "{question} Please choose the answer from the following options: {choices}. "
        "Output the final answer in <answer> </answer>."
    )
    assert row["answer"] in row["choices"]
    assert {"source_dataset", "id", "question_type"} <= set(row)
    user = template.format(question=row["question"], choices=row["choices"])
    return Read(None, user, f"<answer>{row['answer']}</answer>", row["audio_path"])


def r1_aqa(row: dict[str, Any], stage: Stage) -> Read:
    """A row of another name than AVQA is taken as it is: prompt, solution and (decoded from audio_path) audio."""
    assert row["dataset_name"] != "AVQA"
    assert row["solution"] == f"<answer>{row['multi_choice'][row['answer']]}</answer>"
    system, user = row["prompt"]
    heard, text = user["content"]
    assert heard == {"type": "audio", "audio_url": row["audio_path"]}
    assert text["type"] == "text"
    return Read(system["content"], text["text"], row["solution"], row["audio_path"])


def trl(row: dict[str, Any], stage: Stage) -> Read:
    from trl.data_utils import is_conversational

    assert is_conversational(row)
    system, user = row["prompt"]
    heard, text = user["content"]
    assert (heard["type"], text["type"]) == ("audio", "text")
    target = row["solution"] if stage == "grpo" else row["completion"][0]["content"][0]["text"]
    return Read(system["content"][0]["text"], text["text"], target, heard["audio"])


def jsonl(row: dict[str, Any], stage: Stage) -> Read:
    return Read(row["system"], row["prompt"], row["target"], row["audio"])


READERS: dict[str, Callable[[dict[str, Any], Stage], Read]] = {
    "swift": swift,
    "llamafactory": llamafactory,
    "verl": verl,
    "nemo-rl": nemo_rl,
    "r1-aqa": r1_aqa,
    "trl": trl,
    "jsonl": jsonl,
    "datasets": jsonl,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("made"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever `datasets` caches goes with the test."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def loaded(out: Path, name: str, stage: Stage) -> Iterator[dict[str, Any]]:
    """The rows of an export, as `datasets` gives them to a trainer."""
    from datasets import Audio, load_dataset, load_from_disk

    file = out / FORMATS[name].file.format(stage=stage)
    if not file.suffix:
        yield from load_from_disk(str(file)).cast_column("audio", Audio(decode=False))
    elif name == "r1-aqa":  # it reads line by line
        yield from lines(file)
    else:
        kind = {".jsonl": "json", ".parquet": "parquet"}[file.suffix]
        yield from load_dataset(kind, data_files=str(file), split="train")


def wanted(run: Run, stage: Stage) -> TrainingRows:
    """What is trained on here: the same rows by `audiocontrib train`."""
    return training_rows(run, SPLIT, "weak" if stage == "sft" else "strong", copies=4)


def test_every_format_has_a_reader() -> None:
    assert READERS.keys() == FORMATS.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stage"), CASES)
def test_rows_are_read_back_as_they_are_trained_on_here(name: str, stage: Stage, run: Run, tmp_path: Path) -> None:
    export(run, split=SPLIT, stage=stage, out=tmp_path / "out", format=name, progress=False)
    read = [READERS[name](row, stage) for row in loaded(tmp_path / "out", name, stage)]
    for found, row in zip(read, wanted(run, stage), strict=True):
        scored = make_prompt(row.item.question, row.prompt.options, has_audio=True)
        assert found.user == scored.user  # byte for byte
        assert found.system in (None, scored.system)
        assert found.target == row.target
        opened = found.audio if isinstance(found.audio, str) else io.BytesIO(found.audio["bytes"])
        samples, rate = soundfile.read(opened, dtype="float32")
        assert rate == 16000
        np.testing.assert_array_equal(samples, decode(row.item.audio).samples)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stage"), CASES)
def test_extra_columns_are_in_every_format(name: str, stage: Stage, run: Run, tmp_path: Path) -> None:
    export(run, split=SPLIT, stage=stage, out=tmp_path / "out", format=name, copies=1, progress=False)
    part = "weak" if stage == "sft" else "strong"
    for row in loaded(tmp_path / "out", name, stage):
        held = {key.replace("-", "_"): value for key, value in row.get("extra_info", row).items()}
        assert {key.replace("-", "_") for key in EXTRA} <= set(held)
        assert (held["part"], held["score"], held["rule"]) == (part, float(part == "strong"), "votes")
        number = int(held["item_id"].removeprefix("toy/"))
        assert held["audio_contribution"] == ("strong" if number % 2 else "")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stage"), CASES)
def test_every_way_to_name_a_clip_leads_to_it(name: str, stage: Stage, run: Run, tmp_path: Path) -> None:
    bases = {"absolute": Path("/"), "relative": run.path.parent / "clips", "copy": tmp_path / "copy"}
    for audio in FORMATS[name].audio:
        out = tmp_path / audio
        export(run, split=SPLIT, stage=stage, out=out, format=name, copies=1, audio=audio, progress=False)
        for row in loaded(out, name, stage):
            said = READERS[name](row, stage).audio
            if isinstance(said, dict):
                assert said["bytes"].startswith(b"RIFF")
            elif audio != "embed":
                assert ".." not in Path(said).parts
                assert (bases[audio] / said).is_file()


def test_columns_that_are_null_in_the_first_rows_keep_their_types(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    whole = make_run(tmp_path / "run")
    rmtree(whole.split_folder(SPLIT))
    export(whole, stage="grpo", out=tmp_path / "out", format="verl", part="all", disjoint="none", progress=False)
    about = pq.read_schema(tmp_path / "out/grpo.parquet").field("extra_info").type
    assert str(about.field("score").type) == "double"
    assert str(about.field("part").type) == "string"


# TRL


@pytest.fixture(scope="module")
def tiny() -> Any:
    from audiocontrib.models import load_model

    return load_model("tiny-qwen2.5-omni")


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_trl_renders_the_text_and_sound_of_training_here(stage: Stage, run: Run, tiny: Any, tmp_path: Path) -> None:
    from trl.data_utils import apply_chat_template

    from audiocontrib.training.encoding.row_encoder import RowEncoder

    export(run, split=SPLIT, stage=stage, out=tmp_path / "out", format="trl", progress=False)
    encoder = RowEncoder(tiny, 30.0)
    for read, row in zip(loaded(tmp_path / "out", "trl", stage), wanted(run, stage), strict=True):
        rendered = apply_chat_template(
            {key: read[key] for key in ("prompt", "completion") if key in read}, tiny.processor
        )
        assert rendered["prompt"] == tiny.encoder.render(row.prompt)
        if stage == "sft":
            assert rendered["completion"] == row.target + encoder.ending + "\n"
        sound = decode(Clip(path=trl(read, stage).audio, root="/"))
        np.testing.assert_array_equal(sound.samples, encoder.hear(row).samples)


# the files beside the rows


def test_llamafactory_finds_the_rows_by_dataset_info(run: Run, tmp_path: Path) -> None:
    export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="llamafactory", progress=False)
    [about] = json.loads((tmp_path / "out/dataset_info.json").read_text()).values()
    row = lines(tmp_path / "out" / about["file_name"])[0]
    assert about["formatting"] == "sharegpt"
    assert set(about["columns"].values()) <= set(row)
    tags = about["tags"]
    roles = [message[tags["role_tag"]] for message in row[about["columns"]["messages"]]]
    assert roles == [tags["system_tag"], tags["user_tag"], tags["assistant_tag"]]
    assert all(message[tags["content_tag"]] for message in row["messages"])
    held = json.loads((tmp_path / "out/manifest.json").read_text())
    assert "dataset_info.json" in held["files"]


def test_a_datasets_folder_has_audio_inside(run: Run, tmp_path: Path) -> None:
    from datasets import Audio, load_from_disk

    export(run, split=SPLIT, stage="sft", out=tmp_path / "out", format="datasets", copies=1, progress=False)
    held = load_from_disk(str(tmp_path / "out/sft"))
    assert isinstance(held.features["audio"], Audio)
    cell = held.cast_column("audio", Audio(decode=False))[0]["audio"]
    assert cell["bytes"] == (run.path.parent / "clips/in/0.wav").read_bytes()
    pytest.importorskip("torchcodec", reason="datasets decodes audio with torchcodec, which is not installed")
    assert held[0]["audio"]["sampling_rate"] == 16000
