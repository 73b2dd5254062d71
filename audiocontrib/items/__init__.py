"""Items: multiple-choice questions about recordings; how they are identified, checked, kept and made."""

from audiocontrib.audio.clip import Clip
from audiocontrib.items.given import as_items
from audiocontrib.items.item import MAX_CHOICES, MIN_CHOICES, Item, Quarantined
from audiocontrib.items.make import COLLAPSED, PARTLY_LABELLED, UNLABELLED, make_item, qualified_id
from audiocontrib.items.rows import (
    ITEM_SCHEMA,
    QUARANTINE_SCHEMA,
    clip_from_row,
    item_from_row,
    item_row,
    json_values,
    todays_items,
)
from audiocontrib.items.table import ROWS_AT_ONCE, Items, ItemTable

__all__ = [
    "COLLAPSED",
    "ITEM_SCHEMA",
    "MAX_CHOICES",
    "MIN_CHOICES",
    "PARTLY_LABELLED",
    "QUARANTINE_SCHEMA",
    "ROWS_AT_ONCE",
    "UNLABELLED",
    "Clip",
    "Item",
    "ItemTable",
    "Items",
    "Quarantined",
    "as_items",
    "clip_from_row",
    "item_from_row",
    "item_row",
    "json_values",
    "make_item",
    "qualified_id",
    "todays_items",
]
