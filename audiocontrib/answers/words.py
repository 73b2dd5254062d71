"""Words that a statement is built of, and words that keep it from being one. Folded text, options as marks.

In the text that forms are matched on, every mention of an option is one mark (see ``statements``): MARK.
Every repetition is bounded, so that no reply takes more than linear time.
"""

from __future__ import annotations

import re
from typing import Final



def any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern for one of the alternatives, on folded text."""
    return re.compile("|".join(alternatives))


ONE, SEVERAL, CAPITAL, SMALL = "\ue000", "\ue001", "\ue002", "\ue003"
MARKS = ONE + SEVERAL + CAPITAL + SMALL
MARK = f"[{MARKS}]"

ADVERB = (
    r"(?:clearly|definitely|certainly|most certainly|(?:most |very |quite |more )?(?:probably|likely)|obviously|evidently"
    r"|surely|indeed|actually|really|simply|therefore|thus|hence|almost certainly|undoubtedly|unmistakably|plainly"
    r"|without (?:a |any )?doubt|no doubt|of course|finally|ultimately|confidently|now|still|just|personally|firmly"
    r"|strongly|honestly|best|then|rather|exactly|precisely|overall|unquestionably|most closely|closest|primarily|mainly)"
)
ADVERBS = rf"(?:{ADVERB},?\s){{0,3}}"

BLOCK = (
    r"(?:not|no|non|never|none|nothing|nobody|neither|nor|cannot|\w{1,8}n't|wrong|incorrect|false|least|less|worst|last|un\w+"
    r"|mis\w+|im(?:possible|probable|plausible|itation)|hardly|barely|scarcely|rarely|seldom|if|unless|without|absen\w+"
    r"|missing|lack\w*|other|second|third|next|alternativ\w+|runner|runners|opposite|distract\w*|decoys?|traps?|mistake\w*"
    r"|errors?|tempting|reject\w*|exclud\w*|eliminat\w*|discard\w*|dismiss\w*|ruled|previous|first|initial\w*|former|original"
    r"|earlier|old|fake|supposed\w*|alleged\w*|might|may|could|would|or|but|except|than|like|anti\w*|doubt\w*|far|so-called"
    r"|almost|nearly|pseudo|quasi|ex|question\w*|possibl[ye]|perhaps|maybe|potential\w*|either|whether|both|also|different"
    r"|another|prior|popular|common|naive|example|guess(?:es)?|rather|red|invalid|bad|poor|weak\w*|remaining|omitted|contrary"
    r"|opposed|against|avoid\w*|fail\w*|everything|anything|everyone|anyone|someone|people|they|he|she|you|listeners?)"
)
"""Never among the free words of a form."""

WORD = rf"(?!{BLOCK}\b)[\w'-]{{1,24}}"

OPENER = (
    r"(?:so|therefore|thus|hence|consequently|accordingly|as a result|as such|for (?:this|these|that) reasons?|in conclusion"
    r"|to conclude|in summary|to sum(?:marize| up)|in short|overall|finally|ultimately|in the end|all in all|altogether"
    r"|in my (?:opinion|view|judge?ment|estimation)|to me|to my ears?|for me|well|ok(?:ay)?|alright|sure|yes|yeah|yep|right"
    r"|great|certainly|of course|here|now|then|and|but|however|yet|still|nevertheless|nonetheless|instead|in this case|this time"
    r"|in (?:this|the) (?:clip|audio|recording|case|sample|track|piece|segment)|given (?:this|that|these|all this|the above)"
    r"|based on (?:this|that|these|it)|because of (?:this|that)|from (?:this|that|these)|after all|on balance|to be sure"
    r"|without hesitation|first(?:ly)?|easy|simple|got it|hello|hi|thanks|thank you|sorry|because|since|as|while|whereas|although|though"
    rf"|with (?:high |full |great )?confidence|forced to choose|if forced|if pressed|after (?:listening|consideration)|{ADVERB})"
)
SUBJECT_VERB = (
    r"(?:(?:i|we)(?:'m| am|'d| would| do| can| could only| can only| will|'ll| have to| must| shall| should)?(?: only| now)?\s"
    rf"{ADVERBS}(?:think|believe|say|conclude|guess|know|feel|find|determine|infer|deduce|reckon|maintain|see"
    r"|(?:fairly |quite |very |pretty |completely |absolutely )?(?:confident|certain|sure|convinced)|going to say|inclined to say"
    r"|have to say|came to the conclusion|come to the conclusion|reach the conclusion)(?: that)?\s"
    r"|(?:this|that|which|it|these|they|all this|the \w{3,16})(?: \w{2,12}ly)? (?:means?|suggests?|indicates?|implies|imply"
    r"|shows?|tells? (?:me|us)|confirms?|(?:points?|leads?) (?:me |us )?to (?:conclude|believe|the conclusion)|makes? (?:it )?"
    r"clear)(?: that)?\s"
    r"|it (?:is|'s) (?:\w{2,12}ly )?(?:clear|evident|obvious|apparent|safe to (?:say|conclude)|reasonable to (?:say|conclude))"
    r"(?: that)?\s|(?:leading|which leads|bringing) (?:me |us )?to (?:conclude|believe|the conclusion|the answer)(?: that)?\s"
    r"|my (?:conclusion|feeling|impression|judgement|judgment) is (?:that\s)?)"
)
GROUNDS = (
    r"(?:(?:based on|given|judging (?:by|from)|from|after|considering|listening to|according to (?:the|what (?:i|we))|having"
    r"|without (?:hearing|listening|access|being|seeing|the|any)|among|of (?:these|those|the)|between|since|because|as|with|due to|in)"
    rf"(?:\s{WORD}){{1,10}}?,?\s)"
)
LEAD_IN = r"[\s*•>#–—(\[:.,-]{0,8}(?:(?:step )?\d{1,2}[.):] )?"
OPENERS = rf"(?:(?:{OPENER})(?:[,:;]\s?|\s)){{0,5}}"

FILL = (
    r"(?:[\s\"'(\[{*:,<>]|\b(?:that|the|option|choice|answer|letter|number|label|it|it's|this|is|be|being|to|with|for|as"
    rf"|follows|following|no\.|namely|one|number|of|category|{ADVERB}|a|an|some)\b){{0,24}}+"
)
"""What may stand between a form and its option."""
MODIFIED = rf"(?:(?:(?<=\ba\s)|(?<=\ban\s)|(?<=\bthe\s)|(?<=\bits\s)|(?<=\bsome\s)|(?<=\bof\s))(?:{WORD}\s){{1,2}})?"

NEGATION: Final = re.compile(
    r"\bnot(?! only)\b|\bno(?! doubt| question)\b|\b(?:never|neither|nor|cannot|\w{2,8}n't|none of|nothing|nobody|no one)\b"
    r"|\bwithout(?! (?:a |any )?doubt| (?:the |any )?(?:audio|sound)| (?:hearing|listening|access|being))\b"
    r"|\b(?:wrong|incorrect|false|unlikely|improbable|implausible|impossible|(?<!no )(?<!without )(?<!without a )(?<!without any )doubt\w*|hardly|barely|scarcely|least|less|far from"
    r"|anything but|all but|everything but|except|excluding|rather than|instead of|unlike|as opposed to|opposed to|different from"
    r"|other than|contrary to|compared (?:to|with)|absence of|lack\w*|fail\w*|mistak\w*|confus\w*|distract\w*|decoy|red herring"
    r"|rul(?:e|es|ed|ing) out|(?:exclud|eliminat|reject|dismiss|discard|discount|den)(?:e|es|ed|ing|y|ies|ied|s)?"
    r"|worst|avoid\w*|than|versus|out of the question|incompatible)\b"
    r"|不|没|沒|无|無|非|错|ない|ありません|違|誤|間違|아니|아닙|않|틀"
    r"|\b(?:ne|pas|aucun|non|nicht|kein\w*|falsch\w*|não|nunca|jamais|sbagliat\w*|incorrect[ao]s?|incorrett[ao]|fausse?|не|нет|неверн\w*)\b"
)
"""In the clause of an option, before it: the clause denies it."""

DENIED_AFTER: Final = re.compile(
    r"[ \"')\]}*.:]{0,4}(?:(?:option|choice|answer|one) )?(?:is|are|was|were|does|do|did|can|could|would|should|seems?|sounds?|has"
    r"|have|looks?|feels?|must|can be|could be|may be|might be|gets?|appears?(?: to be)?)"
    r"(?: (?:also|clearly|definitely|probably|very|most|be|been|a|an|the|all|both|just|only|simply|highly|quite|rather|too"
    r"|merely|obviously|therefore|to be|extremely|my|being)){0,4}"
    r" (?:not|wrong|incorrect|absent|unlikely|impossible|improbable|implausible|(?:ruled|left) out|excluded|eliminated|missing"
    r"|false|less|least|no|never|hardly|barely|scarcely|distract\w*|decoys?|traps?|red herring|mistaken?|lures?|far|doubtful"
    r"|doubted|out|rejected|dismissed|discarded|inconsistent|incompatible|contradicted|nowhere|worst|weakest|last|an? \w+ error"
    r"|questionable|unconvincing|unsupported|ridiculous|nonsense|mislead\w*|tempting|too|weak|poor|bad|irrelevant|invalid)\b"
    r"|[ \"')\]}*]{0,4}(?:(?:is|are|was|were|does|do|did|ca|could|would|should|wo|has|have)n't|cannot|fails?|lacks?|contradicts)\b"
    r"|[ .]?\s?[-–—:(=] ?(?:no|not|wrong|incorrect|false|unlikely)\b|[.]? (?:no|wrong|incorrect|false)(?= ?(?:[.,;)\n]|\Z))"
    r"|[\s:.–—(-]{0,3}(?:[✗✘❌✖×🚫]|不|是错|错|ではな|ではあり|じゃな|じゃあり|でない|は違|は間違|[은는이가] ?(?:아니|아닙|틀))"
    r"|[ \"')\]}*]{0,4}(?:no es|n'est pas|ist nicht|ist falsch|não é|non è|не)\b"
)
"""After an option: it is denied."""

HEDGE: Final = re.compile(
    r"\b(?:might|may|could|maybe|perhaps|possib\w+|potential\w+|conceivabl\w+|plausibl\w+|also|alternativ\w+|second|lean\w*"
    r"|though|instead|tempted|wonder\w*|reconsider\w*|now|rather|actually|yet|however|but)\b|可能|也许|或许|かもしれ|아마"
)
WIDE: Final = re.compile(
    r"\bif(?! (?:i|we)(?:'m| am| was| were| had| have| must| need|'d)(?: been)?(?: \w+)?"
    r" (?:to|forced|pressed|asked|required|made|guess|choose|pick)\b| forced| pressed| asked| i must| we must| anything| you ask me)\b"
    r"|\b(?:unless|whether|suppos(?:e|ing|edly)|assuming|assume|imagine|pretend\w*|hypothetical\w*|in theory|theoretically|ideally"
    r"|allegedly|reportedly|rumou?r\w*|in case|provided that|as long as|for (?:example|instance)|e\.g|such as|let's say|say that"
    r"|otherwise|at first(?: glance| listen)?|initially|originally|previously|earlier|in the beginning|on first hearing|formerly"
    r"|for a moment|briefly|(?:i|we)(?:'d| had)? (?:first |initially |almost |nearly |once )?(?:thought|assumed|considered|wanted"
    r"|believed|guessed|suspected|said|answered|imagined|hesitat\w+)|was (?:going|about|tempted) to|would have|could have"
    r"|might have|had (?:i|we|it|the|this|that|there) |were (?:i|we|it|the|this|that|there) |should (?:i|we|it|the|this) "
    r"|my (?:first|initial|earlier|previous|old|original) \w+|one (?:might|could|may|would)|you (?:might|could|may|would)"
    r"|(?:him|her|them|someone|people) (?:say|claim|argue|answer|insist)|tempt\w* to|naive\w*|hasty|careless\w*|superficial\w*|everyone|everybody|no one|nobody|anyone|anybody|someone|somebody"
    r"|(?<!no )(?<!without )(?<!without a )(?<!without any )doubt\w*|wrong to|mistak\w+|incorrect to|hard to believe|not (?:the case|true|correct|sure|certain|convinced|believe|think"
    r"|say|mean|claim)|(?:do|would|did|ca|could)n't (?:think|believe|say|choose|pick|go with)|unlikely that|impossible that)\b"
    r"|\b(?:some|many|most|few|others?|people|listeners?|experts?|critics?|colleagues?|friends?|teachers?|students?|users?"
    r"|reviewers?|annotators?|captions?|prompts?|models?|they|he|she|you|neighbou?rs?|brother|sister|mother|father|wife|husband"
    r"|musicians?|humans?|transcripts?|texts?|documents?|scripts?|articles?|notes?|hints?|books?|websites?|internet|metadata|title|labels?|file ?name|another \w+|the question)"
    r"(?: (?!likely|plausible|probable|common|suitable|appropriate|fitting|accurate|reasonable|of)\w{1,16}){0,4} (?:said|says?|saying"
    r"|claim\w*|think\w*|thought|believ\w+|argu\w+|insist\w*|suggest\w*|guess\w*|assum\w+|conclud\w+|choos\w+|chose|pick\w*"
    r"|answer\w*|call\w*|mistak\w*|state[sd]?|stating|told|tells?|swear\w*|maintain\w*|hold|holds|prefer\w*|go with|went with"
    r"|put\w*|vote\w*|reads?|writes?|wrote|hint\w*|implies|opt\w*)\b"
    r"|\baccording to (?!the (?:audio|clip|recording|sound|music|question|speaker|options|provided|given)|my (?:ears?|analysis|hearing|listening|understanding|judge?ment)|what i|this)"
    r"|\b(?!i |we )\w+ (?:reads?|says?|states?|claims?|writes?|wrote|goes|argues?|insists?|quotes?|said)(?: that)?:"
    r"|\bin the (?:words|opinion|view) of\b|\bquot(?:e|es|ing|ed)\b|\bi was told\b|\bit (?:is|has been) (?:said|claimed|rumou?red)\b"
)
"""Before an option in its sentence: what is said is a condition, a possibility, the past, or another's opinion."""
RESET: Final = re.compile(r"\b(?:but|however|nevertheless|nonetheless|yet|in the end|finally|ultimately|now)\b")

