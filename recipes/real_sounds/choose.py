"""Options that betray nothing: a label is wrong about as often as it is right, and the gold is in every place alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from random import Random

from material import CATALOGUE, Question

_CLOSE = [frozenset(group) for group in CATALOGUE["confusable"]]


def clear(one: str, other: str) -> bool:
    """Whether two sounds are told apart well enough to be options of one question."""
    return not any(one in group and other in group for group in _CLOSE)


class Deck:
    """Wrong options for questions of one kind, drawn so that a label's share of them is its share of the golds.

    Args:
        golds: the gold of every question.
        rng: breaks ties.
    """

    def __init__(self, golds: Iterable[str], rng: Random) -> None:
        self._right = Counter(list(golds))
        self._used: Counter[str] = Counter()
        self._rng = rng

    def wrong(self, gold: str, count: int, barred: Collection[str] = ()) -> tuple[str, ...]:
        """``count`` labels that are told apart from the gold, from each other and from those of ``barred``."""
        chosen: list[str] = []
        labels = sorted(self._right, key=lambda label: (self._used[label] / self._right[label], self._rng.random()))
        for label in labels:
            if label not in (gold, *barred) and all(clear(label, one) for one in (gold, *barred, *chosen)):
                chosen.append(label)
            if len(chosen) == count:
                break
        else:
            raise ValueError(f"{gold}: there are no {count} wrong options")
        self._used.update(chosen)
        return tuple(chosen)


def balanced(values: Sequence[str], count: int, rng: Random) -> list[str]:
    """``count`` of the values, each as often as the others, in random order."""
    whole = [value for _ in range(-(-count // len(values))) for value in rng.sample(list(values), len(values))]
    return rng.sample(whole[:count], count)


def placed(questions: Sequence[Question], rng: Random) -> list[list[str]]:
    """The options of each question as they are shown: in each category, the gold is in every place alike."""
    like = defaultdict(list)
    for number, question in enumerate(questions):
        like[question.category, len(question.wrong) + 1].append(number)
    shown: list[list[str]] = [[]] * len(questions)
    for (_, k), numbers in sorted(like.items()):
        for number, place in zip(numbers, balanced([str(p) for p in range(k)], len(numbers), rng), strict=True):
            options = rng.sample(list(questions[number].wrong), k - 1)
            options.insert(int(place), questions[number].gold)
            shown[number] = options
    return shown
