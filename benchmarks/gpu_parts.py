"""The parts of benchmarks/gpu.py: questions, replies and steps of training, each written down as it is measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from engine import Plain, arithmetic, make_items, requests_of

import audiocontrib as ac
from audiocontrib.models.local import LocalModel
from audiocontrib.models.replies import written
from audiocontrib.models.self_check import self_check
from audiocontrib.training import GRPO, SFT, TrainingRows, train_grpo, train_sft

CASES = {
    "silence 30 s": (0, 1.0, "silence", "given"),
    "audio 10 s, 4 a clip, 4 orders": (4, 10.0, "audio", "cyclic"),
    "audio 10 s, 1 a clip": (1, 10.0, "audio", "given"),
    "text": (0, 1.0, "text", "given"),
}
"""Case -> questions a clip (0: all on one), seconds of a clip, condition, orders."""


class Amounts(NamedTuple):
    """How much is done of what takes long."""

    plain: int = 4
    """Questions that are asked the plain ways."""
    reply: int = 64
    """Tokens of a reply in GRPO."""
    seconds: float = 10.0
    """Of a clip that is trained on."""


AMOUNTS = {"tiny": Amounts(1, 4, 1.0)}
"""Of the size that only tries the parts."""


@dataclass(slots=True)
class Record:
    """What was found, written to a file at each step."""

    file: Path
    until: float
    """When all must be done (``time.perf_counter``)."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    def add(self, size: str, part: str, what: str, value: float | None, unit: str, note: str = "") -> None:
        """A figure; None: it was not to be had, and ``note`` says why."""
        self.rows.append({"size": size, "part": part, "what": what, "value": value, "unit": unit, "note": note})
        shown = "-" if value is None else f"{value:,.4g}"
        print(f"| {size} | {part} | {what} | {shown} | {unit} | {note} |", flush=True)
        told = {"about": self.about, "faults": self.faults, "rows": self.rows}
        self.file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def part(self, size: str, part: str, seconds: float, work: Callable[[], None]) -> None:
        """A part that is left out where less than ``seconds`` are left, and that may fail alone."""
        try:
            if self.until - time.perf_counter() < seconds:
                raise TimeoutError("no time was left for it")
            work()
        except Exception as error:  # of any kind: what else was measured is kept
            self.add(size, part, "all of it", None, "", f"{type(error).__name__}: {error}".splitlines()[0][:200])


