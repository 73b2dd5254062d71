"""The closed list of what may follow an answer and leave it as it is, in English. On folded text with marks."""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.words import ADVERB, MARK

HEARD: Final = re.compile(
    rf"{MARK}|\b(?:sounds?|sounding|sonic\w*|nois[ey]\w*|tones?|tonal\w*|pitch\w*|timbr\w+|rhythm\w*|tempos?|tempi"
    r"|beats?|bpm|melod\w+|harmon\w+|chords?|chorus|verse|keys?|notes?|strings?|bow(?:s|ed|ing)?|drums?|percussi\w+"
    r"|brass|woodwinds?|instrument\w*|orchestr\w+|band|solo|bass|riff|voices?|vocals?|speech|speak(?:s|er|ers|ing)?"
    r"|spoken|talk\w*|conversation\w*|dialogue|sing(?:s|er|ers|ing)?|words?|accents?|intonation|inflection|laugh\w*"
    r"|cr(?:y|ies|ying)|shout\w*|whisper\w*|footsteps?|engines?|motors?|birds?|animals?|bark\w*|chirp\w*|water|wind"
    r"|rain|thunder|traffic|crowd\w*|reverb\w*|echo\w*|background|foreground|recording\w*|audio|clip|track|sample"
    r"|excerpt|segment|passage|music\w*|songs?|piece|volume|loud\w*|quiet\w*|soft\w*|slow\w*|fast\w*|bright\w*"
    r"|warm\w*|harsh\w*|frequenc\w+|spectr\w+|durations?|seconds?|bars?|meter|metre|intro\w*|fad(?:e|es|ed|ing)"
    r"|attack|decay|sustain\w*|resonan\w+|hammers?|plucked|struck|blown|hear|heard|audible|listen\w*|play(?:s|ed|ing)?"
    r"|acoustic\w*|electr\w+|energ\w+|moods?|emotion\w*|feelings?|atmospher\w+|stress\w*|phonemes?|syllables?|genres?"
    r"|styles?|scenes?|environments?|texture|dynamics?|cues?|characteristics?|features?)\b"
)
"""What may be heard: a sentence with such a word may describe the sound."""
NAMED: Final = re.compile(
    rf"{HEARD.pattern}|\b(?:expressions?|descriptions?|descriptors?|representations?|reflection|interpretation|states?"
    r"|behaviou?rs?|scenarios?|reactions?|responses?|emotional|facial|vocal|context|situation|category|label"
    r"|words?|term"
    r"|answer|option|choice|match|one|candidate|fit)\b"
)
"""Of what an option may be said to be the answer."""
LABELLED: Final = re.compile(
    r"(?:(?:my|the|a|brief|short|quick|step-by-step) ){0,2}(?:explanations?|reason(?:ing|s)?|rationale|justification"
    r"|evidence|analysis|because|details?|description|why|notes?|confidence|certainty|observations?|cues?)"
    r"(?: (?:level|score|for (?:this|the|my) (?:answer|choice)))?\s?[:—–-]\s?"
)
"""A heading before grounds."""
ENDS: Final = re.compile(
    r"(?:"
    r"(?:please |just )?(?:let me know|feel free|do not hesitate|don't hesitate|ask (?:me )?(?:away|if))\b.{0,120}"
    r"|(?:i )?hope (?:this|that|it) helps.{0,40}|(?:many )?thanks?(?: you)?\b.{0,40}|you're welcome.{0,20}"
    r"|(?:i'm |i am )?(?:happy|glad) to help.{0,60}|have a (?:\w+ )?(?:day|one)|good luck.{0,20}|cheers|best regards"
    r"|(?:is there|do you (?:want|have|need)|would you like|can i help|how can i help|what do you think"
    r"|did you notice any)\b.{0,120}"
    r"|if you (?:have|need|want|would like|'d like)\b.{0,80}(?:let me know|ask|help|assist|tell me).{0,60}"
    r"|what|graz|correct|right|true|(?:this is )?the (?:correct|right) (?:answer|option|choice)"
    r"|(?:\w{1,24}: )?(?:with )?(?:very |fairly |quite |rather )?(?:high|full|medium|moderate|low|strong|great)"
    r"(?: (?:confidence|certainty))?|(?:about |roughly )?(?:0?\.\d{1,4}|1(?:\.0)?|\d{1,3}(?:\.\d+)? ?(?:%|percent)?"
    r"(?: (?:sure|certain|confident|confidence))?|\d{1,3} ?/ ?\d{1,3})"
    r"|(?:yes|yeah|yep|indeed|definitely|certainly|absolutely|for sure|period|full stop|done|end|no doubt(?: about it)?"
    r"|without (?:a |any )?doubt|there (?:is|can be) no doubt(?: about (?:it|this|that))?|of course|clearly"
    r"|final answer)"
    r"|(?:and )?(?:i'm|i am|i feel|i remain) (?:\w{2,12}ly |quite |very |pretty |\d{1,3} ?% )?(?:sure|certain|confident"
    r"|convinced|positive)(?: (?:of|about|in|that|with) (?:it|this|that|my|the|is|answer|choice|option|correct|right"
    r"| ){1,6})?"
    r"|(?:and )?(?:this|that|it)(?:'s| is) (?:just |only )?my (?:best |final |educated |definitive )*(?:guess|answer"
    r"|choice|pick|conclusion|verdict)(?: and i(?:'m| am) sticking (?:to|with) it)?"
    r"|i(?:'m| am) (?:sticking|staying|going) (?:to|with) (?:it|that|this)(?: answer)?"
    r")"
)
"""A whole sentence: how sure it is, and words of courtesy."""
_IT = rf"(?:it|this|that|these|they|this (?:choice|option|answer)|the (?:answer|choice))(?:'s| {ADVERB})?"
_FITS = (
    r"(?:is|was|are|were|has|had|have|fits|matches|aligns|corresponds|describes|captures|explains|suits|reflects|sounds"
    r"|shows|gives|uses|features|contains|includes|starts|begins|ends|plays|carries|lasts|rises|falls|can|comes)"
)
GROUNDED: Final = re.compile(
    r"(?:and |so |here )?(?:"
    r"(?:(?:this|that|it)(?:'s| is| was) )?(?:because|since|as(?! (?:if|for|well))|due to|given|based on|judging"
    r"|considering|owing to|thanks to)\b"
    r"|(?:this|that|it|which)(?:'s| is| was) (?:\w{2,12}ly |most )?(?:evident|clear|obvious|apparent|supported"
    r"|confirmed"
    r"|indicated|suggested|shown|consistent|characteri[sz]ed|characteristic|typical|reflected|justified|backed)\b"
    r"|(?:the|my|one|another|main|first|second|key|primary) (?:\w+ )?(?:reasons?|reasoning|clues?|giveaway|evidence"
    r"|cues?|hints?|grounds)\b"
    r"|(?:i|we) (?:chose|picked|selected|choose|pick|select|say|think|base|based|believe|know|conclude)"
    r" (?:this|that|it|so|my (?:answer|choice))\b.{0,30}\b(?:because|based on|since|on|from|due to|by)\b"
    r"|(?:i|we|you|one)(?: can| could)?(?: \w{2,12}ly)? (?:hear|heard|tell|noticed?|detect(?:ed)?"
    r"|recogni[sz]ed?|identif(?:y|ied)|perceived?)\b"
    r"|(?:the (?:audio|clip|recording|sound|music|track|tone|tempo|timbre|rhythm|voice|evidence)|everything|all of this"
    r"|all) (?:\w{2,12}ly )?(?:confirms?|supports?|suggests?|indicates?|points? to|shows?) (?:this|that|it|so)$"
    r")"
)
"""How a sentence begins that gives grounds."""
DESCRIBES: Final = re.compile(
    rf"{_IT}\s?(?:{_FITS}\b|'s)|(?!(?:{_IT}|i|we|you|he|she|my|your|our|and|or|not|no|so"
    r"|except\w*|save|barring|apart|besides|only|than|until|till|unless|whether|if|even)\b)\w"
)
"""How a sentence begins that describes the sound or what matches it."""
REFERS: Final = re.compile(
    r"\b(?:it|this|that|they)(?:'s| is| was| does| did| has| can| could| would)?(?: not\b|n't\b)"
    r"|\b(?:it|this|that|they) \w+n't\b|\b\w+ly speaking\b|\b(?:this|that|it|so|these|those|them"
    r"|thereof)(?=\s?(?:[.,;!:)]|$))|\b(?:i|me|my|mine|myself|we|our|us|you|your)\b"
    r"|\b(?:of|on|about|against|by|to|than|from|with|for) (?:this|that|it)\b(?! (?:sound|clip|recording|audio|piece))"
    r"|\b(?:this|that|my|the) (?:theory|idea|claim|hypothesis|impression|reading|interpretation|view|assumption"
    r"|verdict)\b"
    r"|\b(?:the|this|that|my|an?|previous|above|first|last) (?:answer|choice|option|guess|statement|sentence|reply"
    r"|response|pick|conclusion|opposite|former|latter|above|question|verdict)\b"
)
"""Within a description: it speaks of the answer, or of the one who gave it."""
COMPARES: Final = re.compile(
    r"\b(?:would|unlike|while|whereas|compared|than|typically|usually|generally|tends?|in contrast|by contrast|normally"
    r"|rather|instead|not|n't|no|lacks?|without|less|different\w*|distinct\w*|opposed"
    r"|(?:other|remaining) (?:options|choices|answers|ones)|in(?:consistent|appropriate)|\w+n't|describe"
    r"|the options are)\b"
)
"""In a sentence that names another option: it is set beside the answer, and not in its place."""
OTHERS_OUT: Final = re.compile(
    r"(?:and |while |whereas )?(?:all |none of |neither of )?(?:the )?(?:other|remaining|rest|others|options|choices"
    r"|alternatives|three|none|neither)\b(?=.*?\b(?:not|n't|no|none|neither|less|lack\w*|un\w+|in(?:consistent"
    r"|appropriate"
    r"|compatible|correct)|describe|rul\w+ out|eliminat\w+|exclud\w+|would)\b)"
    r"(?!.*\b(?:also|too|equally|as well|better|best|possible|plausible|right|valid|though|but)\b)"
)
"""A sentence that rules the other options out."""
