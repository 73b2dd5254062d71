"""Sequels: whether all that follows an answer leaves it as it is. On folded text with marks."""

from __future__ import annotations

import re

from audiocontrib.answers.clauses import Clauses
from audiocontrib.answers.forms import elsewhere
from audiocontrib.answers.forms import following as known
from audiocontrib.answers.forms.after import DECIDED_AFTER
from audiocontrib.answers.forms.upsets import UPSET
from audiocontrib.answers.words import MARK

_CLOSING = re.compile(r"</[\w\ue000-\ue003-]{1,24}>|[^\w\ue000-\ue003]{1,40}\Z|\A[^\w\ue000-\ue003]{1,40}")
_INSTEAD_OF = re.compile(
    r",?\s?(?:and |but )?(?:not|rather than|instead of|unlike|as opposed to|over|than|compared (?:to|with)|unlike|nor)"
    rf"[\s\"'(\[]{{1,4}}(?:(?:the|an?|option|in|to|sounds?|of)\s){{0,3}}[\"'(\[]{{0,3}}{MARK}"
)
_REST = re.compile(
    r"(?:\s(?:answer|choice|option|match|one|fit|pick|selection|description|candidate|guess"
    r"|solution))?(?:[,;:(–—\s-]{0,4}"
    r"(?:because|since|as(?! (?:if|well|for))|given|based|due|considering|judging|among|amongst|out of|from"
    r"|here|overall"
    r"|according to|compared|with|(?:of|to|for|in|by|on) (?:the|this|these|those|all|what|how|my|your|both|me"
    r"|describe|that)"
    r"|(?:that|which) (?:best |most closely |\w{2,12}ly )?(?:fits|matches|describes|aligns|corresponds|captures"
    r"|explains|applies"
    r"|suits|reflects|represents|answers|is heard|i (?:can )?hear|we (?:can )?hear)"
    r"|conveyed|expressed|heard|shown|associated|described|reflected|emotion\w*|instrument|source|sound"
    r"|not(?=\s\w)|rather than|instead of|over|than)\b.*|\W*)\Z"
)
"""After "X is the answer": to what it is the answer, and why."""
_ENGLISH = re.compile(r"\b(?:the|is|was|were|and|of|this|that|it|i|my|with|you|are|has|have|an|for|at|to)\b")
_NEVER = re.compile(r"\b(?:never|nobody|no one|nothing|not)\b")
_VERDICT = re.compile(r"\W*(?:incorrect|wrong|false|no)\W*")
_TURNED = re.compile(
    r"\b(?:no|not|never|none|nothing|would|should|could|might|may|i|we|you|they|makes?|poorly|badly|least|less"
    r"|worst?|worse|half|partly|partial\w*|almost|nearly|only|loosely|avoid|\w+n't)\b"
)
_TAIL = re.compile(
    r"[\s,(;:–—-]{0,4}(?:because|since|as(?! (?:if|for|well))|given|based on|due to|considering|judging"
    r"|thanks to|according to"
    r"|an? (?:\w+ )?(?:choice|pick|bet|match|fit|answer)|there (?:is|can be) no (?:doubt"
    r"|question)(?: about (?:it|this|that))?|(?:there|it|he|she|they|this|that) (?:is|are|was|were|does"
    r"|do)(?: not|n't)?\W*\Z"
    r"|of course|for sure|for certain|no doubt|without (?:a |any )?doubt|definitely|certainly|clearly|please"
    r"|(?:with )?(?:(?:my|very|high|full|medium|moderate|total|complete) ){0,2}(?:confidence|certainty|probability)"
    r"\b(?!\W{1,3}(?:0|low|none|zero)\b)|i (?:think|believe|guess"
    r"|would say|'d say)|in my (?:opinion|view|judge?ment)|to me|to my ears|hence|thus|so|i(?:'m"
    r"| am) (?:\w+ )?(?:sure|certain"
    r"|confident)|option|letter|choice|answer|which (?:is|was|are)? ?(?:\w{2,12}ly |most )?(?:evident|clear"
    r"|obvious|indicated"
    r"|suggested|supported|consistent|typical|characteristic|reflected|common|known|corresponds|matches|fits"
    r"|aligns))\b|[\W_]*\Z"
)
"""After an option, in its sentence: grounds, or how sure it is."""
_FREE = re.compile(
    r"[\"')\]}*]{0,5}\s?(?:[,;(\[–—-]|(?:which|who|where|when|in|on|at|for|of|from|with|by|to|being|that|as)\b)"
)


