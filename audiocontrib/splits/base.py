"""What a split is: every item in one of three parts, with its score and the reason; and what a rule is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.arrow import integers
from audiocontrib.contribution.scope import CheckedScope
from audiocontrib.errors import UsageError
from audiocontrib.notebook import arrow_html, html_block, html_lines
from audiocontrib.registry import Registry
from audiocontrib.sql import sql
from audiocontrib.store.marking import Marking
from audiocontrib.store.splits import MARKING, part_counts, part_of, write_split

if TYPE_CHECKING:
    import duckdb

SUMMARY_GROUPS = ("question_type", "source_dataset", "k")
ABSTAINED = "if(len(models_abstained) > 0, 'abstained: ' || array_to_string(models_abstained, ', '), null)"
"""SQL on a row of :func:`audiocontrib.contribution.contributions`: which models have no vote since they decline."""


@dataclass(frozen=True, slots=True)
class RuleInput:
    """What a rule is given."""

    con: duckdb.DuckDBPyConnection
    """With the views ``items`` and ``responses``, narrowed to the models that count and to those the rule names."""
    scope: CheckedScope
    """Which answers count; what every measure takes: ``votes(asked.con, scope=asked.scope)``."""
    scores: pa.Table
    """:func:`audiocontrib.contribution.contributions` in this scope; the same items as in the view."""
    threshold: Fraction

    @property
    def condition(self) -> str:
        """The condition without the audio, as it is written."""
        return self.scope.condition


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule gives back."""

    table: pa.Table
    """item_id, split (``weak``, ``strong``, ``undecided``), score (in [0, 1], null if unknown), reason (a text) and
    guessing: the probability that the rule would call the item weak if every model guessed, uniformly and for
    itself; null if unknown, and may be left out. Every item of the view ``items`` once, in any order."""
    findings: Mapping[str, Any] = field(default_factory=dict)
    """What the rule found out about the set as a whole; JSON values."""
    warnings: tuple[str, ...] = ()
    """Sentences on what the answers do not allow to be said."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to decide."""

    decide: Callable[..., RuleResult]
    """``decide(asked, **settings)``."""
    threshold: float
    """The score from which an item is strong, where no other is asked for."""
    about: str
    """One line for the command's help."""
    judges: tuple[str, ...] = ()
    """Its settings that name models (one, or several) whose answers it reads beside those that count."""
    by_score: bool = True
    """Whether the part follows the score alone: strong from the threshold on, weak below it."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """Settings that came later, as they were before: what a recipe or a saved split that lacks them means. A split
    always writes them down."""


def abstained_by_all(scores: pa.Table) -> tuple[dict[str, int], tuple[str, ...]]:
    """A finding and a warning for rules that leave items undecided on which every model abstains.

    Args:
        scores: of a :class:`RuleInput`.
    """
    silent = "select count(*) as n from scores where len(models_abstained) = models and models > 0"
    found = int(integers(sql(silent, scores=scores)["n"])[0])
    said = (
        f"on {found} items every model abstains: nothing tells whether their text answers them, and they are undecided "
        "(the rule votes calls them strong)"
    )
    return {"abstained_by_all": found}, (said,) if found else ()


RULES: Registry[Rule] = Registry("split rule")
NAME = re.compile(r"[a-z][a-z0-9_-]*")


def rule(
    name: str,
    threshold: float,
    about: str,
    judges: tuple[str, ...] = (),
    *,
    by_score: bool = True,
    before: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., RuleResult]], Callable[..., RuleResult]]:
    """Decorator that files a function as a split rule.

    Args:
        threshold: the score from which an item is strong, where no other is asked for, in [0, 1].
        about: one line for the command's help.
        judges, by_score, before: see :class:`Rule`.

    Raises:
        UsageError: the name is taken or no name, or the threshold is no share.

    Example:
        >>> @rule("unheard", 0.5, "strong where some model is wrong without the audio")
        ... def unheard(asked, least: int = 1): ...
    """
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise UsageError(f"a split rule needs a name of small letters, digits, - and _; this is {name!r}")
    if isinstance(threshold, bool) or not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise UsageError(f"rule {name}: threshold is {threshold!r}, but must be a number between 0 and 1")

    def file(decide: Callable[..., RuleResult]) -> Callable[..., RuleResult]:
        RULES.register(name)(Rule(decide, threshold, about, judges, by_score, before or {}))
        return decide

    return file


@dataclass(frozen=True, slots=True)
class Split:
    """The items in two parts, and those that could not be placed."""

    table: pa.Table
    """SPLIT_SCHEMA, sorted by item_id: the items that are not quarantined, without those left out on request."""
    rule: str
    threshold: float
    settings: Mapping[str, Any]
    """All that fixes the split besides the answers, as JSON values; saved beside the table."""
    findings: Mapping[str, Any]
    """What the rule found out about the set as a whole, as JSON values; saved too."""
    warnings: tuple[str, ...]
    """What the answers do not allow to be said."""
    scores: pa.Table = field(repr=False)
    """:func:`audiocontrib.contribution.contributions` of all items, which the split was made from."""
    context: pa.Table = field(repr=False)
    """item_id, SUMMARY_GROUPS, guessing: what the summary needs beside the table."""
    marking: Marking | None = field(default=None, repr=False)
    """What marks changed in the run; None: nothing."""

    def __repr__(self) -> str:
        return f"Split({self.rule} at {self.threshold:g}: {part_counts(self.table)})"

    def _repr_html_(self) -> str:
        notes = html_lines(f"note: {warning}" for warning in self.warnings)
        return html_block(repr(self), arrow_html(self.summary()), notes, arrow_html(self.table, 10))

    def part(self, name: str) -> pa.Table:
        """The rows of one part: ``weak``, ``strong`` or ``undecided``."""
        return part_of(self.table, name)

    def summary(self, by: str | None = None) -> pa.Table:
        """Counts and shares, one row per value of ``by`` (None: one row for all).

        Returns:
            ``by``; n, weak, strong, undecided, unsolved (counts); weak_share and strong_share of the decided
            items; guessing_weak_share: the weak share to expect of those if all models guessed (the mean of
            exact binomial tails), null where the rule has none.

        Raises:
            UsageError: ``by`` is not one of SUMMARY_GROUPS.
        """
        if by is not None and by not in SUMMARY_GROUPS:
            raise UsageError(f"summary by {by!r}: it can be by {', '.join(SUMMARY_GROUPS)}")
        return sql(
            f"""
            select {f"{by}," if by else ""} count(*) as n,
                count(*) filter (split = 'weak') as weak,
                count(*) filter (split = 'strong') as strong,
                count(*) filter (split = 'undecided') as undecided,
                count(*) filter (unsolved) as unsolved,
                avg((split = 'weak')::int) filter (split <> 'undecided') as weak_share,
                avg((split = 'strong')::int) filter (split <> 'undecided') as strong_share,
                avg(guessing) filter (split <> 'undecided') as guessing_weak_share
            from decided join context using (item_id) group by all order by all
            """,
            decided=self.table,
            context=self.context,
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``split.parquet`` and ``settings.json`` into ``folder`` (made if need be); gives it back.

        Each file appears whole or not at all. The settings are in the Parquet file's metadata too, under
        ``audiocontrib``, so that the table alone says how it was made. A certificate of the split that was there
        before is removed.

        Raises:
            AudiocontribError: the folder cannot be written to.
        """
        about = {**self.settings, "findings": dict(self.findings), "warnings": list(self.warnings)}
        about |= {MARKING: self.marking.record()} if self.marking else {}
        return write_split(Path(folder), self.table, about)
