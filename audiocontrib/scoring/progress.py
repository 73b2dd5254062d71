"""Live progress of a scoring run on stderr: share done, speed, time left, running accuracy, failures."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tqdm import tqdm

from audiocontrib.responses import Outcome, Response


class Progress:
    """A bar for one model. In a log file it prints a line now and then."""

    def __init__(self, name: str, total: int, *, shown: bool) -> None:
        self._bar = tqdm(total=total, desc=name, unit="q", disable=not shown, dynamic_ncols=True, mininterval=0.5)
        self._right: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def skip(self, count: int) -> None:
        """Requests that need not be asked: done before, or their item is quarantined."""
        if not self._bar.disable:
            self._bar.initial += count  # keeps them out of the speed
        self._bar.update(count)

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._bar.write(text, file=sys.stderr)

    def add(self, responses: Sequence[Response]) -> None:
        """Requests that were answered just now."""
        for response in responses:
            self._failed += response.outcome == Outcome.FAILED
            if response.correct is not None:
                tally = self._right[response.condition]
                tally[0] += response.correct
                tally[1] += 1
        shares = {name: f"{right / n:.0%}" for name, (right, n) in self._right.items()}
        self._bar.set_postfix(shares | ({"failed": str(self._failed)} if self._failed else {}), refresh=False)
        self._bar.update(len(responses))
