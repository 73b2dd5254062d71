"""How many planted duplicates are found, and how long a set of full size takes.

python benchmarks/duplicates.py texts            # recall and precision by kind of edit
python benchmarks/duplicates.py sounds           # the same for clips
python benchmarks/duplicates.py size 571118      # seconds and memory
python benchmarks/duplicates.py whole 571118     # every check of an audit that needs no clips
python benchmarks/duplicates.py libraries 20000  # rensa against datasketch: the digests alone
"""

from __future__ import annotations

import io
import random
import resource
import sys
import time
from collections.abc import Callable

import librosa
import numpy as np
import pyarrow as pa
import soundfile
from numpy.typing import NDArray

from audiocontrib.audit import CHECKS, Settings, run_checks
from audiocontrib.audit.duplicates import BANDS, CHUNK, ROWS, distinct, duplicates, near_pairs
from audiocontrib.audit.fingerprint import fingerprint, same_recordings
from audiocontrib.audit.shingles import shingles
from audiocontrib.items import ITEM_SCHEMA

RATE = 16_000
OPENINGS = ("What is", "Which of these is", "Based on the audio, what is", "What can be said of")
MIDDLES = ("the most likely source of the {} sound after the {}", "the {} of the speaker who mentions the {}")
MIDDLES += ("heard {} before the {} ends", "the {} that is played together with the {}", "the reason for the {} {}")
Question = tuple[str, list[str]]


def vocabulary(n: int = 4000) -> list[str]:
    r = random.Random(1)
    parts = [c + v for c in "bcdfghjklmnprstvw" for v in "aeiou"]
    return ["".join(r.choices(parts, k=r.randint(1, 4))) for _ in range(n)]


def questions(n: int, seed: int = 0) -> list[Question]:
    """Questions from a few templates, as generated sets have them: much of the text is shared."""
    r, words = random.Random(seed), vocabulary()
    made = []
    for _ in range(n):
        text = f"{r.choice(OPENINGS)} {r.choice(MIDDLES).format(*r.choices(words, k=2))}?"
        made.append((text, [" ".join(r.choices(words, k=r.randint(1, 6))) for _ in range(4)]))
    return made


def typo(q: Question, r: random.Random) -> Question:
    at = r.randrange(len(q[0]) - 1)
    return q[0][:at] + q[0][at + 1 :], q[1]


def other_option(q: Question, r: random.Random) -> Question:
    options = list(q[1])
    options[r.randrange(4)] = " ".join(r.choices(vocabulary(), k=3))
    return q[0], options


def reordered(q: Question, r: random.Random) -> Question:
    return q[0], r.sample(q[1], 4)


def dressed(q: Question, r: random.Random) -> Question:
    return q[0].upper().replace("?", " ?"), [f"{o}." for o in q[1]]


def one_word(q: Question, r: random.Random) -> Question:
    words = q[0].split()
    words[r.randrange(len(words))] = r.choice(vocabulary())
    return " ".join(words), q[1]


def opened_otherwise(q: Question, r: random.Random) -> Question:
    opening = next(o for o in OPENINGS if q[0].startswith(o))
    return r.choice([o for o in OPENINGS if o != opening]) + q[0][len(opening) :], q[1]


def rephrased(q: Question, r: random.Random) -> Question:
    words = q[0].rstrip("?").split()
    half = len(words) // 2
    return f"Consider {' '.join(words[half:])}: {' '.join(words[:half]).lower()} it?", [f"it is {o}" for o in q[1]]


EDITS: dict[str, Callable[[Question, random.Random], Question]] = {
    "options in another order": reordered,
    "case and punctuation": dressed,
    "one letter left out": typo,
    "one word replaced": one_word,
    "another opening": opened_otherwise,
    "one option replaced": other_option,
    "rephrased throughout": rephrased,
}


def table(rows: list[Question], name: str = "set") -> pa.Table:
    n = len(rows)
    made = {
        "item_id": [f"{name}/{i}" for i in range(n)],
        "dataset": [name] * n,
        "question": [q for q, _ in rows],
        "choices": [c for _, c in rows],
        "clip_id": [f"{name}-{i}" for i in range(n)],
    }
    missing = {f.name: pa.nulls(n, f.type) for f in ITEM_SCHEMA if f.name not in made}
    return pa.table(made | missing).select(ITEM_SCHEMA.names).cast(ITEM_SCHEMA)


def texts(n: int = 2000) -> None:
    base = questions(n)
    keys = distinct([table(base)]).keys
    print(f"{n} questions from {len(OPENINGS) * len(MIDDLES)} templates, {sum(1 for _ in near_pairs(keys))} near pairs")
    print("| edit | recall | precision |\n|---|---|---|")
    for name, edit in EDITS.items():
        r = random.Random(2)
        edited = [edit(q, r) for q in base]
        pairs = duplicates(table(base), Settings(against={"other": table(edited, "other")})).pairs
        assert pairs is not None
        across = [p for p in pairs.to_pylist() if p["dataset_b"] == "other"]
        right = sum(p["item_a"].split("/")[1] == p["item_b"].split("/")[1] for p in across)
        print(f"| {name} | {right / n:.3f} | {right / len(across) if across else float('nan'):.3f} |")


