"""The closed list of forms by which a statement names an option, in other languages. On folded text with marks."""

from __future__ import annotations

import re
from typing import Final

from audiocontrib.answers.retractions import RETRACT
from audiocontrib.answers.words import LEAD_IN

_GAP = r"[\s\"'(\[{*:,–—=-]{0,6}"
_LATIN = (
    # Spanish
    r"(?:(?:la|mi)\s)?(?:(?:opción|opcion|respuesta|alternativa|elección|eleccion)(?:\s(?:correcta|final|es"
    r"|más probable|adecuada|seleccionada))?)"
    r"(?:\s(?:es|sería|seria|debe ser))?|(?:yo )?(?:elijo|escojo|selecciono|opto por|me quedo con|marco|digo|diría)"
    r"|creo que (?:es|la respuesta es)|se trata de|(?:est[eoa]|es[eoa]) es|es|corresponde a"
    # French
    r"|(?:(?:la|ma)\s)?(?:bonne |meilleure |seule )?(?:réponse|reponse|option|proposition)(?:\s(?:correcte|finale"
    r"|exacte|juste|la plus probable))?"
    r"(?:\s(?:est|serait|doit être))?|(?:je )?(?:choisis|sélectionne|selectionne|réponds|reponds|dirais"
    r"|pense que c'est|crois que c'est|prends)"
    r"|j'opte pour|il s'agit (?:de|d')|c'est"
    # German
    r"|(?:(?:die|meine)\s)?(?:richtige |korrekte |beste |endgültige |finale )?(?:antwort|option|lösung|loesung"
    r"|wahl)(?:möglichkeit)?"
    r"(?:\s(?:lautet|ist|wäre|heißt|heisst|muss))?|(?:ich )?(?:wähle|waehle|nehme|entscheide mich für|würde sagen"
    r"|glaube, es ist|denke, es ist)"
    r"|es (?:ist|handelt sich um)|das ist|(?:richtig|korrekt|zutreffend) (?:ist|wäre)"
    # Portuguese
    r"|(?:(?:a|minha)\s)?(?:resposta|opção|opcao|alternativa|escolha)(?:\s(?:correta|certa|final|mais provável"
    r"|é))?(?:\s(?:é|seria|deve ser))?"
    r"|(?:isto|isso|este|esse) é|é|(?:eu )?(?:escolho|opto por|seleciono|fico com|marco|acho que é|diria)|trata-se de"
    # Italian
    r"|(?:(?:la\s)?(?:la|mia)\s|l')?(?:risposta|opzione|scelta|soluzione)(?:\s(?:corretta|giusta|esatta|finale"
    r"|più probabile"
    r"|è))?(?:\s(?:è|e'|sia|sarebbe))?"
    r"|(?:questo|questa|quello|quella) è|è|(?:io )?(?:scelgo|seleziono|opto per|direi|penso che sia"
    r"|credo che sia)|si tratta di"
    # Russian
    r"|(?:(?:мой|это)\s)?(?:правильный |верный |окончательный )?(?:ответ|вариант|выбор)(?:\s(?:ответа|это|является"
    r"|будет))?"
    r"|(?:я )?(?:выбираю|выберу|думаю, что это|считаю, что это|выбрал|выбрала)|это"
)
_ARTICLE = (
    r"(?:\s?(?:la|el|un|una|le|les|l'|une|die|der|das|den|ein|eine|einen|o|a|um|uma|il|lo|uno|opción|opcion"
    r"|respuesta|letra|lettre|letter"
    r"|option|réponse|antwort|buchstabe|opção|alternativa|opzione|lettera|risposta|вариант|ответ|буква|под буквой"
    r"|que|c'est|es|ist|est|é|è|ist die|es la)"
    r"\b){0,3}"
)
_OPEN = (
    r"(?:(?:por (?:lo )?tanto|así que|entonces|portanto|então|logo|donc|ainsi|par conséquent|also|daher|deshalb"
    r"|somit|folglich|quindi|perciò|dunque"
    r"|поэтому|следовательно|таким образом|итак|значит|pues|y|et|und|e|и|sí|oui|ja|sim|sì|да|meine|mi|ma"
    r"|(?:yo )?(?:creo|pienso|considero|opino|diría) que"
    r"|(?:je|moi,? je) (?:pense|crois|dirais|suppose) que|à mon avis|selon moi|ich (?:denke|glaube|meine"
    r"|vermute)(?:, dass)?"
    r"|meiner meinung nach|(?:eu )?(?:acho|acredito|penso|creio|diria) que|na minha opinião|en mi opinión|secondo me"
    r"|(?:io )?(?:penso|credo|ritengo|direi) che|a mio (?:avviso|parere)|(?:я )?(?:думаю|считаю|полагаю)(?:, что)?"
    r"|по-моему|на мой взгляд)[,:]?\s){0,3}"
)
LEADS_ELSEWHERE: Final = re.compile(
    rf"[\s\"'(–—-]{{0,3}}{RETRACT}[\s,.:;!?…–—-]{{1,4}}(?:es|è|é|est|c'est|es ist|das ist|это|la"
    rf"|是)?{_GAP}{_ARTICLE}{_GAP}"
    rf"|\s?(?:sondern|sino(?: que es)?|bensì|ma|mas sim|а|mais){_GAP}{_ARTICLE}{_GAP}|(?:而是|而应是|而應是)"
    rf"|{LEAD_IN}{_OPEN}(?:{_LATIN}){_GAP}{_ARTICLE}{_GAP}"
    # Chinese
    r"|.{0,40}?(?:(?:正确|正確|最终|最終|最佳|标准|最合适的|最可能的)?(?:答案|选项|選項|结果|回答)(?:应该|應該"
    r"|应当|應當|就|应|應)?(?:是|为|為|选|選|：|:)?"
    r"|(?:应该|應該|应|應|故|因此|所以|我|就|只能|最终|于是)?(?:选择|選擇|选|選)(?:了|的是|项|項)?|我(?:认为"
    r"|覺得|觉得|想|猜|的答案|的选择)?(?:是|应该是|答案是)"
    r"|我?(?:能)?(?:听到|聽到|听见|听起来)(?:的)?(?:是|像是|像)?|(?:只有|应该是|應該是"
    r"|(?<!不)是))[\s\"'(\[:,]{0,4}(?:选项|選項|答案|一[个個架把支]"
    r"|第)?[\s\"'(\[:,]{0,4}"
    # Japanese
    r"|.{0,40}?(?:(?:正しい|最終的な|私の|最も適切な)?(?:答え|正解|解答|回答|答|選択肢)(?:は|：|:|=)|私は"
    r"|選択肢)[\s\"'(\[:,、]{0,4}(?:選択肢)?[\s\"'(\[]{0,3}"
    # Korean
    r"|.{0,40}?(?:(?:올바른 |최종 |맞는 )?(?:정답|답|답변|선택)(?:은|는|:|=)?"
    r"|저는|따라서|그러므로)[\s\"'(\[:,]{0,4}(?:옵션"
    r"|보기"
    r"|선택지)?[\s\"'(\[]{0,3}"
)
"""Before an option."""
AFTER_ELSEWHERE: Final = re.compile(
    r"[\s\"')\]}]{0,3}(?:"
    r"(?:es|sería) (?:la |el )?(?:respuesta |opción )?(?:correct[ao]|adecuad[ao]|acertad[ao])|es (?:la"
    r"|mi) (?:respuesta|opción|elección)"
    r"|est (?:la |ma )?(?:bonne |meilleure )?(?:réponse|option|correcte?|exacte?|juste)"
    r"|ist (?:die |meine )?(?:richtige?|korrekte?|beste)(?: (?:antwort|option|lösung))?\b|ist (?:die"
    r"|meine) (?:antwort|lösung|wahl)|trifft zu|stimmt"
    r"|(?:é|está) (?:a |o )?(?:resposta |opção )?(?:corret[ao]|cert[ao])|é (?:a|minha) (?:resposta|opção)"
    r"|è (?:la )?(?:risposta |opzione )?(?:corretta|giusta|esatta)|è (?:la|mia) (?:risposta|scelta)"
    r"|(?:[–—-]\s?)?(?:это |является )?(?:правильн\w+|верн\w+)(?: (?:ответ|вариант)\w*)?|(?:[–—-]\s?)(?:мой "
    r"|это )?ответ"
    r"|(?:才)?是(?:唯一)?(?:正确|正確|对|對|最佳|最合适|最合適|最可能)(?:的|答案|选项|選項)*|(?:是|为"
    r"|為)(?:答案|我的答案)|(?:选项|選項)?(?:正确|正確|最合适)(?!吗)"
    r"|(?:が|は)(?:最も)?(?:正解|正しい|答え|適切|正確|該当)|(?:を)(?:選択|選び|選ぶ|選ん)|(?:です(?!か|が"
    r"|よね)|だ(?![っとろがけか])|である(?!か))"
    r"|(?:번)?(?:이|가|은|는)? ?(?:정답|맞|옳|정확|올바)|(?:을|를) ?(?:선택|고르|골)"
    r"|(?:번)?(?:입니다|이다|예요|이에요))"
)
"""After an option."""
SPOILED_ELSEWHERE: Final = re.compile(
    r"\b(?:si|s'il|wenn|falls|se|если|бы|podría|podria|quizás?|tal vez|quizá|peut-être|pourrait|vielleicht|könnte"
    r"|talvez|poderia|forse|potrebbe"
    r"|возможно|может быть|no|ni|ne|n'est|pas|nicht|kein\w*|não|nem|non|не|нет|incorrect[ao]s?|falsch\w*|errad[ao]"
    r"|sbagliat\w+|неправильн\w+"
    r"|неверн\w+|dic[eh]\w*|dit|disent|sagt|sagen|dizem|dicono|говорят|creía|pensaba|dachte|pensais|pensavo"
    r"|думал\w*|menos|moins|wenigsten|meno)\b"
    r"|不|没|沒|无|無|非|错|錯|误|誤|如果|假如|要是|若|很难|難|难|吗|嗎|是否|可能|也许|或许|有人|别人|除|原以为"
    r"|以为|本来"
    r"|ない|ません|でしょう|だろう|だった|でした|限ら|限り|なら|れば|もし|かもしれ|違|間違|と思われがち|と言"
    r"|人は|아니|않|틀|만약|라면|까|수도|수 없|지도|아마|사람"
)
"""In the clause: it denies, doubts, sets a condition, or tells what others say."""
TAIL_ELSEWHERE: Final = re.compile(
    r"[\"')\]]{0,2}\s?(?:[。、·]|の(?:音|声|楽器)?(?:です(?!か)|だ(?![っとろがけか]))|です(?!か|が)"
    r"|だ(?![っとろがけか])|である(?!か)"
    r"|(?:だ|である)?と(?:思います|思う|考えます|考える|判断します|判断する|いえます)(?:[。.!]|\s?\Z)"
    r"|にな(?:ります|る)(?:[。.]|\Z)|を選(?:び|択|ぶ|ん)"
    r"|(?:이|라|이라)?(?:입니다|이다|예요|이에요|라고 (?:생각|판단)(?:합니다|해요|한다))|(?:을|를) (?:선택"
    r"|고르)(?:합니다|하겠습니다|겠습니다)"
    r"|(?:的)?(?:声音|聲音|音色|乐器|樂器|选项|選項|音乐|情绪|声)?(?:。|,(?=\s?[\u2e80-\uffff\ue000-\ue003])|\s?\Z|吧(?:。|\Z)|,?因为|,?因為"
    r"|,?由于|,?而不是)|是(?:正确|正確|对|對|最)|[(](?=[^\x00-\x7f]))"
)
"""How a sentence may go on after the option that it states."""
SUPPOSES: Final = re.compile(
    r"(?:\A|[\s,.])(?:si|s'il|wenn|falls|se|если|если бы|quand|cuando|quando|когда)\s|如果|假如|要是|倘若|もし"
    r"|만약|万一|哪怕|除非"
    r"|\b(?:manche|einige|viele|andere|jemand|leute|er sagt|sie sagt|man (?:sagt|könnte|würde)|angeblich|laut"
    r"|algunos|muchos|otros|dicen|alguien|se dice|según (?!el audio|la grabación)|supuestamente|certains"
    r"|beaucoup|d'autres"
    r"|on (?:dit|pourrait)|quelqu'un|selon (?!moi|l'audio)|soi-disant|alguns|muitos|outros|dizem|alguém"
    r"|supostamente|alcuni"
    r"|molti|altri|dicono|qualcuno|si dice|некоторые|многие|другие|говорят|кто-то|якобы|по словам)\b"
    r"|\b(?:не (?:думаю|считаю|верю)|(?:no|não|nao|non) (?:creo|pienso|acho|acredito|penso|creio|credo|ritengo)"
    r"|ne (?:pense|crois) pas|(?:glaube|denke|meine) (?:ich )?nicht|bezweif\w+|zweif\w+|dud[oaé]\w*|dout\w+"
    r"|duvid\w+|dubit\w+"
    r"|сомнева\w+|вряд ли|descart\w+|exclu\w+|esclud\w+|исключа\w+|ausschließ\w*|ausschliess\w*)\b"
    r"|有人|有些人|别人|別人|他们|他們|据说|很多人|人は|と言う|と言われ|很难|難以|难以|无法|無法|难道|是否|是不是"
)
"""In the sentence: it sets a condition, doubts, or tells what others say."""
