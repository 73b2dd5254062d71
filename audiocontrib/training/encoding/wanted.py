"""What is looked at of the replies that are wanted, before the first step: their template, and whether they are cut."""

from __future__ import annotations

from audiocontrib.errors import UsageError
from audiocontrib.training.encoding.row_encoder import RowEncoder
from audiocontrib.training.recipe import GRPO, SFT
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.stage_settings import Stage


def check_template(template: str | None, encoder: RowEncoder) -> None:
    """UsageError if a target would end the reply, or stand for a sound: `<think>` may be a token of a model's too."""
    added = encoder.tokenizer.added_tokens_decoder.items()
    special = {*encoder.tokenizer.all_special_ids, *encoder.placeholders(), *(i for i, one in added if one.special)}
    if bad := [one for one in encoder.prompt_encoder.tokens(template or "") if one in special]:
        told = encoder.tokenizer.convert_ids_to_tokens(bad[0])
        raise UsageError(f"target: it holds the model's control token {told}; leave it out")


def cut_targets(settings: Stage, rows: TrainingRows, encoder: RowEncoder) -> str | None:
    """A sentence where wanted replies are longer than what is sampled: hardly any will be right. None: none is."""
    if isinstance(settings, GRPO):
        name, most = "new_tokens", settings.new_tokens
    elif isinstance(settings, SFT) and settings.distil and settings.distil_gate == "right":
        name, most = "distil_tokens", settings.distil_tokens
    else:
        return None
    needed = [len(encoder.target(rows[place])) for place in range(0, len(rows), rows.copies)]
    longer = sum(one > most for one in needed)
    told = f"{name} is {most:,}, but the wanted replies of {longer:,} of {len(needed):,} items are longer"
    return f"{told}, up to {max(needed):,} tokens" if longer else None
