"""The demo data set: clips and questions made on the spot from a seed, in AudioMCQ's schema."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from audiocontrib.audio import RATE
from audiocontrib.sources.demo.questions import SceneQuestion, scene_questions
from audiocontrib.sources.demo.scenes import SCENES, Draw, Scene

FIRST_TRAINING_SEED = 1_000_000
"""The tiny models were trained on seeds from here on; below it nothing was seen in training."""


def clips(seed: int, most: int = 2) -> Iterator[tuple[Scene, list[SceneQuestion]]]:
    """An endless stream of scenes with the questions on each (see :func:`questions`); fixed by the seed."""
    draw = Draw(np.random.Generator(np.random.PCG64(seed)))
    while True:
        scene = SCENES[draw.value("scene", tuple(SCENES))](draw)
        yield scene, scene_questions(scene, draw, most)


def demo_rows(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """The first ``count`` rows in AudioMCQ's schema.

    Beside the published fields: ``audio`` (the clip as FLAC bytes), ``family``, ``needs_audio`` and
    ``leak`` (see :class:`Question`), which are the truth that scores and splits can be held against.
    """
    number = 0
    for clip_number, (scene, asked) in enumerate(clips(seed)):
        path = f"demo/{scene.kind}_{clip_number:05d}.flac"
        data = _flac(scene)
        for question in asked:
            if number == count:
                return
            yield {
                "source_dataset": "demo",
                "id": f"{seed}-{number}",
                "question_type": scene.kind,
                "audio_path": path,
                "question": question.text,
                "choices": list(question.choices),
                "answer": question.answer,
                "audio-contribution": "strong" if question.leak == "none" else "weak",
                "audio": data,
                "family": question.family,
                "needs_audio": question.leak == "none",
                "leak": question.leak,
            }
            number += 1


def _flac(scene: Scene) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(scene.samples, -1, 1), RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()
