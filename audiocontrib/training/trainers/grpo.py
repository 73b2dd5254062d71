"""GRPO: TRL's trainer, with the audio in the sampling and in all log-probabilities alike.

TRL's own one (1.16) samples with the audio and scores the replies without it. Some of the methods that are overridden
are private: the version is pinned, and tests hold the log-probabilities against a plain forward.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch import Tensor
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer
from trl.models import prepare_deepspeed, prepare_fsdp
from trl.trainer.utils import add_fused_lm_head

from audiocontrib.answers import parse
from audiocontrib.responses import Outcome
from audiocontrib.training.encoding.collate import IGNORED
from audiocontrib.training.encoding.features import stacked, unstacked
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.published_rewards import published_accuracy, published_format
from audiocontrib.training.recipe import GRPO, check_silent_replies
from audiocontrib.training.reward_functions import find_rewards
from audiocontrib.training.rewards import abstaining_reward, accuracy_reward, format_reward
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.rows.stages import check_enough, check_form
from audiocontrib.training.target import form_of
from audiocontrib.training.trainers.advantages import two_baselines
from audiocontrib.training.trainers.arguments import adapters, arguments, objective_arguments
from audiocontrib.training.trainers.completions import Completions, told_replies
from audiocontrib.training.trainers.kept_on_fault import kept_on_fault, undisturbed
from audiocontrib.training.trainers.replies import load_replies, save_replies
from audiocontrib.training.trainers.reward_calls import OwnRewards, reply_texts
from audiocontrib.training.trainers.session import processes
from audiocontrib.training.trainers.sharded import with_whole_head
from audiocontrib.training.trainers.stage import run_stage
from audiocontrib.training.trainers.trainer import ResumableTrainer


class AudioGRPOTrainer(ResumableTrainer, GRPOTrainer):
    """GRPO with audio: what is heard follows each reply, from sampling to loss."""

    settings: GRPO

    def __init__(self, settings: GRPO, rows: TrainingRows, encoder: RowEncoder, net: Any, out: Path) -> None:
        self.settings, self.rows, self.encoder = settings, rows, encoder
        self.keep = settings.keep
        self.heard: dict[str, Tensor] = {}
        """What goes with the replies at hand, one row each (see :func:`stacked`)."""
        self.own = OwnRewards(find_rewards(settings.own_rewards or ()), rows, self._texts, ())
        before = copy.deepcopy(net) if settings.beta and settings.tune == "full" else None
        super().__init__(
            model=net,
            args=_config(settings, encoder, out),
            reward_funcs=self._rewards(),
            train_dataset=Dataset.from_dict(
                {"prompt": [str(i) for i in range(len(rows))], "row": range(len(rows))}
            ),
            processing_class=encoder.tokenizer,
            peft_config=adapters(settings),
        )  # fmt: skip
        self.own.ends = self.eos_token_ids
        self.completions = Completions(out, settings.completions, self.reward_func_names)
        # TRL would load the reference by the name in the config: another class, or nothing, for a model made here
        self.beta = settings.beta
        if before is not None:
            before.requires_grad_(False).eval()
            add_fused_lm_head(before, temperature=settings.temperature)
            if self.is_deepspeed_enabled:
                self.ref_model = prepare_deepspeed(before, self.accelerator)
            elif self.is_fsdp_enabled:
                self.ref_model = prepare_fsdp(with_whole_head(before), self.accelerator)
            else:
                self.ref_model = self.accelerator.prepare_model(before, evaluation_mode=True)

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        sampler = super()._get_train_sampler(dataset)
        self.add_callback(Order(sampler.generator))
        return sampler

    def _silent(self, count: int) -> list[bool]:
        """Which of the replies at hand hear silence: the last ones of each group."""
        first = self.accelerator.process_index * count
        hearing = self.settings.generations - self.settings.silent_replies
        return [(first + i) % self.settings.generations >= hearing for i in range(count)]

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Tensor]]:
        places = [(int(prompt), silent) for prompt, silent in zip(prompts, self._silent(len(prompts)), strict=True)]
        made = {place: self.encoder.prompt(self.rows[place[0]], place[1]) for place in dict.fromkeys(places)}
        heard = stacked([made[place][1] for place in places])
        self.heard = {name: value.to(self.accelerator.device) for name, value in heard.items()}
        return [made[place][0] for place in places], None, unstacked(self.heard)

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        with self.pace.sampled():
            return super()._generate(*args, **kwargs)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        silent = self._silent(len(inputs))
        given = [{**one, "silent": is_silent} for one, is_silent in zip(inputs, silent, strict=True)]
        with kept_on_fault(self):
            output: dict[str, Any] = super()._generate_and_score_completions(given)
        if self.settings.silent_replies:
            output["advantages"] = self._advantages(len(inputs))
        weights = [self.rows[one["row"]].weight for one in inputs]
        weighed = output["advantages"] * torch.tensor(weights, device=output["advantages"].device)
        output["advantages"] = weighed.float()
        self._keep_replies(given, output["advantages"].tolist())
        return output | self.heard  # beside the other tensors, it is shuffled and cut apart with them

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> Tensor:
        with undisturbed() if self.own.functions else nullcontext():
            found: Tensor = super()._calculate_rewards(*args, **kwargs)
        # in float32 the mean of equal rewards may be another number (of 0.3 three times), and their spread overflow
        self.rewarded = found.double()
        self.written_ids: list[list[int]] = args[3]
        self.own.check()
        return self.rewarded

    def _keep_replies(self, given: list[dict[str, Any]], advantages: list[float]) -> None:
        """The replies at hand, of all processes, into ``completions.parquet``."""
        if not self.settings.completions:
            return
        first, ends = self.accelerator.process_index * len(given), self.eos_token_ids
        made = told_replies(
            [self.rows[one["row"]] for one in given],
            [one["silent"] for one in given],
            self._texts(self.written_ids),
            [bool(ids) and ids[-1] in ends for ids in self.written_ids],
            self.rewarded[first : first + len(given)].tolist(),
            dict(zip(self.reward_func_names, self.reward_weights.tolist(), strict=True)),
        )
        for one, advantage in zip(made, advantages, strict=True):
            one["advantage"] = advantage
        self.completions.add(self.state.global_step + 1, gather_object(made))

    def write_metrics(self) -> None:
        """As the trainer's, and the replies of the last steps."""
        if self.is_world_process_zero():
            self.completions.write()
        super().write_metrics()

    def _advantages(self, count: int) -> Tensor:
        """Of the replies at hand in this process, those to silence by a baseline of their own."""
        rewards = (self.rewarded * self.reward_weights.to(self.rewarded.device)).nansum(dim=1)
        settings = self.settings
        found, equal = two_baselines(rewards, settings.generations, settings.silent_replies, self.scale_rewards)
        self._metrics["train"]["frac_reward_zero_std"][-1] = equal.float().mean().item()
        first = self.accelerator.process_index * count
        return found[first : first + count]

    def keep_beside(self, checkpoint: Path) -> None:
        """Replies of which the next steps still learn: sampled anew after a resume they would be others."""
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every and self._buffered_inputs is not None:
            save_replies(checkpoint, self.accelerator.process_index, self._buffered_inputs, self._step)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        rank, device = self.accelerator.process_index, self.accelerator.device
        if checkpoint is not None and (kept := load_replies(Path(checkpoint), rank, device)):
            self._buffered_inputs, self._step = kept

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        self.heard = {name: inputs[name] for name in (*self.encoder.names, "windows")}
        loss: Tensor = super()._compute_loss(model, inputs)
        return loss

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor, logits_to_keep: int,
        batch_size: int | None = None, compute_entropy: bool = False, **_: Any,
    ) -> tuple[Tensor, Tensor | None, None]:  # fmt: skip
        """Log-probabilities of the replies' tokens, shape (rows, logits_to_keep), given all that goes before."""
        logps, entropies = [], []
        for start in range(0, len(input_ids), batch_size or len(input_ids)):
            part = slice(start, start + (batch_size or len(input_ids)))
            ids, mask = input_ids[part], attention_mask[part]
            labels = ids.masked_fill(mask == 0, IGNORED)
            labels[:, :-logits_to_keep] = IGNORED
            heard = unstacked({name: value[part] for name, value in self.heard.items()})
            with self.accelerator.autocast():
                told = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True, **heard)
            logps.append(told.log_probs[:, -logits_to_keep:])
            if compute_entropy:
                entropies.append(told.entropy[:, -logits_to_keep:])
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _accuracy(self, reply: str, row: TrainingRow) -> float:
        if self.settings.rewards == "published":
            return published_accuracy(reply, row.target)
        credited, option = self.settings.credit_abstaining, self.settings.abstain_option
        return accuracy_reward(reply, row.prompt.options, row.gold, credited=credited, abstain_option=option)

    def _texts(self, completion_ids: Sequence[Sequence[int]]) -> list[str]:
        return reply_texts(self.encoder, self.eos_token_ids, completion_ids)

    def _format(self, reply: str) -> float:
        if self.settings.rewards == "published":
            return published_format(reply)
        return format_reward(reply, form_of(self.settings.target)) if self.settings.target else format_reward(reply)

    def _rewards(self) -> list[Any]:
        rows, option, replies = self.rows, self.settings.abstain_option, self._texts

        def accuracy(
            completion_ids: Any, row: list[int], silent: list[bool], log_metric: Any, **_: Any
        ) -> list[float | None]:
            said = replies(completion_ids)
            outcomes = [parse(text, rows[i].prompt.options).outcome for text, i in zip(said, row, strict=True)]
            for outcome in (Outcome.ANSWERED, Outcome.REFUSED, Outcome.UNPARSED):
                log_metric(outcome.value, sum(one == outcome for one in outcomes) / len(outcomes))
            return [
                None if is_silent else self._accuracy(text, rows[i])
                for text, i, is_silent in zip(said, row, silent, strict=True)
            ]

        def format(completion_ids: Any, **_: Any) -> list[float]:
            return [self._format(text) for text in replies(completion_ids)]

        def abstaining(completion_ids: Any, row: list[int], silent: list[bool], **_: Any) -> list[float | None]:
            return [
                abstaining_reward(text, rows[i].prompt.options, option) if is_silent else None
                for text, i, is_silent in zip(replies(completion_ids), row, silent, strict=True)
            ]

        return [accuracy, format, *([abstaining] if self.settings.silent_replies else []), *self.own.calls()]


