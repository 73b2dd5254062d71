"""What is said in words: log records and warnings of old names, a line each on stderr."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from audiocontrib.deprecation import RenamedWarning
from audiocontrib.errors import visible

LIBRARY = "audiocontrib"


class LineHandler(logging.Handler):
    """A record's message as one line on stderr, above any progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message; time, level and place are for programs that set up logging themselves."""
        from tqdm import tqdm

        try:
            tqdm.write(visible(record.getMessage()), file=sys.stderr)
        except Exception:  # as every handler: a message that cannot be written stops no work
            self.handleError(record)


@contextmanager
def messages_in_lines() -> Iterator[None]:
    """A block in which records of the library from INFO on, and warnings of old names, are lines on stderr."""
    logger, handler = logging.getLogger(LIBRARY), LineHandler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            otherwise = warnings.showwarning

            def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
                if issubclass(category, RenamedWarning):
                    logger.warning("note: %s", message)
                else:
                    otherwise(message, category, *place, **more)

            warnings.showwarning = show
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
