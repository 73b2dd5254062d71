"""Answers with a known truth: guessers who share their tastes, and texts that give the gold away."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest
from audiocontrib.sql import cursor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Answered:
    """n items, J models."""

    leak: NDArray[np.bool_]
    """The text answers the item."""
    gold: Ints
    k: Ints
    p: Floats
    """(n, J, K): posteriors, NaN beyond an item's options."""

    def contest(self, clip: Ints | None = None) -> Contest:
        """As :func:`audiocontrib.contribution.decoys.contest` has it, from arrays; ties go by a coin of their own."""
        coin = np.random.default_rng(0).random((len(self.k), self.p.shape[2])) * 1e-9
        mean = np.nan_to_num(self.p.mean(axis=1), nan=-1.0)
        second, best = np.log(np.maximum(np.sort(np.round(mean, 12), axis=1)[:, -2:].T, 1e-12))
        clips = np.arange(len(mean)) if clip is None else clip
        drawn = mean + coin
        rank = (drawn > drawn[np.arange(len(mean)), self.gold][:, None]).sum(axis=1)
        return Contest(rank, best - second, self.k, clips)

    def voted_weak(self) -> NDArray[np.bool_]:
        """The published rule: two of three models, or as great a share of them, prefer the gold."""
        right = np.nan_to_num(self.p, nan=-1.0).argmax(axis=2) == self.gold[:, None]
        return 3 * right.sum(axis=1) >= 2 * right.shape[1]


def false_share(called: NDArray[np.bool_], leak: NDArray[np.bool_]) -> float:
    """Of the items that are called answerable, those that are not; 0 where none is called."""
    return float((called & ~leak).sum() / max(called.sum(), 1))


def bayesian_fdr(p: Floats, level: float) -> NDArray[np.bool_]:
    """The items with the greatest posteriors, as many as keep the mean of 1 - p at or under the level."""
    order = np.argsort(-p, kind="stable")
    called = np.zeros(len(p), bool)
    called[order[np.cumsum(1 - p[order]) <= level * np.arange(1, len(p) + 1)]] = True
    return called


def asked(answered: Answered, counts: Ints) -> tuple[Ints, Ints, Ints]:
    """What :func:`audiocontrib.contribution.answerable.fit_answerable` takes: gold, orders and k."""
    at_gold = np.take_along_axis(counts, answered.gold[:, None, None], axis=2)[:, :, 0]
    return at_gold, counts.sum(axis=2), answered.k


