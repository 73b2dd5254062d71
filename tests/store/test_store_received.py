"""A run that came from elsewhere: nothing outside its folder, and the one that the user names, is read or copied."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from click.testing import CliRunner
from helpers.store_tools import manifest, response

from audiocontrib.arrow import schema_of
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.report.item_sample import sampled
from audiocontrib.store import Run, open_run, write_table_atomic

SECRET = "a secret of the user"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def sound(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).normal(size=8000) * 0.1, 16_000)
    return path


def made(folder: Path, audio_root: object, *paths: str) -> Run:
    """A run that says that its audio is there, with an answer for each of its items."""
    items = Items(
        [
            make_item(dataset="toy", own_id=str(n), question="?", choices=["a", "b"], answer="a", audio=Clip(path=path))
            for n, path in enumerate(paths)
        ]
    )
    run = Run.create_or_resume(folder, manifest() | {"origin": {"name": "toy", "audio_root": audio_root}}, items)
    two = {"posterior": (0.4, 0.6), "option_logprob": (-2.0, -1.0), "option_tokens": (2, 2)}
    run.append([response(n, **two) for n in range(len(paths))])
    return run


def received(folder: Path, tmp_path: Path) -> Run:
    """The same run on the machine of somebody else."""
    shutil.rmtree(tmp_path / "state", ignore_errors=True)
    return open_run(folder)


FORMS: dict[str, Callable[[Path], tuple[object, str]]] = {
    "root of the disk": lambda t: ("/", str(t / "own/secret.wav").lstrip("/")),
    "root of the disk, no sound": lambda t: ("/", str(t / "own/secret.txt").lstrip("/")),
    "folder of the user": lambda t: (str(t / "own"), "secret.wav"),
    "folder of the user, no sound": lambda t: (str(t / "own"), "secret.txt"),
    "absolute path": lambda t: (None, str(t / "own/secret.wav")),
    "absolute path under the root": lambda t: ("/", str(t / "own/secret.wav")),
    "parent path": lambda t: (str(t / "runs/r"), "../../own/secret.wav"),
    "parent root": lambda t: ("..", "../own/secret.wav"),
    "parent root within": lambda t: ("responses/../../..", "own/secret.wav"),
    "home": lambda t: ("~", "secret.wav"),
    "working folder": lambda t: (".", "secret.wav"),
    "no root": lambda t: (None, "secret.wav"),
    "link in the run": lambda t: ("clips", "link.wav"),
    "linked folder in the run": lambda t: ("linked", "secret.wav"),
    "archive elsewhere": lambda t: (str(t / "own"), "secret.zip/secret.wav"),
    "root is an archive": lambda t: (str(t / "own/secret.zip"), "secret.wav"),
    "root is a link": lambda t: ("rootlink", "secret.wav"),
    "devices": lambda t: ("/dev", "stdin"),
    "processes": lambda t: ("/proc/self", "environ"),
    "no path": lambda t: ("\0", "secret.wav"),
    "long": lambda t: ("x" * 5000, "secret.wav"),
    "empty root": lambda t: ("", str(t / "own/secret.wav")),
}


def hostile(form: str, tmp_path: Path) -> Run:
    import zipfile

    own = tmp_path / "own"
    sound(own / "secret.wav")
    (own / "secret.txt").write_text(SECRET)
    with zipfile.ZipFile(own / "secret.zip", "w") as file:
        file.write(own / "secret.wav", "secret.wav")
    root, path = FORMS[form](tmp_path)
    run = made(tmp_path / "runs" / "r", root, path)
    sound(run.path / "clips" / "mine.wav", 1)
    (run.path / "clips" / "link.wav").symlink_to(own / "secret.wav")
    (run.path / "linked").symlink_to(own)
    (run.path / "rootlink").symlink_to("/")
    return received(run.path, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_nothing_outside_is_copied_embedded_or_linked(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hostile(form, tmp_path)
    monkeypatch.chdir(tmp_path / "own")
    words = ["export", "--run", str(run.path), "--stage", "sft", "--part", "all", "--out", str(tmp_path / "out")]
    for way in (["--for", "swift", "--copy-clips"], ["--for", "datasets"], ["--for", "swift"]):
        done = CliRunner().invoke(main, [*words, *way])
        assert done.exit_code in (1, 2), done.stdout + done.stderr
        assert "unexpected" not in done.stderr
        assert not (tmp_path / "out").exists()
    numbers = ("p_audio", "p_silence", "p_text", "contribution", "right_with_audio", "votes_right")
    scores = schema_of(item_id=pa.string(), unsolved=pa.bool_(), **dict.fromkeys(numbers, pa.float64())).empty_table()
    assert sampled(run, None, scores, 9, run.path).clips == {}


def test_with_the_folder_that_is_named_it_is_as_ones_own(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "a.wav")
    run = made(tmp_path / "runs" / "r", str(tmp_path / "audio"), "a.wav")
    words = ["export", "--run", str(run.path), "--stage", "sft", "--part", "all", "--quiet"]
    words += ["--for", "swift", "--copy-clips"]
    own = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "own")])
    assert own.exit_code == 0, own.stderr
    received(run.path, tmp_path)
    refused = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "no")])
    assert refused.exit_code == 1
    assert "was not made here" in refused.stderr
    assert "(--audio-root)" in refused.stderr
    named = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "yes"), "--audio-root", str(tmp_path / "audio")])
    assert named.exit_code == 0, named.stderr
    assert (tmp_path / "yes/audio/a.wav").read_bytes() == (tmp_path / "audio/a.wav").read_bytes()
    with pytest.raises(UsageError, match="there is no such folder"):
        open_run(run.path, audio_root=tmp_path / "nowhere")


@pytest.mark.parametrize("root", [7, ["/"], {"/": "/"}, True])
def test_a_root_that_is_no_text_is_refused(root: object, tmp_path: Path) -> None:
    run = made(tmp_path / "r", root, "secret.wav")
    with pytest.raises(AudiocontribError, match=r"origin\.audio_root: Input should be a valid string"):
        open_run(run.path)


def test_a_run_that_carries_its_audio_is_read(tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "r", "clips", "a.wav")
    sound(run.path / "clips" / "a.wav")
    run = received(run.path, tmp_path)
    words = ["export", "--run", str(run.path), "--stage", "sft", "--part", "all", "--quiet"]
    words += ["--for", "swift", "--copy-clips"]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr


def test_items_of_a_received_run_do_not_make_its_folder_ones_own(tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "r", "/", str(sound(tmp_path / "own/secret.wav")).lstrip("/"))
    items = received(run.path, tmp_path).load_items()
    again = Run.create_or_resume(tmp_path / "runs" / "s", manifest() | {"origin": items.origin}, items)
    assert again.load_items()[0].audio == Clip(path=items[0].audio.path, root=str(run.path.absolute()))  # type: ignore[union-attr]


def test_a_mark_is_no_use_for_another_folder(tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "r", str(tmp_path / "audio"), "a.wav")
    kept = json.loads((run.path / "run.json").read_text())
    assert run.load_items().origin["audio_root"] == str(tmp_path / "audio")
    for mark in (kept["made_here"], "", None, 7, [], "0" * 32, base64.b64encode(b"x" * 24).decode(), "\u00e9"):
        kept["made_here"], kept["origin"]["audio_root"] = mark, "/"
        kept.pop("sha256", None)
        (run.path / "run.json").write_text(json.dumps(kept))
        assert open_run(run.path).load_items().origin["audio_root"] == str(run.path.absolute())
    assert oct(os.stat(tmp_path / "state/audiocontrib/key").st_mode & 0o777) == "0o600"


def test_what_is_no_sound_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.wav").write_text(SECRET)
    run = made(tmp_path / "runs" / "r", str(tmp_path / "audio"), "a.wav")
    words = ["export", "--run", str(run.path), "--stage", "sft", "--part", "all", "--quiet"]
    for way in (["--for", "swift", "--copy-clips"], ["--for", "datasets"]):
        done = CliRunner().invoke(main, [*words, *way, "--out", str(tmp_path / "out")])
        assert done.exit_code == 1
        assert "cannot be decoded" in done.stderr
        assert not (tmp_path / "out").exists()


LINKED = ["run.json", "items.parquet", "quarantine.parquet", "responses", "responses/part", "contributions.parquet",
          "splits", "splits/one", "splits/one/split.parquet", "splits/one/settings.json"]  # fmt: skip


@pytest.mark.parametrize("name", LINKED)
def test_a_link_out_of_the_run_is_refused(name: str, tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "r", None, "a.wav")
    table = pa.table({"item_id": ["toy/0"], "split": ["weak"], "score": [0.5], "reason": ["x"], "unsolved": [False]})
    write_table_atomic(table, run.path / "splits/one/split.parquet")
    (run.path / "splits/one/settings.json").write_text("{}")
    write_table_atomic(pa.table({"item_id": ["toy/0"], "score": [0.5]}), run.path / "contributions.parquet")
    path = next(run.path.glob("responses/*.parquet")) if name == "responses/part" else run.path / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    def read() -> None:
        opened = open_run(run.path)
        opened.query("from splits")
        opened.load_items()
        opened.split("one")

    with pytest.raises(AudiocontribError, match="is a link that leads out of"):
        read()
