"""Splits as they lie in a run: a folder each, with a table, what made it, and what was certified of it."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import equal
from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.log import tell
from audiocontrib.names import check_folder_name
from audiocontrib.notebook import arrow_html, html_block, html_lines
from audiocontrib.store.files import replacing, write_table_atomic
from audiocontrib.store.json_seal import read_sealed, sealed_json
from audiocontrib.store.manifest import MANIFEST
from audiocontrib.store.marking import Marking
from audiocontrib.store.own import check_own
from audiocontrib.store.schema import CertificateFile, SettingsFile, checked
from audiocontrib.store.seal import check_file
from audiocontrib.store.split_check import PARTS, digest, fault_against, table_fault, typed

LOG = logging.getLogger("audiocontrib.store")
SPLITS, TABLE, SETTINGS, CERTIFICATE = "splits", "split.parquet", "settings.json", "certificate.json"
ROTATED = "certificate-rotated.json"
"""Of the splits that are made without one of the models each."""
DIGEST = "rows_sha256"
MARKING = "marking"
"""Where the settings' file keeps what marks changed in the items that were split."""
FOUND = ("findings", "warnings", "review_out", DIGEST, MARKING)
"""What the settings' file holds beside what was asked for (a sheet for review is written once)."""
AGAIN = "make the split again"
BEFORE = {"fdr": {"decoys": "all"}}
"""By rule, settings that came later, as they were before: what a split that lacks them was made by."""


@dataclass(frozen=True, slots=True)
class SavedSplit:
    """A split that was saved, in a run or in a folder of its own."""

    name: str
    folder: Path
    table: pa.Table = field(repr=False)
    """SPLIT_SCHEMA, sorted by item_id."""
    settings: Mapping[str, Any]
    """What was asked for: the keywords of :func:`audiocontrib.split` that make it again. Empty where the folder does
    not say how it was made."""
    findings: Mapping[str, Any]
    """What the rule found out about the set as a whole."""
    warnings: tuple[str, ...]
    """What the answers did not allow to be said."""
    certificates: tuple[Mapping[str, Any], ...]
    """What held-out models showed of the strong part, a row each; empty: not certified."""
    marking: Marking | None = field(default=None, repr=False)
    """What marks changed in the run that was split; None: nothing."""

    @property
    def rule(self) -> str:
        """The name of the rule; empty where it is not known."""
        return str(self.settings.get("rule", ""))

    @property
    def threshold(self) -> float | None:
        """The score from which an item is strong; None where it is not known."""
        return self.settings.get("threshold")

    @property
    def raters(self) -> tuple[str, ...]:
        """The models whose answers count."""
        return tuple(self.settings.get("models", ()))

    def part(self, name: str) -> pa.Table:
        """The rows of one part. UsageError if there is no such part."""
        return part_of(self.table, name)

    def __repr__(self) -> str:
        return f"SavedSplit({self.name!r}: {part_counts(self.table)})"

    def _repr_html_(self) -> str:
        asked = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        notes = (f"note: {warning}" for warning in self.warnings)
        certified = f"certified by {len(self.certificates)} models" if self.certificates else "not certified"
        return html_block(repr(self), html_lines([asked, *notes, certified]), arrow_html(self.table, 10))

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The split in a folder, if its files are as they were written and agree with each other.

        Raises:
            UsageError: there is none.
            AudiocontribError: one of its files is damaged, or was changed; the message names it.
        """
        folder = Path(folder)
        path = folder / TABLE
        if not path.is_file():
            raise UsageError(f"{folder} is no split: it holds no {TABLE}")
        for name in (TABLE, SETTINGS, CERTIFICATE, ROTATED):
            check_own(folder / name, folder)
        table, kept = _read_table(path)
        stated = _read_json(folder / SETTINGS, dict)
        if stated is not None and kept and stated != kept:
            raise AudiocontribError(f"{folder / SETTINGS} is not what {TABLE} beside it was made by; {AGAIN}")
        about = kept if stated is None else stated
        checked(SettingsFile, about, folder / SETTINGS, AGAIN)
        if DIGEST in about and about[DIGEST] != digest(table):
            raise AudiocontribError(f"{path}: its rows are not those that were saved; {AGAIN}")
        certificates = []
        for name in (CERTIFICATE, ROTATED):
            rows = _read_json(folder / name, list) or []
            certificates += checked(list[CertificateFile], rows, folder / name, "certify the split again")
        settings = {name: value for name, value in about.items() if name not in FOUND}
        if lacking := BEFORE.get(str(settings.get("rule")), {}).keys() - settings.keys():
            tell(LOG, f"{folder} does not say its {', '.join(lacking)}: taken as before there was a choice")
        return cls(
            folder.name,
            folder,
            table,
            BEFORE.get(str(settings.get("rule")), {}) | settings,
            about.get("findings", {}),
            tuple(about.get("warnings", ())),
            tuple(certificates),
            Marking.of_record(about[MARKING]) if about.get(MARKING) else None,
        )


def part_counts(table: pa.Table) -> str:
    """How many items are in each part of a split's table."""
    counts = Counter(table["split"].to_pylist())
    return ", ".join(f"{counts[part]:,} {part}" for part in PARTS)


