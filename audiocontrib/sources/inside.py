"""Options that stand inside the text of their question: "Which? (a) dog (b) cat"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.sources.options import Options

_SERIES = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", [str(n) for n in range(1, 27)], [str(n) for n in range(26)])
_MARKS = {
    "(A)": re.compile(r"[(（]\s?([A-Za-z]|\d{1,2})\s?[)）][.:]?"),
    "[A]": re.compile(r"\[\s?([A-Za-z]|\d{1,2})\s?\][.:]?"),
    "A)": re.compile(r"(?<![\w(])([A-Za-z]|\d{1,2})\)"),
    "A.": re.compile(r"(?:(?<=\n)|(?<=\s)|(?<=^)|(?<=[,;:]))([A-Za-z]|\d{1,2})\.(?=\s)"),
    "A:": re.compile(r"(?:(?<=\n)|(?<=\s)|(?<=^))([A-Za-z]|\d{1,2}):(?=\s)"),
}
"""How options are marked inside a question."""
_HEAD = re.compile(r"\s*(?:(?:the\s+)?(?:answer\s+)?(?:options|choices)(?:\s+are)?\s*[:：]?)?\s*$", re.IGNORECASE)
_SENTENCE = re.compile(r"[.?!]\s+\S")


def options_inside(question: Any) -> tuple[str, Options]:
    """The question without the options that stand in it, and these: "Which? (a) dog (b) cat".

    The labels are the first letters or numbers in order, of one style, each once, and after the last option nothing
    else follows.

    Raises:
        BadItem: it holds none, or they can be read in two ways.
    """
    if not isinstance(question, str) or not question.strip():
        raise BadItem("question", "is empty")
    found = [marks for style in _MARKS.values() for marks in _runs(list(style.finditer(question)))]
    widest = max((len(marks) for marks in found), default=0)
    best = [marks for marks in found if len(marks) == widest]
    if len(best) != 1:
        why = "no options can be seen in it" if not best else "its options can be read in more than one way"
        raise BadItem("choices", f"{question[:80]!r}: {why}")
    marks = best[0]
    ends = [*(mark.start() for mark in marks[1:]), len(question)]
    texts = [question[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    _check_last(texts, question)
    texts = [text.rstrip(",;").rstrip() for text in texts]
    stem = _HEAD.sub("", question[: marks[0].start()])
    return stem, Options(texts, tuple(mark[1].upper() for mark in marks))


def _check_last(texts: Sequence[str], question: str) -> None:
    """BadItem if something that is no option may stand behind the last one."""
    last, others = texts[-1], texts[:-1]
    follows = "\n" in last or (_SENTENCE.search(last) and not any(_SENTENCE.search(text) for text in others))
    if follows:
        raise BadItem("choices", f"{question[-80:]!r}: a text may follow the last option")


def _runs(marks: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """The marks, if they are A, B, C, … or 1, 2, 3, … and nothing else."""
    labels = [mark[1].upper() for mark in marks]
    if len(labels) > 1 and any(labels == list(series[: len(labels)]) for series in _SERIES):
        yield marks
