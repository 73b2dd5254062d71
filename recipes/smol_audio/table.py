"""Accuracy by category and condition of a model on a run, as a table of Markdown; what `docs/smol-audio.md` shows.

python recipes/smol_audio/table.py runs/smol
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError

WHOLE = "all"


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows of :func:`audiocontrib.contribution.accuracy` by question_type (None: all), as Markdown."""
    held = {(row["question_type"] or WHOLE, row["condition"]): row for row in rows}
    conditions = sorted({condition for _, condition in held}, key=lambda name: (name != "audio", name))
    names = sorted({name for name, _ in held}, key=lambda name: (name != WHOLE, name))
    lines = [f"| category | n | {' | '.join(conditions)} | chance |", "|---|---|" + "---|" * (len(conditions) + 1)]
    for name in names:
        cells = [held.get((name, condition)) for condition in conditions]
        first = next(cell for cell in cells if cell)
        told = " | ".join(_cell(cell) for cell in cells)
        lines.append(f"| {name} | {first['n']} | {told} | {first['chance']:.0%} |".replace("%", " %"))
    return "\n".join(lines)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["accuracy"] is None:
        return "-"
    return f"{row['accuracy']:.0%} ({100 * row['low']:.0f}–{100 * row['high']:.0f})"


def main() -> int:
    parser = argparse.ArgumentParser(description="A run's accuracy by category and condition.")
    parser.add_argument("run", type=Path, help="The folder of the run.")
    parser.add_argument("--model", help="Of several models in the run.")
    given = parser.parse_args()
    try:
        run = ac.open_run(given.run)
        rows = [
            {"question_type": None, **row}
            for by in ([], ["question_type"])
            for row in ac.accuracy(run, by=by).to_pylist()
            if given.model in (None, row["model"])
        ]
        print(table(rows))
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
