"""How many replies are read as another option than the one they state, and how many are not read.

Templates of eleven kinds are filled with real options: for each item, x is one option and y another. Each says
what a careful person would read: x, y, or nothing. "Wrong" is a choice that was not stated, "missed" a stated
one that was not read; a refusal counts as nothing. The templates stand in ``reply_templates.py``
and ``reply_surroundings.py``.

    python benchmarks/replies.py mmau-test-mini.json        # or no file: the recordings that come with the package
    python benchmarks/replies.py mmau-test-mini.json --each # and every template
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from reply_surroundings import AROUND
from reply_templates import TEMPLATES as OF_STATEMENTS

from audiocontrib import answers, load_items
from audiocontrib.answers.text import clean, core, fold

ITEMS = 400
TEMPLATES = OF_STATEMENTS | {"around": AROUND}


def main(path: str | None = None, each: str | None = None) -> None:
    items = load_items("mmau", data=path) if path else load_items("real-sounds")
    options = list(_options([tuple(item.choices) for item in items]))
    drawn = random.Random(0).sample(options, min(ITEMS, len(options)))
    count: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, templates in TEMPLATES.items():
        for template in templates:
            for place, choices in enumerate(drawn):
                count[kind] += (one := _judge(template, choices, place))
                count[f"  {template[0]!r:.100}"] += one
    print(f"{len(drawn)} items, {sum(map(len, TEMPLATES.values()))} templates")
    print(f"{'kind':44}{'read':>8}{'wrong':>8}{'missed':>8}{'wrong %':>9}{'missed %':>9}")
    total: Counter[str] = Counter()
    for kind in TEMPLATES:
        total += count[kind]
        _show(kind, count[kind])
    _show("all", total)
    if each:
        for name in (n for n in count if n.startswith("  ")):
            if count[name]["wrong"] or count[name]["missed"]:
                _show(name, count[name])


def _options(choices: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Lists of three options and more, none of which is contained in another or is a letter."""
    for one in choices:
        texts = [fold(core(clean(c))) for c in one]
        nested = any(a in b for a in texts for b in texts if a is not b)
        if len(one) >= 3 and not nested and min(map(len, texts)) > 1:
            yield one


def _judge(
    template: tuple[str, str | None] | tuple[str, str | None, str], choices: tuple[str, ...], n: int
) -> Counter[str]:
    text, stated = template[:2]
    finish = template[2] if len(template) > 2 else None
    x = n % len(choices)
    y = (n + 1 + n // len(choices) % (len(choices) - 1)) % len(choices)
    y = y if y != x else (x + 1) % len(choices)
    reply = (
        text.replace("{x}", choices[x])
        .replace("{y}", choices[y])
        .replace("{X}", chr(65 + x))
        .replace("{Y}", chr(65 + y))
        .replace("{half}", choices[x][: max(1, len(choices[x]) // 2)])
    )
    expected = {"x": x, "y": y, None: None}[stated]
    read = answers.parse(reply, choices) if finish is None else _parse(reply, choices, finish)
    if read.choice is not None and read.choice != expected:
        return Counter(wrong=1, stated=expected is not None, n=1)
    return Counter(
        missed=read.choice is None and expected is not None,
        read=read.choice is not None,
        stated=expected is not None,
        n=1,
    )


def _parse(reply: str, choices: tuple[str, ...], finish: str) -> answers.Answer:
    try:
        return answers.parse(reply, choices, finish=finish)
    except TypeError:  # a reader that knows nothing of how a reply ended
        return answers.parse(reply, choices)


def _show(name: str, one: Counter[str]) -> None:
    wrong, missed = 100 * one["wrong"] / one["n"], 100 * one["missed"] / max(1, one["stated"])
    print(f"{name:44}{one['read']:8}{one['wrong']:8}{one['missed']:8}{wrong:9.2f}{missed:9.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
