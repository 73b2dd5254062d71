#!/bin/bash
# GRPO of recipes/training/omni/weak_to_strong.yaml with ms-swift >= 4:
#   audiocontrib export --stage grpo --for swift --run runs/audiomcq --split paper --out exported/grpo
#   bash recipes/training/swift/grpo.sh exported/grpo trained/grpo trained/sft/VERSION/checkpoint-750
# What follows the three names goes to swift as it is and comes last, so it may change any option: --max_steps 2.
# The system turn is in the rows. ms-swift leaves out rows of more than max_length tokens.
set -euo pipefail
DATA=$1 OUT=$2 MODEL=$3
shift 3
# relative paths in the rows (export --copy-clips) are looked up here, clips as well as images
export ROOT_IMAGE_DIR=${ROOT_IMAGE_DIR:-$DATA}
swift rlhf \
    --rlhf_type grpo \
    --model "$MODEL" \
    --model_type qwen2_5_omni \
    --tuner_type full \
    --freeze_llm false \
    --freeze_vit false \
    --freeze_aligner false \
    --dataset "$DATA/grpo.jsonl" \
    --split_dataset_ratio 0 \
    --external_plugins "$(dirname "$0")/plugin.py" \
    --reward_funcs external_audio_choice_accuracy external_format \
    --reward_weights 2.0 0.5 \
    --num_generations 8 \
    --num_iterations 1 \
    --beta 0.001 \
    --temperature 1.5 \
    --top_k 4 \
    --max_completion_length 128 \
    --torch_dtype bfloat16 \
    --max_length 2048 \
    --learning_rate 1e-6 \
    --lr_scheduler_type cosine \
    --warmup_ratio 0.05 \
    --per_device_train_batch_size 8 \
    --gradient_accumulation_steps 1 \
    --max_steps 100 \
    --save_steps 100 \
    --logging_steps 1 \
    --seed 0 \
    --dataloader_num_workers 4 \
    --report_to none \
    --output_dir "$OUT" \
    "$@"
