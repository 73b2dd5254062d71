"""Of every item: the least dose at which its answer is lost."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import schema_of, texts
from audiocontrib.contribution.doses import Doses
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped

LEAST_SCHEMA = schema_of(
    **dict.fromkeys(("item_id", "model", "scale"), pa.string()),
    least_dose=pa.float64(),
    **dict.fromkeys(("lost_under", "note"), pa.string()),
)
NOT_RIGHT = "not right with the whole clip"
BY_LUCK = "right with another item's clip too: its text, or luck"
NEVER = "right at every dose"


def least_doses(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per item with a key, model and scale (LEAST_SCHEMA): the first dose at which the answer is lost.

    An answer counts as heard at a dose if it is right there and wrong with the clip of ``swap`` at the same dose; it
    is lost at the first dose where that is no longer so. What is right with the foreign clip at once is put down to
    the text or luck, and has no least dose. A single item remains a single draw: of a guesser's items 1/K (1 - 1/K)
    seem to be heard at first, and the set's own curve (``dose_response``) is the one that takes luck out.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        item_id, model, scale; least_dose (per cent masked, or decibels of the noise below the clip) and lost_under
        (the condition), null where there is none; and why, in ``note``. Items without a vote at a dose or at its
        control are left out, and so are doses without a control: luck cannot be told there.
    """
    with scoped(run, scope, words) as (con, checked):
        doses = Doses.of(con, checked)
    rows: list[dict[str, Any]] = []
    names = np.array(texts(doses.told.items["item_id"]), dtype=object)
    for model, scale, steps in doses.asked():
        paired = [(step, own, control) for step, own, control in steps if control is not None]
        if len(paired) < 2 or paired[0][0].condition != checked.audio:
            continue
        cells = [cell for _, own, control in paired for cell in (own, control)]
        on = np.flatnonzero(doses.voted(cells))
        right = doses.cast.right
        heard = np.array([right[on, own] & ~right[on, control] for _, own, control in paired])
        lost = np.argmin(heard, axis=0)  # the first dose that is not heard; 0 where all are
        for item, place, whole, foreign in zip(on, lost, right[on, paired[0][1]], right[on, paired[0][2]], strict=True):
            note = NOT_RIGHT if not whole else BY_LUCK if foreign else None if place else NEVER
            step = paired[place][0] if place else None
            rows.append(
                {"item_id": names[item], "model": model, "scale": scale, "note": note}
                | {"least_dose": step.amount if step else None, "lost_under": step.condition if step else None}
            )
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["item_id"], row["model"])), schema=LEAST_SCHEMA)