SPOILED_AFTER: Final = re.compile(
    r"\b(?:if(?! (?:i|we) (?:had|have) to| forced| pressed| anything)|unless|assuming|as long as|provided that|maybe|perhaps|possibly"
    r"|(?:or|maybe) (?:something|similar|another|so|else|not|maybe|perhaps)|not (?:\w+ )?(?:sure|certain|confident|positive|convinced)"
    r"|\w+n't (?:be )?(?:\w+ )?(?:sure|certain|confident|positive|convinced|know)|unsure|uncertain|could be wrong|might be wrong"
    r"|may be wrong|could be mistaken|no idea|at first|initially|had (?:i|it|we)|were it|i (?:would|'d) (?:have|need|like) to"
    r"|(?:some|many|most|others|people|listeners?|critics|they|he|she|you|someone|somebody|everyone|experts?|(?:a|my|the) \w+)"
    r" (?:might |would |may |could |will )?(?:say|says|said|think|thinks|thought|claim\w*|argu\w*|believ\w*|insist\w*|suggested"
    r"|guess\w*|told)|(?:it|that|this) was (?:said|claimed|wrong|rejected)|so (?:they|he|she|people) (?:say|claim)"
    r"|is (?:wrong|incorrect|false|unlikely|what (?:it|the) \w+ not)|what (?:i|we) (?:first |initially )?(?:thought|heard first)"
    r"|until|before i|too|as well)\b|\baccording to (?!the (?:audio|clip|recording|sound|music|question)|my (?:ears?|analysis|hearing))"
)
"""After an option, in its sentence: what was said is taken back, or was not one's own."""

