"""Certificate of a strong set: what a text-only model that took no part in the filter still gets right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import ceil, nan
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.contribution.response_matrix import Floats, Ints
from audiocontrib.contribution.scope import Answers, check_contrast, scoped
from audiocontrib.contribution.votes import vote_table
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.number_text import at_most, percent
from audiocontrib.sql import arrow_table, sql
from audiocontrib.statistics import guessing, mean_by_clip, wilson_upper

LEVEL = 0.95
"""Of every bound here; one-sided."""
POINTS = 0.02


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a held-out model shows of a strong set."""

    model: str
    condition: str
    n: int
    """Items of the set that have a key and on which the model chose an option."""
    left_out: int
    """The other items of the set: refused, tied, failed, not asked, or without a key."""
    right: int
    accuracy: float
    chance: float
    """Mean of 1 / K."""
    upper: float
    """Upper bound of the accuracy: Wilson's, or that clustered by clip where it is greater."""
    residual_upper: float
    """Upper bound of the share of the n items that this model answers from the text. Given which options leave an item
    strong (``conditional``), whatever tastes it shares with the filter; else by :func:`residual`, and NaN where
    ``over_filtered``: luck is then less than 1 / K, and nothing can be certified."""
    p_below_chance: float
    """P(so few right, or fewer) for independent guesses, exact for any mixture of K."""
    over_filtered: bool
    """The model is below chance (p < 5 %, and ``upper`` too): the set was chosen against models like it."""
    needed_for_2_points: int
    """How many such items make the bound 2 points where the model is at chance."""
    conditional: bool = False
    """The luck of the model is taken to be among the options that would leave the item strong."""
    among: int = 0
    """Items of the n on which the model chose one of these; on the others it is certainly wrong."""
    split: str = ""
    """Name of the split, and the model that was left out of it, if any."""
    rule: str = ""
    raters: tuple[str, ...] = ()
    """The models that made the split."""

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Certificate:
        """From JSON, where what is not known is null; what else the row says is left aside."""
        known: dict[str, Any] = {
            f.name: nan if row[f.name] is None else row[f.name] for f in fields(cls) if f.name in row
        }
        return cls(**known | {"raters": tuple(row.get("raters") or ())})

    def in_words(self) -> str:
        """One sentence for a person."""
        seen = f"{self.model} is right on {self.right} of {self.n} strong items"
        seen += f" ({percent(self.accuracy)}, chance {percent(self.chance)})"
        who = ", ".join(self.raters) or "the filter"
        needed = self.needed_for_2_points
        more = f"; {needed} items would bound it by 2 points" if self.n < needed else ""
        if self.over_filtered and not self.conditional:
            return (
                f"{seen}: below chance (p = {self.p_below_chance:.2g}), so the set is over-filtered and nothing is "
                "certified"
            )
        held = f"whatever tastes it shares with {who}" if self.conditional else f"if it shares no taste with {who}"
        return f"{seen}: at most {at_most(self.residual_upper)} are answered from the text by it (95 %, {held}){more}"


def certificate(
    run: Answers,
    /,
    *,
    strong: pa.Table,
    model: str,
    options: pa.Table | None = None,
    condition: str = "text",
    method: str | None = None,
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
) -> Certificate:
    """Hold a strong set against a model that took no part in making it; that it took none is not checked here.

    Without ``options`` the bound takes the luck of the model as 1 / K on the items that it does not know. A model that
    shares its tastes with those that made the set has less luck there, and that bound is too low, also where it does
    not show as ``over_filtered``. With them the bound looks at the items on which the model chose an option that would
    leave the item strong: given that it does not know the gold, that is any of these alike, whatever tastes are shared.

    Args:
        run: a run, or an open connection with its views.
        strong: the strong set; a table with ``item_id``.
        model: the held-out model, as the run names it.
        options: which options would leave an item strong if they were its gold; item_id, options (truth values).
        condition, method, repeat, think_tokens: as in a :class:`~audiocontrib.contribution.scope.Scope`.

    Raises:
        UsageError: a word that the run does not know; ``strong`` has no ``item_id``, or names no item of the run.
        AudiocontribError: the model chose no option on any item of the set under the condition.
    """
    if "item_id" not in strong.column_names:
        raise UsageError(f"a strong set needs the column item_id; this one has {', '.join(strong.column_names)}")
    if not isinstance(model, str):
        raise UsageError(f"model is {model!r}, but is the name of one model")
    words = {"condition": condition, "method": method, "repeat": repeat, "think_tokens": think_tokens}
    with scoped(run, None, words | {"models": model}) as (con, checked):
        check_contrast(checked)
        voted = vote_table(con, [condition], method)
        items = arrow_table(
            con.sql("select item_id, len(choices) as k, dense_rank() over (order by clip_id) as clip from items")
        )
    if options is None:
        options = pa.table({"item_id": pa.array([], pa.string()), "options": pa.array([], pa.list_(pa.bool_()))})
        conditional = False
    else:
        conditional = True
    strong = sql(
        """
        select k, clip, correct, len(list_filter(options, lambda one: one)) as fitting, options[choice + 1] as fits
        from items semi join strong using (item_id) left join own using (item_id) left join options using (item_id)
        """,
        items=items,
        strong=strong.select(["item_id"]),
        own=voted.filter(voted["choice"].is_valid()),
        options=options,
    )
    if not len(strong):
        raise UsageError("no item of the strong set is in the run; was it made from other data?")
    answered = strong.filter(strong["correct"].is_valid())
    if not len(answered):
        raise AudiocontribError(
            f"{model} chose no option on the strong set under {condition!r}; score it under that condition first"
        )
    made = _certified(model, condition, answered, len(strong))
    return _conditional(made, answered) if conditional else made


