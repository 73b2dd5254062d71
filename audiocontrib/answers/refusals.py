"""Refusals: replies that say they cannot or will not answer."""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.text import fold

_DO = (
    "hear|listen|access|process|play|determine|identify|tell|answer|say|provide|analy[sz]e|detect|perceive|assist|help"
    "|know|make|choose|select|decide|find|recogni[sz]e|open|receive|verify|infer|give|respond|confirm|discern"
    "|distinguish|assess|evaluate|comment|complete|pick"
    "|be (?:determined|identified|answered|heard|inferred|known|ascertained|discerned)"
)
_CLIP = "(?:audio|sound|recording|clip|file|attachment|input)"
_GIVEN = "(?:provided|given|attached|available|present|included|found|detected|audible|uploaded|supplied)"


def _any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern for one of the alternatives, on folded text."""
    return re.compile("|".join(alternatives))


REFUSAL: Final = _any_of(
    r"\b(?:cannot|can't|can not|couldn't|could not|incapable of"
    r"|(?:unable|not able|not possible|impossible|hard|difficult) to)"
    rf"(?: \w{{1,20}}){{0,2}} (?:{_DO})\b",
    r"\bno (?:audio|recording|attachment|audible)\b",
    rf"\bno (?:\w{{1,20}} ){{0,2}}{_CLIP}(?: \w{{1,20}}){{0,2}} {_GIVEN}\b",
    rf"\bthere(?:'s| is| was) no {_CLIP}\b(?! of\b)",
    rf"\bthere (?:isn't|is not|wasn't|was not) (?:an? |any )?(?:\w{{1,20}} )?{_CLIP}\b(?! of\b)",
    rf"\b{_CLIP}(?: \w{{1,20}}){{0,2}} (?:is|was|seems|appears)(?: to be)?(?: completely| entirely)?"
    r" (?:silent|empty|missing|blank|unavailable|inaudible|corrupted)\b",
    rf"\b{_CLIP}(?: \w{{1,20}}){{0,2}} (?:isn't|is not|wasn't|was not|has not been|hasn't been) {_GIVEN}\b",
    r"\bi(?:'m| am)(?: \w{1,20})? sorry\b(?! for the confusion)",
    r"\Asorry\b|\bsorry,? (?:but|i)\b|\bi apologi[sz]e\b",
    r"\b(?:i|we) (?:do not|don't|did not|didn't)(?: \w{1,20})?"
    r" (?:know|hear (?:any|anything|an|the)|have (?:enough|any|the|access|an|sufficient))\b",
    r"\b(?:not enough|insufficient|no) (?:information|context|data|evidence)\b",
    r"\b(?:not sure|unsure|uncertain|unclear (?:what|which|whether|if|from)|(?:it is|it's) unclear)\b",
    r"\bas an? (?:ai|text-based|text-only|language)(?: \w{1,20}){0,2} (?:model|assistant)\b",
    r"\bplease (?:provide|upload|share|attach|send|re-?upload)\b",
    r"\bif (?:i|we) (?:could|can|were able to|was able to|had (?:access|the audio|heard|been able)"
    r"|am able to) ?(?:actually )?"
    r"(?:hear|listen|access|play|process|to|the|it)?\b",
    "无法|無法|不能(?:听|判断|确定|回答)|没有?(?:听到|提供|收到|检测到|音频|声音)|沒有?(?:聽到|提供|收到|音頻|聲音)",
    "听不[到清见]|聽不[到清見]|未(?:提供|听到|收到|检测到)|抱歉|对不起|對不起|不知道|不确定|不確定",
)

_SIGNS = [
    "can",
    "not",
    "n't",
    "no",
    "able",
    "possib",
    "hard",
    "difficult",
    "silent",
    "empty",
    "missing",
    "blank",
    "unavailable",
    "corrupted",
    "inaudible",
    "sorry",
    "apolog",
    "insufficient",
    "unsure",
    "uncertain",
    "unclear",
    "as",
    "please",
    "if",
    "无",
    "無",
    "不",
    "没",
    "沒",
    "听",
    "聽",
    "未",
    "抱歉",
    "对不起",
    "對不起",
]
"""One of these is in every refusal; to look for them first is quicker."""


def find_refusals(text: str) -> list[tuple[int, int]]:
    """Places of clean ``text`` that refuse."""
    folded = fold(text)
    return [m.span() for m in REFUSAL.finditer(folded)] if any(sign in folded for sign in _SIGNS) else []
