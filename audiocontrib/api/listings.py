"""What is known by name."""

from __future__ import annotations

import pyarrow as pa

from audiocontrib.arrow import schema_of


def list_datasets() -> pa.Table:
    """The data sets that :func:`audiocontrib.load_items` knows by name: name, hub, about.

    Example:
        >>> ac.list_datasets().to_pandas()
    """
    from audiocontrib.sources import SOURCES

    schema = schema_of(**dict.fromkeys(("name", "hub", "about"), pa.string()))
    rows = [{"name": one.name, "hub": one.hub, "about": one.about} for one in SOURCES.values()]
    return pa.Table.from_pylist(rows, schema=schema)


PUBLISHED = {
    "inclusionAI/AudioMCQ-Weak-To-Strong": "Qwen2.5-Omni, SFT on weak, then GRPO on strong (arXiv 2509.21060)",
    "inclusionAI/AudioMCQ-Mixed-To-Strong": "Qwen2.5-Omni, SFT on both, then GRPO on strong (arXiv 2509.21060)",
}
"""Hub id -> what it is, of the models that were trained as this package trains."""


def list_models() -> pa.Table:
    """The models that :func:`audiocontrib.load_model` knows, families, published checkpoints: name, kind, about.

    Example:
        >>> ac.list_models().to_pandas()
    """
    from audiocontrib.models import MODELS
    from audiocontrib.models.families import FAMILIES

    rows = [(name, "model", known.about) for name, known in MODELS.items()]
    rows += [
        (kind, "family", f"{family.model_class}, hears up to {family.max_seconds:g} s")
        for kind, family in FAMILIES.items()
    ]
    rows += [(name, "published", about) for name, about in PUBLISHED.items()]
    own = "a subclass of Model, or a function prompt, audio -> reply, in a file (docs/how-to/own-model.md)"
    rows += [
        ("any causal LM", "family", "text only, for conditions without audio; GGUF too"),
        ("my.py:NAME", "your own", own),
    ]
    return pa.table(dict(zip(("name", "kind", "about"), zip(*rows, strict=True), strict=True)))
