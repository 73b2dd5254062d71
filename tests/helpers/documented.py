"""What the pages tell a reader to type, and a place in which it can be typed: small files under the names they use.

What is not at hand is put in the place of what a page names: see STANDS_IN. All else runs as it is written.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from markdown_it import MarkdownIt

from audiocontrib.cli import COMMANDS, main
from audiocontrib.models.own import is_own
from audiocontrib.store import open_run
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.watch.table import WATCHED_SCHEMA
from helpers import ROOT
from helpers.layouts import audiomcq_row, mmau_row, rul_muchomusic

DOCS = ROOT / "docs"
SYNOPSES = {DOCS / "design.md": "alternatives and dots in brackets: the contract, not something to type"}
"""Pages whose blocks are not run, with the reason."""
PAGES = [
    page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))) if page not in SYNOPSES
]

N, FEW = 60, 18
"""Questions in each file (fewer say nothing in an audit); questions of the set ``demo``, whose clips are made."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """The blocks of code of a page: language ("" where none is said) and text."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    return [(token.info, token.content) for token in tokens if token.type in ("fence", "code_block")]


def files(page: Path) -> dict[str, str]:
    """The files that a page shows whole: name -> text. Their blocks say ``title=NAME``."""
    titled = ((re.search(r"title=(\S+)", language), text) for language, text in blocks(page))
    return {found[1]: text for found, text in titled if found}


def write_files(page: Path, folder: Path) -> None:
    """Put the files that a page shows where its reader would."""
    for name, text in files(page).items():
        _write(folder / name, text)


def typed(text: str) -> list[str]:
    """The lines of a text that call audiocontrib, with what they continue on; comments are left out."""
    lines = (line.strip().removeprefix(".venv/bin/") for line in text.replace("\\\n", " ").splitlines())
    return [re.sub(r"\s+# .*", "", line) for line in lines if line.startswith("audiocontrib ")]


