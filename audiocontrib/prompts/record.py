"""The prompt in run.json: its name, its hash, and its whole text where it is not one of the package's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.prompts.base import PROMPTS, PromptFormat, find_prompt, make_prompt
from audiocontrib.prompts.template import PromptTemplate

TEXTS = ("user", "system", "options", "without_question")


def prompt_record(prompt: PromptFormat) -> dict[str, Any]:
    """What is kept of a prompt, as JSON values: :func:`prompt_of` makes it again, without its file."""
    record = {"name": prompt.name, "sha256": _sha256(prompt)}
    own = PROMPTS.origins.get(prompt.name, ("", ""))[0].startswith("audiocontrib.")
    if own or not isinstance(prompt, PromptTemplate):
        return record
    return record | {name: value for name in TEXTS if (value := getattr(prompt, name)) is not None}


def prompt_of(record: Any, where: str) -> PromptFormat | None:
    """The prompt that a record is about; None where there is none (answers that were imported).

    Args:
        record: of :func:`prompt_record`, or ``{"name", "sha256"}`` of an older version.
        where: what holds it, for messages.

    Raises:
        UsageError: it is of a plugin that is not loaded.
        AudiocontribError: its text is not the one that was asked with.
    """
    if record is None:
        return None
    if not (isinstance(record, Mapping) and isinstance(record.get("name"), str)):
        raise AudiocontribError(f"{where}: what it says of its prompt cannot be read")
    name = record["name"]
    if "user" in record:
        known = {field.name for field in fields(PromptTemplate)}
        try:
            made: PromptFormat = PromptTemplate(**{key: value for key, value in record.items() if key in known})
        except UsageError as error:
            raise AudiocontribError(f"{where}: its prompt {name}: {error}") from error
    elif name in PROMPTS:
        made = find_prompt(name)
    else:
        raise UsageError(f"{where} was asked with the prompt {name!r}, which is not known here; load its plugin first")
    if record.get("sha256") != _sha256(made):
        raise AudiocontribError(f"{where}: the text of its prompt {name} is not the one that was asked with")
    return made


def _sha256(prompt: PromptFormat) -> str:
    return make_prompt("{question}", ("{o1}", "{o2}"), has_audio=True, prompt=prompt).sha256
