"""The pages that go with the data: the data card with every clip's licence, and the credits beside the clips."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from listen import Heard
from material import CATALOGUE, FONT, Recording
from packages import PINS, Packages

LICENCES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "MIT": "https://opensource.org/license/mit",
    "public domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}
"""What may be used, and where its text is."""
CHANGES = "cut, joined, mixed, levelled, resampled to 16 kHz mono and encoded as Ogg Vorbis"
PAGE = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")


def credits(recordings: Iterable[Recording], packages: Packages) -> str:
    """CREDITS.md, which lies beside the clips: whose recordings they are made of, and under what licence."""
    by_source = defaultdict(list)
    for one in recordings:
        by_source[one.package, one.licence, one.credit].append(one.file + (f" ({one.url})" if one.url else ""))
    lines = ["# Credits of the recordings", "", f"They were {CHANGES}.", ""]
    for (package, licence, credit), files in sorted(by_source.items()):
        lines += [
            f"## {credit}",
            "",
            f"{package} {PINS[package]['version']}, {licence}: {', '.join(sorted(files))}",
            "",
        ]
    lines += ["## Licences", "", *(f"- {name}: {url}" for name, url in LICENCES.items()), ""]
    text = packages.where(FONT, f"usr/share/doc/{FONT}/copyright").read_text(encoding="utf-8")
    notice = text[text.index("Fluid (R3) Mono GM soundfont (MIT):") :]
    return "\n".join([*lines, f"## The notice of {FONT}", "", "    " + notice.strip().replace("\n", "\n    "), ""])


def card(rows: Sequence[Mapping[str, Any]], others: Sequence[Heard], size: int) -> str:
    """The data card: the page in card.md, with what is counted in the rows.

    Args:
        rows: of items.jsonl.
        others: what the listening models heard otherwise.
        size: bytes of the clips.
    """
    clips = {row["audio_path"]: row for row in rows}
    checks = [(clip["audio_path"], one) for clip in clips.values() for one in clip["heard"]]
    agree = Counter(one["kind"] for _, one in checks if one["agrees"])
    heard = [f"{kind} {agree[kind]} of {n}" for kind, n in sorted(Counter(one["kind"] for _, one in checks).items())]
    return PAGE.format(
        questions=len(rows),
        clips=len(clips),
        minutes=f"{sum(clip['seconds'] for clip in clips.values()) / 60:.1f}",
        size=f"{size / 1e6:.1f}",
        rendered=sum(clip["source_dataset"] == FONT for clip in clips.values()),
        categories=_categories(rows),
        checked=len({name for name, _ in checks}),
        heard=", ".join(heard),
        otherwise="\n".join(_otherwise(others)) or "- none",
        doubtful="\n".join(f"- {name}: {why}" for name, why in CATALOGUE["left out"].items()),
        licences="\n".join(f"- {name}: <{url}>" for name, url in LICENCES.items()),
        changes=CHANGES,
        table="\n".join(_clip(row) for row in clips.values()),
    )


def _categories(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for category in dict.fromkeys(row["question_type"] for row in rows):
        own = [row for row in rows if row["question_type"] == category]
        options = Counter(len(row["choices"]) for row in own)
        shown = ", ".join(f"{n} x {k}" for k, n in sorted(options.items()))
        chance = sum(1 / len(row["choices"]) for row in own) / len(own)
        sounds = len({row["audio_path"] for row in own})
        labels = ", ".join(f"{n} {label}" for label, n in Counter(row["label"] for row in own).most_common())
        lines.append(f"| {category} | {len(own)} | {sounds} | {shown} | {chance:.1%} | {labels} |")
    return "\n".join(lines)


def _otherwise(others: Sequence[Heard]) -> list[str]:
    settled = CATALOGUE["settled"]
    return [
        f"- `{one.clip}` ({one.kind}: {', '.join(one.expected)}), heard: {one.found}. "
        + (f"It stays: {settled[one.clip]}" if one.clip in settled else "Left out.")
        for one in others
    ]


def _clip(row: Mapping[str, Any]) -> str:
    name = row["audio_path"].rsplit("/", 1)[-1].removesuffix(".ogg")
    cells = (name, row["license"], row["credit"], "<br>".join(row["recordings"]))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
