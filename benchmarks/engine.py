"""How fast questions are asked, against the ways a harness asks them, and against what the machine could do.

A Qwen2.5-Omni thinker of about 45 million random parameters answers the same questions, in one run, three ways:
(a) one plain ``generate`` for each item, condition and order; (b) one plain forward for each option;
(c) ``audiocontrib.score``, from the files on disk to the answers in the run. The limit is the arithmetic that cannot be
shared (each distinct token once), at the rate at which this machine multiplies large matrices.

    python benchmarks/engine.py [--items 16] [--threads 1] [--device cpu] [--size mid|0.5b|3b]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "tiny"))
from build import make_model, make_processor, make_tokenizer

import audiocontrib as ac
from audiocontrib.audio import RATE
from audiocontrib.conditions import condition
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.models.load import load_checkpoint
from audiocontrib.models.local import LocalModel
from audiocontrib.models.trie import Trie
from audiocontrib.scoring.plan import RequestConfig, Shard, by_clip, partners, plan_questions
from audiocontrib.stopping import stopping

SIZES = {
    "mid": {"hidden": 512, "layers": 8, "heads": 8, "kv_heads": 2, "ffn": 2048, "audio_hidden": 256,
            "audio_layers": 4, "audio_ffn": 1024, "init_std": 0.02},
    "0.5b": {"hidden": 896, "layers": 24, "heads": 14, "kv_heads": 2, "ffn": 4864, "audio_hidden": 1280,
             "audio_layers": 16, "audio_ffn": 5120, "init_std": 0.02},
    "3b": {"hidden": 2048, "layers": 36, "heads": 16, "kv_heads": 2, "ffn": 11008, "audio_hidden": 1280,
           "audio_layers": 32, "audio_ffn": 5120, "init_std": 0.02},
}  # fmt: skip
SOUNDS = (
    """
dog bark|church bell|electric guitar|heavy rain|car horn|crying baby|acoustic piano|police siren|wind chimes|door slam
crowd applause|steam train|bird song|kitchen blender|ocean waves|snare drum|female speech|male speech|telephone ring
glass breaking|cat meowing|helicopter|violin solo|footsteps on gravel|thunder|laughter|keyboard typing|boiling water
""".strip()
    .replace("\n", "|")
    .split("|")
)
ASKED = (
    """
Which of these is heard right after the {}?|What is the most likely source of the {} in the clip?
What can be heard in the background during the {}?|Based on the audio, what happens before the {}?
""".strip()
    .replace("\n", "|")
    .split("|")
)
LONG = 128
"""Tokens of a reply that does not stop, which harnesses allow."""


def build(folder: Path, size: str, words: int = 16_000, window: int = 300) -> None:
    """A checkpoint folder: random weights, a BPE of so many tokens trained on Python's own documentation.

    Plain forwards hear a clip in a window of so many seconds; 300 is published.
    """
    texts = [
        path.read_text(encoding="utf-8", errors="ignore") for path in sorted(Path(random.__file__).parent.glob("*.py"))
    ]
    tokenizer = make_tokenizer("qwen2_5_omni", [*ASKED * 50, *SOUNDS * 50, "You are an audio understanding model that "
        "answers multiple choice questions based on audio content. Please choose the answer from the following "
        "options: "
        "Output the final answer in <answer> </answer>." * 50, *texts], words)  # fmt: skip
    make_model("qwen2_5_omni", tokenizer, SIZES[size], seed=0).save_pretrained(folder)
    processor = make_processor("qwen2_5_omni", tokenizer)
    processor.feature_extractor = transformers.WhisperFeatureExtractor(
        feature_size=128, sampling_rate=RATE, hop_length=160, chunk_length=window, n_fft=400, return_attention_mask=True
    )
    processor.save_pretrained(folder)


def make_items(folder: Path, clips: int, per_clip: int, seconds: float) -> Items:
    """Questions about noise, each with four options of its own."""
    dice = random.Random(0)
    items = []
    for clip in range(clips):
        samples = (np.random.default_rng(clip).standard_normal(round(seconds * RATE)) * 3000).astype("<i2")
        with wave.open(str(folder / f"{clip}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        for number in range(per_clip):
            about, *choices = dice.sample(SOUNDS, 5)
            question = dice.choice(ASKED).format(about)
            items.append(make_item(dataset="bench", own_id=f"{clip}-{number}", question=question, choices=choices,
                                   answer=choices[0], audio=Clip(f"{clip}.wav", str(folder))))  # fmt: skip
    return Items(items, (), {"name": "bench"})


class Plain:
    """The questions as a user of transformers asks them: the processor's output to the model, nothing shared."""

    def __init__(self, model: LocalModel) -> None:
        self.model, self.processor, self.net = model, model.processor, model.net  # type: ignore[attr-defined]

    def inputs(self, request: Any) -> dict[str, torch.Tensor]:
        audio = {"audio": [request.sound.samples], "audio_kwargs": {"sampling_rate": RATE}} if request.sound else {}
        made = self.processor(text=[self.model.encoder.render(request.prompt)], return_tensors="pt", **audio)  # type: ignore[attr-defined]
        return {k: v.to(self.net.device, self.net.dtype if v.is_floating_point() else None) for k, v in made.items()}

    @torch.inference_mode()
    def forward_per_option(self, request: Any) -> list[float]:
        scores = []
        for option in request.prompt.options:
            inputs = self.inputs(request)
            target = self.model.tokenizer(request.prompt.completion(option), add_special_tokens=False).input_ids
            n = inputs["input_ids"].shape[1]
            ids = torch.cat([inputs["input_ids"], torch.tensor([target], device=self.net.device)], dim=1)
            logits = self.net(
                **inputs | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, use_cache=False
            ).logits
            logprobs = logits[0, n - 1 : -1].float().log_softmax(-1)
            scores.append(logprobs[range(len(target)), target].sum().item())
        return scores

    @torch.inference_mode()
    def generate(self, request: Any, new_tokens: int) -> None:
        # a random model does not stop by itself: as many tokens as the right answer has
        self.net.generate(**self.inputs(request), do_sample=False, min_new_tokens=new_tokens, max_new_tokens=new_tokens)


