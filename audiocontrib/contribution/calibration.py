"""Calibration: how far a model's log-posteriors can be believed, learned from other clips than the item's own.

Raw log-ratios of zero-shot models mix information with miscalibration. So the posterior of a condition is
taken from the family p(k) = softmax(a · own(k) + b · base(k)), a, b >= 0, where own is the model's
log-posterior under the condition and base the one without any audio. The families are nested: base alone is
a = 0, and ignorance a = b = 0. The weights minimise the negative log-likelihood of the gold, which is convex.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
FEWEST_ITEMS, FEWEST_CLIPS = 50, 10
"""With fewer, the weights would be luck: the posteriors stay as they are."""
LEAST = math.log(1e-12)
"""Log-posteriors are cut here, so that an option that a model excluded (log 0) can be weighted."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Posteriors, each weighted by what was learned on the folds that do not hold its clip."""

    log_p: Floats
    """Natural log of the posterior, (n, K); NaN beyond an item's options and where it has no answer."""
    weights: Floats | None
    """(FOLDS, m): the weights of the m inputs, one row a fold; None: too few items, ``log_p`` is the first input's."""


def calibrate(inputs: Floats, gold: NDArray[np.int64], clip: NDArray[np.int64]) -> Calibrated:
    """Weigh the inputs so that the posterior is calibrated, out of fold by clip.

    Args:
        inputs: log-posteriors (natural), shape (m, n, K): the condition's own first; NaN beyond an item's
            options, and all NaN where an item has no answer. An item counts where all inputs have one.
        gold: index of the gold, (n,); negative: no key.
        clip: (n,); items on one clip have one number. An item's fold is its number modulo FOLDS, so numbers
            should run from 0 in an order that has nothing to do with the answers.
    """
    answered: NDArray[np.bool_] = np.all((~np.isnan(inputs)).any(axis=2), axis=0)
    keyed = answered & (gold >= 0)
    own: Floats = np.where(answered[:, None], inputs[0], np.nan)
    if keyed.sum() < FEWEST_ITEMS or len(np.unique(clip[keyed])) < FEWEST_CLIPS:
        return Calibrated(_log_softmax(own), None)
    # options first: numpy adds up long rows, not short ones
    options = np.ascontiguousarray(np.moveaxis(np.maximum(inputs, LEAST), 2, 1))  # (m, K, n); NaN stays
    fold = clip % FOLDS
    weights, log_p = np.ones(len(inputs)), np.full_like(own, np.nan)
    rows = np.empty((FOLDS, len(inputs)))
    for f in range(FOLDS):
        learn: NDArray[np.bool_] = keyed & (fold != f)
        rows[f] = weights = _fit(options[:, :, learn], gold[learn], start=weights)
        held: NDArray[np.bool_] = answered & (fold == f)
        log_p[held] = _log_softmax(np.tensordot(weights, options[:, :, held], axes=1).T)
    return Calibrated(log_p, rows)


def _fit(options: Floats, gold: NDArray[np.int64], start: Floats) -> Floats:
    """The weights, (m,) and >= 0, with the least mean negative log-likelihood of the gold; options (m, K, n)."""
    from scipy.optimize import minimize

    absent: NDArray[np.bool_] = np.isnan(options[0])
    known = np.where(absent, 0.0, options)
    at_gold: Floats = np.take_along_axis(known, gold[None, None, :], axis=1)[:, 0].mean(axis=1)

    def loss(weights: Floats) -> tuple[float, Floats]:
        z = np.tensordot(weights, known, axes=1)
        z[absent] = -np.inf
        top: Floats = z.max(axis=0)
        p: Floats = np.exp(z - top)
        total: Floats = p.sum(axis=0)
        expected = np.array([np.einsum("kn,kn->n", p, each) @ (1 / total) for each in known]) / len(gold)
        return float((top + np.log(total)).mean() - weights @ at_gold), expected - at_gold

    bounds = [(0, None)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-8})
    return np.asarray(found.x, dtype=np.float64)


def _log_softmax(z: Floats) -> Floats:
    """Along the last axis, which NaN pads; rows that are all NaN stay so."""
    return z - np.logaddexp.reduce(np.where(np.isnan(z), -np.inf, z), axis=1, keepdims=True)
