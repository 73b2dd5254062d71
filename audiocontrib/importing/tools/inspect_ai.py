"""Logs of inspect_ai: ``.eval`` (a zip of JSON files) and ``.json``."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocontrib.audio.archives import MAX_MEMBER
from audiocontrib.errors import AudiocontribError
from audiocontrib.importing.joining import Asked
from audiocontrib.importing.tools.base import AnswerTool, log_row, register_tool, right_or_wrong, texts_in
from audiocontrib.importing.tools.documents import as_shown, clips_in
from audiocontrib.sources.base import Rows

ZSTD = 93  # the way of packing that zipfile learns in Python 3.14


def _knows(path: Path) -> bool:
    if path.suffix == ".eval":
        return zipfile.is_zipfile(path)
    with path.open(encoding="utf-8") as file:
        head = file.read(4096)
    return head.lstrip().startswith("{") and '"eval"' in head and '"task"' in head


def _rows(path: Path) -> Rows:
    header, samples = _log(path)
    eval_, ids = header["eval"], header["eval"].get("dataset", {}).get("sample_ids")
    counted = ids is not None and list(ids) == list(range(1, len(ids) + 1))
    for number, sample in enumerate(samples, start=1):
        output = sample.get("output") or {}
        scores: list[dict[str, Any]] = list((sample.get("scores") or {}).values())
        text = "\n".join(_plain_texts(sample))
        asked = Asked(
            ids=() if counted else (str(sample["id"]),),
            text=text,
            options=tuple(sample.get("choices") or as_shown((), text)),
            clips=clips_in([sample["input"], sample.get("metadata")]),
            number=sample["id"] - 1 if counted else None,
        )
        yield log_row(
            path,
            number,
            asked,
            model=eval_["model"],
            reply=output.get("completion"),
            epoch=sample.get("epoch"),
            finish=(next(iter(output.get("choices") or ()), None) or {}).get("stop_reason"),
            error=(sample.get("error") or {}).get("message") or output.get("error"),
            theirs=right_or_wrong(scores[0].get("value")) if scores else None,
        )


def _plain_texts(sample: Mapping[str, Any]) -> Iterator[str]:
    """The texts of what was asked; long ones lie apart, and sounds are no texts."""
    given = sample["input"]
    parts = [given] if isinstance(given, str) else [message.get("content", "") for message in given]
    for text in texts_in(parts):
        text = str((sample.get("attachments") or {}).get(text.removeprefix("attachment://"), text))
        if not text.startswith(("data:", "attachment://")):
            yield text


def _log(path: Path) -> tuple[Mapping[str, Any], Iterator[dict[str, Any]]]:
    try:
        if path.suffix != ".eval":
            log = json.loads(path.read_bytes())
            return log, iter(log.get("samples") or ())
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            start = next((one for one in infos if one.filename == "header.json"), None)
            if start is None:
                raise AudiocontribError(
                    f"{path}: the log has no header: the evaluation was not finished; recover it first"
                )
            header = json.loads(_member(path, start))
        return header, (json.loads(_member(path, one)) for one in infos if one.filename.startswith("samples/"))
    except (zipfile.BadZipFile, ValueError, OSError, struct.error) as error:
        raise AudiocontribError(f"{path}: not a readable log of inspect_ai: {error}") from error


def _member(path: Path, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_MEMBER:
        raise AudiocontribError(f"{path}: {info.filename} is {info.file_size:,} bytes; at most {MAX_MEMBER:,} are read")
    if info.compress_type != ZSTD:
        with zipfile.ZipFile(path) as archive:
            return archive.read(info)
    import pyarrow as pa

    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        names = sum(struct.unpack("<HH", file.read(4)))
        file.seek(names, 1)
        packed = file.read(info.compress_size)
    with pa.input_stream(pa.py_buffer(packed), compression="zstd") as stream:
        return bytes(stream.read(info.file_size))


register_tool(AnswerTool("inspect_ai", "an .eval or .json file of an evaluation", (".eval", ".json"), _knows, _rows))
