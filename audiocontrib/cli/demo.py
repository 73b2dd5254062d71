"""`audiocontrib demo`: the whole way in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from audiocontrib.cli.output import say
from audiocontrib.errors import UsageError
from audiocontrib.number_text import NONE, accuracy_text, percent, share_between

if TYPE_CHECKING:
    from rich.console import RenderableType

    from audiocontrib.demo import Demo
    from audiocontrib.statistics import Interval


@click.command()
@click.option("--seed", type=click.IntRange(0, 999_999), default=0, show_default=True, help="Seed of the data.")
@click.option("--limit", type=click.IntRange(min=10), default=240, show_default=True, help="Number of questions.")
@click.option("--real", is_flag=True, help="Real recordings and a cascade of pretrained parts instead.")
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/demo]")
@click.pass_context
def command(ctx: click.Context, seed: int, limit: int, real: bool, folder: Path | None) -> None:
    """Score the embedded demo data with three tiny models, offline, and split it.

    The clips are made on the spot from the seed; three models of about a million parameters, in the
    architectures of Qwen2.5-Omni, Qwen2-Audio and Audio Flamingo 3, answer with the audio, with 30 s of
    silence instead, and from the text alone. For every question it is known whether the audio is needed.

    With --real the questions are about real recordings (the set real-sounds), and the model is cascade-small: a
    speech recogniser and a sound tagger listen, a small language model reads what they found (docs/cascade.md says
    how to get its parts). The first run listens, which takes minutes; later ones read what it found.

    \b
    Examples:
      audiocontrib demo
      audiocontrib demo --real
      audiocontrib demo --seed 7 --limit 400
    """
    if real:
        if ctx.get_parameter_source("seed") is not ParameterSource.DEFAULT:
            raise UsageError("--seed is for made-up clips: real recordings have none; leave it out")
        whole = ctx.get_parameter_source("limit") is ParameterSource.DEFAULT
        say("Listening to real recordings, and asking about them with and without what was heard …")
        from audiocontrib.cli.demo_real import tell_demo
        from audiocontrib.demo import demo_real

        name = "demo-real" if whole else f"demo-real-{limit}"
        tell_demo(demo_real(limit=None if whole else limit, run=folder or Path("runs") / name))
        return
    say("Making clips and asking three tiny models, with and without the audio …")
    from audiocontrib.demo import demo

    folder = folder or Path("runs") / ("demo" if (seed, limit) == (0, 240) else f"demo-{seed}-{limit}")
    _show(demo(seed=seed, limit=limit, run=folder))


def _show(done: Demo) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = done.accuracy.to_pylist()
    table = Table(
        title="Accuracy (95 % interval by clip) by what was heard", title_justify="left", box=None, pad_edge=False
    )
    conditions = ("audio", "silence", "text")
    for name in ("questions", "model", *conditions, "chance"):
        table.add_column(name, justify="left" if name in ("questions", "model") else "right")
    last = None
    for part, model in sorted({(row["extra.needs_audio"], row["model"]) for row in rows}, reverse=True):
        found = {r["condition"]: r for r in rows if (r["extra.needs_audio"], r["model"]) == (part, model)}
        label = f"{'need the audio' if part == 'true' else 'text betrays it'} ({found['audio']['n']})"
        cells = [accuracy_text(found[name]) for name in conditions]
        table.add_row(label if part != last else "", model, *cells, percent(found["audio"]["chance"]))
        last = part
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    console.print()
    console.print(_verdicts(done))
    published = done.splits[0].summary().to_pylist()[0]
    console.print(
        f"\nvotes is the published rule: weak if at least 2 of 3 models are right under silence; pure guessing would "
        f"call {percent(published['guessing_weak_share'])} weak.\n"
        f"The models choose alike under silence on {percent(done.alike)} of the questions; "
        f"{published['unsolved']} questions are solved by none even with the audio.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(_aim(done), highlight=False, soft_wrap=True)
    for note in done.notes:
        console.print(note, highlight=False, soft_wrap=True)
    console.print("\nPlots:  " + "\n        ".join(map(str, done.plots)), highlight=False, soft_wrap=True)
    console.print(
        f"Next:   audiocontrib show --run {done.run.path}\n"
        f'        audiocontrib query --run {done.run.path} "select * from contributions order by score limit 5"\n'
        f"        audiocontrib contribution --run {done.run.path}\n"
        f"        audiocontrib split --run {done.run.path} --rule fdr --by question_type\n"
        f"        audiocontrib report --run {done.run.path}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _verdicts(done: Demo) -> RenderableType:
    from rich.table import Table

    table = Table(
        title="Splits against the truth: weak should be what the text betrays",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in ("rule", "weak", "strong", "undecided", "precision of weak", "recall of weak", "placed right"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for v in done.verdicts:
        precise = _share(v.truly_weak, v.weak, v.precision)
        placed = v.weak + v.strong
        table.add_row(
            v.rule, str(v.weak), str(v.strong), str(v.undecided), precise, _share(v.truly_weak, v.leaks, v.recall),
            f"{v.right} of {placed}",
        )  # fmt: skip
    return table


def _aim(done: Demo) -> str:
    """What the rule fdr promised, and what came of it."""
    from audiocontrib.splits.settings import settings_of

    [v] = [v for v in done.verdicts if v.rule == "fdr"]
    false = _share(v.weak - v.truly_weak, v.weak, v.false_discovery)
    aim = settings_of("fdr")["fdr"]
    came = f"here there are {false}" if v.weak else "here it can call nothing weak"
    return f"fdr aims at no more than {percent(aim)} false discoveries among what it calls weak; {came}."


def _share(part: int, whole: int, interval: Interval) -> str:
    return share_between(part / whole, interval.low, interval.high) if whole else NONE
