"""The notebooks, run from top to bottom on the demo's answers, and what they show as text.

``python tests/helpers/notebooks.py`` runs them and stores what they show.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN = "AUDIOCONTRIB_NOTEBOOK_RUN"
PICTURES = ("image/png", "text/html")
"""Not compared: a picture may differ by a pixel, and HTML shows what the text beside it says."""


def executed(run: Path, folder: Path) -> dict[str, nbformat.NotebookNode]:
    """Name -> the notebook with what it shows now; the stored ones are left alone.

    One after the other in one kernel, which forgets each before the next: a kernel takes seconds to start.
    """
    from nbclient import NotebookClient

    os.environ |= {RUN: str(run), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    books = {path.stem: nbformat.read(path, as_version=4) for path in NOTEBOOKS}
    cells = []
    for name, book in books.items():
        (folder / name).mkdir()
        cells += [nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {folder / name}"), *book.cells]
    whole = nbformat.v4.new_notebook(cells=cells, metadata=next(iter(books.values())).metadata)
    NotebookClient(whole, timeout=120, kernel_name="python3", record_timing=False, coalesce_streams=True).execute()
    for book in books.values():
        for number, cell in enumerate((cell for cell in book.cells if cell.cell_type == "code"), start=1):
            cell.execution_count = number
            cell.outputs = [_plain(output, number) for output in cell.outputs]
    return books


def _plain(output: nbformat.NotebookNode, number: int) -> nbformat.NotebookNode:
    """An output without what differs from run to run: the count of its cell in the common kernel."""
    if "execution_count" in output:
        output.execution_count = number
    return output


def shown(book: nbformat.NotebookNode) -> Iterator[tuple[int, str]]:
    """Number of the cell and text of everything that it shows, without pictures; addresses in memory are left out."""
    for number, cell in enumerate(book.cells):
        texts = list[str]()
        for output in cell.get("outputs", ()):
            texts += [output.get("text", "")]
            texts += [text for kind, text in output.get("data", {}).items() if kind not in PICTURES]
        yield number, re.sub(r" at 0x[0-9a-f]+", "", "".join(texts))


def store(folder: Path) -> None:
    from helpers.demo_run import make

    make(folder / "runs" / "demo")
    for name, book in executed(folder / "runs" / "demo", folder).items():
        nbformat.write(book, ROOT / "notebooks" / f"{name}.ipynb")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        store(Path(place))
