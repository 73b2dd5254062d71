"""What may follow an answer and leave it as it is, in other languages than English. On folded text with marks."""

from __future__ import annotations

import re
from typing import Final

GROUNDS: Final = re.compile(
    r"[\s,、，(（:：;.—–-]{0,4}(?:因为|因為|由于|由於|理由|原因|解释|解釋|说明|依据|根据|なぜなら|理由は|根拠|왜냐하면|이유|근거|설명"
    r"|(?:porque|ya que|puesto que|pues|debido a|dado que|explicación|razón|motivo|car|parce que|puisque|étant donné"
    r"|explication|raison|weil|da|denn|aufgrund|wegen|begründung|erklärung|pois|já que|uma vez que|devido a|explicação"
    r"|razão|perché|poiché|in quanto|dato che|spiegazione|motivazione|потому что|так как|поскольку|ведь|объяснение"
    r"|причина)\b)"
)
"""How grounds begin."""
HEARD: Final = re.compile(
    r"音|声|聲|节奏|節奏|旋律|速度|听到|聽到|听起来|乐器|樂器|录音|錄音|曲|聞こえ|テンポ|リズム|楽器|소리|음색|음정|템포|리듬|악기|들리|들린|녹음"
    r"|\b(?:sonidos?|audio|tono|timbre|ritmo|tempo|voz|melodía|música|grabación|instrumentos?|cuerdas|volumen|sons?"
    r"|rythme|voix|mélodie|musique|enregistrement|ton|cordes|klang|klänge|ton|töne|tempo|rhythmus|stimme|melodie|musik"
    r"|aufnahme|instrumente?|saiten|som|som|voz|melodia|gravação|suon[oi]|voce|musica|registrazione|strument[oi]|corde"
    r"|звук\w*|темп\w*|ритм\w*|голос\w*|мелоди\w+|музык\w+|запис\w+|инструмент\w*|тембр\w*|струн\w*|слыш\w+)\b"
)
"""What may be heard."""
UPSET: Final = re.compile(
    r"不过|不過|但|可是|然而|其实|其實|不对|不對|错|錯|误|誤|猜|玩笑|骗|騙|才怪|朋友|别人|別人|他们|他們|她|他说|有人|老师|老師|据说|如果|假如"
    r"|也许|也許|或许|可能|应该|不确定|不確定|没听清|忽略|撤回|收回|另|也是|也对|しかし|でも|だが|ただし|けど|冗談|嘘|友|先生|人が|人は|らしい"
    r"|かも|もし|なら|違|間違|訂正|撤回|無視|また|하지만|그러나|그런데|농담|거짓|친구|선생|사람|아마|만약|라면|아니|틀|정정|취소|무시|또한"
    r"|\b(?:pero|sin embargo|aunque|broma|mentira|amig[oa]|herman[oa]|vecin[oa]|profesor\w*|dice[ns]?|dijo"
    r"|dijeron|si|quizás?"
    r"|tal vez|no|ni|tampoco|también|error|equivoc\w+|ignor\w+|olvid\w+|mais|cependant|pourtant|toutefois|plaisant\w+"
    r"|blague|mensonge|amie?|voisin\w*|frère|dit|disent|peut-être|ne|pas|aussi|erreur|tromp\w+|oubli\w+|ignor\w+|aber"
    r"|jedoch|allerdings|doch|obwohl|scherz\w*|witz|lüge|freund\w*|nachbar\w*|lehrer\w*|sagt\w*|behauptet\w*|wenn|falls"
    r"|vielleicht|nicht|kein\w*|auch|fehler|irrtum|falsch\w*|vergiss\w*|ignorier\w*|mas|porém|contudo|embora"
    r"|brincadeira"
    r"|amig[oa]|irm[ãa]o?|vizinh\w+|professor\w*|diz\w*|disse\w*|se|talvez|não|nem|também|erro|engan\w+"
    r"|esque\w+|ma|però"
    r"|tuttavia|anche|scherz\w+|bugia|amic[oa]|vicino|fratello|dic\w+|detto|forse|non|né|errore|sbagli\w+|dimentic\w+"
    r"|но|однако|хотя|шу(?:чу|тка|тк\w+)|лож\w*|друг\w*|сосед\w*|брат\w*|учител\w*|говор\w+|сказал\w*|утвержда\w+|если"
    r"|может|возможно|наверно\w*|не|нет|также|тоже|ошиб\w+|забуд\w+)\b|[?？]"
)
"""It may take the answer back, doubt it, or tell that it was another's."""
