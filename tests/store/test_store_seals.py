"""Bit rot: a file of a run that is not what was written is seen, named, and made again."""

from __future__ import annotations

import json
import os
import random
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers.store_tools import bad, items, manifest, response, start

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.cascade.evidence import SoundFindings
from audiocontrib.models.cascade.evidence_cache import Keep
from audiocontrib.responses import RESPONSE_SCHEMA, Outcome, response_rows
from audiocontrib.store import Run, open_run, write_table_atomic
from audiocontrib.store.seal import SEALS, check_file
from audiocontrib.store.splits import saved_split, write_certificates, write_split


def whole(folder: Path) -> Run:
    run = start(folder, 4)
    for part in range(3):
        run.append([response(part, reply=f"reply {part}"), response(part + 1, Outcome.FAILED, after=-part)])
    run.quarantine([bad(3)])
    scores = pa.table({"item_id": [f"toy/{n}" for n in range(4)], "score": [0.5, 0.25, 1.0, 0.0]})
    run.save_contributions(scores)
    run.save_audit(pa.table({"item_id": ["toy/0"], "text_both": [0.25]}))
    table = pa.table({
        "item_id": [f"toy/{n}" for n in range(4)], "split": ["weak", "strong"] * 2, "score": [0.1, 0.9] * 2,
        "reason": ["because"] * 4, "unsolved": [False] * 4,
    })  # fmt: skip
    write_split(run.split_folder("one"), table, {"rule": "votes", "threshold": 0.5, "findings": {"n": 4}})
    write_certificates(run.split("one"), [{"model": "tiny", "bound": 0.25}])
    ac.add_mark(run, "toy/0", "wrong key", answer="dog", by="ann")
    ac.add_mark(run, "toy/1", "fine", note="as it should be")
    keep = Keep("f" * 64)
    keep.open(run.path / "evidence")
    for name in ("a", "b"):
        keep.put(name * 64, SoundFindings(("dog",), ("0 s: dog",), "words", "en"))
    return run


