"""The answers of a run added up per item, model and condition, over the orders they were given in.

A run of the published size has 20 million answers. They are read once, a few at a time, into arrays with a
place for every item, model and condition; all else is arithmetic on these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import Column, Values, flat, floats, integers, schema_of, truths
from audiocontrib.errors import AudiocontribError
from audiocontrib.responses import has_posterior
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int16]
"""Numbers of orders or answers: there are as many of these arrays' cells as a run has questions."""

TIE = 1e-12
"""Two options whose posteriors are nearer than this are tied: the sums depend on their order."""
LEAST = 1e-300
"""A posterior counts as at least this in a logarithm: an option that a model excludes has ln p = -691."""
COLUMNS = ("place", "turn", "final", "declined", "fits")
"""Of each answer: the number of its item and cell (item · C + cell), its order, whether it did not fail, whether it
declines to answer, and whether it fits its item's options."""
CELL_SCHEMA = schema_of(model=pa.string(), condition=pa.string(), cell=pa.int64())
ROWS_AT_ONCE = 60_000  # what fits the processor's cache: with a million, reading takes twice as long
ONE = np.int16(1)  # of the sums' own type: a number of another type is added forty times slower


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """The answers to n items in C cells (a model under a condition); K is the largest number of options."""

    items: pa.Table
    """item_id, answer (null without a key) and k (number of options), sorted by item_id; n rows."""
    cells: tuple[tuple[str, str], ...]
    """Model and condition, sorted."""
    method: str
    """One of METHODS; empty where nothing was asked."""
    asked: Small
    """Orders that were asked, shape (n, C)."""
    orders: Small
    """Orders that were answered (not failed), shape (n, C)."""
    answers: Small
    """Answers that are counted, shape (n, C)."""
    shares: Floats
    """Of likelihoods the mean posterior, of replies the share of the answers that choose the option; shape
    (n, C, K), 0 beyond an item's own options."""
    counts: Small
    """Answers whose option it is, a tie being nobody's, shape (n, C, K); of likelihoods only in full, else 0."""
    logs: Floats
    """Of likelihoods the mean ln posterior, shape (n, C, K), 0 beyond an item's options; only in full, else 0."""
    declined: Small
    """Answers that are refusals, shape (n, C); only replies can be."""

    @property
    def gold(self) -> Ints:
        """Index of the gold option, shape (n,); -1 without a key."""
        return integers(self.items["answer"], null=-1)

    @property
    def sizes(self) -> Ints:
        """Number of options, shape (n,)."""
        return integers(self.items["k"])

    def labels(self) -> dict[str, Column | Values]:
        """The columns item_id, model and condition, item by item and cell by cell."""
        n, cells = len(self.items), len(self.cells)
        item, cell = np.repeat(np.arange(n), cells), np.tile(np.arange(cells), n)
        model, condition = (pa.array([c[part] for c in self.cells], pa.string()).take(cell) for part in (0, 1))
        return {"item_id": self.items["item_id"].take(item), "model": model, "condition": condition}

    def under(self, condition: str) -> list[int]:
        """The cells of a condition, by model."""
        return [cell for cell, (_, own) in enumerate(self.cells) if own == condition]


