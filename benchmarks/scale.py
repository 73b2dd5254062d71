"""What the commands on a full set take, one process each: processor seconds and the most memory, in one table.

A file of generated questions (`validate`, `datasets describe`, `audit`) and a run of three models under three
conditions in every order of the options (`split`, `report`, `export`). Where the folder of an older program is given,
each command is also asked of it, right after; of a command that it has not, or that fails there, so much is said. What
is measured is kept in OUT/scale.json: after a kill the same command goes on.

    python benchmarks/scale.py [--items 571118] [--before FOLDER] [--out scale] [--commands audit,split]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from duplicates import questions

ITEMS, LINKS = 571_118, 30_000
OWN = "--dataset DATA --map question=question --map choices=choices --map answer=answer --map audio=audio"
EXPORT = "export --run RUN --split scale --stage sft --part all --copies 1 --out OUT/exported"
COMMANDS = {
    "validate": (f"validate {OWN} --clips no", f"validate {OWN} --audio no"),
    "describe": ("datasets describe DATA",),
    "audit": (f"audit {OWN}",),
    "split": ("split --run RUN --name scale",),
    "report": ("report --run RUN --out OUT/report.html",),
    "export": (f"{EXPORT} --for jsonl", f"{EXPORT} --format jsonl"),
}
"""In an order in which each finds what it needs; then how an older program spelled it."""
MAKE = "import sys; from pathlib import Path; from measurement import make; make(Path(sys.argv[1]), int(sys.argv[2]))"


def write_questions(file: Path, items: int) -> None:
    """Text of a few templates, golds by chance."""
    golds = random.Random(3)
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8") as lines:
        for number, (text, choices) in enumerate(questions(items)):
            row = {"question": text, "choices": choices, "answer": golds.choice(choices), "audio": f"{number}.wav"}
            lines.write(json.dumps(row) + "\n")
    part.replace(file)


def run_program(program: Path, words: list[str], log: Path) -> dict[str, Any]:
    """Processor seconds, GB and exit of a process with that program in its path."""
    path = os.pathsep.join((str(program), str(program / "benchmarks")))
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": path}
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "exit": process.returncode,
        "seconds": used.ru_utime + used.ru_stime,
        "gb": used.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6),
        "said": log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:],
    }


def measure(program: Path, name: str, data: Path, out: Path, items: int) -> dict[str, Any]:
    """One command of one program, on a run that the same program made."""
    out.mkdir(parents=True, exist_ok=True)
    run, log = out / "run", out / f"{name}.log"
    if " RUN " in COMMANDS[name][0] and not (out / "made").exists():
        shutil.rmtree(run, ignore_errors=True)
        made = run_program(program, ["-c", MAKE, str(run), str(items)], log)
        if made["exit"]:
            return made
        (out / "made").touch()
    if name == "export" and not (out / "linked").exists():
        link_clips(run)
        (out / "linked").touch()
    places = {"DATA": str(data), "RUN": str(run), "OUT/exported": str(out / "exported"),
              "OUT/report.html": str(out / "report.html")}  # fmt: skip
    found: dict[str, Any] = {}
    for spelled in COMMANDS[name]:
        words = [places.get(word, word) for word in shlex.split(spelled)]
        found = run_program(program, ["-m", "audiocontrib", *words], log)
        if "No such option" not in "".join(found["said"]) and "no such option" not in "".join(found["said"]):
            break
    return found


def link_clips(run: Path) -> None:
    """The run's clips, in its own folder: one short sound under every name."""
    sound = run / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\1" * 1_600)
    for number, path in enumerate(pq.read_table(run / "items.parquet", columns=["clip_id"])[0].unique().to_pylist()):
        place = run / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if number % LINKS == 0:  # a file has so many names at most
            source = place
            source.unlink(missing_ok=True)
            shutil.copyfile(sound, source)
        elif not place.exists():
            place.hardlink_to(source)


def shown(found: dict[str, Any] | None, exits: tuple[int, ...] = (0, 1)) -> list[str]:
    """Cells of the table. Exit 1 of `validate` says that something was found."""
    if found is None:
        return ["", ""]
    if found["exit"] not in exits or "error:" in "".join(found["said"]):
        return [f"exit {found['exit']}", "".join(found["said"])[:60].replace("|", "/")]
    return [f"{found['seconds']:.1f}", f"{found['gb']:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--before", type=Path, help="folder of an older program's working tree")
    parser.add_argument("--out", type=Path, default=Path("scale"))
    parser.add_argument("--commands", default=",".join(COMMANDS))
    given = parser.parse_args()
    names = given.commands.split(",")
    if unknown := [name for name in names if name not in COMMANDS]:
        parser.error(f"--commands: {unknown[0]!r} is none of {', '.join(COMMANDS)}")
    if given.items < 1:
        parser.error("--items is at least 1")
    if given.before and not (given.before / "audiocontrib").is_dir():
        parser.error(f"--before {given.before}: no program is there")
    out: Path = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    kept, data = out / "scale.json", out / f"questions-{given.items}.jsonl"
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    if not data.exists():
        write_questions(data, given.items)
    programs = {"now": Path(__file__).parents[1]} | ({"before": given.before.resolve()} if given.before else {})
    for name in (name for name in COMMANDS if name in names):
        for when, program in programs.items():
            key = f"{given.items} {name} {when}"
            if key in found:
                continue
            start = time.perf_counter()
            print(f"{name}, {when} ...", file=sys.stderr, end=" ", flush=True)
            found[key] = measure(program, name, data, out / f"{given.items}-{when}", given.items)
            print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            part.replace(kept)
    print("| command | before: processor s | GB | now: processor s | GB |\n|---|---:|---:|---:|---:|")
    for name in COMMANDS:
        cells = [shown(found.get(f"{given.items} {name} {when}")) for when in ("before", "now")]
        if any(cells[0] + cells[1]):
            print(f"| `{name}` | " + " | ".join(cells[0] + cells[1]) + " |")


if __name__ == "__main__":
    main()
