"""Text-only causal language models: they read the question and hear nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.chat import ChatText, chat_writer
from audiocontrib.models.local import LocalModel
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import Prompt


class TextLanguageModel(LocalModel):
    """Any causal LM of transformers, GGUF files included. Only for conditions without audio."""

    capabilities = frozenset({"likelihood", "generate", "sampling"})

    def __init__(self, name: str, net: Any, tokenizer: Any, identity: dict[str, Any]) -> None:
        self.writer = chat_writer(name, tokenizer) if tokenizer.chat_template else None
        super().__init__(name, net, tokenizer, identity)

    def render(self, prompt: Prompt) -> str:
        """The prompt by the model's chat template; a base model without one gets the plain texts."""
        return self.write(prompt).text

    def write(self, prompt: Prompt) -> ChatText:
        """The same, with the place of the user's text in it."""
        if prompt.has_audio:
            raise AudiocontribError(
                f"{self.name} reads text only; ask it under a condition without audio, as text or options"
            )
        if self.writer:
            return self.writer.write(prompt)
        start = len(prompt.system) + 2
        return ChatText(f"{prompt.system}\n\n{prompt.user}\n", (start, start + len(prompt.user)), None)

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens, and how many stand before the question (see :class:`LocalModel`)."""
        written, forged = self.write(prompt), self.control.forged(prompt.data)
        pieces = written.pieces(0, len(written.text), lambda text: self.control.split(text, forged))
        ids, other = self._tokens(prompt, pieces), self._tokens(prompt, [self.write(prompt.harmless).text])
        self.control.check(ids, other, prompt.user, forged)
        return ids, min(common_prefix(ids, other), len(ids) - 1)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """None: there is no audio."""
        return {}

    def adds_special_tokens(self, prompt: Prompt) -> bool:
        """Whether the tokenizer's begin-of-text token has to be added: a chat template writes its own."""
        return self.writer is None

    def _tokens(self, prompt: Prompt, pieces: Sequence[str]) -> list[int]:
        first, *rest = [
            self.tokenizer(piece, add_special_tokens=self.adds_special_tokens(prompt) and not place).input_ids
            for place, piece in enumerate(pieces)
        ]
        return [*first, *(token for ids in rest for token in ids)]