def _certified(model: str, condition: str, answered: pa.Table, size: int) -> Certificate:
    """From the items of the set, ``size`` in all, on which the model chose an option."""
    k, clip, correct = (answered[name].to_numpy() for name in ("k", "clip", "correct"))
    right, n, chance = int(correct.sum()), len(k), float((1 / k).mean())
    upper = _upper(correct, clip)
    p_below = guessing(right, 1 / k).at_most
    over_filtered = p_below < 1 - LEVEL and upper < chance
    return Certificate(
        model,
        condition,
        n,
        size - n,
        right,
        right / n,
        chance,
        upper,
        float("nan") if over_filtered else residual(upper, k),
        p_below,
        over_filtered,
        needed(k),
    )


def _conditional(made: Certificate, answered: pa.Table) -> Certificate:
    """The certificate given which options leave an item strong; as it is where that is not known of some item."""
    among = answered.filter(answered["fits"])  # null: it chose none of them
    if answered["fitting"].null_count:
        return made
    if not len(among):
        return replace(made, conditional=True, residual_upper=0.0)
    k, clip, correct = (among[name].to_numpy() for name in ("fitting", "clip", "correct"))
    share = len(among) / made.n
    return replace(
        made, conditional=True, among=len(among), residual_upper=share * residual(_upper(correct, clip), k)
    )  # fmt: skip


def _upper(correct: NDArray[np.bool_], clip: Ints) -> float:
    """One-sided upper limit of a share: Wilson's of independent items, or that by clip where it is greater."""
    by_clip = mean_by_clip(correct, clip).interval(2 * LEVEL - 1).high
    return float(np.fmax(wilson_upper(int(correct.sum()), len(correct), LEVEL), by_clip))


def residual(accuracy: float, k: Ints) -> float:
    """The largest share of the items that can be known, if all others are guessed: an upper bound for any mixture of K.

    Knowing item i instead of guessing it adds 1 - 1 / K_i to the expected number right. Which items are known is not
    seen; the most of them explain ``accuracy`` - chance where they are those with the smallest gains, the
    smallest K. For equal K it is (accuracy - 1 / K) / (1 - 1 / K).
    """
    gains, shares = _gains(k)
    return float(np.interp(accuracy - (1 / k).mean(), gains, shares))


def needed(k: Ints, points: float = POINTS) -> int:
    """How many items of this mixture of K bound the share that is known by ``points``, with the model at chance.

    From z² mean(1/K (1 - 1/K)) / n = d², with d the excess over chance that ``points`` known items can make at
    least (:func:`residual`), z one-sided; for K = 4 and 2 points it is 2,255.
    """
    from scipy.stats import norm

    gains, shares = _gains(k)
    excess = np.interp(points, shares, gains)
    return ceil(norm.ppf(LEVEL) ** 2 * float((1 / k * (1 - 1 / k)).mean()) / excess**2)


def _gains(k: Ints) -> tuple[Floats, Floats]:
    """Least expected gain in accuracy where a share of the items is known, and these shares."""
    gains = np.append(0, np.cumsum(np.sort(1 - 1 / k)))
    return gains / len(k), np.linspace(0, 1, len(k) + 1)