def seconds_of(work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Seconds (of a GPU: wall; of a CPU: of the processor), and what came of it."""
    clock = time.perf_counter if device.startswith("cuda") else time.process_time
    start = clock()
    value = work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return clock() - start, value


def best_attention(model: LocalModel) -> str:
    """Flash attention where it is installed and there is a GPU for it; else PyTorch's own."""
    able = model.net.device.type == "cuda" and transformers.utils.is_flash_attn_2_available()
    return "flash_attention_2" if able else "sdpa"


@contextmanager
def attention(model: LocalModel, name: str) -> Iterator[None]:
    """The network with another attention."""
    if name != "sdpa":
        model.net.set_attn_implementation(name)
    try:
        yield
    finally:
        if name != "sdpa":
            model.net.set_attn_implementation("sdpa")


def ask(record: Record, size: str, model: LocalModel, folder: Path, questions: int, rate: float) -> None:
    """Questions by (a), (b) and (c), and whether (b) and (c) agree."""
    tolerance = self_check(model).tolerance
    record.add(size, "questions", "tolerance of scores", tolerance, "nats")
    for case in CASES:
        record.part(size, case, 15, partial(ask_case, record, size, case, model, folder, questions, rate, tolerance))


def ask_case(
    record: Record, size: str, case: str, model: LocalModel, folder: Path, questions: int, rate: float, tolerance: float
) -> None:
    """One case, three ways."""
    per_clip, length, heard, orders = CASES[case]
    amounts = AMOUNTS.get(size, Amounts())
    device = str(model.net.device)
    (folder / case).mkdir()
    count = questions // (4 if orders == "cyclic" else 1)
    items = make_items(folder / case, max(1, count // per_clip) if per_clip else 1, per_clip or count, length)
    asked = requests_of(items, [heard], orders)
    tokens = round(np.mean([len(c) for r in model.prepare(asked[:8]) for c in r.ready.completions])) + 1
    plain, few = Plain(model), asked[:: max(1, len(asked) // amounts.plain)][: amounts.plain]
    with attention(model, best_attention(model)):
        plain.forward_per_option(few[0])
        a, _ = seconds_of(lambda: [plain.generate(r, tokens) for r in few], device)
        b, right = seconds_of(lambda: [plain.forward_per_option(r) for r in few], device)
    model.likelihood(few)  # warm
    model.forget()
    run = folder / f"run {case}"
    c, _ = seconds_of(lambda: ac.score(items, [model], [heard], orders=orders, run=run, progress=False), device)
    a, b, c = a / len(few), b / len(few), c / len(asked)
    floating, _, _ = arithmetic(model, asked)
    for what, value in (("(a) generate", a), ("(b) forward an option", b), ("(c) audiocontrib", c)):
        record.add(size, case, what, value * 1e3, "ms a question")
    record.add(size, case, "(a)/(c)", a / c, "times")
    record.add(size, case, "share of the matrix rate", floating / rate / (c * len(asked)), "of 1")
    # (b) counts the opening tag that all options have: differences between options are what both give
    ours = [np.array(one.logprobs) for one in model.likelihood(few)]
    apart = max(float(np.abs((o - o[0]) - (np.array(r) - r[0])).max()) for o, r in zip(ours, right, strict=True))
    if not apart <= 2 * tolerance:
        record.faults.append(f"{size}, {case}: scores differ by {apart:.3g} nats (tolerance {tolerance:.3g})")
    record.add(size, case, "scores differ by", apart, "nats")


def reply(record: Record, size: str, model: LocalModel, folder: Path, lengths: Sequence[int], rows: int) -> None:
    """Replies of a set length: ours, ``generate`` in a batch, and continuous batching, which takes no audio."""
    for heard, per_clip in (("audio", 1), ("text", rows)):
        name = f"replies, {heard}"
        clips = folder / name
        clips.mkdir()
        items = make_items(clips, rows // per_clip, per_clip, 10.0)
        asked = model.prepare(requests_of(items, [heard], "given"))
        prompts = [[*r.ready.key[0], *r.ready.suffix] for r in asked]
        for length in lengths:
            work = partial(reply_ways, record, size, name, model, asked, prompts, length)
            record.part(size, f"{name}, {length} tokens", 2 + length * 0.06, work)


def reply_ways(
    record: Record, size: str, name: str, model: LocalModel, asked: Sequence[Any], prompts: Any, length: int
) -> None:
    """Replies of one length, two or three ways."""
    ways: dict[str, Callable[[], Any]] = {
        "audiocontrib": partial(written, model, asked, frozenset(), length),
        "generate": partial(in_a_batch, model, asked, prompts, length),
    }
    if "text" in name:
        ways["continuous"] = partial(continuously, model, prompts, length)
    for way, work in ways.items():
        model.forget()
        spent, _ = seconds_of(work, str(model.net.device))
        record.add(size, name, f"{length} tokens, {way}", len(asked) * length / spent, "tokens a second")


@torch.inference_mode()
def in_a_batch(model: LocalModel, asked: Sequence[Any], prompts: Sequence[Sequence[int]], length: int) -> None:
    """Left-padded prompts to the network's own ``generate``."""
    width, device = max(map(len, prompts)), model.net.device
    ids = torch.tensor([[model.fast.pad_id] * (width - len(one)) + list(one) for one in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts], device=device)
    features = [model.features(r.prompt, r.sound) for r in asked]
    together = {key: torch.cat([one[key] for one in features]) for key in features[0]}
    model.net.generate(input_ids=ids, attention_mask=mask, do_sample=False, min_new_tokens=length,
                       max_new_tokens=length, **together)  # fmt: skip


def continuously(model: LocalModel, prompts: Sequence[Sequence[int]], length: int) -> None:
    """transformers' continuous batching, with no more pages than the replies need."""
    pages = sum(-(-(len(one) + length) // 256) + 1 for one in prompts)
    model.net.generate_batch(
        inputs=[list(one) for one in prompts],
        generation_config=transformers.GenerationConfig(
            do_sample=False, max_new_tokens=length, eos_token_id=-1, pad_token_id=0
        ),
        continuous_batching_config=transformers.ContinuousBatchingConfig(num_blocks=pages, page_size=256),
        progress_bar=False,
    )


def train(record: Record, size: str, checkpoint: Path, folder: Path, device: str) -> None:
    """Seconds a step of SFT and GRPO, with and without adapters."""
    (folder / "training").mkdir()
    amounts = AMOUNTS.get(size, Amounts())
    rows = TrainingRows(make_items(folder / "training", 8, 1, amounts.seconds), 1)
    common: dict[str, Any] = {"part": "all", "learning_rate": 1e-6, "steps": 3, "save_every": 100, "copies": 1}
    for tune in ("lora", "full"):
        stages: dict[str, Callable[[Path], Any]] = {
            "SFT, 4 rows": lambda out, t=tune: train_sft(
                SFT(**common, batch=4, tune=t), rows, checkpoint, out, progress=False
            ),
            f"GRPO, 8 replies of {amounts.reply}": lambda out, t=tune: train_grpo(
                GRPO(**common, batch=8, generations=8, new_tokens=amounts.reply, tune=t),
                rows,
                checkpoint,
                out,
                progress=False,
            ),
        }
        for stage, work in stages.items():
            step = partial(time_steps, record, size, stage, tune, partial(work, folder / f"{stage} {tune}"), device)
            record.part(size, stage, 60 if size != "tiny" else 2, step)


def time_steps(record: Record, size: str, stage: str, tune: str, work: Callable[[], Any], device: str) -> None:
    """The median step of a training, from the beginning of one to that of the next."""
    clear(device)
    starts, usual = list[float](), transformers.Trainer.training_step

    def timed(self: Any, *args: Any, **more: Any) -> Any:
        starts.append(time.perf_counter())
        return usual(self, *args, **more)

    transformers.Trainer.training_step = timed
    try:
        work()
    finally:
        transformers.Trainer.training_step = usual
    record.add(size, stage, f"{tune}: a step", float(np.median(np.diff(starts))), "s")
    peak(record, size, stage, tune, device)


def clear(device: str) -> None:
    """Count memory anew."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak(record: Record, size: str, part: str, what: str, device: str) -> None:
    """The most memory since :func:`clear`; of a CPU nothing is said."""
    if device.startswith("cuda"):
        record.add(size, part, f"{what}: peak memory", torch.cuda.max_memory_allocated() / 2**30, "GiB")
