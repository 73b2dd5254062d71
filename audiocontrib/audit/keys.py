"""Health of the answer keys and texts: what makes an item unanswerable or gives it away, item by item."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audiocontrib.answers.text import clean, core, fold
from audiocontrib.arrow import text_lists, texts
from audiocontrib.audit.base import CHECKS, CheckResult, Finding, Settings
from audiocontrib.items import COLLAPSED, PARTLY_LABELLED, UNLABELLED

if TYPE_CHECKING:
    import pyarrow as pa

LONG = 1_000
"""Characters of a question or option from which a text is called very long."""
NEAR = 0.9
"""Ratio of matching characters from which two options are near duplicates."""
ALL_OR_NONE = re.compile(
    r"(all|none|neither|both|any|either)( one)? of (the )?(above|these|those|options|choices|them)"
    r"|(all|none)( of)? the (above|options|choices)|both [a-z] (and|&) [a-z]|all (are )?(correct|true)|not given"
)
SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "ARABIC",
    "HEBREW",
    "DEVANAGARI",
    "THAI",
    "HANGUL",
    "HIRAGANA",
    "KATAKANA",
    "CJK",
)

LABELS = {"labels printed on options taken off": UNLABELLED, "some options labelled": PARTLY_LABELLED}
"""Finding -> the note by which items of its kind are known."""

Fault = Callable[[str, Sequence[str]], str | None]
"""``fault(question, options)``: what is wrong with an item, in words; None: nothing."""


@lru_cache(maxsize=256)
def _folded(text: str) -> str:
    """Every fault of an item looks at the same texts."""
    return fold(clean(text))


@lru_cache(maxsize=256)
def _core(text: str) -> str:
    return core(_folded(text))


@CHECKS.register("keys")
def check_keys(items: pa.Table, settings: Settings) -> CheckResult:
    """Faults of questions, options and keys, each with its count and examples."""
    found = list(_quarantined(settings))
    n, keyless = len(items), items["answer"].null_count
    if keyless:
        found.append(Finding.share("no answer key", keyless, n, "asked, never scored"))
    found.append(Finding.examples(COLLAPSED, _with_note(items, COLLAPSED), n))
    found += [Finding.examples(name, _with_note(items, note), n) for name, note in LABELS.items()]
    rows = zip(texts(items["item_id"]), texts(items["question"]), text_lists(items["choices"]), strict=True)
    seen: dict[str, list[str]] = {name: [] for name in FAULTS}
    for item_id, question, choices in rows:
        for name, (fault, _) in FAULTS.items():
            if what := fault(question, choices):
                seen[name].append(f"{item_id} ({what})")
    found += [Finding.examples(name, seen[name], n, severity=severity) for name, (_, severity) in FAULTS.items()]
    return CheckResult(found)


def _quarantined(settings: Settings) -> Iterator[Finding]:
    """The rows that did not become items, by the field that is wrong: a gold that is no choice is one of them."""
    if settings.quarantine is None or not len(settings.quarantine):
        return
    rows = settings.quarantine.to_pylist()
    for name in sorted({row["field"] for row in rows}):
        those = [f"{r['file']}:{r['line']} ({r['reason']})" for r in rows if r["field"] == name]
        yield Finding.examples(f"quarantined at reading: {name}", those, len(rows), severity="alarm")


def _with_note(items: pa.Table, said: str) -> list[str]:
    return [
        f"{item_id} ({'; '.join(notes)})"
        for item_id, notes in zip(texts(items["item_id"]), text_lists(items["notes"]), strict=True)
        if any(said in note for note in notes)
    ]


def _equal(question: str, choices: Sequence[str]) -> str | None:
    """Options that no reply can tell apart: equal but for case, white space, quotes and final punctuation."""
    plain = [_core(choice) for choice in choices]
    twice = [choice for choice, p in zip(choices, plain, strict=True) if plain.count(p) > 1]
    return f"{twice[0]!r} and {twice[1]!r}" if twice else None


def _near(question: str, choices: Sequence[str]) -> str | None:
    """Options that differ by a few characters, numbers aside: "120 bpm" and "130 bpm" are meant to."""
    from difflib import SequenceMatcher

    plain = [re.sub(r"\d+", lambda m: f"#{m[0]}#" * 3, _folded(choice)) for choice in choices]
    for a in range(len(plain)):
        for b in range(a + 1, len(plain)):
            shorter, longer = sorted((len(plain[a]), len(plain[b])))
            if 2 * shorter < NEAR * (shorter + longer):
                continue  # even if all of the shorter one matched
            if plain[a] == plain[b] or sorted(plain[a].split()) == sorted(plain[b].split()):
                continue  # equal ones are another fault; other orders of the same words are meant
            match = SequenceMatcher(None, plain[a], plain[b], autojunk=False)
            if match.quick_ratio() >= NEAR and match.ratio() >= NEAR:
                return f"{choices[a]!r} and {choices[b]!r}"
    return None


def _contained(question: str, choices: Sequence[str]) -> str | None:
    """An option that is part of another, word for word: a reply that names the longer one holds both."""
    plain = [f" {_core(choice)} " for choice in choices]
    for a, inner in enumerate(plain):
        for b, outer in enumerate(plain):
            if inner != outer and inner in outer:
                return f"{choices[a]!r} in {choices[b]!r}"
    return None


def _all_or_none(question: str, choices: Sequence[str]) -> str | None:
    """ "All of the above" has no meaning once the options are shown in another order."""
    return next((repr(choice) for choice in choices if ALL_OR_NONE.search(choice.lower())), None)


def _languages(question: str, choices: Sequence[str]) -> str | None:
    """Options of one item in different scripts, or in another than the question."""
    scripts = [_script(choice) for choice in choices]
    known = sorted({s for s in scripts if s})
    return " and ".join(known) if len(known) > 1 else None


def _script(text: str) -> str | None:
    """The script of most letters of a text, None without letters."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text[:200])) else None
    counts: dict[str, int] = {}
    for character in text[:200]:
        if character.isalpha():
            name = unicodedata.name(character, "").split(" ")[0]
            script = name if name in SCRIPTS else "other script"
            counts[script] = counts.get(script, 0) + 1
    return max(counts, key=counts.__getitem__).lower() if counts else None


def _long(question: str, choices: Sequence[str]) -> str | None:
    longest = max(len(question), *(len(choice) for choice in choices))
    return f"{longest} characters" if longest > LONG else None


def _told(question: str, choices: Sequence[str]) -> str | None:
    """A question that holds one of its options word for word, and no other."""
    asked = f" {_folded(question)} "
    inside = [c for c in choices if _stands_in(_core(c), asked)]
    return repr(inside[0]) if len(inside) == 1 and len(inside[0]) > 3 else None


def _stands_in(words: str, text: str) -> bool:
    """Whether a text holds the words with no letter or digit right before or after. (A pattern of each option's own
    would take longer to compile than all else that is looked at.)"""
    at = text.find(words)
    while at >= 0:
        if not any(char.isalnum() or char == "_" for char in text[max(at - 1, 0) : at] + text[at + len(words) :][:1]):
            return True
        at = text.find(words, at + 1)
    return False


FAULTS: dict[str, tuple[Fault, Any]] = {
    "options equal under normalisation": (_equal, "alarm"),
    "near-duplicate options": (_near, "note"),
    "an option within another": (_contained, "note"),
    "all or none of the above": (_all_or_none, "note"),
    "options in different scripts": (_languages, "note"),
    "the question names one option only": (_told, "note"),
    "very long text": (_long, "note"),
}
"""Name -> the fault and how grave it is."""
