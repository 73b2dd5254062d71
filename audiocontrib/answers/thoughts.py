"""Thoughts: what a model thinks aloud, parted from what it says.

Markers are known by their names in whatever brackets they come, and by the channels of two families; beyond
that, any pair of markers around a beginning of the reply holds a thought, unless its name is that of an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = (
    r"(?:\w{1,12}:)?(?:[a-z]{1,12}[_ -])?(?:think(?:ing)?|思考|思维|생각|考え|thoughts?|reason(?:ing|s)?"
    r"|analysis|analy[sz]e"
    r"|reflect(?:ion|ing)?|scratch[_ ]?pad"
    r"|plan(?:ning)?|rationale|cot|chain[_ -]of[_ -]thoughts?|deliberat(?:e|ion)|monologue|inner[_ ](?:monologue"
    r"|prefix)|internal|introspection"
    r"|brainstorm(?:ing)?|consider(?:ation)?|work(?:ings?)?|draft|notes|self[_ -]?(?:check|reflection|critique)"
    r"|critique|verification|assistant_thought)"
)
_MARKER = re.compile(
    rf"(?:<\|?|\[|◁|⟨|〈|《"
    rf"|\{{\{{)\s?(?P<close>/?)\s?(?P<word>(?:(?:begin|start|end|eo|bo|close|open)(?:[_ -]of)?[_ -])?){_NAME}"
    r"(?P<tail>[_ -](?:start|begin|end|block|process|step))?(?:\s(?!>)[^<>\[\]\n]{0,40})?\s?(?P<self>/?)\s?(?:\|?>"
    r"|\]|▷|⟩|〉|》|\}\})",
    re.IGNORECASE,
)
_CHANNEL = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>\s?(?P<name>\w+)[^<\n]{0,60}?<\|message\|>|<\|channel>\s?(?P<gemma>\w+)"
    r"|(?P<ends><channel\|>)"
)
_MESSAGE_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_DETAILS = re.compile(r"<details[^>]{0,60}reason[^>]{0,60}>.*?</details>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(
    r"(?:\A|\n)(?P<fence>```|~~~) ?(?:think(?:ing)?|thoughts?|reasoning|analysis|scratchpad)\b[^\n]{0,40}\n",
    re.IGNORECASE,
)
_OLLAMA = re.compile(r"\A\s*Thinking\.\.\.\n(?P<thought>.*?)(?:\n\.\.\. ?done thinking\.?|\Z)", re.DOTALL)
_GRANITE = re.compile(
    r"\A\s*(?:#+ |\*\*)?Here is my thought process:?(?P<thought>.*?)(?:(?:#+ |\*\*)?Here is my response:?|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_STRIPPED = re.compile(r"\A\s*analysis(?=[A-Z])(?P<thought>.*?)(?:assistant ?final\s?|\Z)", re.DOTALL)
"""The channels of Harmony, their marks taken off."""
_SPELT = (
    (re.compile(r"<(?:unused|ctrl)94>(?:thought\n)?"), "<think>"),
    (re.compile(r"<(?:unused|ctrl)95>"), "</think>"),
    (re.compile(r"<\|im_start\|>\s?(?:think(?:ing)?|thought|analysis|reasoning)\b"), "<think>"),
    (re.compile(r"(?:<\|im_end\|>\s{0,4})?<\|im_start\|>\s?(?:answer|final|response)\b"), "</think>"),
    (re.compile(r"&lt;(/?\s?\w{1,30}\s?/?)&gt;"), r"<\1>"),
)
"""Markers that some families spell in their own way."""
_HEADED = re.compile(
    r"(?:\A|\n)[ \t]{0,3}(?:#{1,6} ?|\*\*|【|\[)(?:(?P<sure>thinking|thoughts?|思考|思维)|reasoning|analysis"
    r"|分析|推理|解析)"
    r"(?: ?process|过程|過程)?(?:\*\*|】|\]|:|：)*[ \t]*(?:\n|(?<=】))",
    re.IGNORECASE,
)
_HEADS_ANSWER = re.compile(
    r"(?:\n[ \t]{0,3}(?:#{1,6} ?|\*\*)|【|\n\[)(?P<name>/?(?:(?:the |my )?(?:final |correct )?(?:answer|response"
    r"|output"
    r"|conclusion|solution|reply)|(?:最终|最終|正确|正確)?(?:答案|回答|结论|結論)|思考|分析|推理|解析)(?:过程"
    r"|過程)?)(?P<shut>\*\*|】|\]|:|："
    r"|[ \t])*",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?:<|\[)(?P<slash>/?)(?P<name>[A-Za-z][\w-]{2,30})(?:[ _]\d{1,3})?(?:>|\])")
ANSWERS = frozenset(
    [
        "answer",
        "answers",
        "final",
        "finalanswer",
        "final_answer",
        "final-answer",
        "response",
        "output",
        "solution",
        "result",
        "conclusion",
        "choice",
        "option",
        "prediction",
        "reply",
        "say",
        "speak",
        "speech",
        "verdict",
        "summary",
        "label",
        "box",
        "boxed",
        "assistant",
    ]
)
"""Names of markers around what is said."""
_PLAIN = frozenset(
    [
        "sub",
        "sup",
        "span",
        "div",
        "pre",
        "code",
        "strong",
        "small",
        "blockquote",
        "html",
        "body",
        "table",
        "quote",
        "inst",
        "sys",
        "bold",
        "para",
    ]
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply in its two parts."""

    thought: str | None
    """What was thought aloud, without markers; None: nothing was."""
    said: str
    """The reply proper, its answer tags kept."""
    closed: bool = True
    """Whether the thought ended; if it did not, the reply holds no answer."""


