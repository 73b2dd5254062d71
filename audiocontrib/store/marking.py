"""What marks change in how a run is read: items that are left out, keys that are corrected."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.arrow import schema_of, texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, ItemTable
from audiocontrib.store.mark_lines import KINDS, WRONG_KEY, Mark

if TYPE_CHECKING:
    import duckdb

VARIABLE = "audiocontrib_marking"
"""Of a connection: its marking as JSON."""
KEY_SCHEMA = schema_of(item_id=pa.string(), answer=pa.int16())
OUT_SCHEMA = schema_of(item_id=pa.string())

ITEMS = """
create temp view items as select i.* replace (coalesce(k.answer, i.answer) as answer)
from items_as_given i left join marked_keys k using (item_id) anti join marked_out o on i.item_id = o.item_id
"""
RESPONSES = """
create temp view responses as select r.* replace (
    if(k.answer is null or r.outcome = 'failed', r.correct, coalesce(r.choice = k.answer, false)) as correct)
from responses_as_given r left join marked_keys k using (item_id) anti join marked_out o on r.item_id = o.item_id
where not (r.partner_id is not null and r.partner_id in (from marked_lenders))
    and not (split_part(r.condition, ':', 1) = 'conflict' and k.answer is not null)
"""
"""An answer counts by the corrected key. Whose clip or gold was borrowed (swap, conflict, foreign) was chosen by the
keys as they were: where the lender's is corrected, and in a conflict one's own, the condition is not what its name
says, and the answer is as if it had not been asked for."""
LENDERS = """
select item_id from items_as_given
where clip_id in (select clip_id from items_as_given join marked_keys using (item_id))
"""


@dataclass(frozen=True, slots=True)
class Marking:
    """How marks change a run."""

    without: tuple[str, ...] = ()
    """Items of these KINDS are left out."""
    corrected_keys: bool = False
    """Whether corrected keys take the place of the gold."""
    left_out: tuple[str, ...] = ()
    """Ids of the items that are left out, sorted."""
    keys: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Item -> the corrected key: index and text of an option."""
    lacking: int = 0
    """Items whose key is marked as wrong and has no correction: they keep it, if they are not left out."""

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments that ask for it, as JSON values, where they are not as usual."""
        asked = {"without_marked": list(self.without), "corrected_keys": self.corrected_keys}
        return {name: value for name, value in asked.items() if value}

    @property
    def findings(self) -> dict[str, int]:
        """How many items are concerned."""
        left_out = {"left_out_marked": len(self.left_out)} if self.without else {}
        return left_out | ({"keys_corrected": len(self.keys)} if self.corrected_keys else {})

    def in_words(self) -> str:
        """One sentence for a person."""
        told = [f"items left out ({', '.join(self.without)}): {len(self.left_out):,}"] if self.without else []
        told += [f"keys corrected: {len(self.keys):,}"] if self.corrected_keys else []
        told += [f"wrong keys without a correction, which stay: {self.lacking:,}"] if self.lacking else []
        return f"by marks: {'; '.join(told)}"

    def record(self) -> dict[str, Any]:
        """As JSON values; :meth:`of_record` reads them."""
        return {"without": list(self.without), "corrected_keys": self.corrected_keys, "left_out": list(self.left_out),
                "keys": {item: list(key) for item, key in self.keys.items()}}  # fmt: skip

    @classmethod
    def of_record(cls, held: Mapping[str, Any]) -> Self:
        """From what :meth:`record` gave."""
        keys = {item: (int(place), str(text)) for item, (place, text) in held.get("keys", {}).items()}
        return cls(tuple(held["without"]), bool(held["corrected_keys"]), tuple(held["left_out"]), keys)

    def joined(self, other: Marking | None) -> Marking:
        """Both. AudiocontribError if they correct a key to different options."""
        if other is None:
            return self
        for item in self.keys.keys() & other.keys.keys():
            if self.keys[item] != other.keys[item]:
                raise AudiocontribError(
                    f"the key of {item} is corrected to {other.keys[item][1]!r:.80} in one place and "
                    f"{self.keys[item][1]!r:.80} in another; make the split again, or take the mark back"
                )
        return Marking(
            tuple(kind for kind in KINDS if kind in self.without + other.without),
            self.corrected_keys or other.corrected_keys,
            tuple(sorted({*self.left_out, *other.left_out})),
            {**other.keys, **self.keys},
            max(self.lacking, other.lacking),
        )

    def apply(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let the views of a connection show the items and answers as they are by the marks.

        What was computed from the run as it is (``contributions``) is not shown; nor is an audit where keys are others.
        """
        keys = [{"item_id": item, "answer": place} for item, (place, _) in self.keys.items()]
        con.register("marked_keys", pa.Table.from_pylist(keys, schema=KEY_SCHEMA))
        con.register("marked_out", pa.table({"item_id": pa.array(self.left_out, pa.string())}, schema=OUT_SCHEMA))
        for view in ("items", "responses"):
            con.execute(f"alter view {view} rename to {view}_as_given")
        con.execute(f"create temp view marked_lenders as {LENDERS}")
        con.execute(ITEMS)
        con.execute(RESPONSES)
        for view in ("contributions", *(["audit"] if self.keys else [])):
            con.execute(f"alter view {view} rename to {view}_as_given")
            con.execute(f"create temp view {view} as from {view}_as_given limit 0")
        con.execute(f"set variable {VARIABLE} = $1", [json.dumps(self.record())])

    def of_items(self, held: Items) -> Items:
        """The items of a run as they are by the marks."""
        table = held.table.filter(pc.invert(pc.is_in(held.table["item_id"], pa.array(self.left_out, pa.string()))))
        places = [(self.keys.get(name) or (gold,))[0]
                  for name, gold in zip(texts(table["item_id"]), table["answer"].to_pylist(), strict=True)]  # fmt: skip
        at = table.schema.get_field_index("answer")
        table = table.set_column(at, table.schema.field(at), pa.array(places, pa.int16()))
        root = held.origin.get("audio_root")
        return Items(ItemTable(table.combine_chunks().to_batches(), root), held.quarantined, held.origin)

    def check(self, offered: Mapping[str, tuple[Sequence[str], int | None]]) -> Self:
        """Itself. AudiocontribError if a corrected key is not what the item offers there.

        Args:
            offered: item -> its options and gold.
        """
        for item, (place, text) in self.keys.items():
            if item in offered and list(offered[item][0][place : place + 1]) != [text]:
                raise AudiocontribError(
                    f"option {place} of {item} is not {text!r:.80}, its corrected key: other items?"
                )
        return self


