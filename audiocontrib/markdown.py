"""Markdown: templates in which texts of data sets stay texts, and code stays code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audiocontrib.errors import visible


class Verbatim(str):
    """A text that is code or YAML of our own making: it is not escaped."""

    __slots__ = ()


def fenced(lines: Sequence[str], language: str = "") -> Verbatim:
    """A block of code, which no text in it can end."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Verbatim(f"{fence}{language}\n{text}\n{fence}")


def render_markdown(template: Path, **values: Any) -> str:
    """A Jinja2 template, filled. Texts that are not Verbatim are escaped: what Markdown or HTML takes for markup."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(template.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, finalize=_plain,
    )  # fmt: skip
    return env.get_template(template.name).render(**values)


def _plain(value: Any) -> Any:
    """Escapes what Markdown or HTML would take for markup, and keeps a text on its line."""
    return plain_markdown(value) if isinstance(value, str) and not isinstance(value, Verbatim) else value


def plain_markdown(value: str) -> str:
    """A text on one line that Markdown and HTML take for a text."""
    text = visible(" ".join(value.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # "://" too: a bare address becomes a link
    return re.sub(r"([\\`*_{}\[\]|!~$#]|:(?=//))", r"\\\1", text)
