"""Tags: what a model puts into ``<answer>``, into a box or into JSON is taken out; run-ons are cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ANSWER = re.compile(r"(?:<\|?|\[)\s{0,3}(/?)\s{0,3}answer\s{0,3}(?:\|?>|\])", re.IGNORECASE)
_OTHER = re.compile(
    r"<\s?(/?)\s?(?:final[_ -]?answer|response|output|solution|result|conclusion|ans|choice|prediction|final|option"
    r"|verdict)\s?>"
    r"|<\|(begin|start|end)_(?:of_)?(?:box|answer|solution|response)\|>",
    re.IGNORECASE,
)
_ENDING = re.compile(r"<([A-Za-z][\w '-]{0,60})>\s{0,3}([^<>\s][^<>]{0,200}?)\s{0,3}</\1>\s{0,9}\Z", re.IGNORECASE)
_BOX = re.compile(r"\\(?:f?boxed|fbox) ?\{")
_JSON_KEYS = [
    "final_answer",
    "finalanswer",
    "final",
    "answer",
    "correct_answer",
    "correct_option",
    "correct_choice",
    "selected_option",
    "selected",
    "answer_choice",
    "chosen_option",
    "choice",
    "option",
    "answer_letter",
    "letter",
    "prediction",
    "pred",
    "response",
    "result",
    "output",
    "label",
    "ans",
    "答案",
    "respuesta",
    "antwort",
]
_OBJECT = re.compile(r"\{[^{}]{1,4000}\}")
_SHOWN = re.compile(
    r"(?:\b(?:format|template|example|e\.g|i\.e|for instance|such as|placeholder|instruct\w*|(?:say|said|write"
    r"|wrote|written|type"
    r"|respond|reply|output|wrap\w*|tags?)(?: \w+){0,2} (?:as|like|with|in|using)|looks? like|unless|assuming"
    r"|suppos(?:e|ing)"
    r"|imagine|if (?!i (?:had|have|must)|forced|pressed|you ask)|were it|had (?:i|it))\b)[^.!?;\n]{0,100}\Z"
)
_FENCE = re.compile(r"```(?:json)?|~~~")
_LAST = 8
_TURN = re.compile(
    r"<\|im_end\|>|<\|im_start\|>|<\|eot_id\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|eom_id\|>|<\|end_of_turn\|>"
    r"|<end_of_turn>|<start_of_turn>|<turn\|>"
    r"|<\|turn>|</s>|<eos>|<\|(?:user|system|assistant|human|observation)\|>|<\|start_header_id\|>|\[/?INST\]"
    r"|<\|return\|>|<\|end\|>"
    r"|\n\s{0,4}(?:[#*]{1,6} ?)?(?:(?:next |new |another )?(?:question|problem|query|exercise|task)(?: ?\d{1,4}"
    r"| ?#\d{1,4})?|q ?\d{0,3}|user|human|instruction|input"
    r"|system|assistant|student|用户|使用者|ユーザー|사용자|usuario|usuário|utilisateur|benutzer|nutzer|utente"
    r"|пользователь|问题|問題|질문|pregunta|frage|pergunta|domanda|вопрос)(?:\*\*)?\s?[:：.](?:\*\*)?"
    r"|\n\s{0,4}(?:[#*]{1,6} ?)(?:next |new )?(?:question|problem|instruction|user|human|input|exercise)\b"
    r"|\n(?:user|human|system)\n",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\s*(?:(?:<\|im_start\|>|<start_of_turn>|<\|start_header_id\|>|<\|turn>)\s?(?:assistant"
    r"|model)(?:<\|end_header_id\|>)?|<\|(?:assistant|bot|start)\|>(?:assistant)?"
    r"|<s>|(?:assistant|model|bot)\s?:?\n|(?:AI|Assistant|Model|Bot)\s?:)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A reply taken apart. Contents are None where there is no such tag."""

    prose: str
    """All of it, the answer tags themselves removed."""
    complete: tuple[str, ...]
    """Contents of the last ``<answer>…</answer>``, box or JSON object; several where they are joined by "or"."""
    unclosed: str | None
    """Content of a last ``<answer>`` that was never closed, as in a reply cut off at the token limit."""
    after: str = ""
    """What follows the last complete tag."""
    shown: bool = False
    """The tag is shown as an example, or under a condition; it is no answer."""


def one_turn(said: str) -> str:
    """The reply up to where it runs on into another question or turn."""
    start = opening.end() if (opening := _OPENING.match(said)) else 0
    for turn in _TURN.finditer(said, start):
        if said[start : turn.start()].strip(" \n\t*#"):
            return said[start : turn.start()]
        if turn[0].startswith(("<", "[")):
            start = turn.end()
    return said[start:]


def take_apart(said: str) -> Tagged:
    """Separate what was said into prose and answers that are marked as such; the last of them counts."""
    found = _tagged(said, _ANSWER)
    if not found.complete and found.unclosed is None:
        found = _boxed(said) or _other(said) or _json(said) or found
    return found