def count_answers(
    con: duckdb.DuckDBPyConnection,
    *,
    conditions: Sequence[str] | None = None,
    method: str | None = None,
    in_full: bool = False,
) -> AnswerCounts:
    """Add up the answers.

    Args:
        conditions: those wanted, as they are written; None: all.
        method: one of METHODS; needed only where the run holds several.
        in_full: with ``counts`` and ``logs`` of likelihoods, which take as long again.

    Raises:
        AudiocontribError: the answers were given by both methods and none is named, or one of them does not
            fit its item's options.
    """
    method, cells = asked_cells(con, conditions=conditions, method=method)
    items = arrow_table(con.sql("select item_id, answer, len(choices) as k from items order by item_id"))
    n, width = len(items) * len(cells), int(integers(items["k"]).max(initial=0)) or 1
    orders, answered = np.zeros((2, n * width), bool)
    answers, declined, counts = np.zeros(n, np.int16), np.zeros(n, np.int16), np.zeros(n * width, np.int16)
    shares, logs = np.zeros(n * width), np.zeros(n * width)  # what is not written to takes no memory
    for batch in _batches(con, items, cells, method):
        place, turn = integers(batch["place"]), integers(batch["turn"])
        final, fits = truths(batch["final"]), truths(batch["fits"])
        if not fits.all():
            item = items["item_id"][int(place[fits.argmin()]) // len(cells)]
            raise AudiocontribError(f"an answer to {item} does not fit the item's options; were they changed since?")
        orders[place * width + turn] = True
        answered[(place * width + turn)[final]] = True
        told = batch if final.all() else batch.filter(batch["final"])
        if has_posterior(method):
            place, length, p = _posteriors(told)
            first = np.cumsum(length) - length
            at = np.repeat(place * width - first, length) + np.arange(len(p))
            np.add.at(shares, at, p)
            if in_full and len(p):
                np.add.at(logs, at, np.log(np.maximum(p, LEAST)))
                np.add.at(counts, at[_winners(p, first, length)], ONE)
        else:
            place, choice = integers(told["place"]), integers(told["choice"], null=-1)
            np.add.at(counts, (place * width + choice)[choice >= 0], ONE)
            np.add.at(declined, place[truths(told["declined"])], ONE)
        np.add.at(answers, place, ONE)
    if answers.sum(dtype=np.int64) > np.count_nonzero(answered):
        raise AudiocontribError(
            "a question was answered several times in one order, as repeats are; take answers by a scope (its repeat)"
        )
    if method == "generate":
        shares += counts
    for sums in (shares, logs) if in_full else (shares,):
        sums.reshape(n, width)[:] /= np.maximum(answers, 1)[:, None]
    by_cell, by_option = (len(items), len(cells)), (len(items), len(cells), width)
    return AnswerCounts(
        items,
        cells,
        method,
        asked=orders.reshape(by_option).sum(axis=2, dtype=np.int16),
        orders=answered.reshape(by_option).sum(axis=2, dtype=np.int16),
        answers=answers.reshape(by_cell),
        shares=shares.reshape(by_option),
        counts=counts.reshape(by_option),
        logs=logs.reshape(by_option),
        declined=declined.reshape(by_cell),
    )


def asked_cells(
    con: duckdb.DuckDBPyConnection, *, conditions: Sequence[str] | None = None, method: str | None = None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The method, and the models and conditions (sorted) asked by it; arguments as :func:`count_answers` has them."""
    found = con.execute("select distinct model, condition, method from responses").fetchall()
    found = [row for row in found if conditions is None or row[1] in conditions]
    methods = sorted({m for *_, m in found})
    if method is None and len(methods) > 1:
        raise AudiocontribError(f"the run was asked by {' and by '.join(methods)}; say which with method=")
    method = method or (methods[0] if methods else "")
    return method, tuple(sorted((model, condition) for model, condition, m in found if m == method))


def _batches(
    con: duckdb.DuckDBPyConnection, items: pa.Table, cells: Sequence[tuple[str, str]], method: str
) -> Iterator[pa.RecordBatch]:
    """The answers: COLUMNS, and the posterior or the choice."""
    plan = [{"model": model, "condition": condition, "cell": cell} for cell, (model, condition) in enumerate(cells)]
    con.register("counted_items", items.append_column("item", pa.array(np.arange(len(items)))))
    con.register("counted_cells", pa.Table.from_pylist(plan, CELL_SCHEMA))
    told, fits = "posterior", "len(posterior) = k"
    if not has_posterior(method):
        told, fits = "choice::bigint as choice", "choice between 0 and k - 1"
    try:
        yield from con.sql(
            f"""
            select item * {len(cells)} + cell as place, ("order" % k)::bigint as turn,
                outcome <> 'failed' as final, outcome = 'refused' as declined, coalesce({fits}, true) as fits, {told}
            from responses join counted_items using (item_id) join counted_cells using (model, condition)
            where method = $method
            """,
            params={"method": method},
        ).to_arrow_reader(ROWS_AT_ONCE)
    finally:
        con.unregister("counted_items")
        con.unregister("counted_cells")


def _posteriors(told: pa.RecordBatch) -> tuple[Ints, Ints, Floats]:
    """Places and numbers of options of the answers that have a posterior, and all of these, one after the other."""
    lengths = integers(pc.list_value_length(told["posterior"]), null=0)
    has = lengths > 0
    return integers(told["place"])[has], lengths[has], floats(flat(told["posterior"]))


def _winners(p: Floats, first: Ints, length: Ints) -> NDArray[np.bool_]:
    """Of posteriors one after the other: whether an option is the best of its own, and no other is as good."""
    near = p >= np.repeat(np.maximum.reduceat(p, first), length) - TIE
    clear: NDArray[np.bool_] = np.add.reduceat(near, first, dtype=np.int64) == 1
    return np.asarray(near & np.repeat(clear, length))
