"""How large the parts may be, and that a public name has one home."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest
from helpers import IMPORTED, ROOT

PACKAGE = ROOT / "audiocontrib"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if "_build" not in path.parts)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[str, int]]:
    """Every function and method with its lines, from ``def`` to the last."""
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{name_of(path)}:{node.lineno} {node.name}", lines


def test_a_public_name_has_one_home() -> None:
    """But for five; one is ``command``, by which the files of cli/ are found."""
    homes: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        for node in tree(path).body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                homes[node.name].add(name_of(path))
    several = {name: files for name, files in homes.items() if len(files) > 1}
    assert len(several) <= 5, "\n".join(
        f"{name}: {', '.join(sorted(files))}" for name, files in sorted(several.items())
    )


def test_files_are_short() -> None:
    lengths = {name_of(path): length(path) for path in MODULES}
    assert not {name: lines for name, lines in lengths.items() if lines > 300}
    assert median(lengths.values()) <= 90


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert not {name: lines for name, lines in lengths.items() if lines > 70}
    assert quantiles(lengths.values(), n=10)[-1] <= 25


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_of_pages_are_short(page: Path) -> None:
    """Tables, and lines that are long for a link or an address alone, are left out."""
    long = [
        f"{name_of(page)}:{number}: {len(line)}"
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120
        and not line.lstrip().startswith("|")
        and len(re.sub(r"\]\([^)]*\)|https?://\S+", "", line)) > 120
    ]
    assert not long, "\n".join(long)


def test_tests_are_collected_without_torch(pytestconfig: pytest.Config) -> None:
    """Which takes seconds to import: `helpers.lazy` imports it at first use. Of the tests that are run now."""
    assert pytestconfig.stash[IMPORTED]
    assert not {"torch", "statsmodels", "trl"} & pytestconfig.stash[IMPORTED]
