"""`audiocontrib push`: a split or a trained model for the hub."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_option, say
from audiocontrib.errors import UsageError


@click.command()
@click.argument("repo")
@run_option
@click.option("--split", help="Name of a split in the run.  [default: the only one]")
@click.option("--training", type=click.Path(path_type=Path), help="Folder of a training, for its model.")
@click.option("--send", is_flag=True, help="Send it; without this it is only said what would be sent.")
@click.option("--public", is_flag=True, help="A repository that is made is public.  [default: private]")
def command(repo: str, folder: Path | None, split: str | None, training: Path | None, send: bool, public: bool) -> None:
    """Publish a split as a data set, or a training's model, on the hub. Nothing is sent without --send.

    REPO is OWNER/NAME. A data set holds the split with its questions (no recordings), its card, how it was made,
    and Croissant metadata. Look at the licence of the questions first: they are published with it. Who you are is
    as huggingface_hub knows it.

    \b
    Example:
      audiocontrib push me/mmau-contribution --run runs/mmau --split votes
    """
    from audiocontrib.publish import push

    if training is not None and (folder is not None or split is not None):
        raise UsageError("--training is of a model, --run and --split of a data set; give one of the two")
    what = training if training is not None else chosen_run(folder)
    done = push(what, repo, split=split, send=send, public=public)
    for name, size in done.files:
        say(f"  {name}: {size:,} bytes")
    sent = f"sent to {done.url}" if done.url else "nothing was sent: that is what --send would send"
    say(f"{done.kind} {done.repo}: {len(done.files)} files, {sent}")