def results(run: Path) -> Any:
    """All that is read from a run; a file that only saves work may be left out."""
    opened = open_run(run)
    tables = [opened.table(f"from {view} order by all").to_pylist() for view in
              ("items", "quarantine", "responses", "contributions", "audit", "splits", "marks")]  # fmt: skip
    saved = opened.split("one")
    keep = Keep("f" * 64)
    keep.open(run / "evidence")
    heard = [keep.get(name * 64) for name in ("a", "b")]
    found = SoundFindings(("dog",), ("0 s: dog",), "words", "en")
    assert all(one in (None, found) for one in heard)
    about = {k: v for k, v in opened.manifest.items() if k not in ("made_here", "sha256")}
    asked = [key in opened.answered() for key in ("key-0", "key-1", "key-2", "key-3")]
    kept = [saved.table.to_pylist(), dict(saved.settings), dict(saved.findings), list(saved.certificates)]
    return tables, kept, about, asked, [repr(item) for item in opened.load_items()]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_bit_that_flips_changes_no_result(seed: int, tmp_path: Path) -> None:
    run, rng = whole(tmp_path / "r").path, random.Random(seed)
    wanted, refused = results(run), 0
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name != ".lock"]
    assert len(files) >= 12
    for n in range(60):
        path = files[n % len(files)]
        kept, where = path.read_bytes(), path.stat()
        damaged = bytearray(kept)
        damaged[rng.randrange(len(kept))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert results(run) == wanted, path
        except AudiocontribError as error:
            refused += len(str(error).splitlines())
        path.write_bytes(kept)
        os.utime(path, ns=(where.st_atime_ns, where.st_mtime_ns + n))
    assert 30 < refused < 60


def test_every_byte_of_a_part_counts(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    run.append([response(0), response(1)])
    [path] = (run.path / "responses").iterdir()
    kept = path.read_bytes()
    table, unseen = pq.read_table(path), 0
    copy = tmp_path / "copy.parquet"
    for at in range(0, len(kept), 7):
        damaged = bytearray(kept)
        damaged[at] ^= 0x10
        copy.write_bytes(damaged)
        try:
            sealed = check_file(copy)
        except AudiocontribError:
            continue
        assert not sealed
        assert pq.read_table(copy).equals(table)  # the mark before the hash: no content
        unseen += 1
    assert unseen <= 4


def test_verify_finds_moves_aside_and_says_what_makes_it_again(tmp_path: Path) -> None:
    run = whole(tmp_path / "r")
    done = CliRunner().invoke(main, ["verify", "--run", str(run.path)])
    assert done.exit_code == 0, done.output
    assert "0 damaged" in done.stderr
    part = sorted((run.path / "responses").iterdir())[1]
    certificate = run.path / "splits/one/certificate.json"
    settings = run.path / "splits/one/settings.json"
    damaged = bytearray(part.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    part.write_bytes(damaged)
    settings.write_text(settings.read_text().replace("votes", "voteq"))
    certificate.write_text(certificate.read_text().replace("0.25", "0.05"))
    with pytest.raises(AudiocontribError, match=part.name):
        open_run(run.path).query("from responses")
    done = CliRunner().invoke(main, ["verify", "--run", str(run.path), "--format", "json"])
    assert done.exit_code == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["file"]: row["again"].split(":")[0].split(";")[0] for row in rows} == {
        str(part.relative_to(run.path)): "the score command that made the run",
        "splits/one/certificate.json": "audiocontrib certify",
        "splits/one/settings.json": "audiocontrib split",
    }
    held = {path: path.read_bytes() for path in (part, certificate, settings)}
    repaired = ac.verify(run.path, repair=True)
    assert len(repaired.damaged) == 3
    assert {path.read_bytes() for path in repaired.moved} == set(held.values())
    assert saved_split(run.path, "one").rule == "votes"  # the settings are in the split's table too
    assert not len(ac.verify(run.path).damaged)
    assert open_run(run.path).query("from responses where outcome = 'failed'").item_id.tolist() == ["toy/1", "toy/3"]
    assert "key-1" not in open_run(run.path).answered()  # and is asked again


def test_a_damaged_run_json_stays_where_it_is(tmp_path: Path) -> None:
    run = whole(tmp_path / "r")
    path = run.path / "run.json"
    path.write_text(path.read_text().replace('"likelihood"', '"likelihooe"'))
    with pytest.raises(AudiocontribError, match=r"run\.json is damaged .* delete its 'sha256'"):
        open_run(run.path)
    found = ac.verify(run.path, repair=True)
    assert found.damaged["file"].to_pylist() == ["run.json"]
    assert not found.moved
    changed = {key: value for key, value in json.loads(path.read_text()).items() if key != "sha256"}
    path.write_text(json.dumps(changed))
    assert open_run(run.path).manifest["identity"]["method"] == "likelihooe"


def unsealed(run: Path) -> None:
    """As an older program has written it."""
    for path in run.rglob("*.parquet"):
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    for path in run.rglob("*.json"):
        held = json.loads(path.read_text())
        for one in held if isinstance(held, list) else [held]:
            one.pop("sha256")
        path.write_text(json.dumps(held))


@pytest.mark.slow
@pytest.mark.parametrize("by", ["verify", "resume"])
def test_a_run_without_hashes_is_read_and_gets_them(by: str, tmp_path: Path) -> None:
    run = whole(tmp_path / "r").path
    wanted = results(run)
    unsealed(run)
    assert results(run) == wanted
    if by == "verify":
        found = ac.verify(run)
        assert set(found.files["state"].to_pylist()) == {"sealed", "whole"}
        assert set(ac.verify(run).files["state"].to_pylist()) == {"whole"}
    else:
        Run.create_or_resume(run, manifest(), items(4))
    assert set(json.loads((run / SEALS).read_text())) == {"sha256", *(p.name for p in (run / "responses").iterdir())}
    assert results(run) == wanted
    part = sorted((run / "responses").iterdir())[0]
    rows = pq.read_table(part).to_pylist()
    rows[0]["choice"] = 2
    pq.write_table(pa.Table.from_pylist(rows, schema=RESPONSE_SCHEMA), part)
    with pytest.raises(AudiocontribError, match=f"{part.name} is damaged"):
        open_run(run).query("from responses")


def test_what_an_older_program_reads_is_as_before(tmp_path: Path) -> None:
    path = write_table_atomic(response_rows([response(0)]), tmp_path / "x.parquet")
    assert pq.read_schema(path).equals(RESPONSE_SCHEMA)
    assert pq.read_table(path).equals(response_rows([response(0)]))
    for n in (0, 5000):
        table = pa.table({"n": list(range(n))})
        assert check_file(write_table_atomic(table, tmp_path / "y.parquet"))
        assert pq.read_table(tmp_path / "y.parquet").equals(table)


@pytest.mark.parametrize("name", ["responses", "items.parquet"])
def test_what_is_missing_is_called_missing(name: str, tmp_path: Path) -> None:
    run = whole(tmp_path / "r").path
    shutil.rmtree(run / name) if name == "responses" else (run / name).unlink()
    with pytest.raises(AudiocontribError, match=r"is missing|no items\.parquet"):
        open_run(run).query("from responses")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("name", ["responses", "part", "items.parquet", "run.json", "splits/one/settings.json"])
def test_what_may_not_be_read_is_not_called_damaged(name: str, tmp_path: Path) -> None:
    run = whole(tmp_path / "r").path
    path = next((run / "responses").iterdir()) if name == "part" else run / name
    os.chmod(path, 0)
    said = tmp_path / "said"
    child = os.fork()
    if not child:
        if os.geteuid() == 0:  # root reads everything
            for above in (tmp_path, *tmp_path.parents[:2]):
                os.chmod(above, 0o755)
            os.seteuid(65534)
        try:
            opened = open_run(run)
            text = f"{len(opened.query('from responses'))} {opened.split('one')}"
        except AudiocontribError as error:
            text = str(error)
        os.seteuid(os.getuid())
        said.write_text(text)
        os._exit(0)
    os.waitpid(child, 0)
    assert "may not be read: Permission denied" in said.read_text()
    assert "damaged" not in said.read_text()


NO_FILES = ["part", "items.parquet", "quarantine.parquet", "run.json", "hashes.json", "contributions.parquet",
            "splits/one/split.parquet", "splits/one/settings.json", "splits/one/certificate.json",
            "evidence/ffffffffffffffff/a.jsonl"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NO_FILES)
@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_not_read_for_ever(kind: str, name: str, tmp_path: Path) -> None:
    run = whole(tmp_path / "r").path
    path = next((run / "responses").iterdir()) if name == "part" else run / name
    path.unlink(missing_ok=True)
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    told = pytest.raises(AudiocontribError, match=r"a folder, a pipe or a device|has no split")
    with nullcontext() if name.startswith("evidence") else told:
        assert results(run)
    found = ac.verify(run, repair=True)
    assert found.damaged["file"].to_pylist() == [str(path.relative_to(run))]
    assert path.is_file() or not path.exists() or name == "run.json"
