"""The closed list of forms that lead up to an option, in English. On folded text with marks.

A form is matched whole, from the beginning of a clause to the option.
"""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.forms.deciding import ANSWER_IS, CHOOSE
from audiocontrib.answers.forms.saying import ARE, NOUN, NP, THAT
from audiocontrib.answers.retractions import RETRACT
from audiocontrib.answers.words import (
    ADVERB,
    ADVERBS,
    DETERMINER,
    FILL,
    GROUNDS,
    LEAD_IN,
    MODIFIED,
    ONE_MODIFIED,
    OPENERS,
    SUBJECT_VERB,
)

_CHAIN = rf"(?:{OPENERS}(?:{SUBJECT_VERB}|{GROUNDS})?(?:{SUBJECT_VERB})?)"
_RETRACTED = rf"(?:[\s\"'(–—-]{{0,3}}{RETRACT}(?:[\s,.:;!?…–—]|(?<=[\s-])-){{1,4}}){{1,3}}"

_FORCED = (
    r"(?:if|when) (?:(?:i|we) (?:had|have|were|am|are|was|must|need) ?)?(?:to|forced to|pressed to|asked to|made to"
    r"|required to)? (?:choose|pick|guess|select|answer|decide|say|commit)(?:\s\w+){0,3}?,? (?:then )?(?:it|that|this"
    r"|mine) would (?:have to |probably |likely )?be"
)
STRONG: Final = re.compile(
    rf"{LEAD_IN}{OPENERS}{_FORCED}{FILL}{MODIFIED}|{LEAD_IN}(?:{_RETRACTED})?{_CHAIN}(?:{ANSWER_IS}"
    rf"|{CHOOSE}){FILL}{MODIFIED}(?:{FILL})?"
    rf"|{LEAD_IN}(?:so|therefore|thus|hence|consequently|in conclusion|ultimately"
    rf"|finally),?\s(?:{ADVERB}\s)?(?:{THAT}|{NP}){ARE}\s{FILL}{MODIFIED}"
)
"""Decides whatever else was said before: the answer is …, I choose …, so it is …"""
WEAK: Final = re.compile(
    rf"{LEAD_IN}(?:{_RETRACTED})?{_CHAIN}(?:"
    rf"(?:{THAT}|{NP}){ARE}\s?{FILL}{MODIFIED}"
    rf"|(?:i|we|you|one)(?:'m| am| can| could| do|'ve| have)?\s{ADVERBS}(?:hear(?:d|ing)?|recogni[sz]ed?"
    rf"|detect(?:ed)?|perceived?|notice|identif(?:y|ied)|listen(?:ing)? to|make out|count(?:ed)?|am|suspect|believe"
    rf"|think)\s?{FILL}{MODIFIED}"
    rf"|(?:i'm|it|this|that|there's|there (?:is|are|was|were)|definitely|clearly|must be|sounds? like|seems? like"
    rf"|seems? to be|appears to be|looks like|has to be|can only be|is|it's got to be|gotta be|that'd be"
    rf"|that would be)\s?{FILL}{MODIFIED}"
    rf"|which (?:is|can be|would be) (?:best |most closely |most accurately |clearly )?(?:described|characteri[sz]ed"
    rf"|classified|identified|interpreted|summari[sz]ed) as\s?{FILL}{MODIFIED}"
    rf"|which (?:best |most closely |clearly )?(?:aligns?(?: best| most closely| well)? with|matches"
    rf"|corresponds to|fits|points to|indicates"
    rf"|means)\s?{FILL}{MODIFIED}"
    rf"|(?:the )?(?:{NOUN})\s?[:=]{FILL}"
    r")"
)
"""Says what is heard; it decides nothing against a statement of the other kind."""
_DETERMINED = (
    rf"(?:{DETERMINER}(?:\b(?:the|a|an)\s)?(?:\b(?:sounds?|noises?|voices?|presence|use|recording"
    rf"|music)\sof\s)?{DETERMINER}{ONE_MODIFIED})"
)
BARE: Final = re.compile(rf"{LEAD_IN}[\"'(\[{{*]{{0,3}}(?:{_RETRACTED})?{OPENERS}(?:{ADVERB},?\s){{0,2}}{_DETERMINED}")
"""The option and nothing before it, at the beginning of a sentence."""
CONTINUED: Final = re.compile(
    rf"[\s\"'(–—-]{{0,3}}(?:{_RETRACTED}|(?:so|therefore|thus|hence|consequently|making it|which makes it"
    rf"|hence the answer|in conclusion)[,:]?\s)"
    rf"{OPENERS}{_DETERMINED}"
)
"""The same in the middle of a sentence."""
NAMED_IN_FULL: Final = re.compile(
    r"\b(?:is|be|as)(?: (?:most |very )?(?:likely|probably|clearly|best|therefore|thus)){0,2}\s?:\s?[\"'(\[*]{0,3}\Z"
)
"""Before an option with its label: "the sound is best described as: (B) piano"."""
WHICH_IS: Final = re.compile(
    r"\s?(?:and )?(?:(?:which|this|it|that|this \w{4,12}) (?:is|would be|corresponds to|matches|fits"
    r"|(?:aligns|fits)(?: best| \w{2,12}ly)? with|is (?:best |most closely )?(?:captured|represented|reflected"
    r"|described"
    r"|matched) (?:by|in))|as (?:suggested|described|captured|reflected) (?:by|in)) (?:the )?(?:option|choice|answer)"
    r"\s?[\"'(\[:]{0,3}"
)
"""Before an option's letter: "…, which is option (B)"."""
ONLY_BUT: Final = re.compile(rf"\s?but(?: rather)?\s{_DETERMINED}")
"""After a denial: "not a guitar but …"."""
SUBJECT: Final = re.compile(
    rf"{LEAD_IN}[\"'(\[{{*]{{0,3}}(?:{_RETRACTED})?{_CHAIN}(?:only |just )?{FILL}(?:\b(?:sounds?|noises?"
    rf"|voices?)\sof\s)?{FILL}{MODIFIED}"
)
"""Before an option that is the subject of its clause: "… is the answer"."""

