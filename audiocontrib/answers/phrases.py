"""Phrases: the words around an option that choose it, rule it out, or name it beside another.

Every repetition is bounded, so that no reply takes more than linear time.
"""

from __future__ import annotations

import re
from typing import Final


def any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern for one of the alternatives, whatever the case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


DECISIVE: Final = any_of(
    r"\b(?:answer|option|choice|pick|selection|conclusion|verdict|guess|(?:correct|right|best) (?:one|match))"
    r"(?: here| (?:to|for) (?:this|the) question)?"
    r"(?: (?:is|was|(?:would|should|must|will|has to|appears to|seems to) be)\b"
    r"|'s\b|[\"']? ?(?:[:=→]|->)| [-–—] )",
    r"\b(?:i|we)(?:'d|'ll| would| will| shall| must| am going to)?(?: have to)?"
    r" (?:choose|chose|pick|picked|select|selected|go with|answer|opt for|conclude|settle on|guess|say)\b",
    r"\bi(?:'m| am) going with\b",
    r"\b(?:so|therefore|thus|hence|consequently|finally|in conclusion|ultimately),?"
    r" (?:it|this|that|the \w{1,20})(?:'s| is| was| (?:must|should|has to) be)\b",
    r"答案(?:是|为|為|應該是|应该是|应为|选|選)|答案? ?:|正确(?:选项|答案)?[是为]|[选選](?:择|擇|(?![项項]))",
    r"答え ?[は:]|정답(?:은| ?:)",
)
"""Followed by an option, it chooses that one among all that are mentioned."""

DECISIVE_AFTER: Final = any_of(
    r"[ \"')\]}*]{0,4}(?:is|are|was|would be|seems|must be|looks)"
    r"(?: (?:clearly|definitely|probably|therefore))?"
    r"(?: (?:the |my |a )?"
    r"(?:most (?:likely|plausible|appropriate|suitable|fitting)|correct|right|best|final|likeliest)"
    r"|(?: the| my) (?:answer|choice|option|pick))\b",
    r" ?(?:是|为)(?:正确|对)",
)
"""The same, following an option."""

LEANING: Final = any_of(
    r"\b(?:it|this|that)(?:'s| is| was| (?:must|should|has to) be)\b|\bmust be\b",
    r"\b(?:sounds? like|seems (?:to be|like)|appears to be)\b",
    r"\bi (?:(?:can |do )?hear|think|believe|suspect|assume)\b",
    r"\b(?:maybe|perhaps|probably|most likely|likely|definitely|clearly|certainly|best guess)\b",
)
"""Before an option: commits to it, but decides nothing between several."""

FILLER: Final = re.compile(
    r"(?:[\s\"'(\[{*:,]|(?:(?i:that|the|option|choice|answer|letter|it|it's|is|be|to|indeed|actually|probably|most|likely"
    r"|definitely|clearly|simply|therefore|with|for|of)|a|an)\b){0,16}"
)
"""What may stand between a phrase and its option. ``A`` in upper case may be the option itself."""

CLAUSE_END: Final = any_of(
    r"[!?;\n。、—]|[.,](?!\d)",
    r" [-–] ",
    r"\b(?:but|so|however|therefore|hence|thus|because|although|though|yet|while)\b",
    r"但|所以|因此",
)

NEGATION: Final = any_of(
    r"\bnot(?! only)\b",
    r"\bno(?! doubt| question)\b",
    r"\bwithout(?! (?:a |any )?doubt| (?:the |any )?(?:audio|sound)| (?:hearing|listening|access|being))\b",
    r"\bif(?! i\b| we\b| forced| pressed)\b",
    r"\b(?:never|neither|nor|cannot|\w{2,8}n't|none of|nothing|whether)\b",
    r"\b(?:unsure|uncertain|unable|unclear|wrong|incorrect)\b",
    r"\b(?:rather than|instead of|except|than|unlike|excluding|versus|as opposed to|different from)\b",
    r"\bcompared (?:to|with)\b",
    r"\b(?:(?:rul|exclud|eliminat|reject|dismiss)(?:e|es|ed|ing)|absence of|lack(?:s|ing)?)\b",
    r"不|没|沒|无|無|非",
)
"""Before an option in the same clause: the clause does not assert it."""

NEGATED_AFTER: Final = any_of(
    r"[ \"')\]}*]{0,4}(?:is|are|was|were|does|do|did|can|could|would|should|seems?|sounds?|has|have)"
    r"(?: (?:also|clearly|definitely|probably|very|most|be|been|a|an|the|all|both)){0,3}"
    r" (?:not|wrong|incorrect|absent|unlikely|impossible|(?:ruled|left) out|excluded|eliminated|missing|false"
    r"|less likely|improbable|no|never)\b",
    r"[ \"')\]}*]{0,4}(?:(?:is|are|was|were|does|do|did|ca|could|would|should|wo)n't|cannot)\b",
    r" ?[-:(] ?(?:no|wrong|incorrect|false)(?= ?(?:[.,;)\n]|\Z))",
    r" ?(?:[✗✘❌]|不|是错|错)",
)

ENUMERATION: Final = re.compile(
    r"[\s,/&\"'()\[\]、]{0,6}(?:(?:\b(?i:or|and|nor|vs|the|an?|option|either)\b|或者?|和|还是)[\s,/&\"'()\[\]]{0,4}){0,4}"
)
"""Between two options: they are named side by side, and share one fate."""
