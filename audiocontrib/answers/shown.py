"""Shown: replies of another tool's models, which may have seen the options with their printed labels."""

from __future__ import annotations

from collections.abc import Sequence

from audiocontrib import answers
from audiocontrib.items.printed import printed_labels


def read_either_way(
    reply: str, shown: Sequence[str], published: Sequence[str] | None = None, *, finish: str | None = None
) -> answers.Answer:
    """What ``reply`` says of the options ``shown``, with letters as places or as printed in the ``published`` row.

    Args:
        published: the row's own options, with their labels, in any order; None: they carried none.

    Raises:
        ValueError: a letter or number is printed on one option and is the place of another.
    """
    answer = answers.parse(reply, shown, finish=finish)
    labelled = _labelled_otherwise(shown, published)
    if not labelled:
        return answer
    other = answers.parse(reply, labelled, finish=finish)
    if None not in (answer.choice, other.choice) and answer.choice != other.choice:
        raise ValueError("its letter is printed on one option and is the place of another")
    return other if answer.choice is None else answer


def _labelled_otherwise(shown: Sequence[str], published: Sequence[str] | None) -> tuple[str, ...]:
    """The options with their printed labels; none if these only name their places."""
    printed = printed_labels(published) if published else None
    if printed is None or not set(shown) <= set(printed.texts):
        return ()
    labels = [printed.labels[printed.texts.index(choice)] for choice in shown]
    if labels == sorted(labels) and labels[0] == "A":
        return ()
    return tuple(f"({label}) {text}" for label, text in zip(labels, shown, strict=True))
