"""How a reply begins that says what is heard: it is …, the instrument sounds like …; up to the option."""

from __future__ import annotations

from audiocontrib.answers.words import ADVERB, WORD

THAT = (
    r"(?:it|this|that|these|those|he|she|they|what (?:i|we|you) (?:hear|can hear|am hearing)|what (?:is"
    r"|can be) heard|here|there)"
)
NOUN = (
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
    r"|function|technique|progression|structure|form|conversation|dialogue|utterance"
    r"|sentence|message"
    r"|description|interaction|impression|element|component|task|job|tool|machine|device|room"
    r"|vocals?|speech|behaviou?r|surface|substance|liquid|range"
    r"|register|ratio|proportion|amount|rate|size)"
)
"""What an option may be said to be. A side of the clip (its background, opening, solo) is none: of it something may be
said that is not what was asked."""
NP = (
    rf"(?:(?:the|this|that|these|his|her|their|its|my|our|both|all|a|an)\s(?:{WORD}\s){{0,4}}?{NOUN}(?:'s {WORD})?"
    rf"(?:\s(?:in|of|from|for|heard|that|which|playing|played|being|with|at|on|to|used|produced|making|made"
    rf"|expressed|conveyed|shown"
    rf"|featured|described|by|during|between|behind|here|is|are|emitted|present|speaking"
    rf"|singing)(?:\s{WORD}){{0,8}}?)?)"
)
_MUST = r"(?:must|should|has to|have to|can only|will|ought to|would have to|would certainly)"
ARE = (
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
    r"|(?:is|are) (?:\w{2,12}ly )?(?:that of|those of|more like|most like|closest to|(?:most )?consistent with"
    r"|typical of"
    r"|characteristic of"
    r"|indicative of|in line with|in|from|at))\b)"
)
