"""The pages build without a warning, and nothing that a reader can type or read is left undocumented."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from helpers.documented import DOCS, commands
from helpers.shared import made_once

import audiocontrib
from audiocontrib.cli import COMMANDS, main
from audiocontrib.conditions import CONDITIONS
from audiocontrib.splits import RULES
from audiocontrib.store import VIEWS, open_run

TABLES = DOCS / "reference" / "tables.md"
GROUP = "audiocontrib"


def build(out: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-d", out / "trees", DOCS, out]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (out / "warnings").write_text(done.stderr, encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as HTML, and the warnings; what needs it is slow."""
    return made_once(tmp_path_factory, "html", build)


@pytest.mark.slow
def test_the_pages_build_without_a_warning(built: Path) -> None:
    """A page that docs/index.md does not list, a link that leads nowhere, a docstring that cannot be read."""
    assert not sorted(set((built / "warnings").read_text(encoding="utf-8").strip().splitlines()))


def ids(page: Path) -> set[str]:
    return set(re.findall(r'id="([^"]+)"', page.read_text(encoding="utf-8")))


def options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


@pytest.mark.slow
def test_every_command_and_option_is_on_the_page_of_commands(built: Path) -> None:
    there = ids(built / "reference" / "commands.html")
    wanted = {f"cmdoption-{GROUP}-debug"}
    for name, command in commands():
        path = f"{GROUP}-{name.replace(' ', '-')}"
        assert path in there, f"{name} is not on the page"
        for param in command.params:
            own = param.opts[0].lstrip("-") if isinstance(param, click.Option) else f"arg-{param.human_readable_name}"
            wanted.add(f"cmdoption-{path}-{own}")
    assert len(wanted) > 100
    assert not sorted(wanted - there)


@pytest.mark.slow
def test_the_page_of_commands_shows_examples_as_they_are_typed(built: Path) -> None:
    text = unescape(re.sub(r"<[^>]+>", "", (built / "reference" / "commands.html").read_text(encoding="utf-8")))
    assert "audiocontrib demo --seed 7 --limit 400" in text
    assert "\u2013seed" not in text  # two hyphens are no dash
    assert "\nUsage\naudiocontrib datasets describe [OPTIONS] PATH" in re.sub(r"\n\s*", "\n", text)


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_says_what_it_does_and_every_option_has_a_help_text(name: str, command: click.Command) -> None:
    assert command.help
    assert " " in name or COMMANDS[name].endswith(".")
    assert not [option.opts[0] for option in options(command) if not option.help]


@pytest.mark.slow
def test_the_environment_variables_on_the_page_are_read(built: Path, tmp_path: Path) -> None:
    text = unescape(re.sub(r"<[^>]+>", "", (built / "reference" / "commands.html").read_text(encoding="utf-8")))
    found = dict(re.findall(r"(--[\w-]+): (AUDIOCONTRIB_VALIDATE_\w+)", text))
    assert len(found) == len(options(dict(commands())["validate"]))
    given = {found["--dataset"]: "demo", found["--limit"]: "3", found["--format"]: "json"}
    done = CliRunner().invoke(main, ["validate"], env=given)
    assert (done.exit_code, done.stdout[:1]) == (0, "{"), done.output


@pytest.mark.slow
def test_every_public_name_of_the_package_is_on_the_page_of_python(built: Path) -> None:
    there = ids(built / "reference" / "python.html")
    assert len(audiocontrib.__all__) > 10
    assert not [n for n in audiocontrib.__all__ if not {f"audiocontrib.{n}", f"module-audiocontrib.{n}"} & there]


def documented() -> dict[str, dict[str, str]]:
    """View -> column -> type, as the page of tables has them."""
    found: dict[str, dict[str, str]] = {}
    for section in TABLES.read_text(encoding="utf-8").split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|\n]+(?:\|[^|\n]+)*) \|$", section, re.MULTILINE)
        found[section.split("\n")[0]] = {name: kind for name, kind, meaning in rows if meaning.strip()}
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """View -> column -> type, in a run that has been measured, split and audited."""
    run = tmp_path_factory.mktemp("runs") / "all"
    asked = "score --dataset demo --limit 60 --model mock:name=a,leak=0.3 --model mock:name=b,seed=1 --quiet --run"
    conditions = [part for each in ("audio", "silence", "text") for part in ("--condition", each)]
    for line in (asked, "contribution --run", "split --run", "audit --quiet --run"):
        done = CliRunner().invoke(main, [*line.split(), str(run), *(conditions if line is asked else [])])
        assert done.exit_code == 0, done.output
    with open_run(run).connect() as con:
        return {v: {name: kind.lower() for name, kind, *_ in con.sql(f"describe {v}").fetchall()} for v in VIEWS}


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_described_with_its_type(view: str, kept: dict[str, dict[str, str]]) -> None:
    described = {name: kind.replace('"', "") for name, kind in documented()[view].items()}
    assert described == {name: kind.replace('"', "") for name, kind in kept[view].items()}


def test_every_rule_and_condition_has_its_place() -> None:
    rules, asking = ((DOCS / page).read_text(encoding="utf-8") for page in ("measurement.md", "design.md"))
    assert not [name for name in RULES if f"| `{name}` |" not in rules]
    assert not [name for name in CONDITIONS if f"`{name}" not in asking]
