"""Own rewards tried before the first step, on replies to the items that will be asked."""

from __future__ import annotations

import time
from collections.abc import Mapping

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.reward_functions import RewardFunction, find_rewards, rated
from audiocontrib.training.reward_input import reward_input
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.stage_settings import Stage

SECONDS = 20.0
"""Items are tried for so long; a function may ask another model."""
TWICE = 8
"""Items with which the same number is asked for twice."""


def try_rewards(functions: Mapping[str, RewardFunction], rows: TrainingRows, *, silent: bool) -> str | None:
    """Call each function with the wanted reply to every item, and with an empty one that was cut off.

    Args:
        silent: replies to silence will be rewarded too.

    Returns:
        A sentence where time allowed some of the items only; None: all were tried.

    Raises:
        UsageError: one fails, gives no finite number, or another number each time; with its name and the item.
    """
    until = time.monotonic() + SECONDS
    for place in range(len(rows.items)):
        if place >= TWICE and time.monotonic() > until:
            return f"own rewards were tried on {place:,} of {len(rows.items):,} items before the first step"
        row: TrainingRow = rows[place * rows.copies]
        for name, function in functions.items():
            try:
                _try(name, function, row, silent, again=place < TWICE)
            except AudiocontribError as error:
                raise UsageError(str(error)) from error
    return None


def try_own(settings: Stage, rows: TrainingRows) -> str | None:
    """:func:`try_rewards` with those of a stage, if it has any."""
    if not isinstance(settings, GRPO) or not settings.own_rewards:
        return None
    return try_rewards(find_rewards(settings.own_rewards), rows, silent=settings.silent_replies > 0)


def _try(name: str, function: RewardFunction, row: TrainingRow, silent: bool, *, again: bool) -> None:
    option = row.prompt.options[row.gold]
    for reply, ended in ((row.prompt.completion(option), True), ("", False)):
        for deaf in (False, True) if silent else (False,):

            def once(reply: str = reply, deaf: bool = deaf, ended: bool = ended) -> float:
                asked = reward_input(row.item, row.prompt.options, row.gold, reply, silent=deaf, ended=ended)
                return rated(name, function, asked)

            first = once()
            if again and once() != first:
                raise UsageError(
                    f"the reward {name} gives another number each time for the same reply to {row.item.id}; draw by "
                    "audiocontrib.hashing.seeded(asked.item_id, asked.reply), and keep nothing between calls"
                )
