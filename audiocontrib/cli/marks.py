"""`audiocontrib marks`: what people say of a run's items."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say
from audiocontrib.errors import UsageError


@click.command()
@run_option
@click.option("--add", "item", metavar="ITEM", help="Mark this item.")
@click.option("--kind", help="With --add: wrong key, ambiguous, clip bad, fine or leak.")
@click.option("--answer", help="With --add and a wrong key: the right option, by its text or its index from 0.")
@click.option("--note", default="", help="With --add: a remark.")
@click.option("--take-back", metavar="ITEM", help="Take back what was said of this item.")
@click.option("--as", "by", default="", metavar="NAME", help="With --add and --take-back: who says it.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the marks to this .csv or .jsonl.")
@click.option("--read", "source", type=click.Path(path_type=Path), help="Add the marks in this .csv or .jsonl.")
@format_option
def command(
    folder: Path | None,
    item: str | None,
    kind: str | None,
    answer: str | None,
    note: str,
    take_back: str | None,
    by: str,
    out: Path | None,
    source: Path | None,
    form: str,
) -> None:
    """Print what people say of a run's items, say something, write it to a file, or read it back.

    Of each item and person the latest mark counts. Marks are kept in the run, and change no item and no answer:
    `split`, `export` and `evaluate` leave marked items out, or take corrected keys, where that is asked for.

    \b
    Examples:
      audiocontrib marks
      audiocontrib marks --add mmau/2 --kind ambiguous --note "two bells" --as ann
      audiocontrib marks --add mmau/3 --kind "wrong key" --answer 1 --as bob
      audiocontrib marks --take-back mmau/3 --as bob
      audiocontrib marks --out marks.csv
      audiocontrib marks --read marks.csv
    """
    from audiocontrib.store.mark_files import read_marks, write_marks
    from audiocontrib.store.marks import add_mark, marks

    given = {"--add": item, "--take-back": take_back, "--out": out, "--read": source}
    if len(named := [name for name, value in given.items() if value is not None]) > 1:
        raise UsageError(f"one thing at a time: give one of {' and '.join(named)}")
    if item is None and (kind or answer or note):
        raise UsageError("--kind, --answer and --note say what is marked; name the item with --add")
    if item is None and take_back is None and by:
        raise UsageError("--as says who marks; name an item with --add or --take-back")
    run = chosen_run(folder)
    if item is not None:
        if kind is None:
            raise UsageError("--kind is missing: wrong key, ambiguous, clip bad, fine or leak")
        add_mark(run, item, kind, answer=answer, note=note, by=by)
        return say(f"marked: {item}: {kind}")
    if take_back is not None:
        add_mark(run, take_back, None, by=by)
        return say(f"taken back: {take_back}")
    if out is not None:
        return say(f"written: {out}: {write_marks(run, out):,} marks")
    if source is not None:
        done = read_marks(run, source)
        return say(
            f"read: {done.added:,} marks added, {done.there:,} there before, {done.older:,} older than what is there"
        )
    return emit(marks(run), form, "marks")