def likelihoods(
    rng: np.random.Generator,
    k: Ints,
    *,
    leaks: float = 0.45,
    shared: float = 0.0,
    boost: float = 1.9,
    models: int = 3,
) -> Answered:
    """Models whose log-posteriors are tastes, of which a part is common to all, and a push where the text answers.

    A taste is shared * common + sqrt(1 - shared²) * own, both standard normal for each option; on the gold of a
    leak each model adds ``boost`` times its own strength, uniform in [0.5, 1.5].
    """
    n, widest = len(k), int(k.max())
    leak, gold = rng.random(n) < leaks, rng.integers(0, k)
    common, own = rng.normal(size=(n, 1, widest)), rng.normal(size=(n, models, widest))
    logits = shared * common + np.sqrt(1 - shared**2) * own
    logits[np.arange(n), :, gold] += leak[:, None] * boost * rng.uniform(0.5, 1.5, (n, models))
    logits = np.where(np.arange(widest) < k[:, None, None], logits, -np.inf)
    p = np.exp(logits - logits.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    return Answered(leak, gold, k, np.where(np.isinf(logits), np.nan, p))


def replies(
    rng: np.random.Generator,
    k: Ints,
    *,
    leaks: float = 0.4,
    alpha: float = 0.5,
    beta: float = 3.0,
    orders: int | Ints = 4,
    models: int = 3,
    sharing: float = 0.0,
) -> tuple[Answered, Ints]:
    """Models that choose in each order from a Dirichlet taste with ``alpha``, on the gold of a leak ``alpha + beta``.

    With probability ``sharing`` an item has one taste that all models follow, instead of one for each.

    Returns:
        The answers, with shares of the orders for posteriors; and in how many orders each option was chosen, (n, J, K).
    """
    n, widest = len(k), int(k.max())
    leak, gold = rng.random(n) < leaks, rng.integers(0, k)
    inside = np.arange(widest) < k[:, None]
    weight = np.where(inside, alpha, 0.0)
    weight[np.arange(n), gold] += beta * leak
    shape = np.broadcast_to(np.where(inside, weight, 1.0)[:, None], (n, models + 1, widest))
    # the logarithm of a gamma variate: with a small alpha the variate itself is 0
    log = np.log(rng.gamma(shape + 1)) + np.log(rng.random(shape.shape)) / shape
    log = np.where(inside[:, None], log, -np.inf)
    taste = np.exp(log - log.max(axis=2, keepdims=True))
    taste /= taste.sum(axis=2, keepdims=True)
    common = rng.random((n, 1, 1)) < sharing
    asked = np.broadcast_to(orders, n)[:, None]
    counts = rng.multinomial(asked, np.where(common, taste[:, :1], taste[:, 1:]))
    shares = np.where(inside[:, None], counts / asked[:, None], np.nan)
    return Answered(leak, gold, k, shares), counts


def views(
    answered: Answered,
    counts: Ints | None = None,
    orders: int | Ints = 4,
    shuffle: np.random.Generator | None = None,
    per_clip: int = 1,
) -> duckdb.DuckDBPyConnection:
    """The views of a run that holds the answers.

    Args:
        answered: likelihoods, in one order.
        counts: replies instead, as many as each option has here, (n, J, K); what lacks to ``orders`` are refusals.
        shuffle: puts the options of every item, and the rows of both tables, in another order.
        per_clip: items on one clip.
    """
    n, models, widest = answered.p.shape
    item_id = np.array([f"i{i:06d}" for i in range(n)])
    inside = np.arange(widest) < answered.k[:, None]
    mixed = np.argsort(np.where(inside, (shuffle or np.random.default_rng(0)).random((n, widest)), 2), axis=1)
    places = mixed if shuffle else np.tile(np.arange(widest), (n, 1))  # place -> option
    place = np.argsort(places, axis=1)
    items = pa.table(
        {
            "item_id": item_id,
            "choices": [[f"sound {o}" for o in row[:k]] for row, k in zip(places, answered.k, strict=True)],
            "answer": pa.array(place[np.arange(n), answered.gold], pa.int16()),
            "clip_id": (np.arange(n) // per_clip).astype(str),
        }
    )
    names = np.array([f"model-{j}" for j in range(models)])
    if counts is None:
        item, model = (axis.ravel() for axis in np.indices((n, models)))
        shown = np.take_along_axis(answered.p, places[:, None], axis=2).reshape(n * models, widest)
        posterior = pa.array([row[:k] for row, k in zip(shown, answered.k[item], strict=True)], pa.list_(pa.float64()))
        order = choice = np.zeros(len(item), int)
    else:
        counts = np.concatenate(
            [counts, (np.broadcast_to(orders, n)[:, None] - counts.sum(axis=2))[:, :, None]], axis=2
        )
        place = np.concatenate([place, np.full((n, 1), -1)], axis=1)  # where nothing is chosen
        item, model, option = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
        posterior = pa.nulls(len(item), pa.list_(pa.float64()))
        order, choice = np.arange(len(item)) % np.broadcast_to(orders, n)[item], place[item, option]
    responses = pa.table(
        {
            "item_id": item_id[item],
            "model": names[model],
            "condition": pa.repeat("text", len(item)),
            "order": pa.array(order, pa.int16()),
            "method": pa.repeat("likelihood" if counts is None else "generate", len(item)),
            "outcome": np.where(choice < 0, "refused", "answered"),
            "choice": pa.array(choice, pa.int16(), mask=choice < 0),
            "posterior": posterior,
        }
    )
    con = cursor()
    for name, table in (("items", items), ("responses", responses)):
        con.register(name, table.take(shuffle.permutation(len(table))) if shuffle else table)
    return con
