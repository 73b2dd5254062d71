"""The closed list of forms by which a statement names an option, in English. On folded text with marks.

A form is matched whole: from the beginning of a clause to the option, and on from the option.
"""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.retractions import RETRACT
from audiocontrib.answers.words import (
    ADVERB,
    ADVERBS,
    FILL,
    GROUNDS,
    LEAD_IN,
    MODIFIED,
    OPENERS,
    SUBJECT_VERB,
    WORD,
)

_QUALITY = (
    r"(?:final|correct|right|best|only|single|chosen|selected|definitive|definite|overall|ultimate|true|actual|proper"
    r"|closest|predicted|expected|revised|corrected|updated|new|better|strongest|appropriate|suitable|accurate|likely"
    r"|likeliest|probable|plausible|honest|educated|top|own|clear|obvious(?! but)|resulting|official|short|direct"
    r"|matching"
    r"|logical|reasonable|fitting|well-founded|firm|considered|most (?:\w{4,14})|best[- ](?:fitting|matching)"
    r"|multiple[- ]choice"
    r"|recommended|preferred|winning|intended|desired|required|complete|unique|sole|simple|plain|safest|soundest"
    r"|natural)"
)
_ANSWER = (
    r"(?:answers?|option|choice|pick|selection|conclusion|verdict|guess|match|response|solution|bet|prediction"
    r"|decision|result"
    r"|vote|fit|label|letter|one|final|candidate|explanation|category|classification|description|interpretation"
    r"|judge?ment|ans)"
)
_POST = (
    rf"(?:\s(?:here|now|then|to (?:this|the|your|that) (?:\w+ )?(?:question|problem|query|task)|for (?:this|the"
    rf"|that|your) (?:\w+ )?"
    rf"(?:question|audio|clip|item|recording|task|sample|one|problem)|(?:from|among|out of|of) (?:the|these|those"
    rf"|all)(?: \w+){{0,3}}"
    rf" (?:options|choices|list|above|answers|candidates|four|three)|in this case|in the end|(?:i|we)(?:'d|'ll|'m"
    rf"| would| will| am)?"
    rf" (?:choose|pick|give|select|have|go with|going with|reach|arrive at|settled? on)|is then|would then"
    rf"|after (?:all|listening)"
    rf"(?: to (?:the|this) \w+)?|based on (?:the|this|my)(?: {WORD}){{1,5}}?|that (?:best |most closely "
    rf"|clearly )?(?:fits|matches"
    rf"|describes|answers|applies|suits)(?: {WORD}){{0,6}}?|given (?:the|this)(?: {WORD}){{1,4}}?"
    rf"|according to (?:the|this|what i)"
    rf" \w+(?: \w+)?|which (?:fits|matches|describes)(?: {WORD}){{1,5}}?))"
)
_IS = (
    rf"(?:\s?(?::|=|=>|->|→|⇒|–|—|\s-|\n|\)|\.\.\.)|'s|\s(?:{ADVERB}\s){{0,2}}(?:is|was|would be|should be|must be"
    rf"|has to be|will be|can only be|(?:appears|seems) to be|remains|becomes|being|ought to be|reads|equals|stays"
    rf"|comes out as|(?:is|would be) (?:given|stated|found|chosen) as|turns out to be)\b)"
)
_FITTING = (
    r"(?:most (?:likely|similar|comparable|compatible|representative|descriptive|fitting|suitable|appropriate"
    r"|plausible|probable|accurate|reasonable|relevant|logical"
    r"|consistent|apt)"
    r"|best(?:[- ](?:fitting|matching|suited))?|correct|right|closest|likeliest)"
)
_AIMED = rf"(?:\s(?:of|for|to|in|that|which|from|with|by|given|based on|here)(?:\s{WORD}){{0,9}}?)?"
ANSWER_IS = (
    r"(?:"
    r"(?:(?:the|my|our|this|so my|so the)\s(?:one\s)?)?"
    rf"(?:{_QUALITY}[,]?\s(?:and\s)?){{0,3}}{_ANSWER}{_POST}{{0,2}}{_IS}"
    rf"|(?:so )?(?:the|my)\s(?:single\s)?{_FITTING}(?:,? and {WORD})?(?:\s{WORD}){{1,3}}?{_AIMED}{_IS}"
    rf"|the\s{WORD}(?:\s{WORD})?\s"
    r"(?:(?:that|which)\s(?:best|most closely|most accurately|clearly|would best)\s\w+|best\s\w+ing)"
    rf"(?:\s{WORD}){{0,9}}?{_IS}"
    r")"
)
_BE_GOING = (
    r"(?:i|we)(?:'m| am|'re| are) (?:{adv})?(?:going (?:with|for|to (?:go with|choose|pick|select|say|answer))"
    r"|choosing|picking|selecting|settling on|sticking with|opting for|voting for|answering|submitting|saying)"
)
_CHOOSE = (
    rf"(?:(?:i|we)(?:'d|'ll| would| will| shall| must| should| can only| have to| had to| am going to| do| have"
    rf"| need to| want to"
    rf"| am forced to| am inclined to| can| therefore| hereby| if forced|'ve)?(?: have to| like to| rather"
    rf"| only)?\s{ADVERBS}"
    r"(?:choose|chose|chosen|pick|picked|select|selected|go(?: for| with)?|went with|answer|opt for|opted for"
    r"|conclude|settle (?:on|for)"
    r"|settled (?:on|for)|guess|say|vote for|stick (?:with|to)|bet on|decide (?:on|for)|decided (?:on|for)|declare"
    r"|submit|put(?: down)?"
    r"|mark|circle|tick|commit to|nominate|identify (?:it|this|the \w+) as|classify (?:it|this|the \w+) as"
    r"|label (?:it|this) as"
    r"|call (?:it|this)|change (?:it|that|this|my answer)(?: (?:from|away from) [\ue000-\ue003]'?)? to"
    r"|switch(?: my answer)? to|revise (?:it|that|my answer) to"
    r"|correct (?:it|that|this|my answer|myself)(?: to|:)|meant?(?: to say)?|am with)"
    rf"|{_BE_GOING.format(adv=ADVERB + ' ')}"
    r"|(?:going|went|sticking) with|(?:changing|switching|revising|correcting|updating) (?:it |that |this "
    r"|my (?:final )?answer )?"
    r"(?:from [\ue000-\ue003]'? )?to|my (?:vote|money) (?:goes to|is on|is for)|make (?:it|that|mine)"
    r"|(?:i|we)(?:'m| am|'re| are) (?:changing|switching|revising|correcting|updating) (?:it |that |this "
    r"|my (?:\w+ )?"
    r"(?:answer|choice|guess|mind) )?(?:from [\ue000-\ue003]'? )?to"
    r"|let's (?:go with|say|pick|choose)"
    r"|(?:selected|chosen|picked|ticked|correct|answer key)\s?(?=[:=])|(?:please )?(?:choose|select|pick|mark|tick"
    r"|put(?: me)? down|lock in|go with|choosing|selecting|picking)(?: me)?)\b"
)
_THAT = (
    r"(?:it|this|that|these|those|he|she|they|what (?:i|we|you) (?:hear|can hear|am hearing)|what (?:is"
    r"|can be) heard|here|there)"
)
_NOUN = (
    r"(?:sounds?|noises?|instruments?|speakers?|voices?|person|people|man|woman|singers?|vocalist|performer|source"
    r"|cause|emotions?"
    r"|moods?|genre|style|key|chords?|tempo|rhythm|met(?:er|re)|time signature|melody|harmony|scale|mode|events?"
    r"|actions?"
    r"|activity|animals?|birds?|places?|location|setting|scene|environment|objects?|vehicles?|material|words?"
    r"|phrase|topic|subject"
    r"|theme|reason|purpose|role|relationship|number|count|total|order|sequence|duration|length|age|gender|accent"
    r"|language|country"
    r"|nationality|quality|texture|dynamics|pitch|notes?|interval|weather|tone|feeling|atmosphere|effect|intention"
    r"|attitude|music"
    r"|song|piece|track|audio|recording|clip|sample|fragment|excerpt|segment|passage|signal|performance|family|type"
    r"|kind|class"
    r"|category|character|characteristic|feature|profession|occupation|situation|context|event type|state|condition"
    r"|value|difference"
    r"|time|moment|period|era|origin|culture|region|pattern|timbre|section|part|direction|distance|level|loudness"
    r"|volume|frequency"
    r"|background|foreground|function|effect|technique|progression|structure|form|conversation|dialogue|utterance"
    r"|sentence|message"
    r"|description|interaction|impression|element|component|task|job|tool|machine|device|room|bass|solo|lead"
    r"|accompaniment|beat"
    r"|percussion|vocals?|speech|behaviou?r|surface|substance|liquid|sport|game|weapon|food|ending|opening|range"
    r"|register)"
)
_NP = (
    rf"(?:(?:the|this|that|these|his|her|their|its|my|our|both|all|a|an)\s(?:{WORD}\s){{0,4}}?{_NOUN}(?:'s {WORD})?"
    rf"(?:\s(?:in|of|from|for|heard|that|which|playing|played|being|with|at|on|to|used|produced|making|made"
    rf"|expressed|conveyed|shown"
    rf"|featured|described|by|during|between|behind|here|is|are|emitted|present|speaking"
    rf"|singing)(?:\s{WORD}){{0,8}}?)?)"
)
_MUST = r"(?:must|should|has to|have to|can only|will|ought to|would have to|would certainly)"
_ARE = (
    rf"(?:'s|'re|\s(?:{ADVERB}\s){{0,2}}(?:is|are|was|were|be|{_MUST} be|(?:seems?|appears?|is found|turns? out"
    rf"|proves?|looks?|sounds?)"
    r" to be|sounds? (?:most |more |very |a lot |much |exactly |just )?like|seems? like|looks? like|feels? like"
    r"|resembles?|remains?"
    r"|(?:aligns?|corresponds?|fits?|agrees?) (?:best |most closely |well |\w{2,12}ly )?(?:with|to)|matches|fits"
    r"|equals?|means?|denotes?|belongs? to|comes? from"
    r"|stems? from|originates? from"
    r"|suggests?|indicates?|points? (?:clearly )?(?:to|towards?)|conveys?|expresses|evokes?|implies|represents?"
    r"|reflects?|depicts?"
    r"|captures?|shows?|reveals?|contains?|features?|includes?|consists? of|has|have|identif(?:y|ies) (?:it )?as"
    r"|gives? away|says?|tells? me"
    r"|(?:is|are|was|were|can be|could only be|would be|should be)(?: \w{2,12}ly| best| most accurately)?"
    r" (?:described|characteri[sz]ed|classified|identified|categori[sz]ed|labell?ed|known|heard|recogni[sz]ed"
    r"|interpreted|summari[sz]ed"
    r"|considered|regarded) as"
    r"|(?:is|are|was|were) (?:recorded|taken|made|set|located|played|sung|spoken|performed|produced|caused"
    r"|generated|created|emitted"
    r"|written|composed|filmed|held|based|used|sent|heard)(?: (?:in|on|at|by|with|from|inside|near|using))?"
    r"|(?:starts?|begins?|ends?|occurs?|lasts?|happens?|appears?|takes? place|takes|runs|goes|arrives|comes|changes"
    r"|said|told|mentions?|mentioned)"
    r"(?: (?:at|for|in|on|about|around|after|roughly|approximately|exactly|by|up|to|with)){0,2}"
    r"|(?:is|are|can be) (?:best |most closely |clearly )?(?:matched|represented|reflected|captured|conveyed"
    r"|explained|answered|described) by"
    r"|(?:is|are) (?:\w{2,12}ly )?(?:that of|those of|more like|most like|closest to|consistent with|typical of"
    r"|characteristic of"
    r"|indicative of|in line with|in|from|at))\b)"
)
_CHAIN = rf"(?:{OPENERS}(?:{SUBJECT_VERB}|{GROUNDS})?(?:{SUBJECT_VERB})?)"
_START = rf"{LEAD_IN}{_CHAIN}"
_RETRACTED = rf"(?:[\s\"'(–—-]{{0,3}}{RETRACT}(?:[\s,.:;!?…–—]|(?<=[\s-])-){{1,4}}){{1,3}}"