def _tagged(said: str, form: re.Pattern[str]) -> Tagged:
    opened: int | None = None
    spans: list[tuple[int, int, int, int]] = []  # of the tag, and of its content
    first = 0
    for tag in form.finditer(said):
        if not _closes(tag):
            if opened is None or said[opened : tag.start()].strip():
                first = tag.start()
            opened = tag.end()
        elif opened is not None:
            spans = [*spans[-_LAST:], (first, tag.end(), opened, tag.start())]
            opened = None
    unclosed = said[opened:] if opened is not None else None
    if not spans:
        return Tagged(form.sub("\n", said), (), unclosed)
    joined = [spans[-1]]
    for span in reversed(spans[:-1]):
        if not _is_joined(said[span[1] : joined[-1][0]]):
            break
        joined.append(span)
    return Tagged(
        form.sub("\n", said),
        tuple(said[s[2] : s[3]] for s in joined),
        unclosed,
        said[spans[-1][1] :],
        _is_shown(said[: joined[-1][0]]),
    )


def named_after_option(said: str) -> tuple[str, str] | None:
    """Name and content of a tag at the end of a reply, where a model may have put an option's name for "answer"."""
    found = _ENDING.search(said[-600:]) if said.rstrip().endswith(">") else None
    return (found[1], found[2]) if found else None


def _closes(tag: re.Match[str]) -> bool:
    return bool(tag[1]) or (tag.re.groups > 1 and (tag[2] or "").lower() == "end")


def _other(said: str) -> Tagged | None:
    found = _tagged(said, _OTHER)
    return found if any(c.strip() for c in found.complete) else None


def _boxed(said: str) -> Tagged | None:
    r"""The last ``\boxed{…}``, its braces balanced."""
    if "box" not in said:
        return None
    boxes = [m.end() for m in _BOX.finditer(said)]
    if not boxes:
        return None
    last = boxes[-1]
    end = _closing(said, last)
    if end is None:
        return Tagged(said, (), said[last:])
    contents = [said[last:end]]
    for first in reversed(boxes[-_LAST:-1]):
        before = _closing(said, first)
        if before is None or not _is_joined(_BOX.sub("", said[before + 1 : last]).strip("$\\() ")):
            break
        contents.append(said[first:before])
        last = first
    return Tagged(said, tuple(contents), None, said[end + 1 :], _is_shown(said[:last]))


def _closing(said: str, first: int) -> int | None:
    """Where the brace closes that was opened before ``first``."""
    depth = 1
    for place in range(first, min(len(said), first + 2000)):
        depth += {"{": 1, "}": -1}.get(said[place], 0)
        if depth == 0:
            return place
    return None


def _is_shown(before: str) -> bool:
    """Whether a tag is shown rather than used, by what stands before it in its sentence."""
    return bool(_SHOWN.search(before[-160:].lower()))


def _is_joined(between: str) -> bool:
    """Whether answers with ``between`` between them are named side by side."""
    words = between.strip(" \n,;.").lower()
    return words in (
        "",
        "or",
        "and",
        "and/or",
        "/",
        "|",
        "+",
        "&",
        "or maybe",
        "or perhaps",
        "also",
        "as well as",
        "plus",
    )


def _json(said: str) -> Tagged | None:
    """The answer of a reply that is a JSON object, or ends in one."""
    if "{" not in said or ":" not in said:
        return None
    bare = _FENCE.sub("", said).strip()
    candidates = [(bare, "")] if bare.startswith("{") and bare.endswith("}") else []
    objects = list(_OBJECT.finditer(said))[-_LAST:]
    if len(objects) > 1 and _is_joined(_FENCE.sub("", said[objects[-2].end() : objects[-1].start()])):
        both = [_json(found[0]) for found in objects[-2:]]
        if all(both):
            return Tagged(said, tuple(c for one in both if one for c in one.complete), None, said[objects[-1].end() :])
    candidates += [(found[0], said[found.end() :]) for found in objects[-1:]]
    for text, after in candidates:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, Mapping) and (answers := _answers(value)):
            return Tagged(said, answers, None, after)
    return None


def _answers(value: Mapping[str, Any]) -> tuple[str, ...]:
    """What the object gives as its answer; empty if no key says so, or several do and differ."""
    named = {str(key).strip().lower().replace(" ", "_"): cell for key, cell in value.items()}
    cells = [named[key] for key in ("answer", *_JSON_KEYS) if key in named]
    flat = [one for cell in cells for one in (cell if isinstance(cell, list) else [cell])]
    texts = tuple(
        dict.fromkeys(str(one) for one in flat if isinstance(one, str | int | float) and not isinstance(one, bool))
    )
    return texts if len(flat) and not any(isinstance(one, Mapping | list | bool) for one in flat) else ()
