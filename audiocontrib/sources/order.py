"""Order of the options, for data sets that publish the gold option first."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.hashing import seeded
from audiocontrib.sources.base import Fields


def shuffled(fields: Fields, dataset: str) -> Fields:
    """Choices in an order that is fixed by the data set and the row, so that the gold's place tells nothing.

    The order is the same in every run and on every machine. The published one is kept in
    ``extra["published_choices"]``.
    """
    if not all(isinstance(choice, str) for choice in fields.choices):
        return fields  # quarantined where the item is made
    key = fields.own_id or (fields.clip_id, fields.question, *fields.choices)
    order = seeded("order of choices", dataset, key).permutation(len(fields.choices))
    extra = {**fields.extra, "published_choices": list(fields.choices)}
    return replace(fields, choices=[fields.choices[place] for place in order], extra=extra)
