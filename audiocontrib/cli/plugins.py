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
    from audiocontrib.registry import others_parts

    loaded, installed = loaded_plugins(), installed_plugins()
    rows = [
        {
            "plugin": name,
            "module": installed.get(name, ""),
            "loaded": name in loaded,
            "parts": ", ".join(
                f"{one.noun} {one.name}" for one in others_parts() if _within(one.module, loaded.get(name))
            ),
        }
        for name in dict.fromkeys([*installed, *loaded])
    ]
    texts = [(name, pa.string()) for name in ("plugin", "module", "parts")]
    schema = pa.schema([*texts[:2], ("loaded", pa.bool_()), texts[2]])
    emit(pa.Table.from_pylist(rows, schema=schema), form)


def _within(module: str, package: str | None) -> bool:
    return package is not None and (module == package or module.startswith(f"{package}."))
