"""What NeMo RL needs beside the rows of GRPO: its AudioMCQ class reads one data set of the hub, this one the folder."""

from typing import Any

from datasets import load_dataset
from exported_audio import samples
from nemo_rl.data.datasets.raw_dataset import RawDataset


class ExportedAudio(RawDataset):
    """`data.train.dataset_name: nemo_audio.ExportedAudio`, with `data_path`."""

    task_name = "audiomcq"  # by this name its processor takes the messages as they are

    def __init__(self, data_path: str, split_validation_size: float = 0, seed: int = 42, **_: Any) -> None:
        rows = load_dataset("json", data_files=data_path, split="train").shuffle(seed=seed)
        self.dataset = rows.add_column("task_name", [self.task_name] * len(rows))
        self.preprocessor = self.format_data
        self.val_dataset = None
        self.split_train_validation(split_validation_size, seed)

    def format_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """A row as chat messages, the clip decoded."""
        asked = [{"type": "audio", "audio": samples(data["audio_path"])}, {"type": "text", "text": data["prompt"]}]
        return {
            "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": data["answer"]}],
            "task_name": self.task_name,
            "choices": data["choices"],
        }
