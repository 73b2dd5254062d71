"""What opens and closes a thought, of the families that are known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """What opens and closes a thought."""

    opens: str
    closes: str
    known_by: str = ""
    """What of it stands in a template in one piece; empty: ``closes``."""
    ends: str = ""
    """What a model writes first to end its thought; empty: ``closes``."""
    always: bool = False
    """Whether models with these marks think unless they are told not to."""


MARKS = (
    Marks("<think>", "</think>"),
    Marks("<seed:think>", "</seed:think>"),
    Marks("[THINK]", "[/THINK]"),
    Marks("◁think▷", "◁/think▷"),
    Marks(
        "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>",
        known_by="<|channel|>analysis", ends="<|end|>", always=True,
    ),
    Marks("<|channel>thought\n", "<channel|>"),
    Marks("<unused94>thought\n", "<unused95>"),
    Marks("<|START_THINKING|>", "<|END_THINKING|>"),
    Marks("<|begin_of_thought|>", "<|end_of_thought|>"),
    Marks("<thinking>", "</thinking>"),
    Marks("<thought>", "</thought>"),
    Marks("<reasoning>", "</reasoning>"),
)  # fmt: skip
"""Of the families that are known."""
