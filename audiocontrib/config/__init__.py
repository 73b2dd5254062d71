"""Configuration: frozen dataclasses that pydantic holds against their types, with one style of message.

A class of fields becomes a configuration by the decorator :func:`config`. What is wrong in one is a UsageError in one
line: the file (or ``mock``, ``--set``, …), the field, what was given and what is allowed. Values may be texts, as files
and command lines have them: the field says what a text means.
"""

from __future__ import annotations

from audiocontrib.config.fields import Name, Share, accepted_by, one_or_several
from audiocontrib.config.model import build, changed, config, stated
from audiocontrib.config.texts import assignments, options
from audiocontrib.config.yamlfile import read_config, read_fields

__all__ = [
    "Name",
    "Share",
    "accepted_by",
    "assignments",
    "build",
    "changed",
    "config",
    "one_or_several",
    "options",
    "read_config",
    "read_fields",
    "stated",
]
