"""P(answerable without audio): a model of luck that repeats, for any number of options, orders and models.

A model that guesses need not guess afresh in every option order: it may like one option whatever its place.
So the number of orders in which it chooses the gold is beta-binomial. With K options, m orders and the gold
chosen n times, with the audio needed or the text answering, for each model by itself::

    needed:      n ~ BetaBinomial(m, alpha, (K - 1) alpha)
    answerable:  n ~ BetaBinomial(m, alpha + beta, (K - 1) alpha)
    odds(answerable | runs) = share / (1 - share) * product over the models of P(n | answerable) / P(n | needed)

alpha -> infinity is a fresh guess each time, alpha -> 0 the same option every time; the answers of one guesser in
two orders correlate by 1 / (1 + K alpha). The odds of the gold are multiplied by 1 + beta / alpha where the text
answers. The share of such items, alpha and beta are common to all items and fitted by maximum marginal likelihood.
The models' luck must be independent: see :func:`~audiocontrib.contribution.decoys.shared_preferences`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pyarrow as pa

from audiocontrib.contribution.response_matrix import Floats, Ints, response_matrix
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, scoped
from audiocontrib.errors import AudiocontribError
from audiocontrib.statistics import Interval

ODDS = (2.0, 1e6)
"""How much a text that answers may lift the odds of the gold: less than double is not told from luck."""
ALPHA = (1e-6, 1e4)
WIDEST = 0.5
"""A 95 % interval of the share that is wider than this identifies nothing."""


class NotIdentified(AudiocontribError):
    """The design or the answers do not fix the model: the message says why, and what to ask for."""


@dataclass(frozen=True, slots=True)
class Answerable:
    """The fitted model."""

    share: float
    """Of the items, those that the text answers: that at least doubles the odds of the gold."""
    alpha: float
    beta: float
    share_interval: Interval
    """95 %, by profile likelihood."""
    log_likelihood: float
    icc: float
    """1 / (1 + K alpha) at the mean K: correlation of a guesser's answers in two orders."""
    n: int
    """Items with answers."""


def fit_answerable(gold: Ints, orders: Ints, k: Ints) -> Answerable:
    """Fit the model of this module by maximum marginal likelihood.

    Args:
        gold: in how many orders each model chose the gold, (n, J).
        orders: in how many orders it answered, (n, J); 0: not asked, or it abstains.
        k: number of options, (n,).

    Raises:
        NotIdentified: no model answered in two orders, or the interval of the share is wider than WIDEST.
    """
    if not orders.any():
        raise NotIdentified("P(answerable) needs answers, and here every model abstains on every item, or has no vote")
    if not (orders >= 2).any():
        raise NotIdentified(
            "P(answerable) needs a model that answered in two option orders or more, and here each answered in one: "
            "luck that repeats cannot be told from knowledge; ask in all orders (cyclic)"
        )
    patterns = _patterns(gold, orders, k)
    starts = [np.array([0.3, np.log(alpha), np.log(odds)]) for alpha in (0.1, 3.0) for odds in (4.0, 50.0)]
    fits = [patterns.maximum(start) for start in starts]
    best, log_likelihood = max(fits, key=lambda fit: fit[1])
    interval = _profile(patterns, best, log_likelihood)
    if interval.high - interval.low > WIDEST:
        raise NotIdentified(
            f"the answers fit a share of answerable items from {interval.low:.2f} to {interval.high:.2f}: "
            "ask more models or more orders (or more items)"
        )
    share, alpha, odds = float(best[0]), *map(float, np.exp(best[1:]))
    asked = orders.any(axis=1)
    icc = 1 / (1 + float(k[asked].mean()) * alpha)
    return Answerable(share, alpha, alpha * (odds - 1), interval, log_likelihood, icc, int(asked.sum()))


def answerable_probability(fit: Answerable, gold: Ints, orders: Ints, k: Ints) -> Floats:
    """P(answerable without audio | answers), (n,); NaN where no model answered. Arguments as for the fit."""
    from scipy.special import expit, logit

    others = (k[:, None] - 1) * np.float64(fit.alpha)
    lucky, known = (_log_count(gold, orders, a, others) for a in (fit.alpha, fit.alpha + fit.beta))
    return np.where(orders.any(axis=1), expit(logit(fit.share) + (known - lucky).sum(axis=1)), np.nan)


