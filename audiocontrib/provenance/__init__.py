"""Where a run, a split, an export or a model comes from, as steps that can be done again.

Steps are frozen values, kept as JSON in ``run.json``, ``training.json`` and ``manifest.json``;
:func:`audiocontrib.shell.shell_lines` writes them as commands.
"""

from audiocontrib.provenance.json_values import from_json, to_json
from audiocontrib.provenance.record import Provenance, provenance_of
from audiocontrib.provenance.runs import run_steps, split_steps
from audiocontrib.provenance.steps import (
    AuditStep,
    CertifyStep,
    CommandStep,
    DataSource,
    ImportStep,
    ScoreStep,
    SplitSettings,
    SplitStep,
    Step,
    TrainStep,
    WeakToStrongStep,
)

__all__ = [
    "AuditStep",
    "CertifyStep",
    "CommandStep",
    "DataSource",
    "ImportStep",
    "Provenance",
    "ScoreStep",
    "SplitSettings",
    "SplitStep",
    "Step",
    "TrainStep",
    "WeakToStrongStep",
    "from_json",
    "provenance_of",
    "run_steps",
    "split_steps",
    "to_json",
]
