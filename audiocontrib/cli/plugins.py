"""`audiocontrib plugins`: the plugins that are installed or loaded."""

from __future__ import annotations

import click

from audiocontrib.cli.output import emit, format_option


@click.command()
@format_option
def command(form: str) -> None:
    """List the plugins of installed packages, and those loaded by --plugin. Nothing is loaded by listing it.

    A plugin adds conditions, split rules, export formats, data sets or prompts of your own. It is code: it is
    loaded only where you name it, before any command.

    \b
    Examples:
      audiocontrib plugins
      audiocontrib --plugin mine.py score --dataset demo --model mock --condition beep
      AUDIOCONTRIB_PLUGINS=mine.py audiocontrib split --rule mine
    """
    import pyarrow as pa

    from audiocontrib.plugins import installed_plugins, loaded_plugins

    loaded, installed = loaded_plugins(), installed_plugins()
    rows = [
        {"plugin": name, "module": installed.get(name, ""), "loaded": name in loaded}
        for name in dict.fromkeys([*installed, *loaded])
    ]
    schema = pa.schema([("plugin", pa.string()), ("module", pa.string()), ("loaded", pa.bool_())])
    emit(pa.Table.from_pylist(rows, schema=schema), form)
