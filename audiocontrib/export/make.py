"""From a split to an exported folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from audiocontrib.checked import as_path
from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.export.base import EXTRA, FORMATS, PARENT, Audio, Format, Launch, Stage, TrainingExample
from audiocontrib.export.choice import Disjoint, choice_notes, choose, described, fit_rows
from audiocontrib.export.clips import Clips
from audiocontrib.export.launch import launch_of
from audiocontrib.export.manifest import made_before, whole_folder, write_manifest
from audiocontrib.export.origin import run_facts, said_of, split_record
from audiocontrib.export.writers import write_rows
from audiocontrib.hashing import stable_hash
from audiocontrib.items import ROWS_AT_ONCE, Items
from audiocontrib.prompts import DEFAULT_PROMPT, PromptFormat, prompt_record
from audiocontrib.provenance import to_json
from audiocontrib.store import Run
from audiocontrib.store.marks import marked
from audiocontrib.store.runs import as_run
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.rows import TrainingRow, TrainingRows, stage_rows
from audiocontrib.training.rows.split_part import marked_for
from audiocontrib.training.stage_settings import Part

import_module("audiocontrib.export.formats")  # files them
PATTERN = re.compile(r"[*?[]|::|\$\w+|\$\{\w+\}")
BESIDE = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class Exported:
    """A folder that a trainer can read."""

    folder: Path
    rows: int
    items: int
    notes: tuple[str, ...]
    """What was left out, and what else is to be known, in sentences."""
    fresh: bool
    """False: the same had been exported before, and nothing was written."""


def export(
    run: Run,
    /,
    *,
    stage: Stage,
    out: str | os.PathLike[str],
    split: str | Path | None = None,
    format: str = "swift",
    recipe: str | Path | None = None,
    part: Part | None = None,
    copies: int | None = None,
    seed: int | None = None,
    disjoint: Disjoint | None = None,
    audio: Audio | None = None,
    prompt: str | Path | PromptFormat | None = None,
    without_marked: str | Sequence[str] = (),
    corrected_keys: bool = False,
    progress: bool = True,
) -> Exported:
    """Write the rows of a stage as a trainer reads them, with a manifest; the whole folder or nothing.

    Args:
        run: a run.
        split: name of a split in the run, or a folder that holds one; None: its only one, or all items if it has none.
        stage: ``sft`` or ``grpo``. As long as run, split, seed and recipe are the same, what is exported for GRPO
            shares no question with what is exported for SFT, in whatever order they are exported.
        out: folder to make; it must not hold anything but the same export.
        format: one of FORMATS.
        recipe: YAML of a training, which says what the next four would.
        part: ``weak``, ``strong`` or ``all``; default: weak for SFT, strong for GRPO.
        copies: each question so many times, its options in random orders; default: 4.
        seed: of the orders; default: 0.
        disjoint: what GRPO may not share with SFT on the weak part: ``item`` (a question; default), ``clip``, ``none``.
        audio: how rows refer to clips; default: the format's first.
        prompt: name, file or template of another prompt than the run was asked with; default: the run's own.
        without_marked, corrected_keys: as in :func:`audiocontrib.marked`, beside the marks by which the split was made.

    Raises:
        UsageError: no such format, split or part; the format has no such stage or way to refer to clips; a clip lies
            in an archive and is not to be copied; ``out`` holds something else.
        AudiocontribError: nothing is left to export; a clip is gone; the disk is full.

    Example:
        >>> ac.export(run, split="votes-0.5", stage="sft", format="trl", out="exported/sft").rows
    """
    split = _named(as_run(run), split)
    out, chosen = as_path(out, "out"), FORMATS.find(format)
    way = _way(format, chosen, stage, audio)
    plan = choose(stage, recipe, part, copies, seed, disjoint)
    run = marked_for(marked(run, without=without_marked, corrected_keys=corrected_keys), split)
    rows = fit_rows(stage_rows(plan, stage, run, split, prompt=prompt), chosen, stage)
    about = split_record(run, split)
    request = {"format": format, "stage": stage, "audio": way, "rows": described(plan, stage), "split": about}
    launch = launch_of(plan, stage, chosen.file.replace("{stage}", stage), rows.prompt.system, _media(rows, way))
    request |= _run_facts(run, rows) | (_launch_facts(launch) if chosen.launch else {})
    notes = (*rows.notes, *choice_notes(plan, stage), *_run_notes(run, out))
    made = Exported(out, len(rows), len(rows.items), notes, fresh=not made_before(out, request))
    if not made.fresh:
        return made
    rows.check_clips()
    with whole_folder(out) as folder:
        clips = Clips(way, folder, chosen.embed)
        examples = _examples(rows, said_of(run, split, rows.items), about["rule"], clips, launch.settings)
        shown = tqdm(examples, f"export {stage}", len(rows), unit="row", disable=None if progress else True)
        with _one_line(format):
            like = _row(format, chosen, _like(chosen, rows), stage)
            write_rows(folder / launch.file, (_row(format, chosen, one, stage, like) for one in shown), like)
            _write_beside(format, chosen, folder, launch)
        write_manifest(folder, {"request": request, **_origin(rows), **_counts(made)})
    return made


def _run_notes(run: Run, out: Path) -> list[str]:
    """Of the run's marks, and of the name of the folder."""
    told = [run.marking.in_words()] if run.marking else []
    if found := PATTERN.search(str(out.absolute())):
        told.append(
            f"{found[0]!r} in the path of the folder is a pattern or a variable to datasets.load_dataset, by which "
            "most trainers read: it finds nothing, or rows of other folders too; put the folder elsewhere"
        )
    return told


