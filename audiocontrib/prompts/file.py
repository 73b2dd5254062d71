"""Prompts in files: YAML with a PromptTemplate's fields, or the user's text alone."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError, one_line
from audiocontrib.prompts.base import CLOSE, OPEN, PROMPTS, FunctionPrompt, PromptFormat, find_prompt
from audiocontrib.prompts.template import PromptTemplate

YAML, TEXT = (".yaml", ".yml"), (".txt",)


def is_prompt_file(prompt: str) -> bool:
    """Whether what names a prompt means a file."""
    return Path(prompt).suffix.lower() in (*YAML, *TEXT) or "/" in prompt or "\\" in prompt


def prompt_named(prompt: str | Path | PromptFormat) -> PromptFormat:
    """The prompt of that name or in that file; a prompt itself is given back. UsageError if there is none."""
    if isinstance(prompt, Path) or (isinstance(prompt, str) and prompt not in PROMPTS and is_prompt_file(prompt)):
        return read_prompt(prompt)
    if isinstance(prompt, str | PromptTemplate | FunctionPrompt):
        return find_prompt(prompt)
    raise UsageError(f"{prompt!r:.60} is no prompt; it is a name, a file, or a PromptTemplate")


def tag_note(prompt: str | Path | PromptFormat) -> str | None:
    """A sentence on a prompt that does not ask for the answer tag, which answers are scored in; None: it does."""
    named = prompt_named(prompt)
    if OPEN in named.user_text("", ("a", "b")):
        return None
    return (
        f"the prompt {named.name} does not ask for {OPEN} {CLOSE}; likelihoods are of each option's text between these "
        "tags, and training teaches them"
    )


def read_prompt(path: str | Path) -> PromptTemplate:
    """The prompt in a file, called after the file where it says no name.

    Args:
        path: YAML with the fields of :class:`PromptTemplate`; or ``.txt``, which is the user's text.

    Raises:
        UsageError: it cannot be read, or is no prompt; file, field, and what is allowed.
    """
    path = Path(path)
    if path.suffix.lower() not in (*YAML, *TEXT):
        raise UsageError(f"prompt {path}: a prompt's file ends in .yaml or .txt")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt {path}: it cannot be read: {one_line(error)}") from error
    held = {"user": text} if path.suffix.lower() in TEXT else _parsed(text, path)
    # a block of YAML or a file ends with a line break, which nobody means to ask
    given = {key: value.strip("\r\n") if isinstance(value, str) else value for key, value in held.items()}
    try:
        made = PromptTemplate(**{"name": path.stem} | given)
    except UsageError as error:
        raise UsageError(f"prompt {path}: {error}") from error
    if PROMPTS.get(made.name, made) != made:
        raise UsageError(f"prompt {path}: name is {made.name!r}, which another prompt is called; choose another")
    return made


def _parsed(text: str, path: Path) -> dict[str, Any]:
    import yaml

    try:
        held = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"prompt {path}: it is no YAML: {one_line(error)}") from error
    known = [field.name for field in fields(PromptTemplate)]
    if not isinstance(held, dict):
        raise UsageError(f"prompt {path}: it holds no fields; a prompt has: {', '.join(known)}")
    if unknown := [key for key in held if key not in known]:
        raise UsageError(f"prompt {path}: there is no field {unknown[0]!r}; a prompt has: {', '.join(known)}")
    if "user" not in held:
        raise UsageError(f"prompt {path}: user is missing: the text with {{question}} and {{options}}")
    return held
