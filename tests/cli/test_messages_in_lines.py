"""What the library logs is a line on stderr under the command line, and an ordinary record for other programs."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from audiocontrib.cli.messages import LIBRARY, messages_in_lines
from audiocontrib.deprecation import RenamedWarning, renamed
from audiocontrib.log import tell
from audiocontrib.models import load_model
from audiocontrib.scoring import score
from audiocontrib.sources import load_items

LOG = logging.getLogger("audiocontrib.here")


def test_records_and_old_names_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with messages_in_lines():
        LOG.info("one of %d", 2)
        LOG.debug("no one hears")
        tell(LOG, "two")
        renamed("--old", "--new", gone="0.4")
        logging.getLogger("another").warning("not ours")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["one of 2", "two", "note: --old is called --new now; the old name goes on until 0.4"]


def test_other_warnings_stay_as_they_are() -> None:
    with pytest.warns(UserWarning, match="theirs"), messages_in_lines():
        warnings.warn("theirs", UserWarning, stacklevel=1)


def test_afterwards_logging_is_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    logger, shown = logging.getLogger(LIBRARY), warnings.showwarning
    before = (list(logger.handlers), logger.level)
    with pytest.raises(KeyError), messages_in_lines():
        raise KeyError
    assert (list(logger.handlers), logger.level) == before
    assert warnings.showwarning is shown
    with pytest.warns(RenamedWarning, match="called new now"):
        renamed("old", "new", gone="0.4")
    assert capsys.readouterr().err == ""


def test_progress_that_was_asked_for_is_seen_without_logging_too(capsys: pytest.CaptureFixture[str]) -> None:
    tell(LOG, "a line")
    assert capsys.readouterr().err == "a line\n"


def test_other_programs_get_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, logger=LIBRARY)
    score(load_items("demo", limit=3), [load_model("mock")], conditions=["text"], run=tmp_path / "r", progress=True)
    told = [record for record in caplog.records if record.name == "audiocontrib.scoring"]
    assert [record.levelname for record in told] == ["INFO", "INFO"]
    assert any("3 questions" in record.getMessage() or "of" in record.getMessage() for record in told)
    assert "questions" not in capsys.readouterr().err


@pytest.mark.slow
def test_importing_the_package_sets_up_no_logging() -> None:
    seen = "import audiocontrib, logging; from audiocontrib import scoring; l = logging.getLogger('audiocontrib'); "
    done = subprocess.run(
        [sys.executable, "-c", seen + "print(l.handlers, l.level, logging.root.handlers)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[] 0 []\n"
