"""What `audiocontrib demo --real` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiocontrib.number_text import accuracy_text, percent, signed

if TYPE_CHECKING:
    from rich.table import Table

    from audiocontrib.demo import RealDemo, WeakItem

CONDITIONS = ("audio", "silence", "text")


def tell_demo(done: RealDemo) -> None:
    """Accuracy by category, the splits, weak items with their reasons, and where the rest is."""
    from rich.console import Console

    console = Console(width=None if Console().is_terminal else 130)

    def tell(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True, markup=False)

    console.print(_accuracy(done))
    tell(
        "\nIntervals are 95 %, by clip (Wilson on the effective n; counts where there are too few).\nadded: what the "
        "audio adds over silence, of all that lies above chance; where its interval lies above 0, the parts hear\nwhat "
        "the questions are about. constant: the best strategy that neither hears nor reads.\n"
    )
    console.print(_splits(done))
    [published] = done.splits[0].summary().to_pylist()
    tell(f"\nWeak by the published rule, the surest of each question first ({len(done.weak)} of {published['weak']}):")
    for number, weak in enumerate(done.weak, 1):
        tell(_reason(number, weak))
    tell("\n".join(f"note: {note}" for note in done.notes))
    tell("\nPlots:  " + "\n        ".join(map(str, done.plots)))
    tell(
        f"Next:   audiocontrib show --run {done.run.path}\n"
        f'        audiocontrib query --run {done.run.path} "select item_id, evidence from responses limit 5"'
    )


def _accuracy(done: RealDemo) -> Table:
    from rich.table import Table

    table = Table(title="Accuracy of the cascade by what was heard", title_justify="left", box=None, pad_edge=False)
    for name in ("category", "n", "clips", *CONDITIONS, "chance", "constant", "added"):
        table.add_column(name, justify="left" if name == "category" else "right", no_wrap=True)
    found: dict[Any, dict[str, dict[str, Any]]] = {}
    for row in done.accuracy.to_pylist():
        found.setdefault(row["question_type"], {})[row["condition"]] = row
    for row in done.summary.to_pylist():
        group = row["question_type"]
        cells = [accuracy_text(r) for r in (found[group][c] for c in CONDITIONS)]
        added = signed(*(row[f"contribution{end}"] for end in ("", "_low", "_high")))
        table.add_row(
            group or "all", str(row["n"]), str(row["clips"]), *cells, percent(row["chance"]),
            percent(done.constants[group][1]), added, style="bold" if group is None else None,
        )  # fmt: skip
    return table


def _splits(done: RealDemo) -> Table:
    from rich.table import Table

    table = Table(title="Splits by rule", title_justify="left", box=None, pad_edge=False)
    for name in ("rule", "weak", "strong", "undecided", "unsolved", "weak if guessing"):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for made in done.splits:
        [row] = made.summary().to_pylist()
        guessing = row["guessing_weak_share"]
        table.add_row(
            made.rule, *(str(row[name]) for name in ("weak", "strong", "undecided", "unsolved")),
            percent(guessing),
        )  # fmt: skip
    return table


def _reason(number: int, weak: WeakItem) -> str:
    item = weak.item
    gold = item.choices[item.answer] if item.answer is not None else "?"
    others = ", ".join(choice for place, choice in enumerate(item.choices) if place != item.answer)
    return (
        f"{number:>2}. {item.question} → {gold} (not: {others})\n"
        f"    p(gold) {weak.p_silence:.2f} under silence, {weak.p_text:.2f} from the text, "
        f"{1 / len(item.choices):.2f} by chance; {weak.reason}"
    )