ADDS: Final = re.compile(r"[\s\"'(*–—-]{0,4}(?:alternatively|also|or|another|additionally|in addition|likewise|equally|similarly|and|plus)\b")
TOO: Final = re.compile(r"\b(?:also|too|as well|another|additionally|in addition|likewise|equally|alternatively|or)\b|也")

RETRACT = (
    r"(?:wait(?: a (?:moment|minute|second|sec))?|hold on|hang on|hmm+|hm|oh|oops|whoops|ah|uh|um|er|actually|correction|corrected"
    r"|corrigendum|erratum|edit|update|revision|sorry|my (?:bad|mistake|apologies|error)|apologies|pardon(?: me)?|i apologi[sz]e"
    r"|i'm sorry|no|nope|nah|scratch that|strike that|never ?mind|forget (?:that|it)|cancel that|not so fast|then again|or rather"
    r"|i mean(?:t)?|i meant to say|on (?:second thoughts?|reflection|closer listening|re-?listening|further (?:listening|reflection"
    r"|thought|consideration|inspection))|(?:after|upon) (?:further|closer|careful|more|a second|another|re-?\w+|double)[ -]?\w*"
    r"(?: \w+)?|listening (?:again|once more|more closely)|looking (?:again|closer)|thinking (?:again|about it more|twice)"
    r"|having listened again|let me (?:re\w+|correct|think again|check|double|listen again|start over|try again|fix|rephrase|amend)"
    r"(?:[ -]\w+){0,4}|i (?:take|took) (?:that|it) back|i (?:was|am) (?:wrong|mistaken)|i (?:misspoke|misheard|misread)"
    r"|i stand corrected|i made an? (?:mistake|error)|i changed? my (?:mind|answer)|i have to correct(?: myself)?|i correct myself"
    r"|that(?:'s| is| was) (?:wrong|incorrect|not (?:right|correct|it)|a mistake|an error|false)|in reality|in truth|in fact"
    r"|better|more precisely|instead|rather|just kidding|kidding|not quite"
    r"|不对|不對|等等|等一下|等下|更正|纠正|其实|其實|实际上|實際上|抱歉|いや|いえ|待って|訂正|実は|やっぱり|すみません|아니(?:요|다)?|잠깐(?:만요)?"
    r"|정정(?:합니다)?|사실(?:은)?|죄송합니다|espera|perdón|en realidad|corrección|corrijo|mejor dicho|attends|attendez|pardon|en fait"
    r"|plutôt|warte|moment|korrektur|eigentlich|nein|entschuldigung|espere|na verdade|correção|aliás|desculpe|aspetta|anzi"
    r"|correzione|in realtà|scusa|стоп|подожди(?:те)?|нет|точнее|на самом деле|исправление|извините|non|não)"
)
_HARD = (
    r"(?:wait(?: a (?:moment|minute|second|sec))?|hold on|hang on|hmm+|oops|whoops|correction|corrected|corrigendum|erratum|edit|update|nope"
    r"|nah|scratch that|strike that|never ?mind|forget (?:that|it)|cancel that|not so fast|then again|or rather|i mean|i meant"
    r"|on (?:second thoughts?|reflection|closer listening|re-?listening|further \w+)|just kidding|kidding|not quite"
    r"|(?:after|upon) (?:further|closer|a second|another|re-?\w+|double)[ -]?\w*|listening (?:again|once more|more closely)"
    r"|looking (?:again|closer)|thinking (?:again|about it more|twice)|having listened again"
    r"|let me (?:re\w+|correct|think again|check|double|listen again|start over|try again|fix|rephrase|amend)\b"
    r"|不对|不對|等等|等一下|等下|更正|纠正|其实|其實|实际上|實際上|いや|いえ|待って|訂正|実は|やっぱり|아니(?:요|다)?|잠깐(?:만요)?"
    r"|정정(?:합니다)?|사실은|espera|perdón|en realidad|corrección|corrijo|mejor dicho|attends|attendez|pardon|en fait|plutôt|warte"
    r"|moment|korrektur|eigentlich|nein|espere|na verdade|correção|aliás|aspetta|anzi|correzione|in realtà|стоп|подожди(?:те)?|нет"
    r"|точнее|на самом деле|исправление)(?=[\s,.:;!?…。—–-]|\Z|[\u2e80-\uffef])"
)
_SOFT = (
    r"(?:actually|sorry|my (?:bad|mistake|apologies|error)|apologies|i apologi[sz]e|i'm sorry|oh|ah|in reality|in truth|instead(?! of)"
    r"|rather(?! than)|no)(?:\s?[,.:;!…—–-]+|(?=\s(?:it|it's|the|that|that's|this|i|i'm|wait|sorry|my|a|an|[\ue000-\ue003])[\s,.'])|(?<=no)\Z)"
)
RETRACTS: Final = re.compile(
    rf"(?:\A|[.!?;:,\n。…，—–(-]\s{{0,3}}|\bbut\s|\band\s)[\s\"'(*—–-]{{0,4}}(?:{_HARD}|{_SOFT})"
    r"|\b(?:i (?:take|took) (?:that|it|this) back|i (?:was|am|might be|may be|could be|must be) (?:wrong|mistaken|in error)"
    r"|(?:misspoke|misheard|misread|mixed up|stand corrected|scratch that|strike that|disregard|never ?mind|changed? my (?:mind|answer)"
    r"|(?:ignore|forget|cancel|withdraw|retract|revise|revoke|undo|overrule|drop) (?:that|this|it|my|the (?:above|previous|last|first|earlier)|what)"
    r"|made an? (?:\w+ )?(?:mistake|error)|(?:that|it|this) was an? (?:joke|test|lie|typo|slip)|(?:that|this|it|which)(?:'s| is| was| would be| seems| must be| cannot be| can't be"
    r"| couldn't be)?(?: \w+)? (?:wrong|incorrect|mistaken|a mistake|an error|false|not (?:right|correct|it|the (?:case|answer))"
    r"|too hasty|premature|impossible|n't right)|isn't (?:right|correct|it)|cannot be right|can't be right|doesn't (?:fit|match|add up"
    r"|sound right|work)|(?:does|do|did) not (?:fit|match|add up|sound right|work)|reconsider\w*|re-?think\w*|re-?evaluat\w*|re-?examin\w*"
    r"|second thoughts?|on reflection|not so fast|then again|jumped to|spoke too soon|too quickly|too hasty"
    r"|now (?:doubt|think|believe|lean|say)|no longer|take back|i doubt|correct myself|correct (?:that|this|my)|need to correct"
    r"|not (?:right|correct) after all|after all,? no|changed my)\b)"
    r"|(?:不对|不對|更正|说错|搞错|弄错|看错|听错|収回|間違え|訂正|틀렸|정정)"
)
"""What was stated before is taken back."""
NEUTRAL: Final = re.compile(
    r"\b(?:would|while|whereas|unlike|compared|than|because|since|rather|instead of|as opposed to|options?|choices|in contrast|between"
    r"|among|distinguish\w*|differ\w*)\b"
)
"""In a sentence after the answer: it compares or explains, and adds nothing."""
