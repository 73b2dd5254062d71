"""What verl (0.9) needs beside the rows: `data.custom_cls`, which decodes the clips, and the reward function."""

import re
import sys
from pathlib import Path
from typing import Any

from verl.utils.dataset.rl_dataset import RLHFDataset

sys.path.append(str(Path(__file__).parent))
from exported_audio import samples

TAGGED = re.compile("<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)


class AudioDataset(RLHFDataset):
    """verl's own, which would hand the paths of the clips on as if they were sound."""

    @classmethod
    def _extract_audio_info(cls, messages: list[dict[str, Any]]) -> list[Any] | None:
        heard = super()._extract_audio_info(messages)
        return heard and [samples(one) if isinstance(one, str) else one for one in heard]


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **_: Any
) -> dict[str, float]:
    """The two published rewards (arXiv 2509.21060); their weights come with the row."""

    def said(text: str) -> str:
        found = TAGGED.search(text)
        return (found[1] if found else text).strip().lower()

    bare = solution_str.strip()
    once = bare.count("<answer>") == bare.count("</answer>") == 1
    form = float(once and bare.startswith("<answer>") and bare.endswith("</answer>"))
    right = float(said(solution_str) == said(ground_truth))
    weights = extra_info["reward_weights"]
    return {"score": weights[0] * right + weights[1] * form, "accuracy": right, "format": form}
