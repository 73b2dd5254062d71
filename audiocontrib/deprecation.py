"""Old names: each goes on for two releases, with one line that says the new name."""

from __future__ import annotations

import warnings


class RenamedWarning(FutureWarning):
    """Something was called by its old name."""


def renamed(old: str, new: str, *, gone: str) -> None:
    """Say once that ``old`` is called ``new`` now.

    Args:
        gone: the release in which the old name stops working, two after the one that renamed it.

    Example:
        >>> renamed("--plan", "--dry-run", gone="0.4")
    """
    warnings.warn(f"{old} is called {new} now; the old name goes on until {gone}", RenamedWarning, stacklevel=3)
