"""Replies of 8 to 400 tokens, lengths spread evenly: side by side, one clip after the other, and by transformers.

The thinker of ``benchmarks/engine.py`` (random weights) writes replies whose lengths are set beforehand. For each case:
continuous batching as ``score`` does it; the replies of each clip by themselves; and, where nothing is heard,
transformers' own continuous batching on the same prompts. Processor seconds, one thread, one run.

    python benchmarks/batching.py [--questions 200] [--cases clips,silence,text]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig

sys.path.insert(0, str(Path(__file__).parent))
from engine import build, make_items, requests_of

from audiocontrib.models import reply_batch
from audiocontrib.models.load import load_checkpoint
from audiocontrib.models.local import LocalModel
from audiocontrib.models.replies import ROWS
from audiocontrib.models.reply_batch import JobGroup, ReplyJob, write_replies
from audiocontrib.stopping import stopping

SHORT, LONG = 8, 400
CASES = {
    "clips": ("audio 10 s, 1 a clip", 1, "audio"),
    "silence": ("silence 30 s, shared", 0, "silence"),
    "text": ("text", 0, "text"),
}
"""Case -> what it is called, questions a clip (0: all on one), condition."""
END = -1
PAGE = 64
"""Tokens of a page of transformers' cache; there are as many pages as ROWS of the longest replies take."""


class Length:
    """Stands where the dice of a reply stand: ends it after so many tokens."""

    def __init__(self, tokens: int) -> None:
        self.left = tokens


def draw_lengths(logits: torch.Tensor, lengths: Sequence[Length]) -> list[int]:
    """The likeliest token of each row, or its end."""
    tokens: list[int] = logits.argmax(-1).tolist()
    for row, one in enumerate(lengths):
        one.left -= 1
        tokens[row] = END if one.left < 0 else tokens[row]
    return tokens


def groups_of(model: LocalModel, asked: Sequence[Any], lengths: Sequence[int]) -> list[JobGroup]:
    """The jobs by clip."""
    held: dict[Any, list[int]] = {}
    for place, request in enumerate(asked):
        held.setdefault(request.ready.key, []).append(place)
    return [
        (
            partial(model.prefix_of, asked[places[0]], len(places)),
            [ReplyJob(p, asked[p].ready.suffix, Length(lengths[p])) for p in places],  # type: ignore[arg-type]
        )
        for places in held.values()
    ]


def written(model: LocalModel, groups: Sequence[JobGroup]) -> dict[int, list[int]]:
    """Place -> tokens."""
    return dict(write_replies(model.fast, groups, frozenset({END}), LONG + 1, ROWS, model.memory // 2))


def by_transformers(model: LocalModel, asked: Sequence[Any], lengths: Sequence[int]) -> dict[int, list[int]]:
    """The same by ``generate_batch``'s manager, which takes token ids only."""
    settings = GenerationConfig(do_sample=False, max_new_tokens=LONG, eos_token_id=END, pad_token_id=0)
    longest = max(len(one.ready.key[0]) + len(one.ready.suffix) for one in asked) + LONG
    pages = ContinuousBatchingConfig(page_size=PAGE, num_blocks=ROWS * -(-longest // PAGE))  # left alone it takes all
    manager = model.net.init_continuous_batching(generation_config=settings, continuous_batching_config=pages)
    manager.start()
    try:
        for place, (request, length) in enumerate(zip(asked, lengths, strict=True)):
            ids = [*request.ready.key[0], *request.ready.suffix]
            manager.add_request(ids, request_id=str(place), max_new_tokens=length)
        found: dict[int, list[int]] = {}
        while len(found) < len(asked):
            told = manager.get_result(timeout=60)
            if told is not None and told.is_finished():
                found[int(told.request_id)] = list(told.generated_tokens)
        return found
    finally:
        manager.stop(block=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", type=int, default=20, help="questions of the replies that are written by clip")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    reply_batch.draw_tokens = draw_lengths  # type: ignore[assignment]
    with stopping(), tempfile.TemporaryDirectory() as name:
        build(Path(name) / "model", "mid")
        model = load_checkpoint(Path(name) / "model", device="cpu", check=False)
        print("| case | way | tokens a second | same tokens |\n|---|---|---:|---|")
        for case in given.cases.split(","):
            run_case(model, case, given.questions, given.alone, Path(name))


def run_case(model: LocalModel, case: str, questions: int, alone: int, folder: Path) -> None:
    """One case, each way."""
    title, per_clip, condition = CASES[case]
    (folder / case).mkdir()
    items = make_items(folder / case, questions if per_clip else 1, per_clip or questions, 10.0 if per_clip else 1.0)
    asked = model.prepare(requests_of(items, [condition], "given"))
    lengths = [SHORT + round((LONG - SHORT) * i / (questions - 1)) for i in range(questions)]
    random.Random(0).shuffle(lengths)

    def told(way: str, count: int, work: Any) -> dict[int, list[int]]:
        model.forget()
        start = time.process_time()
        found: dict[int, list[int]] = work()
        rate = sum(map(len, found.values())) / (time.process_time() - start)
        same = "" if way == "side by side" else f"{sum(found[p] == ours[p] for p in found)} of {count}"
        print(f"| {title} | {way} | {rate:.0f} | {same} |", flush=True)
        return found

    ours = told("side by side", questions, lambda: written(model, groups_of(model, asked, lengths)))
    if per_clip:
        groups = groups_of(model, asked, lengths)[:alone]
        told("by clip", alone, lambda: {p: ids for one in groups for p, ids in written(model, [one]).items()})
    if condition == "text":
        told("transformers", questions, lambda: by_transformers(model, asked, lengths))


if __name__ == "__main__":
    main()
