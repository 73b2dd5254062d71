"""A run: the directory in which the answers to one set of questions live."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import duckdb

from audiocontrib.answers import READER
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, Quarantined
from audiocontrib.names import check_name, check_run_path
from audiocontrib.notebook import arrow_html, html_block, html_lines
from audiocontrib.responses import Response, has_posterior, response_rows
from audiocontrib.sql import arrow_table, cursor, no_pattern, sql_literal
from audiocontrib.store import contents, views
from audiocontrib.store.answered_requests import AnsweredRequests
from audiocontrib.store.files import locked, make_folder, remove_abandoned, replacing, write_table_atomic
from audiocontrib.store.identity import merge_manifests, refuse
from audiocontrib.store.json_seal import sealed_json
from audiocontrib.store.manifest import FORMAT, MANIFEST, read_manifest
from audiocontrib.store.marking import Marking
from audiocontrib.store.own import MARK, given_root, mark
from audiocontrib.store.queries import lock, own_query, run_query
from audiocontrib.store.splits import SavedSplit, saved_split, saved_splits, split_fault, split_folder, split_names
from audiocontrib.store.verify import seal_parts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ITEMS, QUARANTINE, RESPONSES = "items.parquet", "quarantine.parquet", "responses"
CONTRIBUTIONS, AUDIT = "contributions.parquet", "audit.parquet"


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory. Any number of processes may open, fill and read one at the same time.

    Parts are written under a temporary name, brought to disk and renamed, so that a reader sees them whole
    or not at all and a kill loses at most the part that was being written. What is rewritten (run.json,
    items, quarantine) is merged under a lock; on NFS that needs a mount on which ``flock`` works between
    machines.
    """

    path: Path
    manifest: dict[str, Any] = field(repr=False)
    """run.json as it was when the run was opened: ``identity`` fixes the answers, the rest informs."""

    named_root: str | None = field(default=None, repr=False)
    """The folder of its audio that the user has named."""

    marking: Marking | None = field(default=None, repr=False)
    """What marks change in how it is read; None: nothing."""

    @classmethod
    def open(cls, path: str | Path, *, audio_root: str | Path | None = None) -> Self:
        """The run in the folder ``path``. UsageError if it is none."""
        path = Path(path)
        return cls(path, read_manifest(path), given_root(audio_root))

    @classmethod
    def create_or_resume(
        cls, path: str | Path, manifest: dict[str, Any], items: Items, *, accept_identity: bool = False
    ) -> Self:
        """The run in ``path``, made if there is none, which now covers ``manifest`` and ``items`` too.

        Args:
            manifest: JSON values. ``identity`` is compared: its ``models`` (name -> fingerprint) and
                ``conditions`` may gain members, all else must be as it was. The other keys describe the
                latest start; what differed before is kept under ``earlier``.
            items: may bring new items of the same data set; those that are there must be as they were.
            accept_identity: whether models of which an older program kept less are taken for the same.

        Raises:
            AudiocontribError: something that fixes the answers changed. After the headline, the message
                has one line per change, ``dotted.path: old -> new``. Nothing was written.
        """
        path = check_run_path(path)
        no_pattern(path)  # it could not be read
        manifest = json.loads(json.dumps(manifest))
        for name in manifest["identity"].get("models", {}):
            check_name("a model", name)
        make_folder(path)
        with locked(path):
            resumed = (path / MANIFEST).exists()
            if resumed:
                stored = cls.open(path).manifest
                merged, changes = merge_manifests(stored, manifest, accept_identity=accept_identity)
                seal_parts(path)
                new, changed_items = contents.merge_items(path / ITEMS, items.table)
                if changes or changed_items:
                    raise refuse(path, changes + changed_items)
            else:
                contents.check_unused(path)
                stored, merged = {}, {"created_at": datetime.now(UTC).isoformat(), **manifest}
                (path / ITEMS).unlink(missing_ok=True)
                new, _ = contents.merge_items(path / ITEMS, items.table)
                make_folder(path / RESPONSES)
            contents.add_items(path / ITEMS, new)
            contents.add_quarantined(path / QUARANTINE, items.quarantined, once_per_item=False)
            merged["format"] = FORMAT
            merged[MARK] = mark(merged)
            # answers that are there were read by the older reader, and say so until they are read again
            merged["reader"] = stored.get("reader", 1) if resumed else READER
            if merged != stored:  # last: a folder with run.json has all the rest
                with replacing(path / MANIFEST) as file:
                    file.write(sealed_json(merged))
        remove_abandoned(path)
        return cls(path, merged)

    def __repr__(self) -> str:
        identity = self.manifest.get("identity", {})
        models, conditions = identity.get("models", {}), identity.get("conditions", [])
        return (
            f"Run({str(self.path)!r}: {identity.get('dataset', {}).get('name', '?')}, {len(models)} models under "
            f"{', '.join(conditions) or '?'})"
        )

    def _repr_html_(self) -> str:
        try:
            with self.views() as con:
                found = arrow_table(
                    con.sql(
                        "select model, condition, think_tokens, count(*) as answers, "
                        "count(*) filter (outcome = 'failed') as failed, avg(correct::int) as correct "
                        "from responses group by all order by all"
                    )
                )
            if found["think_tokens"].null_count == len(found):
                found = found.drop_columns(["think_tokens"])
        except AudiocontribError as error:
            return html_block(repr(self), html_lines([error]))
        return html_block(repr(self), arrow_html(found), html_lines(map(repr, self.splits())))

    def append(self, responses: list[Response]) -> None:
        """Add responses as one part. AudiocontribError if the disk is full; earlier parts are kept."""
        if responses:
            name = f"{time.time_ns():020d}-{uuid4().hex[:12]}.parquet"
            write_table_atomic(response_rows(responses), self.path / RESPONSES / name)

    @property
    def reader(self) -> int:
        """Version of the reader by which the replies were read; 1 where run.json does not say."""
        version = self.manifest.get("reader", 1)
        return version if isinstance(version, int) else 1

    def has_replies(self) -> bool:
        """Whether any answer is a reply, and so was read."""
        return not has_posterior(str(self.manifest.get("identity", {}).get("method")))

    def set_reader(self, version: int) -> None:
        """Note that all replies were read again by this version of the reader."""
        with locked(self.path):
            stored = self.open(self.path).manifest
            if stored.get("reader", 1) != version:
                with replacing(self.path / MANIFEST) as file:
                    file.write(sealed_json(stored | {"reader": version}))

    def answered(self, model: str | None = None) -> AnsweredRequests:
        """The requests (to one model, or to all) that have a final outcome; failed ones are to be asked again."""
        return views.answered(self.path, model)

    def quarantine(self, rows: Iterable[Quarantined]) -> None:
        """Set aside items that turned out not to be askable; each is named once, however often tried."""
        with locked(self.path):
            contents.add_quarantined(self.path / QUARANTINE, rows, once_per_item=True)

    def release(self, item_ids: Collection[str]) -> None:
        """Take items out of quarantine whose clip can be heard after all; other reasons stay."""
        if item_ids:
            with locked(self.path):
                contents.drop_unheard(self.path / QUARANTINE, item_ids)

    def quarantined_ids(self) -> set[str]:
        """Ids of the quarantined rows that have one."""
        return {q.item_id for q in contents.read_quarantined(self.path / QUARANTINE) if q.item_id is not None}

    def load_items(self) -> Items:
        """The items as they were given, with what was quarantined beside them."""
        held = contents.stored_items(self.path, self.manifest, self.named_root)
        return held if self.marking is None else self.marking.of_items(held)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new in-memory DuckDB connection with the views of this moment; closed by who asked for it.

        It is open: SQL can write and read wherever this process can. A query of somebody else's goes to :meth:`query`.

        Views: ``items``, ``quarantine``, ``responses`` (RESPONSE_SCHEMA, one row per request),
        ``contributions``, ``audit``, ``splits`` (with the split's ``name``) and ``marks``, which are empty until they
        are made.
        """
        return views.connect(self.path, self.prompt, marking=self.marking)

    def views(self) -> duckdb.DuckDBPyConnection:
        """As :meth:`connect`, opened faster: on the engine of the process. Make no table there but temporary ones."""
        return views.connect(self.path, self.prompt, cursor(), self.marking)

    def save_contributions(self, table: pa.Table) -> None:
        """Keep derived scores as ``contributions.parquet``, which the view of that name shows."""
        self._keep(table, CONTRIBUTIONS)

    def holds_more(self, columns: Collection[str]) -> bool:
        """Whether the contributions that are kept have these columns and more, and no answer has come since."""
        kept, answers = self.path / CONTRIBUTIONS, self.path / RESPONSES
        if not kept.exists() or kept.stat().st_mtime < answers.stat().st_mtime:
            return False
        with self.views() as con:
            return set(columns) < set(con.sql("from contributions limit 0").columns)

    def save_audit(self, table: pa.Table) -> None:
        """Keep an audit's scores as ``audit.parquet``, which the view of that name shows."""
        self._keep(table, AUDIT)

    def _keep(self, table: pa.Table, name: str) -> None:
        if self.marking is not None:
            raise UsageError(f"what is kept in {self.path} is of the run as it is, not as its marks have it")
        write_table_atomic(table, self.path / name)

    def splits(self) -> tuple[SavedSplit, ...]:
        """The splits that were saved, by name. A damaged one is left out; a log record says so and why."""
        return saved_splits(self.path)

    def split(self, name: str | Path) -> SavedSplit:
        """The split of that name, or the one in a folder of its own.

        Raises:
            UsageError: there is none; the message lists those there.
            AudiocontribError: it is damaged, was changed, or is of other items; the message names its file.

        Example:
            >>> run.split("votes-0.5").part("strong")
        """
        return saved_split(self.path, name)

    def only_split(self) -> SavedSplit | None:
        """The only split of the run; None if it has none. UsageError, which lists them, if there are several."""
        there = split_names(self.path)
        if len(there) > 1:
            raise UsageError(f"{self.path} has several splits; name one of: {', '.join(there)}")
        return self.split(there[0]) if there else None

    def split_folder(self, name: str) -> Path:
        """Where the split called ``name`` belongs, so that the view ``splits`` shows it."""
        return split_folder(self.path, name)

    @property
    def prompt(self) -> str | None:
        """Name of the prompt that the models were asked with; None where that is not known (imported answers)."""
        told = self.manifest.get("identity", {}).get("prompt")
        return told.get("name") if isinstance(told, dict) else None

    def query(self, sql: str, *, files: str | Path | Iterable[str | Path] = (), unlocked: bool = False) -> pd.DataFrame:
        """The result of an SQL query over the views, as pandas; see :meth:`table`.

        Example:
            >>> run.query("select condition, avg(correct::int) from responses group by 1")
        """
        return self.table(sql, files=files, unlocked=unlocked).to_pandas()

    def table(self, sql: str, *, files: str | Path | Iterable[str | Path] = (), unlocked: bool = False) -> pa.Table:
        """The result of an SQL query over the views, as Arrow. UsageError if the query is wrong.

        It is locked: one statement that reads, from the run's folder and what is named.

        Args:
            files: further files and folders that the query may read, by their paths in quotes.
            unlocked: whether it may do whatever DuckDB can: for a query, and a run, of one's own.
        """
        for name in split_names(self.path):
            if sql_literal(name) in sql and (fault := split_fault(self.path, name)):
                raise AudiocontribError(fault)
        with self.connect() as con:
            if not unlocked:
                lock(con, self.path, files)
            return run_query(con, sql, unlocked=unlocked)

    @property
    def responses(self) -> pd.DataFrame:
        """The view ``responses``."""
        return own_query(self.path, "from responses", self.marking).to_pandas()

    @property
    def items(self) -> pd.DataFrame:
        """The view ``items``."""
        return own_query(self.path, "from items", self.marking).to_pandas()

    @property
    def contributions(self) -> pd.DataFrame:
        """The view ``contributions``."""
        return own_query(self.path, "from contributions", self.marking).to_pandas()