def split_thought(reply: str) -> Spoken:
    """Part a reply into thought and answer, by the markers in it.

    A thought that never closes takes all that follows it with it. Where the template opened the thought in the
    prompt, so that only its end is in the reply, all before that end was thought.
    """
    thoughts: list[str] = []
    text = reply
    if "|" in text and "channel" in text:
        text, closed = _channels(text, thoughts)
        if not closed:
            return Spoken(_joined(thoughts), text, closed=False)
    if "<" in text or "&lt;" in text:
        for spelling, marker in _SPELT:
            text = spelling.sub(marker, text)
    for form in (_OLLAMA, _GRANITE, _STRIPPED):
        if found := form.match(text):
            thoughts.append(found["thought"])
            text = text[found.end() :]
            if not text.strip():
                return Spoken(_joined(thoughts), "", closed=False)
    if "<details" in text.lower():
        thoughts += _DETAILS.findall(text)
        text = _DETAILS.sub("\n", text)
    text, closed = _fences(text, thoughts)
    if closed:
        text, closed = _headed(text, thoughts)
    if closed:
        text, closed = _named(text, thoughts)
    if closed:
        text, closed = _paired(text, thoughts)
    return Spoken(_joined(thoughts), text.strip() if thoughts else text, closed)


def _joined(thoughts: list[str]) -> str | None:
    return "\n".join(t.strip() for t in thoughts if t.strip()) or None if thoughts else None


def _channels(text: str, thoughts: list[str]) -> tuple[str, bool]:
    """Harmony's and Gemma's channels: what is in ``final`` or in none is said, all else is thought."""
    kept: list[str] = []
    position, channel = 0, ""
    ended = True

    def put(part: str) -> None:
        nonlocal ended
        if channel in ("", "final", "response", "answer"):
            kept.append(part)
            return
        over = _MESSAGE_END.search(part)
        thoughts.append(part[: over.start()] if over else part)
        if over:
            kept.append(part[over.end() :])
        ended = over is not None

    for mark in _CHANNEL.finditer(text):
        put(text[position : mark.start()])
        position = mark.end()
        if mark["ends"]:
            channel, ended = "", True
        else:
            channel = (mark["name"] or mark["gemma"]).lower()
            ended = channel == "final"
    put(text[position:])
    spoken = "\n".join(kept)
    return spoken, channel in ("", "final", "response", "answer") or (ended and bool(spoken.strip()))


def _fences(text: str, thoughts: list[str]) -> tuple[str, bool]:
    """Code blocks that are called thinking."""
    kept: list[str] = []
    position = 0
    for mark in _FENCE.finditer(text):
        if mark.start() < position:
            continue
        kept.append(text[position : mark.start()])
        end = text.find("\n" + mark["fence"], mark.end() - 1)
        if end < 0:
            thoughts.append(text[mark.end() :])
            return "\n".join(kept), False
        thoughts.append(text[mark.end() : end])
        position = end + 4
    return "\n".join([*kept, text[position:]]), True


def _headed(text: str, thoughts: list[str]) -> tuple[str, bool]:
    """What stands under a heading such as "Thinking", up to the heading of the answer."""
    opening = _HEADED.search(text)
    if opening is None:
        return text, True
    ending = _HEADS_ANSWER.search(text, opening.end())
    if ending is None:
        if not opening["sure"]:
            return text, True  # the answer may stand at the end of an analysis
        thoughts.append(text[opening.end() :])
        return text[: opening.start()], False
    thoughts.append(text[opening.end() : ending.start()])
    named = ending["name"][0] == "/" or ending["name"] in ("思考", "分析", "推理", "解析")
    return text[: opening.start()] + "\n" + ("" if named else "Answer: ") + text[ending.end() :].lstrip(), True


def _named(text: str, thoughts: list[str]) -> tuple[str, bool]:
    """Blocks between markers with the name of a thought."""
    kept: list[str] = []
    position = depth = 0
    closed_at: int | None = None
    for mark in _MARKER.finditer(text):
        if mark["self"]:
            continue
        word = (mark["word"] + (mark["tail"] or "")).lower()
        if not (mark["close"] or "end" in word or word.startswith(("eo", "close"))):
            if depth == 0:
                kept.append(text[position : mark.start()])
                position, closed_at = mark.end(), None
            depth += 1
        elif depth == 0:
            thoughts.extend(kept)
            thoughts.append(text[position : mark.start()])
            kept, position = [], mark.end()
        else:
            depth, closed_at = depth - 1, mark.end()
            if depth == 0:
                thoughts.append(text[position : mark.start()])
                position = mark.end()
    if depth and closed_at is None:
        thoughts.append(text[position:])
        return "\n".join(kept), False
    if depth and closed_at is not None:  # opened twice but closed once: it ends where it was closed
        thoughts.append(text[position:closed_at])
        position = closed_at
    return "\n".join([*kept, text[position:]]), True


def _paired(text: str, thoughts: list[str]) -> tuple[str, bool]:
    """Blocks between a pair of markers of any other name, at the beginning of what is left."""
    while (opening := _PAIR.match(text.lstrip())) and not opening["slash"]:
        name, body = opening["name"].lower(), text.lstrip()
        if name in ANSWERS or name in _PLAIN:
            break
        end = next((m for m in _PAIR.finditer(body, opening.end()) if m["slash"] and m["name"].lower() == name), None)
        if end is None:
            break
        rest = body[end.end() :]
        if not rest.strip():
            break  # nothing stands beside it: it is what was said
        thoughts.append(body[opening.end() : end.start()])
        text = rest
    return text, True
