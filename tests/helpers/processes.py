"""Processes that are started, killed and waited for: forks of a server that has imported what they need."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

PROCESSES = get_context("forkserver")
"""The server holds no threads."""
SCORING = (
    *("audiocontrib.store", "audiocontrib.cli.score", "audiocontrib.scoring.ask", "audiocontrib.sources"),
    *("audiocontrib.contribution.accuracies", "audiocontrib.models.mock"),
    *("pandas", "pytest", "scipy.stats", "statsmodels.stats.proportion"),
)
"""What scoring imports, and what a test that starts processes has as its main module."""
PROCESSES.set_forkserver_preload(list(SCORING))


def command_process(arguments: Sequence[str]) -> ForkServerProcess:
    """`audiocontrib ARGUMENTS` as a process, under way; a new interpreter would import for seconds."""
    process = PROCESSES.Process(target=_command, args=(list(arguments),))
    process.start()
    return process


def _command(arguments: list[str]) -> None:
    from audiocontrib.cli import main

    main(arguments)
