"""Tables for people: in a terminal, in Markdown and in LaTeX."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.latex import latex_lines
from audiocontrib.cli.table_text import TextTable, lines
from audiocontrib.cli.views import View, shown_columns
from audiocontrib.errors import visible
from audiocontrib.markdown import plain_markdown
from audiocontrib.number_text import NONE

if TYPE_CHECKING:
    import pyarrow as pa


def put(text: str, *, nl: bool = True) -> None:
    """Text of data goes to stdout: to a file as it is, to a terminal without a control character of somebody else."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=nl)


def as_text(table: pa.Table, view: View | None, groups: Sequence[str]) -> TextTable:
    """The cells as they are printed for people."""
    rows = table.to_pylist()
    if view is None:
        return TextTable(
            headings=tuple(visible(field.name.replace("_", " ")) for field in table.schema),
            rows=tuple(tuple(map(_cell, row.values())) for row in rows),
            numbers=tuple(_is_number(field.type) for field in table.schema),
            names=frozenset(n for n, field in enumerate(table.schema) if field.name in ("model", "baseline")),
        )
    columns = shown_columns(view, rows, table.column_names, groups)
    return TextTable(
        headings=tuple(visible(one.heading) for one in columns),
        rows=tuple(tuple(visible(one.cell(row)) for one in columns) for row in rows),
        numbers=tuple(one.kind == "number" for one in columns),
        names=frozenset(n for n, one in enumerate(columns) if one.kind == "name"),
        below=frozenset(n for n, one in enumerate(columns) if one.kind == "below"),
    )


def print_for_people(table: TextTable, form: str, caption: str) -> None:
    """As ``table``, ``markdown`` or ``latex``; the caption is for the two that go into papers."""
    if form == "markdown":
        put("\n".join(_markdown(table)) + (f"\n\n{plain_markdown(caption)}" if caption else ""))
    elif form == "latex":
        put("\n".join(latex_lines(table, caption)))
    else:
        for line in lines(table, _width()):
            put(line)


def _width() -> int | None:
    """Of the terminal; a pipe has none: rows stay whole there."""
    from rich.console import Console

    return Console().width if sys.stdout.isatty() else None


def _markdown(table: TextTable) -> Iterator[str]:
    """Lines of a Markdown table; a bar or a line break in a text cannot end its cell."""
    yield "| " + " | ".join(map(plain_markdown, table.headings)) + " |"
    yield "|" + "|".join("---:" if number else "---" for number in table.numbers) + "|"
    for row in table.rows:
        yield "| " + " | ".join(map(plain_markdown, row)) + " |"


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _cell(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"[{', '.join(visible(_json(v)) if isinstance(v, str) else _cell(v) for v in value)}]"
    return visible(_json(value) if isinstance(value, dict) else str(value))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
