"""What the name of a column says: the words in it, and whether columns are named as golds or as options are."""

from __future__ import annotations

import re

from audiocontrib.sources.columns import SPELLINGS

GOLD_FIRST = {"answer", "gold", "correct", "truth", "gt", "solution", "groundtruth", "answerkey", "goldanswer"}
GOLD_SECOND = {"label", "target", "key", "right", "true"}
"""Words by which a column counts as the gold; the second are names of other things too."""
_BESIDE = {"the", "is", "ground", "idx", "index", "letter", "text", "option", "choice", "id", "no", "number", "value",
           "str", "string", "name", "class", "answer", "of", "mc", "mcq", "position", "place"}  # fmt: skip
"""Words that may stand beside them. A column with any other (predicted, model, n, type) is no gold."""
OPTION_WORDS = {"choice", "option", "opt", "candidate", "alternative", "answer", "variant", "multi", "possible", "mc"}
WRONG_WORDS = {"distractor", "wrong", "incorrect", "false", "negative", "decoy", "foil"}
_WORDS: dict[str, tuple[str, ...]] = {
    "question": ("prompt", "query", "instruction", "problem"),
    "audio": ("wav", "audio", "sound", "recording", "file", "path", "clip"),
    "id": ("uid", "uuid", "key", "index", "name"),
    "clip_id": ("track", "recording", "ytid", "video"),
    "question_type": ("task", "type", "modality", "category"),
    "source_dataset": ("source", "dataset", "corpus"),
    "split": ("subset",),
}
"""Words in the names of columns, beside the spellings that are read without a mapping; the best first."""


def words_of(column: str) -> list[str]:
    """The words of a name, in the singular: ``correctAnswers_2`` is correct, answer."""
    parts = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    return [part[:-1] if len(part) > 3 and re.search(r"[^suix]s$", part) else part for part in parts]


def gold_rank(column: str) -> int | None:
    """How surely a column is the gold by its name, 0 the most; None: it is not named so."""
    words = words_of(column)
    if re.search(r"\d", column) or not words or not set(words) <= GOLD_FIRST | GOLD_SECOND | _BESIDE:
        return None
    if column.lower() in SPELLINGS["answer"]:
        return 0
    if not set(words).isdisjoint(GOLD_FIRST - {"answer", "correct"}) or "answer" in words or len(words) > 1:
        return 1 if not set(words).isdisjoint(GOLD_FIRST | GOLD_SECOND) else None
    return 2 if not set(words).isdisjoint(GOLD_FIRST | GOLD_SECOND) else None


def name_rank(column: str, field: str) -> int:
    """How well a name fits a field: 0 for a usual spelling, then by the word that it has, the last for none."""
    if column.lower() in SPELLINGS[field]:
        return 0
    words, known = words_of(column), _WORDS.get(field, ())
    return next((place for place, word in enumerate(known, start=1) if word in words), len(known) + 1)


def is_named(column: str, field: str) -> bool:
    """Whether a column is called as the field is, or has one of its words."""
    return name_rank(column, field) <= len(_WORDS.get(field, ()))
