"""A viewer at work: on the loopback alone, until Ctrl-C."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.store.mark_lines import Mark
from audiocontrib.view.shelf import Shelf

MISSING = "the viewer needs Starlette and uvicorn; run: pip install 'audiocontrib[view]'"


def serve(
    places: Sequence[Path],
    *,
    say: Callable[[str], None],
    port: int = 0,
    marked_by: str = "",
    browser: bool = False,
    audio_root: Path | None = None,
) -> None:
    """Show runs on a page until the process is asked to stop.

    Args:
        places: runs, and folders of runs.
        say: is given the address, with its token.
        port: of 127.0.0.1; 0: a free one.
        marked_by: who marks items.
        browser: whether the page is opened.
        audio_root: the folder of the runs' audio, where it is not where they say.

    Raises:
        UsageError: a place holds no run, a library is missing, or the name cannot be kept.
        AudiocontribError: the port is taken.
    """
    try:
        import uvicorn

        from audiocontrib.view.app import make_app
        from audiocontrib.view.security import Door
    except ImportError as error:
        raise UsageError(MISSING) from error
    _check_name(marked_by)
    shelf = Shelf(places, audio_root)
    with closing(shelf), closing(_listening(port)) as at:
        shelf.names()
        door = Door(make_app(shelf, marked_by), at.getsockname()[1])
        say(door.address)
        if browser:
            webbrowser.open(_private_link(shelf.elsewhere, door.address))
        settings = uvicorn.Config(
            door, log_level="critical", access_log=False, lifespan="off", server_header=False, ws="none",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        with suppress(KeyboardInterrupt):  # Ctrl-C and SIGTERM: how a viewer ends
            uvicorn.Server(settings).run(sockets=[at])
    say("the viewer has ended")


def _private_link(folder: Path, address: str) -> str:
    """A file in a folder of the user's own that leads to the address: a command line is seen by all who are here."""
    file = folder / "open.html"
    file.write_text(f'<meta http-equiv="refresh" content="0; url={address}">', encoding="utf-8")
    return file.as_uri()


def _check_name(name: str) -> None:
    try:
        Mark(item_id="", kind="fine", by=name, at=datetime.now(UTC))
    except UsageError as error:
        raise UsageError(f"the name of who marks cannot be kept: {error}", argument="marked_by") from None


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(64)
    except OSError as error:
        made.close()
        raise AudiocontribError(f"port {port} of 127.0.0.1 cannot be had: {error.strerror}", argument="port") from error
    return made
