"""Denials: words by which a clause denies the option that it names. Folded text, options as marks."""

from __future__ import annotations

import re
from typing import Final

NEGATION: Final = re.compile(
    r"\bnot(?! only)\b|\bno(?! doubt| question)\b|\b(?:never|neither|nor|cannot|\w{2,8}n't|none of|nothing|nobody"
    r"|no one)\b"
    r"|\bwithout(?! (?:a |any )?doubt| (?:the |any )?(?:audio|sound)| (?:hearing|listening|access|being))\b"
    r"|\b(?:wrong|incorrect|false|unlikely|improbable|implausible|impossible"
    r"|(?<!no )(?<!without )(?<!without a )(?<!without any )doubt\w*|hardly|barely|scarcely|least|less|far from"
    r"|anything but|all but|everything but|except|excluding|rather than|instead of|unlike|as opposed to|opposed to"
    r"|different from"
    r"|other than|contrary to|compared (?:to|with)|absence of|lack\w*|fail\w*|mistak\w*|confus\w*|distract\w*|decoy"
    r"|red herring"
    r"|rul(?:e|es|ed|ing) out|(?:exclud|eliminat|reject|dismiss|discard|discount|den)(?:e|es|ed|ing|y|ies|ied|s)?"
    r"|worst|avoid\w*|than|versus|out of the question|incompatible)\b"
    r"|不|没|沒|无|無|非|错|ない|ありません|違|誤|間違|아니|아닙|않|틀"
    r"|\b(?:ne|pas|aucun|non|nicht|kein\w*|falsch\w*|não|nunca|jamais|sbagliat\w*|incorrect[ao]s?|incorrett[ao]"
    r"|fausse?|не|нет|неверн\w*)\b"
)
"""In the clause of an option, before it: the clause denies it."""

DENIED_AFTER: Final = re.compile(
    r"[ \"')\]}*.:]{0,4}(?:(?:option|choice|answer|one) )?(?:is|are|was|were|does|do|did|can|could|would|should"
    r"|seems?|sounds?|has"
    r"|have|looks?|feels?|must|can be|could be|may be|might be|gets?|appears?(?: to be)?)"
    r"(?: (?:also|clearly|definitely|probably|very|most|be|been|a|an|the|all|both|just|only|simply|highly|quite"
    r"|rather|too"
    r"|merely|obviously|therefore|to be|extremely|my|being)){0,4}"
    r" (?:not|wrong|incorrect|absent|unlikely|impossible|improbable|implausible|(?:ruled|left) out|excluded"
    r"|eliminated|missing"
    r"|false|less|least|no|never|hardly|barely|scarcely|distract\w*|decoys?|traps?|red herring|mistaken?|lures?|far"
    r"|doubtful"
    r"|doubted|out|rejected|dismissed|discarded|inconsistent|incompatible|contradicted|nowhere|worst|weakest|last"
    r"|an? \w+ error"
    r"|questionable|unconvincing|unsupported|ridiculous|nonsense|mislead\w*|tempting|too|weak|poor|bad|irrelevant"
    r"|invalid)\b"
    r"|[ \"')\]}*]{0,4}being (?:\w+ )?(?:not|wrong|incorrect|less|unlikely|impossible|implausible|improbable"
    r"|ruled|excluded|absent|out)\b"
    r"|[ \"')\]}*]{0,4}(?:(?:is|are|was|were|does|do|did|ca|could|would|should|wo|has|have)n't|cannot|fails?|lacks?"
    r"|contradicts)\b"
    r"|[ .]?\s?[-–—:(=?|]{1,2} ?(?:no|not|wrong|incorrect|false|unlikely|implausible|impossible|(?:ruled|left"
    r"|crossed) out|rejected|eliminated|excluded|dismissed|discarded)\b|[.]? (?:no|wrong|incorrect"
    r"|false)(?= ?(?:[.,;)\n]|\Z))"
    r"|[\s:.–—(-]{0,3}(?:[✗✘❌✖×🚫]|不|是错|错|ではな|ではあり|じゃな|じゃあり|でない|は違|は間違"
    r"|[은는이가] ?(?:아니|아닙|틀))"
    r"|[ \"')\]}*]{0,4}(?:no es|n'est pas|ist nicht|ist falsch|não é|non è|не)\b"
)
"""After an option: it is denied."""
