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
      audiocontrib score --dataset demo --limit 20 --model my.py:answer --method generate
    """
    import pyarrow as pa

    from audiocontrib.models import MODELS
    from audiocontrib.models.families import FAMILIES

    rows = [{"name": name, "kind": "model", "about": known.about} for name, known in MODELS.items()]
    rows += [
        {
            "name": kind,
            "kind": "family",
            "about": f"{family.model_class}, hears up to {family.max_seconds:g} s",
        }
        for kind, family in FAMILIES.items()
    ]
    rows.append(
        {
            "name": "any causal LM",
            "kind": "family",
            "about": "text only, for conditions without audio; GGUF too",
        }
    )
    rows.append(
        {
            "name": "my.py:NAME",
            "kind": "your own",
            "about": "a subclass of Model, or a function prompt, audio -> reply, in a file (docs/how-to/own-model.md)",
        }
    )
    emit(pa.Table.from_pylist(rows), form)
