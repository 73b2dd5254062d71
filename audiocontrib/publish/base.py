"""Files of results that others read: the forms by name, and the choice that counts for each item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Item
from audiocontrib.registry import Registry
from audiocontrib.responses import has_posterior

if TYPE_CHECKING:
    from audiocontrib.store import Run


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a model of a run chose."""

    run: Run
    model: str
    condition: str
    items: Sequence[Item]
    choices: dict[str, int | None]
    """Item id -> index of the option; None: it chose none. Items that were not asked are missing."""
    thoughts: dict[str, str]

    def text(self, item: Item) -> str:
        """The option that was chosen; empty where none was: nothing is guessed."""
        place = self.choices.get(item.id)
        return "" if place is None else item.choices[place]

    @property
    def origin(self) -> dict[str, Any]:
        """Of the items: name, hub, revision, split."""
        found: dict[str, Any] = self.run.manifest.get("origin") or {}
        return found


@dataclass(frozen=True, slots=True)
class ResultForm:
    """A file of results."""

    about: str
    write: Callable[[Chosen], str]
    datasets: tuple[str, ...] = ()
    """Of which data sets it is; none: of any."""


RESULTS: Registry[ResultForm] = Registry("form of results")


def told_by(run: Run, model: str | None, condition: str) -> Chosen:
    """What a model chose: the option that is most frequent, or most likely on average, over orders and repeats.

    Raises:
        UsageError: it is not clear which model is meant, or the run does not hold it.
        AudiocontribError: some items were not asked, or failed.
    """
    held = run.table("select distinct model, condition, method from responses").to_pylist()
    models = sorted({row["model"] for row in held})
    if model is None and len(models) != 1:
        raise UsageError(f"say which model is meant; the run holds: {', '.join(models)}", argument="model")
    model = model if model is not None else models[0]
    if not [row for row in held if (row["model"], row["condition"]) == (model, condition)]:
        there = sorted({f"{row['model']} under {row['condition']}" for row in held})
        raise UsageError(f"the run holds no answers of {model} under {condition}; it holds {', '.join(there)}")
    if len({row["method"] for row in held if (row["model"], row["condition"]) == (model, condition)}) > 1:
        raise UsageError(f"{model} was asked by more than one method; results are of one")
    rows = [
        row
        for row in run.table(
            "select item_id, model, condition, method, outcome, choice, posterior, thought from responses "
            'order by item_id, "order", repeat'
        ).to_pylist()
        if (row["model"], row["condition"]) == (model, condition)
    ]
    answers = defaultdict(list)
    for row in rows:
        answers[row["item_id"]].append(row)
    items = run.load_items()
    open_ = [item.id for item in items if not any(row["outcome"] != "failed" for row in answers.get(item.id, ()))]
    if open_:
        raise AudiocontribError(
            f"{len(open_):,} of {len(items):,} items have no answer, e.g. {open_[0]}; ask them first"
        )
    choices = {item.id: _counts(answers[item.id]) for item in items}
    thoughts = {item.id: str(answers[item.id][0]["thought"] or "") for item in items}
    return Chosen(run, model, condition, items, choices, thoughts)


def _counts(rows: Sequence[dict[str, Any]]) -> int | None:
    """The choice that counts; None for a tie, or where none was made."""
    rows = [row for row in rows if row["outcome"] != "failed"]
    if has_posterior(rows[0]["method"]):
        sums = [sum(values) for values in zip(*(row["posterior"] for row in rows), strict=True)]
        return max(range(len(sums)), key=sums.__getitem__)
    first = Counter(row["choice"] for row in rows if row["choice"] is not None).most_common(2)
    return None if not first or (len(first) > 1 and first[0][1] == first[1][1]) else int(first[0][0])
