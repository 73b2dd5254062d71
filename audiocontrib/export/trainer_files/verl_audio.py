"""What verl (0.9) needs beside the rows: `data.custom_cls`, which decodes the clips, and the reward function."""

import sys
from pathlib import Path
from typing import Any

from verl.utils.dataset.rl_dataset import RLHFDataset

sys.path.append(str(Path(__file__).parent))
from exported_audio import samples
from exported_rewards import is_one_tag, says_the_same


class AudioDataset(RLHFDataset):
    """verl's own, which would hand the paths of the clips on as if they were sound."""

    def __init__(self, *given: Any, processor: Any = None, **named: Any) -> None:
        if processor is None:
            raise ValueError(
                "verl gives this model no processor, so that no clip could be heard: verl.utils.hf_processor of 0.9.1 "
                "takes those of some picture models alone; take a verl that knows the model"
            )
        super().__init__(*given, processor=processor, **named)

    @classmethod
    def _extract_audio_info(cls, messages: list[dict[str, Any]]) -> list[Any] | None:
        heard = super()._extract_audio_info(messages)
        return heard and [samples(one) if isinstance(one, str) else one for one in heard]


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **_: Any
) -> dict[str, float]:
    """The two published rewards (arXiv 2509.21060); their weights come with the row."""

    right, formed = says_the_same(solution_str, ground_truth), is_one_tag(solution_str)
    weights = extra_info["reward_weights"]
    return {"score": weights[0] * right + weights[1] * formed, "accuracy": right, "format": formed}
