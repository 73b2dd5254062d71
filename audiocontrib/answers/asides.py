"""Asides: words that keep a statement from being the reply's own answer. Folded text, options as marks."""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.words import BLOCK

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
    r"|let's say|(?<!would )(?<!.d )(?<!i )(?<!we )say that"
    r"|otherwise|at first(?: glance| listen)?|initially|originally|previously|earlier|in the beginning"
    r"|on first hearing|formerly"
    r"|for a moment|briefly|(?:i|we)(?:'d| had)? (?:first |initially |almost |nearly |once )?(?:thought|assumed"
    r"|considered|wanted"
    r"|believed|guessed|suspected|said|answered|imagined|hesitat\w+)|was (?:going|about|tempted) to"
    r"|would have(?! to\b)"
    r"|could have"
    r"|might have|had (?:i|we|it|the|this|that|there) |were (?:i|we|it|the|this|that|there) |should (?:i|we|it|the"
    r"|this) "
    r"|my (?:first(?! (?:choice|pick|answer) is)|initial|earlier|previous|old|original) \w+|one (?:might|could"
    r"|may|would)|you (?:might|could|may"
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
    r"|metadata|title|labels?|file ?name|another (?!(?:\w+ )?(?:answer|option|choice)\b)\w+|the question)"
    r"(?: (?!i\b|we\b|likely|plausible|probable|common|suitable|appropriate|fitting|accurate|reasonable"
    r"|of)\w{1,16}){0,4} (?:said|says?|saying"
    r"|claim\w*|think\w*|thought|believ\w+|argu\w+|insist\w*|suggest\w*|guess\w*|assum\w+|conclud\w+|choos\w+|chose"
    r"|pick\w*"
    r"|answer\w*|call\w*|mistak\w*|state[sd]?|stating|told|tells?|swear\w*|maintain\w*|hold|holds|prefer\w*|go with"
    r"|went with"
    r"|put\w*|vote\w*|reads?|writes?|wrote|hint\w*|implies|opt(?:s|ed)? for)\b"
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

NEUTRAL: Final = re.compile(
    r"\b(?:would|over|while|whereas|unlike|compared|than|because|since|rather|instead of|as opposed to|options?"
    r"|choices"
    r"|in contrast|between"
    r"|among|distinguish\w*|differ\w*)\b"
)
"""In a sentence after the answer: it compares or explains, and adds nothing."""
