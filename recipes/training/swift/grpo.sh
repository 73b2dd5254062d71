#!/bin/bash
# GRPO of recipes/training/omni/paper.yaml with ms-swift >= 4:
#   audiocontrib export --stage grpo --for swift --training-recipe recipes/training/omni/paper.yaml \
#       --run runs/audiomcq --split paper --out exported/grpo
#   NPROC_PER_NODE=8 bash recipes/training/swift/grpo.sh exported/grpo trained/grpo trained/sft/VERSION/checkpoint-750
# What follows the three names goes to swift as it is and comes last, so it may change any option: --max_steps 2.
# The system turn is in the rows. ms-swift leaves out rows of more than max_length tokens.
# The schedule runs over 1,000 steps; the callback of plugin.py stops at STOP_AT, where the checkpoint is taken.
set -euo pipefail
DATA=$1 OUT=$2 MODEL=$3
shift 3
HERE=$(dirname "$0")
# relative paths in the rows (export --copy-clips) are looked up here, clips as well as images
export ROOT_IMAGE_DIR=${ROOT_IMAGE_DIR:-$DATA}
export STOP_AT=${STOP_AT:-100}
# steps of 1e-6 are lost in bfloat16 weights: DeepSpeed keeps float32 copies of them; without it (DEEPSPEED= bash …) the
# weights themselves are float32 under bfloat16 arithmetic
if [ -n "${DEEPSPEED-zero2}" ]; then
    export NPROC_PER_NODE=${NPROC_PER_NODE:-1}
    WEIGHTS=(--torch_dtype bfloat16 --deepspeed "${DEEPSPEED-zero2}")
else
    WEIGHTS=(--torch_dtype float32 --bf16 true --fp16 false)
fi
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
    --external_plugins "$HERE/plugin.py" \
    --callbacks stop_at \
    --reward_funcs external_audio_choice_accuracy external_format \
    --reward_weights 2.0 0.5 \
    --num_generations 8 \
    --num_iterations 1 \
    --beta 0.001 \
    --epsilon 0.2 \
    --loss_type grpo \
    --scale_rewards group \
    --temperature 1.5 \
    --top_k 4 \
    --top_p 0.9 \
    --max_completion_length 128 \
    "${WEIGHTS[@]}" \
    --max_length 1024 \
    --truncation_strategy delete \
    --learning_rate 1e-6 \
    --lr_scheduler_type cosine \
    --warmup_ratio 0.05 \
    --weight_decay 0.1 \
    --adam_beta1 0.9 \
    --adam_beta2 0.95 \
    --max_grad_norm 1.0 \
    --per_device_train_batch_size 8 \
    --gradient_accumulation_steps 1 \
    --max_steps 1000 \
    --save_steps 100 \
    --logging_steps 1 \
    --seed 42 \
    --data_seed 42 \
    --dataloader_num_workers 4 \
    --report_to none \
    --output_dir "$OUT" \
    "$@"
