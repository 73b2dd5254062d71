#!/usr/bin/env bash
# One run filled by actors of a Ray cluster, one for each GPU, as many as there is work and room for.
#
#   ray start --head                      # on one node
#   ray start --address=HEAD:6379         # on each of the others
#   RAY_ADDRESS=HEAD:6379 recipes/cluster/ray.sh
#
# An autoscaling cluster (`ray up`, KubeRay) grows when the actors ask for more GPUs than there are.
# The run's folder and the clips must lie on a file system that all nodes see, and flock must work on it.
set -euo pipefail

: "${DATASET:=audiomcq}"
: "${MODEL:=Qwen/Qwen2.5-Omni-7B}"
: "${RUN:=runs/$(basename "$DATASET")}"
: "${ACTORS:=8}"
: "${OPTIONS:=--condition audio --condition silence --condition text}"

# shellcheck disable=SC2086  # OPTIONS are several words
exec audiocontrib score --dataset "$DATASET" --model "$MODEL" --run "$RUN" --engine ray --actors "$ACTORS" $OPTIONS
