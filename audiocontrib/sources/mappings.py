"""A column mapping as a YAML file: the fields of an item, each with its column, and what the answer is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError, one_line
from audiocontrib.items.gold import WAYS
from audiocontrib.sources.columns import DELIMITER, SPELLINGS
from audiocontrib.sources.segments import SEGMENT


def read_mapping(path: Path) -> tuple[dict[str, str], str | None]:
    """The mapping of a file for :func:`audiocontrib.sources.mapped`, and its ``answer_as`` if it has one.

    Raises:
        UsageError: with the path; it cannot be read, is no YAML mapping, or names what is no field.

    Example of a file:
        question: prompt
        choices: [option_a, option_b, option_c]
        answer: gold
        answer_as: letter
    """
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: no mapping can be read from it: {one_line(error)}") from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path}: it is not a mapping of fields to columns, one `field: column` a line")
    answer_as = loaded.pop("answer_as", None)
    if answer_as not in (None, *WAYS):
        raise UsageError(f"{path}: answer_as: {answer_as!r}: it is {', '.join(WAYS)}")
    for name in loaded:
        if name not in (*SPELLINGS, *SEGMENT, DELIMITER):
            known = ", ".join((*SPELLINGS, *SEGMENT, DELIMITER, "answer_as"))
            raise UsageError(f"{path}: no field is called {name!r}; there are: {known}")
    return {field: _column(path, field, column) for field, column in loaded.items()}, answer_as


def mapping_yaml(mapping: Mapping[str, str], answer_as: str) -> str:
    """The text of such a file."""
    import yaml

    fields: dict[str, Any] = {**mapping, "answer_as": answer_as}
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=10_000)


def joined_mapping(mapping: Any) -> dict[str, str]:
    """A mapping of fields to columns; several columns for the choices may be a list."""
    if mapping is None:
        return {}
    if not isinstance(mapping, Mapping):
        raise UsageError(f"mapping is {mapping!r}, but is from a field to the name of its column")
    joined = {}
    for field, column in mapping.items():
        if field == "choices" and isinstance(column, list | tuple) and all(isinstance(name, str) for name in column):
            column = ",".join(column)
        if not isinstance(column, str):
            raise UsageError(f"mapping: {field}: {column!r} is not the name of a column")
        joined[field] = column
    return joined


def check_answer_as(answer_as: Any) -> None:
    """UsageError if it is no way in which a gold can be given."""
    if answer_as not in WAYS:
        raise UsageError(f"answer_as {answer_as!r}: it is {', '.join(WAYS)}")


def _column(path: Path, field: str, column: Any) -> str:
    if field == "choices" and isinstance(column, list) and all(isinstance(name, str) for name in column):
        return ",".join(column)
    if not isinstance(column, str):
        raise UsageError(f"{path}: {field}: {column!r} is not the name of a column; put it in quotes")
    return column
