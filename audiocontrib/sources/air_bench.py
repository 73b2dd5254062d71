"""AIR-Bench, foundation part (arXiv 2402.07729): 19 tasks on speech, sound and music, three or four options."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.columns import mapped

_FLAC = "Audio_Grounding"
"""The task whose clips are FLAC, though the file names them .wav."""
_plain = mapped(
    {"id": "uniq_id", "question": "question", "answer": "answer_gt", "audio": "path", "question_type": "task_name",
     "source_dataset": "dataset_name"}
)  # fmt: skip


def fields(row: Columns) -> Fields:
    """A row of ``Foundation_meta.json``; clips lie in ``<task_name>_<dataset_name>/`` beside it."""
    plain = _plain(row)
    path = plain.audio
    if isinstance(path, str):
        path = f"{path.rpartition('.')[0]}.flac" if row["task_name"] == _FLAC else path
        path = f"{row['task_name']}_{row['dataset_name']}/{path}"
    own_id = plain.own_id and f"{row['task_name']}/{plain.own_id}"  # nobody says that ids are unique across tasks
    return replace(plain, audio=path, own_id=own_id, clip_id=None)


register_source(
    Source(
        name="air-bench-foundation",
        about="AIR-Bench, foundation part: about 24,700 questions, 19 tasks on speech, sound and music",
        fields=fields,
        hub="qyang1021/AIR-Bench-Dataset",
        folder="Foundation",
    )
)