def marking_of(con: duckdb.DuckDBPyConnection) -> Marking | None:
    """The marking of a connection, if it has one."""
    [[held]] = con.execute(f"select getvariable('{VARIABLE}')").fetchall()
    return None if held is None else Marking.of_record(json.loads(held))


def made_marking(marks: Iterable[Mark], without: str | Sequence[str], corrected_keys: bool) -> Marking:
    """What the latest marks of one or more runs ask for.

    With both, an item whose key is corrected stays, unless another mark leaves it out.

    Raises:
        UsageError: there is no such kind of marks.
        AudiocontribError: two persons correct a key to different options.
    """
    marks, kinds = list(marks), checked_kinds(without)
    if not isinstance(corrected_keys, bool):
        raise UsageError(f"corrected_keys is {corrected_keys!r:.80}, but is true or false", argument="corrected_keys")
    stated: dict[str, dict[tuple[int, str], str]] = defaultdict(dict)
    for mark in marks if corrected_keys else ():
        if mark.answer is not None and mark.option is not None:
            stated[mark.item_id].setdefault((mark.answer, mark.option), mark.by or "nobody in particular")
    for item, keys in stated.items():
        if len(keys) > 1:
            (one, who), (two, other) = list(zip(keys, keys.values(), strict=True))[:2]
            raise AudiocontribError(
                f"the key of {item} is corrected to {one[1]!r:.80} by {who} and to {two[1]!r:.80} by {other}; "
                "agree on one, or take a mark back"
            )
    wrong = {mark.item_id for mark in marks if mark.kind == WRONG_KEY}
    out = {
        mark.item_id for mark in marks if mark.kind in kinds and not (mark.kind == WRONG_KEY and mark.item_id in stated)
    }
    lacking = len(wrong - stated.keys() - out) if corrected_keys else 0
    return Marking(
        kinds, corrected_keys, tuple(sorted(out)), {item: next(iter(keys)) for item, keys in stated.items()}, lacking
    )


def checked_kinds(kinds: str | Sequence[str]) -> tuple[str, ...]:
    """Kinds of marks, one or several, each once. UsageError if there is no such kind."""
    several = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(several, Sequence):
        raise UsageError(f"without_marked is {kinds!r:.80}, but names some of: {', '.join(KINDS)}")
    if unknown := [one for one in several if one not in KINDS]:
        raise UsageError(
            f"there is no mark {unknown[0]!r:.80}; there are: {', '.join(KINDS)}", argument="without_marked"
        )
    return tuple(kind for kind in KINDS if kind in several)