def lines_by_page() -> dict[str, list[str]]:
    """Every line to type, in the order of its page; the examples of a command's help are a page too."""
    found = {
        str(page.relative_to(ROOT)): [
            line for language, text in blocks(page) if language != "python" for line in typed(text)
        ]
        for page in PAGES
    }
    for name, command in commands():
        found[f"audiocontrib {name} --help"] = typed(command.help or "")
    return {page: lines for page, lines in found.items() if lines}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its name, and those within a command: ``datasets describe``."""
    ctx = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(ctx, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())


def at_hand(line: str) -> list[str] | None:
    """The arguments of a line, with what is not at hand replaced; None: not run here, for the reason in ELSEWHERE."""
    if any(re.search(pattern, line) for pattern in ELSEWHERE):
        return None
    for pattern, small in STANDS_IN:
        line = re.sub(pattern, small, line)
    _, *arguments = shlex.split(line)
    if arguments[0] == "score":
        pairs = zip(arguments, ["", *arguments], strict=False)
        arguments = [
            mock(each) if before == "--model" and not each.startswith("mock:") else each for each, before in pairs
        ]
        arguments.append("--quiet")
    return arguments


ELSEWHERE = {
    r"^audiocontrib demo (.* )?--real": "needs pretrained weights: tests/cli/test_demo_real.py",
    r"^audiocontrib weak-to-strong": "trains: tests/training/test_weak_to_strong.py reads every plan that ships",
    r"^audiocontrib (reread .*--judge|evaluate .*--scorer judge)": "a reply must be unparsed: test_judge.py",
    r"^audiocontrib view": "serves until it is stopped: tests/view",
    r"^audiocontrib demo": "once for all pages, by the test's fixture",
}
"""Lines that are not run here, and where they are."""

STANDS_IN = (
    # a few questions instead of all
    (r"^(audiocontrib \w+ .*--dataset demo\b(?!.*--limit).*)", rf"\1 --limit {FEW}"),
    (r"--limit \d+", f"--limit {FEW}"),
    # the set is on the hub: a copy of its layout
    (r"(--dataset audiomcq\b)(?!.*--data )", r"\1 --data audiomcq"),
    (r"/data/audiomcq", "audiomcq"),
    # one process on one processor (several: tests/scoring/test_parallel.py)
    (r"--(devices|device|engine|actors) \S+", ""),
    # columns whose names say nothing
    (r"(datasets describe my\.csv)( --map \S+ --answer-as number)?", r"\1 --map question=q --map answer=key"),
    # a model that is at hand, or in the run
    (r"--reference MODEL", "--reference mock"),
    (r"^(audiocontrib doctor --model) \S+", r"\1 mock"),
    # a recipe whose model is at hand
    (r"runs/audiomcq --split paper", "runs/mmau --split votes"),
    (r"recipes/training/omni/paper\.yaml", "recipes/training/tiny/weak_to_strong.yaml"),
    (r"recipes/training/omni/", "recipes/training/tiny/"),
    (r"recipes/training/listening/\w+\.yaml", "recipes/training/tiny/weak_to_strong.yaml"),  # read by test_training.py
    # what training would take, instead of training (tests/training/test_training_runs.py trains)
    (r"^(audiocontrib train (?!.*--dry-run).*)", r"\1 --dry-run"),
    (r"^(audiocontrib train grpo (?!.*--model).*)", r"\1 --model tiny-qwen2.5-omni"),
)
"""Pattern and replacement, applied to a line one after the other."""


def in_the_way(arguments: list[str]) -> Path | None:
    """A run that stands where a line makes one: its default name, or a name under which there is another data set."""
    if arguments[0] != "score":
        return None
    data = Path(arguments[arguments.index("--dataset") + 1]).stem
    if "--run" not in arguments:
        return Path("runs") / data
    run = Path(arguments[arguments.index("--run") + 1])
    if not run.exists():
        return None
    return run if open_run(run).manifest["identity"]["dataset"]["name"] != data else None


def mock(model: str) -> str:
    """A mock in the place of a model, under the same name: no checkpoint is loaded, and no server asked."""
    if is_own(model) and Path(model.partition(":")[0]).exists():
        return model
    name = model.partition(",")[0].replace("=", "-")
    return f"mock:name={name},skill=0.9,leak=0.4,seed={crc32(name.encode()) % 1000}"


def make_place(folder: Path) -> None:
    """Fill a folder with what pages name: data sets, clips, answers, recipes. Runs are made by the test."""
    (folder / "recipes").symlink_to(ROOT / "recipes")
    for page in PAGES:
        write_files(page, folder)
    rows = [_row(number) for number in range(N)]
    for number in range(N):
        sound = np.random.default_rng(number).uniform(-0.5, 0.5, 8000)
        for place in ("test-mini-audios", "audio/test-mini-audios", "clips", "audiomcq/AudioCaps"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / place / f"{number}.wav", sound, 16000)
    _write(folder / "mmau-test-mini.json", json.dumps([_mmau(row) for row in rows]))
    _write(folder / "audiomcq/datasets/a.json", json.dumps([_audiomcq(row) for row in rows]))
    rul_muchomusic(folder)
    own = [row | {"question": _other(row), "audio_path": f"clips/{row['id']}.wav"} for row in rows]
    _write(folder / "my.jsonl", "".join(json.dumps(row) + "\n" for row in own))
    _write_csv(folder / "my.csv", [_lettered(row) for row in own])
    _write(folder / "mapping.yaml", "question: q\nchoices: [a, b, c, d]\nanswer: key\nanswer_as: letter\n")
    told = [{"item_id": f"mmau/{row['id']}", "model": "theirs", "condition": "silence", "choice": 0} for row in rows]
    metrics = folder / "trained/weak_to_strong/grpo/metrics.parquet"
    metrics.parent.mkdir(parents=True)
    pq.write_table(metrics_table([{"step": 1, "loss": 0.1, "reward": 0.5}]), metrics)
    watched = folder / "trained/watched/sft"
    _write(watched / "training.json", json.dumps({"format": 2, "identity": {}, "stages": []}))
    rows_of_it = [{"step": step, "part": "all", "measure": "gain", "condition": "silence"} for step in (0, 10)]
    pq.write_table(pa.Table.from_pylist(rows_of_it, schema=WATCHED_SCHEMA), watched / "watched.parquet")
    _write(folder / "answers.jsonl", "".join(json.dumps(row) + "\n" for row in told))
    shutil.copytree(ROOT / "tests" / "importing" / "logs" / "inspect_ai", folder / "logs")
    shutil.copy(ROOT / "tests" / "importing" / "items.jsonl", folder / "listen.jsonl")
    dose = [{"item_id": name, "model": "m", "condition": c, "choice": "A"} for name in ("rain", "keys") for c in
            ("audio", "muted", "mask20")]  # fmt: skip
    _write(folder / "dose.jsonl", "".join(json.dumps(row) + "\n" for row in dose))
    _write_csv(folder / "out.csv", [{"item_id": row["item_id"], "model_output": "a dog"} for row in told])


def _row(number: int) -> dict[str, Any]:
    choices = ["a dog", "a cat", "rain", "a bell"]
    gold = str(np.random.default_rng(number).choice(choices))  # in no order that an audit would find
    question = f"What is heard {('first', 'last', 'twice')[number % 3]} in recording {number}?"
    return {"id": str(number), "question": question, "choices": choices, "answer": gold}


def _other(row: dict[str, Any]) -> str:
    """Another question, so that no set holds those of another."""
    return f"Take {row['id']}: name the source of the loudest part"


def _mmau(row: dict[str, Any]) -> dict[str, Any]:
    return mmau_row(row["id"], **row | {"difficulty": ("easy", "hard")[int(row["id"]) % 2]})


def _audiomcq(row: dict[str, Any]) -> dict[str, Any]:
    changed = row | {"question": _other(row), "audio_path": f"AudioCaps/{row['id']}.wav"}
    return audiomcq_row("AudioCaps", "sound", row["id"], **changed)


def _lettered(row: dict[str, Any]) -> dict[str, Any]:
    letter = "abcd"[row["choices"].index(row["answer"])].upper()
    options = dict(zip("abcd", row["choices"], strict=True))
    keyed = {"key": letter, "gold": letter, "audio_path": row["audio_path"]}
    return {"id": row["id"], "q": row["question"]} | options | keyed


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
