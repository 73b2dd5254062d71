"""Choices of white space only, which pad a list to its length and cannot be chosen."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources.base import Fields


def without_blanks(fields: Fields) -> Fields:
    """The same without them, with a note. Only where the gold is a text: places would move."""
    if not isinstance(fields.choices, list):
        return fields
    kept = [choice for choice in fields.choices if not isinstance(choice, str) or choice.strip()]
    blank = len(fields.choices) - len(kept)
    return replace(fields, choices=kept, notes=[f"blank choices left out: {blank}"]) if blank else fields
