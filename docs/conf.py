"""How the pages are built: `sphinx-build -W -b html docs docs/_build`."""

import re
from importlib.metadata import version as installed
from itertools import groupby

import click
from sphinx.application import Sphinx

project = "audiocontrib"
author = "The audiocontrib developers"
copyright = f"2026, {author}"
release = version = installed("audiocontrib")

extensions = ["myst_parser", "sphinx_click", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "audiocontrib"
highlight_language = "none"  # most blocks are commands and what they print
smartquotes = False  # two hyphens begin an option

myst_heading_anchors = 3

autodoc_member_order = "bysource"

OUTSIDE = re.compile(r"\]\(((?:\.\./)+(?:data_cards|recipes|notebooks|CHANGELOG)[^)#]*)\)")


def files_outside(_: Sphinx, __: str, source: list[str]) -> None:
    """Files that lie outside of docs/ (cards, recipes, changelog) are linked as files: they are no pages here."""
    source[0] = OUTSIDE.sub(r"](path:\1)", source[0])


def keep_blocks(_: Sphinx, __: click.Context, lines: list[str]) -> None:
    """What a help text keeps as it is, below click's backslash-b, is a block of code under its heading."""
    kept: list[str] = []
    for is_block, group in groupby(lines, key=lambda line: line.lstrip().startswith("| ")):
        block = list(group)
        if is_block:
            heading, *rest = (line.partition("| ")[2] for line in block)
            block = [heading + ":", "", *(f"   {line.removeprefix('  ')}" for line in rest)]
        kept += block
    lines[:] = kept


def name_variables(_: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Which environment variable each option reads, as click derives it."""
    prefix = ctx.command_path.upper().replace(" ", "_")
    options = [p for p in ctx.command.params if isinstance(p, click.Option) and not p.is_eager]
    read = [f"``{option.opts[0]}``: ``{prefix}_{option.name.upper()}``" for option in options if option.name]
    lines += ["", f"Environment variables: {', '.join(read)}.", ""]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", files_outside)
    for part in ("description", "epilog"):
        app.connect(f"sphinx-click-process-{part}", keep_blocks)
    app.connect("sphinx-click-process-options", name_variables)
