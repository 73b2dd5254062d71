"""A whole Qwen2.5-Omni checkpoint, in the published layout, round the tiny thinker that ships: for trying ms-swift out.

    python recipes/training/swift/tiny_checkpoint.py --out tiny-omni [--model FOLDER]

ms-swift loads `Qwen2_5OmniForConditionalGeneration`, not a thinker alone. The parts that speak are left out, as
`enable_audio_output` allows; what the image processor is set to does not matter, it only has to be there.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from audiocontrib import load_model

RATE = 16_000
SHIPPED = Path(str(files("audiocontrib.models"))) / "tiny" / "tiny-qwen2.5-omni"


def write(out: Path, thinker: Path = SHIPPED) -> None:
    """The files that the published checkpoint has, in ``out``; FileExistsError if it is there."""
    model = load_model(str(thinker), device="cpu", dtype="float32")
    out.mkdir(parents=True)
    # from the file: there the weights have their published names, which differ from those in memory
    held = load_file(thinker / "model.safetensors")
    weights = {f"thinker.{key}": tensor.float() for key, tensor in held.items()}
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    whole = transformers.Qwen2_5OmniConfig(thinker_config=model.net.config.to_dict(), enable_audio_output=False)
    whole.architectures = ["Qwen2_5OmniForConditionalGeneration"]
    whole.save_pretrained(out)
    model.tokenizer.save_pretrained(out)
    extractor = transformers.WhisperFeatureExtractor(
        feature_size=128, sampling_rate=RATE, hop_length=160, chunk_length=300, n_fft=400, return_attention_mask=True
    )
    vision = model.net.config.vision_config
    sizes = {"patch_size": vision.patch_size, "temporal_patch_size": vision.temporal_patch_size}
    image = {"image_processor_type": "Qwen2VLImageProcessor", "merge_size": vision.spatial_merge_size, **sizes}
    named = extractor.to_dict() | image | {"processor_class": "Qwen2_5OmniProcessor"}
    # transformers opens this file even where nothing speaks; it is read with weights_only, and holds no voice
    torch.save({}, out / "spk_dict.pt")
    write_json(out / "preprocessor_config.json", named)
    video = image | {"video_processor_type": "Qwen2VLVideoProcessor"}
    del video["image_processor_type"]
    write_json(out / "video_preprocessor_config.json", video)
    write_json(out / "chat_template.json", {"chat_template": model.processor.chat_template})
    stop = sorted(model.stop)
    write_json(out / "generation_config.json", {"eos_token_id": stop, "pad_token_id": stop[0]})


def write_json(path: Path, held: dict[str, object]) -> None:
    path.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--model", type=Path, default=SHIPPED, help="folder of a thinker  [default: the one that ships]"
    )
    given = parser.parse_args()
    write(given.out, given.model)
