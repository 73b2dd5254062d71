"""Why an item has no vote of a model under a condition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import Values
from audiocontrib.contribution.answer_counts import AnswerCounts, Small

NOT_ASKED, FAILED, MISSING = 1, 2, 3
BASE = 32  # more than the orders that an item can be asked in


def problems(tally: AnswerCounts) -> Small:
    """A number for each item and cell, shape (n, C), that :func:`problem_words` puts into words; 0: the vote stands.

    A vote on some of the orders is none: position luck would be back in it, and with it the published rule
    would mean something else. How many orders are all of them is read from the model's other answers to
    items with as many options, under any of the conditions.
    """
    asked, failed = tally.asked, tally.asked - tally.orders
    whole = np.zeros_like(asked)
    for model in {model for model, _ in tally.cells}:
        own = np.flatnonzero([name == model for name, _ in tally.cells])
        for size in np.unique(tally.sizes):
            rows = np.flatnonzero(tally.sizes == size)
            whole[np.ix_(rows, own)] = asked[np.ix_(rows, own)].max(initial=0)
    kind = np.select([asked == 0, failed > 0, asked < whole], [NOT_ASKED, FAILED, MISSING], 0)
    of = np.where(kind == FAILED, asked, whole)
    lacking = np.where(kind == FAILED, failed, whole - asked)
    return np.where(kind > NOT_ASKED, (kind * BASE + lacking) * BASE + of, kind).astype(np.int16)


def problem_words(codes: Small) -> Values:
    """The problems in words, shape (n · C,); null where the vote stands."""
    distinct, which = np.unique(codes, return_inverse=True)
    return pa.array([_say(int(code)) for code in distinct], pa.string()).take(which.ravel())


def _say(code: int) -> str | None:
    if code <= NOT_ASKED:
        return "not asked" if code else None
    (kind, lacking), of = divmod(code // BASE, BASE), code % BASE
    return f"{lacking} of {of} " + ("answers failed" if kind == FAILED else "orders are missing")
