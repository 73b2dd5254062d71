"""Fields in a line of text: ``FIELD=VALUE``, one by one or with commas between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from audiocontrib.config.words import given_words
from audiocontrib.config.yamlfile import parse_yaml
from audiocontrib.errors import UsageError


def assignments(texts: Iterable[str], where: str, example: str) -> dict[str, Any]:
    """The fields and values of texts ``FIELD=VALUE``; the last one counts.

    A value is a text; a list, a mapping or a text in quotes as in YAML; or null. The field says what a text means.

    Raises:
        UsageError: one is no such text, or its list is none.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals):
            raise UsageError(f"{where}: {text!r} is not FIELD=VALUE, as in {example}")
        try:
            values[name] = parse_yaml(value) if value[:1] in tuple("[{\"'") or value in ("", "~", "null") else value
        except (yaml.YAMLError, RecursionError):
            given = given_words(value)
            raise UsageError(f"{where}: {name} is {given}, but must be a text, or a list as in YAML") from None
    return values


def options(text: str, where: str) -> dict[str, str]:
    """The fields and values of a text ``name=value,name=value``. UsageError if it is none, or names a field twice."""
    values: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not (name and equals):
            raise UsageError(f"{where}: {name!r} has no value; write it as field=value,field=value")
        if name in values:
            raise UsageError(f"{where}: the field {name!r} stands there twice")
        values[name] = value
    return values
