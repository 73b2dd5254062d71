"""How a sentence goes on from the option that it states, in English. On folded text with marks."""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.words import ADVERB, WORD

_BEST = (
    r"(?:(?:the |my |our |an? |your )?(?:(?:single|only|clear|obvious|one|overall|most|very)\s){0,2}"
    r"(?:correct|right|best|final|likeliest|closest|true|accurate|chosen|proper|winning|strongest|intended|valid"
    r"|most (?:\w{4,14})|(?:most )?likely|more likely|most|best[- ](?:\w{3,9}))(?:[ -](?:answer|choice|option|pick"
    r"|match|one|fit|selection|guess"
    r"|description|candidate|solution|explanation|response|here|sounding|\w+ing)\b)?"
    rf"|(?:the|my|our) (?:{WORD} )?(?:answer|choice|option|pick|match|one|winner|selection|vote|guess|verdict"
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
    r"|[ \"')\]}*.]{0,3}[.:(=?|–—-]{1,2} ?(?:correct|right|true|yes|this is (?:correct|right|the answer)"
    r"|correct answer)(?= ?(?:[.,;)!|\n]|\Z))"
)
"""After an option: it is the answer."""
NOT_MINE: Final = re.compile(
    r"\b(?:to (?:a|another) (?:different|other|\w+) (?:question|problem)|(?:in|for|of|to) (?:a |an "
    r"|the )?(?:different|another"
    r"|other|previous|next) \w+|for (?:most|many|some|those|people|beginners|anyone|someone|others)|many"
    r"|most (?:people|listeners)"
    r"|naive|untrained|unless|if|only|in (?:theory|general|principle)|on paper|beginners?|novices?|elsewhere"
    r"|(?:you|they|he|she|people|one|someone) (?:\w+ )?(?:want|expect|hope|think|say|give|gave|chose|choose"
    r"|pick)\w*)\b"
)
"""After "… is the answer": not of this question, or not one's own."""
MADE: Final = re.compile(
    r"(?:,\s?(?:thus |thereby |therefore )?making|\b(?:(?:which|this|that|it|all this) (?:therefore "
    r"|thus )?makes))\s(?:it\s)?[\"'(]{0,2}(?:(?:the|a|an|option)\s)?[\"'(]{0,2}\Z"
)
MADE_AFTER: Final = re.compile(rf"[\"')\]}}]{{0,4}}\s(?=the |my ){_BEST}")
"""Around an option: "which makes it the best choice"."""
NOTED_AFTER: Final = re.compile(
    r"[ \"')\]}*]{0,4}(?:(?:is|are|was|were|can be|can clearly be|has been)(?: (?:being|clearly|definitely"
    r"|distinctly|softly|loudly|also)){0,2}"
    r" (?:playing|played|heard|audible|present|detected|featured|used|sounding|singing|speaking|identifiable"
    r"|recogni[sz]able|evident"
    r"|the (?:main |primary |dominant )?(?:sound|instrument|source|one|speaker|voice|genre|mood|emotion|animal)"
    r"|what (?:i (?:can )?hear|is (?:heard|playing|played)|can be heard|we (?:can )?hear))|plays|sounds)\b"
)
"""After an option: it is heard."""

