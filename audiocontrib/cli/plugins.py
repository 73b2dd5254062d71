"""`audiocontrib plugins`: the plugins that are installed or loaded."""

from __future__ import annotations

import click

from audiocontrib.cli.output import emit, format_option


@click.command()
@format_option
def command(form: str) -> None:
    """List the plugins of installed packages, and those loaded by --plugin. Nothing is loaded by listing it.

    A plugin adds conditions, split rules, export formats, data sets or prompts of your own. It is code: it is
    loaded only where you name it. docs/plugins.md shows one of each.

    \b
    Examples:
      audiocontrib plugins
      audiocontrib score --dataset demo --model mock --condition audio --condition beep --plugin my_condition.py
      audiocontrib plugins --plugin my_rule.py
    """
    import pyarrow as pa

    from audiocontrib.arrow import schema_of
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
    schema = schema_of(plugin=pa.string(), module=pa.string(), loaded=pa.bool_(), parts=pa.string())
    emit(pa.Table.from_pylist(rows, schema=schema), form)


def _within(module: str, package: str | None) -> bool:
    return package is not None and (module == package or module.startswith(f"{package}."))