def goes_on_known(clauses: Clauses, place: int, *, loose: bool) -> bool:
    """Whether the sentence of the option at ``place`` goes on from it in a known way, up to its end."""
    text = clauses.text
    _, _, end = clauses.sentence(place)
    tail = _INSTEAD_OF.sub("", text[place + 1 : end]).lstrip(". ")
    if not tail.strip(" \"'()[]{}*.,:;-"):
        return True
    if elsewhere.GROUNDS.match(tail) and not elsewhere.UPSET.search(tail):
        return True
    decided = DECIDED_AFTER.match(tail)
    if decided:
        rest = tail[decided.end() :]
        fits = _REST.match(rest) or (known.NAMED.search(rest) and not _TURNED.search(rest))
        return bool(fits) and not UPSET.search(rest)
    if UPSET.search(tail):
        return False
    opened = _FREE.match(tail)
    if not opened or (loose and opened[0][-1:].isalnum()):
        return True
    if _TAIL.match(tail):
        return True
    return not _NEVER.search(tail) and known.HEARD.search(tail) is not None


def leaves_it(
    clauses: Clauses, place: int, *, denied: set[int], repeated: set[int], others: set[int], cut: bool
) -> bool:
    """Whether every sentence after that of the answer at ``place`` is of a known kind, and none may upset it.

    Args:
        place: of the answer's mark; negative: it stood before the text.
        denied: the numbers of the sentences that deny another option.
        repeated: of those that name the same option alone.
        others: of those that name another.
        cut: the text was cut off, so that its last sentence may have had no time to be of a known kind.
    """
    text = clauses.text
    first = clauses.sentence(place)[0] + 1 if place >= 0 else 0
    for number in range(first, len(clauses.begins)):
        end = clauses.ends[number] if number < len(clauses.ends) else len(text)
        sentence = text[clauses.begins[number] : end]
        if number in repeated and not UPSET.search(sentence) and not _TURNED.search(sentence):
            continue
        if number in others and number not in denied and not known.COMPARES.search(sentence):
            return False
        if number - 1 in denied and _VERDICT.fullmatch(sentence):
            continue
        if cut and number + 1 == len(clauses.begins) and not UPSET.search(sentence):
            continue
        if not _is_known(sentence, asks="?" in text[end : end + 2], denies=number in denied):
            return False
    return True


def _is_known(sentence: str, *, asks: bool, denies: bool) -> bool:
    said = _CLOSING.sub("", _CLOSING.sub("", sentence)).strip()
    if known.ENDS.fullmatch(said):
        return True
    if asks or not said:
        return not asks
    said, grounds = known.LABELLED.subn("", said, count=1)
    if known.ENDS.fullmatch(said):
        return True
    said = _INSTEAD_OF.sub("", said)
    if known.OTHERS_OUT.match(said) or (denies and not known.REFERS.search(said)):
        return True
    if UPSET.search(said):
        return False
    foreign = not _ENGLISH.search(said) and (elsewhere.GROUNDS.match(said) or elsewhere.HEARD.search(said))
    if foreign and not elsewhere.UPSET.search(said):
        return True
    if grounds or known.GROUNDED.match(said):
        return True
    if not known.HEARD.search(said) or not (begun := known.DESCRIBES.match(said)):
        return False
    return not known.REFERS.search(said, begun.end() - 1)
