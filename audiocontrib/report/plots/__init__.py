"""Plots: each takes a table and gives a matplotlib Figure."""

from audiocontrib.report.plots.accuracies import accuracy_by_condition, accuracy_by_group, calibration_curve, interval
from audiocontrib.report.plots.contribution import contribution_by_type, contribution_map, placed
from audiocontrib.report.plots.models import agreement_matrix, changes
from audiocontrib.report.plots.splits import split_sizes, threshold_curve

__all__ = [
    "accuracy_by_condition",
    "accuracy_by_group",
    "agreement_matrix",
    "calibration_curve",
    "changes",
    "contribution_by_type",
    "contribution_map",
    "interval",
    "placed",
    "split_sizes",
    "threshold_curve",
]
