"""Lines of progress among log records."""

from __future__ import annotations

import logging
import sys

from audiocontrib.errors import visible


def tell(logger: logging.Logger, line: str) -> None:
    """A line of progress that was asked for: an INFO record; on stderr where no program has set up logging for it."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(line)
        return
    from tqdm import tqdm

    tqdm.write(visible(line), file=sys.stderr)  # above the bars
