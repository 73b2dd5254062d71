"""What a notebook shows of items: the first ones, with a player for their clips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from audiocontrib.audio import Clip, data_uri
from audiocontrib.items.item import Item, Quarantined
from audiocontrib.notebook import Markup, escaped, html_block, html_lines, html_table

SHOWN = 10
"""Items and quarantined rows that are shown."""
PLAYERS = 5
"""Of them, how many get a player: each clip is decoded."""
ROOM = 1_000_000
"""Characters of encoded clips, so that a saved notebook stays small."""


def items_html(title: str, items: Sequence[Item], quarantined: Sequence[Quarantined]) -> str:
    """The first items as a table; the gold option is bold. Bounded in size, whatever the texts and clips are."""
    rows, room = [], ROOM
    for number, item in enumerate(islice(items, SHOWN)):
        heard = player(item.audio, room) if number < PLAYERS else None
        room -= len(heard or "")
        rows.append((item.id, item.question, _options(item), heard or str(item.audio or "–")))
    parts = [html_table(("id", "question", "choices", "audio"), rows)]
    if len(items) > SHOWN:
        parts.append(html_lines([f"… and {len(items) - SHOWN:,} more"]))
    if quarantined:
        more = f"… and {len(quarantined) - SHOWN:,} more quarantined"
        told = [f"quarantined: {row}" for row in quarantined[:SHOWN]]
        parts.append(html_lines([*told, more] if len(quarantined) > SHOWN else told))
    return html_block(title, *parts)


def player(clip: Clip | None, room: int) -> Markup | None:
    """An audio element that holds up to 30 s of the clip; None where it cannot be heard, or there is no room."""
    source = data_uri(clip, room) if clip is not None else None
    return None if source is None else Markup(f'<audio controls preload="none" src="{source}"></audio>')


def _options(item: Item) -> Markup:
    texts = [escaped(choice) for choice in item.choices]
    return Markup("<br>".join(f"<b>{t}</b>" if place == item.answer else t for place, t in enumerate(texts)))
