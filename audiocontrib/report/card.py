"""A data card for a split: Markdown with the hub's YAML header, from what the run and the split say of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import DatasetCardData

from audiocontrib.contribution import accuracy
from audiocontrib.contribution.contest import Contest, contest
from audiocontrib.contribution.leak_estimates import ends_of_share, leak_share
from audiocontrib.contribution.run_view import only_models
from audiocontrib.contribution.scope import Scope
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.markdown import Verbatim, fenced, render_markdown
from audiocontrib.prompts import prompt_of
from audiocontrib.provenance import CertifyStep, SplitSettings, Step, run_steps, split_steps
from audiocontrib.report.run_summary import SplitFacts, likeliest_method, split_summary
from audiocontrib.shell import shell_lines
from audiocontrib.splits import RULES, Split, split
from audiocontrib.sql import arrow_table
from audiocontrib.store.marks import of_split
from audiocontrib.store.runs import as_run
from audiocontrib.store.splits import SETTINGS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from audiocontrib.store import Run

TEMPLATES = Path(__file__).parent / "templates"
STRATA = {"question_type": "question_type", "source_dataset": "source_dataset", "options": "len(choices)"}
"""Name -> SQL over the items: what the sizes are broken down by."""
MOST_STRATA = 30
"""Of each kind, so many are listed, the largest first."""

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
select cast({by} as varchar) as "group", count(*) as n, count(*) filter (s.split = 'strong') as strong,
    count(*) filter (s.split = 'weak') as weak, count(*) filter (s.split = 'undecided') as undecided,
    count(*) filter (s.unsolved) as unsolved
from splits s join items using (item_id) where s.name = $name group by 1 order by n desc, 1
"""


def card(run: Run, /, *, split: str | None = None) -> str:
    """A data card of a split, as Markdown with the hub's YAML header.

    The split is made again from the answers, for the bounds and to see whether it still comes out the same. What
    Markdown and HTML would read as markup in a text is escaped.

    Args:
        run: the run that holds the split.
        split: its name; None: the only one of the run.

    Raises:
        UsageError: the run has no such split, or several and none is named.

    Example:
        >>> print(ac.card(ac.open_run("runs/demo"), split="votes"))
    """
    saved = as_run(run).split(split) if split is not None else run.only_split()
    if saved is None:
        raise UsageError(f"{run.path} has no split yet; split it first")
    name = saved.name
    identity, origin = run.manifest.get("identity", {}), run.manifest.get("origin") or {}
    data = {**identity.get("dataset", {}), **origin}
    asked_for = SplitSettings.of(saved.settings, saved.folder / SETTINGS)
    with of_split(run, saved).views() as con:
        made = split_summary(con, saved)
        found = arrow_table(
            con.sql(
                "select count(*) as questions, count(distinct clip_id) as clips, "
                "(select count(*) from quarantine) as quarantined, "
                "(select count(*) from responses where outcome = 'failed') as failed from items"
            )
        )
        sizes = {by: _sizes(con, sql, name) for by, sql in STRATA.items()}
        [total] = _sizes(con, "'all'", name)
        asked = accuracy(con, method=made.settings.get("method") or likeliest_method(con))
        bounds = _bounds(con, made, _stored(con, name))
    steps = [*run_steps(run), *split_steps(run, made.name, asked_for), *_certifying(run, made)]
    title = f"{data.get('name', '?')}: audio contribution by {made.settings['rule']}"
    return render_markdown(
        TEMPLATES / "card.md.j2",
        header=Verbatim(f"{_header(title, total['n']).to_yaml()}\n"),
        title=title,
        data={"name": "?", "revision": None, "left_out": {}} | data,
        counts=found.to_pylist()[0],
        models=_models(identity.get("models", {}), asked.to_pylist()),
        conditions=identity.get("conditions", []),
        identity={"method": "?", "orders": "?", "prompt": None, "sampling": None} | identity,
        prompt=_prompt(identity),
        split=made,
        about=RULES[made.settings["rule"]].about if made.settings["rule"] in RULES else "not one of audiocontrib's own",
        settings=", ".join(f"{key} = {json.dumps(value)}" for key, value in asked_for.more.items()),
        sizes={by: rows[:MOST_STRATA] for by, rows in sizes.items()},
        smaller={by: max(0, len(rows) - MOST_STRATA) for by, rows in sizes.items()},
        total=total,
        bounds=bounds,
        limits=list(_limits(made, total)),
        commands=fenced(shell_lines(steps)),
        versions={"audiocontrib": version("audiocontrib")} | run.manifest.get("versions", {}),
        version=version("audiocontrib"),
    )


def _header(title: str, items: int) -> DatasetCardData:
    """What the hub reads."""
    return DatasetCardData(
        pretty_name=title,
        task_categories=["audio-text-to-text", "question-answering", "multiple-choice"],
        tags=["audio", "audio-contribution", "audiocontrib"],
        size_categories=[_size(items)],
        configs=[{"config_name": "default", "data_files": "split.parquet"}],
    )


