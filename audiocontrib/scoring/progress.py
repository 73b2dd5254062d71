"""Live progress of a scoring run on stderr: share done, speed, time left, running accuracy, failures."""

from __future__ import annotations

import logging
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from tqdm import tqdm

from audiocontrib.errors import visible
from audiocontrib.log import tell
from audiocontrib.responses import Outcome, Response

LOG = logging.getLogger("audiocontrib.scoring")
EVERY = 30.0
"""Seconds between the lines of a log file."""


class Progress:
    """A bar for one model in a terminal; in a log file, a plain line now and then."""

    def __init__(self, name: str, total: int, *, shown: bool) -> None:
        self._name, self._total, self._shown = name, total, shown
        in_terminal = sys.stderr.isatty()
        self._plain = shown and not in_terminal
        self._bar = tqdm(
            total=total,
            desc=visible(name),
            unit="q",
            disable=not (shown and in_terminal),
            dynamic_ncols=True,
            mininterval=0.5,
        )
        self._right: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._failed = self._asked = self._skipped = 0
        self._start = self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()
        if self._plain:
            self._say()

    def skip(self, count: int) -> None:
        """Requests that need not be asked: done before, or their item is quarantined."""
        self._skipped += count
        if count and not self._bar.disable:
            # not update(): it would take them for speed, and wait for as many more before it draws again
            self._bar.initial += count
            self._bar.last_print_n += count
            self._bar.n += count
            self._bar.refresh()

    def note(self, text: str) -> None:
        """Something that the user should know, as a record; see :mod:`logging`."""
        LOG.warning(text)

    def add(self, responses: Sequence[Response]) -> None:
        """Requests that were answered just now."""
        self._asked += len(responses)
        for response in responses:
            self._failed += response.outcome == Outcome.FAILED
            if response.correct is not None:
                tally = self._right[response.condition]
                tally[0] += response.correct
                tally[1] += 1
        self._bar.set_postfix(self._shares(), refresh=False)
        self._bar.update(len(responses))
        if self._plain and time.monotonic() - self._said >= EVERY:
            self._say()

    def _shares(self) -> dict[str, str]:
        """Running accuracy by condition, and failures if there are any."""
        shares = {name: f"{right / n:.0%}" for name, (right, n) in self._right.items()}
        return shares | ({"failed": f"{self._failed:,}"} if self._failed else {})

    def _say(self) -> None:
        """One line that needs no terminal."""
        self._said = time.monotonic()
        done, seconds = self._asked + self._skipped, self._said - self._start
        line = f"{self._name}: {done:,} of {self._total:,} questions"
        if self._total:
            line += f" ({done / self._total:.0%})"
        if self._asked and seconds > 0:
            speed = self._asked / seconds
            left = timedelta(seconds=round(max(0, self._total - done) / speed))
            line += f", {speed:,.1f} a second, {left} left"
        line += "".join(f", {name} {share}" for name, share in self._shares().items())
        tell(LOG, line)
