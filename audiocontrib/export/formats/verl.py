"""verl: Parquet rows for its GRPO; the clip's place is marked by ``<audio>``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from audiocontrib.export.base import Launch, Stage, TrainingExample, export_format, underscored
from audiocontrib.export.formats.swift import TAGS, messages
from audiocontrib.export.launch import as_script, clips_line, unsaid
from audiocontrib.export.trainer_files import trainer_file
from audiocontrib.training.recipe import GRPO

SOURCE = "audiomcq"
"""By this name verl chooses the reward function."""


AVERAGES = {"grpo": "seq-mean-token-mean", "dapo": "token-mean", "dr_grpo": "seq-mean-token-sum-norm"}
CARRIED = {
    *("learning_rate", "warmup", "schedule_steps", "weight_decay", "betas", "clip", "batch", "accumulate", "steps"),
    *("epochs", "save_every", "generations", "iterations", "new_tokens", "temperature", "top_k", "top_p", "beta"),
    *("scale_rewards", "epsilon", "accuracy", "format", "use_bias_correction_kl"),
}
"""Settings that its configuration has; its divergence is the plain one."""
HEAD = """GRPO with verl 0.9 (FSDP, vLLM as the sampler): bash {stage}.sh; GPUS=8 says how many there are, MODEL names
another model. What follows goes to verl and wins. Weights are kept in float32. A step asks as many questions as the
recipe has on each GPU; verl knows no schedule that is longer than the training, so the steps are the schedule's, and
the checkpoint of step {steps} is the one that is wanted. Prompts of more than data.max_prompt_length tokens are left
out at the start: verl ends at the first one otherwise. verl 0.9.1 takes no model that hears yet (docs/export.md)."""
WORD = r"""# a text as hydra reads it, whatever it holds
word() {
    printf %s "$1" | sed -E -e 's/(\\*)\$\{/\1\1\\${/g' -e "s/(\\\\*)'/\\1\\1\\\\'/g" -e 's/(\\+)$/\1\1/' -e "s/.*/'&'/"
}
"""


def verl_files(told: Launch) -> Mapping[str, str]:
    """Script, loader and rewards; needs neither editing nor audiocontrib."""
    said = told.settings
    assert isinstance(said, GRPO)
    actor, rollout = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
    asked = said.batch * said.accumulate // said.generations
    words = {
        "algorithm.adv_estimator": "grpo",
        "algorithm.norm_adv_by_std_in_grpo": said.scaling != "none",
        "data.train_files": _path(f"$HERE/{told.file}"),
        "data.val_files": _path(f"$HERE/{told.file}"),
        "data.custom_cls.path": _path("$HERE/verl_audio.py"),
        "data.custom_cls.name": "AudioDataset",
        "data.train_batch_size": f"$((GPUS * {asked}))",
        "data.max_prompt_length": 1024,
        "data.max_response_length": said.new_tokens,
        "data.filter_overlong_prompts": True,
        "data.filter_overlong_prompts_workers": "null",  # in processes of its own the class of verl_audio.py is lost
        "data.return_raw_chat": True,
        "data.seed": said.seed,
        "reward.custom_reward_function.path": _path("$HERE/verl_audio.py"),
        "reward.custom_reward_function.name": "compute_score",
        "actor_rollout_ref.model.path": _path("$MODEL"),
        f"{actor}.optim.lr": said.learning_rate,
        f"{actor}.optim.lr_scheduler_type": "constant" if said.schedule == "constant" else "cosine",
        f"{actor}.optim.lr_warmup_steps_ratio": said.warmup,
        f"{actor}.optim.weight_decay": said.weight_decay,
        f"{actor}.optim.betas": f"[{said.betas[0]},{said.betas[1]}]",
        f"{actor}.optim.clip_grad": said.clip,
        f"{actor}.ppo_mini_batch_size": f"$((GPUS * {asked}))",
        f"{actor}.ppo_micro_batch_size_per_gpu": said.batch,
        f"{actor}.ppo_epochs": said.iterations,
        f"{actor}.clip_ratio": said.epsilon,
        f"{actor}.loss_agg_mode": AVERAGES.get(said.loss, "token-mean"),
        f"{actor}.use_kl_loss": said.beta > 0,
        f"{actor}.kl_loss_coef": said.beta,
        f"{rollout}.name": "vllm",
        f"{rollout}.n": said.generations,
        f"{rollout}.temperature": said.temperature,
        f"{rollout}.top_k": said.top_k or -1,
        f"{rollout}.top_p": said.top_p,
        f"{rollout}.tensor_model_parallel_size": 1,
        f"{rollout}.log_prob_micro_batch_size_per_gpu": said.batch,
        "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": said.batch,
        "trainer.n_gpus_per_node": '"$GPUS"',
        "trainer.total_training_steps": said.schedule_steps or said.steps or "null",
        "trainer.total_epochs": 1000 if said.epochs is None else said.epochs,
        "trainer.save_freq": said.save_every,
        "trainer.test_freq": -1,
        "trainer.val_before_train": False,
        "trainer.project_name": "audiocontrib",
        "trainer.experiment_name": "grpo",
        "trainer.default_local_dir": _path("${OUT:-$HERE/trained}"),
        "trainer.logger": "[console]",
    }
    known = {"rewards"} if said.rewards == "published" else set()  # verl_audio.py has those alone
    known |= {"loss"} if said.loss in AVERAGES else set()
    head = HEAD.format(stage=told.stage, steps=said.steps) + unsaid(said, CARRIED | known)
    before = WORD + f"MODEL=${{MODEL:-{shlex.quote(told.model)}}} GPUS=${{GPUS:-8}}\n{clips_line(told.media)}"
    return {
        "grpo.sh": as_script(head, before, "python3 -m verl.trainer.main_ppo", words),
        "verl_audio.py": trainer_file("verl_audio.py"),
        "exported_audio.py": trainer_file("exported_audio.py"),
        "exported_rewards.py": trainer_file("exported_rewards.py"),
    }


def _path(name: str) -> str:
    """What a script writes for a path, which may hold variables of the shell."""
    return f'"$(word "{name}")"'


@export_format(
    "verl",
    stages=("grpo",),
    tags=TAGS,
    file="{stage}.parquet",
    launch=verl_files,
)
def verl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Whatever a reward function may want beside the reply is in ``extra_info``."""
    row = example.row
    return {
        "data_source": SOURCE,
        "prompt": messages(example, stage),
        "audios": [example.audio],
        "ability": "audio_mcq",
        "reward_model": {"style": "rule", "ground_truth": row.target},
        "extra_info": {
            "split": "train",
            "index": example.name,
            "options": list(row.prompt.options),
            "gold": row.gold,
            "reward_weights": [float(weight) for weight in example.reward_weights],
            **underscored(example.extra),
        },
    }