def _sizes(con: duckdb.DuckDBPyConnection, by: str, name: str) -> list[dict[str, Any]]:
    return arrow_table(con.sql(SIZES.format(by=by), params={"name": name})).to_pylist()


def _stored(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return arrow_table(
        con.sql("select item_id, split from splits where name = $name order by item_id", params={"name": name})
    )


def _models(known: dict[str, Any], asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each model of the run: what it is, and its accuracy under each condition."""
    rows = []
    for name in sorted({row["model"] for row in asked}):
        about = known.get(name, {})
        weights = about.get("weights_sha256") or about.get("commit") or ""
        own = {row["condition"]: row for row in asked if row["model"] == name}
        rows.append({"name": name, "kind": about.get("class"), "dtype": about.get("dtype"), "weights": weights[:12]} |
                    {"accuracy": {c: row["accuracy"] for c, row in own.items()},
                     "abstained": {c: row["abstained"] for c, row in own.items() if row["abstained"]},
                     "chance": next((row["chance"] for row in own.values() if row["n"]), None)})  # fmt: skip
    return rows


def _prompt(identity: dict[str, Any]) -> Verbatim | None:
    """The prompt as it is sent, where it is known here."""
    try:
        asked = prompt_of(identity.get("prompt"), "the run")
        if asked is None:
            return None
        return fenced([f"system: {asked.system}", f"user: [audio]{asked.user_text('{question}', ('{o1}', '{o2}'))}"])
    except AudiocontribError:  # of a plugin that is not loaded, or of another version
        return None


def _bounds(con: duckdb.DuckDBPyConnection, made: SplitFacts, stored: pa.Table) -> list[str]:
    """How wrong the parts may be, a sentence each."""
    lines = []
    try:
        again = split(con, **made.settings)
    except AudiocontribError as error:
        lines.append(f"It could not be made again from the answers in the run: {error}")
    else:
        lines += _same(again, stored)
        guessed = again.summary().to_pylist()[0]["guessing_weak_share"]
        if guessed is not None:
            lines.append(f"If every model guessed, {guessed:.1%} of the items would be called weak")
    asked = made.settings
    try:
        with only_models(con, asked.get("models")):
            entered = _contest(con, asked)
            share = leak_share(entered.rank, entered.clip)
        if share.n:
            low, high = ends_of_share(share)
            weak = made.sizes.get("weak", 0) / max(len(stored), 1)
            lines.append(
                f"By the strongest wrong options as decoys, the text answers about {max(share.mean, 0):.1%} of the "
                f"items or more (95 %, {share.kind}: {low:.1%} to {high:.1%}); {weak:.1%} are called weak"
            )
    except AudiocontribError as error:
        lines.append(f"The share that the text answers could not be taken: {error}")
    for key, value in made.findings.items():
        numbers = value if isinstance(value, list) else [value]
        if all(isinstance(v, int | float | str) for v in numbers):
            told = ", ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in numbers)
            lines.append(f"The rule's own finding, {key.replace('_', ' ')}: {told}")
    return lines


def _contest(con: duckdb.DuckDBPyConnection, asked: Mapping[str, Any]) -> Contest:
    words: dict[str, Any] = {name: asked.get(name) for name in ("condition", "method", "repeat", "think_tokens")}
    return contest(con, scope=Scope(**words))[1]


def _same(again: Split, stored: pa.Table) -> Iterator[str]:
    """Whether the answers in the run still say what was saved."""
    was, now = (
        dict(zip(*table.select(["item_id", "split"]).to_pydict().values(), strict=True))
        for table in (stored, again.table)
    )
    changed = sum(was.get(item) != now.get(item) for item in was.keys() | now.keys())
    if changed:
        yield f"The answers in the run have changed since: {changed:,} items would now be placed otherwise; split again"
    else:
        yield "Made again from the answers when this card was written: every item came out in the same part"


def _limits(made: SplitFacts, total: dict[str, Any]) -> Iterator[str]:
    """What must not be read into the parts."""
    yield LIMITS.get(made.settings["rule"], "The rule is not one of audiocontrib's own.")
    models = made.settings.get("models", [])
    asked = f"{len(models)} {'model' if len(models) == 1 else 'models'}"
    yield f"It says what {asked} did; another one may answer what these could not."
    if total["unsolved"]:
        yield f"No model solves {total['unsolved']:,} items even with the audio: unanswerable, or their key is wrong."
    if not made.certificates:
        yield "No model that took no part has been held against the strong part."
    yield from made.warnings


def _certifying(run: Run, made: SplitFacts) -> Iterator[Step]:
    """The steps that certified the split: by a model of its own, and with each model of the split left out."""
    held_out = len(made.certificates) - made.rotated
    for one in made.certificates[: min(held_out, 1)]:
        yield CertifyStep(run=str(run.path), split=made.name, model=one.model, condition=one.condition)
    for one in made.certificates[held_out : held_out + 1]:
        yield CertifyStep(run=str(run.path), split=made.name, model=None, condition=one.condition)


def _size(n: int) -> str:
    """The hub's name for the size of a set."""
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for limit, name in steps if n < limit), "1M<n<10M")