_FORCED = (
    r"(?:if|when) (?:(?:i|we) (?:had|have|were|am|are|was|must|need) ?)?(?:to|forced to|pressed to|asked to|made to"
    r"|required to)? (?:choose|pick|guess|select|answer|decide|say|commit)(?:\s\w+){0,3}?,? (?:then )?(?:it|that|this"
    r"|mine) would (?:have to |probably |likely )?be"
)
STRONG: Final = re.compile(
    rf"{LEAD_IN}{OPENERS}{_FORCED}{FILL}{MODIFIED}|{LEAD_IN}(?:{_RETRACTED})?{_CHAIN}(?:{ANSWER_IS}"
    rf"|{_CHOOSE}){FILL}{MODIFIED}(?:{FILL})?"
    rf"|{LEAD_IN}(?:so|therefore|thus|hence|consequently|in conclusion|ultimately"
    rf"|finally),?\s(?:{ADVERB}\s)?(?:{_THAT}|{_NP}){_ARE}\s{FILL}{MODIFIED}"
)
"""Decides whatever else was said before: the answer is …, I choose …, so it is …"""
WEAK: Final = re.compile(
    rf"{LEAD_IN}(?:{_RETRACTED})?{_CHAIN}(?:"
    rf"(?:{_THAT}|{_NP}){_ARE}\s?{FILL}{MODIFIED}"
    rf"|(?:i|we|you|one)(?:'m| am| can| could| do|'ve| have)?\s{ADVERBS}(?:hear(?:d|ing)?|recogni[sz]ed?"
    rf"|detect(?:ed)?|perceived?|notice|identif(?:y|ied)|listen(?:ing)? to|make out|count(?:ed)?|am|suspect|believe"
    rf"|think)\s?{FILL}{MODIFIED}"
    rf"|(?:i'm|it|this|that|there's|there (?:is|are|was|were)|definitely|clearly|must be|sounds? like|seems? like"
    rf"|seems? to be|appears to be|looks like|has to be|can only be|is|it's got to be|gotta be|that'd be"
    rf"|that would be)\s?{FILL}{MODIFIED}"
    rf"|which (?:best |most closely |clearly )?(?:aligns? with|matches|corresponds to|fits|points to|indicates"
    rf"|means)\s?{FILL}{MODIFIED}"
    rf"|(?:the )?(?:{_NOUN})\s?[:=]{FILL}"
    r")"
)
"""Says what is heard; it decides nothing against a statement of the other kind."""
_DETERMINED = (
    rf"(?:{FILL}(?:\b(?:the|a|an)\s)?(?:\b(?:sounds?|noises?|voices?|presence|use|recording"
    rf"|music)\sof\s)?{FILL}{MODIFIED})"
)
BARE: Final = re.compile(rf"{LEAD_IN}[\"'(\[{{*]{{0,3}}(?:{_RETRACTED})?{OPENERS}(?:{ADVERB},?\s){{0,2}}{_DETERMINED}")
"""The option and nothing before it, at the beginning of a sentence."""
CONTINUED: Final = re.compile(
    rf"[\s\"'(–—-]{{0,3}}(?:{_RETRACTED}|(?:so|therefore|thus|hence|consequently|making it|which makes it"
    rf"|hence the answer|in conclusion)[,:]?\s)"
    rf"{OPENERS}{_DETERMINED}"
)
"""The same in the middle of a sentence."""
NAMED_IN_FULL: Final = re.compile(r"\b(?:is|be|as)\s?:\s?[\"'(\[*]{0,3}\Z")
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

