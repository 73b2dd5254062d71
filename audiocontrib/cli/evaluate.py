"""`audiocontrib evaluate`: benchmark x model x condition, alone, against a baseline, or by an official rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.counted import METHODS, counted_options
from audiocontrib.cli.marked import marked_options
from audiocontrib.cli.output import chosen_run, emit, paper_format_option, say
from audiocontrib.cli.verdicts import listening_words

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.store import Run
    from audiocontrib.store.marking import Marking

ONE_RUN = "another scorer reads one run as a whole: leave out --by, --split, --baseline and --against"
WHOLE_SETS = (
    "published figures are of whole sets by their own keys: leave out --by, --split, --baseline, --model, "
    "--without-marked and --corrected-keys"
)


@click.command()
@click.option(
    "--run", "folders", type=click.Path(path_type=Path), multiple=True,
    help="Folder of a run; repeatable, e.g. one for each benchmark.  [default: the newest in runs/]",
)  # fmt: skip
@click.option(
    "--baseline", "baselines", type=click.Path(path_type=Path), multiple=True,
    help="Folder of a run to compare with, item by item; repeatable.",
)  # fmt: skip
@click.option("--model", help="With --baseline: the model that is meant, where the runs hold several.")
@click.option("--baseline-model", help="The same of the baseline; may be another model of the same run.")
@click.option(
    "--scorer", default="exact", show_default=True,
    help="exact; official: the published rule of the data set; mmau, mmsu, muchomusic, r1-aqa; or judge: what a judge "
    "makes of unparsed replies (`reread --judge`).",
)  # fmt: skip
@click.option("--against", type=click.Choice(["published"]), help="Published accuracies beside those of the run.")
@click.option("--by", help="Rows for each question_type, source_dataset, split or extra.FIELD too.")
@click.option("--split", help="Rows for the strong and the weak part too, by a split of this name in each run.")
@click.option("--method", type=click.Choice(METHODS), help="Needed where a run holds both.")
@click.option("--columns", metavar="NAME,NAME,…", help="Only these columns, in this order, in every format.")
@marked_options
@counted_options
@paper_format_option
def command(
    folders: tuple[Path, ...],
    baselines: tuple[Path, ...],
    model: str | None,
    baseline_model: str | None,
    scorer: str,
    against: str | None,
    by: str | None,
    split: str | None,
    method: str | None,
    columns: str | None,
    marking: dict[str, Any],
    counted: dict[str, Any],
    form: str,
) -> None:
    """Accuracy of a run's models under each condition, beside what needs no listening; or the change from a baseline.

    Beside each accuracy stand chance, the best constant strategy (one and the same place, the longest or the shortest
    option), how many votes abstain, and what the audio adds over that condition. With --baseline, each measure is
    compared item by item: the change with an interval clustered by clip, exact McNemar, Holm's correction over the
    benchmarks, and the smallest change that such data can show. Whether it listens more or less is said only where
    what the audio adds and its share of what is left open both say so, whatever abstentions are worth.

    Benchmarks publish matching rules with known defects (docs/scorers.md). They are here for comparison:
    an official rule is printed beside our exact reading of the same replies. It needs a run of replies
    (`score --method generate`, or `import`).

    With --against published, figures of papers stand beside the run's, with how replies were read there and here: the
    way of reading alone moves the accuracy without audio by tens of points.

    \b
    Examples:
      audiocontrib evaluate --by question_type
      audiocontrib evaluate --run runs/mmau --run runs/mmar --split votes --format markdown
      audiocontrib evaluate --run runs/after --baseline runs/before
      audiocontrib evaluate --run runs/demo --model tiny-qwen2-audio \\
          --baseline runs/demo --baseline-model tiny-qwen2.5-omni
      audiocontrib evaluate --run runs/mmar --scorer mmau --format csv
      audiocontrib evaluate --run runs/mmau --against published
      audiocontrib evaluate --run runs/mmau --without-marked "ambiguous,clip bad" --corrected-keys
    """
    from audiocontrib.errors import UsageError
    from audiocontrib.evaluation import beside_published, compare, evaluate

    runs, before = _opened(folders, baselines, marking)
    if scorer != "exact":
        if by or baselines or split or against or len(runs) > 1:
            raise UsageError(ONE_RUN)
        made, view = _scored(runs[0], scorer, counted)
        return _emit(made, form, view, columns, runs[0].marking)
    if against:
        if by or baselines or split or model or baseline_model or marking:
            raise UsageError(WHOLE_SETS)
        return _emit(beside_published(runs, method=method, **counted), form, "published", columns)
    if not baselines:
        if model or baseline_model:
            raise UsageError("--model and --baseline-model say who is compared; name the other run with --baseline")
        return _emit(
            evaluate(runs, by=by, split=split, method=method, **counted), form, "benchmarks", columns, runs[0].marking
        )
    if by:
        raise UsageError("--by breaks down accuracies; with --baseline, --split tells parts apart")
    who: dict[str, Any] = {"model": model, "baseline_model": baseline_model}
    changes = compare(runs, before, **who, split=split, method=method, **counted)
    _emit(changes, form, "changes", columns, runs[0].marking)
    for line in listening_words(changes.to_pylist()):
        say(line)
    return None


def _scored(run: Run, scorer: str, counted: dict[str, Any]) -> tuple[pa.Table, str]:
    """The table of another scorer, and its view."""
    from audiocontrib.errors import UsageError
    from audiocontrib.evaluation import compare_scorers
    from audiocontrib.evaluation.judged import judged_accuracy

    if scorer != "judge":
        return compare_scorers(run, scorer=scorer, **counted), "scorers"
    if counted:
        raise UsageError("a judge's readings are of all replies: leave --repeat out")
    return judged_accuracy(run), "judged"


def _emit(table: pa.Table, form: str, view: str, columns: str | None, marking: Marking | None = None) -> None:
    """The table, or the columns of it that were asked for; in a paper with a caption."""
    from audiocontrib.errors import UsageError

    caption = "; ".join([_caption(table), *([marking.in_words()] if marking else [])])
    if columns is None:
        return emit(table, form, view, caption=caption)
    asked = [name.strip() for name in columns.split(",")]
    if unknown := [name for name in asked if name not in table.column_names]:
        raise UsageError(f"--columns: no column {unknown[0]!r}; there are {', '.join(table.column_names)}")
    return emit(table.select(list(dict.fromkeys(asked))), form, caption=caption)


def _caption(table: pa.Table) -> str:
    """Which data sets, over how many questions, and what the intervals are."""
    counts = [n for n in table["n"].to_pylist() if n is not None]
    kinds = sorted({kind for name in table.column_names if name.endswith("interval")
                    for kind in table[name].to_pylist() if kind})  # fmt: skip
    least, most = min(counts, default=0), max(counts, default=0)
    told = f"n = {most:,} questions" if least == most else f"n = {least:,} to {most:,} questions"
    names = list(dict.fromkeys(table["dataset"].to_pylist())) if "dataset" in table.column_names else []
    told = f"{', '.join(map(str, names))}: {told}" if names else told
    return f"{told}; 95 % intervals by clip ({'; '.join(kinds)})" if kinds else told


def _opened(
    folders: tuple[Path, ...], baselines: tuple[Path, ...], marking: dict[str, Any]
) -> tuple[list[Run], list[Run]]:
    """The runs and their baselines, as their marks have them where that is asked for."""
    from audiocontrib.store.marks import marked_together

    ours = [chosen_run(folder) for folder in folders or (None,)]
    theirs = [chosen_run(folder) for folder in baselines]
    marked = marked_together([*ours, *theirs], **marking)
    return marked[: len(ours)], marked[len(ours) :]
