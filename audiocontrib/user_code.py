"""Files of Python that a user names: run once, as a module."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType


def run_code(code: CodeType, name: str, place: Path) -> ModuleType:
    """The module that a file's code makes, in ``sys.modules`` under ``name``; its folder can be imported from.

    Args:
        place: the file, resolved.

    Raises:
        Whatever the code raises; then no module is left.
    """
    module = ModuleType(name)
    module.__file__ = str(place)
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))  # last: a file there hides no library
    sys.modules[name] = module  # dataclasses, pickle and other processes look there
    try:
        with redirect_stdout(sys.stderr):  # stdout is for tables, which others read
            exec(code, vars(module))
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
