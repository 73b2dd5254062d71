"""GRPO that is moved away from what it would say to a masked clip, and that draws its questions itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiocontrib.conditions import condition
from audiocontrib.conditions.play import play
from audiocontrib.errors import UsageError
from audiocontrib.training.encoding.features import stacked
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.listening.drawing import Questions, mean_of_calls, replaced, replies_of
from audiocontrib.training.listening.losses import is_dull, masked_loss
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.trainers.grpo import AudioGRPOTrainer

MASKED = "masked "
"""Before the names of a masked clip's features, beside those of the clip."""


class ListeningGRPOTrainer(AudioGRPOTrainer):
    """GRPO with one or several of ``masked_kl``, ``redraws`` and ``curriculum``."""

    def __init__(self, settings: GRPO, rows: TrainingRows, encoder: RowEncoder, net: Any, out: Path) -> None:
        super().__init__(settings, rows, encoder, net, out)
        self.drawing = Questions(settings, rows)
        self.draws = bool(settings.redraws or settings.curriculum)
        self.mask = condition(f"mask:{settings.masked_percent:g}")
        self.masked: dict[str, Tensor] = {}
        """As ``heard``, of the masked clips."""
        if self.draws and self.accelerator.num_processes > 1:
            raise UsageError(
                "redraws and curriculum draw the questions of one process; train in one, or leave them out"
            )

    # what is asked

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if not self.draws:
            return self._one_call(inputs)
        step, size, settings = self.state.global_step, self.settings.generations, self.settings
        self.drawing.renew(step)
        rows = self.drawing.first([one["row"] for one in inputs[::size]], step)
        there = {name: len(values) for name, values in self._metrics["train"].items()}
        output, dull = self._asked(rows)
        calls, asked = [len(rows)], [*rows]
        for again in range(1, settings.redraws + 1):
            groups = torch.nonzero(dull).flatten().tolist()[: self.drawing.left(asked)]
            if not groups:
                break
            new = self.drawing.draw(len(groups), step, again, asked)
            other, fresh = self._asked(new)
            output = replaced(output, other, replies_of(groups, size), self.encoder.tokenizer.pad_token_id)
            dull[groups] = fresh
            calls, asked = [*calls, len(new)], [*asked, *new]
        output["num_items_in_batch"] = output["completion_mask"].sum()
        self._tell(there, calls)
        return output

    def _one_call(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output = super()._generate_and_score_completions(inputs)
        return output | self.masked  # beside the other tensors, it is shuffled and cut apart with them

    def _asked(self, rows: Sequence[int]) -> tuple[dict[str, Any], Tensor]:
        """Replies to some rows, a group each; and which groups are rewarded alike."""
        settings = self.settings
        output = self._one_call([{"prompt": str(row), "row": row} for row in rows for _ in range(settings.generations)])
        right = self.rewarded[:, self.reward_func_names.index("accuracy")].tolist()
        heard = settings.generations - settings.silent_replies
        told = [
            (rows[i // settings.generations], one) for i, one in enumerate(right) if i % settings.generations < heard
        ]
        self.drawing.count([row for row, _ in told], [one for _, one in told])
        rewards = (self.rewarded * self.reward_weights.to(self.rewarded.device)).nansum(dim=1)
        return output, is_dull(rewards, settings.generations, settings.silent_replies)

    def _tell(self, there: dict[str, int], calls: Sequence[int]) -> None:
        """Metrics of all replies that were drawn, each call by its size; and how many questions there were."""
        kept = self._metrics["train"]
        for name, values in kept.items():
            first = there.get(name, 0)
            kept[name] = values[:first] + mean_of_calls(values[first:], calls)
        kept["drawn"].append(float(sum(calls)))
        kept["left_out"].append(float(sum(calls[1:])))
        if rates := self.drawing.known.values():
            kept["pass_rate"].append(sum(rates) / len(rates))

    def keep_beside(self, checkpoint: Path) -> None:
        """The replies at hand, and the pass rates."""
        super().keep_beside(checkpoint)
        if self.settings.curriculum:
            self.drawing.save(checkpoint)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None and self.settings.curriculum:
            self.drawing.load(Path(checkpoint))

    # the masked clip

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Tensor]]:
        if self.settings.masked_kl:
            made = {prompt: self._features(self.rows[int(prompt)]) for prompt in dict.fromkeys(prompts)}
            named = stacked([made[prompt] for prompt in prompts])
            self.masked = {
                MASKED + name: named[name].to(self.accelerator.device) for name in self.encoder.names
            }  # fmt: skip
        return super()._tokenize_prompts(prompts)

    def _features(self, row: TrainingRow) -> dict[str, Tensor]:
        """Of the row's clip, masked: as many tokens as the clip itself has."""
        sound = play(self.mask, self.encoder.hear(row), row.item.id)
        return {name: value[None] for name, value in self.encoder.prompt_encoder.features(row.prompt, sound).items()}

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None, None]:
        told = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        self.said = told[0]
        return told

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        loss: Tensor = super()._compute_loss(model, inputs)
        settings = self.settings
        if not settings.masked_kl:
            return loss
        heard = self.said
        self.heard = {name: inputs[MASKED + name] for name in self.encoder.names} | {"windows": inputs["windows"]}
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
        mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
        with torch.set_grad_enabled(settings.masked_gradient):
            masked, _, _ = self._get_per_token_logps_and_entropies(model, ids, mask, heard.shape[1])
        more, divergence = masked_loss(
            heard, masked, inputs["completion_mask"],
            weight=settings.masked_kl, most=settings.masked_most, entropy=settings.masked_entropy,
        )  # fmt: skip
        self._metrics["train"]["masked_kl"].append(self.accelerator.gather(divergence).mean().item())
        return loss + more / self.current_gradient_accumulation_steps
