"""`audiocontrib score`: ask models with and without the audio."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.counted import METHODS
from audiocontrib.cli.data import data_options, dataset_option, load_dataset
from audiocontrib.cli.output import emit, format_option, say
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.cli.sampling import sampling_options
from audiocontrib.errors import AudiocontribError
from audiocontrib.prompts import DEFAULT_PROMPT

if TYPE_CHECKING:
    from audiocontrib.items import Items
    from audiocontrib.scoring.plan import RequestConfig
    from audiocontrib.scoring.sampling import Sampling
    from audiocontrib.store import Run


@click.command()
@dataset_option
@data_options
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    help="Name, folder, hub id or endpoint:MODEL@URL of a model, or my.py:NAME for one of your own; repeatable.",
)
@click.option(
    "--name", "names", multiple=True,
    help="Store a model's answers under this name; as often as --model, in the same order.  [default: the model's own]",
)  # fmt: skip
@click.option(
    "--condition", "conditions", multiple=True, default=("audio", "silence"), show_default=True,
    help="What may be heard: audio, silence, silence:matched, text, noise:-40, swap, reverse, clip:0-5, options, "
    "noquestion, mask:40, snr:10, swap-mask:40, swap-snr:10, conflict, foreign[:SEED]; repeatable.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(METHODS), default="likelihood", show_default=True,
    help="Log-likelihood of each option, a reply that is read, or log-likelihood after a thought.",
)  # fmt: skip
@click.option(
    "--orders", type=click.Choice(["cyclic", "given"]), default="cyclic", show_default=True,
    help="Orders of the options: every rotation, or the given one.",
)  # fmt: skip
@click.option(
    "--prompt", default=DEFAULT_PROMPT, show_default=True, metavar="NAME|FILE",
    help="Name of the prompt, or a .yaml or .txt file with one of your own; see docs/plugins.md.",
)  # fmt: skip
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/DATASET]")
@click.option("--device", help="cpu, cuda, cuda:1, …  [default: a GPU if there is one]")
@click.option("--devices", help="Several, by commas: a process for each, e.g. cuda:0,cuda:1.")
@click.option(
    "--shard", default="1/1", show_default=True, help="Only part i of n of the recordings; see docs/engine.md."
)
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="ray: actors of Ray Data, here or on the cluster that RAY_ADDRESS names.",
)  # fmt: skip
@click.option(
    "--actors", type=click.IntRange(min=1), default=1, show_default=True, help="With --engine ray, at most so many."
)
@click.option("--dtype", help="float32, bfloat16, float16.  [default: bfloat16 on a GPU, float32 on a CPU]")
@click.option("--attention", help="sdpa, eager, flash_attention_2.  [default: sdpa where the model has it]")
@click.option("--trust-remote-code", is_flag=True, help="Run code that a checkpoint brings.")
@click.option(
    "--accept-identity", is_flag=True,
    help="Go on with a run of an older program, which kept less of what fixes a model's answers.",
)  # fmt: skip
@click.option(
    "--save-every",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Seconds between saves.",
)
@click.option(
    "--dry-run", cls=RenamedOption, old="--plan", is_flag=True,
    help="Only say what would be asked: questions, tokens, time; ask a few on trial.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress bar.")
@sampling_options
@format_option
def command(
    dataset: str,
    models: tuple[str, ...],
    names: tuple[str, ...],
    conditions: tuple[str, ...],
    method: str,
    orders: str,
    prompt: str,
    folder: Path | None,
    device: str | None,
    devices: str | None,
    shard: str,
    engine: str,
    actors: int,
    dtype: str | None,
    attention: str | None,
    trust_remote_code: bool,
    accept_identity: bool,
    save_every: float,
    dry_run: bool,
    quiet: bool,
    sampling: Sampling,
    thinking: str,
    form: str,
    **data: Any,
) -> None:
    """Ask models every question under every condition; print accuracy per model and condition.

    Answers are kept as they come: after a kill the same command goes on. Rows that cannot be asked are
    quarantined with the reason, the rest is done, and the exit code is 1.

    \b
    Examples:
      audiocontrib score --dataset demo --limit 50 --model tiny-qwen2.5-omni
      audiocontrib score --dataset mmau --data mmau-test-mini.json --model Qwen/Qwen2.5-Omni-7B
      audiocontrib score --dataset demo --limit 50 --model my.py:answer --method generate --run runs/own
      audiocontrib score --dataset audiomcq --model Qwen/Qwen2.5-Omni-7B --devices cuda:0,cuda:1 --dry-run
      audiocontrib score --dataset my.csv --map question=q --map choices=a,b,c,d --map answer=gold \\
          --answer-as letter --model ./my-model --condition audio --condition text
    """
    from audiocontrib.contribution import accuracy
    from audiocontrib.prompts import tag_note
    from audiocontrib.scoring import make_asking, score

    items = _askable(dataset, progress=not quiet, **data)
    if note := tag_note(prompt):
        say(f"note: {note}")
    options = {"device": device, "dtype": dtype, "attention": attention, "trust_remote_code": trust_remote_code}
    options |= {"thinking": thinking} if thinking != "auto" else {}
    if dry_run:
        asking = make_asking(conditions, method, orders, prompt, sampling)
        return _say_plan(items, models, names, asking, shard, options, form)
    with redirect_stdout(sys.stderr):  # for what models of the user's own print: stdout is for tables
        run = score(
            items, models, conditions, names=names, method=method, orders=orders, prompt=prompt, sampling=sampling,
            run=folder or Path("runs") / Path(dataset).stem, progress=not quiet, save_every=save_every, shard=shard,
            engine=engine, devices=[name.strip() for name in devices.split(",")] if devices else [], actors=actors,
            model_options=options, accept_identity=accept_identity,
        )  # fmt: skip
    with run.views() as con:
        emit(accuracy(con), form, "accuracy")
    return _report(run, {item.id for item in items}, len(items.quarantined))


def _askable(dataset: str, **data: Any) -> Items:
    """The items to ask; says how many carry a note."""
    items = load_dataset(dataset, **data)
    if not len(items):
        raise AudiocontribError(f"no item of {dataset} can be asked; the reasons are above")
    noted = sum(bool(item.notes) for item in items)
    if noted:
        say(f"{noted} items carry a note (column notes of the view items), e.g. {_first_note(items)}")
    return items


def _say_plan(
    items: Items, models: Sequence[str], names: Sequence[str], asking: RequestConfig, shard: str,
    options: dict[str, Any], form: str,
) -> None:  # fmt: skip
    """Print what would be asked, and how long it would take on one device."""
    import pyarrow as pa

    from audiocontrib.arrow import floats
    from audiocontrib.models import load_model, model_list
    from audiocontrib.scoring.estimate import PLAN_SCHEMA, estimate_scoring
    from audiocontrib.scoring.plan import Shard

    part = Shard.parse(shard)
    chosen = [(model, name) for model, name in model_list(models, names) if isinstance(model, str)]
    tables = [estimate_scoring(items, load_model(model, name=name, **options), asking, part) for model, name in chosen]
    table = pa.concat_tables(tables) if tables else PLAN_SCHEMA.empty_table()
    emit(table, form)
    seconds = sum(floats(table.column("seconds")).tolist())
    say(f"about {timedelta(seconds=round(seconds))} on one device; nothing was kept")


def _report(run: Run, asked: set[str], at_load: int) -> None:
    """What went wrong, in lines; AudiocontribError if anything did."""
    say(f"run: {run.path}")
    unheard = run.query(
        "select item_id, file, field, reason from quarantine where field = 'audio' and item_id is not null"
    )
    unheard = unheard[unheard["item_id"].isin(asked)]
    for row in unheard.itertuples():
        say(f"quarantined: {row.reason} ({row.item_id})")
    failed = run.query(
        "select distinct on (error) error, model, item_id, condition, count(*) over (partition by error) as n "
        "from responses where outcome = 'failed' order by item_id, condition"
    )
    for row in failed.sort_values("n", ascending=False).itertuples():
        say(f"failed {row.n} times: {row.error} (e.g. {row.model} on {row.item_id} under {row.condition})")
    problems = [
        f"{at_load + len(unheard)} items are quarantined" if at_load + len(unheard) else "",
        f"{failed['n'].sum()} questions failed (the same command asks them again)" if len(failed) else "",
    ]
    if any(problems):
        raise AudiocontribError(f"{' and '.join(p for p in problems if p)}; everything else is done")


def _first_note(items: Items) -> str:
    item = next(item for item in items if item.notes)
    return f"{item.id}: {item.notes[0]}"