class Order(TrainerCallback):
    """Makes the order of an epoch depend on its number alone, so that it is the same after a resume.

    ``set_epoch`` would not do: with several processes it does not get through to the sampler once batches are skipped.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Comes before the sampler is asked."""
        self.generator.manual_seed(args.seed + int(state.epoch))


def _config(settings: GRPO, encoder: RowEncoder, out: Path) -> GRPOConfig:
    weights = [settings.accuracy, settings.format, *([settings.accuracy] if settings.silent_replies else [])]
    weights += (settings.own_rewards or {}).values()
    return GRPOConfig(
        **arguments(settings, out),
        **objective_arguments(settings),
        beta=0.0,
        reward_weights=weights,
        generation_kwargs={"suppress_tokens": encoder.placeholders()},
        log_completions=False,
    )


def make_grpo_trainer(settings: GRPO, rows: TrainingRows, encoder: RowEncoder, net: Any, out: Path) -> AudioGRPOTrainer:
    """The trainer; UsageError if the rows do not fill one step, or a reply has no other to be held against."""
    check_silent_replies(settings)
    check_form(settings, rows.prompt)
    check_enough(settings, len(rows), processes().num_processes)  # of those that can be used
    kind = AudioGRPOTrainer
    if settings.masked_kl or settings.redraws or settings.curriculum:
        from audiocontrib.training.listening.reinforced import ListeningGRPOTrainer  # which builds on this one

        kind = ListeningGRPOTrainer
    return kind(settings, rows, encoder, net, out)


def run_grpo(
    settings: GRPO, rows: TrainingRows, name: str | Path, out: str | Path, *, progress: bool = True
) -> TrainingOutput:
    """See :func:`audiocontrib.training.train_grpo`."""
    return run_stage("grpo", settings, rows, name, out, make_grpo_trainer, progress=progress)
