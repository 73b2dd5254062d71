"""A report: one HTML file that opens from disk and asks nothing of the network: a run as a whole, and item by item."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocontrib.report import plots
from audiocontrib.report.facts import Facts, SplitFacts, gather
from audiocontrib.report.sampled import MOST, sampled, script_json
from audiocontrib.store.files import make_folder, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from audiocontrib.store import Run

TEMPLATES = Path(__file__).parent / "templates"
POINTS = 3_000
"""Items that the contribution map draws one by one; beyond, they are drawn as a density."""


def report(run: Run, path: str | Path | None = None, *, items: int = MOST) -> Path:
    """Write the report of a run.

    Args:
        path: the HTML file; ``report.html`` in the run's folder if it is not given.
        items: at most so many are shown one by one, sampled by question type and part of the first split.

    Returns:
        Where it is.

    Raises:
        AudiocontribError: the run holds no answers, or the file cannot be written.

    Example:
        >>> report(open_run("runs/demo"))
    """
    path = Path(path) if path else run.path / "report.html"
    text = render(run, items)
    make_folder(path.parent)
    with replacing(path) as file:
        file.write(text.encode())
    return path


def render(run: Run, items: int = MOST) -> str:
    """The text of the report."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    facts = gather(run)
    split = facts.splits[0].name if facts.splits else None
    shown, embedded = sampled(run, split, facts.scores, items)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.get_template("report.html.j2").render(
        facts=facts,
        **_asked(facts.about),
        figures={name: Markup(svg(figure, name)) for name, figure in _figures(facts).items()},
        accuracy=facts.accuracy.to_pylist(),
        splits=[_described(one) for one in facts.splits],
        split=split,
        shown=len(shown),
        embedded=embedded,
        data=Markup(script_json(shown)),
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("audiocontrib"),
    )


def _figures(facts: Facts) -> dict[str, Figure]:
    """Those figures that the run has something to show in."""
    made = {"accuracy": plots.accuracy_by_condition(facts.accuracy)}
    placed = len(facts.scores) - max(facts.scores[name].null_count for name in ("p_audio", "p_silence"))
    if placed:
        if placed <= POINTS:
            made["map"] = plots.contribution_map(facts.scores)
        made["types"] = plots.contribution_by_type(facts.scores)
    if facts.splits:
        made["sizes"] = plots.split_sizes({one.name: one.sizes for one in facts.splits})
        curves = {one.name: one.curve for one in facts.splits if one.curve is not None}
        if curves:
            made["curve"] = plots.threshold_curve(
                curves, {n.name: n.settings.get("threshold", 0.5) for n in facts.splits}
            )
    if len(facts.agreement):
        made["agreement"] = plots.agreement_matrix(facts.agreement)
    if len(facts.calibration):
        made["calibration"] = plots.calibration_curve(facts.calibration)
    return made


def svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for a page: black becomes the page's own colour of text, nothing is behind it."""
    import matplotlib as mpl

    file = io.StringIO()
    # no date and fixed ids: the same run gives the same page
    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "text.parse_math": False,
        "font.family": "sans-serif",
    }
    with mpl.rc_context(settings):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    # ids are per figure only in matplotlib; on one page they must differ
    prefix = f"{name}-"
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    text = re.sub(r'xlink:href="#', f'xlink:href="#{prefix}', text)
    return re.sub(r"#000000\b", "currentColor", text).replace("<text ", '<text fill="currentColor" ')


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


def _described(split: SplitFacts) -> dict[str, Any]:
    """A split as the page says it."""
    settings = split.settings
    return {
        "name": split.name,
        "rule": settings.get("rule", "?"),
        "threshold": settings.get("threshold"),
        "condition": settings.get("condition", ""),
        "sizes": split.sizes,
        "reasons": split.reasons,
        "warnings": settings.get("warnings", []),
        "findings": {k: v for k, v in settings.get("findings", {}).items() if isinstance(v, (int, float, str))},
        "certificates": split.certificates,
    }
