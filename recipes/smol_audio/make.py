"""Make the clips and the questions that `smol-audio` learns from, in AudioMCQ's layout.

    python recipes/smol_audio/make.py --packages FOLDER --out FOLDER [--seed 0] [--scale 1.0]

What is made: `clips/*.wav`, `train.jsonl` and `test.jsonl` (rows of AudioMCQ), `captions.jsonl` (what a listener would
write down of each clip of the training). The same seed and tools give the same bytes; `made.json` holds their hashes.
It needs espeak-ng, flite, fluidsynth, and the packages of packages.yaml, unpacked. No clip is one of real-sounds, and
no recorded file is one that real-sounds was made of: checked here, by the samples and by the files' names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import heard
import numpy as np
import played
import soundfile
import spoken
import words
from clips import RATE, Clip, Question
from material import CATALOGUE, Material

from audiocontrib.errors import AudiocontribError

LEAKING = 0.15
"""Share of the questions whose text betrays the answer."""
COUNTS = {
    "words": 4500, "pairs": 500, "calendar": 700, "digits": 700, "sentences": 700, "languages": 700, "speakers": 600,
    "instruments": 1200, "pitch": 900, "melody": 900, "events": 700, "animals": 150, "mixtures": 400, "order": 800,
    "counting": 800,
}  # fmt: skip


def makers(
    material: Material, taught: list[str], kept: list[str], seed: int, scale: float
) -> dict[str, Iterator[Clip]]:
    """Each kind of clips; each has random numbers of its own, so that none moves another."""
    n = {name: max(1, round(count * scale)) for name, count in COUNTS.items()}
    rng = {name: Random(f"{seed} {name}") for name in COUNTS}
    common = taught[:1500]
    return {
        "words": spoken.spoken_words(taught, kept, n["words"], rng["words"]),
        "pairs": spoken.pairs_of_words(common, n["pairs"], rng["pairs"]),
        "calendar": spoken.calendar(n["calendar"], rng["calendar"]),
        "digits": spoken.digits(n["digits"], rng["digits"]),
        "sentences": spoken.sentences(taught, n["sentences"], rng["sentences"]),
        "languages": spoken.languages(n["languages"], rng["languages"]),
        "speakers": spoken.speakers(n["speakers"], rng["speakers"]),
        "instruments": played.instruments(material, n["instruments"], rng["instruments"]),
        "pitch": played.pitch(material, n["pitch"], rng["pitch"]),
        "melody": played.melody(material, n["melody"], rng["melody"]),
        "events": heard.events(material, n["events"], rng["events"]),
        "animals": heard.animals(material, n["animals"], rng["animals"]),
        "mixtures": heard.mixtures(material, n["mixtures"], rng["mixtures"]),
        "order": heard.order(material, n["order"], rng["order"]),
        "counting": heard.counting(material, n["counting"], rng["counting"]),
    }


def leaked(question: Question, rng: Random) -> Question:
    """Now and then the same question with a text that betrays the answer."""
    if rng.random() >= LEAKING or len(question.wrong) < 1:
        return question
    kind = rng.randrange(3)
    if kind == 0:
        text = f"{question.text} Somebody who heard it says: {question.gold}"
    elif kind == 1:
        text = f"{question.text} (It is not one of these: {', '.join(question.wrong)}.)"
    else:
        text = f"It was {question.gold}. {question.text}"
    return Question(question.category, text, question.gold, question.wrong, ("said", "excluded", "told")[kind])


def row(clip: str, number: int, question: Question, rng: Random, test: str) -> dict[str, object]:
    """A question in the schema of AudioMCQ."""
    options = [question.gold, *question.wrong]
    rng.shuffle(options)
    return {
        "source_dataset": "smol-audio",
        "id": f"{clip}-{number}",
        "question_type": question.category,
        "audio_path": f"clips/{clip}.wav",
        "question": question.text,
        "choices": options,
        "answer": question.gold,
        "leak": question.leak,
        "held_out": test,
    }


def check_files() -> None:
    """AudiocontribError if a recording of the catalogue is one that real-sounds was made of."""
    rows = Path(__file__).parents[2] / "audiocontrib/sources/real_sounds/items.jsonl"
    used = {
        recording.split(" (")[0].split(": ")[1]
        for line in rows.read_text(encoding="utf-8").splitlines()
        for recording in json.loads(line)["recordings"]
    }
    named = {f"{file}.flac" for files in CATALOGUE["recordings"].values() for file in files}
    if both := sorted(used & named):
        raise AudiocontribError(f"sounds.yaml names {both[0]}, of which real-sounds was made; take it out")


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the clips and questions that smol-audio learns from.")
    parser.add_argument("--packages", type=Path, required=True, help="Folder of the unpacked packages.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of what is made.")
    parser.add_argument("--seed", type=int, default=0, help="Another seed gives other clips.")
    parser.add_argument("--scale", type=float, default=1.0, help="So many times as many clips of each kind.")
    parser.add_argument(
        "--only", nargs="+", choices=COUNTS, help="These kinds alone; the others are not changed by it."
    )
    parser.add_argument("--tokenizer", help="Whose words are taught.  [default: smol-audio's base]")
    given = parser.parse_args()
    try:
        check_files()
        print(json.dumps(make(given.packages, given.out, given.seed, given.scale, given.tokenizer, given.only)))
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def make(
    packages: Path, out: Path, seed: int, scale: float, tokenizer: str | None, only: list[str] | None
) -> dict[str, object]:
    """Write all; counts of clips by kind, and the hash of all samples and rows."""
    from transformers import AutoTokenizer

    from audiocontrib.models.cascade.parts import weights_folder

    reader = AutoTokenizer.from_pretrained(tokenizer or weights_folder() / "smol-audio-base", local_files_only=True)
    taught, kept = words.vocabulary(reader, 4500, Random("words"))
    material = Material(packages, out.parent / "notes")
    (out / "clips").mkdir(parents=True, exist_ok=True)
    rng, digest, counts = Random(f"{seed} places"), hashlib.sha256(), Counter[str]()
    files = {name: (out / f"{name}.jsonl").open("w", encoding="utf-8") for name in ("train", "test", "captions")}
    kinds = {n: k for n, k in makers(material, taught, kept, seed, scale).items() if not only or n in only}
    with ThreadPoolExecutor(4) as threads:
        parts = threads.map(lambda kind: (kind[0], list(kind[1])), kinds.items())
        for kind, clips in parts:
            for number, clip in enumerate(clips):
                name = f"{kind}-{seed}-{number:05d}"
                samples = np.round(clip.samples * 32767).astype("<i2")
                soundfile.write(out / "clips" / f"{name}.wav", samples, RATE, subtype="PCM_16")
                digest.update(samples.tobytes())
                counts[kind] += 1
                for place, question in enumerate(clip.questions):
                    asked = question if clip.held_out else leaked(question, rng)
                    line = json.dumps(row(name, place, asked, rng, clip.held_out), ensure_ascii=False)
                    digest.update(line.encode())
                    files["test" if clip.held_out else "train"].write(line + "\n")
                if not clip.held_out:
                    line = json.dumps({"audio_path": f"clips/{name}.wav", "caption": clip.caption}, ensure_ascii=False)
                    files["captions"].write(line + "\n")
            print(
                kind,
                counts[kind],
                round(np.mean([len(c.samples) for c in clips]) / RATE, 2),
                file=sys.stderr,
                flush=True,
            )
    for file in files.values():
        file.close()
    told: dict[str, object] = {"seed": seed, "scale": scale, "clips": dict(counts), "sha256": digest.hexdigest()}
    (out / "made.json").write_text(json.dumps(told, indent=1) + "\n")
    return told


if __name__ == "__main__":
    sys.exit(main())
