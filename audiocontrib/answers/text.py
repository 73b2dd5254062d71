"""Plain text: replies and options brought to one form, so that they can be compared as strings."""

from __future__ import annotations

import re
import unicodedata

# Word characters of scripts that put spaces between words. In Chinese, Japanese and Korean a word
# may touch its neighbours, so no boundary can be asked for there.
WORD = r"[^\W\u2e80-\U0010ffff]"

CLOSED = re.compile(
    r"\s*(?:\Z|[✅✔✓☑✗✘❌]|[.,](?!\d)|:(?=\W|\Z)|[;!?)\]}\"*|。、」—–]|'(?!\w)|\n| - )"
    r"|\s(?:because|since|as|and|or|but|which|is|then|on|for|from|given|according|due|based|ist|est|es|é|è"
    r"|would|could"
    r"|might|may|should|must|cannot|can|does|doesn't|isn't|also|too|seems|fits|describes|it is)\b"
    r"|\s?[\u2e80-\U0010ffff]"
)
"""What follows a letter or word that stands alone, and does not belong to the next word ("A piano")."""

_PIECE = re.compile(r"\S{1,256}|\s{1,256}")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]|<\|[\w-]{1,40}\|>|</?s>|<eos>|<end_of_turn>")
_QUOTES = str.maketrans("“”„‟«»″`‘’‚‛′「」『』【】〔〕〖〗♯", '""""""""\'\'\'\'\'""""[][][]#')
_DASH = re.compile(r"(?<=\d) ?[–−] ?(?=\d)")
_BOXED = re.compile(r"\\(?:f?boxed|fbox) ?\{")
_DOLLARS = re.compile(r"\$ ?([A-Za-z](?!\w)|[({\[]{1,2}[A-Za-z][)}\]]{1,2}|\\(?=[a-z])[^$\n]{1,80}(?=\$)) ?\$?")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE)
_RAISED = re.compile("(?<=[0-9)])[⁰¹²³⁴-⁹]+")
_VULGAR = re.compile("([0-9]) ?([¼-¾⅐-⅞])")
_FRACTION = re.compile(r"(\d)?\\[dt]?frac ?\{(\d{1,4})\}\{(\d{1,4})\}")
_POWER = re.compile(r"(?<=\d)(?:\*\*(?=\d)|\^\{(-?\d{1,2})\})")
_STRUCK = re.compile(r"~~[^~\n]{1,300}~~|<(del|s|strike)>[^<\n]{1,300}</\1>", re.IGNORECASE)
_EMPTY = re.compile(r"<([A-Z])>\s{0,3}</\1>")
_STYLED = re.compile(r"<(b|strong|i|em|u|mark|code|span|tt|kbd)>([^<]{1,400})</\1>")  # "<B>" may be an answer
_TICKED = re.compile(r"(^[ \t]*(?:\*\*)?|: ?(?=.[^\n:✗✘❌✖]{1,300}$))[✅✔✓☑]\ufe0f? ?", re.MULTILINE)
"""A tick before an answer, and not behind an option in a row of verdicts."""
_POINTS = re.compile("(?<=\\w) ?[👉➡]\ufe0f? ?")
_BLOCK = re.compile(r":[ \t]{0,3}[>|][+-]?[ \t]{0,3}(?=\n)")
"""YAML's sign of a text of several lines."""
_DECORATION = re.compile(
    "[➡✨\ufe0f\U0001f300-\U0001f44c\U0001f44f-\U0001f644\U0001f646-\U0001f64f\U0001f680-\U0001f6aa"
    "\U0001f6ac-\U0001faff] ?"
)
"""Pictures that say nothing; signs of a verdict are kept."""
_UNCHECKED = re.compile(r"(?:\A|\n)[ \t]{0,8}(?:[-*+][ \t]{1,4})?(?:\[ ?\]|[☐□▢])[ \t][^\n]{0,300}(?=\n|\Z)")
_CHECKED = re.compile(r"(?<![^\n])[ \t]{0,8}(?:[-*+][ \t]{1,4})?(?:\[[xX✓✔]\]|[☑☒])[ \t]")
_LATEX = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox) ?(?=\{)|\\[()\[\]]")
_BOLD = re.compile(r"\*\*|__|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")
_MISSPELT = {
    misspelt: word
    for word, ways in {
        "answer": "anwser asnwer awnser answr answe anser anwer ansewr aswer answeer",
        "correct": "corect correc corrct corerct corret",
        "the": "teh hte",
        "choice": "chioce choise",
        "option": "optoin opiton optin",
    }.items()
    for misspelt in ways.split()
}
_MISSPELT_WORD = re.compile(rf"\b(?:{'|'.join(_MISSPELT)})\b", re.IGNORECASE)
"""The words of statements, as they are mistyped."""
_SPACE = re.compile(r"[^\S\n]+")
_BEYOND_PLAIN = re.compile(r"[^A-Za-z0-9 ,.;:?!'\"()/+=%-]|  ")
"""What any of the other patterns here needs; most options and questions have none of it."""
_LINES = re.compile(r" ?\n[\n ]*")

_PAIRS = {
    "(": ")",
    "[": "]",
    "{": "}",
    '"': '"',
    "'": "'",
    "*": "*",
    "$": "$",
    "「": "」",
    "【": "】",
    "<": ">",
}
_FINAL = frozenset(" \n.,;:!?。、")


def clean(text: str) -> str:
    """``text`` in NFKC, without markup, its quotes and white space made uniform; lines and case are kept.

    ``\\boxed{…}`` becomes ``answer: {…}``, which is what it says.
    """
    if not _BEYOND_PLAIN.search(text):
        return _MISSPELT_WORD.sub(_spelt, text).strip()
    if not text.isascii():
        # NFKC alone would make 3½ to 31/2, and 10⁴ to 104.
        text = _RAISED.sub(r"^\g<0>", _VULGAR.sub(r"\1 \2", text))
        # Piece by piece: normalising one long run of combining marks takes quadratic time.
        text = "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))
        # Letters that case folding would make longer ("ß") are spelt out, so that fold() keeps positions.
        text = "".join(folded if len(folded := char.casefold()) > 1 else char for char in text)
    text = _INVISIBLE.sub("", text).translate(_QUOTES).replace("\r", "\n").replace("\u2044", "/")
    text = _POWER.sub(lambda m: f"^{m[1]}" if m[1] else "^", _FRACTION.sub(_fraction, text))
    text = _DASH.sub("-", text)
    text = _DOLLARS.sub(r"\1", _LATEX.sub("", _BOXED.sub(" answer: {", text)))
    if _UNCHECKED.search(text):
        text = _CHECKED.sub("", _UNCHECKED.sub("\n", text))
    if "<" in text or "~~" in text:
        text = _EMPTY.sub(r"\1", text)
        text = _STYLED.sub(r"\2", _STRUCK.sub(" ", text))
    text = _MISSPELT_WORD.sub(_spelt, _BLOCK.sub(":", text))
    text = _HEADING.sub("", _TICKED.sub(r"\1", _DECORATION.sub("", _POINTS.sub(": ", text))))
    text = _SPACE.sub(" ", _BOLD.sub("", text))
    return _LINES.sub("\n", text).strip()


def _fraction(found: re.Match[str]) -> str:
    return f"{found[1]} {found[2]}/{found[3]}" if found[1] else f"{found[2]}/{found[3]}"


def _spelt(found: re.Match[str]) -> str:
    word = _MISSPELT[found[0].lower()]
    return word.upper() if found[0].isupper() else word.capitalize() if found[0][0].isupper() else word


def fold(text: str) -> str:
    """Clean ``text`` without case and line breaks; of the same length, so that positions hold in both."""
    return text.casefold().replace("\n", " ")


def core(text: str) -> str:
    """Clean ``text`` without a bullet, final punctuation, and quotes or brackets around the whole of it.

    Text that is nothing but punctuation is left as it is.
    """
    bulleted = text[:2] in ("- ", "* ", "• ") or (text[:2] == "> " and not text[2:3].isdigit())
    start, end = (2 if bulleted else 0), len(text)
    while start < end:
        if text[end - 1] in _FINAL:
            end -= 1
        elif text[start] in " \n":
            start += 1
        elif end - start > 2 and _PAIRS.get(text[start]) == text[end - 1]:
            start, end = start + 1, end - 1
        else:
            return text[start:end]
    return text
