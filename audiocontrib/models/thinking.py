"""What a checkpoint's chat template knows of thinking: its switch, and the marks around a thought.

A switch is a variable that the template reads (``enable_thinking`` of Qwen3, GLM and SmolLM3, ``thinking`` of Granite
and DeepSeek, ``reasoning_effort``, …). It is set in the template itself, so that every prompt is written by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audiocontrib.answers import split_thought
from audiocontrib.errors import UsageError
from audiocontrib.models.chat import SECONDS
from audiocontrib.models.think_marks import MARKS, Marks
from audiocontrib.models.time_bound import TooSlow, time_bound

WAYS = ("auto", "on", "off")
"""``auto``: as the template is."""
SWITCHES: Mapping[str, tuple[str, str]] = {
    "enable_thinking": ("true", "false"),
    "thinking": ("true", "false"),
    "enable_reasoning": ("true", "false"),
    "reasoning_effort": ("'high'", "'none'"),
    "thinking_budget": ("-1", "0"),
    "disable_thinking": ("false", "true"),
}
"""Variable of a template -> what it is set to for on and for off, as Jinja writes it."""
LONGEST = 4096
"""Tokens of a reply of a checkpoint that thinks and does not say itself how long its replies may be."""
BLOCK = re.compile(r"\{[%{].*?[%}]\}", re.DOTALL)
NONE = re.compile(r"""["']none["']""")
END = 200
"""Characters at the end of a prompt in which its template may open a thought."""
QUESTION, THOUGHT, ANSWER = "Qzq 1 heard?", "Tzq 2 thought.", "Azq 3 answer."
"""Texts that stand in no template."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a checkpoint thinks."""

    opening: str
    """What begins a thought after the prompt; empty where the prompt has begun it."""
    closing: str
    """What ends a thought, up to where the answer begins."""
    ends: str
    """Of the closing, what a model writes first to end its thought."""
    by_itself: bool
    """Whether it thinks before it answers where it is not told to."""
    shut: bool = False
    """Whether the prompt itself ends with a closed thought, so that none can follow."""


def check_way(way: Any) -> None:
    """UsageError if it is none of WAYS."""
    if way not in WAYS:
        raise UsageError(f"thinking is {way!r}; it can be: {', '.join(WAYS)}")


def set_thinking(reader: Any, way: str) -> None:
    """Switch a tokenizer's or processor's templates on or off; ``auto`` changes nothing.

    Raises:
        UsageError: no template has a switch, or the one it has changes nothing.
    """
    check_way(way)
    if way == "auto":
        return
    holders, whole = _holders(reader)
    found = [name for name in SWITCHES if any(_switches(template, name, way) for template in whole)]
    for name in found:
        if _differ(reader, holders, whole, name):
            _put(holders, [_with(template, name, SWITCHES[name][way == "off"]) for template in whole])
            return
    what = f"its prompt is the same whatever {' and '.join(found)} says" if found else (
        f"its chat template has no switch for that (known are: {', '.join(SWITCHES)})"
    )  # fmt: skip
    raise UsageError(f"thinking is {way!r}, but {what}; leave thinking out")


def _differ(reader: Any, holders: list[Any], whole: list[Any], name: str) -> bool:
    """Whether the prompt is another one with a switch on than with it off; the templates are as before after it."""
    written = []
    for value in SWITCHES[name]:
        _put(holders, [_with(template, name, value) for template in whole])
        written.append(_prompt(reader))
    _put(holders, whole)
    return written[0] != written[1]


def find_thinking(reader: Any, way: str = "auto") -> Thinking | None:
    """How the checkpoint thinks by its templates, which are set ``way``; None where they know of no thought."""
    tokenizer = getattr(reader, "tokenizer", reader)
    _, held = _holders(reader)
    templates = "\n".join(text for template in held for text in _texts(template))
    if not templates:
        return None
    words = set(getattr(tokenizer, "get_added_vocab", dict)())
    in_text = (marks for marks in MARKS if (marks.known_by or marks.closes) in templates)
    marks = next(in_text, None) or next((one for one in MARKS if {one.opens, one.closes} <= words), None)
    if marks is None:
        return None
    prompt = _prompt(reader)
    turn = prompt[prompt.rfind(QUESTION) + len(QUESTION) :]
    begun = not split_thought(turn[-END:]).closed
    between = _between(reader, prompt, marks, begun)
    if between is None:
        tags = marks.closes.startswith("</")
        opening, closing = (f"{marks.opens}\n", f"\n{marks.closes}\n\n") if tags else (marks.opens, marks.closes)
        between = ("" if begun else opening, closing)
    by_itself = way == "on" or (way == "auto" and (begun or marks.always or _switched_on(reader, prompt)))
    return Thinking(*between, ends=marks.ends or marks.closes, by_itself=by_itself, shut=marks.closes in turn)


def longest_reply(generation_config: Any) -> int:
    """Tokens of a reply, thought and answer, of a checkpoint that thinks: what it says itself, else LONGEST."""
    told = getattr(generation_config, "max_new_tokens", None)
    return told if isinstance(told, int) and told > 128 else LONGEST


def why_not(thinking: Thinking | None) -> str:
    """Why a checkpoint cannot be asked after a thought, in words."""
    if thinking is None:
        return "its chat template knows of no thought"
    return "its prompt ends with a closed thought; switch thinking on"


def _between(reader: Any, prompt: str, marks: Marks, begun: bool) -> tuple[str, str] | None:
    """What the template itself writes before and after a thought of the last turn; None where it writes none."""
    for field in ("reasoning_content", "thinking", "reasoning"):
        whole = _prompt(reader, {"role": "assistant", "content": ANSWER, field: THOUGHT})
        start, end = whole.find(THOUGHT), whole.rfind(ANSWER)
        closing = whole[start + len(THOUGHT) : end]
        if not 0 <= start < end or marks.closes not in closing:
            continue
        if begun:
            return "", closing
        if whole.startswith(prompt):
            return whole[len(prompt) : start], closing
        place = whole.rfind(marks.opens, 0, start)
        return (whole[place:start], closing) if place >= 0 else None
    return None


def _switched_on(reader: Any, prompt: str) -> bool:
    """Whether the template has a switch, and writes the prompt otherwise than with it off."""
    holders, whole = _holders(reader)
    for name in SWITCHES:
        if any(_switches(template, name, "off") for template in whole):
            _put(holders, [_with(template, name, SWITCHES[name][1]) for template in whole])
            off = _prompt(reader)
            _put(holders, whole)
            if prompt != off:
                return True
    return False


def _holders(reader: Any) -> tuple[list[Any], list[Any]]:
    """What has a template (a processor may have one, and its tokenizer another), and these templates."""
    both = dict.fromkeys((reader, getattr(reader, "tokenizer", reader)))
    holders = [one for one in both if getattr(one, "chat_template", None)]
    return holders, [one.chat_template for one in holders]


def _prompt(reader: Any, *more: Mapping[str, Any]) -> str:
    """A question by the template; with the model's own turn after it. Empty where it cannot be written so."""
    write: Callable[..., str] = reader.apply_chat_template
    for content in (QUESTION, [{"type": "text", "text": QUESTION}]):
        turns: list[Any] = [{"role": "user", "content": content}]
        for turn in more:
            told = dict(turn)
            if not isinstance(content, str):
                told["content"] = [{"type": "text", "text": turn["content"]}]
            turns.append(told)
        try:
            with time_bound(SECONDS, "its chat template takes too long"):
                text = write(turns, tokenize=False, add_generation_prompt=not more)
        except TooSlow:
            raise
        except Exception:  # a template is a program of somebody's: it may fail in any way on a turn it does not know
            continue
        if QUESTION in text:
            return str(text)
    return ""


def _put(holders: list[Any], templates: list[Any]) -> None:
    for one, template in zip(holders, templates, strict=True):
        one.chat_template = template


def _with(template: Any, name: str, value: str) -> Any:
    if isinstance(template, dict):
        return {key: _with(text, name, value) for key, text in template.items()}
    return f"{{%- set {name} = {value} -%}}{template}" if _mentions(template, name) else template


def _switches(template: Any, name: str, way: str) -> bool:
    """Whether a template reads a variable, and knows that value of it."""
    if name == "reasoning_effort" and way == "off":  # others write whatever it says as a level of effort
        return _mentions(template, name) and any(NONE.search(text) for text in _texts(template))
    return _mentions(template, name)


def _mentions(template: Any, name: str) -> bool:
    found = re.compile(rf"(?<![\w.'\"\]]){name}(?![\w'\"])")
    return any(found.search(block) for text in _texts(template) for block in BLOCK.findall(text))


def _texts(template: Any) -> list[str]:
    if isinstance(template, dict):
        return [text for text in template.values() if isinstance(text, str)]
    return [template] if isinstance(template, str) else []
