#!/usr/bin/env bash
# One run filled by a Slurm array: each task takes the recordings of its own part, on one GPU.
#
#   sbatch --array=1-8 recipes/cluster/slurm_array.sh
#
# Submit it again after a failure or a time limit, with any number of tasks: what is answered is not asked again.
# The run's folder and the clips must lie on a file system that all nodes see, and flock must work on it.
#SBATCH --job-name=audiocontrib
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --output=audiocontrib-%A-%a.log
set -euo pipefail

: "${DATASET:=audiomcq}"                    # a name of `audiocontrib datasets`, or a file
: "${MODEL:=Qwen/Qwen2.5-Omni-7B}"          # a hub id, a checkpoint folder, or a name of `audiocontrib models`
: "${RUN:=runs/$(basename "$DATASET")}"
: "${OPTIONS:=--condition audio --condition silence --condition text}"

# shellcheck disable=SC2086  # OPTIONS are several words
exec audiocontrib score --dataset "$DATASET" --model "$MODEL" --run "$RUN" \
    --shard "${SLURM_ARRAY_TASK_ID:?start it with sbatch --array=1-N}/${SLURM_ARRAY_TASK_COUNT:?}" $OPTIONS
