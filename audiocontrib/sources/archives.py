"""Rows of a WebDataset tar: one sample for each name, its .json beside its audio, which stays where it is."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from audiocontrib.audio.archives import BadMember, Member, tar_members
from audiocontrib.errors import AudiocontribError
from audiocontrib.sources.base import BrokenRow, Columns, Rows, SourceRow
from audiocontrib.sources.cells import AUDIO
from audiocontrib.sources.columns import SPELLINGS
from audiocontrib.sources.jsonfiles import MAX_LINE, json_row

TEXTS = {"txt", "cls", "question", "answer", "choices", "options"}
"""Endings of members that hold a text of a sample, where none has a .json."""
Sample = dict[str, Member]
"""The members of one name, by what follows the first dot of the name."""


def read_tar(path: Path) -> Rows:
    """One row for each sample: the fields of its .json, ``id`` (the sample's name, where the json has none) and
    ``audio_path``, a reference into the tar. Columns of the json that name the audio are called ``json.…``. Where
    no sample has a .json, the texts beside the audio are columns, called by their endings.

    Raises:
        AudiocontribError: it is no uncompressed tar, or no sample in it has a .json or a .txt.
    """
    samples: dict[str, Sample] = {}
    fault, twice = "", dict[str, str]()
    try:
        for member in tar_members(path):
            key, ending = _split(member.name)
            if ending in samples.setdefault(key, {}):
                twice[key] = member.name
            samples[key][ending] = member
    except BadMember as error:
        fault = str(error)
    plain = not any("json" in sample for sample in samples.values())
    if plain and not any(map(_texts, samples.values())):
        raise AudiocontribError(f"{path}: {fault or 'no sample in it has a .json or a .txt, so it is no WebDataset'}")
    with path.open("rb") as file:
        for number, (key, sample) in enumerate(samples.items(), start=1):
            about, sounds = sample.get("json"), [m for e, m in sample.items() if _is_audio(e)]
            sound = sounds[0] if sounds else None
            several = f"{twice[key]!r} is there twice" if key in twice else f"has {len(sounds)} recordings"
            if key in twice or len(sounds) > 1:
                yield BrokenRow(str(path), number, "tar", f"the sample {key!r}: {several}; an item has one")
                continue
            if plain and sound is not None:
                yield _of_texts(path, number, key, sample, file)
                continue
            if about is None or sound is None:
                missing = "audio" if about else "json"
                yield BrokenRow(str(path), number, missing, f"the sample {key!r} has {_said(sample)}, but no {missing}")
                continue
            if about.size > MAX_LINE:
                yield BrokenRow(
                    str(path), number, "json", f"{about.name} is {about.size:,} bytes; at most {MAX_LINE:,}"
                )
                continue
            file.seek(about.offset)
            row = json_row(path, number, file.read(about.size))
            if isinstance(row, SourceRow):
                reference = f"{path.absolute()}/{sound.name}"
                own = {f"json.{name}" if name in SPELLINGS["audio"] else name: row.values[name] for name in row.values}
                yield replace(row, values=Columns({"id": key, **own, "audio_path": reference}))
            else:
                yield row or BrokenRow(str(path), number, "json", f"{about.name} is empty")
        if fault:
            yield BrokenRow(str(path), len(samples) + 1, "tar", fault)


def is_webdataset(path: Path) -> bool:
    """Whether a tar begins with a sample: the .json and the audio of one name. Others hold audio alone."""
    samples: dict[str, set[str]] = {}
    try:
        for member in islice(tar_members(path), 16):
            key, ending = _split(member.name)
            samples.setdefault(key, set()).add(ending)
    except (BadMember, OSError):
        return False
    return any(
        ("json" in endings or not TEXTS.isdisjoint(endings)) and any(map(_is_audio, endings))
        for endings in samples.values()
    )


def _texts(sample: Sample) -> list[str]:
    return [ending for ending in sample if ending in TEXTS or ending.endswith(".txt")]


def _of_texts(path: Path, number: int, key: str, sample: Sample, file: BinaryIO) -> SourceRow | BrokenRow:
    """The row of a sample without a .json: its members of text by their endings, ``question.txt`` as ``question``."""
    row: dict[str, str] = {"id": key}
    for ending, member in sample.items():
        if _is_audio(ending):
            row["audio_path"] = f"{path.absolute()}/{member.name}"
        elif member.size <= MAX_LINE:
            file.seek(member.offset)
            try:
                row[ending.removesuffix(".txt")] = file.read(member.size).decode("utf-8-sig").strip()
            except UnicodeDecodeError:
                if ending in _texts(sample):
                    return BrokenRow(str(path), number, ending, f"{member.name} is not UTF-8")
    return SourceRow(str(path), number, Columns(row))


def _split(name: str) -> tuple[str, str]:
    """Name and ending of a member, split at the first dot, as WebDataset does."""
    folder, base = posixpath.split(name)
    key, _, ending = base.partition(".")
    return posixpath.join(folder, key), ending.lower()


def _is_audio(ending: str) -> bool:
    return ending.rpartition(".")[2] in AUDIO


def _said(sample: Sample) -> str:
    return ", ".join(f".{ending}" for ending in sample)
