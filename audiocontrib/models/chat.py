"""Writing prompts by a checkpoint's chat template, in a way that keeps all that is to be read.

Templates take what they were written for: a system turn or none, texts or lists of parts. What they do not know many
drop without a word. So the ways are tried, when a model is loaded, on texts whose place in the result can be seen, and
every prompt is held to what was seen then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.time_bound import TooSlow, time_bound
from audiocontrib.prompts import OPEN, Prompt

SECONDS = 10.0
"""A template that writes for longer is given up."""
WORDS = 100_000
"""Characters that a template may write around the texts."""
PROBES = (("Sys Äb 'x' 1.", "Usr [\"Cd\", 'e'] ü\nF?"), ("Another SYSTEM text", "another user text: ['0', '1']"))
"""System and user texts that a template would change if it changed any: case, quotes, letters, lines."""
AUDIO_PARTS = ({"type": "audio", "audio": "clip"}, {"type": "audio", "audio_url": "clip"})


@dataclass(frozen=True, slots=True)
class ChatStyle:
    """How turns are handed to a template."""

    system: bool = True
    """Whether the system text is a turn; else it opens the user's."""
    parts: bool = True
    """Whether the user's turn is a list of parts; else it is a text, with the placeholder of the audio written in."""
    system_parts: bool = False
    """Whether the system turn is a list of parts."""
    audio_part: int = 0
    """Which of AUDIO_PARTS stands for the audio."""

    def turns(self, prompt: Prompt, placeholder: str) -> list[dict[str, Any]]:
        """The chat messages of a prompt."""
        system, user = prompt.system, prompt.user
        if system and not self.system:
            system, user = "", f"{system}\n{user}"
        text = {"type": "text", "text": user}
        content: Any = [*([AUDIO_PARTS[self.audio_part]] if prompt.has_audio else []), text]
        if not self.parts:
            content = placeholder * prompt.has_audio + user
        told: Any = [{"type": "text", "text": system}] if self.system_parts else system
        return [*([{"role": "system", "content": told}] if system else []), {"role": "user", "content": content}]


