"""What the JSON files of a run may hold: each is read through its schema, and what does not fit is one line.

Fields that are not named here are kept as they are: a later program may know more.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter, ValidationError

from audiocontrib.errors import AudiocontribError

LENIENT = ConfigDict(extra="allow")
Number = StrictInt | StrictFloat


class DataFile(BaseModel):
    """Where the items were read."""

    model_config = LENIENT
    name: StrictStr = ""
    path: StrictStr | None = None
    hub: StrictStr | None = None
    revision: StrictStr | None = None
    split: StrictStr | None = None
    audio_root: StrictStr | None = None
    limit: StrictInt | None = None
    seed: StrictInt | None = None
    left_out: dict[str, StrictInt] | None = None
    slices: list[StrictStr] = []


class PromptFile(BaseModel):
    """The prompt, whole; its name and hash alone in runs of older programs."""

    model_config = LENIENT
    name: StrictStr = ""
    sha256: StrictStr | None = None
    system: StrictStr | None = None
    user: StrictStr | None = None


class ModelFile(BaseModel):
    """A model's fingerprint."""

    model_config = LENIENT
    dtype: StrictStr | None = None


class Identity(BaseModel):
    """What fixes the answers."""

    model_config = LENIENT
    dataset: DataFile = DataFile()
    models: dict[str, ModelFile] = {}
    conditions: list[StrictStr] | dict[str, Any] = []
    method: StrictStr | None = None
    orders: StrictStr | StrictInt | None = None
    prompt: PromptFile | None = None
    sampling: dict[str, Any] | None = None


class Start(BaseModel):
    """How it was started."""

    model_config = LENIENT
    origin: DataFile | None = None
    versions: dict[str, StrictStr | None] = {}
    command: list[StrictStr] | None = None


class ManifestFile(Start):
    """run.json, but for its identity, which has to be there."""

    model_config = LENIENT
    identity: Identity = Identity()
    created_at: StrictStr = ""
    reader: StrictInt = 0
    earlier: list[Start] = []


class MarkingFile(BaseModel):
    """What marks changed in the run that was split."""

    model_config = LENIENT
    without: list[StrictStr]
    corrected_keys: StrictBool
    left_out: list[StrictStr]
    keys: dict[str, tuple[StrictInt, StrictStr]] = {}


class SettingsFile(BaseModel):
    """settings.json of a split."""

    model_config = LENIENT
    rule: StrictStr = ""
    threshold: Number | None = None
    condition: StrictStr | None = None
    audio: StrictStr | None = None
    method: StrictStr | None = None
    models: list[StrictStr] = []
    leave_out: list[StrictStr] = []
    findings: dict[str, Any] = {}
    warnings: list[StrictStr] = []
    review_out: StrictStr | None = None
    marking: MarkingFile | None = None


class CertificateFile(BaseModel):
    """A row of certificate.json."""

    model_config = LENIENT
    model: StrictStr = ""
    condition: StrictStr = ""
    method: StrictStr | None = None
    n: StrictInt = 0
    held_out: StrictInt = 0
    calibrated: StrictBool = False


def checked(kind: Any, held: Any, path: Path, again: str) -> Any:
    """A value that a file holds, as it is. AudiocontribError, which names the field, if it does not fit.

    Args:
        kind: its schema.
        again: what the user may do.
    """
    try:
        _adapter(kind).validate_python(held)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(one) for one in first["loc"] if not _is_kind(one))
        given = shorten(repr(first["input"]), 60)
        raise AudiocontribError(f"{path} is damaged: {where}: {first['msg']} (it holds {given}); {again}") from None
    return held


def _is_kind(place: str | int) -> bool:
    """Whether a part of an error's place is a type that was tried, not a field."""
    return isinstance(place, str) and (place in ("str", "int", "float", "bool") or place.endswith("File"))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
