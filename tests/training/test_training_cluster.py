"""Training on several GPUs and machines: the files that ship say what the tools that read them understand.

No GPU and no Slurm are needed: programs that print what they are given stand in for theirs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click
import pytest
from helpers import ROOT
from helpers.lazy import needs

from audiocontrib.cli import main
from audiocontrib.training import read_training_recipe

pytestmark = needs("accelerate")
RECIPES = ROOT / "recipes" / "training"
SRUN = """#!/bin/bash
for id in 0 1; do SLURM_NODEID=$id "$@"; done
"""
PROGRAMS = {
    "scontrol": '#!/bin/bash\nprintf "first\\nsecond\\n"\n',
    "srun": SRUN,
    "accelerate": '#!/bin/bash\nprintf "%s\\t" "$@"\necho\n',
}


@pytest.mark.parametrize(
    ("name", "kind"), [("ddp", "MULTI_GPU"), ("zero2", "DEEPSPEED"), ("zero3", "DEEPSPEED"), ("fsdp", "FSDP")]
)
def test_accelerate_reads_its_files(name: str, kind: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(RECIPES / "accelerate" / f"{name}.yaml"))  # names that it does not know: error
    assert config.distributed_type.value == kind
    assert config.mixed_precision == "bf16"
    assert (config.deepspeed_config or {}).get("zero_stage") == {"zero2": 2, "zero3": 3}.get(name)


def launched(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the script for Slurm starts on two machines: a line each, words between tabs."""
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_NNODES": "2"}
    command = ["bash", str(RECIPES / "slurm.sbatch"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=ROOT)


def test_the_script_for_slurm_starts_each_machine_with_its_rank(tmp_path: Path) -> None:
    from accelerate.commands.launch import launch_command_parser

    done = launched(tmp_path, "sft", "recipes/training/omni/weak_to_strong.yaml", "runs/my data", "paper")
    assert done.returncode == 0, done.stderr
    lines = [line.strip("\t").split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == 2
    for rank, words in enumerate(lines):
        assert words[0] == "launch"
        given = launch_command_parser().parse_args(words[1:])
        assert (int(given.num_machines), int(given.num_processes), int(given.machine_rank)) == (2, 16, rank)
        assert (given.main_process_ip, given.module, given.training_script) == ("first", True, "audiocontrib")
        assert (ROOT / given.config_file).is_file()
        name, *options = given.training_script_args
        command = main.get_command(click.Context(main), name)
        assert command is not None
        asked = command.make_context(name, options).params
        assert (asked["stage"], str(asked["folder"]), asked["split"]) == ("sft", "runs/my data", "paper")
        assert read_training_recipe(ROOT / asked["recipe"]).sft


def test_the_script_for_slurm_says_what_is_missing(tmp_path: Path) -> None:
    done = launched(tmp_path, "sft")
    assert done.returncode != 0
    assert "sbatch recipes/training/slurm.sbatch STAGE RECIPE RUN SPLIT" in done.stderr


def test_where_paper_and_script_disagree_both_are_in_the_published_recipes() -> None:
    for path in sorted((RECIPES / "omni").glob("*.yaml")):
        lines = path.read_text().splitlines()
        if read_training_recipe(path).grpo is None:
            continue
        stage = lines[lines.index("grpo:") :]
        for field, said in {
            "warmup": ("paper", "script has 0.01"),
            "new_tokens": ("script", "paper does not say"),
            "seconds": ("2,048 tokens in the script", "1,024 in the paper"),
            "steps": ("2,000 in the script", "1,000 in the paper"),
        }.items():
            [line] = [line for line in stage if line.strip().startswith(f"{field}:")]
            for words in said:
                assert words in line, f"{path.name}: {line}"
