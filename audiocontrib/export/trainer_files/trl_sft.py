"""SFT with audio by TRL 1.16, from this folder; nothing of audiocontrib is needed.

    python sft.py --config sft.yaml [--max_steps 2 ...]
    accelerate launch sft.py --config sft.yaml

TRL's own collator drops the sound of a prompt without a word; the one below does not.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset
from exported_audio import RATE, samples
from trl import ModelConfig, SFTConfig, SFTTrainer, TrlParser, get_peft_config

HERE = Path(__file__).parent
IGNORED = -100
THINKERS = {
    "qwen2_5_omni": "Qwen2_5OmniThinkerForConditionalGeneration",
    "qwen3_omni_moe": "Qwen3OmniMoeThinkerForConditionalGeneration",
}
"""Kinds of checkpoint whose own class also speaks, and has no forward."""


@dataclass
class ExportedRows:
    """What is read, and how much of a clip."""

    rows: str = field(default="sft.jsonl", metadata={"help": "File of rows, beside this script."})
    seconds: float = field(default=30.0, metadata={"help": "Clips are cut here."})
    audio_root: str = field(default="", metadata={"help": "Folder of clips with relative paths; else beside this."})


class HearingCollator:
    """Rows by their numbers -> a batch in which only the reply is learned. Padded on the right."""

    def __init__(self, rows: list[dict[str, Any]], processor: Any, seconds: float) -> None:
        self.rows, self.processor, self.seconds = rows, processor, seconds

    def __call__(self, examples: list[dict[str, int]]) -> dict[str, Any]:
        """Tensors for the network; ValueError that names the row whose reply is cut up in another way by itself."""
        chosen = [self.rows[example["row"]] for example in examples]
        prompts = [self._written(row["prompt"], add_generation_prompt=True) for row in chosen]
        wholes = [self._written(row["prompt"] + row["completion"]) for row in chosen]
        batch = self.processor(
            text=wholes,
            audio=[samples(_clip(row), self.seconds) for row in chosen],
            audio_kwargs={"sampling_rate": RATE},
            text_kwargs={"padding": True, "padding_side": "right", "add_special_tokens": False},
            return_tensors="pt",
        )
        labels = torch.full_like(batch["input_ids"], IGNORED)
        for place, (row, prompt, whole) in enumerate(zip(chosen, prompts, wholes, strict=True)):
            said = self.processor.tokenizer(whole.removeprefix(prompt), add_special_tokens=False)["input_ids"]
            end = int(batch["attention_mask"][place].sum())
            reply = slice(end - len(said), end)
            if not whole.startswith(prompt) or batch["input_ids"][place, reply].tolist() != said:
                raise ValueError(f"{row['item_id']}: the reply cannot be told from the prompt in this model's template")
            labels[place, reply] = batch["input_ids"][place, reply]
        return dict(batch) | {"labels": labels}

    def _written(self, turns: list[dict[str, Any]], **how: Any) -> str:
        text: str = self.processor.apply_chat_template(turns, tokenize=False, **how)
        return text


def _clip(row: dict[str, Any]) -> str:
    [clip] = [part["audio"] for turn in row["prompt"] for part in turn["content"] if part["type"] == "audio"]
    return str(clip)


def written_rows(path: Path) -> list[dict[str, Any]]:
    """The rows. Not by `datasets`: it would give every part of a message the keys of all others."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]  # splitlines would cut at other breaks in a text too


def train_by_trl() -> None:
    """Train, and save the model with its processor."""
    heard, settings, chosen = TrlParser((ExportedRows, SFTConfig, ModelConfig)).parse_args_and_config()
    if heard.audio_root:
        os.environ.setdefault("AUDIO_ROOT", heard.audio_root)
    name = chosen.model_name_or_path
    processor = transformers.AutoProcessor.from_pretrained(name)
    if not hasattr(processor, "feature_extractor"):
        sys.exit(f"error: {name} comes with no processor that takes sound; name the model that it was made from")
    config = transformers.AutoConfig.from_pretrained(name)
    kind = getattr(transformers, THINKERS.get(config.model_type, (config.architectures or [""])[0]))
    # float32: steps of 1e-6 are lost when they are added to bfloat16 weights; arithmetic is as the settings say
    net = kind.from_pretrained(name, dtype=torch.float32)
    rows = written_rows(HERE / heard.rows)
    trainer = SFTTrainer(
        model=net,
        args=settings,
        data_collator=HearingCollator(rows, processor, heard.seconds),
        train_dataset=Dataset.from_dict({"row": range(len(rows))}),
        processing_class=processor.tokenizer,
        peft_config=get_peft_config(chosen),
    )
    trainer.train()
    trainer.save_model()
    processor.save_pretrained(settings.output_dir)


if __name__ == "__main__":
    train_by_trl()
