"""`audiocontrib certify`: what a model that took no part in a split still gets right on its strong part."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option, say
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from audiocontrib.contribution.certificate import Certificate
    from audiocontrib.store import Run


@click.command()
@run_option
@click.option("--split", "name", required=True, help="Name of the split whose strong part is certified.")
@click.option("--model", help="The held-out model; best a text-only one of another family.")
@click.option(
    "--condition", default="text", show_default=True, help="Condition without the audio that it was asked under."
)
@click.option("--method", type=click.Choice(["likelihood", "generate"]), help="Where the run holds both.")
@click.option(
    "--rotate", is_flag=True, help="Instead: leave out each model of the split, split again, certify with it."
)
@format_option
def command(
    folder: Path | None, name: str, model: str | None, condition: str, method: str | None, rotate: bool, form: str
) -> None:
    """Bound how much of a strong set is still answered without the audio, by a model that took no part.

    A filter that removes what its own models get right leaves a set on which *they* are below chance; only a
    model that it never saw says what is left. `residual_upper` bounds (95 %, one-sided) the share of the items
    that this model answers from the text; `over_filtered` says that it is below chance: the set was chosen
    against models like it, and certifies nothing.

    \b
    Examples:
      audiocontrib score --dataset mmau --data mmau-test-mini.json --condition text --model HELDOUT --run runs/mmau
      audiocontrib certify --run runs/mmau --split votes-0.5 --model HELDOUT
      audiocontrib certify --run runs/mmau --split votes-0.5 --rotate
    """
    import pyarrow as pa

    from audiocontrib.splits.base import CERTIFICATE
    from audiocontrib.store.files import replacing

    if (model is None) == (not rotate):
        raise UsageError("name the held-out model with --model, or say --rotate; one of the two")
    run = open_run(folder)
    settings = _settings(run, name)
    if model is None:
        made = _rotated(run, settings, condition, method)
    else:
        made = [_held_out(run, name, settings, model, condition, method)]
    rows = [_row(certificate) | {"rotated": rotate} for certificate in made]
    path = run.split_folder(name) / CERTIFICATE
    with replacing(path) as file:
        file.write(json.dumps(rows, indent=2, allow_nan=False).encode() + b"\n")
    emit(pa.Table.from_pylist(rows), form)
    for certificate in made:
        say(certificate.in_words())
    say(f"saved in {path}")


def _settings(run: Run, name: str) -> dict[str, Any]:
    path = run.split_folder(name) / "settings.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        there = ", ".join(sorted(p.parent.name for p in run.path.glob("splits/*/settings.json"))) or "none"
        raise UsageError(f"the run has no split {name!r}; there are: {there}") from None


def _held_out(
    run: Run, name: str, settings: dict[str, Any], model: str, condition: str, method: str | None
) -> Certificate:
    from audiocontrib.contribution.certificate import certificate
    from audiocontrib.splits.settings import judges

    if model in settings["models"] + judges(settings):
        raise UsageError(
            f"{model} took part in the split {name!r}, so it certifies nothing; "
            "name a model that did not, or say --rotate"
        )
    with run.connect() as con:
        strong = con.sql(
            "select item_id from splits where name = ? and split = 'strong'", params=[name]
        ).to_arrow_table()
        return certificate(con, strong, model, condition, method)


def _rotated(run: Run, settings: dict[str, Any], condition: str, method: str | None) -> list[Certificate]:
    """For each model of the split: split by the others, and certify with it."""
    import pyarrow.compute as pc

    from audiocontrib.contribution.certificate import certificate
    from audiocontrib.splits.sensitivity import leave_one_out
    from audiocontrib.splits.settings import judges

    if named := set(settings["models"]) & set(judges(settings)):
        raise UsageError(
            f"{min(named)} is named by the rule {settings['rule']} itself, so it cannot be left out in turn"
        )
    own = ("findings", "warnings", "review_out")
    asked = {key: value for key, value in settings.items() if key not in own}
    made = []
    for model, split in leave_one_out(run, **asked):
        strong = split.table.filter(pc.equal(split.table["split"], "strong"))
        with run.connect() as con:
            made.append(certificate(con, strong.select(["item_id"]), model, condition, method))
    return made


def _row(certificate: Certificate) -> dict[str, Any]:
    """A certificate as JSON has it: what is not known is null."""
    return {key: None if value != value else value for key, value in asdict(certificate).items()}
