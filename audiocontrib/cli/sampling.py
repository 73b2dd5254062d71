"""How replies are drawn: options of `audiocontrib score`, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option(
        "--repeats", type=click.IntRange(min=1), default=1, show_default=True,
        help="Replies to each question; more can be asked for later. Needs --method generate and --temperature.",
    ),
    click.option(
        "--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True,
        help="At which replies are drawn; 0: greedy.",
    ),
    click.option(
        "--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True,
        help="Draw from the likeliest tokens that together have this probability.",
    ),
    click.option("--draw-seed", type=click.IntRange(min=0), help="Seed of drawn replies.  [default: --seed]"),
)  # fmt: skip


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it gets them as ``sampling``, a :class:`audiocontrib.Sampling`."""

    @functools.wraps(command)
    def with_sampling(
        repeats: int, temperature: float, top_p: float, draw_seed: int | None, seed: int, **options: Any
    ) -> Any:
        from audiocontrib.scoring.sampling import Sampling

        own = seed if draw_seed is None else draw_seed
        sampling = Sampling(repeats=repeats, temperature=temperature, top_p=top_p, seed=own)
        return command(sampling=sampling, seed=seed, **options)

    for option in reversed(_OPTIONS):
        with_sampling = option(with_sampling)
    return with_sampling
