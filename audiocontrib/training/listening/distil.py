"""RT-OPD: the student is drawn towards a teacher whose answers lean further on the audio than they do by themselves.

Source: github.com/KaiyangLi1992/RT-OPD. There a frozen teacher of 7 billion weights teaches a student of 3; here it is
the model itself, as it was before or as it is now.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig
from trl.models import unwrap_model_for_generation

from audiocontrib.answers import parse
from audiocontrib.errors import UsageError
from audiocontrib.training.encoding.features import stacked, unstacked
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.listening.losses import amplified, reply_means, reverse_kl
from audiocontrib.training.recipe import SFT
from audiocontrib.training.rows.base import TrainingRow, TrainingRows
from audiocontrib.training.trainers.trainer import ResumableTrainer

Tokens = list[int]


class Distillation:
    """What is added to the loss of SFT.

    Args:
        net: the network before anything is trained; the frozen teacher is a copy of it, or it without its adapters.
    """

    def __init__(self, settings: SFT, rows: TrainingRows, encoder: RowEncoder, net: Any) -> None:
        self.settings, self.rows, self.encoder = settings, rows, encoder
        self.frozen: Any = None
        if settings.distil_teacher == "start" and settings.tune == "full":
            self.frozen = copy.deepcopy(net).requires_grad_(False).eval()
        self.right: dict[int, bool] = {}
        """Row -> whether the frozen teacher's greedy reply is right; what is frozen is asked once."""
        self.words = Words(encoder)

    def loss(self, trainer: ResumableTrainer, model: Any, places: Sequence[int]) -> tuple[Tensor, dict[str, float]]:
        """The weighted divergence, the mean over a reply's tokens, then over the rows (0 where the gate is shut); and
        what the metrics are told.
        """
        rows = [self.rows[place] for place in places]
        with self._teacher(trainer) as teacher:
            gate = torch.tensor(self._gate(teacher, places), device=trainer.args.device)
        said = self._replies(trainer, rows)
        student, mask = self._logits(model, rows, said)
        with torch.no_grad(), self._teacher(trainer) as teacher:
            heard, _ = self._logits(teacher, rows, said)
            missed, _ = self._logits(teacher, rows, said, without=self.settings.distil_without)
            target = amplified(heard, missed, self.settings.distil_alpha)
        divergence = reply_means(reverse_kl(student, target), mask)
        told = {"distil_kl": divergence.mean().item(), "distil_gate": gate.float().mean().item()}
        return self.settings.distil * (divergence * gate).mean(), told

    @contextmanager
    def _teacher(self, trainer: ResumableTrainer) -> Iterator[Any]:
        if self.frozen is not None:
            yield self.frozen.to(trainer.args.device)
            return
        net = trainer.accelerator.unwrap_model(trainer.model)
        before, start = net.training, self.settings.distil_teacher == "start"
        with torch.no_grad(), net.disable_adapter() if start else nullcontext():
            net.eval()
            yield net
            net.train(before)

    def _gate(self, teacher: Any, places: Sequence[int]) -> list[bool]:
        if self.settings.distil_gate == "all":
            return [True] * len(places)
        if self.settings.distil_teacher == "now":
            self.right = {}
        if new := [place for place in dict.fromkeys(places) if place not in self.right]:
            rows = [self.rows[place] for place in new]
            replies = self.words.generate(teacher, rows, self.settings.distil_tokens, do_sample=False)
            for place, row, reply in zip(new, rows, replies, strict=True):
                text = self.encoder.tokenizer.decode(reply, skip_special_tokens=True)
                self.right[place] = parse(text, row.prompt.options).choice == row.gold
        return [self.right[place] for place in places]

    def _replies(self, trainer: ResumableTrainer, rows: Sequence[TrainingRow]) -> list[Tokens]:
        if self.settings.distil_on == "gold":
            return [self.encoder.target(row) for row in rows]
        drawn = {
            "do_sample": True, "temperature": self.settings.distil_temperature, "top_k": self.settings.distil_top_k,
            "top_p": self.settings.distil_top_p,
        }  # fmt: skip
        with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as net:
            return self.words.generate(net, rows, self.settings.distil_tokens, **drawn)

    def _logits(
        self, net: Any, rows: Sequence[TrainingRow], said: Sequence[Tokens], without: str | None = None
    ) -> tuple[Tensor, Tensor]:
        """Of the words that may be said at each token of the replies, shape (rows, tokens, words); and their mask."""
        device = self.words.device(net)
        batch = {name: value.to(device) for name, value in self.words.prompts(rows, without).items()}
        pad = torch.nn.utils.rnn.pad_sequence
        replies = pad([torch.tensor(one) for one in said], True, self.words.pad).to(device)
        mask = pad([torch.ones(len(one), dtype=torch.long) for one in said], True).to(device)
        ids = torch.cat([batch.pop("input_ids"), replies], dim=1)
        attended = torch.cat([batch.pop("attention_mask"), mask], dim=1)
        with _last(net, replies.shape[1]):
            logits = net(input_ids=ids, attention_mask=attended, use_cache=False, **batch).logits
        return logits.index_select(-1, self.words.may_be_said(logits)), mask