_BEST = (
    r"(?:(?:the |my |our |an? |your )?(?:(?:single|only|clear|obvious|one|overall|most|very)\s){0,2}"
    r"(?:correct|right|best|final|likeliest|closest|true|accurate|chosen|proper|winning|strongest|intended|valid"
    r"|most (?:\w{4,14})|(?:most )?likely|more likely|most|best[- ](?:\w{3,9}))(?:[ -](?:answer|choice|option|pick"
    r"|match|one|fit|selection|guess"
    r"|description|candidate|solution|explanation|response|here|sounding|\w+ing)\b)?"
    r"|(?:the|my|our) (?:\w+ )?(?:answer|choice|option|pick|match|one|winner|selection|vote|guess|verdict"
    r"|conclusion|bet)\b)"
)
DECIDED_AFTER: Final = re.compile(
    r"[ \"')\]}>*.]{0,4}(?:,? )?(?:"
    rf"(?:option |choice )?(?:is|are|was|would be|must be|seems(?: to be)?|looks|appears(?: to be)?|sounds|feels"
    rf"|should be|remains|has to be|will be|strikes me as|stands out as|emerges as)"
    rf"(?: {ADVERB}| by far| easily| thus){{0,2}} {_BEST}(?! not\b)"
    rf"|(?: {ADVERB})?(?:best |most closely |clearly |perfectly |better )?(?:fits|matches|describes|suits|answers"
    rf"|captures|explains|applies|corresponds|aligns)"
    r"(?: \w+){0,4}(?: best| most closely| perfectly| well| exactly)\b"
    r"|(?:best|most closely|clearly|perfectly) (?:fits|matches|describes|suits|answers|captures|explains)\b|(?:fits"
    r"|matches|describes) (?:best|the|what|it|this|all)\b"
    r"|it is\b|wins\b|makes (?:the )?most sense|gets my vote|for (?:sure|certain)\b|(?:is )?what i (?:hear|choose"
    r"|pick|would (?:choose|pick|say))\b"
    r"|is what (?:is|can be) (?:heard|played|playing)|is my\b|(?:seems|looks|sounds|is) (?:exactly |about "
    r"|just )?right\b)"
    r"|[ \"')\]}*.:(=–—-]{0,5}(?:✓|✔|✅|☑|√|👍)"
    r"|[ \"')\]}*.]{0,3}[.:(=–—-] ?(?:correct|right|true|yes|this is (?:correct|right|the answer)"
    r"|correct answer)(?= ?(?:[.,;)!\n]|\Z))"
)
"""After an option: it is the answer."""
MADE: Final = re.compile(r"\bmak(?:es|ing)\s(?:it\s)?[\"'(]{0,2}(?:(?:the|a|an|option)\s)?[\"'(]{0,2}\Z")
MADE_AFTER: Final = re.compile(rf"[\"')\]}}]{{0,4}}\s(?=the |my ){_BEST}")
"""Around an option: "which makes it the best choice"."""
NOTED_AFTER: Final = re.compile(
    r"[ \"')\]}*]{0,4}(?:(?:is|are|was|were|can be|can clearly be|has been)(?: (?:being|clearly|definitely"
    r"|distinctly|softly|loudly|also)){0,2}"
    r" (?:playing|played|heard|audible|present|detected|featured|used|sounding|singing|speaking|identifiable"
    r"|recogni[sz]able|evident"
    r"|the (?:main |primary |dominant )?(?:sound|instrument|source|one|speaker|voice|genre|mood|emotion|animal)"
    r"|what)|plays|sounds)\b"
)
"""After an option: it is heard."""

