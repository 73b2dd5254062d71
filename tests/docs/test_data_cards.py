"""Data cards: one for every published set, all with the same headings, examples that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from helpers import ROOT

from audiocontrib.cli.score import command
from audiocontrib.sources import SOURCES

CARDS = ROOT / "data_cards"
TABLE = ROOT / "docs" / "data-sets.md"
HEADINGS = (
    "Origin",
    "Licence",
    "Size",
    "Fields",
    "Known defects",
    "How to obtain",
    "How it is read",
    "Example",
)
PUBLISHED = sorted(name for name, source in SOURCES.items() if source.fields)


def sections(path: Path) -> dict[str, str]:
    _, *parts = re.split(r"^## (.+)$", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_set_has_a_card_with_the_same_headings(name: str) -> None:
    card = CARDS / f"{name}.md"
    assert card.is_file(), f"write {card}"
    found = sections(card)
    assert tuple(found) == HEADINGS
    assert all(found.values())
    hub = SOURCES[name].hub
    assert hub is None or hub in found["Origin"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_example_of_a_card_is_taken_by_the_command_line(name: str) -> None:
    program, verb, *options = shlex.split(sections(CARDS / f"{name}.md")["Example"])
    assert (program, verb) == ("audiocontrib", "score")
    assert command.make_context("score", options).params["dataset"] == name


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_of_data_sets_names_every_set_and_its_card(name: str) -> None:
    (row,) = [line for line in TABLE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert f"[card](../data_cards/{name}.md)" in row
    hub = SOURCES[name].hub
    assert hub is None or f"https://huggingface.co/datasets/{hub}" in row


@pytest.mark.parametrize("page", [TABLE, *sorted(CARDS.glob("*.md"))], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve()
        assert there.is_file(), target
        headings = re.findall(r"^#+ (.+)$", there.read_text(), flags=re.MULTILINE)
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings]


def test_audio_of_audiomcq_is_counted_in_full() -> None:
    rows = re.findall(r"^\| `[\w-]+/` \| ([\d,]+) \|", TABLE.read_text(), flags=re.MULTILINE)
    assert len(rows) == 7
    assert sum(int(count.replace(",", "")) for count in rows) == 571_118