def answerable(
    run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]
) -> tuple[pa.Table, Answerable]:
    """Fit the model to the answers under the condition without the audio.

    An answer that cannot be read, or ties, is one that did not choose the gold; one that declines is no guess, and does
    not count. Nor does a model on an item where it has no vote (see
    :func:`~audiocontrib.contribution.response_matrix.response_matrix`).

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        item_id, p_answerable (null without a key or any answer), sorted by item_id; and the fitted model.

    Raises:
        NotIdentified: as :func:`fit_answerable`.
        AudiocontribError: the run holds both methods and none is named, or no answers under the condition.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        asked = response_matrix(con, checked)
    orders = np.where(asked.answer[:, None] >= 0, asked.answers, 0)
    fit = fit_answerable(asked.gold, orders, asked.k)
    p = pa.array(answerable_probability(fit, asked.gold, orders, asked.k), from_pandas=True)
    return pa.Table.from_pydict({"item_id": asked.item_id, "p_answerable": p}), fit


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The items, each distinct row of answers once."""

    k: Ints
    orders: Ints
    gold: Ints
    """(c,) each: the distinct cells, one model on one item."""
    cells: Ints
    """(p, J): the patterns, as indexes of cells; models are exchangeable, so they are sorted."""
    times: Ints
    """(p,): how many items show the pattern."""

    def log_likelihood(self, point: Floats) -> tuple[float, Floats]:
        """At (share, log alpha, log odds), and its gradient."""
        share, alpha, odds = float(point[0]), *map(float, np.exp(point[1:]))
        others = (self.k - 1) * np.float64(alpha)
        lucky, known = (self.rows(_log_count(self.gold, self.orders, a, others)) for a in (alpha, alpha * odds))
        with np.errstate(divide="ignore"):
            both: Floats = np.logaddexp(np.log1p(-share) + lucky, np.log(share) + known)
        if_lucky: Floats = np.exp(lucky - both)
        if_known: Floats = np.exp(known - both)
        lucky_gold, lucky_others = _slopes(self.gold, self.orders, alpha, others)
        known_gold, known_others = _slopes(self.gold, self.orders, alpha * odds, others)
        by_alpha = (1 - share) * if_lucky * self.rows(lucky_gold + lucky_others)
        by_alpha += share * if_known * self.rows(known_gold + known_others)
        by_odds = share * if_known * self.rows(known_gold)
        slopes: Floats = np.stack([if_known - if_lucky, by_alpha, by_odds])
        return float(self.times @ both), slopes @ self.times

    def rows(self, values: Floats) -> Floats:
        """Sums over the models, (p,), of a value for each cell."""
        return values[self.cells].sum(axis=1)

    def maximum(self, start: Floats, share: float | None = None) -> tuple[Floats, float]:
        """The best point from a start, and its log-likelihood; ``share`` holds the share there."""
        from scipy.optimize import minimize

        at = (0.0, 1.0) if share is None else (share, share)
        bounds = [at, *((np.log(low), np.log(high)) for low, high in (ALPHA, ODDS))]
        scale = 1 / float(self.times.sum())

        def loss(point: Floats) -> tuple[float, Floats]:
            value, gradient = self.log_likelihood(point)
            return -value * scale, -gradient * scale

        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13})
        return found.x, -float(found.fun) / scale


def _patterns(gold: Ints, orders: Ints, k: Ints) -> _Patterns:
    side = int(max(k.max(), orders.max())) + 1
    code = (k[:, None] * side + orders) * side + gold
    names, cell = np.unique(code, return_inverse=True)
    cell = np.sort(cell.reshape(code.shape), axis=1)
    row = np.zeros(len(cell), dtype=np.int64)
    for column in cell.T:  # one integer for a whole row, kept small by renaming
        row = np.unique(row * len(names) + column, return_inverse=True)[1]
    _, first, times = np.unique(row, return_index=True, return_counts=True)
    return _Patterns(names // side**2, names // side % side, names % side, cell[first], times)


def _log_count(gold: Ints, orders: Ints, a: float, b: Floats) -> Floats:
    """log BetaBinomial(gold | orders, a, b), less the binomial coefficient, which is common to all."""
    from scipy.special import betaln

    return betaln(gold + a, orders - gold + b) - betaln(a, b)


def _slopes(gold: Ints, orders: Ints, a: float, b: Floats) -> tuple[Floats, Floats]:
    """Its derivatives by log a and by log b."""
    from scipy.special import psi

    total = psi(a + b) - psi(orders + a + b)
    return a * (psi(gold + a) - psi(a) + total), b * (psi(orders - gold + b) - psi(b) + total)


def _profile(patterns: _Patterns, best: Floats, top: float) -> Interval:
    """95 % interval of the share: where twice the log-likelihood, at its best there, falls by less than 3.84."""
    from scipy.optimize import brentq
    from scipy.special import expit, logit
    from scipy.stats import norm

    k, at = float(patterns.k.mean()), float(best[0])
    lift = at * float(expit(best[2] - np.log(k - 1)) - 1 / k)

    def excess(share: float) -> float:
        # two starts: the same odds, and odds that lift the golds by as much as at the best share
        known = float(np.clip(1 / k + lift / max(share, 1e-9), 1 / k, 1 - 1e-3))
        odds = np.clip(logit(known) + np.log(k - 1), *np.log(ODDS))
        starts = [np.array([share, best[1], start]) for start in (best[2], odds)]
        fall = top - max(patterns.maximum(start, share)[1] for start in starts)
        return np.sqrt(max(2 * fall, 0)) - norm.ppf(0.975)  # the root is nearly linear in the share

    low, high = (
        end if at == end or excess(end) <= 0 else brentq(excess, min(end, at), max(end, at), xtol=1e-4)
        for end in (0.0, 1.0)
    )
    return Interval(float(low), float(high))
