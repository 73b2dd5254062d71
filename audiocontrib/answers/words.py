"""Words that statements are built of. Folded text, options as marks.

In the text that forms are matched on, every mention of an option is one mark (see ``statements``): MARK.
Every repetition is bounded, so that no reply takes more than linear time.
"""

from __future__ import annotations

import re
from typing import Final

ONE, SEVERAL, CAPITAL, SMALL = "\ue000", "\ue001", "\ue002", "\ue003"
MARKS = ONE + SEVERAL + CAPITAL + SMALL
MARK = f"[{MARKS}]"

ADVERB = (
    r"(?:clearly|definitely|certainly|most certainly|(?:most |very |quite |more )?(?:probably|likely)|obviously"
    r"|evidently"
    r"|surely|indeed|actually|really|simply|therefore|thus|hence|almost certainly|undoubtedly|unmistakably|plainly"
    r"|without (?:a |any )?doubt|no doubt|of course|finally|ultimately|confidently|now|still|just|personally|firmly"
    r"|strongly|honestly|absolutely|totally|undeniably|best|then|rather|exactly|precisely|overall"
    r"|unquestionably|most closely|closest|primarily"
    r"|mainly)"
)
ADVERBS = rf"(?:{ADVERB},?\s){{0,3}}"

BLOCK = (
    r"(?:not|no|non|never|none|nothing|nobody|neither|nor|cannot|\w{1,8}n't|wrong|incorrect|false|least|less|worst"
    r"|last|un(?:likely|suit\w+|fit\w*|related|convinc\w+|reasonable|important|sure|clear|certain|able|popular|true"
    r"|support\w+|favou?r\w+)"
    r"|mis(?:tak|lead|led|read|hear|guid|interpret|match|fit)\w*|im(?:possible|probable|plausible|itation)|hardly"
    r"|barely|scarcely|rarely|seldom|if|unless|without|absen\w+"
    r"|missing|lack\w*|other|second|third|next|alternativ\w+|runner|runners|opposite|distract\w*|decoys?|traps?"
    r"|mistake\w*"
    r"|errors?|tempting|reject\w*|exclud\w*|eliminat\w*|discard\w*|dismiss\w*|ruled|previous|first|initial\w*"
    r"|former|original"
    r"|earlier|old|fake|supposed\w*|alleged\w*|might|may|could|would|or|but|except|than|like|anti\w*|doubt\w*|far"
    r"|so-called"
    r"|almost|nearly|pseudo|quasi|ex|question\w*|possibl[ye]|perhaps|maybe|potential\w*|either|whether|both|also"
    r"|different"
    r"|another|prior|popular|common|naive|example|guess(?:es)?|rather|red|invalid|bad|poor|weak\w*|remaining"
    r"|omitted|contrary"
    r"|opposed|against|avoid\w*|fail\w*|odd|case|chance|probability|possibility|hint|suggestion|trace|risk"
    r"|likelihood|idea|notion|claim|mention|everything|anything|everyone|anyone|someone|people|they|he|she|you"
    r"|listeners?|differ\w*|distinct\w*|contrast\w*|confus\w*|remind\w*|included?|includes|including)"
)
"""Never among the free words of a form."""

WORD = rf"(?!{BLOCK}\b)[\w'-]{{1,24}}"

