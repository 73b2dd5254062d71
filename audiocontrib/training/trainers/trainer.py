"""What every trainer does besides: it keeps whole checkpoints and metrics, and stops at numbers that are none."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import Trainer, TrainerCallback

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.load import load_checkpoint
from audiocontrib.store.files import write_table_atomic
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.output.checkpoints import last_whole, mark_complete, remove_old, writing
from audiocontrib.training.output.folder import METRICS
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.stage_settings import NOTHING_LEARNED, Stage
from audiocontrib.training.trainers.pace import Pace
from audiocontrib.training.trainers.sharded import start_unused, with_whole_head
from audiocontrib.training.watch.settings import CONDITIONS
from audiocontrib.training.watch.watcher import Watcher

METRICS_EVERY = 5.0
"""Seconds between two versions of the metrics while training goes on."""


class ResumableTrainer(Trainer):
    """Comes before one of TRL's trainers: stops at numbers that are none, keeps checkpoints and metrics."""

    settings: Stage
    """Of the stage."""
    keep: int
    """Checkpoints that are kept."""
    encoder: RowEncoder
    """What reads the rows."""
    watcher: Watcher | None = None
    """What asks the network while it is trained; None where nobody does."""
    written = 0.0
    """When the metrics were written last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.pace = Pace()
        super().__init__(*args, **kwargs)
        self.add_callback(self.pace)

    @property
    def out(self) -> Path:
        """The folder of the training."""
        return Path(self.args.output_dir).parent

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """As the trainer's; AudiocontribError if the loss is no number, before any weight is changed."""
        rows = args[1] if len(args) > 1 else kwargs["inputs"]
        own = isinstance(rows, Mapping) and "labels" in rows  # GRPO is given all rows of several forwards
        self.pace.clips += len(rows["labels"]) if own else self.args.per_device_train_batch_size
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        self._check("loss", loss.item())
        return loss

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's, for weights that small steps can reach."""
        self.make_float32()
        if self.is_fsdp_enabled:
            with_whole_head(self.model)
        return super().create_optimizer(*args, **kwargs)

    def make_float32(self) -> None:
        """Make those weights float32 that are trained.

        TRL makes adapters over quantised weights bfloat16, where steps of 1e-6 are lost. DeepSpeed keeps float32
        copies itself.

        Raises:
            AudiocontribError: they are sharded already (FSDP), and cannot be made float32 any more.
        """
        for name, value in self.model.named_parameters():
            if value.requires_grad and value.itemsize < 4 and not self.is_deepspeed_enabled:
                if self.is_fsdp_enabled:
                    raise AudiocontribError(
                        f"the weight {name} is {value.dtype}, in which small steps are lost; train in float32, "
                        "with mixed_precision: bf16 in the configuration of accelerate"
                    )
                value.data = value.data.float()

    def set_initial_training_values(self, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's; it counts the steps of an epoch just before the schedule is made."""
        values = super().set_initial_training_values(*args, **kwargs)
        self.steps_an_epoch = values[1]
        return values

    def create_scheduler(self, num_training_steps: int, *args: Any, **kwargs: Any) -> Any:
        """As the trainer's, over the steps that the settings say. UsageError if training goes on after its end."""
        ends = num_training_steps
        if self.settings.schedule_epochs:
            ends = math.ceil(self.settings.schedule_epochs * self.steps_an_epoch)
        elif self.settings.schedule_steps:
            ends = self.settings.schedule_steps
        if ends < num_training_steps:
            raise UsageError(
                f"the schedule ends at step {ends}, but there are {num_training_steps} steps; "
                "raise schedule_steps or schedule_epochs, or train less"
            )
        made = super().create_scheduler(ends, *args, **kwargs)
        if (factors := getattr(made, "lr_lambdas", None)) and not any(map(factors[0], range(num_training_steps))):
            raise UsageError(NOTHING_LEARNED)
        return made

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        """As the trainer's (transformers 5.23), which takes one step too many after the checkpoint of the last step."""
        if self.state.global_step >= self.state.max_steps or (self.watcher and self.watcher.over):
            self.control.should_training_stop = True
        else:
            # SFT's (TRL 1.16) begins at 0 after a resume
            self._total_train_tokens = next(
                (e.get("num_tokens", 0) for e in self.state.log_history[::-1] if "loss" in e), 0
            )
            self.pace.begin()
            super()._run_epoch(*args, **kwargs)

    def _evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Watched items, in place of a set to evaluate on: after the step's log, and before its checkpoint."""
        self.control.should_evaluate = False
        if self.watcher:
            self.watcher.look()
        return {}

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """As the trainer's, and into the metrics. AudiocontribError if the gradients are no numbers."""
        if "loss" in logs:
            logs |= self.pace.of_step(self.args.world_size)
        super().log(logs, *args, **kwargs)
        self._check("gradient", logs.get("grad_norm", 0.0))
        if time.monotonic() - self.written > METRICS_EVERY:
            self.write_metrics()

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        super()._maybe_log_save_evaluate(*args, **kwargs)
        self.pace.begin()

    def write_metrics(self) -> None:
        """Bring the metrics up to date on disk."""
        if self.is_world_process_zero():
            write_table_atomic(metrics_table(self.state.log_history), self.out / METRICS)
        self.written = time.monotonic()

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: the trainer's card would say little of what was done."""

    def keep_beside(self, checkpoint: Path) -> None:
        """What else a checkpoint needs to go on as if nothing had happened; called in every process."""

    def _check(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            self._stop(f"the {what} of step {self.state.global_step + (what == 'loss')} is {value}")

    def check_weights(self, net: Any = None) -> None:
        """AudiocontribError that names the first weight that is not finite, before any is saved.

        A loss and gradients that are numbers do not say so of the step that they make.

        Args:
            net: another network than the one that is trained, such as one with its adapters merged.
        """
        for name, value in (net or self.accelerator.unwrap_model(self.model)).named_parameters():
            value = getattr(value, "ds_tensor", value)  # under ZeRO 3 all but this share of it is elsewhere
            if not value.isfinite().all():
                bad = value.detach()[~value.isfinite()][0].item()
                self._stop(f"the weight {name} is {bad} after step {self.state.global_step}, and is not saved")

    def _stop(self, why: str) -> None:
        last = last_whole(Path(self.args.output_dir))
        kept = f"{last.name} is whole; " if last else ""
        raise AudiocontribError(f"{self.out}: {why}; {kept}train anew with a lower learning_rate or clip")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """As the trainer's for adapters. All weights are loaded as a model is, and must match.

        The trainer (transformers 5.23) looks for the names that weights have in memory. Where they are saved under
        others, as for Qwen2.5-Omni, it finds hardly any, takes them as optional, and goes on from the start.
        """
        self.make_float32()  # before: what is read into bfloat16 adapters would be rounded
        net = self.accelerator.unwrap_model(model if model is not None else self.model)
        if hasattr(net, "peft_config") or self.is_deepspeed_enabled or self.is_fsdp_enabled:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        saved = load_checkpoint(
            resume_from_checkpoint, device="cpu", dtype=str(net.dtype).removeprefix("torch."), check=False
        )
        net.load_state_dict(saved.net.state_dict())

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self.check_weights()
        if self.is_fsdp_enabled:
            start_unused(self.optimizer)
        place = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with writing(place):
            super()._save_checkpoint(model, trial)
            self.keep_beside(place)
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                if not hasattr(self.model, "peft_config"):
                    self.encoder.describe(place)
                if self.watcher:
                    self.watcher.keep(place)
                mark_complete(place)
        if self.is_world_process_zero():
            remove_old(place.parent, self.keep, self.watcher.kept if self.watcher else None)
        self.write_metrics()


class Bar(TrainerCallback):
    """A bar on stderr with the loss, the pace, the reward if there is one, what was watched last, and how long it
    will take.
    """

    def __init__(self, shown: bool) -> None:
        self.bar = tqdm(unit="step", disable=not shown, dynamic_ncols=True)
        self.told: dict[str, str] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take over where a checkpoint was."""
        self.bar.reset(state.max_steps)  # the clock too: to load a model is no step
        self.bar.initial = self.bar.n = state.global_step  # what was done before counts for no rate
        self.bar.last_print_n = state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """One step more."""
        logs = logs or {}
        seen = [f"{logs[f'watch/{name}']:.2f} {name}" for name in CONDITIONS if f"watch/{name}" in logs]
        self.told |= {"watched": ", ".join(seen)} if seen else {}
        if "loss" in logs:
            steps = [entry for entry in state.log_history if "loss" in entry]
            [last] = metrics_table(steps[-2:]).to_pylist()[-1:]
            shown = {"loss": "loss", "reward": "reward", "kl": "kl", "tokens_per_second": "tokens/s", "memory_gb": "GB"}
            shown |= {} if last["gpu_memory_gb"] is None else {"gpu_memory_gb": "GB on the GPU"}
            self.told |= {words: f"{last[name]:.3g}" for name, words in shown.items() if last[name] is not None}
        self.bar.set_postfix(self.told, refresh=False)
        self.bar.update(state.global_step - self.bar.n)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave it standing."""
        self.bar.close()