def clip(seed: int, seconds: float) -> NDArray[np.float32]:
    """Overlapping harmonic sounds with glides, and bursts of noise, over a little noise."""
    r, n = np.random.default_rng(seed), int(seconds * RATE)
    x, at = r.normal(size=n) * 0.003, 0.0
    while at < seconds:
        length, pitch, glide = r.uniform(0.08, 0.5), r.uniform(100, 900), r.uniform(-300, 300)
        first, last = int(at * RATE), min(n, int((at + length) * RATE))
        t, shape = np.arange(last - first) / RATE, np.hanning(max(last - first, 2))[: last - first]
        for h in range(1, 9):
            x[first:last] += shape * r.uniform(0.1, 1) / h * np.sin(2 * np.pi * h * (pitch * t + glide * t**2 / 2))
        if r.random() < 0.3:
            x[first:last] += shape * r.normal(size=last - first) * 0.3
        at += length * r.uniform(0.3, 1.2)
    return (x / np.abs(x).max() * 0.7).astype(np.float32)


def coded(x: NDArray[np.float32], form: str, subtype: str) -> NDArray[np.float32]:
    file = io.BytesIO()
    soundfile.write(file, x, RATE, format=form, subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def through(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    return librosa.resample(librosa.resample(x, orig_sr=RATE, target_sr=rate), orig_sr=rate, target_sr=RATE)


def noisy(x: NDArray[np.float32], db: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(1).normal(size=len(x)) * np.sqrt((x**2).mean()) * 10 ** (-db / 20)
    return (x + noise).astype(np.float32)


CHANGES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "MP3": lambda x: coded(x, "MP3", "MPEG_LAYER_III"),
    "Opus": lambda x: coded(x, "OGG", "OPUS"),
    "Vorbis": lambda x: coded(x, "OGG", "VORBIS"),
    "resampled to 8 kHz": lambda x: through(x, 8_000),
    "resampled to 44.1 kHz": lambda x: through(x, 44_100),
    "gain of -20 dB": lambda x: x * np.float32(0.1),
    "first tenth cut off": lambda x: x[len(x) // 10 + 37 :],
    "first half cut off": lambda x: x[len(x) // 2 + 37 :],
    "noise at 20 dB SNR": lambda x: noisy(x, 20),
    "noise at 10 dB SNR": lambda x: noisy(x, 10),
    "5 % faster": lambda x: librosa.resample(x, orig_sr=RATE, target_sr=int(RATE / 1.05)),
}


def sounds(n: int = 100) -> None:
    print("| change | " + " | ".join(f"{s} s: recall | precision" for s in (1, 3, 10)) + " |")
    print("|---" * 7 + "|")
    clips = {s: [clip(i, s) for i in range(n)] for s in (1, 3, 10)}
    prints = {s: [fingerprint(x) for x in own] for s, own in clips.items()}
    print(
        "| none (other clips only) | "
        + " | ".join(f"{len(same_recordings(p))} pairs | " for p in prints.values())
        + "|"
    )
    for name, change in CHANGES.items():
        cells = []
        for s, own in clips.items():
            pairs = same_recordings([*prints[s], *(fingerprint(change(x)) for x in own)])
            right = sum(b - a == n for a, b, _ in pairs)
            cells += [f"{right / n:.2f}", f"{right / len(pairs) if pairs else float('nan'):.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |")


def size(n: int) -> None:
    rows = questions(n)
    for i in range(0, n, 10):  # a tenth are near duplicates of another
        rows[i] = typo(rows[(i + 5) % n], random.Random(i))
    items = table(rows)
    del rows
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, time.perf_counter()
    found = duplicates(items, Settings())
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    assert found.pairs is not None
    print(f"{n} items: {len(found.pairs)} pairs in {seconds:.0f} s, peak {peak:.1f} GB ({before:.1f} GB before)")


def whole(n: int) -> None:
    items = table(questions(n))
    gold = np.random.default_rng(0).integers(4, size=n)
    notes = pa.array([[]] * n, pa.list_(pa.string()))
    for name, column in (("answer", pa.array(gold, pa.int16())), ("notes", notes)):
        items = items.set_column(items.schema.get_field_index(name), name, column)
    begin = time.perf_counter()
    for check in CHECKS:
        start = time.perf_counter()
        run_checks(items, [check])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{check:12} {time.perf_counter() - start:6.0f} s   {peak:4.1f} GB so far", flush=True)
    print(f"{n} items: {time.perf_counter() - begin:.0f} s")


def libraries(n: int) -> None:
    """MinHash digests of the same shingles by both libraries, in one run."""
    from datasketch import MinHash
    from rensa import RMinHash

    keys = distinct([table(questions(n))]).keys
    start = time.perf_counter()
    for first in range(0, n, CHUNK):
        hashes, offsets = shingles(keys[first : first + CHUNK])
        RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), BANDS * ROWS, 0)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    hashes, offsets = shingles(keys)
    parts = [[h.tobytes() for h in part] for part in np.split(hashes, offsets[1:-1])]
    MinHash.bulk(parts, num_perm=BANDS * ROWS)
    theirs = time.perf_counter() - start
    print(f"{n} texts: rensa {ours:.1f} s, datasketch {theirs:.1f} s ({theirs / ours:.0f} times as long)")


if __name__ == "__main__":
    kind, *count = sys.argv[1:]
    {"texts": texts, "sounds": sounds, "size": size, "whole": whole, "libraries": libraries}[kind](*map(int, count))