def _named(run: Run, split: str | Path | None) -> str | Path | None:
    """The split that was named, or the only one."""
    only = run.only_split() if split is None else None
    return only.name if only else split


def _media(rows: TrainingRows, way: Audio) -> str:
    """The folder in which relative paths of clips are looked up; "" where they lie beside the rows."""
    return str(rows.items.origin.get("audio_root") or "") if way == "relative" else ""


def _counts(made: Exported) -> dict[str, Any]:
    return {"items": made.items, "rows": made.rows, "notes": made.notes}


def _launch_facts(launch: Launch) -> dict[str, Any]:
    """What tells this configuration from others, as JSON values."""
    told: dict[str, Any] = json.loads(json.dumps({"model": launch.model, "settings": asdict(launch.settings)}))
    return {"launch": told}


def _run_facts(run: Run, rows: TrainingRows) -> dict[str, Any]:
    """What tells these rows from others of the same recipe."""
    facts: dict[str, Any] = {"run": run_facts(run)} | ({"marking": run.marking.record()} if run.marking else {})
    facts |= {
        "audiocontrib": version("audiocontrib"),
        "items_sha256": stable_hash([rows.items.table["item_id"].to_pylist(), dict(rows.weights)]),
    }
    facts |= {"target": rows.target, "rows_sha256": rows.digest} if rows.target else {}
    return facts if rows.prompt.name == DEFAULT_PROMPT else facts | {"prompt": prompt_record(rows.prompt)}


def _origin(rows: TrainingRows) -> dict[str, Any]:
    """Where the rows come from, as JSON values."""
    return {
        "created_at": datetime.now(UTC).isoformat(),
        "audio_root": rows.items.origin.get("audio_root"),
        "provenance": to_json(rows.provenance) if rows.provenance else None,
    }


def _way(name: str, chosen: Format, stage: Stage, audio: Audio | None) -> Audio:
    """How rows refer to clips, if the format can do that, and the stage."""
    if stage not in chosen.stages:
        raise UsageError(f"format {name} has no {stage} with audio, only {', '.join(chosen.stages)}; choose another")
    if audio is not None and audio not in chosen.audio:
        raise UsageError(
            f"rows of the format {name} cannot refer to clips as {audio}; they can: {', '.join(chosen.audio)}"
        )
    return audio or chosen.audio[0]


def _examples(
    rows: TrainingRows, said: pa.Table, rule: str, clips: Clips, settings: SFT | GRPO
) -> Iterator[TrainingExample]:
    """The rows in order. Items are made a few thousand at a time: their table is all that is in memory as a whole."""
    weights = (settings.accuracy, settings.format) if isinstance(settings, GRPO) else (0.0, 0.0)
    for first in range(0, len(rows.items), ROWS_AT_ONCE):
        some = rows.items[first : first + ROWS_AT_ONCE]
        for item, about in zip(some, said.slice(first, ROWS_AT_ONCE).to_pylist(), strict=True):
            extra = {
                "item_id": item.id,
                "clip_id": item.clip_id,
                **about,
                "rule": rule,
                "weight": float(rows.weights.get(item.id, 1.0)),
                PARENT: str(item.extra.get(PARENT) or ""),
            }
            audio = clips(item)
            # a row depends on its item, the number of its copy and the seed, and on no other item
            alone: TrainingRows = replace(rows, items=Items([item]))
            for copy, row in enumerate(alone):
                yield TrainingExample(row, f"{item.id}#{copy}", audio, extra, weights)


def _like(chosen: Format, rows: TrainingRows) -> TrainingExample:
    """An example in which nothing is null."""
    first: TrainingRow = rows[0]
    return TrainingExample(first, "", "" if chosen.embed is None else chosen.embed(b""), EXTRA)


def _row(
    name: str, chosen: Format, example: TrainingExample, stage: Stage, like: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An example as the format has it: a dictionary, with the columns of ``like``, which every row has."""
    row = chosen.row(example, stage)
    if not (isinstance(row, dict) and row and all(isinstance(key, str) for key in row)):
        fault = f"gave {row!r:.60} as a row; it gives a dictionary of columns"
    elif like is not None and row.keys() != like.keys():
        lacking, more = sorted(like.keys() - row.keys()), sorted(row.keys() - like.keys())
        fault = f"gave a row {'without' if lacking else 'with'} {(lacking or more)[0]!r}, unlike its other rows"
    else:
        return row
    raise AudiocontribError(f"format {name} {fault} (item {example.row.item.id})")


def _write_beside(name: str, chosen: Format, folder: Path, launch: Launch) -> None:
    """The other files that a format wants, within the folder."""
    for kind, wanted in (
        ("beside", chosen.beside(launch.stage, launch.file) if chosen.beside else {}),
        ("launch", chosen.launch(launch) if chosen.launch else {}),
    ):
        if not isinstance(wanted, Mapping):
            raise AudiocontribError(f"format {name}: {kind} gave {wanted!r:.60}, not names and texts")
        for beside, text in wanted.items():
            named = isinstance(beside, str) and isinstance(text, str) and BESIDE.fullmatch(beside)
            if not named or beside == launch.file:
                raise AudiocontribError(
                    f"format {name}: {kind} gave {beside!r:.60}, which is no name of another text file"
                )
            (folder / beside).write_text(text, encoding="utf-8")


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """What fails in a format, which may be somebody's own, or in writing what it gave, is one line."""
    try:
        yield
    except (AudiocontribError, OSError):
        raise
    except Exception as error:
        raise AudiocontribError(f"format {name} fails: {code_place(error)}{one_line(error)}") from error
