"""R1-AQA (Xiaomi): JSON lines for its GRPO on Qwen2-Audio."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from audiocontrib.export.base import SOUND_TOKENS, Launch, Stage, TrainingExample, export_format

RUN = """#!/bin/bash
# GRPO with R1-AQA on Qwen2-Audio, the one model that it trains: R1_AQA=/opt/r1-aqa bash grpo.sh
# R1_AQA names its source tree. Learning rate, sampling, steps and rewards are fixed in its src/train.py and src/utils.
# So is the length of a prompt: 512 tokens, of which a second of sound takes 25. What is longer is counted as reply, and
# learned: give it no clips of more than some 15 s.
set -euo pipefail
: "${R1_AQA:?name the source tree of R1-AQA}"
HERE=$(cd "$(dirname "$0")" && pwd)
cd CLIPS
torchrun --nproc_per_node="${GPUS:-8}" --master_port="${PORT:-32777}" "$R1_AQA/src/train.py" \\
    --config_path "$R1_AQA/conf/ds_zero3.json" \\
    --model_name_or_path "${MODEL:-Qwen/Qwen2-Audio-7B-Instruct}" \\
    --out_dir "${OUT:-$HERE/trained}" \\
    --data_file "$HERE/FILE" \\
    --use_wandb false "$@"
"""


def r1_aqa_files(told: Launch) -> Mapping[str, str]:
    """A script; its settings are not ours to give."""
    return {
        "grpo.sh": RUN.replace("FILE", told.file).replace("CLIPS", shlex.quote(told.media) if told.media else '"$HERE"')
    }


NUMBER = re.compile(r"\d+(?:,\d+)*(?:\.\d+)?")


def _values(text: str) -> set[float]:
    """The numbers that may be meant: as they stand, as fractions and as shares of 100."""
    stand = [float(found.replace(",", "")) for found in NUMBER.findall(text)]
    made = [one / other for one, other in pairwise(stand) if other] if re.search("/|frac", text) else []
    return {*stand, *made, *([one / 100 for one in stand] if "%" in text else [])}


def same_numbers(one: str, other: str) -> bool:
    """Whether its reward may take one option for the other: before it compares texts it has math-verify look for a
    number in each ("2 dogs, 3 cats" is "1 dog, 3 mice"), or for LaTeX."""
    return bool(_values(one) & _values(other)) or all(re.search(r"[$\\]", text) for text in (one, other))


@export_format("r1-aqa", stages=("grpo",), tags=SOUND_TOKENS, same=same_numbers, launch=r1_aqa_files)
def r1_aqa(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Its own columns, and the finished prompt: under the name AVQA it would write one itself, in which every
    "video" of the question has become "audio"; under any other name it takes what the row holds."""
    prompt = example.row.prompt
    heard = [{"type": "audio", "audio_url": example.audio}, {"type": "text", "text": prompt.user}]
    return {
        "id": example.name,
        "dataset_name": "audiocontrib",
        "question_text": prompt.question,
        "multi_choice": list(prompt.options),
        "answer": example.row.gold,
        "audio_path": example.audio,
        "prompt": [{"role": "system", "content": prompt.system}, {"role": "user", "content": heard}],
        "solution": example.row.target,
    } | dict(example.extra)