OPENER = (
    r"(?:so|therefore|thus|hence|consequently|accordingly|as a result|as such|for (?:this|these|that) reasons?"
    r"|in conclusion|(?:tl)?dr"
    r"|to conclude|in summary|to sum(?:marize| up)|in short|overall|finally|ultimately|in the end|all in all"
    r"|altogether"
    r"|in my (?:opinion|view|judge?ment|estimation)|to me|to my ears?|for me|well|ok(?:ay)?|alright|sure|yes|yeah"
    r"|yep|right"
    r"|great|certainly|of course|here(?:'s| is)?|now|then|and|but|however|yet|still|nevertheless|nonetheless|instead"
    r"|in this case|this time"
    r"|in (?:this|the) (?:clip|audio|recording|case|sample|track|piece|segment)|given (?:this|that|these|all this"
    r"|the above)"
    r"|based on (?:this|that|these|it)|because of (?:this|that)|from (?:this|that|these)|after all|on balance"
    r"|to be sure"
    r"|without hesitation|first(?:ly)?|easy|simple|got it|hello|hi|thanks|thank you|sorry|because|since|as|while"
    r"|whereas|although|though"
    rf"|with (?:high |full |great )?confidence|forced to choose|if forced|if pressed|after (?:listening"
    rf"|consideration)|{ADVERB})"
)
SUBJECT_VERB = (
    r"(?:(?:i|we)(?:'m| am|'d| would| do| can| could only| can only| will|'ll| have to| must| shall"
    r"| should)?(?: only| now)?\s"
    rf"{ADVERBS}(?:think|believe|say|conclude|guess|know|feel|find|determine|infer|deduce|reckon|maintain|see"
    r"|(?:fairly |quite |very |pretty |completely |absolutely |(?:9\d|100) ?(?:%|percent) )?(?:confident"
    r"|certain|sure|convinced)|going to say"
    r"|inclined to say"
    r"|have to say|came to the conclusion|come to the conclusion|reach the conclusion)(?: that)?\s"
    r"|(?:this|that|which|it|these|they|all this|the \w{3,16})(?: \w{2,12}ly)? (?:means?|suggests?|indicates?"
    r"|implies|imply"
    r"|shows?|tells? (?:me|us)|confirms?|(?:points?|leads?) (?:me |us )?to (?:conclude|believe|the conclusion)"
    r"|makes? (?:it )?"
    r"clear)(?: that)?\s"
    r"|it (?:appears|seems)(?: to me)? that\s|it (?:is|'s) (?:\w{2,12}ly )?(?:clear|evident|obvious|apparent"
    r"|safe to (?:say|conclude)|reasonable to (?:say"
    r"|conclude))"
    r"(?: that)?\s|(?:leading|which leads|bringing) (?:me |us )?to (?:conclude|believe|the conclusion"
    r"|the answer)(?: that)?\s"
    r"|my (?:conclusion|feeling|impression|judgement|judgment) is (?:that\s)?)"
)
GROUNDS = (
    r"(?:(?:based on|given|judging (?:by|from)|from|after|considering|listening to|according to (?:the|what (?:i"
    r"|we))|having"
    r"|without (?:hearing|listening|access|being|seeing|the|any)|among|of (?:these|those|the)|between|since|because"
    r"|as|with|due to|in)"
    rf"(?:\s{WORD}){{1,10}}?,?\s)"
)
LEAD_IN = r"[\s*•>#|–—(\[:.,-]{0,8}(?:(?:step )?\d{1,2}[.):] )?"
OPENERS = rf"(?:(?:{OPENER})(?:[,:;]\s?|\s)){{0,5}}"

FILL = (
    r"(?:[\s\"'(\[{*:,<>]|\b(?:that|the|option|choice|answer|letter|number|label|it|it's|this|is|be|being|to|with"
    r"|for|as"
    rf"|follows|following|no\.|namely|one|number|of|category|(?:emotion|feeling|sense|mood)\sof|{ADVERB}|a|an"
    rf"|some)\b){{0,24}}+"
)
"""What may stand between a form and its option."""
DETERMINER = (
    r"(?:[\s\"'(\[{*:,<>]|\b(?:the|option|choice|answer|letter|number|label|no\.|namely|category|at|around"
    r"|about|roughly|approximately|it's|an?|some"
    rf"|{ADVERB})\b){{0,16}}+"
)
"""What may stand before an option that is all of its sentence."""
ONE_MODIFIED = rf"(?:(?:(?<=\ba\s)|(?<=\ban\s)|(?<=\bthe\s))(?:{WORD}\s))?"
"""One word between an article and its option; two may be a noun and its verb ("the title says …")."""
_HEARD = (
    r"(?:sounds?|noises?|voices?|music|kind|type|sort|style|genre|feelings?|sense|emotion|mood|state|tone|key"
    r"|tempo|presence"
    r"|use|recording|number|family|group|city|role|scenario|scene|expression|concept|pair|sequence"
    r"|descriptions?|category|instance|example)"
)
MODIFIED = (
    rf"(?:(?:(?<=\ba\s)|(?<=\ban\s)|(?<=\bthe\s)|(?<=\bits\s)|(?<=\bsome\s)|(?<=\bof\s))"
    rf"(?:(?:(?!of\b){WORD}\s)?{_HEARD}\sof\s(?:(?:an?|the)\s)?(?:{WORD}\s)?|(?:(?!of\b){WORD}\s){{1,2}}(?!of\b)))?"
)
"""Words between an article and its option. A noun before "of" is one for what is heard: no "cheap copy of" another."""

ADDS: Final = re.compile(
    r"[\s\"'(*–—-]{0,4}(?:alternatively|also|or|another|additionally|in addition|likewise|equally|similarly|and"
    r"|plus)\b"
)
TOO: Final = re.compile(
    r"\b(?:also|too|as well|another|additionally|in addition|likewise|equally|alternatively|or)\b|也"
)
TURNS: Final = re.compile(
    r"\b(?:so|therefore|thus|hence|final(?:ly)?|overall|but|however|yet|correct(?:ed|ion)?|revised|updated|new"
    r"|now|instead"
    r"|ultimately|in the end|conclu\w+|actually|better|best|really|in fact|mine|my|definitive|true|right|proper"
    r"|consequently)\b"
    r"|[^\W\x00-\x7f]"
)
"""In the sentence of an answer: it comes in the place of the one before it."""
