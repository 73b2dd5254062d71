"""RUL-MuchoMusic (arXiv 2504.00369): MuChoMusic with distractors that a text model finds likely."""

from __future__ import annotations

from audiocontrib.errors import BadItem
from audiocontrib.hashing import stable_hash
from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.order import shuffled

NAME = "rul-muchomusic"
_USED = {"id", "question", "correct_answer", "distractors"}


def fields(row: Columns) -> Fields:
    """A row of ``RUL-MuchoMusic.json``, an object of objects by id.

    The file names no audio: the authors' example looks for ``<id>.mp3``. Questions with one caption are on
    one recording. The caption gives the answer away: it stays in ``extra``, as does the perceptual index PI.
    """
    own_id, distractors = str(row["id"]), row["distractors"]
    if not isinstance(distractors, list):
        raise BadItem("distractors", f"is a {type(distractors).__name__}, not a list")
    plain = Fields(
        question=row["question"],
        choices=[row["correct_answer"], *distractors],
        answer=row["correct_answer"],
        audio=f"{own_id}.mp3",
        own_id=own_id,
        clip_id=f"caption:{stable_hash([row['caption']])[:20]}",
        extra={name: cell for name, cell in row.items() if name not in _USED},
    )
    return shuffled(plain, NAME)


register_source(
    Source(
        name=NAME,
        about="RUL-MuchoMusic, 1,187 questions on music with five options, chosen to be hard without the audio",
        fields=fields,
    )
)
