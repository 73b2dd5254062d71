"""`audiocontrib demo`: the whole way in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiocontrib.cli.output import say

if TYPE_CHECKING:
    from audiocontrib.demo import Demo


@click.command()
@click.option("--seed", type=click.IntRange(0, 999_999), default=0, show_default=True, help="Seed of the data.")
@click.option("--limit", type=click.IntRange(min=10), default=240, show_default=True, help="Number of questions.")
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/demo]")
def command(seed: int, limit: int, folder: Path | None) -> None:
    """Score the embedded demo data with three tiny models, offline, and split it.

    The clips are made on the spot from the seed; three models of about a million parameters, in the
    architectures of Qwen2.5-Omni, Qwen2-Audio and Audio Flamingo 3, answer with the audio, with 30 s of
    silence instead, and from the text alone. For every question it is known whether the audio is needed.

    \b
    Examples:
      audiocontrib demo
      audiocontrib demo --seed 7 --limit 400
    """
    say("Making clips and asking three tiny models, with and without the audio …")
    from audiocontrib.demo import demo

    folder = folder or Path("runs") / ("demo" if (seed, limit) == (0, 240) else f"demo-{seed}-{limit}")
    _show(demo(seed=seed, limit=limit, run=folder))


def _show(done: Demo) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = done.accuracy.to_pylist()
    table = Table(title="Accuracy (95 % interval) by what was heard", title_justify="left", box=None, pad_edge=False)
    conditions = ("audio", "silence", "text")
    for name in ("questions", "model", *conditions, "chance"):
        table.add_column(name, justify="left" if name in ("questions", "model") else "right")
    last = None
    for part, model in sorted({(row["extra.needs_audio"], row["model"]) for row in rows}, reverse=True):
        found = {r["condition"]: r for r in rows if (r["extra.needs_audio"], r["model"]) == (part, model)}
        label = f"{'need the audio' if part == 'true' else 'text betrays it'} ({found['audio']['n']})"
        cells = [f"{r['accuracy']:.0%} ({r['low']:.0%}–{r['high']:.0%})" for r in (found[c] for c in conditions)]
        table.add_row(label if part != last else "", model, *cells, f"{found['audio']['chance']:.0%}")
        last = part
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    summary = done.split.summary().to_pylist()[0]
    low, high = done.agreement
    console.print(
        f"\nSplit by the published rule (weak: at least 2 of 3 models right under silence): "
        f"{summary['weak']} weak, {summary['strong']} strong, {summary['undecided']} undecided.\n"
        f"Against the truth: {done.agrees} of {done.placed} placed right, "
        f"{done.agrees / done.placed:.0%} ({low:.0%}–{high:.0%}). "
        f"Pure guessing would call {summary['guessing_weak_share']:.0%} weak.\n"
        f"The models choose alike under silence on {done.alike:.0%} of the questions; "
        f"{summary['unsolved']} questions are solved by none even with the audio.",
        highlight=False,
        soft_wrap=True,
    )
    console.print("\nPlots:  " + "\n        ".join(map(str, done.plots)), highlight=False, soft_wrap=True)
    console.print(
        f"Next:   audiocontrib show --run {done.run.path}\n"
        f'        audiocontrib query --run {done.run.path} "select * from contributions order by score limit 5"\n'
        f"        audiocontrib split --run {done.run.path} --threshold 0.7 --by question_type",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
