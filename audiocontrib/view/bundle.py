"""A static site of one run: the same page, with what it asks for in files beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import soundfile

from audiocontrib.audio import RATE, decode
from audiocontrib.audio.data_uri import LONGEST
from audiocontrib.checked import whole_number
from audiocontrib.errors import AudiocontribError, BadAudio, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Clip
from audiocontrib.report.item_sample import SAMPLE
from audiocontrib.report.page import report
from audiocontrib.sql import arrow_table
from audiocontrib.store import Run
from audiocontrib.store.files import cannot_write, make_folder
from audiocontrib.view.about import run_about
from audiocontrib.view.asked import ItemsAsked
from audiocontrib.view.counted import Counted, count_run, run_state
from audiocontrib.view.counting import sound_splits
from audiocontrib.view.items import list_items
from audiocontrib.view.one_item import items_by_id, items_shown
from audiocontrib.view.pages import INDEX, STATIC
from audiocontrib.view.shelf import Shelf

NAME = "audiocontrib-bundle.json"
"""The file by which a folder is known as a bundle, which may be written anew."""
PAGE = 100
"""Items of a file of items."""
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'"
)
NO_MARKS = {"item_id": pa.array([], pa.string()), "kind": pa.array([], pa.string())}


def write_bundle(
    places: Sequence[Path], out: Path, *, clips: bool = False, most: int = 5000, audio_root: Path | None = None
) -> str:
    """Write the page of one run as files that any static server can serve; marks stay at home.

    Args:
        places: the run.
        out: a new or empty folder, or an earlier bundle.
        clips: whether the clips are copied, at most 30 s of each.
        most: at most so many items, sampled by question type and part of the split saved last.

    Returns:
        What was written, in words.

    Raises:
        UsageError: there are several runs, or the folder holds other things.
        AudiocontribError: the run holds no answers, or the folder cannot be written to.

    Example:
        >>> ac.write_bundle([Path("runs/demo")], Path("site"))
    """
    whole_number(most, "most", 1)
    shelf = Shelf(places, audio_root)
    try:
        names = list(shelf.names())
        if len(names) != 1:
            raise UsageError(f"a bundle is of one run; name it, one of: {', '.join(names)}")
        _check_free(out)
        with _writing(out):
            return _write(shelf, names[0], out, clips, most)
    finally:
        shelf.close()


def _check_free(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a new folder", argument="bundle")
    if out.exists() and any(out.iterdir()) and not (out / NAME).is_file():
        raise UsageError(f"{out} holds other things; name a new folder, or an earlier bundle", argument="bundle")


class _writing:  # noqa: N801
    """Turns what a disk says into one line."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __enter__(self) -> None:
        make_folder(self.out)

    def __exit__(self, kind: Any, error: BaseException | None, where: Any) -> None:
        if isinstance(error, OSError):
            raise cannot_write(self.out, error) from error


def _write(shelf: Shelf, name: str, out: Path, clips: bool, most: int) -> str:
    run = shelf.open(name)
    counted = shelf.counting(name).counted or count_run(run, run_state(run), shelf.elsewhere)
    report(run, out=out / "report.html", items=0)  # its items would carry clips; first: it says what is wrong
    for old in ("data", "clips", "static"):
        shutil.rmtree(out / old, ignore_errors=True)
    _put(out / NAME, {"run": name})
    splits = sound_splits(run.path)
    split = next(iter(splits), "")
    with run.views() as con:
        only = arrow_table(con.sql(SAMPLE, params={"split": split, "most": most})).select(["item_id"])
    found = list_items(counted, ItemsAsked(count=most), pa.table(NO_MARKS), split=splits.get(split), only=only)
    rows = found.items
    copied = _items(run, counted, out, rows, splits.get(split), clips)
    about = run_about(shelf, name)
    values = about["values"] | {key: list[str]() for key in ("marked", "against", "parts")}
    values["other"], values["under"] = about["models"], about["values"]["condition"]
    _put(out / "data" / "list.json", {"about": about | {"values": values}, "page": PAGE, "rows": rows})
    _page(out)
    told = f"{len(rows):,} of {about['questions']:,} items"
    return f"{told}, {copied:,} clips: serve {out} with any web server, such as python -m http.server"


def _items(run: Run, counted: Counted, out: Path, rows: list[dict[str, Any]], split: Path | None, clips: bool) -> int:
    """Write the items, PAGE to a file, and their clips; gives how many clips there are. Rows get a text to search."""
    written: dict[Clip, str] = {}
    for start in range(0, len(rows), PAGE):
        some = [row["id"] for row in rows[start : start + PAGE]]
        shown = items_shown(run, counted, some, split)
        for row, item, listed in zip(shown, items_by_id(run, some), rows[start : start + PAGE], strict=True):
            listed["text"] = "\n".join([item.id, item.question, *item.choices]).lower()
            row["marks"], row["path"], row["sounds"] = [], None, []
            if clips and item.audio is not None:
                if item.audio not in written:
                    written[item.audio] = _copied(item.audio, out)
                file = written[item.audio]
                row["sounds"] = [{"condition": "audio", "models": [], "partner": None, "silent": "", "file": file}]
                row["sounds"] = row["sounds"] if file else []
        _put(out / "data" / "items" / f"{start // PAGE}.json", shown)
    return sum(map(bool, written.values()))


def _copied(clip: Clip, out: Path) -> str:
    """The address of a clip in the bundle, as Ogg Opus; empty where it cannot be heard."""
    try:
        samples = decode(clip).samples[: round(LONGEST * RATE)]
    except BadAudio:
        return ""
    address = f"clips/{stable_hash([str(clip), clip.start, clip.end, str(clip.data and len(clip.data))])[:24]}.ogg"
    make_folder((out / address).parent)
    soundfile.write(out / address, samples, RATE, format="OGG", subtype="OPUS")
    return address


def _page(out: Path) -> None:
    make_folder(out / "static")
    for name, path in STATIC.items():
        if name not in ("server.js", "bundle.js"):
            shutil.copyfile(path, out / "static" / name)
    shutil.copyfile(STATIC["bundle.js"], out / "static" / "server.js")
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<title>'
    text = INDEX.read_text(encoding="utf-8").replace(' nonce="NONCE"', "").replace("<title>", head, 1)
    (out / "index.html").write_text(text, encoding="utf-8")


def _put(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    make_folder(path.parent)
    try:
        path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), encoding="utf-8", errors="replace")
    except ValueError as error:
        raise AudiocontribError(f"{path} cannot be written: a value is no number") from error
