"""With which prompt rows are written: the run's own, if no other is named."""

from __future__ import annotations

from pathlib import Path

from audiocontrib.prompts import (
    DEFAULT_PROMPT,
    PromptFormat,
    check_prompt,
    find_prompt,
    prompt_named,
    prompt_of,
    prompt_record,
)
from audiocontrib.store import Run


def row_prompt(run: Run, named: str | Path | PromptFormat | None) -> tuple[PromptFormat, str | None]:
    """The prompt of a run's rows, and a sentence where it is not the one that the models were asked with.

    Args:
        named: another one; None: the run's own, or the published one where the run knows none.

    Raises:
        UsageError: there is no such prompt, or the run's own is of a plugin that is not loaded.
    """
    if named is None:
        own = prompt_of(run.manifest["identity"].get("prompt"), str(run.path))
        if own is not None:
            return own, None
        published = find_prompt(DEFAULT_PROMPT)
        return published, f"the run does not say which prompt was asked with; rows are written with {published.name}"
    other = prompt_named(named)
    check_prompt(other, hides_question=False)
    asked = run.manifest["identity"].get("prompt")
    if asked is None or {**asked, **prompt_record(other)} == asked:
        return other, None
    return other, f"the run was asked with the prompt {run.prompt}; rows are written with {other.name}, as you say"
