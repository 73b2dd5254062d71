"""The files of the page, by the names under which they are served."""

from __future__ import annotations

from pathlib import Path

from audiocontrib.report.page import TEMPLATES

OWN = Path(__file__).parent / "static"
INDEX, TRAININGS = OWN / "index.html", OWN / "trainings.html"
SHARED = ("report.css", "item.js", "browser.js")
"""Those of the report: the list of items, and one item, look the same."""
VENDOR = {
    "wavesurfer.min.js": "d916e98ceb53ebf0403f907e8f81425ce100b937021fcfa5cac66f728ec2ec1c",
    "spectrogram.min.js": "3d5204da77bc090c210b056992e35334c1b9765ebfa52137bdd921fc119b8496",
    "wavesurfer.LICENSE": "0fc992dc27cc34dde78bfeb024b4cadff6320f0dcbee2f1228efaeb533ca1364",
}
"""Files of others -> SHA-256: wavesurfer.js 8.0.1 with its spectrogram plugin, BSD-3-Clause, as npm has them."""
STATIC = {
    **{path.name: path for path in sorted(OWN.glob("*.*")) if path not in (INDEX, TRAININGS)},
    **{name: TEMPLATES / name for name in SHARED},
    **{name: OWN / "vendor" / name for name in VENDOR},
}
