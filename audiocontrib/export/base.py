"""What an export is made of: one example, as a trainer wants it written, and the formats by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from audiocontrib.config.words import near
from audiocontrib.errors import UsageError
from audiocontrib.registry import Registry
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.rows import TrainingRow

Stage = Literal["sft", "grpo"]
Audio = Literal["absolute", "relative", "copy", "embed"]
"""How a row refers to its clip: by its whole path; by its path within the data set's audio folder; by the path of a
copy, within the exported folder; or the encoded file itself inside the row."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One row of training, before it takes a trainer's form."""

    row: TrainingRow
    name: str
    """Id of the item and number of the copy: ``demo/17#2``. No two rows share it."""
    audio: Any
    """What stands for the clip: a path, or under ``embed`` what the format's ``embed`` makes of the encoded file."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The columns of EXTRA: no trainer needs them, and they say where the row is from."""
    reward_weights: tuple[float, float] = (2.0, 0.5)
    """Of the right option and of the form, by the recipe."""


PARENT = "audio-contribution"
"""What AudioMCQ itself calls an item: weak or strong."""
EXTRA: Mapping[str, Any] = {
    "item_id": "",
    "clip_id": "",
    "part": "",
    "score": 0.0,
    "rule": "",
    "weight": 0.0,
    PARENT: "",
}
"""The columns beside a trainer's own, each with a value of its type: ids of the item and of its recording, part and
score by the split, the split's rule, the weight of the row, and PARENT ("" where the data set does not say)."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a trainer's configuration is made of."""

    stage: Stage
    file: str
    """Of the rows."""
    settings: SFT | GRPO
    """Of the recipe; where none was given, the published ones."""
    model: str
    """To start from."""
    system: str
    """Text of the system turn."""
    media: str = ""
    """Folder in which relative paths of clips are looked up; "": that of the rows."""


@dataclass(frozen=True, slots=True)
class Format:
    """A trainer's form of rows."""

    row: Callable[[TrainingExample, Stage], dict[str, Any]]
    """An example as the trainer reads it."""
    stages: tuple[Stage, ...] = ("sft", "grpo")
    """What the trainer can train with audio."""
    audio: tuple[Audio, ...] = ("absolute", "relative", "copy")
    """How its rows may refer to clips; the first is the default."""
    tags: tuple[str, ...] = ()
    """Texts that the trainer takes for the place of a clip or picture: no question may hold one."""
    same: Callable[[str, str], bool] | None = None
    """Whether the trainer's own reward for GRPO takes one option for another: no wrong option may pass for the gold."""
    file: str = "{stage}.jsonl"
    """Name of the file of rows; its ending says how it is written (no ending: a `datasets` folder)."""
    embed: Callable[[bytes], Any] | None = None
    """The encoded file of a clip as it stands in a row."""
    beside: Callable[[Stage, str], Mapping[str, str]] | None = None
    """Other files that the trainer wants, by name: of the stage and the name of the file of rows."""
    launch: Callable[[Launch], Mapping[str, str]] | None = None
    """The trainer's configuration and what it is started with, by name."""


SOUND_TOKENS = tuple(
    f"<|{name}|>" for name in ("AUDIO", "audio_bos", "audio_eos", "audio_pad", "audio_start", "audio_end")
)
"""What Qwen's models have for a clip and its ends: a question that holds one asks for a clip more than there is."""
FORMATS: Registry[Format] = Registry("export format")
NAME = re.compile(r"[a-z][a-z0-9_-]*")
FILE = re.compile(r"[\w-]+(\.jsonl|\.parquet)?")


def for_rewards(example: TrainingExample) -> dict[str, Any]:
    """The columns by which a reward function knows the right reply."""
    return {
        "solution": example.row.target,
        "options": list(example.row.prompt.options),
        "gold": example.row.gold,
    }


def underscored(extra: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of EXTRA under names that hold no hyphen."""
    return {name.replace("-", "_"): value for name, value in extra.items()}


def export_format(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that files a function as a format; ``settings`` are the other fields of :class:`Format`.

    Raises:
        UsageError: the name is taken or no name, or a setting is not what the field allows.

    Example:
        >>> @export_format("pairs")
        ... def pairs(example, stage):
        ...     return {"ask": example.row.prompt.user, "answer": example.row.target, "audio": example.audio}
    """
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise UsageError(f"an export format needs a name of small letters, digits, - and _; this is {name!r}")
    fields = [key for key in Format.__dataclass_fields__ if key != "row"]
    if unknown := [key for key in settings if key not in fields]:
        raise UsageError(f"format {name}: there is no field {unknown[0]!r}; {near(unknown[0], fields)}")
    if not isinstance(tags := settings.get("tags", ()), tuple) or not all(isinstance(tag, str) and tag for tag in tags):
        raise UsageError(f"format {name}: tags is {tags!r}, but must be a tuple of texts")
    for key in ("same", "embed", "beside", "launch"):
        if not (callable(settings.get(key)) or settings.get(key) is None):
            raise UsageError(f"format {name}: {key} is {settings[key]!r}, but must be a function")
    for key, allowed in {"stages": get_args(Stage), "audio": get_args(Audio)}.items():
        given = settings.get(key, allowed[:1])
        if not (isinstance(given, tuple) and given and set(given) <= set(allowed)):
            raise UsageError(f"format {name}: {key} is {given!r}, but must be a tuple of some of: {', '.join(allowed)}")
    file_name = settings.get("file", Format.__dataclass_fields__["file"].default)
    if not (isinstance(file_name, str) and FILE.fullmatch(file_name.replace("{stage}", "stage"))):
        raise UsageError(
            f"format {name}: file is {file_name!r}, but must be a name that ends in .jsonl, .parquet or not"
        )

    def file(row: Callable[..., Any]) -> Callable[..., Any]:
        FORMATS.register(name)(Format(row, **settings))
        return row

    return file
