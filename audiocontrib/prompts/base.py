"""Prompt: what a model reads of one question; and the prompts that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.prompts.template import SYSTEM, PromptTemplate
from audiocontrib.registry import Registry

OPEN, CLOSE = "<answer>", "</answer>"
DEFAULT_PROMPT = "audiomcq"
"""The published prompt; asked with where no other is named."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One system turn and one user turn. The audio, where there is any, comes before the user's text."""

    system: str
    user: str
    has_audio: bool
    options: tuple[str, ...]
    """The options in the order shown; a likelihood is asked for each of them."""
    question: str | None = None
    """The bare question, for models that phrase it themselves; None where the condition hides it."""
    heard: str | None = None
    """What of ``user`` was found in a clip, by a cascade's listening parts."""

    @property
    def data(self) -> tuple[str, ...]:
        """The texts within ``user`` that come from a data set or a clip."""
        return tuple(text for text in (self.question, self.heard, *self.options) if text is not None)

    @property
    def harmless(self) -> Prompt:
        """A prompt of the same form without any text that comes from elsewhere."""
        return replace(self, user="0", options=(), question=None, heard=None)

    @property
    def sha256(self) -> str:
        """Hash of all that is read; the audio's own hash is kept beside it."""
        return stable_hash([self.system, self.user, self.has_audio, list(self.options)])

    def completion(self, option: str) -> str:
        """The model turn that answers with ``option``, as the training targets have it."""
        return f"{OPEN}{option}{CLOSE}"


PromptFunction = Callable[[str | None, Sequence[str]], str]
PROMPTS: Registry[PromptTemplate | PromptFunction] = Registry("prompt")
"""Name -> template, or function of (question or None, options as shown) that gives the user's text."""


@dataclass(frozen=True, slots=True)
class FunctionPrompt:
    """A registered function as a prompt, with the published system turn."""

    name: str
    function: PromptFunction
    system: str = SYSTEM

    def user_text(self, question: str | None, options: Sequence[str]) -> str:
        """What the function gives; AudiocontribError if it fails or gives no text."""
        try:
            text, again = self.function(question, options), self.function(question, options)
        except Exception as error:
            raise AudiocontribError(f"prompt {self.name!r} fails: {code_place(error)}{one_line(error)}") from error
        if not isinstance(text, str):
            raise AudiocontribError(f"prompt {self.name!r} gave {type(text).__name__}, not text")
        if text != again:
            raise AudiocontribError(f"prompt {self.name!r} gives another text each time for the same question")
        return text


PromptFormat = PromptTemplate | FunctionPrompt
"""How every question of a run is put: both have ``name``, ``system`` and ``user_text``."""


def register_prompt(template: PromptTemplate) -> PromptTemplate:
    """File a template under its name. UsageError if the name is taken."""
    return PROMPTS.register(template.name)(template)


register_prompt(
    PromptTemplate(
        name=DEFAULT_PROMPT,
        user=f"{{question}} Please choose the answer from the following options: {{options}}. "
        f"Output the final answer in {OPEN} {CLOSE}.",
    )
)
register_prompt(
    PromptTemplate(
        name="audiomcq-card",
        user=f"{{question}} Please choose the answer from the following options: {{options}}. "
        f"Output the final answer in {OPEN} {CLOSE}.",
        options="quoted",
    )
)


def find_prompt(prompt: str | PromptFormat) -> PromptFormat:
    """The prompt of that name; a prompt itself is given back. UsageError if there is none."""
    if not isinstance(prompt, str):
        return prompt
    found = PROMPTS.find(prompt)
    return found if isinstance(found, PromptTemplate) else FunctionPrompt(prompt, found)


def check_prompt(prompt: PromptFormat, *, hides_question: bool) -> None:
    """UsageError if the question or an option does not appear once: a prompt may be somebody's own.

    Args:
        hides_question: whether it will be asked without the question too.
    """
    question, options = "Which-question-is-this?", tuple(f"option-number-{i}-of-three" for i in range(3))
    for shown in (question, None) if hides_question else (question,):
        text = prompt.user_text(shown, options)
        for part, what in [(question, "the question"), *((option, "every option") for option in options)]:
            wanted = 0 if part == question and shown is None else 1
            if (count := text.count(part)) != wanted:
                place = "where the question is hidden, " if shown is None else ""
                raise UsageError(f"prompt {prompt.name}: {place}{what} must appear {wanted} times, but appears {count}")


def rotate(choices: Sequence[str], order: int) -> tuple[str, ...]:
    """The options as shown under rotation ``order``: place i holds option (i + order) mod K."""
    k = len(choices)
    return tuple(choices[(place + order) % k] for place in range(k))


def unrotate(values: Sequence[float], order: int) -> tuple[float, ...]:
    """Values by place shown -> values by the item's own option index (inverse of :func:`rotate`)."""
    k = len(values)
    return tuple(values[(option - order) % k] for option in range(k))


def make_prompt(
    question: str | None,
    choices: Sequence[str],
    *,
    order: int = 0,
    has_audio: bool,
    prompt: str | PromptFormat = DEFAULT_PROMPT,
) -> Prompt:
    """The prompt for one question. ``question`` is None where the condition hides it."""
    shown, form = rotate(choices, order), find_prompt(prompt)
    return Prompt(form.system, form.user_text(question, shown), has_audio, shown, question)
