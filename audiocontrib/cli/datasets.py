"""`audiocontrib datasets`: what can be scored by name."""

from __future__ import annotations

import click

from audiocontrib.cli.output import emit, format_option


@click.command()
@format_option
def command(form: str) -> None:
    """List the data sets that are known by name.

    \b
    Examples:
      audiocontrib datasets
      audiocontrib score --dataset mmau --data mmau-test-mini.json --audio-root audio/
    """
    import pyarrow as pa

    from audiocontrib.sources import SOURCES

    rows = [{"name": s.name, "hub": s.hub, "about": s.about} for s in SOURCES.values()]
    emit(pa.Table.from_pylist(rows), form)
