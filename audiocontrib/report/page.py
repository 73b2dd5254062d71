"""A report: one HTML file that opens from disk and asks nothing of the network: a run as a whole, and item by item."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.checked import as_path, whole_number
from audiocontrib.number_text import accuracy_text, as_words, percent
from audiocontrib.report.figures import FIGURES, STYLE, figures
from audiocontrib.report.item_sample import MOST, Sample, sampled, script_json
from audiocontrib.report.overview import REPORT
from audiocontrib.report.run_summary import Facts, gather
from audiocontrib.splits.finding_words import findings_in_words
from audiocontrib.store.files import make_folder, replacing
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from audiocontrib.store import Run

TEMPLATES = Path(__file__).parent / "templates"
MOST_SENTENCES = 6
"""Of so many models, what follows is listed; of more it stands in the table."""
SCRIPTS = ("item.js", "browser.js", "sample.js")
"""In the order in which a page runs them."""


def report(
    run: Run,
    /,
    *,
    out: str | os.PathLike[str] | None = None,
    split: str | None = None,
    items: int = MOST,
) -> Path:
    """Write the report of a run.

    Args:
        run: a run.
        out: the HTML file; ``report.html`` in the run's folder if it is not given.
        split: the split whose parts and sensitivity are shown; None: the one that was saved last.
        items: at most so many are shown one by one, sampled by question type and part of that split.

    Returns:
        Where it is.

    Raises:
        AudiocontribError: the run holds no answers, or the file cannot be written.
        UsageError: the run has no such split.

    Example:
        >>> ac.report(ac.open_run("runs/demo"), split="votes")
    """
    as_run(run)
    whole_number(items, "items")
    path = as_path(out, "out") if out else run.path / REPORT
    make_folder(path.parent)
    text = render_report(run, path.parent, split, items)
    with replacing(path) as file:
        file.write(text.encode())
    return path


def render_report(run: Run, folder: Path, split: str | None = None, items: int = MOST) -> str:
    """The text of a report that is to lie in ``folder``; the rest as for :func:`report`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    facts = gather(run, split)
    split = facts.splits[0].name if facts.splits else None
    sample = sampled(run, split, facts.scores, items, folder)
    scripts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.get_template("report.html.j2").render(
        facts=facts,
        words=as_words,
        percent=percent,
        accuracy_text=accuracy_text,
        findings_in_words=findings_in_words,
        **_asked(facts.about),
        figures={name: Markup(svg(figure, name)) for name, figure in figures(facts).items()},
        about={name: one.about for name, one in FIGURES.items()},
        accuracy=facts.accuracy.to_pylist(),
        several_sets=len({one.dataset for one in facts.first}) > 1,
        several_models=len({one.model for one in facts.first}) > MOST_SENTENCES,
        split=split,
        sample=sample,
        data=Markup(script_json(_page_data(facts, sample))),
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        hashes=[base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts],
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("audiocontrib"),
    )


def _page_data(facts: Facts, sample: Sample) -> dict[str, Any]:
    """What ``templates/sample.js`` reads."""
    scored = facts.splits[0].name if facts.splits else ""
    contrast = {"audio": facts.audio, "without": facts.condition}
    return {"items": sample.items, "clips": sample.clips, "scored": scored, **contrast}


def svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for a page: black becomes the page's own colour of text, nothing is behind it."""
    import matplotlib as mpl

    file = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # on a narrow screen a figure shrinks until its words would be too small to read, and then scrolls
    width = figure.get_figwidth() * 72
    style = f'style="width: {width:.0f}pt; max-width: 100%; min-width: {0.6 * width:.0f}pt"'
    text = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', rf"\1 {style}", text, count=1)
    # matplotlib's ids are chance, and those of two figures may be the same
    ids = {old: f"{name}-{i}" for i, old in enumerate(re.findall(r'<[^>]* id="([^"]+)"', text))}

    def adapted(tag: re.Match[str]) -> str:
        own = re.sub(r'( id="|url\(#|href="#)([^")]+)', lambda found: found[1] + ids[found[2]], tag[0])
        return re.sub(r"#000000\b", "currentColor", own).replace("<text ", '<text fill="currentColor" ')

    return re.sub(r"<[^>]*>", adapted, text)  # tags only: labels are the data's own words


def _asked(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the page says of the data set and the models; a run of imported answers knows less of them."""
    identity = manifest.get("identity", {})
    data = {**identity.get("dataset", {}), **(manifest.get("origin") or {})}
    models = {
        name: "".join(f", {about[key]}" for key in ("class", "dtype") if about.get(key))
        for name, about in identity.get("models", {}).items()
    }
    return {
        "identity": identity,
        "dataset": data.get("name", "?"),
        "revision": data.get("revision"),
        "models": models,
    }
