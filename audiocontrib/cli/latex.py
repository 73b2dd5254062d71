"""A table in LaTeX with booktabs: text is latex_text, numbers are aligned at their points, long names stand below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from audiocontrib.cli.table_text import TextTable, with_legend

ESCAPED = str.maketrans(
    {char: rf"\{char}" for char in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "–": "--", "…": r"\ldots{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}"}
)
"""A model's name with an underscore would break a paper."""
WIDEST_NAME = 24
"""Where a name has more characters, names stand in a legend."""
LONG_HEADING = 12
NUMBER = re.compile(
    r"(?P<open>[(\[]?)(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<part>\.\d+)?(?P<unit>%?[)\]]?)"
)
BREAKS = re.compile(r"([/.:-]|\\_)(?=\w)")
"""Behind these a long name may go on in the next line."""


def latex_lines(table: TextTable, caption: str) -> Iterator[str]:
    """The lines of a table; with a caption it floats.

    Args:
        table: what is shown.
        caption: what it says of itself; empty: none.
    """
    names = [len(row[n]) for n in table.names for row in table.rows]
    shown, legend = with_legend(table) if max(names, default=0) > WIDEST_NAME else (table, {})
    yield r"% \usepackage{booktabs}"
    if caption:
        yield from (r"\begin{table}", r"\centering", rf"\caption{{{latex_text(caption)}}}", r"\footnotesize")
        yield r"\setlength{\tabcolsep}{3pt}"
    sides = "".join("r" if number else "l" for number in shown.numbers)
    yield from (rf"\begin{{tabular}}{{{sides}}}", r"\toprule", _row(map(_heading, shown.headings)), r"\midrule")
    columns = [
        _aligned(cells) if number else [latex_text(cell) for cell in cells]
        for cells, number in zip(zip(*shown.rows, strict=True), shown.numbers, strict=bool(shown.rows))
    ]
    yield from map(_row, zip(*columns, strict=True))
    yield from (r"\bottomrule", r"\end{tabular}")
    if legend:
        told = "; ".join(f"{short}: {_breaking(latex_text(name))}" for short, name in legend.items())
        yield rf"\par\smallskip\parbox{{\linewidth}}{{\scriptsize\raggedright {told}}}"
    if caption:
        yield r"\end{table}"


def latex_text(text: str) -> str:
    """A text that LaTeX prints as it is, on one line."""
    return _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    return re.sub("-(?=-)", "-\0", text).translate(ESCAPED).replace("\0", "{}")  # else two hyphens are a dash


def _breaking(name: str) -> str:
    return BREAKS.sub(r"\1\\allowbreak{}", name)


def _row(cells: Iterator[str] | Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _heading(text: str) -> str:
    """A long heading has two lines: what is in the column decides how wide it is."""
    words = text.split()
    at = min(range(1, len(words)), key=lambda n: abs(len(" ".join(words[:n])) - len(" ".join(words[n:]))), default=0)
    if len(text) <= LONG_HEADING or not at:
        return latex_text(text)
    return rf"\shortstack[r]{{{latex_text(' '.join(words[:at]))}\\{latex_text(' '.join(words[at:]))}}}"


def _aligned(cells: Sequence[str]) -> list[str]:
    """Cells of numbers, filled with blanks of a digit's width so that points stand below points."""
    alike: dict[str, list[list[re.Match[str]]]] = {}
    for cell in cells:
        alike.setdefault(_skeleton(cell), []).append(list(NUMBER.finditer(cell)))
    return [_filled(cell, alike[_skeleton(cell)]) for cell in cells]


def _skeleton(cell: str) -> str:
    """What stands between the numbers of a cell."""
    return NUMBER.sub(lambda number: f"{number['open']}0{number['unit']}", cell)


def _filled(cell: str, alike: Sequence[Sequence[re.Match[str]]]) -> str:
    """A cell among those that have numbers in the same places."""
    made, end = [], 0
    for place, number in enumerate(NUMBER.finditer(cell)):
        others = [row[place] for row in alike]
        signed = any(one["sign"] for one in others)
        whole, part = (max((one[name] or "" for one in others), key=len) for name in ("whole", "part"))
        made += [_plain(cell[end : number.start()]), _blank(whole[: len(whole) - len(number["whole"])])]
        made += [r"\phantom{$-$}" if signed and not number["sign"] else "", number["open"]]
        made += [f"${number['sign']}$" if number["sign"] else ""]
        made += [number["whole"], number["part"] or "", _plain(number["unit"])]
        made += [_blank(part[len(number["part"] or "") :])]
        end = number.end()
    return "".join([*made, _plain(cell[end:])])


def _blank(digits: str) -> str:
    return rf"\phantom{{{digits}}}" if digits else ""
