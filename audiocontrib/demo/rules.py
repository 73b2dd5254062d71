"""What both demos share: the conditions that are asked, and the rules that are compared."""

from __future__ import annotations

from collections.abc import Mapping

from audiocontrib.contribution.answerable import NotIdentified
from audiocontrib.splits import Split, split
from audiocontrib.store import Run

CONDITIONS = ("audio", "silence", "text")


def split_by_all(run: Run, rules: Mapping[str, str]) -> tuple[list[Split], list[str]]:
    """The run split by each rule, saved; and what the answers do not allow to be said.

    Args:
        rules: name of the rule -> name of its split in the run.
    """
    made, notes = [], []
    for rule, name in rules.items():
        try:
            made.append(split(run, rule=rule))
        except NotIdentified as error:  # with a few dozen items
            notes.append(f"{rule}: {error}")
            continue
        made[-1].save(run.split_folder(name))
        notes += [f"{rule}: {warning}" for warning in made[-1].warnings]
    return made, notes
