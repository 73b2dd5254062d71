"""What was asked, from the document (a row of a data set, under whatever names) that a log keeps beside a reply."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.importing.joining import Asked, in_order
from audiocontrib.importing.tools.base import texts_in
from audiocontrib.items.printed import printed_labels
from audiocontrib.sources.inside import options_inside
from audiocontrib.sources.names import OPTION_WORDS, name_rank, words_of
from audiocontrib.sources.options import cell_options

SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".webm", ".wma", ".mp4")
LONGEST_PATH = 1000
_LINE = re.compile(r"\(?([A-Z])[.):]\s*(\S.*)")
_FURTHEST = 4  # the words of `name_rank` for a question


def asked_in(document: Mapping[str, Any], prompt: str = "", number: Any = None) -> Asked:
    """What a document and the prompt made of it ask. BadItem if the prompt shows its options in another order."""
    question = _question(document)
    options = _options(document)
    return Asked(
        ids=tuple(str(cell) for name, cell in document.items() if _is_id(name) and isinstance(cell, str | int)),
        text=question or prompt,
        options=as_shown(options, prompt) if prompt else options,
        clips=clips_in(document),
        number=number if isinstance(number, int) else None,
    )


def clips_in(value: Any) -> tuple[str, ...]:
    """Names of sound files in a JSON value."""
    return tuple(dict.fromkeys(t for t in texts_in(value) if len(t) < LONGEST_PATH and t.lower().endswith(SOUNDS)))


def as_shown(options: Sequence[str], prompt: str) -> tuple[str, ...]:
    """The options in the order in which a prompt shows them.

    Raises:
        BadItem: it shows them all, in an order that cannot be told.
    """
    try:
        inside = tuple(str(text) for text in options_inside(prompt)[1].texts)
    except BadItem:
        inside = _labelled_lines(prompt)
    if inside and (not options or sorted(inside) == sorted(options)):
        return inside
    if in_order(options, prompt) is False:
        raise BadItem("order", "the prompt does not show the options in the order that the log gives them in")
    return tuple(options)


def _labelled_lines(prompt: str) -> tuple[str, ...]:
    """The last lines that begin with A, B, C, …; none if there are fewer than two."""
    run: list[str] = []
    for line in prompt.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and found[1] == "A":
            run = [found[2]]
        elif found and run and found[1] == string.ascii_uppercase[len(run)]:
            run.append(found[2])
    return tuple(run) if len(run) > 1 else ()


def _question(document: Mapping[str, Any]) -> str:
    ranked = [(name_rank(name, "question"), name) for name, cell in document.items() if isinstance(cell, str)]
    best = min(ranked, default=(_FURTHEST + 1, ""))
    return str(document[best[1]]) if best[0] <= _FURTHEST else ""


def _options(document: Mapping[str, Any]) -> tuple[str, ...]:
    letters = [document.get(name) for name in "ABCDEFGHIJ"]
    if isinstance(letters[0], str) and isinstance(letters[1], str):
        return tuple(str(cell) for cell in letters if cell not in (None, "") and str(cell) != "nan")
    for name, cell in document.items():
        if OPTION_WORDS.isdisjoint(words_of(name)) or not isinstance(cell, list | tuple | str | Mapping):
            continue
        try:
            texts = cell_options(cell).texts
        except BadItem:
            continue
        if isinstance(texts, list | tuple) and len(texts) > 1 and all(isinstance(text, str) for text in texts):
            texts = [text.strip() for text in texts]
            printed = printed_labels(texts)
            return printed.texts if printed else tuple(texts)
    return ()


def _is_id(name: str) -> bool:
    return name.lower() in ("id", "index", "uid", "uuid", "qid") or name.lower().endswith("_id")
