"""A data card for a split: Markdown with the hub's YAML header, from what the run and the split say of themselves."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import UsageError
from audiocontrib.report.facts import certificates, read_json

if TYPE_CHECKING:
    from audiocontrib.store import Run

TEMPLATES = Path(__file__).parent / "templates"
BY = "question_type"

LIMITS = {
    "votes": "A vote cannot tell luck from an answer: see the share that guessing alone would call weak.",
    "group": "Groups that share an option set are judged as one; items of other groups fall back to the votes.",
    "posterior": "P(answerable) takes the models' luck as independent; where they share preferences it is too sure.",
    "fdr": "The bound holds for the set of weak items, not for each; undecided items are neither strong nor weak.",
    "adf": "The thresholds of the four steps are ours: the published text names the steps only.",
    "audit": "A text-only classifier sees what this data set betrays of itself, not what a language model knows.",
}
"""Rule -> what its parts must not be taken for."""

SIZES = """
select {by} count(*) as n, count(*) filter (s.split = 'strong') as strong, count(*) filter (s.split = 'weak') as weak,
    count(*) filter (s.split = 'undecided') as undecided, count(*) filter (s.unsolved) as unsolved
from splits s join items using (item_id) where s.name = $name group by all order by all
"""


def card(run: Run, name: str) -> str:
    """The card of the split called ``name``, as Markdown.

    Texts from the data set stand in tables and lists only, with what Markdown and HTML would read as markup escaped.

    Raises:
        UsageError: the run has no such split.

    Example:
        >>> print(card(open_run("runs/demo"), "votes"))
    """
    import yaml
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = run.split_folder(name)
    split = read_json(folder / "settings.json")
    if split is None:
        made = sorted(path.parent.name for path in run.path.glob("splits/*/split.parquet"))
        raise UsageError(f"{run.path} has no split called {name!r}; it has: {', '.join(made) or 'none'}")
    identity, origin = run.manifest.get("identity", {}), run.manifest.get("origin") or {}
    with run.connect() as con:
        found = con.sql(
            "select count(*) as questions, count(distinct clip_id) as clips, "
            "(select count(*) from quarantine) as quarantined from items"
        ).to_arrow_table()
        sizes = con.sql(SIZES.format(by=f"items.{BY},"), params={"name": name}).to_arrow_table().to_pylist()
        [total] = con.sql(SIZES.format(by=""), params={"name": name}).to_arrow_table().to_pylist()
    data = {**identity.get("dataset", {}), **origin}
    dataset = str(data.get("name", "?"))
    header = {
        "pretty_name": f"{dataset}: audio contribution by {split['rule']}",
        "task_categories": ["audio-text-to-text", "question-answering", "multiple-choice"],
        "tags": ["audio", "audio-contribution", "audiocontrib"],
        "size_categories": [_size(total["n"])],
    }
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        finalize=_plain,
    )
    return env.get_template("card.md.j2").render(
        header=_Kept(yaml.safe_dump(header, sort_keys=False, allow_unicode=True)),
        title=header["pretty_name"],
        lead=_lead(dataset, total, split),
        dataset=dataset,
        revision=data.get("revision"),
        counts=found.to_pylist()[0],
        models=split.get("models") or sorted(identity.get("models", {})),
        conditions=identity.get("conditions", []),
        prompt={"name": "unknown", "sha256": ""} | identity.get("prompt", {}),
        method=identity.get("method", "imported"),
        orders=identity.get("orders", "unknown"),
        split=split,
        settings=_settings(split),
        by=BY,
        sizes=sizes,
        total=total,
        bounds=_bounds(split),
        certificate=_certificate(certificates(folder), name),
        limits=[LIMITS.get(split["rule"], "The rule is not one of audiocontrib's own."), *split.get("warnings", [])],
        commands=[_Kept(" ".join(line.split())) for line in _commands(run, name, split, identity)],
        version=version("audiocontrib"),
    )


class _Kept(str):
    """A text that is code or YAML of our own making: it is not escaped."""

    __slots__ = ()


def _plain(value: Any) -> Any:
    """Escapes what Markdown or HTML would take for markup, and keeps a text on its line."""
    if not isinstance(value, str) or isinstance(value, _Kept):
        return value
    text = " ".join(value.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([|\[\]{}!`*])", r"\\\1", text)


def _lead(dataset: str, total: Mapping[str, int], split: Mapping[str, Any]) -> str:
    return (
        f"{total['n']:,} audio multiple-choice questions of {dataset}, split by whether models had to listen: "
        f"{total['strong']:,} strong, {total['weak']:,} weak, {total['undecided']:,} undecided "
        f"(condition {split.get('condition', '?')})."
    )


def _size(n: int) -> str:
    """The hub's name for the size of a set."""
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for limit, name in steps if n < limit), "1M<n<10M")


def _settings(split: Mapping[str, Any]) -> str:
    about = {"audio", "condition", "findings", "models", "rule", "threshold", "warnings"}
    return ", ".join(f"{key} = {json.dumps(value)}" for key, value in split.items() if key not in about and value)


def _bounds(split: Mapping[str, Any]) -> list[str]:
    """What the rule found out about the set as a whole, a line each."""
    lines = []
    for key, value in split.get("findings", {}).items():
        if isinstance(value, list) and all(isinstance(v, (int, float)) for v in value):
            lines.append(f"{key.replace('_', ' ')}: {', '.join(f'{v:.4g}' for v in value)}")
        elif isinstance(value, (int, float, str)):
            lines.append(f"{key.replace('_', ' ')}: {f'{value:.4g}' if isinstance(value, float) else value}")
    return lines or [
        "The rule gives none for the set as a whole; audiocontrib certify bounds what is left in the strong part."
    ]


def _certificate(found: list[str], name: str) -> str:
    if found:
        return ". ".join(found) + "."
    return f"None yet. audiocontrib certify --split {name} --model HELDOUT makes one, with a model that took no part."


def _commands(run: Run, name: str, split: Mapping[str, Any], identity: Mapping[str, Any]) -> list[str]:
    """The command that filled the run, as it was given, and the one that makes the split of it."""
    given = [str(word) for word in run.manifest.get("command", [])]
    score = ["audiocontrib", *given[1:]] if len(given) > 1 and given[1] == "score" else []
    if not score:
        score = ["audiocontrib", "score", "--dataset", str(identity.get("dataset", {}).get("name", "?"))]
        score += [word for model in identity.get("models", {}) for word in ("--model", model)]
        score += [word for condition in identity.get("conditions", []) for word in ("--condition", condition)]
        score += ["--run", str(run.path)]
    made = ["audiocontrib", "split", "--run", str(run.path), "--rule", split["rule"], "--name", name]
    made += ["--threshold", f"{split['threshold']:g}", "--condition", split["condition"]]
    made += [word for model in split.get("models") or [] for word in ("--model", model)]
    return [shlex.join(score), shlex.join(made)]
