"""Whether a run is as it was written: each file against its seal, and what can be made again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import file_sha256, stable_hash
from audiocontrib.store.damage import DamagedFile, check_regular, damaged
from audiocontrib.store.files import locked, make_folder, replacing, write_table_atomic
from audiocontrib.store.json_seal import is_sealed, read_sealed, sealed_json
from audiocontrib.store.manifest import MANIFEST, read_manifest
from audiocontrib.store.mark_lines import MARKS, faults, parse_marks, whole_lines
from audiocontrib.store.own import check_own
from audiocontrib.store.seal import SEALS, check_file, forget_checked, known_seals
from audiocontrib.store.splits import CERTIFICATE, ROTATED, SETTINGS, TABLE

RESPONSES = "responses"

ASIDE = "damaged"
"""Folder of a run to which damaged files are moved."""
FILE_SCHEMA = schema_of(file=pa.string(), state=pa.string(), problem=pa.string(), again=pa.string())
"""One row per file: its path in the run; ``whole``, ``sealed`` (of an older program: it has a hash from now on),
``unsealed`` (as that, in a folder that cannot be written to), ``damaged`` or ``unreadable``; what is wrong; and what
makes it again."""
AGAIN = {
    "run.json": "a copy of it: nothing else says what was asked",
    "items.parquet": "the score command that made the run",
    "quarantine.parquet": "the score command that made the run",
    "responses": "the score command that made the run: what the file held is asked again",
    "contributions.parquet": "audiocontrib contribution",
    "audit.parquet": "audiocontrib audit",
    MARKS: "audiocontrib marks: what the line said has to be said again; a repair keeps the other lines",
    "split.parquet": "audiocontrib split",
    "settings.json": "audiocontrib split; repaired from the split's table, if that is whole",
    "certificate.json": "audiocontrib certify",
    "certificate-rotated.json": "audiocontrib certify",
    "readings": "audiocontrib reread",
    "evidence": "the next score command that listens",
}
"""By a file's name or folder: what makes it again."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a run's files has found."""

    files: pa.Table
    """FILE_SCHEMA."""
    moved: tuple[Path, ...]
    """Damaged files, where they are now."""

    @property
    def damaged(self) -> pa.Table:
        """The rows of files that are not as they were written."""
        states = self.files["state"].to_pylist()
        return self.files.filter(pa.array([state in ("damaged", "unreadable") for state in states], pa.bool_()))


def verify(run: str | os.PathLike[str], /, *, repair: bool = False) -> Verified:
    """Check each file of a run against its hash; files of older programs get one.

    Args:
        run: its folder; run.json may be damaged.
        repair: whether damaged files are moved to ``damaged/`` in the run (nothing is deleted), so that the same
            commands make them again; run.json stays, because nothing makes it again.

    Raises:
        UsageError: there is no such folder, or no run.json in it.

    Example:
        >>> ac.verify("runs/first").damaged.to_pandas()
    """
    given = getattr(run, "path", run)  # a run that is open has its folder
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        raise UsageError(f"{run!r} is no folder of a run; name one, such as 'runs/first'")
    folder = Path(given)
    if not (folder / MANIFEST).exists():
        raise UsageError(f"{folder} is no run: it holds no {MANIFEST}; name the folder of a run")
    forget_checked()
    writable = os.access(folder, os.W_OK)
    rows, moved = list[dict[str, str | None]](), list[Path]()
    with locked(folder) if writable else nullcontext():
        for path, look in _files(folder):
            state, problem = _looked(path, look, folder, seal=writable)
            about = {"file": str(path.relative_to(folder)), "state": state, "problem": problem}
            rows.append(about | {"again": _again(path) if problem else None})
            if repair and state == "damaged" and path.name != MANIFEST:
                moved.append(_moved_aside(path, folder))
                _restore(path, moved[-1])
        if writable:
            seal_parts(folder)
    return Verified(pa.Table.from_pylist(rows, schema=FILE_SCHEMA), tuple(moved))


def seal_parts(run: Path) -> int:
    """Keep a hash of each part that an older program has written; gives how many there were. The run is locked."""
    known, new = known_seals(run), dict[str, str]()
    for path in sorted((run / RESPONSES).glob("*.parquet")):
        with suppress(AudiocontribError):  # who reads it says so
            if path.name not in known and not check_file(path):
                new[path.name] = file_sha256(path)
    if new:
        with replacing(run / SEALS) as file:
            file.write(sealed_json(known | new))
    return len(new)


Look = Callable[[Path], bool]
"""Looks at a file: whether it has a seal. AudiocontribError if it is not what was written."""


def _files(run: Path) -> Iterator[tuple[Path, Look]]:
    yield run / MANIFEST, lambda path: bool(read_manifest(path.parent)) and is_sealed(path)
    known = dict[str, str]()
    if (run / SEALS).exists():
        yield run / SEALS, _look_json
        with suppress(AudiocontribError):
            known = known_seals(run)
    for pattern, look in LOOKS.items():
        for path in sorted(run.glob(pattern)):
            yield path, partial(check_file, known=known) if look is check_file else look


def _looked(path: Path, look: Look, run: Path, *, seal: bool) -> tuple[str, str | None]:
    try:
        if look(check_own(path, run)):
            return "whole", None
        if seal:
            _seal(path)
        return ("sealed" if seal else "unsealed"), None
    except DamagedFile as error:
        return "damaged", str(error)
    except AudiocontribError as error:
        return "unreadable", str(error)


def _seal(path: Path) -> None:
    """Give a file of an older program its seal; parts never change, and are listed elsewhere."""
    if path.suffix == ".json":
        with replacing(path) as file:
            file.write(sealed_json(read_sealed(path, list if path.name in (CERTIFICATE, ROTATED) else dict)))
    elif path.parent.name != RESPONSES:
        write_table_atomic(pq.read_table(path.absolute()), path)


def _look_json(path: Path) -> bool:
    return bool(read_sealed(path, list if path.name in (CERTIFICATE, ROTATED) else dict)) is False or is_sealed(path)


def _look_lines(path: Path) -> bool:
    """Lines of evidence: one that is damaged is left out when it is read, and made again."""
    check_regular(path)
    for line in path.read_bytes().split(b"\n"):
        if line.strip():
            try:
                held = json.loads(line)
                whole = "seal" not in held or held.pop("seal") == stable_hash(held)
            except (ValueError, TypeError, AttributeError, RecursionError):
                whole = False
            if not whole:
                raise DamagedFile(f"{path} is damaged: a line is not what was written, and its sound is heard again")
    return True


def _look_marks(path: Path) -> bool:
    marks, torn = parse_marks(path)
    why = "its last line was not written to its end, and is left out" if torn else ""
    with suppress(AudiocontribError):  # items that cannot be read are a file of their own
        why = next((fault for _, fault in faults(path.parent, marks)), why)
    if why:
        raise damaged(path, why)
    return True


LOOKS: dict[str, Look] = {
    "items.parquet": check_file,
    "quarantine.parquet": check_file,
    "responses/*.parquet": check_file,
    "contributions.parquet": check_file,
    "audit.parquet": check_file,
    MARKS: _look_marks,
    "splits/*/split.parquet": check_file,
    "splits/*/settings.json": _look_json,
    "splits/*/certificate.json": _look_json,
    "splits/*/certificate-rotated.json": _look_json,
    "readings/*.parquet": check_file,
    "evidence/*/*.jsonl": _look_lines,
    "judges/*/run.json": _look_json,
    "judges/*/*.parquet": check_file,
    "judges/*/responses/*.parquet": check_file,
}
"""Files of a run, by a pattern of ours, and what looks at them."""


def _again(path: Path) -> str:
    places = (path.name, path.parent.name, path.parent.parent.name)
    return next((AGAIN[place] for place in places if place in AGAIN), "")


def _moved_aside(path: Path, run: Path) -> Path:
    place = run / ASIDE / path.relative_to(run)
    make_folder(place.parent)
    if place.exists():
        place = place.with_name(f"{place.name}.{uuid4().hex[:8]}")
    path.rename(place)
    return place


def _restore(path: Path, moved: Path) -> None:
    """What is still whole of a file: the other lines of marks, and settings of a split from its table."""
    table = path.parent / TABLE
    if path.name == MARKS:
        with replacing(path) as file:
            file.write(whole_lines(path.parent, moved))
    if path.name == SETTINGS and table.exists() and check_file(table):
        kept = (pq.read_schema(table.absolute()).metadata or {}).get(b"audiocontrib")
        if kept:
            with replacing(path) as file:
                file.write(sealed_json(json.loads(kept)))
