"""What marks change: options of commands that split, export and evaluate."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


def marked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --without-marked and --corrected-keys; it gets ``marking``, without those not given."""

    @functools.wraps(command)
    def with_marking(without_marked: tuple[str, ...], corrected_keys: bool, **options: Any) -> Any:
        kinds = [kind.strip() for several in without_marked for kind in several.split(",")]
        given = {"without_marked": kinds, "corrected_keys": corrected_keys}
        return command(marking={name: value for name, value in given.items() if value}, **options)

    for option in (
        click.option("--corrected-keys", is_flag=True, help="Corrected keys of marks take the place of the gold."),
        click.option(
            "--without-marked", multiple=True, metavar="KIND,…",
            help="Leave out items that are marked so: wrong key, ambiguous, clip bad, fine, leak; repeatable.",
        ),
    ):  # fmt: skip
        with_marking = option(with_marking)
    return with_marking