TAIL: Final = re.compile(
    r"[\"')\]}>*]{0,5}(?:\s?\Z|\s?[.!?;\n,:)(…。、|~✅✓✔]|\s?[-–—]+\s?|\s?[(\[]"
    r"|\s(?:because|since|as(?! well)|which|that|who|where|when|from|in|on|at|for|of|by|to|given|due|based"
    r"|according|rather|instead|not"
    r"|long|tempo|over|here|there|again|now|please|being|out of|is correct|then|thanks|playing|i (?:think"
    r"|believe|guess"
    r"|would say|'d say)|in my"
    r"|sounds?|noises?|and (?:it|this|that|i|we|there|its|it's|nothing|no|not|that's|is|has|was)|but|while|whereas"
    r"|with(?! an? [\ue000-\ue003])"
    r"|\w{2,14}ing|\w{2,14}ed|clearly|softly|loudly|alone|only|itself|than|time|in total|total|times|family"
    r"|section)\b)"
)
"""How a sentence may go on after the option that it states."""
NUMBER_TAIL: Final = re.compile(
    r"\s(?!(?:es|está|est|ist|é|è|war|era|était|sind|no|não|não|nicht|pas|non|не|ни|не[а-я]{4,12}|или|и|und"
    r"|oder|et|ou|y|o"
    r"|gewesen|or|and|to|nor|of|out|if|unless|is|are|was|were|be|seems?|sounds?|looks?|feels?|appears?|would|could"
    r"|might|may|can"
    r"|cannot|has|have|had|does|did|doesn|isn|must|should|will|some|with|fits?|makes?|remains?|fails?|lacks?|also|too"
    r"|contradicts?|\w+ed)\b)[^\W\d_\u2e80-\uffff]{2,}"
)
GIVEN: Final = re.compile(
    rf"{LEAD_IN}{OPENERS}(?:(?:based on|given|after|since|because|considering|from|as|judging|well|i|we|to|looking"
    rf"|among|of the|having"
    r"|listening|with (?:this|that|these|the)|overall|so|in (?:this|my|the|short|conclusion|summary)|then"
    r"|here)\b[^\n]*)?"
)
"""What may come before "the answer would be" in its sentence, so that it is no mere thought."""
