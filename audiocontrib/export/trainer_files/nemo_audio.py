"""What NeMo RL needs beside the rows: classes that read the folder, clips decoded as audiocontrib hears them.

Its AudioMCQ class reads one data set of the hub; its class for conversations knows no system turn.
"""

from pathlib import Path
from typing import Any

from datasets import load_dataset
from exported_audio import samples
from nemo_rl.data.datasets.raw_dataset import RawDataset


class ExportedFolder(RawDataset):
    """`data.train.dataset_name: nemo_audio.…`, with `data_path`."""

    task_name = "exported"

    def __init__(self, data_path: str, split_validation_size: float = 0, seed: int = 42, **_: Any) -> None:
        rows = load_dataset("json", data_files=data_path, split="train").shuffle(seed=seed)
        self.dataset = rows.add_column("task_name", [self.task_name] * len(rows))
        self.preprocessor = self.format_data
        self.val_dataset = None
        self.split_train_validation(split_validation_size, seed)

    def format_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """A row as chat messages, the clip decoded."""
        raise NotImplementedError


class ExportedAudio(ExportedFolder):
    """Of GRPO. The processor there takes the first message for the question and the second for the answer."""

    task_name = "audiomcq"  # by this name it takes the messages as they are

    def format_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Question and answer."""
        asked = _asked(data["audio_path"], data["prompt"])
        messages = [asked, {"role": "assistant", "content": data["answer"]}]
        return {"messages": messages, "task_name": self.task_name, "choices": data["choices"]}


class ExportedConversations(ExportedFolder):
    """Of SFT."""

    def format_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """System turn, question and reply."""
        asked, reply = (turn["value"] for turn in data["conversations"])
        system = Path(__file__).with_name("system.txt").read_text(encoding="utf-8")
        # a list of parts in every turn: the processor of Qwen2.5-Omni looks for parts in the first one
        turns = [
            {"role": "system", "content": [_text(system)]},
            _asked(data["sound"][0], asked.removeprefix("<sound>")),
            {"role": "assistant", "content": [_text(reply)]},
        ]
        return {"messages": turns, "task_name": self.task_name}


def _asked(clip: str, text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "audio", "audio": samples(clip)}, _text(text)]}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
