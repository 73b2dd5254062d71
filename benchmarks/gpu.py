"""What one GPU does, in one command for nine minutes, with no network: JSON, a table and a plot.

Random weights in the shape of the published Qwen2.5-Omni thinkers. For each size: the share of the card's measured
matrix rate that questions reach, against (a) ``generate`` and (b) a forward for each option with the fastest attention
that they have here; replies against ``generate`` in a batch and transformers' continuous batching; memory; steps of SFT
and GRPO; the doctor. What has no time left is not begun, and what is found is written at once: a part that fails is
named in the table, and takes no other with it. The exit is 1 where scores differ beyond the tolerance or the doctor
finds a fault.

    python benchmarks/gpu.py [--sizes 3b,7b] [--device cuda] [--minutes 9] [--out gpu]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
import transformers

sys.path.insert(0, str(Path(__file__).parent))
import engine
from cost import MODELS
from engine import matrix_rate
from gpu_parts import Record, ask, clear, peak, reply, seconds_of, train

from audiocontrib.doctor import doctor
from audiocontrib.models.load import load_checkpoint
from audiocontrib.models.local import LocalModel
from audiocontrib.models.replies import ROWS

AUDIO = {"encoder_layers": 32, "encoder_attention_heads": 20, "encoder_ffn_dim": 5120, "d_model": 1280, "n_window": 100}
"""Of the published audio tower."""
SHAPES = {"tiny": None, "3b": MODELS["3B"], "7b": MODELS["7B"]}
TINY = {"hidden": 64, "layers": 2, "heads": 4, "kv_heads": 2, "ffn": 128, "audio_hidden": 64, "audio_layers": 2,
        "audio_ffn": 128, "init_std": 0.02}  # fmt: skip


def build(folder: Path, size: str, device: str, dtype: torch.dtype) -> None:
    """A checkpoint folder in the shape of the published one, with random weights made on the device."""
    sizes, engine.SIZES = engine.SIZES, {"tiny": TINY}
    try:
        # logits and windows of the published size would be most of what the tiny model does
        engine.build(folder, "tiny", *((2_000, 30) if SHAPES[size] is None else ()))
    finally:
        engine.SIZES = sizes
    if (shape := SHAPES[size]) is None:
        return
    config = transformers.AutoConfig.from_pretrained(folder)
    text = {
        "hidden_size": shape.hidden, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kinds, "intermediate_size": shape.inner, "vocab_size": shape.words,
        "layer_types": ["full_attention"] * shape.layers,
    }  # fmt: skip
    for part, told in ((config.text_config, text), (config.audio_config, AUDIO | {"output_dim": shape.hidden})):
        for name, value in told.items():
            setattr(part, name, value)
    config.text_config.rope_parameters["mrope_section"] = [16, 24, 24]  # half of a head of 128
    config.vision_config.out_hidden_size = shape.hidden
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            net = transformers.Qwen2_5OmniThinkerForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    net.generation_config.eos_token_id = transformers.AutoTokenizer.from_pretrained(folder).eos_token_id
    net.save_pretrained(folder)


def plot(record: Record, file: Path) -> None:
    """Milliseconds a question and tokens a second, by size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    for axis, unit in zip(figure.subplots(2, 1), ("ms a question", "tokens a second"), strict=True):
        shown = [row for row in record.rows if row["unit"] == unit and row["value"]]
        axis.barh([f"{r['size']} | {r['part']} | {r['what']}" for r in shown], [r["value"] for r in shown])
        axis.set(xlabel=unit, xscale="log")
        axis.tick_params(axis="y", labelsize=5)
        axis.invert_yaxis()
    figure.savefig(file, dpi=150)


def measure(record: Record, size: str, device: str, questions: int, lengths: Sequence[int], rows: int) -> None:
    """All parts at one size; the model is dropped before training loads its own."""
    with tempfile.TemporaryDirectory() as name:
        folder, checkpoint = Path(name), Path(name) / "model"
        record.part(size, "model", 30 if size != "tiny" else 1,
                    partial(measure_model, record, size, folder, device, questions, lengths, rows))  # fmt: skip
        clear(device)
        if checkpoint.is_dir():
            train(record, size, checkpoint, folder, device)


def measure_model(
    record: Record, size: str, folder: Path, device: str, questions: int, lengths: Sequence[int], rows: int
) -> None:
    """All that is asked of a model."""
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    spent, _ = seconds_of(partial(build, folder / "model", size, device, dtype), device)
    record.add(size, "model", "written in", spent, "s")
    spent, model = seconds_of(partial(load_checkpoint, folder / "model", device=device), device)
    record.add(size, "model", "loaded and checked in", spent, "s", f"path: {model.fast.path}")
    rate = matrix_rate(device, model.net.dtype)
    record.add(size, "model", "large matrix product", rate / 1e12, "TFLOP/s", str(model.net.dtype))
    clear(device)
    record.part(size, "questions", 20, partial(ask, record, size, model, folder, questions, rate))
    peak(record, size, "questions", "all", device)
    clear(device)
    record.part(size, "replies", 10, partial(reply, record, size, model, folder, lengths, rows))
    peak(record, size, "replies", "all", device)
    record.part(size, "doctor", 5, partial(look_over, record, size, model))
    model.close()


def look_over(record: Record, size: str, model: LocalModel) -> None:
    """What the doctor says."""
    faults = doctor(model).faults
    record.faults += [f"{size}, doctor: {fault}" for fault in faults]
    record.add(size, "doctor", "faults", len(faults), "", "; ".join(faults)[:200])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="3b,7b", help=", ".join(SHAPES))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--questions", type=int, default=256)
    parser.add_argument("--lengths", default="16,128,1024", help="tokens of replies")
    parser.add_argument("--rows", type=int, default=ROWS, help="replies at once")
    parser.add_argument("--out", type=Path, default=Path("gpu"), help="folder of gpu.json and gpu.png")
    given = parser.parse_args(argv)
    sizes = given.sizes.split(",")
    if unknown := [size for size in sizes if size not in SHAPES]:
        parser.error(f"--sizes: {unknown[0]!r} is none of {', '.join(SHAPES)}")
    lengths = given.lengths.split(",")
    if not all(one.isdecimal() and int(one) > 1 for one in lengths):
        parser.error(f"--lengths: {given.lengths!r} is no list of numbers above 1")
    if given.rows < 1 or given.questions < 1 or not given.minutes > 0:
        parser.error("--rows and --questions are at least 1, --minutes above 0")
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("no GPU is here; a small run on a CPU: --device cpu --sizes tiny")
    given.out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    record = Record(given.out / "gpu.json", start)
    name = torch.cuda.get_device_name() if given.device.startswith("cuda") else "CPU"
    record.about = {"device": name, "torch": torch.__version__, "transformers": transformers.__version__}
    print(f"{name}\n\n| size | part | what | value | unit | note |\n|---|---|---|---:|---|---|")
    for place, size in enumerate(sizes):  # each size has its share: a large one does not find the time spent
        record.until = start + 60 * given.minutes * (place + 1) / len(sizes)
        measure(record, size, given.device, given.questions, [int(n) for n in lengths], given.rows)
    plot(record, given.out / "gpu.png")
    for fault in record.faults:
        print(f"WRONG: {fault}")
    return 1 if record.faults else 0


if __name__ == "__main__":
    sys.exit(main())
