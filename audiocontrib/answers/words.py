"""Words that a statement is built of, and words that keep it from being one. Folded text, options as marks.

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
    r"|opposed|against|avoid\w*|fail\w*|everything|anything|everyone|anyone|someone|people|they|he|she|you"
    r"|listeners?)"
)
"""Never among the free words of a form."""

WORD = rf"(?!{BLOCK}\b)[\w'-]{{1,24}}"

OPENER = (
    r"(?:so|therefore|thus|hence|consequently|accordingly|as a result|as such|for (?:this|these|that) reasons?"
    r"|in conclusion"
    r"|to conclude|in summary|to sum(?:marize| up)|in short|overall|finally|ultimately|in the end|all in all"
    r"|altogether"
    r"|in my (?:opinion|view|judge?ment|estimation)|to me|to my ears?|for me|well|ok(?:ay)?|alright|sure|yes|yeah"
    r"|yep|right"
    r"|great|certainly|of course|here|now|then|and|but|however|yet|still|nevertheless|nonetheless|instead"
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
    r"|(?:fairly |quite |very |pretty |completely |absolutely )?(?:confident|certain|sure|convinced)|going to say"
    r"|inclined to say"
    r"|have to say|came to the conclusion|come to the conclusion|reach the conclusion)(?: that)?\s"
    r"|(?:this|that|which|it|these|they|all this|the \w{3,16})(?: \w{2,12}ly)? (?:means?|suggests?|indicates?"
    r"|implies|imply"
    r"|shows?|tells? (?:me|us)|confirms?|(?:points?|leads?) (?:me |us )?to (?:conclude|believe|the conclusion)"
    r"|makes? (?:it )?"
    r"clear)(?: that)?\s"
    r"|it (?:is|'s) (?:\w{2,12}ly )?(?:clear|evident|obvious|apparent|safe to (?:say|conclude)|reasonable to (?:say"
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
LEAD_IN = r"[\s*•>#–—(\[:.,-]{0,8}(?:(?:step )?\d{1,2}[.):] )?"
OPENERS = rf"(?:(?:{OPENER})(?:[,:;]\s?|\s)){{0,5}}"

FILL = (
    r"(?:[\s\"'(\[{*:,<>]|\b(?:that|the|option|choice|answer|letter|number|label|it|it's|this|is|be|being|to|with"
    r"|for|as"
    rf"|follows|following|no\.|namely|one|number|of|category|(?:emotion|feeling|sense|mood)\sof|{ADVERB}|a|an"
    rf"|some)\b){{0,24}}+"
)
"""What may stand between a form and its option."""
MODIFIED = rf"(?:(?:(?<=\ba\s)|(?<=\ban\s)|(?<=\bthe\s)|(?<=\bits\s)|(?<=\bsome\s)|(?<=\bof\s))(?:{WORD}\s){{1,2}})?"

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
    r"|[ \"')\]}*]{0,4}(?:(?:is|are|was|were|does|do|did|ca|could|would|should|wo|has|have)n't|cannot|fails?|lacks?"
    r"|contradicts)\b"
    r"|[ .]?\s?[-–—:(=] ?(?:no|not|wrong|incorrect|false|unlikely)\b|[.]? (?:no|wrong|incorrect"
    r"|false)(?= ?(?:[.,;)\n]|\Z))"
    r"|[\s:.–—(-]{0,3}(?:[✗✘❌✖×🚫]|不|是错|错|ではな|ではあり|じゃな|じゃあり|でない|は違|は間違"
    r"|[은는이가] ?(?:아니|아닙|틀))"
    r"|[ \"')\]}*]{0,4}(?:no es|n'est pas|ist nicht|ist falsch|não é|non è|не)\b"
)
"""After an option: it is denied."""

HEDGE: Final = re.compile(
    r"\b(?:might|may|could|maybe|perhaps|possib\w+|potential\w+|conceivabl\w+|plausibl\w+|also|alternativ\w+|second"
    r"|lean\w*"
    r"|though|instead|tempted|wonder\w*|reconsider\w*|now|rather|actually|yet|however|but|too|as well|equally"
    r"|likewise|same|both)\b|可能|也许|或许|かもしれ|아마"
)
NOT_IT: Final = re.compile(
    rf"\b(?:{BLOCK.replace('|would', '').replace('|someone', '')}|others?|caption|friend|user|teacher|colleague"
    rf"|expert|annotator|model"
    rf"|neighbou?r"
    r"|brother|sister|label|title|original\w*|format|depend\w*|what)\b"
)
"""Before "… is: (B) piano": it is not the answer that is so named."""
WIDE: Final = re.compile(
    r"\bif(?! (?:i|we)(?:'m| am| was| were| had| have| must| need|'d)(?: been)?(?: \w+)?"
    r" (?:to|forced|pressed|asked|required|made|guess|choose|pick)\b| forced| pressed| asked| i must| we must"
    r"| anything| you ask me)\b"
    r"|\b(?:unless|whether|as (?:if|though)|(?:when|whenever|where|once) there(?:'s| is| are)|in (?:that|which"
    r"|such a) (?:case|event|scenario),? (?:the|my|it|that|i) (?:\w+ )?would|on (?:the )?condition|in the event"
    r"|under the assumption|on paper|in principle|depend(?:s|ing) on|suppos(?:e|ing|edly)|assuming|assume"
    r"|imagine|pretend\w*"
    r"|hypothetical\w*|in theory"
    r"|theoretically|ideally"
    r"|allegedly|reportedly|rumou?r\w*|in case|(?<!was )(?<!were )(?<!is )(?<!are )(?<!been )provided"
    r" (?:that|the|it|there|this|you|we|i)|so long as|as long as|for (?:example|instance)|e\.g|such as"
    r"|let's say|say that"
    r"|otherwise|at first(?: glance| listen)?|initially|originally|previously|earlier|in the beginning"
    r"|on first hearing|formerly"
    r"|for a moment|briefly|(?:i|we)(?:'d| had)? (?:first |initially |almost |nearly |once )?(?:thought|assumed"
    r"|considered|wanted"
    r"|believed|guessed|suspected|said|answered|imagined|hesitat\w+)|was (?:going|about|tempted) to|would have"
    r"|could have"
    r"|might have|had (?:i|we|it|the|this|that|there) |were (?:i|we|it|the|this|that|there) |should (?:i|we|it|the"
    r"|this) "
    r"|my (?:first|initial|earlier|previous|old|original) \w+|one (?:might|could|may|would)|you (?:might|could|may"
    r"|would)"
    r"|(?:him|her|them|someone|people) (?:say|claim|argue|answer|insist)|tempt\w* to|naive\w*|hasty|careless\w*"
    r"|superficial\w*|everyone|everybody|no one|nobody|anyone|anybody|someone|somebody"
    r"|(?<!no )(?<!without )(?<!without a )(?<!without any )doubt\w*|wrong to|mistak\w+|incorrect to"
    r"|hard to believe|not (?:the case|true|correct|sure|certain|convinced|believe|think"
    r"|say|mean|claim)|(?:do|would|did|ca|could)n't (?:think|believe|say|choose|pick|go with)|unlikely that"
    r"|impossible that)\b"
    r"|\b(?:some|many|most|few|others?|people|listeners?|experts?|critics?|colleagues?|friends?|teachers?|students?"
    r"|users?"
    r"|reviewers?|annotators?|captions?|prompts?|models?|they|he|she|you|neighbou?rs?|brother|sister|mother|father"
    r"|wife|husband"
    r"|musicians?|humans?|transcripts?|texts?|documents?|options?|choices?|scripts?|articles?|notes?|hints?"
    r"|books?|websites?|internet"
    r"|metadata|title|labels?|file ?name|another \w+|the question)"
    r"(?: (?!likely|plausible|probable|common|suitable|appropriate|fitting|accurate|reasonable"
    r"|of)\w{1,16}){0,4} (?:said|says?|saying"
    r"|claim\w*|think\w*|thought|believ\w+|argu\w+|insist\w*|suggest\w*|guess\w*|assum\w+|conclud\w+|choos\w+|chose"
    r"|pick\w*"
    r"|answer\w*|call\w*|mistak\w*|state[sd]?|stating|told|tells?|swear\w*|maintain\w*|hold|holds|prefer\w*|go with"
    r"|went with"
    r"|put\w*|vote\w*|reads?|writes?|wrote|hint\w*|implies|opt\w*)\b"
    r"|\baccording to (?!the (?:audio|clip|recording|sound|music|question|speaker|options|provided|given)"
    r"|my (?:ears?|analysis|hearing|listening|understanding|judge?ment)|what i|this)"
    r"|\b(?!i |we )\w+ (?:reads?|says?|states?|claims?|writes?|wrote|goes|argues?|insists?|quotes?|said)(?: that)?:"
    r"|\b(?:format|template|example|syntax|pattern|sample|placeholder)(?: \w+)?: ?(?!the )"
    r"|\bin the (?:words|opinion|view) of\b|\bquot(?:e|es|ing|ed)\b|\bi was told\b|\bit (?:is|has been) (?:said"
    r"|claimed|rumou?red)\b"
)
"""Before an option in its sentence: what is said is a condition, a possibility, the past, or another's opinion."""
RESET: Final = re.compile(r"\b(?:but|however|nevertheless|nonetheless|yet|in the end|finally|ultimately|now)\b")

