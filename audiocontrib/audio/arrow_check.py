"""Arrow files of others: read to the end once in a process of its own, whose death is one line.

Arrow trusts the offsets in a file. A damaged one can end the process that reads it, by SIGSEGV or SIGBUS, and even the
check of its arrays can; what has passed the check is read as any file.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

_CHECK = """
import sys
import pyarrow as pa
try:
    with pa.memory_map(sys.argv[1]) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            batch.validate(full=True)
            for row in range(batch.num_rows):
                batch.slice(row, 1).to_pylist()
except Exception as error:
    sys.exit(" ".join(f"{type(error).__name__}: {error}".split())[:200])
"""


class BadArrow(Exception):
    """A file that is no whole Arrow stream; the message says why."""


def check_arrow(path: Path) -> None:
    """BadArrow if a file is no Arrow stream whose arrays are all sound; told once per file and process."""
    facts = path.stat()
    if problem := _problem(path.absolute(), facts.st_size, facts.st_mtime_ns):
        raise BadArrow(problem)


@lru_cache(maxsize=4096)
def _problem(path: Path, size: int, changed: int) -> str:
    # -P: a file of the working folder is not imported in place of a library
    done = subprocess.run([sys.executable, "-P", "-c", _CHECK, str(path)], capture_output=True, check=False)
    if done.returncode < 0:
        return f"it is damaged: to read it ends the process ({signal.Signals(-done.returncode).name})"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return (said[-1] if said else "it cannot be read") if done.returncode else ""
