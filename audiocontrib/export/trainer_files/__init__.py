"""Files that an export puts beside its rows as they are: what a trainer imports to read the clips, and to reward."""

from __future__ import annotations

from importlib.resources import files


def trainer_file(name: str) -> str:
    """The text of one of the files here."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
