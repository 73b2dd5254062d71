"""Which plugins a command line names: by --plugin, or by a part that an installed plugin is called after."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from importlib import import_module

import click

PARTS = {
    "--condition": ("audiocontrib.conditions", "CONDITIONS"),
    "--rule": ("audiocontrib.splits", "RULES"),
    "--format": ("audiocontrib.export", "FORMATS"),
    "--for": ("audiocontrib.export", "FORMATS"),
    "--dataset": ("audiocontrib.sources", "SOURCES"),
    "--prompt": ("audiocontrib.prompts", "PROMPTS"),
    "--model": ("audiocontrib.models", "MODELS"),
    "--reward": ("audiocontrib.training.reward_functions", "REWARDS"),
}
"""Options whose value may be the name of a part, and where the parts are that are there already."""
NAME = re.compile(r"([A-Za-z][\w-]*)(:.*)?", re.DOTALL)


def without_plugins(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values of ``--plugin``, which may stand anywhere, and the words without them."""
    named, rest = [], []
    given = iter(words)
    for word in given:
        if word == "--plugin":
            value = next(given, None)
            if value is None:
                raise click.UsageError("Option '--plugin' requires an argument: a Python file or the name of a plugin.")
            named.append(value)
        elif word.startswith("--plugin="):
            named.append(word.removeprefix("--plugin="))
        else:
            rest.append(word)
    return named, rest


def plugins_by_part(words: Sequence[str]) -> list[str]:
    """Installed plugins that are called after a part which the line names, and which is not there without them."""
    from audiocontrib.plugins import installed_plugins

    asked = [name for option, name in _parts(words) if name not in _there(option)]
    installed = installed_plugins() if asked else {}
    return [name for name in asked if name in installed]


def _there(option: str) -> Container[str]:
    module, registry = PARTS[option]
    held: Container[str] = getattr(import_module(module), registry)
    return held


def _parts(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options of PARTS and the name that each is given, without a parameter."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option == "--format" and "export" not in words:  # elsewhere it is how a table is printed
            continue
        named = value if equals else after
        if option == "--reward":  # its weight follows
            named = named.partition("=")[0]
        if option in PARTS and (found := NAME.fullmatch(named)):
            yield option, found[1]
