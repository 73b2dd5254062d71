"""Chat templates that write today's date get one fixed date: else each day would ask another prompt."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

DATE = datetime(2025, 1, 1)
"""What such a template is told, on whatever day."""
CALL = re.compile(r"""strftime_now\(\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\)""")
NO_CALL = re.compile(r"\{#.*?#\}|\bstrftime_now\s+is\s+(?:not\s+)?defined\b", re.DOTALL)
"""Comments, and the question whether there is such a function."""


def with_fixed_date(reader: Any) -> str | None:
    """Change the chat templates of a tokenizer or processor; the date, as ISO writes it, if one of them asks for it.

    Raises:
        ValueError: a template asks for the date in a form that cannot be read here.
    """
    changed = False
    for holder in dict.fromkeys((reader, getattr(reader, "tokenizer", reader))):
        held = holder.chat_template
        fixed = {name: _fixed(text) for name, text in held.items()} if isinstance(held, dict) else _fixed(held)
        if fixed != held:
            holder.chat_template, changed = fixed, True
    return DATE.date().isoformat() if changed else None


def _fixed(template: Any) -> Any:
    if not isinstance(template, str):
        return template
    fixed = CALL.sub(lambda call: repr(DATE.strftime(call[1] or call[2] or "")), template)
    if "strftime_now" in NO_CALL.sub("", fixed):  # by a format that is no plain text, or under another name
        raise ValueError("its chat template asks for today's date in a way that cannot be read here")
    return fixed
