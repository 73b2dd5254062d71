"""MuChoMusic (arXiv 2408.01337): the published CSV, and the JSON that its scripts make for scoring."""

from __future__ import annotations

from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, Fields, Source, item_text, register_source
from audiocontrib.sources.order import shuffled

NAME = "muchomusic"
_DISTRACTORS = ("distractor_1_answer", "distractor_2_answer", "distractor_3_answer")
_CLIP_SECONDS = 10  # every clip of MusicCaps


def fields(row: Columns) -> Fields:
    """A row of either form, told apart by ``answer_orders``."""
    return _scoring(row) if "answer_orders" in row else _published(row)


def _published(row: Columns) -> Fields:
    """A row of the CSV. It has the gold first, so the choices are shuffled; its audio path is worked out."""
    track, path = _clip(row["dataset"], str(row["dataset_identifier"]))
    used = {"question_id", "question", "correct_answer", "dataset", *_DISTRACTORS}
    plain = Fields(
        question=row["question"],
        choices=[row["correct_answer"], *(row[name] for name in _DISTRACTORS)],
        answer=row["correct_answer"],
        audio=path,
        own_id=item_text(row.get("question_id")),
        clip_id=track,
        source_dataset=row["dataset"],
        extra=_others(row, used),
    )
    return shuffled(plain, NAME)


def _scoring(row: Columns) -> Fields:
    """A row of the JSON. Its ``id`` is the track's, which several questions share, so it is no item's own."""
    answers, orders = row["answers"], row["answer_orders"]
    lists = isinstance(answers, list) and isinstance(orders, list)
    if not lists or len(orders) != len(answers) or orders.count(0) != 1:
        raise BadItem("answer_orders", f"{orders!r} is no order of the answers {answers!r}")
    return Fields(
        question=_question(str(row["prompt"])),
        choices=answers,
        answer=orders.index(0),
        answer_as="index",
        audio=row["audio_path"],
        clip_id=f"{row['dataset']}/{row['id']}",
        source_dataset=row["dataset"],
        extra=_others(row, {"id", "answers", "dataset", "audio_path"}),
    )


def _clip(dataset: Any, identifier: str) -> tuple[str, str]:
    """Name of the recording, and where the official scripts expect it below their folder ``data``."""
    name = identifier.removesuffix(".json")
    if dataset == "sdd" and name.isdecimal():
        return f"sdd/{name}", f"sdd/audio/{int(name) % 100:02d}/{name}.2min.mp3"
    video, _, start = name.rpartition("_")
    if dataset == "musiccaps" and video and start.isdecimal():
        return f"musiccaps/{video}", f"musiccaps/audio/[{video}]-[{start}-{int(start) + _CLIP_SECONDS}].wav"
    raise BadItem("dataset_identifier", f"{identifier!r} of {dataset!r} names no track of sdd or musiccaps")


def _question(prompt: str) -> str:
    """The question in ``… Question: QUESTION Options: (A) … The correct answer is: ``."""
    before, options, _ = prompt.rpartition("Options: (A)")
    _, start, question = before.rpartition("Question: ")
    if not (options and start):
        raise BadItem("prompt", f"{prompt[:80]!r} is not 'Question: … Options: (A) …'")
    return question.strip()


def _others(row: Columns, used: set[str]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if name not in used}


register_source(
    Source(
        name=NAME,
        about="MuChoMusic, 1,187 questions on music from Song Describer and MusicCaps, four options",
        fields=fields,
        hub="mulab-mir/muchomusic",
    )
)
