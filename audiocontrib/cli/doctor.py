"""`audiocontrib doctor`: a model looked over on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.data import data_options, load_dataset
from audiocontrib.cli.output import emit, format_option, say
from audiocontrib.errors import AudiocontribError


@click.command()
@click.option("--model", required=True, help="Name, folder, hub id or endpoint:MODEL@URL of a model, or my.py:NAME.")
@click.option("--dataset", metavar="NAME|FILE", help="Also say how long a run over this data set would take.")
@data_options
@click.option("--device", help="cpu, cuda, cuda:1, …  [default: a GPU if there is one]")
@click.option("--dtype", help="float32, bfloat16, float16.  [default: bfloat16 on a GPU, float32 on a CPU]")
@click.option("--attention", help="sdpa, eager, flash_attention_2.  [default: sdpa where the model has it]")
@click.option("--trust-remote-code", is_flag=True, help="Run code that a checkpoint brings.")
@format_option
def command(
    model: str,
    dataset: str | None,
    device: str | None,
    dtype: str | None,
    attention: str | None,
    trust_remote_code: bool,
    form: str,
    **data: Path,
) -> None:
    """Look a model over: what loads, what it reads and hears, whether its fast paths are right, how fast it is.

    Ends with exit code 1 if something is wrong. The prompts are tiny; a model of 7 billion weights takes minutes.

    \b
    Examples:
      audiocontrib doctor --model tiny-qwen2.5-omni
      audiocontrib doctor --model Qwen/Qwen2.5-Omni-7B --dataset demo --format json
    """
    from audiocontrib.doctor import doctor

    items = load_dataset(dataset, **data) if dataset else None
    options = {"device": device, "dtype": dtype, "attention": attention, "trust_remote_code": trust_remote_code}
    found = doctor(model, items=items, model_options=options)
    emit(found.table, form)
    if found.faults:
        raise AudiocontribError(f"{model}: {'; '.join(found.faults)}")
    say(f"{model}: nothing is wrong")
