"""`audiocontrib models`: what can be asked by name."""

from __future__ import annotations

import click

from audiocontrib.cli.output import emit, format_option


@click.command()
@format_option
def command(form: str) -> None:
    """List the models that are known by name, and the families that load from a checkpoint.

    \b
    Any checkpoint of these families loads from its folder or hub id; code of your own, as FILE:NAME:
      audiocontrib score --dataset demo --model ./my-qwen2.5-omni
      audiocontrib score --dataset demo --model my.py:answer --method generate --run runs/own
    """
    from audiocontrib.api.listings import list_models

    emit(list_models(), form)
