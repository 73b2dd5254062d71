"""Evaluation: what runs say of models, by benchmark and condition, alone and against a baseline."""

from audiocontrib.evaluation.benchmarks import EVALUATION_SCHEMA, evaluate
from audiocontrib.evaluation.changes import CHANGE_SCHEMA
from audiocontrib.evaluation.comparison import compare
from audiocontrib.evaluation.published import PUBLISHED_SCHEMA, beside_published, published_figures
from audiocontrib.evaluation.scorers import COMPARISON_SCHEMA, OFFICIAL, compare_scorers

__all__ = [
    "CHANGE_SCHEMA",
    "COMPARISON_SCHEMA",
    "EVALUATION_SCHEMA",
    "OFFICIAL",
    "PUBLISHED_SCHEMA",
    "beside_published",
    "compare",
    "compare_scorers",
    "evaluate",
    "published_figures",
]