def requests_of(items: Items, conditions: Sequence[str], orders: str) -> list[Any]:
    """All requests of a measurement, with their sounds."""
    from audiocontrib.audio import decode
    from audiocontrib.models import Request

    asking = RequestConfig(tuple(condition(c) for c in conditions), "likelihood", orders, "audiomcq")
    made = []
    for group in by_clip(items, Shard()):
        clip = decode(group[0].audio)  # type: ignore[arg-type]
        for q in plan_questions(group, asking, partners(items, asking)):
            made.append(Request(q.item, q.condition, q.order, q.prompt, q.condition.hear(clip, q.item.id)))
    return made


def arithmetic(model: LocalModel, requests: Sequence[Any]) -> tuple[float, int, int]:
    """Floating-point operations of each distinct token once; how many these are; and how many (b) would compute."""
    text, audio = model.net.config.get_text_config(), model.net.config.audio_config
    layers = model.net.model.layers if hasattr(model.net.model, "layers") else model.net.model.language_model.layers
    per_token = 2 * sum(p.numel() for p in layers.parameters() if p.dim() > 1)
    tower = (
        2 * sum(p.numel() for p in model.net.model.audio_tower.parameters() if p.dim() > 2),
        2 * sum(p.numel() for p in model.net.model.audio_tower.layers.parameters() if p.dim() > 1),
    )
    width = text.num_attention_heads * (getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)
    trees: dict[Any, tuple[Trie, set[int]]] = {}
    total, tokens, plain = 0.0, 0, 0

    def attend(start: int, depths: np.ndarray) -> float:
        return 4.0 * width * text.num_hidden_layers * float((start + depths + 1).sum())

    for request in model.prepare(requests):
        ready, sound = request.ready, request.sound
        if ready.key not in trees:
            trees[ready.key] = Trie(), set()
            n0 = len(ready.key[0])
            tokens += n0
            total += per_token * n0 + attend(0, np.arange(n0))
            if sound is not None:
                frames = len(sound.samples) / 160
                total += tower[0] * frames * 0.75 + tower[1] * frames / 2  # the second convolution halves the rate
                total += 4.0 * audio.d_model * audio.encoder_layers * frames / 2 * min(frames / 2, audio.n_window)
        tree, predicting = trees[ready.key]
        for nodes in tree.add_options(ready.suffix, ready.completions):
            predicting.update(nodes)
        plain += sum(len(ready.key[0]) + len(ready.suffix) + len(c) for c in ready.completions)
    for key, (tree, predicting) in trees.items():
        tokens += len(tree)
        total += per_token * len(tree) + attend(len(key[0]), tree.depths())
        total += 2.0 * text.hidden_size * text.vocab_size * len(predicting)
    return total, tokens, plain


