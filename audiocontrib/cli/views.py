"""What each command's table shows people: at most eight columns, and one sentence that says what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiocontrib.cli.columns import Column, Row, count, decimal, difference, joined_counts, share, text
from audiocontrib.number_text import audio_adds, signed

UNCLEAR = 5
"""So many gains that cannot be told from 0 are named."""
MODEL = text("model", kind="name")
ACCURACY = share("accuracy", "low", "high")
PART = text("part", where="varies")
DATASET = text("dataset", where="varies")
ANSWERS = joined_counts("right / wrong / abstained", "right", "wrong", "abstained")
UNREAD = count("no_choice", "no choice", where="any")
GAIN = difference("contribution", "contribution_low", "contribution_high", "audio adds")
PARTS = joined_counts("weak / strong / undecided", "weak", "strong", "undecided")


def _by_quantity(name: str) -> Column:
    """Accuracies and shares in percent; what the audio adds is a difference."""

    def cell(row: Row) -> str:
        return signed(row[name]) if row["quantity"] == "audio gain" else share(name).cell(row)

    return Column(name, (name, "quantity"), cell)


@dataclass(frozen=True, slots=True)
class View:
    """The columns of a table that are shown, in order; those the table lacks are left out."""

    columns: tuple[Column, ...]
    sentence: str = ""
    """Said under the table: what its columns mean."""
    notes: Callable[[Sequence[Row]], Sequence[str]] = lambda rows: ()
    """What follows from these rows, a line each."""


def unclear_gains(rows: Sequence[Row]) -> list[str]:
    """Of each gain whose interval holds 0: that it cannot be told from 0, and what it is at most."""
    return [
        f"{row['model']}{'' if row.get('part', 'all') == 'all' else ', ' + row['part']}, {row['condition']}: "
        f"{audio_adds(row['contribution_low'], row['contribution_high'])}"
        for row in rows
        if (low := row["contribution_low"]) is not None and low <= 0 <= row["contribution_high"]
    ][:UNCLEAR]


VIEWS: dict[str, View] = {
    "accuracy": View(
        (MODEL, text("condition"), count("n"), ANSWERS, UNREAD, ACCURACY, share("chance")),
        "accuracy: share of the questions answered right, with its 95 % interval by clip; chance: of who guesses",
    ),
    "benchmarks": View(
        (DATASET, PART, MODEL, text("condition"), count("n"), ANSWERS, ACCURACY, share("constant"), GAIN),
        "constant: the best strategy that looks at places and lengths only; audio adds: of what is open under that "
        "condition, the share that the audio answers",
        unclear_gains,
    ),
    "changes": View(
        (DATASET, PART, text("measure"), count("n"), _by_quantity("before"), _by_quantity("now"),
         difference("change", "low", "high"), decimal("p_holm", "p (Holm)")),
        "change: now minus before on the same items, with its 95 % interval by clip",
    ),
    "scorers": View(
        (MODEL, text("condition"), text("scorer"), count("n"), ACCURACY, share("exact"),
         count("only_official"), count("only_exact")),
        "exact: our reading of the same replies",
    ),
    "judged": View(
        (MODEL, text("condition"), text("judge", kind="name"), count("n"),
         joined_counts("unparsed / read", "unparsed", "read"), share("accuracy"),
         share("accuracy_judged", heading="with the judge"), difference("change")),
        "read: unparsed replies that the judge takes to give an option",
    ),
    "published": View(
        (DATASET, text("condition"), MODEL, share("accuracy"), text("published_model", "published for"),
         share("published"), difference("difference"), text("source")),
        "what differs in the way of reading stands in the other columns: --wide",
    ),
    "parts": View(
        (count("n"), PARTS, count("unsolved", where="any"), share("weak_share"),
         share("guessing_weak_share", heading="weak by guessing")),
    ),
    "sensitivity": View(
        (text("variant"), PARTS, share("moved"), decimal("kappa"), share("false_share", heading="false among weak"),
         share("found", heading="found of the answerable"), text("note", where="any")),
        "moved: items that change their part against the first row; standard errors: --wide",
    ),
    "agreement": View(
        (text("model_a", "model", kind="name"), text("model_b", "other", kind="name"), count("n"), share("alike"),
         share("expected"), difference("kappa", "kappa_low", "kappa_high"), count("wrong_n", "n wrong"),
         difference("wrong_kappa", "wrong_kappa_low", "wrong_kappa_high", "kappa of wrong")),
        "kappa: agreement beyond chance; of wrong: where both chose a wrong option",
    ),
    "positions": View(
        (MODEL, text("condition"), count("k", "options"), count("place"), count("n"), share("share", heading="chosen"),
         share("recall"), share("flips")),
        "chosen: how often this place is chosen; recall: how often where the gold stands there; flips: answers that "
        "change with the order",
    ),
    "nulls": View(
        (MODEL, text("first"), text("second"), count("n"), difference("difference", "low", "high"),
         decimal("p_different", "p different"), decimal("p_equivalent", "p equivalent"), text("verdict")),
        "difference: accuracy under the second condition minus under the first",
    ),
    "pairs": View(
        (MODEL, text("condition"), count("pairs"), count("items"),
         share("following", "following_low", "following_high"), difference("effect", "effect_low", "effect_high")),
        "following: pairs in which the answer changes with the clip as the gold does",
    ),
    "doses": View(
        (DATASET, MODEL, text("scale"), text("condition"), count("n"), ANSWERS, ACCURACY,
         difference("heard", "heard_low", "heard_high")),
        "heard: what hearing adds at this dose",
    ),
    "conflict": View(
        (DATASET, MODEL, text("condition"), count("n"), share("ear", "ear_low", "ear_high"),
         share("text", "text_low", "text_high"), share("neither", "neither_low", "neither_high"), share("abstained")),
        "where clip and text say different options, whom the answers follow",
    ),
    "backbone": View(
        (MODEL, text("condition"), text("reference", kind="name"), count("n"), share("accuracy"),
         share("reference_accuracy", heading="of the reference"), difference("beyond", "low", "high"),
         decimal("mcnemar", "p (McNemar)")),
        "beyond: what the model knows from the text more than the reference does",
    ),
    "repeats": View(
        (MODEL, text("condition"), count("repeats"), count("n"), share("pass_rate", "low", "high"), share("majority"),
         share("changes", "changes_low", "changes_high"), share("floor")),
        "pass rate: share of right replies; changes: items whose majority changes from half to half",
    ),
    "thinking": View(
        (MODEL, count("think_tokens"), count("n"), share("accuracy_audio", heading="audio"),
         share("accuracy_condition", heading="without"), GAIN, decimal("thought_tokens"), share("unparsed")),
        "audio adds: of what is open without it, the share that the audio answers",
    ),
    "findings": View(
        (text("severity"), text("check"), text("group", where="varies"), count("n"), decimal("value"),
         decimal("expected"), decimal("p_adjusted", "p adjusted"), text("detail", kind="below")),
        "value: a share of the n where the line below says nothing else; expected: if texts and places told nothing",
    ),
    "marks": View(
        (text("item_id", "item"), text("kind"), text("option", "corrected key", where="any"),
         text("by", where="any"), text("at"), text("note", kind="below", where="any")),
        "of each item and person the latest mark, in UTC",
    ),
    "answers": View(
        (MODEL, text("condition"), count("order"), count("repeat", where="any"), text("outcome"), count("choice"),
         text("correct"), text("posterior"), text("reply", kind="below", where="any"),
         text("error", kind="below", where="any")),
        "order: places the options were turned by; choice: an option in the item's own order, from 0",
    ),
}  # fmt: skip


def shown_columns(
    view: View, rows: Sequence[Row], held: Sequence[str], groups: Sequence[str] = ()
) -> tuple[Column, ...]:
    """The columns of a view that these rows fill, those they are grouped by first."""
    columns = (*(text(group) for group in groups if group in held), *view.columns)
    return tuple(one for one in columns if set(one.needs) <= set(held) and _tells(one, rows))


def _tells(column: Column, rows: Sequence[Row]) -> bool:
    cells = {column.cell(row) for row in rows}
    if column.where == "varies":
        return len(cells) > 1
    return column.where == "always" or bool(cells - {"0", "–", ""})
