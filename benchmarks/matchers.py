"""How many items a published matching rule misjudges when an option itself is the reply.

For every item of a file in MMAU's layout, each of its options is offered as the reply, in five forms. A
rule should accept the gold in all of them and no wrong option in any.

    python benchmarks/matchers.py mmau-test-mini.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from audiocontrib import answers, load_items
from audiocontrib.answers.official import SCORERS, ScoredReply

FORMS = {
    "X": "{option}",
    "A. X": "{letter}. {option}",
    "The answer is X.": "The answer is {option}.",
    "The correct answer is (A) X.": "The correct answer is ({letter}) {option}.",
    "A": "{letter}",
}


def exact(text: str, choices: Sequence[str], gold: int) -> bool:
    return answers.parse(text, choices).choice == gold


def official(text: str, choices: Sequence[str], gold: int) -> bool:
    return bool(next(SCORERS["mmau"]([ScoredReply(text, choices, gold)])))


def main(path: str) -> None:
    items = load_items("mmau", data=path)
    print(f"{len(items)} items\n{'reply':32}{'rule':10}{'gold accepted':>14}{'wrong accepted':>16}")
    for form, template in FORMS.items():
        for name, rule in (("official", official), ("exact", exact)):
            gold = wrong = 0
            for item in items:
                accepted = [
                    rule(template.format(option=option, letter=chr(65 + place)), item.choices, item.answer)
                    for place, option in enumerate(item.choices)
                ]
                gold += accepted[item.answer]
                wrong += any(ok for place, ok in enumerate(accepted) if place != item.answer)
            print(f"{form:32}{name:10}{gold:14}{wrong:16}")


if __name__ == "__main__":
    main(sys.argv[1])
