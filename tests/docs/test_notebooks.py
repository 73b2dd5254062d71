"""The notebooks run from top to bottom on a small demo run, and are kept without outputs."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from helpers import ROOT

import audiocontrib as ac

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_five() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    items = ac.load_items("demo", seed=0, limit=60)
    models = [f"mock:name=model-{n},skill=0.9,leak=0.5,seed={n}" for n in range(3)]
    folder = tmp_path_factory.mktemp("notebooks") / "demo"
    return ac.score(items, models, ["audio", "silence", "text"], run=folder, progress=False).path


@pytest.mark.slow
def test_they_run(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one kernel, which forgets each before the next: a kernel takes seconds to start."""
    from nbclient import NotebookClient

    monkeypatch.setenv("AUDIOCONTRIB_NOTEBOOK_RUN", str(run))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    books = {path.stem: nbformat.read(path, as_version=4) for path in NOTEBOOKS}
    cells = []
    for name, book in books.items():
        (tmp_path / name).mkdir()
        cells += [nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {tmp_path / name}"), *book.cells]
    whole = nbformat.v4.new_notebook(cells=cells, metadata=next(iter(books.values())).metadata)
    NotebookClient(whole, timeout=120, kernel_name="python3").execute()
    for name, book in books.items():
        shown = [output for cell in book.cells for output in cell.get("outputs", [])]
        assert any(output.output_type in ("display_data", "execute_result") for output in shown), name
        figures = [output.data for output in shown if "<Figure" in output.get("data", {}).get("text/plain", "")]
        assert bool(figures) == any("plots." in cell.source for cell in book.cells), name
        assert all("image/png" in data for data in figures), name  # a picture, not its name
        assert not any(output.output_type == "error" for output in shown), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in book.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_it_takes_from_the_package_is_there(path: Path) -> None:
    """Quickly, without running it: its code compiles, and the names that it imports or calls on ``ac`` exist."""
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    tree = ast.parse(re.sub(r"^%.*", "", code, flags=re.M))
    taken = [
        (node.module, name.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names
    ]
    ours = [(module, name) for module, name in taken if module and module.startswith("audiocontrib")]
    ours += [("audiocontrib", name) for name in re.findall(r"\bac\.(\w+)", code)]
    assert ours
    for module, name in ours:
        home = import_module(module)
        assert hasattr(home, name) or import_module(f"{module}.{name}")
