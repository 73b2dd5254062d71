"""What README, the pages and the help texts tell a reader to type works: run line by line, page by page, on small data.

`documented.py` says what stands in for checkpoints, servers, published files and long runs.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from helpers.documented import (
    DOCS,
    FEW,
    PAGES,
    at_hand,
    blocks,
    files,
    in_the_way,
    lines_by_page,
    make_place,
    mock,
    write_files,
)
from helpers.shared import made_once

from audiocontrib import plugins
from audiocontrib.cli import main
from audiocontrib.demo import TINY
from audiocontrib.registry import forget
from audiocontrib.training import reward_files

LINES = lines_by_page()
NEWEST = {
    "docs/scorers.md": "mmar",
    "docs/audit.md": "first",
    "audiocontrib show --help": "demo",
    "audiocontrib train --help": "before",
}
"""The run that a page is about, where no --run is given; else the run of mmau."""
MODELS = "--model tiny-qwen2.5-omni --model tiny-qwen2-audio --model tiny-audio-flamingo-3"
MMAU = "audiocontrib score --dataset mmau --data mmau-test-mini.json"


def sent_to(line: str) -> tuple[str, str]:
    """A line, and the file behind its last ``>``, if there is one."""
    command, target = re.fullmatch(r"(.*?)(?: > (\S+))?", line).groups()  # type: ignore[union-attr]
    return command, target or ""


def work(line: str, arguments: list[str] | None = None) -> None:
    """Run a line; what it sends to a file is written, and a failure shows what was printed."""
    line, target = sent_to(line)
    arguments = arguments or at_hand(line)
    assert arguments
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, f"{line}\nran as: {arguments}\n{done.output}\n{done.exception!r}"
    if target:
        Path(target).write_bytes(done.stdout_bytes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files and runs that pages name."""
    return made_once(tmp_path_factory, "place", fill)


def fill(folder: Path) -> None:
    make_place(folder)
    with chdir(folder), pytest.MonkeyPatch.context() as patched:
        # tests/cli/test_demo.py lets the real models answer
        patched.setattr(import_module("audiocontrib.demo.planted"), "TINY", tuple(map(mock, TINY)))
        work("audiocontrib demo", ["demo", "--limit", str(FEW), "--run", "runs/demo"])
        work(f"{MMAU} {MODELS} --method generate --run runs/mmar")
        work(f"{MMAU} {MODELS} --condition audio --condition silence --condition text --run runs/mmau")
        work(f"{MMAU} --model HELDOUT --condition text --run runs/mmau")
        for run in ("mmau", "mmar"):
            work(f"audiocontrib split --run runs/{run} --threshold 0.5")
            work(f"audiocontrib split --run runs/{run} --threshold 0.5 --name votes")
        for run in ("first", "again"):
            shutil.copytree("runs/mmau", f"runs/{run}")
        for run in ("before", "after"):
            work(f"{MMAU} --model trained --condition audio --condition text --run runs/{run}")


@pytest.fixture
def here(place: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, as the current folder."""
    copy = shutil.copytree(place, tmp_path / "here", symlinks=True)
    with chdir(copy):
        yield copy
    rewards = [module.__name__ for module in reward_files._modules.values()]
    for module in [*plugins.loaded_plugins().values(), *rewards]:  # the next copy has files of the same names
        forget(module)
    plugins._loaded.clear()
    reward_files._modules.clear()


@pytest.fixture(scope="module")
def files_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "files", make_place)


@pytest.mark.slow
@pytest.mark.parametrize("page", LINES)
def test_what_a_page_says_to_type_is_understood(page: str, files_alone: Path) -> None:
    """Command, options and their values; nothing is done."""
    with chdir(files_alone):
        for line in LINES[page]:
            arguments = at_hand(sent_to(line)[0])
            if arguments is not None:
                parse(arguments)


def parse(arguments: list[str]) -> None:
    """Read a command line as far as click does before the command starts."""
    context, command = click.Context(main), main
    main.parse_args(context, list(arguments))
    arguments = [*context._protected_args, *context.args]
    while isinstance(command, click.Group) and arguments:
        name, found, arguments = command.resolve_command(context, list(arguments))
        assert found is not None
        context = found.make_context(name, list(arguments), parent=context)
        command, arguments = found, [*context._protected_args, *context.args] if isinstance(found, click.Group) else []


@pytest.mark.slow
@pytest.mark.parametrize("page", LINES)
def test_what_a_page_says_to_type_works(page: str, here: Path) -> None:
    os.utime(here / "runs" / NEWEST.get(page, "mmau") / "run.json")
    own: set[Path] = set()
    for line in LINES[page]:
        arguments = at_hand(sent_to(line)[0])
        if arguments is None:
            continue
        run = in_the_way(arguments)
        if run and run not in own:  # made for other pages; the reader of this one has none of that name
            shutil.rmtree(run, ignore_errors=True)
            own.add(run)
        work(line, arguments)


@pytest.mark.slow
def test_python_of_the_pages_works(tmp_path: Path) -> None:
    found = [(page, text) for page in PAGES for language, text in blocks(page) if language == "python"]
    assert len(found) >= 2
    known: dict[Path, dict[str, object]] = defaultdict(dict)  # a page is read from its top on
    for page, text in found:
        (tmp_path / page.stem).mkdir(exist_ok=True)
        write_files(page, tmp_path / page.stem)
        with chdir(tmp_path / page.stem):
            exec(compile(re.sub(r"limit=\d+", f"limit={FEW}", text), str(page), "exec"), known[page])


def test_every_part_of_ones_own_has_an_example_of_at_most_15_lines() -> None:
    shown = files(DOCS / "plugins.md")
    assert set(shown) == {f"my_{part}" for part in ("condition.py", "rule.py", "format.py", "source.py", "prompt.yaml")}
    assert max(len(text.splitlines()) for text in shown.values()) <= 15
    named = " ".join(LINES["docs/plugins.md"])
    assert all(name in named for name in shown)
    models = files(DOCS / "how-to" / "own-model.md")
    assert set(models) == {"my.py", "nulls.py", "theirs.py"}
    assert max(len(text.splitlines()) for text in models.values()) <= 15
    assert all(f"--model {name}:" in " ".join(LINES["docs/how-to/own-model.md"]) for name in models)


@pytest.mark.parametrize("line", ["show --buy question_type", "shew", "train sft --recipe r.yaml --lr 3"])
def test_a_line_that_is_wrong_is_noticed(line: str) -> None:
    with pytest.raises(AssertionError, match=r"no (option|command) is called"):
        work(f"audiocontrib {line}")
    with pytest.raises(click.UsageError, match="No such"):
        parse(line.split())
