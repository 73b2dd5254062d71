"""How replies are drawn: options of `audiocontrib score`, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


class NumbersType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # newer click: generic
    """Whole numbers, by commas."""

    name = "N,N,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers; a failure of usage if one of them is none."""
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isascii() and word.isdecimal() for word in words):
            self.fail(f"{value!r} is not a list of whole numbers by commas, such as 0,256,1024", param, ctx)
        return tuple(map(int, words))


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
    click.option(
        "--max-new-tokens", type=click.IntRange(min=1),
        help="Tokens of a reply.  [default: 128, more for checkpoints that think]",
    ),
    click.option(
        "--thinking", type=click.Choice(["auto", "on", "off"]), default="auto", show_default=True,
        help="Switch thinking by the chat template's own switch; auto: as the template is.",
    ),
    click.option(
        "--think-tokens", type=NumbersType(),
        help="Tokens that a thought may have before it is closed; several by commas, each asked: 0,256,1024.",
    ),
    click.option("--draw-seed", type=click.IntRange(min=0), help="Seed of drawn replies.  [default: --seed]"),
)  # fmt: skip


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it gets them as ``sampling``, a :class:`audiocontrib.Sampling`."""

    @functools.wraps(command)
    def with_sampling(
        repeats: int, temperature: float, top_p: float, max_new_tokens: int | None,
        think_tokens: tuple[int, ...] | None, draw_seed: int | None, seed: int, **options: Any,
    ) -> Any:  # fmt: skip
        from audiocontrib.scoring.sampling import Sampling

        own = seed if draw_seed is None else draw_seed
        sampling = Sampling(
            repeats=repeats, temperature=temperature, top_p=top_p, seed=own, max_new_tokens=max_new_tokens,
            think_tokens=think_tokens or (),
        )  # fmt: skip
        return command(sampling=sampling, seed=seed, **options)

    for option in reversed(_OPTIONS):
        with_sampling = option(with_sampling)
    return with_sampling
