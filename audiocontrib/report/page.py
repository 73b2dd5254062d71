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
from audiocontrib.report import plots
from audiocontrib.report.item_sample import MOST, Sample, sampled, script_json
from audiocontrib.report.overview import REPORT
from audiocontrib.report.run_summary import Facts, gather
from audiocontrib.store.files import make_folder, replacing
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from audiocontrib.store import Run

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("item.js", "browser.js", "sample.js")
"""In the order in which a page runs them."""
POINTS = 3_000
"""Items that the contribution map draws one by one; beyond, they are drawn as a density."""


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
        number=_number,
        **_asked(facts.about),
        figures={name: Markup(svg(figure, name)) for name, figure in _figures(facts).items()},
        accuracy=facts.accuracy.to_pylist(),
        several_sets=len({one.dataset for one in facts.first}) > 1,
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


def _figures(facts: Facts) -> dict[str, Figure]:
    """Those figures that the run has something to show in."""
    scored = facts.accuracy.filter(facts.accuracy["accuracy"].is_valid())  # none where no item has a gold
    made = {"accuracy": plots.accuracy_by_condition(scored)} if len(scored) else {}
    if facts.condition and (placed := plots.placed(facts.scores, facts.condition).sum()):
        if placed <= POINTS:
            made["map"] = plots.contribution_map(facts.scores, without=facts.condition)
        made["types"] = plots.contribution_by_type(facts.scores, facts.condition)
    asked = set(facts.doses["scale"].to_pylist())
    made |= {f"dose_{scale}": plots.dose_curve(facts.doses, scale) for scale in ("mask", "snr") if scale in asked}
    if any(facts.conflict["n"].to_pylist()):
        made["conflict"] = plots.conflict_shares(facts.conflict)
    if facts.splits:
        made["sizes"] = plots.split_sizes({one.name: one.sizes for one in facts.splits})
    if facts.sensitivity is not None:
        made["curve"] = plots.threshold_curve(facts.sensitivity)
    if len(facts.agreement):
        made["agreement"] = plots.agreement_matrix(facts.agreement)
    if len(facts.calibration):
        made["calibration"] = plots.calibration_curve(facts.calibration)
    return made


def svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for a page: black becomes the page's own colour of text, nothing is behind it."""
    import matplotlib as mpl

    file = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif"}
    with mpl.rc_context(settings):
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


def _number(value: Any) -> str:
    """A value as the page says it: a few digits; a list's values side by side."""
    if value is None or value != value:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_number, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)
