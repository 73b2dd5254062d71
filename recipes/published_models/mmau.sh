#!/usr/bin/env bash
# The models that the authors of AudioMCQ published, on MMAU-test-mini as they evaluated them (arXiv 2509.21060):
# every question once with the gold in every place, greedy replies, their matching rule; and, beside that, in silence
# and from the text alone, which they did not publish for these models.
#
#   DATA=mmau-test-mini.json CLIPS=test-mini-audios recipes/published_models/mmau.sh
#
# It was not run here: there were neither the checkpoints nor a GPU. The same command goes on after a kill.
set -euo pipefail

: "${DATASET:=mmau}"
: "${DATA:=}"                               # the file of questions; empty where the data set brings it
: "${CLIPS:=}"                              # the folder of its clips
: "${RUN:=runs/audiomcq-published}"
: "${MODELS:=inclusionAI/AudioMCQ-Weak-To-Strong inclusionAI/AudioMCQ-Mixed-To-Strong Qwen/Qwen2.5-Omni-7B}"
: "${OPTIONS:=}"                            # more for `audiocontrib score`, such as --limit 20

models=()
for model in $MODELS; do models+=(--model "$model"); done
# shellcheck disable=SC2086  # OPTIONS are several words
audiocontrib score --dataset "$DATASET" ${DATA:+--data "$DATA"} ${CLIPS:+--audio-root "$CLIPS"} "${models[@]}" \
    --prompt audiomcq --method generate --orders cyclic \
    --condition audio --condition silence --condition text --run "$RUN" $OPTIONS

audiocontrib evaluate --run "$RUN"                  # by our reader
audiocontrib evaluate --run "$RUN" --scorer mmau    # by MMAU's own rule
audiocontrib contribution --run "$RUN"
