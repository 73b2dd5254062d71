"""The notebooks run from top to bottom, and show what is stored in them."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from helpers.demo_run import demo_run
from helpers.notebooks import NOTEBOOKS, executed, shown


def test_there_are_seven() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == [f"0{n}" for n in range(1, 8)]


@pytest.mark.slow
def test_they_show_what_is_stored(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """As text, cell by cell; ``python tests/helpers/notebooks.py`` stores what they show now."""
    for name, book in executed(demo_run(tmp_path_factory), tmp_path).items():
        stored = nbformat.read(next(path for path in NOTEBOOKS if path.stem == name), as_version=4)
        assert list(shown(book)) == list(shown(stored)), name
        outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
        figures = [output.data for output in outputs if "<Figure" in output.get("data", {}).get("text/plain", "")]
        assert bool(figures) == any("plots." in cell.source for cell in book.cells), name
        assert all("image/png" in data for data in figures), name  # a picture, not its name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_outputs_are_stored_whole_and_small(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert any(output.output_type in ("display_data", "execute_result") for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert path.stat().st_size < 250_000
    assert book.cells[-1].cell_type == "markdown"  # what follows from what is shown


def test_a_clip_can_be_heard() -> None:
    for path in (NOTEBOOKS[0], NOTEBOOKS[5]):
        outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", ())]
        assert any("<audio" in "".join(one.get("data", {}).get("text/html", "")) for one in outputs), path


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
