"""`audiocontrib split`: weak, strong, undecided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.columns import as_words
from audiocontrib.cli.counted import METHODS, counted_options
from audiocontrib.cli.marked import marked_options
from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say
from audiocontrib.cli.renames import RenamedOption

if TYPE_CHECKING:
    from audiocontrib.splits import Split

SHOWN = 5


@click.command()
@run_option
@click.option("--rule", help="votes (the published one), group, posterior, fdr, adf, audit.  [default: votes]")
@click.option("--threshold", type=float, help="Score from which an item is strong.  [default: the rule's own]")
@click.option("--fdr", type=float, help="False-discovery rate of the rule fdr.  [default: 0.1]")
@click.option("--decoys", type=click.Choice(["top-two", "all", "foreign"]), help="Of the rule fdr.  [default: top-two]")
@click.option(
    "--strata", help="Rule fdr: bounds within each question_type, source_dataset, dataset, split, extra.NAME."
)
@click.option("--balanced", is_flag=True, help="Rule fdr: a strong set nearer to chance without the audio.")
@click.option("--condition", help="Condition without the audio.  [default: silence]")
@click.option("--method", type=click.Choice(METHODS), help="Where the run holds both.")
@click.option("--model", "models", multiple=True, help="Count only this model's answers; repeatable.  [default: all]")
@click.option(
    "--leave-out", multiple=True, type=click.Choice(["unsolved"]), help="Items that are left out; repeatable."
)
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="Another setting of the rule; repeatable.")
@click.option(
    "--split-recipe", "recipe", cls=RenamedOption, old="--recipe", type=click.Path(path_type=Path),
    help="YAML file with all of these; options win over it.",
)  # fmt: skip
@click.option("--sensitivity", is_flag=True, help="Show how the split changes with threshold, models and orders.")
@click.option("--name", help="Name of the split in the run.  [default: RULE-THRESHOLD]")
@click.option(
    "--by", type=click.Choice(["question_type", "source_dataset", "k"]), help="Break the summary down by this."
)
@marked_options
@counted_options
@format_option
def command(
    folder: Path | None,
    rule: str | None,
    threshold: float | None,
    fdr: float | None,
    decoys: str | None,
    strata: str | None,
    balanced: bool,
    condition: str | None,
    method: str | None,
    models: tuple[str, ...],
    leave_out: tuple[str, ...],
    more: tuple[str, ...],
    recipe: Path | None,
    sensitivity: bool,
    name: str | None,
    by: str | None,
    marking: dict[str, Any],
    counted: dict[str, Any],
    form: str,
) -> None:
    """Split a run's items into weak and strong audio contribution, each with its reason.

    An item is strong if its score (under `votes` the share of the models that are wrong without the
    audio) reaches the threshold. Three models and 0.5 give the rule of arXiv 2509.21060.
    The split is kept in the run, as splits/NAME/ and in the SQL view `splits`.

    \b
    Rules:
      votes      share of the models that are wrong without the audio
      group      votes, where a question template or option set as a whole beats chance
      posterior  1 - P(answerable without the audio); needs several option orders
      fdr        wrong options as decoys: weak only at a false-discovery rate that is controlled on average. Decoys:
                 top-two (the strongest wrong option), all (every one; assumes that they are alike), foreign (the
                 gold of another item, asked under the condition foreign; holds where golds have a style)
      adf        the four steps of DCASE 2026 Task 5
      audit      a text-only classifier's belief in the gold; needs `audiocontrib audit --run`

    \b
    Examples:
      audiocontrib split --threshold 0.5
      audiocontrib split --rule fdr --fdr 0.1 --condition text --leave-out unsolved
      audiocontrib split --rule votes --sensitivity
      audiocontrib split --without-marked "ambiguous,clip bad" --corrected-keys --name checked
      audiocontrib split --split-recipe recipes/splits/audiomcq.yaml --name paper
      audiocontrib query "select split, count(*) from splits group by 1"
    """
    from audiocontrib.splits import split

    asked = _asked(recipe, rule, {"fdr": fdr, "decoys": decoys, "strata": strata, "balanced": balanced or None}, more)
    given = {"threshold": threshold, "condition": condition, "method": method, "models": models, "leave_out": leave_out}
    asked |= {key: value for key, value in given.items() if value not in (None, ())} | counted | marking
    run = chosen_run(folder)
    if name is not None:
        run.split_folder(name)  # one that cannot be is said before the work
    if sensitivity:
        from audiocontrib.splits.sensitivity import sensitivity as vary

        emit(vary(run, **asked), form, "sensitivity")
        return
    made = split(run, **asked)
    if made.marking is None and not run.holds_more(
        made.scores.column_names
    ):  # the table of `audiocontrib contribution` stays
        run.save_contributions(made.scores)
    kept = made.save(run.split_folder(f"{made.rule}-{made.threshold:g}" if name is None else name))
    _show(made, by, form)
    say(f"saved in {kept}")


def _show(made: Split, by: str | None, form: str) -> None:
    import pyarrow as pa

    from audiocontrib.arrow import equal

    groups = [by] if by else [None, "question_type", "source_dataset"]
    tables = [made.summary(group) for group in groups]
    if form == "table":
        for group, table in zip(groups, tables, strict=True):
            emit(table, form, "parts", groups=[group] if group else [])
            click.echo()
        say("weak by guessing: the share that the rule would call weak if every model guessed")
    else:
        emit(pa.concat_tables(tables, promote_options="default"), form)
    for key, value in made.findings.items():
        say(f"{key.replace('_', ' ')}: {as_words(value)}")
    for warning in made.warnings:
        say(f"note: {warning}")
    undecided = made.table.filter(equal(made.table["split"], "undecided"))
    for row in undecided.slice(0, SHOWN).to_pylist():
        say(f"undecided: {row['item_id']}: {row['reason']}")
    if len(undecided) > SHOWN:
        say(f"… and {len(undecided) - SHOWN} more undecided; see the view splits")


def _asked(recipe: Path | None, rule: str | None, own: dict[str, Any], more: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of a split: a recipe's, changed by the options."""
    from audiocontrib.config import assignments
    from audiocontrib.splits.recipe import SplitRecipe, read_split_recipe

    asked = read_split_recipe(recipe) if recipe else SplitRecipe()
    stated = {"rule": rule, **own}
    asked = asked.with_values({key: value for key, value in stated.items() if value is not None}, "split")
    return asked.with_values(assignments(more, "--set", "--set least=10"), "--set").arguments()
