"""`audiocontrib import`: answers that another tool has produced, as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiocontrib.cli.data import data_options, load_dataset, pair
from audiocontrib.cli.output import emit, format_option, say
from audiocontrib.errors import AudiocontribError, UsageError

SHOWN = 20


@click.command()
@click.argument("answers", type=click.Path(path_type=Path))
@click.option("--dataset", help="The data set that was answered; needed where the run is new.")
@data_options
@click.option("--from", "tool", metavar="TOOL", help="The tool whose log it is; left out: as it is recognised.")
@click.option("--run", "folder", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--model", help="The model of all rows, where no column says it.")
@click.option("--condition", help="The condition of all rows, where no column says it.")
@click.option(
    "--condition-map",
    "conditions",
    multiple=True,
    metavar="THEIRS=OURS",
    help="A condition of the file that is one of ours; others are kept as other:NAME.",
)
@click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN", help="A column that is called otherwise.")
@click.option(
    "--choice-as", type=click.Choice(["text", "letter", "index", "number"]),
    help="What the choices are, where the file can be read in two ways; index counts from 0, number from 1.",
)  # fmt: skip
@click.option(
    "--empty-as", type=click.Choice(["refused", "unparsed"]),
    help="What an empty choice is: the model declined, or none could be read.  [default: unparsed, which is said]",
)  # fmt: skip
@click.option(
    "--repeated", is_flag=True, help="Rows that answer a question again are repeats, numbered as they come in the file."
)
@format_option
def command(
    answers: Path,
    dataset: str | None,
    tool: str | None,
    folder: Path,
    model: str | None,
    condition: str | None,
    conditions: tuple[str, ...],
    columns: tuple[str, ...],
    choice_as: str | None,
    empty_as: str | None,
    repeated: bool,
    form: str,
    **data: Any,
) -> None:
    """Take the answers of the file (or folder) ANSWERS into a run, to be measured and split. No audio is needed.

    ANSWERS are a log of inspect_ai, lm-eval, lmms-eval, lighteval, evalscope or VLMEvalKit, results of MMAU or MMAR,
    or rows of your own (JSON, JSON lines, CSV, Parquet). A row holds item_id, model, condition, and one of reply (a
    text, which is read), choice (0-based index, letter or text of an option), posterior (K probabilities, or an
    object by letter or text) and logprob (natural log-probabilities likewise); order, where the options were shown
    rotated; repeat (from 0) or epoch (from 1), where a question was answered several times; finish, how a reply
    ended. How the choices are meant is decided for the whole file, and said; a letter or index that names no option
    is unparsed. What cannot be taken is told by line, the rest is taken, and the exit code is 1.

    \b
    Examples:
      audiocontrib import answers.jsonl --dataset mmau --data mmau-test-mini.json --run runs/theirs
      audiocontrib import out.csv --run runs/theirs --model Kimi-Audio --condition silence --column reply=model_output
      audiocontrib import logs --from inspect_ai --dataset listen.jsonl --condition audio --run runs/inspect
      audiocontrib import dose.jsonl --dataset listen.jsonl --run runs/dose --condition-map muted=silence:matched
      audiocontrib split --run runs/theirs --threshold 0.5
    """
    from audiocontrib.contribution import accuracy
    from audiocontrib.importing import import_responses

    if dataset is None and not folder.exists():
        raise UsageError(f"{folder} is new: name the data set that was answered with --dataset")
    items = load_dataset(dataset, **data) if dataset else None
    done = import_responses(
        answers, folder, items, model=model, condition=condition, mapping=dict(pair(text) for text in columns),
        choice_as=choice_as, empty_as=empty_as, repeated=repeated, tool=tool,
        conditions=dict(pair(text) for text in conditions),
    )  # fmt: skip
    for note in done.notes:
        say(note)
    if done.left_empty and empty_as is None:
        say("what empty choices are is said by --empty-as refused (the model declined) or --empty-as unparsed")
    if done.meaning:
        say(f"choices are read: {done.meaning}")
    for problem in done.problems[:SHOWN]:
        say(problem)
    if len(done.problems) > SHOWN:
        say(f"… and {len(done.problems) - SHOWN} more")
    say(f"run: {done.run.path}: {done.added} answers taken, {done.already} were there")
    with done.run.views() as con:
        emit(accuracy(con), form, "accuracy")
    if done.problems:
        raise AudiocontribError(f"{len(done.problems)} rows could not be taken; everything else is done")
