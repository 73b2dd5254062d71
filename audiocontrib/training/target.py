"""The wanted reply as a template: what stands before the answer, and which form of a reply is rewarded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.prompts import CLOSE, OPEN, PromptFormat

GOLD = f"{OPEN}{{gold}}{CLOSE}"
"""The published target; every other one holds it."""
PLACE = re.compile(r"\{([^{}]+)\}")
"""Any name: columns of a data set may have blanks and hyphens, as ``{audio-contribution}``."""
TAG = re.compile(r"<\s*answer", re.IGNORECASE)
MARK = re.compile(r"<([a-z_][\w-]*)>", re.IGNORECASE)
WRITTEN = r"(?:(?!<[/|a-z]).)+"
"""What stands in a place: other markup has none there, a second tag or a special token neither; ``a < b`` has."""


def check_target(template: str) -> str:
    """The template, less blanks at its end, which YAML's ``|`` leaves. UsageError in one line if it is none."""
    template = template.rstrip()
    if template.count(GOLD) != 1 or template.count("{gold}") != 1 or len(TAG.findall(template)) != 1:
        raise UsageError(f"it must hold {GOLD} once, and no other answer tag")
    if doubled := re.search(r"\{\{|\}\}", template):
        raise UsageError(f"it holds {doubled[0]}; a place has one brace on each side, as {{gold}}")
    if template.split(GOLD)[1].strip():
        raise UsageError(f"something follows {GOLD}; what is to be learned besides stands before the answer")
    if re.search(r"\}\{", template):
        raise UsageError("two places stand side by side; write something between them")
    if stray := re.search(r"[{}]", PLACE.sub("", template)):
        raise UsageError(f"a {stray[0]!r} stands alone; braces hold the name of a field, as {{thought}}, alone")
    return template


def fields_of(template: str) -> tuple[str, ...]:
    """The fields of ``extra`` that a template names, each once."""
    return tuple(name for name in dict.fromkeys(PLACE.findall(template)) if name != "gold")


def target_text(template: str, gold: str, extra: Mapping[str, Any]) -> str:
    """The wanted reply. What an item holds is never read as a place.

    Raises:
        AudiocontribError: the item lacks a field, or what it holds there is no text that can be parted from the answer.
    """
    held = {"gold": gold} | {name: _field(name, extra) for name in fields_of(template)}
    text = PLACE.sub(lambda place: held[place[1]], template)
    if template != GOLD and not form_of(template).fullmatch(text):
        raise AudiocontribError("its target holds a tag of its own, so that it would not be in the form that is wanted")
    return text


def _field(name: str, extra: Mapping[str, Any]) -> str:
    value = extra.get(name)
    if value is None:
        raise AudiocontribError(f"its extra has no field {name!r}, which the target names")
    if not _is_text(value):
        raise AudiocontribError(f"its field {name!r} in extra is no text: {' '.join(ascii(value).split())[:60]}")
    if not any(letter.isprintable() and not letter.isspace() for letter in str(value)):
        raise AudiocontribError(f"its field {name!r} in extra, which the target names, is blank")
    return str(value)


def _is_text(value: Any) -> bool:
    """Whether a text or a number; NaN, which tables have for what is missing, is none, nor is half a character."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@cache
def form_of(template: str) -> re.Pattern[str]:
    """The whole of a reply in the form of a template, which has text in every place."""
    parts = PLACE.split(template)  # texts and names in turn
    told = [f"(?=\\s*[^\\s<]){WRITTEN}" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(told), re.DOTALL | re.IGNORECASE)


def unfitting(template: str, prompt: PromptFormat) -> str | None:
    """What a prompt asks for and a target has not, in words; None: nothing. Known are tags: ``<think>``."""
    asked = {name.lower() for name in MARK.findall(f"{prompt.system} {prompt.user_text('', ('a', 'b'))}")}
    asked.discard(MARK.findall(OPEN)[0])
    lacking = sorted(asked - {name.lower() for name in MARK.findall(template)})
    if not lacking:
        return None
    return f"the prompt {prompt.name} asks for <{lacking[0]}>, and the wanted reply ({template!r}) has none"