_HEADING = (
    r"(?:reason\w*|analysis|explanation|conclusion|summary|answer|result|verdict|evaluation|thoughts?|solution"
    r"|response"
    r"|comparison|step \d{1,2}|short|brief|is|are|be|as|think|say|follows|choice|option|options|decision"
    r"|finally|therefore|thus"
    r"|so|note|elimination|observations?|rationale|justification|transcription|description|correction|update"
    r"|edit|wait|no"
    r"|revised|corrected|actually|hmm+|sorry|apologies|hold on|fact|yes|with|by|final|conclude|determine"
    r"|opinion|view|guess"
    r"|out|here|disagree|wrong|incorrect|false|mistaken|this|that|clear|audio|clip|recording|listening|below"
    r"|mistake|error|myself|again|mind|choose|pick|go|match|source|sound"
    r"|sounds|instrument|emotion|feeling|genre|because|reflection|thought)"
)
LED: Final = re.compile(
    rf"{LEAD_IN}[\"'(]{{0,2}}(?:[^\n]{{0,300}}(?:\b{_HEADING}|[\ue000-\ue003])\W{{1,4}}"
    rf"|(?:[\w ]{{0,40}}\b{_HEADING}\s?:\s)?{OPENERS}(?:(?:instead|rather|unlike|contrary|based on|given|after|since"
    r"|because|considering|from|as|judging|well|i|we|to|looking|among|of the|having|listening|with|without"
    r"|overall|so|then"
    r"|here|while|when|once|although|though|comparing|using|by|upon|on (?:this|balance|reflection|second|closer"
    r"|listening|hearing|my|the (?:recording|clip|audio|track|whole|basis|contrary|other)\b)|for (?:this|these"
    r"|that|me)|despite|even"
    r"|it|it's|its|this"
    r"|that|that's|these|those|there|there's|they|the (?!(?:title|caption|user|prompt|label|metadata|question"
    r"|text|instruction)\b)"
    r"|my|all|both|none|neither|nothing|each|every|only|what|due|at|out|in (?:this|these|my|our|short|summary"
    r"|brief|conclusion|total|fact|contrast|addition|particular|light|view"
    r"|terms|line|both|the (?:audio|clip|recording|end|sample|track|piece|given|provided|context|absence"
    r"|beginning|background"
    r"|foreground|passage|segment|music|song|sound|excerpt|middle|first|second)\b)|final(?:ly)?|step|no|not|yes"
    r"|ok|okay|a|an"
    r"|according to (?:the (?:audio|clip|recording|sound|music)|my|what i)|if (?:i|forced|pressed)|forced|were|had"
    r"|\w{3,14}ing|\w{3,14}ed|\w{3,14}ly|sorry|oh|ah|wait|hmm+|actually|let|let's|one|two|three|first|second"
    r"|some|many|most|people|several)\b"
    r"|[\d\ue000-\ue003])[^\n]{0,300}(?<!:)(?<!:\s))?"
)
"""What may come before a form in its sentence: grounds, what is heard, a heading; a word of another kind does not lead
to an answer of one's own ("example: the answer is …", "lyrics: it is …")."""
JOINS: Final = re.compile(
    r"[\s\"'(–—-]{0,4}(?:so|therefore|thus|hence|consequently|but|however|which|making|leading)\b"
)
"""The beginning of a form that goes on from whatever stands before it."""
GIVEN: Final = re.compile(
    rf"{LEAD_IN}{OPENERS}(?:(?:based on|given|after|since|because|considering|from|as|judging|well|i|we|to|looking"
    rf"|among|of the|having"
    r"|listening|with (?:this|that|these|the)|overall|so|in (?:this|my|the|short|conclusion|summary)|then"
    r"|here)\b[^\n]*)?"
)
"""What may come before "the answer would be" in its sentence, so that it is no mere thought."""
