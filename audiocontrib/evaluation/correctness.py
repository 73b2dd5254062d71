"""Which items each model gets right under each condition: what all comparisons start from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import texts
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.scope import Scope, ScopeFields, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.log import tell
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    from audiocontrib.store import Run, SavedSplit

LOG = logging.getLogger("audiocontrib.evaluation")


@dataclass(frozen=True, slots=True)
class Rights:
    """Votes of a run on its items that have a key, in the order of their ids."""

    item_id: NDArray[np.object_]
    """Shape (n,)."""
    dataset: NDArray[np.object_]
    clip_id: NDArray[np.object_]
    part: NDArray[np.object_]
    """strong, weak or undecided by the split that was asked for; empty texts without one."""
    cells: dict[tuple[str, str], NDArray[np.float64]]
    """(model, condition) -> 1 right, 0 not right, NaN where there is no vote; each of shape (n,)."""
    declined: dict[tuple[str, str], NDArray[np.bool_]]
    """(model, condition) -> whether the vote is an abstention; each of shape (n,)."""
    chance: NDArray[np.float64]
    """1/K, shape (n,)."""

    @property
    def models(self) -> list[str]:
        """In the order of their names."""
        return sorted({model for model, _ in self.cells})


def parts_of(run: Run, split: str) -> SavedSplit:
    """A split whose parts are told apart. Said in a line: it was made with other keys than the accuracies go by."""
    saved = run.split(split)
    keys, own = (dict(one.keys) if one else {} for one in (saved.marking, run.marking))
    if keys != own:
        tell(LOG, f"note: the split {saved.name} goes by {len(keys):,} corrected keys, these numbers by {len(own):,}")
    return saved


def rights(
    run: Run, /, *, split: str | None = None, scope: Scope | None = None, **words: Unpack[ScopeFields]
) -> Rights:
    """The votes of a run (see :func:`audiocontrib.contribution.votes.votes`), with what comparisons group by.

    Args:
        split: name of a split of this run, whose parts are to be told apart.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; all conditions.

    Raises:
        UsageError: the run has no split of that name, or does not know a word.
    """
    with scoped(run, scope, words) as (con, checked):
        told = count_answers(con, method=checked.method)
        cast = count_votes(told)
        about = arrow_table(con.sql("select item_id, dataset, clip_id from items order by item_id"))
        part: NDArray[np.object_] = np.full(len(about), "", dtype=object)
        if split is not None:
            table = parts_of(run, split).table
            found = dict(zip(texts(table["item_id"]), texts(table["split"]), strict=True))
            part = np.array([found.get(name, "") for name in texts(about["item_id"])], dtype=object)
    has_key = told.gold >= 0
    right: NDArray[np.float64] = np.where(cast.problem == 0, cast.right.astype(float), np.nan)
    return Rights(
        item_id=about["item_id"].to_numpy()[has_key],
        dataset=about["dataset"].to_numpy()[has_key],
        clip_id=about["clip_id"].to_numpy()[has_key],
        part=part[has_key],
        cells={cell: right[has_key, place] for place, cell in enumerate(told.cells)},
        declined={cell: cast.abstained[has_key, place] for place, cell in enumerate(told.cells)},
        chance=cast.chance[has_key],
    )