SPOILED_AFTER: Final = re.compile(
    r"\b(?:if(?! (?:i|we) (?:had|have) to| forced| pressed| anything)|unless|assuming|as long as|provided that"
    r"|maybe|perhaps|possibly"
    r"|(?:or|maybe) (?:something|similar|another|so|else|not|maybe|perhaps)|not (?:\w+ )?(?:sure|certain|confident"
    r"|positive|convinced)"
    r"|\w+n't (?:be )?(?:\w+ )?(?:sure|certain|confident|positive|convinced|know)|unsure|uncertain|could be wrong"
    r"|might be wrong"
    r"|may be wrong|could be mistaken|no idea|at first|initially|had (?:i|it|we)|were it|i (?:would|'d) (?:have"
    r"|need|like) to"
    r"|(?:some|many|most|others|people|listeners?|critics|they|he|she|you|someone|somebody|everyone|experts?|(?:a"
    r"|my|the) \w+)"
    r" (?:might |would |may |could |will )?(?:say|says|said|think|thinks|thought|claim\w*|argu\w*|believ\w*"
    r"|insist\w*|suggested"
    r"|guess\w*|told)|(?:it|that|this) was (?:said|claimed|wrong|rejected)|so (?:they|he|she|people) (?:say|claim)"
    r"|is (?:wrong|incorrect|false|unlikely|what (?:it|the) \w+ not)|what (?:i|we) (?:first |initially )?(?:thought"
    r"|heard first)"
    r"|until|before i|too|as well|is what (?:i|we) (?:would|do|did|could|can)(?: not|n't))\b"
    r"|\baccording to (?!the (?:audio|clip|recording|sound|music|question)"
    r"|my (?:ears?|analysis|hearing))"
)
"""After an option, in its sentence: what was said is taken back, or was not one's own."""

ADDS: Final = re.compile(
    r"[\s\"'(*–—-]{0,4}(?:alternatively|also|or|another|additionally|in addition|likewise|equally|similarly|and"
    r"|plus)\b"
)
TOO: Final = re.compile(
    r"\b(?:also|too|as well|another|additionally|in addition|likewise|equally|alternatively|or)\b|也"
)

NEUTRAL: Final = re.compile(
    r"\b(?:would|while|whereas|unlike|compared|than|because|since|rather|instead of|as opposed to|options?|choices"
    r"|in contrast|between"
    r"|among|distinguish\w*|differ\w*)\b"
)
"""In a sentence after the answer: it compares or explains, and adds nothing."""
