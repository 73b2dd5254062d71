#!/bin/bash
# SFT of recipes/training/omni/weak_to_strong.yaml with ms-swift >= 4:
#   audiocontrib export --stage sft --for swift --run runs/audiomcq --split paper --out exported/sft
#   bash recipes/training/swift/sft.sh exported/sft trained/sft Qwen/Qwen2.5-Omni-7B
# What follows the three names goes to swift as it is and comes last, so it may change any option: --max_steps 2.
# ms-swift leaves out rows of more than max_length tokens; audiocontrib cuts clips at 30 s (750 tokens) instead.
set -euo pipefail
DATA=$1 OUT=$2 MODEL=$3
shift 3
# relative paths in the rows (export --copy-clips) are looked up here, clips as well as images
export ROOT_IMAGE_DIR=${ROOT_IMAGE_DIR:-$DATA}
swift sft \
    --model "$MODEL" \
    --model_type qwen2_5_omni \
    --tuner_type full \
    --freeze_llm false \
    --freeze_vit false \
    --freeze_aligner false \
    --dataset "$DATA/sft.jsonl" \
    --split_dataset_ratio 0 \
    --torch_dtype bfloat16 \
    --max_length 1024 \
    --learning_rate 1e-6 \
    --lr_scheduler_type cosine \
    --warmup_ratio 0.05 \
    --per_device_train_batch_size 20 \
    --gradient_accumulation_steps 1 \
    --max_steps 750 \
    --save_steps 250 \
    --logging_steps 1 \
    --seed 0 \
    --dataloader_num_workers 4 \
    --report_to none \
    --output_dir "$OUT" \
    "$@"