def part_of(table: pa.Table, name: str) -> pa.Table:
    """The rows of one part of a split's table. UsageError if there is no such part."""
    if name not in PARTS:
        raise UsageError(f"a split has no part {name!r}; its parts are: {', '.join(PARTS)}")
    return table.filter(equal(table["split"], name))


def saved_splits(run: Path) -> tuple[SavedSplit, ...]:
    """The splits in a run's folder, by name, without those that are damaged: a log record says which."""
    return tuple(saved_split(run, name) for name in split_names(run, sound=True))


def split_names(run: Path, *, sound: bool = False) -> list[str]:
    """Names of the splits in a run's folder, in order; of those only that can be read, where that is asked for."""
    there = sorted(path.name for path in _folders(run / SPLITS) if (path / TABLE).is_file())
    return [name for name in there if not (sound and split_fault(run, name))]


def split_fault(run: Path, name: str) -> str | None:
    """Why a split in a run's folder cannot be read; None: it can be. Looked for anew when a file has changed."""
    folder = split_folder(run, name)
    files = [folder / name for name in (TABLE, SETTINGS, CERTIFICATE, ROTATED)]
    files += [run / "items.parquet", run / "quarantine.parquet"]
    states = (path.stat() if path.exists() else None for path in files)
    return _fault(run, name, tuple(state and (state.st_mtime_ns, state.st_size, state.st_ino) for state in states))


@lru_cache(maxsize=256)
def _fault(run: Path, name: str, state: tuple[Any, ...]) -> str | None:
    try:
        saved_split(run, name)
    except AudiocontribError as error:
        LOG.warning("note: the split %s is left out: %s", name, error)
        return str(error)
    return None


def saved_split(run: Path, split: str | Path) -> SavedSplit:
    """The split of that name in a run's folder, or in a folder of its own, held against the run's items.

    Raises:
        UsageError: there is none; the message lists those there.
        AudiocontribError: it is damaged, was changed, or is of other items; the message names its file.
    """
    if not isinstance(split, str | Path):
        raise UsageError(f"split is {split!r}, but is the name of a split, or its folder")
    if isinstance(split, Path) or Path(split).name != split:
        return _of_run(run, SavedSplit.open(split))
    folder = split_folder(run, split)
    if not (folder / TABLE).is_file():
        there = ", ".join(split_names(run))
        raise UsageError(f"{run} has no split {split!r}; {f'there are: {there}' if there else 'no split was made yet'}")
    return _of_run(run, SavedSplit.open(check_own(folder, run)))


def _of_run(run: Path, split: SavedSplit) -> SavedSplit:
    if fault := fault_against(run, split.table, split.settings, split.findings):
        raise AudiocontribError(f"{split.folder / TABLE}: {fault}; {AGAIN}")
    return split


def split_folder(run: Path, name: str) -> Path:
    """Where the split called ``name`` belongs, so that the view ``splits`` shows it."""
    return run / SPLITS / check_folder_name("a split", name)


def write_split(folder: Path, table: pa.Table, about: Mapping[str, Any]) -> Path:
    """Write a split into ``folder`` (made if need be); gives it back. A certificate of the split before is removed."""
    about = {**about, DIGEST: digest(typed(table))}
    settings = json.dumps(about, indent=2, sort_keys=True)
    if (folder / MANIFEST).exists():
        raise UsageError(f"a split cannot be in {folder}: that is a run; name a folder within its {SPLITS}/")
    for name in (CERTIFICATE, ROTATED):
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).unlink()
    write_table_atomic(table.replace_schema_metadata({"audiocontrib": settings}), folder / TABLE)
    with replacing(folder / SETTINGS) as file:
        file.write(sealed_json(json.loads(settings)))
    return folder


def write_certificates(split: SavedSplit, rows: list[dict[str, Any]], *, rotated: bool = False) -> Path:
    """Keep certificates beside a split, those of its variants without a model apart; gives the file back."""
    path = split.folder / (ROTATED if rotated else CERTIFICATE)
    with replacing(path) as file:
        file.write(sealed_json(json.loads(json.dumps(rows, allow_nan=False))))
    return path


def _folders(path: Path) -> list[Path]:
    return [one for one in path.iterdir() if one.is_dir()] if path.is_dir() else []


def _read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """A split's rows, and the settings in the file's own metadata."""
    check_file(path)
    try:
        held = pq.read_table(path.absolute(), partitioning=None)
        table = typed(held)
    except (OSError, pa.ArrowException) as error:
        raise AudiocontribError(f"{path} cannot be read: {one_line(error, 120)}; {AGAIN}") from error
    except ValueError as error:
        raise AudiocontribError(f"{path} is no split: {error}; {AGAIN}") from error
    if fault := table_fault(table):
        raise AudiocontribError(f"{path}: {fault}; {AGAIN}")
    return table, _embedded(held, path)


def _read_json(path: Path, kind: type) -> Any:
    """What a JSON file holds, None where there is none. AudiocontribError if it is damaged or not of that kind."""
    try:
        return read_sealed(path, kind)
    except FileNotFoundError:
        return None


def _embedded(table: pa.Table, path: Path) -> dict[str, Any]:
    """The settings in the table's own metadata."""
    kept = (table.schema.metadata or {}).get(b"audiocontrib", b"{}")
    try:
        return dict(json.loads(kept))
    except (ValueError, TypeError) as error:
        raise AudiocontribError(f"{path}: its metadata cannot be read: {one_line(error, 120)}") from error
