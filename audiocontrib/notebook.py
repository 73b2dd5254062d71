"""What a notebook shows of our values: small HTML in which every text of a data set, model or file stays a text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

LONGEST = 300
"""Characters of a text in a cell."""


class Markup(str):
    """HTML of our own making: it is not escaped."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """A value as text, cut to LONGEST characters; Markup as it is, a number to four digits, None as a dash."""
    if isinstance(value, Markup):
        return value
    if value is None or value != value:
        return Markup("–")
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    # a lone half of a surrogate pair cannot be sent to the browser
    short = text.encode(errors="replace").decode()
    return Markup(html.escape(short if len(short) <= LONGEST else short[: LONGEST - 1] + "…"))


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table, a row a sequence of cells."""
    top = "".join(f"<th>{escaped(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return Markup(f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>")


def html_lines(lines: Iterable[object]) -> Markup:
    """Lines of text."""
    return Markup("".join(f"<div>{escaped(line)}</div>" for line in lines))


def html_block(title: object, *parts: Markup) -> str:
    """One value's view. The classes keep a notebook from reading ``$…$`` in a text as a formula."""
    return f'<div class="tex2jax_ignore mathjax_ignore"><b>{escaped(title)}</b>{"".join(parts)}</div>'