_AFTER_COMMA = (
    r"(?:because|since|as(?! (?:well|some|many|most|they|he|she|people)\b)|which|with|given|due|based|not|rather"
    r"|instead|considering|judging|where|who|when|and (?:it|its|this|that|the|i|we|there|not|no|none|neither)|but"
    r"|while|whereas|unlike|thanks|i'm|i (?:think|believe|guess|am|would say|know|hear|can)|in (?:my|this|the"
    r"|that|contrast)"
    r"|for|from|at|on|by|of course(?= ?(?:[.!\n]|\Z))|\w{3,14}ing|an?|the|its|it|it's|this|that|that's|there"
    r"|there's|\w{3,12}ly|so|no (?:doubt|question)|without|my|to|i\.e|namely|option|letter|choice|long|then"
    r"|please|right|final"
    r"|thus|hence|even|though(?! (?:i|some|many|it (?:could|might|may))\b)|although(?! (?:i|some|many)\b)|despite"
    r"|after|over|among|out of|all|both|perfect|high|low|soft|loud|clear|\d|per|sharp|bright|deep|strong|quiet"
    r"|fast|slow"
    r"|played|heard|used|recorded|produced|performed|made|followed|marked|characteri[sz]ed|known|often"
    r"|porque|ya que|pues|car|parce que|puisque|weil|denn|da|perché|poiché|pois|já que|потому|так как|поскольку|и не"
    r"|no|sino|mais|non|nicht|não|не|а не|und nicht|et non|y no|e não|e non|ist|est|es|é|è)\b"
)
"""How a sentence goes on after an option and a comma; of what else it may say nothing is known."""
_PLAYED = (
    r"(?:played|heard|recorded|produced|performed|sung|used|made|accompanied|plucked|struck|detected|featured|caused"
    r"|combined|expressed|bowed|amplified|tuned|pitched|distorted|muted|picked|strummed|generated|described"
    r"|spoken|followed)"
)
_VERDICT = (
    r"(?:(?!(?:based|supposed|indeed|red)\b)\w{3,14}ed|(?:ruled|left|crossed) out|distract\w*|decoy|trap|maybe"
    r"|perhaps"
    r"|possibly|not|no|never|wrong|false|doubtful|\w{1,8}n't|un\w{3,12}|im\w{3,12}|in(?:correct|valid"
    r"|consistent)\w*|too"
    r"|second|runner|alternativ\w*)\b"
)
"""After an option and a dash or a bracket: it may be denied there."""
TAIL: Final = re.compile(
    rf"[\"')\]}}>*]{{0,5}}(?:\s?\Z|\s?[.!?;\n:)…。、|~✅✓✔]|\s?,\s?+(?={_AFTER_COMMA}|[^\w\s]"
    rf"|[\d\ue000-\ue003\u0370-\uffff]|\Z)|\s?(?:[-–—]+|[(\[])\s?+(?!{_VERDICT})"
    r"|\s(?:because|since|as(?! well)|which|that|who|where|when|from|in(?! (?:theory|principle|general|another"
    r"|other|some|most|many)\b)"
    r"|on(?! paper\b)|at|for(?! (?:most|some|many|people|those|anyone|beginners|others|an? (?:\w+ )?(?:listener"
    r"|question|clip|recording))\b)"
    r"|of|by(?! (?:most|some|many|others)\b)|to(?= (?:me|my|this|the|your|be|answer)\b)|given|due|based"
    r"|according|rather|instead|not"
    r"|long|tempo|over|here|there|again|now|please|being|out of|is correct|then|thanks|playing|i (?:think"
    r"|believe|guess"
    r"|would say|'d say)|in my"
    r"|sounds?|noises?|and (?:it|this|that|i|we|there|its|it's|nothing|no|not|that's|is|has|was)|but|while|whereas"
    r"|with(?! an? [\ue000-\ue003])"
    rf"|\w{{2,14}}ing|{_PLAYED}|clearly|softly|loudly|alone|only(?= ?[.!\\n]|\\Z)|itself|than|time|in total"
    rf"|total|times|family"
    r"|section)\b)"
)
"""How a sentence may go on after the option that it states."""
_COUNTED = (
    r"(?:people|persons?|men|women|man|woman|child(?:ren)?|speakers?|voices?|times?|sounds?|instruments?|notes?"
    r"|beats?|bars?"
    r"|seconds?|minutes?|hours?|hz|khz|bpm|db|years?|words?|syllables?|cents?|semitones?|octaves?|degrees?|dogs?|cats?"
    r"|birds?|animals?|singers?|musicians?|players?|others?|persons|in total)"
)
NUMBER_TAIL: Final = re.compile(
    rf"\s(?:(?:distinct|different|separate|individual|unique|main|other|male|female|adult|single|loud|clear"
    rf"|spoken|musical"
    rf"|human|stressed|primary|of (?:them|these|those))\s){{0,2}}(?:{_COUNTED}|(?!(?:is|was|has|does|as|minus"
    rf"|plus|times|less|this|its"
    r"|votes?|points?)\b)[^\W\d_\u2e80-\uffff]{2,16}s)(?=\s?[.,;:!)\n]|\s?\Z|\s(?:in|of|are|were|can|present"
    r"|heard|speaking|talking"
    r"|playing|singing|that|who|which|on|at|from|during|throughout|involved|long|because|since|as|per"
    r"|and (?:it|this|that|these|the|a|an|some|no|not|nothing|none|one|two|both|all|each|\d)|apart"
    r"|total|with|\w{3,14}ing)\b)"
)
"""After an option that is a number, also: what it counts."""
