"""Evidence: what the listening parts found in a sound, as values and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

NOTHING = "Nothing is heard."


@dataclass(frozen=True, slots=True)
class SoundFindings:
    """What was found in one sound."""

    sounds: tuple[str, ...] = ()
    """Names of sounds, the likeliest first."""
    course: tuple[str, ...] = ()
    """The likeliest sound in each stretch of time, ``""`` where there is none."""
    words: str = ""
    """What is said."""
    language: str = ""
    """In which language, in English; empty where nothing is said or only one language is known."""

    @property
    def text(self) -> str:
        """The findings as the reader gets them: one line each, and a line that says so where there are none."""
        lines = []
        if self.sounds:
            lines.append(f"Sounds: {', '.join(self.sounds).lower()}.")
        if len(order := _runs(self.course)) > 1:
            lines.append(f"In order: {', then '.join(order).lower()}.")
        if self.language:
            lines.append(f"Language: {self.language}.")
        if self.words:
            lines.append(f'Speech: "{self.words}"')
        return "\n".join(lines) or NOTHING


def _runs(course: Sequence[str]) -> list[str]:
    return [name for name, _ in groupby(name for name in course if name)]
