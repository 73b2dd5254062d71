"""`audiocontrib view`: a live page over runs."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import run_audio_option, say
from audiocontrib.cli.printed import put
from audiocontrib.errors import UsageError


@click.command()
@click.argument("places", nargs=-1, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1.  [default: a free one]")
@click.option("--as", "marked_by", metavar="NAME", default="", help="Who marks items.  [default: nobody by name]")
@click.option("--open/--no-open", "browser", default=False, help="Open the page in your browser.  [default: no]")
@run_audio_option
@click.option("--bundle", type=click.Path(path_type=Path), help="Write a static site of one run to this folder.")
@click.option("--clips", is_flag=True, help="With --bundle: copy the clips too, where you may give them on.")
@click.option(
    "--items", type=click.IntRange(min=1), default=5000, show_default=True,
    help="With --bundle: at most so many items, sampled by question type and part of the split saved last.",
)  # fmt: skip
def command(
    places: tuple[Path, ...],
    port: int,
    marked_by: str,
    browser: bool,
    audio_root: Path | None,
    bundle: Path | None,
    clips: bool,
    items: int,
) -> None:
    """Look at runs on a page that follows them: every item filtered, heard, compared and marked.

    PLACES are runs, watched trainings, and folders of these; without any, those of runs/ are shown. The page is for you
    alone: it is served on 127.0.0.1, to the browser that opened the address with its token, and asks nothing of the
    network. Ctrl-C ends it.

    \b
    Examples:
      audiocontrib view
      audiocontrib view runs/demo --as ann --open
      audiocontrib view trained
      audiocontrib view runs/demo --bundle site --clips
    """
    from audiocontrib.view.serve import serve

    where = places or (Path("runs"),)
    if bundle is not None:
        from audiocontrib.view.bundle import write_bundle

        say(write_bundle(where, bundle, clips=clips, most=items, audio_root=audio_root))
        put(str(bundle / "index.html"))
        return
    if clips:
        raise UsageError("--clips belongs to --bundle: a viewer plays clips from where they are")
    serve(where, say=say, port=port, marked_by=marked_by, browser=browser, audio_root=audio_root)
