"""`audiocontrib certify`: what a model that took no part in a split still gets right on its strong part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiocontrib.cli.counted import METHODS, counted_options
from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say


@click.command()
@run_option
@click.option("--split", "name", required=True, help="Name of the split whose strong part is certified.")
@click.option("--model", help="The held-out model; best a text-only one of another family.")
@click.option(
    "--condition", default="text", show_default=True, help="Condition without the audio that it was asked under."
)
@click.option("--method", type=click.Choice(METHODS), help="Where the run holds both.")
@click.option(
    "--rotate", is_flag=True, help="Instead: leave out each model of the split, split again, certify with it."
)
@counted_options
@format_option
def command(
    folder: Path | None, name: str, model: str | None, condition: str, method: str | None, rotate: bool,
    counted: dict[str, Any], form: str,
) -> None:  # fmt: skip
    """Bound how much of a strong set is still answered without the audio, by a model that took no part.

    A filter that removes what its own models get right leaves a set on which *they* are below chance; only a
    model that it never saw says what is left. `residual_upper` bounds (95 %, one-sided) the share of the items
    that this model answers from the text. Under the rules votes and fdr (not a balanced set) it holds whatever
    tastes the model shares with the filter (`conditional`); under others it takes the model's luck as 1/K, and
    `over_filtered` says that it is below chance: the set was chosen against models like it, and certifies nothing.
    Of --rotate, which makes other splits, a file of its own is kept.

    \b
    Examples:
      audiocontrib score --dataset mmau --data mmau-test-mini.json --condition text --model HELDOUT --run runs/mmau
      audiocontrib certify --run runs/mmau --split votes-0.5 --model HELDOUT
      audiocontrib certify --run runs/mmau --split votes-0.5 --rotate
    """
    import pyarrow as pa

    from audiocontrib.splits.certification import certificate_row, certify
    from audiocontrib.store.splits import CERTIFICATE, ROTATED

    run = chosen_run(folder)
    made = certify(run, split=name, model=model, rotate=rotate, condition=condition, method=method, **counted)
    emit(pa.Table.from_pylist([certificate_row(one) | {"rotated": rotate} for one in made]), form)
    for one in made:
        say(one.in_words())
    say(f"saved in {run.split_folder(name) / (ROTATED if rotate else CERTIFICATE)}")
