"""Text-only causal language models: they read the question and hear nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.local import LocalModel
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import Prompt


class TextLanguageModel(LocalModel):
    """Any causal LM of transformers, GGUF files included. Only for conditions without audio."""

    capabilities = frozenset({"likelihood", "generate", "sampling"})

    def __init__(self, name: str, net: Any, tokenizer: Any, identity: dict[str, Any]) -> None:
        super().__init__(name, net, tokenizer, identity)

    def render(self, prompt: Prompt) -> str:
        """The prompt by the model's chat template; a base model without one gets the plain texts."""
        if prompt.has_audio:
            raise AudiocontribError(
                f"{self.name} reads text only; ask it under a condition without audio, as text or options"
            )
        if not self.tokenizer.chat_template:
            return f"{prompt.system}\n\n{prompt.user}\n"
        turns = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        return self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens, and how many stand before the question (see :class:`LocalModel`)."""
        ids, other = self._tokens(prompt), self._tokens(replace(prompt, user="0"))
        return ids, min(common_prefix(ids, other), len(ids) - 1)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """None: there is no audio."""
        return {}

    def _tokens(self, prompt: Prompt) -> list[int]:
        # a chat template writes its own begin-of-text token; a plain prompt needs the tokenizer's
        return self.tokenizer(self.render(prompt), add_special_tokens=not self.tokenizer.chat_template).input_ids
