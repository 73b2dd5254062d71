"""Rewards as TRL calls them: each for all replies of a process at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from accelerate.utils import gather_object

from audiocontrib.errors import AudiocontribError
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.reward_functions import RewardFunction, rated
from audiocontrib.training.reward_input import reward_input
from audiocontrib.training.rows.base import TrainingRow

Call = Callable[..., list[float]]


class RewardFault(AudiocontribError):
    """A reward function of the user's own failed, in whichever process; raised in all of them."""


def reply_texts(encoder: RowEncoder, ends: Sequence[int], completion_ids: Sequence[Sequence[int]]) -> list[str]:
    """What was written. Special tokens are decoded too: a reply that holds some is not in the form that is wanted."""
    kept = [ids[:-1] if ids and ids[-1] in ends else ids for ids in completion_ids]
    return [encoder.tokenizer.decode(ids, skip_special_tokens=False) for ids in kept]


@dataclass(slots=True)
class OwnRewards:
    """The user's own rewards as functions for TRL. A fault is kept until all processes can be told of it."""

    functions: dict[str, RewardFunction]
    rows: Sequence[TrainingRow]
    texts: Callable[[Any], list[str]]
    ends: Sequence[int]
    faults: list[str] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """A function for each reward, by its name."""
        return [self._call(name, function) for name, function in self.functions.items()]

    def _call(self, name: str, function: RewardFunction) -> Call:
        def own(completion_ids: Any, row: list[int], silent: list[bool], **_: Any) -> list[float]:
            found = []
            for text, ids, place, deaf in zip(self.texts(completion_ids), completion_ids, row, silent, strict=True):
                shown: TrainingRow = self.rows[place]
                ended = bool(ids) and ids[-1] in self.ends
                options = shown.prompt.options
                asked = reward_input(shown.item, options, shown.gold, text, silent=deaf, ended=ended)
                try:
                    found.append(rated(name, function, asked))
                except AudiocontribError as error:
                    self.faults.append(str(error))
                    break
            return found + [0.0] * (len(row) - len(found))

        own.__name__ = name
        return own

    def check(self) -> None:
        """RewardFault in every process, if a function failed in one of them; called by all."""
        if not self.functions:
            return
        faults, self.faults = gather_object(self.faults), []
        if faults:
            raise RewardFault(faults[0])
