"""What was taken how, in words: joined by what, conditions of others, where a tool counted otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from audiocontrib.conditions import other_condition
from audiocontrib.importing.reader import AnswerReader
from audiocontrib.importing.tools import AnswerTool
from audiocontrib.responses import Response

SHOWN = 10
"""Items that are named where the readings differ."""


def told_of(reader: AnswerReader, rows: Sequence[Response], log: AnswerTool | None) -> Iterator[str]:
    """What was taken how, a line each."""
    if reader.left_empty:
        yield f"empty choices count as {reader.empty}: {reader.left_empty:,}"
    if log is not None:
        yield f"read as a log of {log.name}; joined to items: " + ", ".join(
            f"{n:,} by {how}" for how, n in sorted(reader.joined.items())
        )
        if log.posterior and any(row.posterior for row in rows):
            yield f"posteriors are the {log.posterior}"
    if foreign := Counter(row.condition for row in rows if other_condition(row.condition)):
        kept = ", ".join(f"{spec} ({n:,})" for spec, n in sorted(foreign.items()))
        yield f"conditions that are not known here are kept by name: {kept}"
    if reader.turned:
        yield (
            f"{reader.turned:,} rows showed their options in an order that is no rotation: their choices are "
            "right, but their places are not kept"
        )
    if reader.judged and log is not None:
        theirs, ours = sum(one[1] for one in reader.judged), sum(one[2] for one in reader.judged)
        differ = [one for one in reader.judged if one[1] != one[2]]
        yield (
            f"of {len(reader.judged):,} answers {log.name} counted {theirs:,} right, this reading {ours:,}; "
            f"{len(differ):,} differ"
        )
        for item, right, _, said in differ[:SHOWN]:
            yield f"  {item}: {'right' if right else 'not right'} there; here {said}"
