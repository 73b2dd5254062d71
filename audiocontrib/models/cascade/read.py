"""Reading: evidence and a question as a prompt for a language model that hears nothing."""

from __future__ import annotations

from dataclasses import dataclass

from audiocontrib.audio import Sound
from audiocontrib.models.cascade.recipe import FewShotExample
from audiocontrib.models.chat import ChatText
from audiocontrib.models.text import TextLanguageModel
from audiocontrib.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Plain(Prompt):
    """Text that is continued as it is: no turns, no list of options, no tags.

    ``system`` is the beginning that all questions share, ``user`` ends where the answer begins.
    """

    def completion(self, option: str) -> str:
        """The answer and the end of its line, so that no option is the beginning of another."""
        return f" {option}\n"


def plain_prompt(prompt: Prompt, evidence: str | None, examples: tuple[FewShotExample, ...]) -> Plain:
    """Examples, evidence and question as plain text. Without evidence, that of the examples is left out too."""
    shots = [
        _question(example.question, example.evidence if evidence is not None else None) + f" {example.answer}\n\n"
        for example in examples
    ]
    return Plain("".join(shots), _question(prompt.question, evidence), False, prompt.options, prompt.question, evidence)


def chat(prompt: Prompt, evidence: str | None) -> Prompt:
    """The run's own prompt, with what was heard in the place of the audio."""
    heard = f"What is heard:\n{evidence}\n\n" if evidence is not None else ""
    return Prompt(prompt.system, heard + prompt.user, False, prompt.options, prompt.question, evidence)


def _question(question: str | None, evidence: str | None) -> str:
    lines = [evidence, f"Question: {question}" if question is not None else None, "Answer:"]
    return "\n".join(line for line in lines if line is not None)


class Reader(TextLanguageModel):
    """A causal language model that also continues plain text."""

    def write(self, prompt: Prompt) -> ChatText:
        """By the chat template, unless the prompt is plain."""
        if not isinstance(prompt, Plain):
            return super().write(prompt)
        start = len(prompt.system)
        return ChatText(prompt.system + prompt.user, (start, start + len(prompt.user)), None)

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """See :class:`audiocontrib.models.local.LocalModel`. At least one token has to be shared."""
        ids, shared = super().encode(prompt, sound)
        return ids, max(1, shared)

    def adds_special_tokens(self, prompt: Prompt) -> bool:
        """See :class:`TextLanguageModel`."""
        return isinstance(prompt, Plain) or super().adds_special_tokens(prompt)
