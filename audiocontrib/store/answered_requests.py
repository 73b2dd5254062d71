"""Which requests a run has answered, in 8 bytes each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiocontrib.responses import Outcome
from audiocontrib.sql import cursor


@dataclass(frozen=True, slots=True)
class AnsweredRequests:
    """Keys with a final outcome, request keys and resume keys alike; ``key in answered``.

    Half of an MD5 stands for a key: over ten million answers, the odds that even one question is taken for another, and
    so not asked, are about one in fifty thousand.
    """

    hashes: NDArray[np.uint64]
    """Sorted."""

    def __contains__(self, key: str) -> bool:
        # as DuckDB's md5_number_upper
        sought = np.uint64(int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:8], "little"))
        place = int(self.hashes.searchsorted(sought))
        return place < len(self.hashes) and bool(self.hashes[place] == sought)

    def __len__(self) -> int:
        return len(self.hashes)


def read_answered(parts: str, model: str | None = None) -> AnsweredRequests:
    """The keys in the parts of a run (SQL that reads them), of one model or of all; failed ones are not answered."""
    columns = "unnest([md5_number_upper(request_key), md5_number_upper(resume_key)])"
    where = f"outcome <> '{Outcome.FAILED}' and ($model is null or model = $model)"
    with cursor() as con:
        keys = f"select {columns} as h from {parts} where {where}"
        found = con.execute(f"select h from ({keys}) where h is not null", {"model": model}).fetchnumpy()["h"]
    return AnsweredRequests(np.unique(np.asarray(found, dtype=np.uint64)))


NONE = AnsweredRequests(np.empty(0, np.uint64))
