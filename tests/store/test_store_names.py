"""Names and paths are never patterns: a run reads its own files, whatever it and its neighbours are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.store_tools import item, items, manifest, response, start

from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.items import Items
from audiocontrib.store import Run, open_run
from audiocontrib.store.splits import saved_split, write_split

ODD = {  # a run's name -> a neighbour that it would match as a pattern
    "e[1]": "e1", "exp?": "expa", "**": "a/b", "*": "b", "[a-c]": "c", "[!x]": "d", "v??": "vab", "[": "[[",
    "[[]": "[", "[]]": "]", "x*y": "xzy", "{a,b}": "a", "~": "home", "$HOME": "home", "file:": "e", "it's": "its",
    "a=b": "a", "%5B1%5D": "[1]", "ü[1]": "ü1", "[^a]": "b", "[*]": "*", "?": "1",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_a_run_reads_itself_and_not_its_neighbour(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, found in ((ODD[name], "other"), (name, "own")):
        run = Run.create_or_resume(Path(folder), manifest(), Items([item(0, question=found), item(1)]))
        run.append([response(0, reply=found)])
        run.append([response(0, reply=found, after=1), response(1, reply=found)])
    own = open_run(name)
    assert own.query("select distinct reply from responses").reply.tolist() == ["own"]
    assert own.query("select question from items where item_id = 'toy/0'").question.tolist() == ["own"]
    assert len(own.query("from responses")) == 2
    assert len(own.answered()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v?", "[v]", "*", "**", "{v,w}"])
def test_a_split_is_read_by_its_name(name: str, tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    for called, reason in (("v1", "other"), ("v", "other"), (name, "own")):
        about = run.query(
            f"select item_id, 'weak' as split, 0.5::double as score, '{reason}' as reason, false as unsolved from items"
        )
        import pyarrow as pa

        write_split(run.split_folder(called), pa.Table.from_pandas(about, preserve_index=False), {})
    assert set(run.query(f"select reason from splits where name = '{name}'").reason) == {"own"}
    assert saved_split(run.path, name).table["reason"].unique().to_pylist() == ["own"]


BAD_NAMES = [
    "..",
    ".",
    "",
    " ",
    "a/b",
    "../x",
    "/tmp",
    ".hidden",
    "a\0b",
    "a\nb",
    "a\x1b[31m",
    "a\\b",
    "x" * 300,
    "\ud800",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_split_that_cannot_be_called_so_is_refused_before_the_work(name: str, tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="a split cannot be called") as caught:
        run.split_folder(name)
    assert str(caught.value).isprintable()
    if "\0" not in name and "\ud800" not in name:
        done = CliRunner().invoke(main, ["split", "--run", str(run.path), "--name", name])
        assert done.exit_code == 2
        assert "cannot be called" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_split_is_not_written_over_a_run(tmp_path: Path) -> None:
    import pyarrow as pa

    run = start(tmp_path / "r")
    with pytest.raises(UsageError, match="that is a run"):
        write_split(run.path, pa.table({"item_id": ["toy/0"], "split": ["weak"]}), {})


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[2J", "x" * 300])
def test_a_model_that_cannot_be_called_so_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a model cannot be called"):
        Run.create_or_resume(tmp_path / "r", manifest(models={name: {}}), items(1))
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "\x1b[31m", "x" * 300, "a\\b[1]", "a\\*", ""])
def test_a_run_that_cannot_be_read_later_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a run cannot be in|SQL reads no path"):
        Run.create_or_resume(f"{tmp_path}/{name}" if name else "", manifest(), items(1))
    assert list(tmp_path.iterdir()) == []
