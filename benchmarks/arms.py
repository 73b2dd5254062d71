"""Arms of an experiment, each trained with several seeds: who was right on which item, as tables and as a figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from audiocontrib.statistics import LEVEL, holm, mean_by_clip, wilson

CONDITIONS = ("audio", "silence", "text")
CHOSEN = "Weak-to-Strong"
"""The arm that is held against every other."""


@dataclass(frozen=True)
class Answers:
    """Who was right, on the same items in the same order."""

    right: dict[str, dict[str, np.ndarray]]
    """Arm -> condition -> (seeds, items), 1 right and 0 wrong."""
    parts: dict[str, np.ndarray]
    """Name of a part -> truth values (items,)."""
    clips: np.ndarray


def mean(values: np.ndarray, clips: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, 95 % interval and p of no difference from 0, for values of shape (seeds, items).

    SE² = that of the items' means over the seeds, clustered by clip, + that of the seeds' means over the items;
    Student's t with the degrees of freedom of Welch and Satterthwaite. What seed and item have together is in both:
    the interval is a little too wide.
    """
    seeds = len(values)
    by_clip = mean_by_clip(values.mean(axis=0), clips, None)
    parts = [(by_clip.error**2, by_clip.freedom)]
    if seeds > 1:
        parts.append((float(values.mean(axis=1).var(ddof=1)) / seeds, seeds - 1))
    error = sum(variance for variance, _ in parts)
    found = float(values.mean())
    if not error:
        return found, found, found, 1.0 if not found else 0.0
    if not np.isfinite(error):
        return found, np.nan, np.nan, 1.0  # of one clip alone nothing is told
    freedom = error**2 / sum(variance**2 / df for variance, df in parts)
    half = stats.t.ppf((1 + LEVEL) / 2, freedom) * error**0.5
    return found, found - half, found + half, float(2 * stats.t.sf(abs(found) / error**0.5, freedom))


def accuracies(found: Answers) -> pd.DataFrame:
    """Arm, part, condition: accuracy with its interval, and the spread of the seeds."""
    rows = []
    for arm, cells in found.right.items():
        for part, inside in found.parts.items():
            shown = cells | {"audio - silence": cells["audio"] - cells["silence"]}
            for condition, values in shown.items():
                value, low, high, _ = mean(values[:, inside], found.clips[inside])
                if condition in CONDITIONS:
                    # where all items agree the spread is no guide: Wilson's limits, of one answer a clip
                    n = len(np.unique(found.clips[inside]))
                    low, high = (max(low, 0), min(high, 1)) if high - low > 1e-9 else wilson(round(value * n), n)
                spread = values[:, inside].mean(axis=1).std(ddof=1) if len(values) > 1 else np.nan
                rows.append((arm, part, int(inside.sum()), condition, len(values), value, low, high, spread))
    names = ["arm", "part", "n", "condition", "seeds", "accuracy", "low", "high", "seed_sd"]
    return pd.DataFrame(rows, columns=names)


MEASURES = {
    "audio, all": ("audio", "all"),
    "audio, strong": ("audio", "strong"),
    "audio, weak": ("audio", "weak"),
    "audio, needs the audio": ("audio", "needs the audio"),
    "audio - silence, all": ("audio - silence", "all"),
}


def differences(found: Answers) -> pd.DataFrame:
    """Every arm against the base, and Weak-to-Strong against every other; Holm's correction within a measure."""
    pairs = [(arm, "base") for arm in found.right if arm != "base"]
    pairs += [(CHOSEN, arm) for arm in found.right if arm not in ("base", CHOSEN) and CHOSEN in found.right]
    rows = []
    for name, (condition, part) in MEASURES.items():
        inside = found.parts[part]

        def values(arm: str, condition: str = condition, inside: np.ndarray = inside) -> np.ndarray:
            cells = found.right[arm]
            taken = cells["audio"] - cells["silence"] if condition == "audio - silence" else cells[condition]
            return taken[:, inside]

        tested = [mean(values(one) - values(other), found.clips[inside]) for one, other in pairs]
        corrected = holm([p for *_, p in tested])
        for (one, other), (value, low, high, _), p in zip(pairs, tested, corrected, strict=True):
            rows.append((name, one, other, value, low, high, p, bool(p < 1 - LEVEL)))
    return pd.DataFrame(
        rows, columns=["measure", "arm", "against", "difference", "low", "high", "p_holm", "beyond_noise"]
    )


def markdown(table: pd.DataFrame, rows: str, columns: list[str], cell) -> str:
    """A table with a row for each value of ``rows`` and a column for each combination of ``columns``."""
    heads = list(dict.fromkeys(table[columns].itertuples(index=False, name=None)))
    lines = ["| " + " | ".join([rows, *(", ".join(head) for head in heads)]) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, own in table.groupby(rows, sort=False):
        by = {tuple(getattr(row, c) for c in columns): row for row in own.itertuples()}
        lines.append("| " + " | ".join([str(name), *(cell(by[head]) for head in heads)]) + " |")
    return "\n".join(lines)


def figure(shown: pd.DataFrame):
    """Accuracy of the arms on the two parts, by what was heard."""
    from matplotlib.figure import Figure

    arms, marks = list(dict.fromkeys(shown.arm)), {"audio": "o", "silence": "s", "text": "^"}
    made = Figure(figsize=(9, 4), layout="constrained")
    for axes, part in zip(made.subplots(1, 2, sharey=True), ("strong", "weak"), strict=True):
        for shift, (condition, mark) in enumerate(marks.items()):
            own = shown[(shown.part == part) & (shown.condition == condition)]
            places = np.array([arms.index(arm) for arm in own.arm]) + 0.2 * (shift - 1)
            error = np.abs(own[["low", "high"]].to_numpy().T - own.accuracy.to_numpy())
            axes.errorbar(own.accuracy, places, xerr=error, fmt=mark, label=condition, capsize=2)
        axes.set(title=f"{part} part (n = {own.n.iloc[0]})", xlabel="accuracy", xlim=(0, 1))
        axes.set_yticks(range(len(arms)), arms)
        axes.grid(axis="x", alpha=0.3)
    axes.invert_yaxis()
    axes.legend(loc="lower left")
    return made
