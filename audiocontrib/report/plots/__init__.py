"""Plots: each takes a table and gives a matplotlib Figure."""

from audiocontrib.report.plots.accuracies import accuracy_by_condition, accuracy_by_group, calibration_curve, interval
from audiocontrib.report.plots.contribution import contribution_by_type, contribution_map, placed
from audiocontrib.report.plots.listening import conflict_shares, dose_curve
from audiocontrib.report.plots.models import agreement_matrix, changes
from audiocontrib.report.plots.splits import split_sizes, threshold_curve
from audiocontrib.report.plots.watched import watched_curve

__all__ = [
    "accuracy_by_condition",
    "accuracy_by_group",
    "agreement_matrix",
    "calibration_curve",
    "changes",
    "conflict_shares",
    "contribution_by_type",
    "contribution_map",
    "dose_curve",
    "interval",
    "placed",
    "split_sizes",
    "threshold_curve",
    "watched_curve",
]