def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large matrix product, the best of several."""
    n = 8192 if device.startswith("cuda") else 1536
    a, b = torch.randn(n, n, device=device, dtype=dtype), torch.randn(n, n, device=device, dtype=dtype)
    # processor time on a CPU: what else runs there does not make the limit lower
    return max(2 * n**3 / timed(lambda: _synced(a @ b))[0 if a.is_cuda else 1] for _ in range(8)) * (
        1 if a.is_cuda else torch.get_num_threads()
    )


def _synced(value: torch.Tensor) -> None:
    if value.is_cuda:
        torch.cuda.synchronize()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=128, help="questions that audiocontrib answers in each case")
    parser.add_argument("--plain", type=int, default=2, help="questions that the plain ways answer in each case")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", help="float32 on a CPU and bfloat16 on a GPU, if not given")
    parser.add_argument("--size", choices=SIZES, default="mid")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with stopping(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder / "model", given.size)
        model = load_checkpoint(folder / "model", device=given.device, dtype=given.dtype)
        rate = matrix_rate(given.device, model.net.dtype)
        weights = sum(p.numel() for p in model.net.parameters())
        print(
            f"{weights / 1e6:.0f} M parameters, {model.net.dtype}, {given.threads} thread(s), {rate / 1e9:.0f} GFLOP/s"
        )
        cases = {
            "silence 30 s": (1, 1.0, ["silence"], "given"),
            "audio 10 s, 4 a clip": (4, 10.0, ["audio"], "given"),
            "audio 10 s, 4 a clip, 4 orders": (4, 10.0, ["audio"], "cyclic"),
            "audio 10 s, 1 a clip": (1, 10.0, ["audio"], "given"),
            "text": (1, 1.0, ["text"], "given"),
            "audio + silence + text, 4 orders": (4, 10.0, ["audio", "silence", "text"], "cyclic"),
        }
        for case, (per_clip, seconds, conditions, orders) in cases.items():
            (folder / case).mkdir()
            count = given.items // (4 if orders == "cyclic" else 1)
            items = make_items(folder / case, count // per_clip, per_clip, seconds)
            run_case(case, model, items, conditions, orders, folder / f"run {case}", given.plain, rate)


def run_case(
    case: str, model: LocalModel, items: Items, conditions: list[str], orders: str, run: Path, plain: int, rate: float
) -> None:
    """One case, three ways, side by side; seconds for each question are processor time, wall time in brackets."""
    asked = requests_of(items, conditions, orders)
    stride = max(1, len(asked) // (plain * len(conditions)))
    chosen = asked[::stride][: plain * len(conditions)]
    new_tokens = round(np.mean([len(model._completion(r.prompt, r.item.choices[r.item.answer])) + 1 for r in asked]))
    way = Plain(model)
    way.forward_per_option(chosen[0])
    way.generate(chosen[0], 2)
    generate = timed(lambda: [way.generate(r, new_tokens) for r in chosen])
    long = timed(lambda: [way.generate(r, LONG) for r in chosen[::2]])
    forward = timed(lambda: [way.forward_per_option(r) for r in chosen])
    model.prefixes.clear()
    whole = timed(lambda: ac.score(items, [model], conditions, orders=orders, run=run, progress=False))
    flops, tokens, plain_tokens = arithmetic(model, asked)
    every = len(chosen[::2])
    ours, a, b = whole[1] / len(asked), generate[1] / len(chosen), forward[1] / len(chosen)
    print(f"\n{case}: {len(asked)} questions, {tokens:,} distinct tokens of {plain_tokens:,} that (b) computes")
    print(
        f"  (a) generate, {new_tokens} tokens   {a * 1e3:8.1f} ms a question "
        f"({generate[0] / len(chosen) * 1e3:.1f} wall)"
    )
    print(f"      generate, {LONG} tokens {long[1] / every * 1e3:8.1f} ms ({long[0] / every * 1e3:.1f} wall)")
    print(f"  (b) forward per option    {b * 1e3:8.1f} ms ({forward[0] / len(chosen) * 1e3:.1f} wall)")
    print(f"  (c) audiocontrib          {ours * 1e3:8.1f} ms ({whole[0] / len(asked) * 1e3:.1f} wall)")
    print(
        f"  (c) is {a / ours:.1f} times (a), {b / ours:.1f} times (b); {flops / rate / whole[1]:.0%} of the limit",
        flush=True,
    )


if __name__ == "__main__":
    main()