@dataclass(frozen=True, slots=True)
class ChatText:
    """A prompt as text."""

    text: str
    user: tuple[int, int]
    """Where in it the user's text begins and ends."""
    audio: int | None
    """Where in it the placeholder of the audio begins; None where there is none."""

    def pieces(self, start: int, end: int, split: Callable[[str], list[str]]) -> list[str]:
        """A stretch of the text; what of the user's text lies in it in such pieces as ``split`` makes."""
        first, last = max(self.user[0], start), min(self.user[1], end)
        if first >= last:
            return [self.text[start:end]]
        inner = split(self.text[first:last])
        inner[0] = self.text[start:first] + inner[0]
        inner[-1] += self.text[last:end]
        return inner


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a template writes before, between and after the two texts."""

    before: str
    between: str
    after: str

    def around(self, system: str, user: str) -> str:
        return f"{self.before}{system}{self.between}{user}{self.after}"


Kind = tuple[bool, bool]
"""Whether a prompt has audio, and whether it has a system text."""


@dataclass(frozen=True, slots=True)
class ChatWriter:
    """A chat template, and the style in which it keeps every text."""

    name: str
    """Of the model, for messages."""
    reader: Any
    """The tokenizer or processor whose template it is."""
    placeholder: str
    """Of the audio; empty where the model hears nothing."""
    style: ChatStyle
    why: str
    """What was wrong with the first style that such a model is tried with; empty if nothing was."""
    frames: Mapping[Kind, _Frame]

    @property
    def line(self) -> str:
        """Why the style is not the usual one, and what it is, in words."""
        system = "opens the user's turn" if not self.style.system else "is a turn"
        return f"chat template: {self.why}; asked in another style of messages, in which the system text {system}"

    def write(self, prompt: Prompt) -> ChatText:
        """The prompt as the template writes it.

        Raises:
            AudiocontribError: it drops, repeats or changes a text of this prompt, or takes too long.
        """
        frame = self.frames[prompt.has_audio, bool(prompt.system)]
        text = _written(self.reader, self.style, self.placeholder, prompt)
        system, user = prompt.system, prompt.user
        if text != frame.around(system, user):
            system, user = system.strip(), user.strip()  # as some templates do
            if text != frame.around(system, user):
                raise AudiocontribError(f"{self.name}: the chat template changes this prompt's texts")
        start = len(frame.before) + len(system) + len(frame.between)
        end = start + len(user)
        stretches = ((0, frame.before), (start - len(frame.between), frame.between), (end, frame.after))
        audio = [at + words.find(self.placeholder) for at, words in stretches if self.placeholder in words]
        return ChatText(text, (start, end), audio[0] if prompt.has_audio else None)


def chat_writer(
    name: str, reader: Any, *, placeholder: str = "", system: bool = True, inline: bool = False
) -> ChatWriter:
    """The writer for a template, by the first style in which it keeps all that is to be read.

    Args:
        name: of the model, for messages.
        reader: a tokenizer or processor with a chat template.
        placeholder: of the audio, in the template's text; empty for a model that hears nothing.
        system: whether a system turn may be tried.
        inline: whether only texts with the placeholder written in may be tried.

    Raises:
        AudiocontribError: it keeps them in none.
    """
    why = ""
    for style in _styles(bool(placeholder), system, inline):
        try:
            frames = dict(_frames(reader, style, placeholder))
            return ChatWriter(name, reader, placeholder, style, why, frames)
        except TooSlow as error:  # so it would be in every style
            raise AudiocontribError(f"{name}: its chat template cannot be used: {error}") from error
        except AudiocontribError as error:
            why = why or str(error)
    raise AudiocontribError(f"{name}: its chat template cannot be used: {why}")


def _styles(hears: bool, system: bool, inline: bool) -> Iterator[ChatStyle]:
    for own_turn in (True, False) if system else (False,):
        if hears and not inline:
            for audio_part in range(len(AUDIO_PARTS)):
                yield ChatStyle(own_turn, audio_part=audio_part)
                yield ChatStyle(own_turn, system_parts=True, audio_part=audio_part)
        else:
            yield ChatStyle(own_turn, parts=False)
        if not hears:
            yield ChatStyle(own_turn, system_parts=True)


def _frames(reader: Any, style: ChatStyle, placeholder: str) -> Iterator[tuple[Kind, _Frame]]:
    """What the template writes around the texts of each kind of prompt; AudiocontribError if it does not keep them."""
    for has_audio in (False, True) if placeholder else (False,):
        for told in (True, False):
            found = {
                _frame(reader, style, placeholder, Prompt(system if told else "", user, has_audio, ()))
                for system, user in PROBES
            }
            if len(found) > 1:
                raise AudiocontribError("it writes other words around other texts, or at another time")
            yield (has_audio, told), found.pop()


def _frame(reader: Any, style: ChatStyle, placeholder: str, prompt: Prompt) -> _Frame:
    text = _written(reader, style, placeholder, prompt)
    if len(text) > WORDS + len(prompt.system) + len(prompt.user):
        raise AudiocontribError(f"it writes {len(text):,} characters")
    if text != _written(reader, style, placeholder, prompt):
        raise AudiocontribError("it writes something else each time")
    for what, wanted in (("system text", prompt.system), ("question", prompt.user)):
        if wanted and text.count(wanted) != 1:
            raise AudiocontribError(f"it {'repeats' if wanted in text else 'drops or changes'} the {what}")
    if placeholder and text.count(placeholder) != prompt.has_audio:
        raise AudiocontribError(f"it {'drops or repeats' if prompt.has_audio else 'makes up'} the audio")
    before, _, rest = text.partition(prompt.system) if prompt.system else ("", "", text)
    between, found, after = rest.partition(prompt.user)
    if not found:
        raise AudiocontribError("it puts the system text behind the question")
    if after.rstrip().endswith(OPEN):
        raise AudiocontribError(f"it writes {OPEN} itself, which is part of the answer")
    return _Frame(before, between, after)


def _written(reader: Any, style: ChatStyle, placeholder: str, prompt: Prompt) -> str:
    turns = style.turns(prompt, placeholder)
    try:
        with time_bound(SECONDS, "its chat template takes too long"):
            text = reader.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except AudiocontribError:
        raise
    except Exception as error:  # a template's own words among them
        raise AudiocontribError(one_line(error, 160)) from error
    if not isinstance(text, str):
        raise AudiocontribError(f"it gives {type(text).__name__}, not text")
    return text
