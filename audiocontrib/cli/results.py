"""`audiocontrib results`: a run's answers as a file that a benchmark or the hub takes."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_option, say


@click.command()
@click.option("--for", "form", required=True, metavar="FORM", help="Who reads the file; the list is below.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@run_option
@click.option("--model", help="Whose answers; needed where the run holds several.")
@click.option("--condition", default="audio", show_default=True, help="Under which they were given.")
def command(form: str, out: Path, folder: Path | None, model: str | None, condition: str) -> None:
    """Write what a model chose as a file to hand in, or to publish.

    Every item must have been answered. A question whose reply names no option stays empty: nothing is guessed.

    \b
    Forms:
      eval-results    YAML for .eval_results/ of a model on the hub
      model-index     YAML for the head of a model's README
      mmau-test       MMAU's JSON with model_prediction
      mmar-challenge  JSON lines for MMAR's challenge
      dcase2026       CSV for DCASE 2026 task 5

    \b
    Examples:
      audiocontrib results --run runs/mmau --for mmau-test --model tiny-qwen2-audio --out submission.json
      audiocontrib results --run runs/mmau --for model-index --model tiny-qwen2-audio --out model-index.yaml
    """
    from audiocontrib.publish import write_results

    n, empty = write_results(chosen_run(folder), form, out=out, model=model, condition=condition)
    say(f"written: {out}: {n:,} items" + (f", {empty:,} of which name no option" if empty else ""))
