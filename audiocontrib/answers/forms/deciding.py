"""How a reply begins that decides: the answer is …, I choose …; up to the option. On folded text with marks."""

from __future__ import annotations

from audiocontrib.answers.words import ADVERB, ADVERBS, WORD

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
    r"(?:answers?|(?:first|number[- ]one) (?:choice|pick)|option|choice|pick|selection|conclusion|verdict|guess"
    r"|match|response|solution|bet|prediction"
    r"|decision|result|output|response"
    r"|vote|fit|letter|one(?! of)|final|judge?ment|ans)"
)
_NAMING = r"(?:label|candidate|explanation|category|class|classification|description|interpretation)"
"""Of one of these it takes more to be the answer: "the correct label", "my label", or a heading, "label: …"."""
_POST = (
    rf"(?:\s(?:here|now|then|to (?:this|the|your|that) (?:[\w-]{2, 24} )?(?:question|problem|query|task)"
    rf"|for (?:this|the"
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
    rf"(?:\s?(?::|=|=>|->|→|⇒|\||–|—|\s-|\n|\)|\.\.\.)|'s|\s(?:{ADVERB}\s){{0,2}}(?:is|was|would be|should be|must be"
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
    rf"|(?:(?:the|my|our|this)\s)?(?:(?:{_QUALITY}[,]?\s(?:and\s)?){{1,3}}|(?<=\bmy\s)|(?<=\bour\s)){_NAMING}"
    rf"{_POST}{{0,2}}{_IS}|{_NAMING}\s?[:=]"
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
CHOOSE = (
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
    r"|(?:(?:this|that|which) )?(?:only )?(?:leaves|leaving)(?: (?:us|me))?(?: (?:only|just|with)){0,2}|(?:we"
    r"|i)(?:'re| are|'m| am) left with|(?:the )?(?:remaining|only)(?: (?:remaining|option|choice|one"
    r"|answer)){0,2}(?: left)?(?: is|:)|let's (?:go with|say|pick|choose)"
    r"|(?:selected|chosen|picked|ticked|correct|answer key)\s?(?=[:=])|(?:please )?(?:choose|select|pick|mark|tick"
    r"|put(?: me)? down|lock in|go with|choosing|selecting|picking)(?: me)?)\b"
)
