#!/bin/bash
# The picture of docs/watching.md: a half-trained tiny Qwen2.5-Omni, SFT on the weak part, watched.
#
#   bash benchmarks/watching.sh FOLDER      everything is kept there; the same command goes on after a kill
set -euo pipefail
HERE=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1" && cd "$1"
[ -d half ] || { python "$HERE/recipes/tiny/train.py" --family qwen2_5_omni --steps 350 --out part && mv part half; }
cat > watched.yaml <<'EOF'
about: SFT on the weak part, watched
model: half
sft:
  part: weak
  learning_rate: 1.0e-4
  batch: 16
  steps: 100
  save_every: 50
  watch: {items: 80, every: 10, method: likelihood, by: gain, keep_best: true}
EOF
audiocontrib score --dataset demo --seed 11 --limit 600 --model tiny-qwen2.5-omni --condition silence --run runs/watched
audiocontrib split --run runs/watched --threshold 0.5
audiocontrib train sft --training-recipe watched.yaml --run runs/watched
audiocontrib plot watched --training trained/watched/sft --out watching.png