def check_whole(trainer: ResumableTrainer) -> None:
    """UsageError if the weights are to be sharded: the teacher is asked in one piece."""
    if trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        raise UsageError("distil asks a whole copy of the model, and there is none under DeepSpeed or FSDP; use ddp")


class Words:
    """Prompts and replies as a network takes and gives them, padded on the left and on the right."""

    def __init__(self, encoder: RowEncoder) -> None:
        self.encoder = encoder
        self.pad: int = encoder.tokenizer.pad_token_id
        ends = encoder.generation.eos_token_id
        listed = [ends] if isinstance(ends, int) else list(ends or [])
        self.ends = [*dict.fromkeys([*listed, encoder.tokenizer.eos_token_id])]
        self.never = encoder.placeholders()

    def prompts(self, rows: Sequence[TrainingRow], without: str | None = None) -> dict[str, Tensor]:
        """Tokens, mask and features of the rows' prompts, padded on the left."""
        made = [self._prompt(row, without) for row in rows]
        ids = [torch.tensor(tokens) for tokens, _ in made]
        pad = torch.nn.utils.rnn.pad_sequence
        masks = [torch.ones_like(one) for one in ids]
        features = unstacked(stacked([heard for _, heard in made])) if made[0][1] else {}
        return {
            "input_ids": pad(ids, True, self.pad, padding_side="left"),
            "attention_mask": pad(masks, True, 0, padding_side="left"),
            **features,
        }

    def _prompt(self, row: TrainingRow, without: str | None) -> tuple[Tokens, dict[str, Tensor]]:
        if without != "text":
            return self.encoder.prompt(row, without == "silence")
        return self.encoder.prompt_encoder.encode(replace(row.prompt, has_audio=False), None)[0], {}

    def generate(self, net: Any, rows: Sequence[TrainingRow], tokens: int, **sampling: Any) -> list[Tokens]:
        """A reply to each row, with its end if it has one; what stands for sounds is never said."""
        batch = {name: value.to(self.device(net)) for name, value in self.prompts(rows).items()}
        told = GenerationConfig(
            max_new_tokens=tokens, eos_token_id=self.ends, pad_token_id=self.pad, suppress_tokens=self.never, **sampling
        )
        inner = net.get_base_model() if hasattr(net, "peft_config") else net
        before, own = net.training, inner.generation_config
        net.eval()
        inner.generation_config = told  # the checkpoint's own would fill in what is not said
        try:
            with torch.no_grad():
                made = net.generate(**batch)
        finally:
            inner.generation_config = own
            net.train(before)
        return [self._cut(one) for one in made[:, batch["input_ids"].shape[1] :].tolist()]

    def _cut(self, reply: Tokens) -> Tokens:
        end = next((place for place, token in enumerate(reply) if token in self.ends), len(reply) - 1)
        return reply[: end + 1]

    def may_be_said(self, logits: Tensor) -> Tensor:
        """Tokens of the tokenizer but for those that stand for sounds; networks have rows for more."""
        known = min(len(self.encoder.tokenizer), logits.shape[-1])
        never = set(self.never)
        return torch.tensor([token for token in range(known) if token not in never], device=logits.device)

    def device(self, net: Any) -> Any:
        """Of a network, wrapped or not."""
        return next(net.parameters()).device


@contextmanager
def _last(net: Any, tokens: int) -> Iterator[None]:
    """A block in which the network computes no more logits than those that say the last ``tokens``."""
    inner = getattr(net, "module", net)  # within DDP
    head = inner.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, given: (given[0][:, -tokens - 1 : -1], *given[1:]))
    try:
        yield
    finally:
        hook.remove()
