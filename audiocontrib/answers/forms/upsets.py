"""Words that may turn an answer over, or give it to someone else. On folded text with marks."""

from __future__ import annotations

import re
from typing import Final

_REVERSAL = (
    r"(?:wrong\w*|incorrect\w*|false\w*|mistak\w+|mistook|err|errs|errors?|erroneous\w*|otherwise|contrary"
    r"|contradict\w*|against|oppos(?:e|es|ed|ing|ite)|disprov\w*|refut\w+|den(?:y|ies|ied|ying)|reject\w*|retract\w*"
    r"|withdr[ae]w\w*|revok\w*|revis\w+|reconsider\w*|re-?think\w*|re-?thought|re-?evaluat\w*|re-?check\w*"
    r"|re-?assess\w*|chang(?:e|es|ed|ing) (?:my|that|it|this|the answer|to|everything)"
    r"|correct(?:ion|ions|ed|ing)|actually|sorry|apolog\w+|oops|whoops|wait|hm+|hold on|hang on|nope|nah|nonsense"
    r"|rubbish|absurd\w*|ridiculous\w*|kidding|jok(?:e|es|ed|ing)|sarcas\w+|iron(?:y|ic|ically)|fool(?:s|ed|ish|ing)?"
    r"|trick\w*|traps?|decoys?|distract\w+|mislead\w*|misled|mis(?:hear|heard|read|spoke|judg\w+|interpret\w+"
    r"|label\w+|match\w*)|confus\w+|disagree\w*|dissent\w*|object(?:ed|ions?)|disput\w+|challeng\w+|overrul\w+"
    r"|overturn\w*|refus\w+|regret\w*|ignor(?:e|es|ed|ing)|disregard\w*|forget|forgot\w*|cancel\w*|scrap|strike|delete"
    r"|undo|void|invalid\w*|premature\w*|hast(?:y|ily|e)|naive\w*|careless\w*|superficial\w*|bluff\w*|lie|lied|lying"
    r"|made (?:that|this|it) up|fabricat\w+|hallucinat\w+|random\w*|arbitrar\w+|guess\w*"
    r"|fail(?:s|ed)? (?:to|here|this|the)|falls apart|rule[sd]? (?:it|this|that) out|ruled out|never ?mind|no longer"
    r"|any ?more|not any|far from|anything but|hardly|barely|scarcely|revers\w+|unconvinc\w+|unlikely|implausible"
    r"|improbable|impossible|untrue|inaccurate\w*|inconsistent with (?:this|that|it)|too (?:quick\w*|soon|early|fast)"
    r"|by (?:accident|mistake)|as if|proves? me|disproven|outdated|obsolete|superseded|replaced)"
)
_DOUBT = (
    r"(?:(?<!no )(?<!without )(?<!without a )(?<!without any )doubt\w*|unsure|uncertain\w*|unclear|(?:not"
    r"|\w{1,5}n't) (?:\w+ )?(?:sure|certain|confident|convinced|true"
    r"|right|correct|the case|it|so|quite|know|be)|if|unless|assum\w+|suppos(?:e|ed|edly|ing|ition)|imagin\w+"
    r"|pretend\w*|hypothe\w+|(?:would|should|could|might|may|must) have|had (?:it|i|we)|were (?:it|i)"
    r"|(?<=, )(?:had|were)|maybe|perhaps"
    r"|possibly|coin|flip|toss-?up|in (?:theory|principle)|on paper|theoretically|half of|sometimes"
    r"|only (?:when|if|in|for|because|by|under|with|on|at|to)|until|till|depend\w*|wonder\w*|ambigu\w+"
    r"|questionable|debatable|arguabl\w+)"
)
_BUT = (
    r"(?:but|however|though|although|nevertheless|nonetheless|even so|still|yet|then again|on the other hand|that said"
    r"|having said)"
)
_SAY = (
    r"(?:say|said|claim|think|thought|believe|argue|insist|tell|told|want|expect|guess|prefer|favou?r|vote|opt|pick"
    r"|choose|chose|answer)"
)
_OTHERS = (
    rf"(?:(?:they|people|you|listeners?|students?|users?|others|many(?: of them)?|most(?: of them)?|some|he|she"
    rf"|one) (?:(?!likely|plausible|probable|\w+able|\w+ate|\w+ing|\w+ive)\w+ )?{_SAY}(?:s|d|ed)?"
    r"|everyone|everybody|anyone|anybody|no one|nobody|friends?|colleagues?|professors?|experts?|critics?"
    r"|annotators?|reviewers?|beginners?|novices?|neighbou?rs?|chatgpt|gpt\S{0,8}|gemini|claude|prompt|captions?"
    r"|titles?|metadata|textbooks?|wikipedia|internet|rumou?rs?|claim\w*|alleg\w+|reported\w*"
    r"|according to (?!the (?:audio|clip|recording|sound|music))|quot\w+|i (?:said|wrote|thought|believed|used|say)"
    r"|(?:i|we) was|told|opinions?)"
)
_MORE = (
    r"(?:alternativ\w+|as well|also (?:be|possible|correct|right|fit|work|acceptable|valid|plausible|likely|true)"
    r"|another (?:answer|option|choice|possib\w+|candidate)|second (?:answer|option|choice)|equally|likewise"
    r"|either|or else|(?:previous|next|different|other|another) (?:question|answer|clip|recording|matter|story|riddle"
    r"|idea|task|problem)|too(?= ?(?:[.,;!]|\Z))|examples?|for instance|template|placeholder|format|test(?:ing)?|demo)"
)
UPSET: Final = re.compile(rf"\b(?:{_REVERSAL}|{_DOUBT}|{_BUT}|{_OTHERS}|{_MORE})(?!\w)|\?")
"""In what follows an answer: it may take the answer back, doubt it, or tell that it was another's."""
LEADS_ASTRAY: Final = re.compile(
    rf"\b(?!if\b|possibly\b|either way\b)(?:fool\w*|jok\w+|lie|lied|lying|surprised? (?:if|me)|regret\w*"
    rf"|refus\w+|naive\w*|{_DOUBT}|{_OTHERS}|{_MORE}|yesterday|last (?:time|week|year|month)|once upon|back then"
    r"|used to)(?!\w)"
)
"""Before a form, in its sentence: the answer is another's, of another question, or under a condition."""
SETS_ASIDE: Final = re.compile(
    r"\b(?:suppos(?:e|ing|ition)|imagin(?:e|ing|ation)|assum(?:e|ing|ption)|pretend\w*|hypothe\w+|what if|let's say"
    r"|examples?|template|format|placeholder|would (?:reply|answer|write|respond|argue|claim)|wrote|quot(?:e|es"
    r"|ing|ed|ation)"
    r"|claim(?:s|ed|ing)?|here(?:'s| is) (?:how|what) (?:a|an|not|others|people|some|my)"
    r"|how (?:not )?to (?:fail|reply|answer)|joke|fake"
    r"|fiction\w*|rehears\w+|drafts?|myths?|rumou?rs?|wrong (?:reply|answer):?\Z)\b"
)
"""In the sentence before that of an answer: what follows is not meant."""
WHEN: Final = re.compile(
    r"\W{0,8}when(?:ever)?(?! (?:i|we|listening|comparing|hearing|considering|asked|forced|pressed)\b)"
)
"""At the beginning of a sentence: a condition."""
