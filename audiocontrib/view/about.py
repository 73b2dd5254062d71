"""What the page says of a run as a whole, and what its filters can be."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from audiocontrib.sql import arrow_table, cursor
from audiocontrib.store.mark_lines import KINDS
from audiocontrib.store.run import ITEMS
from audiocontrib.store.views import check_run_files, parquet
from audiocontrib.view.asked import CHANGED, DIFFERS
from audiocontrib.view.counted import VOTES

if TYPE_CHECKING:
    from audiocontrib.view.shelf import Shelf

MOST_TYPES = 300
PARTS = ("strong", "weak", "undecided")
COUNTS = "select count(*) as questions, count(distinct clip_id) as clips from {}"
TYPES = "select distinct question_type as type from {} where question_type <> '' order by 1 limit {}"


def run_about(shelf: Shelf, name: str) -> dict[str, Any]:
    """The head of the page: what was asked of whom, what the audio adds, and the values of each filter.

    Raises:
        UsageError: there is no such run.
    """
    counted, run = shelf.counted(name), shelf.open(name)
    identity, runs = run.manifest["identity"], shelf.listed()
    data, prompt = identity.get("dataset") or {}, identity.get("prompt") or {}
    check_run_files(run.path, [run.path / ITEMS])
    with cursor() as con:
        table = parquet([run.path / ITEMS])
        [counts] = arrow_table(con.sql(COUNTS.format(table))).to_pylist()
        types = [row["type"] for row in arrow_table(con.sql(TYPES.format(table, MOST_TYPES))).to_pylist()]
    counting = shelf.counting(name)
    splits = list(counting.splits)
    conditions = sorted({condition for _, condition in counted.cells})
    return counts | {
        "name": name,
        "dataset": data.get("name", "?"),
        "asked": [
            ["Conditions", ", ".join(identity.get("conditions", []))],
            ["Method", f"{identity.get('method', '?')}, option orders: {identity.get('orders', '?')}"],
            ["Prompt", prompt.get("name") or "not known"],
        ],
        "answers": counted.answers,
        "state": counting.state,
        "cells": counted.cells,
        "audio": counted.audio,
        "condition": counted.condition,
        "method": counted.method,
        "models": counted.models,
        "first": counted.first,
        "by_type": counted.by_type,
        "split": next(iter(splits), ""),
        "kinds": list(KINDS),
        "values": {
            "type": types,
            "split": list(PARTS) if splits else [],
            "parts": sorted(splits),
            "model": counted.models,
            "condition": conditions,
            "result": list(VOTES),
            "changed": list(CHANGED) if counted.condition and counted.cells else [],
            "marked": ["yes", "no", *KINDS],
            "against": [one["name"] for one in runs if "fault" not in one],
            "other": sorted({model for one in runs for model in one.get("models", [])} | set(counted.models)),
            "under": sorted({spec for one in runs for spec in one.get("conditions", [])} | set(conditions)),
            "differs": list(DIFFERS),
        },
    }


def page_policy(page: str) -> str:
    """The content security policy that a report states in its own head, as a header, which forbids frames too."""
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page[:2000])
    stated = unescape(found[1]) if found else "default-src 'none'"
    return f"{stated}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
