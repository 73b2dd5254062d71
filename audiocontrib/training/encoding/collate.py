"""Collator: rows to a batch for SFT, in which only the reply is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from audiocontrib.training.encoding.features import stacked, unstacked
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.rows.base import TrainingRow

IGNORED = -100
"""Label of a token that is not learned."""
ROW = "row"
"""Beside the tensors that the network takes: which rows they are."""


class Collator:
    """Rows by their numbers -> a batch for SFT. Labels are IGNORED but for the reply and its end."""

    def __init__(self, encoder: RowEncoder, rows: Sequence[TrainingRow]) -> None:
        self.encoder, self.rows = encoder, rows

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Token ids, mask, labels (all of shape (rows, tokens), padded on the right), features and ROW."""
        chosen = [self.rows[example["row"]] for example in examples]
        prompts = [self.encoder.prompt(row) for row in chosen]
        targets = [self.encoder.target(row) for row in chosen]
        ids = [torch.tensor(prompt + target) for (prompt, _), target in zip(prompts, targets, strict=True)]
        labels = [
            torch.tensor([IGNORED] * len(prompt) + target)
            for (prompt, _), target in zip(prompts, targets, strict=True)
        ]  # fmt: skip
        pad = torch.nn.utils.rnn.pad_sequence
        return {
            "input_ids": pad(ids, batch_first=True, padding_value=self.encoder.tokenizer.pad_token_id),
            "attention_mask": pad([torch.ones_like(one) for one in ids], batch_first=True),
            "labels": pad(labels, batch_first=True, padding_value=IGNORED),
            **unstacked(stacked([features for _, features in prompts])),
            ROW: torch.tensor([example["row"] for example in examples]),
        }
